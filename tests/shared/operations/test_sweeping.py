"""What leads nowhere is dropped, exactly when its time has come, and whatever died on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.files import DELETED, READY, REJECTED, DueFile, File, SizeLimits
from shared.errors import Conflict, Unavailable
from shared.operations.files import FORGOTTEN_MS, KEPT_UNSENT_MS, NewFile, begin_upload, sweep
from tests.fakes import DM, FakeFiles, FakeObjects

NOW = 1_000_000
LIMITS = SizeLimits(image=10, file=20, quota=25)


def announced(
    files: FakeFiles, objects: FakeObjects, *, file_id: str = "f", size: int = 5, owner: str = "alice"
) -> File:
    asked = NewFile(owner, "cat.png", "image/png", size)
    return begin_upload(asked, file_id=file_id, limits=LIMITS, files=files, objects=objects, now=NOW)[0]


def swept(files: FakeFiles, objects: FakeObjects, now: int) -> list[bool]:
    return [sweep(one, files=files, objects=objects, now=now) for one in files.due(now, limit=100)]


def kept(files: FakeFiles, objects: FakeObjects) -> File:
    file = announced(files, objects)
    assert files.settle(replace(file, status=READY))
    objects.kept["f"], objects.thumbnails["f"] = b"bytes", b"jpeg"
    return file


def test_what_was_never_uploaded_is_forgotten_a_day_after_its_form_and_counts_no_more() -> None:
    files, objects = FakeFiles(), FakeObjects()
    file = announced(files, objects)
    assert files.usage("alice") == 5
    assert swept(files, objects, file.expires_at + FORGOTTEN_MS - 1) == []
    assert swept(files, objects, file.expires_at + FORGOTTEN_MS) == [True]
    assert (files.files, files.usage("alice"), files.dues) == ({}, 0, set())


def test_what_was_rejected_counts_no_more_at_once_and_is_forgotten_then() -> None:
    files, objects = FakeFiles(), FakeObjects()
    file = announced(files, objects)
    assert files.settle(replace(file, status=REJECTED, reason="wrong_type"))
    assert files.usage("alice") == 0
    assert swept(files, objects, file.expires_at + FORGOTTEN_MS) == [True]
    assert (files.files, files.usage("alice")) == ({}, 0)


def test_what_was_never_sent_is_dropped_thirty_days_after_it_was_announced_bytes_and_all() -> None:
    files, objects = FakeFiles(), FakeObjects()
    file = kept(files, objects)
    until = file.created_at + KEPT_UNSENT_MS
    assert swept(files, objects, file.expires_at + FORGOTTEN_MS) == [False]
    assert swept(files, objects, until - 1) == []
    assert (files.files["f"].status, files.usage("alice"), objects.kept) == (READY, 5, {"f": b"bytes"})
    assert swept(files, objects, until) == [True]
    assert (files.files["f"].status, files.usage("alice"), files.dues) == (DELETED, 0, set())
    assert (objects.kept, objects.thumbnails) == ({}, {})


@pytest.mark.parametrize("sent_late", [False, True])
def test_what_a_message_has_is_never_dropped(*, sent_late: bool) -> None:
    files, objects = FakeFiles(), FakeObjects()
    file = kept(files, objects)
    if not sent_late:
        files.take("f", DM, 1)
    swept(files, objects, file.expires_at + FORGOTTEN_MS)
    if sent_late:
        files.take("f", DM, 1)
    assert True not in swept(files, objects, file.created_at + KEPT_UNSENT_MS)
    assert (files.files["f"].status, files.usage("alice"), files.dues) == (READY, 5, set())
    assert objects.kept == {"f": b"bytes"}


def test_what_died_half_way_is_completed_by_the_next_sweep() -> None:
    class Dying(FakeObjects):
        dies = True

        def delete(self, file_id: str) -> None:
            if self.dies:
                self.dies = False
                raise Unavailable
            super().delete(file_id)

    files, objects = FakeFiles(), Dying()
    file = kept(files, objects)
    swept(files, objects, file.expires_at + FORGOTTEN_MS)
    until = file.created_at + KEPT_UNSENT_MS
    with pytest.raises(Unavailable):
        swept(files, objects, until)
    assert (files.files["f"].status, objects.kept, files.usage("alice")) == (DELETED, {"f": b"bytes"}, 0)
    assert swept(files, objects, until) == [True]
    assert (objects.kept, files.dues, files.usage("alice")) == ({}, set(), 0)


def test_a_note_of_a_file_that_is_gone_is_settled() -> None:
    files, objects = FakeFiles(dues={(5, "gone")}), FakeObjects(uploads={"gone": b"x"})
    assert not sweep(DueFile("gone", 5), files=files, objects=objects, now=5)
    assert (files.dues, objects.uploads) == (set(), {})


def test_all_files_of_a_user_together_have_a_limit_and_others_have_their_own() -> None:
    files, objects = FakeFiles(), FakeObjects()
    for number in range(2):
        announced(files, objects, file_id=str(number), size=10)
    with pytest.raises(Conflict):
        announced(files, objects, file_id="2", size=6)
    assert set(files.files) == {"0", "1"}
    announced(files, objects, file_id="3", size=5)
    announced(files, objects, file_id="4", size=10, owner="bob")
    assert files.settle(replace(files.files["0"], status=REJECTED, reason="wrong_size"))
    announced(files, objects, file_id="5", size=10)
    assert (files.usage("alice"), files.usage("bob")) == (25, 10)
