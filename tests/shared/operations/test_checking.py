"""The check of uploads: what it makes of them, wherever it is cut off, and however two of them meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from shared.domain.files import DELETED, FILE, IMAGE, PENDING, READY, REJECTED, Checked, File, FileStatus
from shared.errors import Unavailable
from shared.operations.files import HEAD_BYTES, WRONG_SIZE, WRONG_TYPE, check_upload
from tests.fakes import FakeObjects
from tests.harness import Harness
from tests.stepping import Stepper, explore

CAT = File("cat", "alice", IMAGE, "cat.png", "image/png", 4, created_at=1_000, expires_at=901_000)
GOOD, OTHER, BAD = b"good", b"else", b"evil"
KEPT = replace(CAT, status=READY, width=4, height=3, has_thumbnail=True)


def inspect(file: File, head: bytes, /) -> Checked:
    """Whatever is not evil is an image, 4 wide and 3 high, and its thumbnail says whose it is."""
    if head.startswith(BAD):
        return Checked(WRONG_TYPE)
    return Checked(width=4, height=3, thumbnail=b"small " + head) if file.kind == IMAGE else Checked()


class CheckingHarness(Harness):
    def check(self, look: Callable[[File, bytes], Checked] = inspect) -> File | None:
        return check_upload("cat", files=self.stores.files, objects=self.objects, inspect=look)

    def state(self) -> tuple[File | None, dict[str, bytes], dict[str, bytes], dict[str, bytes]]:
        return self.stores.files.get("cat"), self.objects.uploads, self.objects.kept, self.objects.thumbnails


def uploaded(data: bytes | None = GOOD, file: File = CAT) -> CheckingHarness:
    harness = CheckingHarness()
    harness.stores.files.create(file)
    if data is not None:
        harness.objects.uploads["cat"] = data
    return harness


@pytest.fixture
def harness() -> CheckingHarness:
    return uploaded()


def test_an_image_that_is_what_it_says_is_kept_with_its_thumbnail_and_waits_no_more(harness: CheckingHarness) -> None:
    assert harness.check() == KEPT
    assert harness.state() == (KEPT, {}, {"cat": GOOD}, {"cat": b"small good"})


def test_another_file_is_kept_without_dimensions_and_thumbnail() -> None:
    file = replace(CAT, kind=FILE, content_type="application/pdf")
    harness = uploaded(file=file)
    assert harness.check() == replace(file, status=READY)
    assert harness.state() == (replace(file, status=READY), {}, {"cat": GOOD}, {})


@pytest.mark.parametrize(("kind", "seen"), [(IMAGE, 3 * HEAD_BYTES), (FILE, HEAD_BYTES)])
def test_an_image_is_looked_at_whole_and_another_file_at_its_beginning(kind: str, seen: int) -> None:
    file = replace(CAT, kind=kind, size=3 * HEAD_BYTES)  # type: ignore[arg-type]
    looks: list[int] = []

    def look(_: File, head: bytes, /) -> Checked:
        looks.append(len(head))
        return Checked()

    assert uploaded(bytes(3 * HEAD_BYTES), file).check(look) is not None
    assert looks == [seen]


def test_what_is_something_else_is_rejected_and_nothing_of_it_stays() -> None:
    harness = uploaded(BAD)
    rejected = replace(CAT, status=REJECTED, reason=WRONG_TYPE)
    assert harness.check() == rejected
    assert harness.state() == (rejected, {}, {}, {})


@pytest.mark.parametrize("data", [b"", b"goo", b"goods"])
def test_what_has_another_size_is_rejected_unread(data: bytes) -> None:
    harness = uploaded(data)
    assert harness.check(lambda *_: pytest.fail("was read")) == replace(CAT, status=REJECTED, reason=WRONG_SIZE)
    assert harness.objects.uploads == {}


def test_an_event_that_finds_nothing_changes_nothing() -> None:
    harness = uploaded(None)
    assert harness.check() is None
    assert harness.state() == (CAT, {}, {}, {})


def test_an_upload_that_the_store_took_is_checked_however_late_that_is() -> None:
    harness = uploaded(file=replace(CAT, expires_at=0))
    checked = harness.check()
    assert checked is not None
    assert checked.status == READY


def test_what_is_uploaded_again_to_a_ready_file_is_dropped_and_the_file_stays_as_it_was_checked(
    harness: CheckingHarness,
) -> None:
    harness.check()
    harness.objects.uploads["cat"] = OTHER
    assert harness.check(lambda *_: pytest.fail("was looked at")) is None
    assert harness.state() == (KEPT, {}, {"cat": GOOD}, {"cat": b"small good"})


@pytest.mark.parametrize("status", [REJECTED, DELETED])
def test_what_is_uploaded_again_to_a_file_that_is_none_any_more_is_dropped(status: FileStatus) -> None:
    file = replace(CAT, status=status)
    harness = uploaded(file=file)
    assert harness.check() is None
    assert harness.state() == (file, {}, {}, {})


def test_an_upload_of_a_file_that_nobody_knows_is_dropped() -> None:
    harness = CheckingHarness(objects=FakeObjects(uploads={"cat": GOOD}))
    assert harness.check() is None
    assert harness.state() == (None, {}, {}, {})


def test_an_upload_that_was_replaced_during_the_look_is_left_to_its_own_event(harness: CheckingHarness) -> None:

    def look(file: File, head: bytes, /) -> Checked:
        harness.objects.uploads["cat"] = OTHER
        return inspect(file, head)

    assert harness.check(look) is None
    assert harness.stores.file("cat").status == PENDING
    assert harness.check() == KEPT
    assert harness.state() == (KEPT, {}, {"cat": OTHER}, {"cat": b"small else"})


def test_a_look_that_fails_leaves_everything_for_the_next_try(harness: CheckingHarness) -> None:

    def look(*_: object) -> Checked:
        raise MemoryError

    with pytest.raises(MemoryError):
        harness.check(look)
    assert harness.state() == (CAT, {"cat": GOOD}, {}, {})


class Breaking:
    """A port whose calls are counted with those of others, and one of them fails, before or after it took effect."""

    def __init__(self, port: Any, calls: list[str], at: int, *, after: bool) -> None:
        self._port, self._calls, self._at, self._after = port, calls, at, after

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            breaks = len(self._calls) == self._at
            self._calls.append(name)
            if breaks and not self._after:
                raise Unavailable
            answer = getattr(self._port, name)(*args, **kwargs)
            if breaks:
                raise Unavailable
            return answer

        return call


def broken(harness: CheckingHarness, at: int, *, after: bool) -> list[str] | None:
    """Check with the call number `at` failing. The calls that were made; None if there were fewer than that."""
    calls: list[str] = []
    files, objects = (Breaking(port, calls, at, after=after) for port in (harness.stores.files, harness.objects))
    try:
        check_upload("cat", files=files, objects=objects, inspect=inspect)
    except Unavailable:
        return calls
    return None


@pytest.mark.parametrize("data", [GOOD, BAD, b"short"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_wherever_a_check_is_cut_off_the_next_one_ends_as_if_nothing_had_happened(data: bytes, *, after: bool) -> None:
    expected = uploaded(data)
    expected.check()
    broken_at: list[str] = []
    while (calls := broken(harness := uploaded(data), len(broken_at), after=after)) is not None:
        broken_at.append(calls[-1])
        harness.check()
        assert harness.state() == expected.state(), calls
    assert {"get", "look_at_upload", "settle", "drop_upload"} <= set(broken_at)
    assert ("keep" in broken_at) == (data == GOOD)


@pytest.mark.parametrize("second", [OTHER, BAD])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_wherever_a_check_is_cut_off_an_upload_that_comes_then_leaves_nothing_half_done(
    second: bytes, *, after: bool
) -> None:
    at = 0
    while broken(harness := uploaded(GOOD), at, after=after) is not None:
        harness.objects.uploads["cat"] = second
        harness.check()
        assert_whole(harness)
        at += 1
    assert at > 5


def assert_whole(harness: CheckingHarness) -> None:
    """A ready file has bytes and a thumbnail of what passed, and of a rejected one there is nothing."""
    file, waiting, kept, thumbnails = harness.state()
    assert file is not None
    assert waiting == {}
    if file.status == READY:
        assert kept["cat"] in {GOOD, OTHER}
        assert thumbnails["cat"] in {b"small good", b"small else"}
    else:
        assert (file.status, kept, thumbnails) == (REJECTED, {}, {})


@pytest.mark.parametrize("first", [GOOD, BAD])
@pytest.mark.parametrize("second", [GOOD, OTHER, BAD])
def test_two_uploads_and_their_checks_in_any_order_leave_nothing_half_done(first: bytes, second: bytes) -> None:
    def build(stepper: Stepper) -> CheckingHarness:
        harness = uploaded(first)
        only = ("read_upload", "put_thumbnail", "keep", "settle", "delete")
        files, objects = stepper.wrap(harness.stores.files, only=only), stepper.wrap(harness.objects, only=only)
        check = partial(check_upload, "cat", files=files, objects=objects, inspect=inspect)

        def replace_and_check() -> None:
            harness.objects.uploads["cat"] = second
            check()

        stepper.add(check)
        stepper.add(replace_and_check)
        return harness

    outcomes = set()
    for tried, harness in enumerate(explore(build)):
        assert tried < 2_000, "more orders than a test should try"
        assert_whole(harness)
        outcomes.add(harness.stores.file("cat").status)
    assert (READY in outcomes) == (GOOD in {first, second} or second == OTHER)


@pytest.mark.parametrize("data", [GOOD, BAD])
def test_one_event_that_comes_twice_at_once_ends_as_once(data: bytes) -> None:
    expected = uploaded(data)
    expected.check()

    def build(stepper: Stepper) -> CheckingHarness:
        harness = uploaded(data)
        only = ("get", "read_upload", "keep", "settle", "delete", "drop_upload")
        files, objects = stepper.wrap(harness.stores.files, only=only), stepper.wrap(harness.objects, only=only)
        for _ in range(2):
            stepper.add(partial(check_upload, "cat", files=files, objects=objects, inspect=inspect))
        return harness

    for tried, harness in enumerate(explore(build)):
        assert tried < 2_000, "more orders than a test should try"
        assert harness.state() == expected.state()
