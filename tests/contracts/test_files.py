"""Files: what is known of them, who has them, and their bytes; what every implementation promises."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.domain.changes import Deleted
from shared.domain.entries import Draft, Entry
from shared.domain.files import DELETED, IMAGE, PENDING, READY, REJECTED, DueFile, File, FileStatus, Stored, Upload
from shared.errors import NotFound
from shared.ports.services import Objects
from tests.changes import changed
from tests.fakes import DM
from tests.stores import Stores

CAT = File("cat", "alice", IMAGE, "c\u00e4t.png", "image/png", 5, created_at=1_000, expires_at=901_000)
CHECKED = replace(CAT, status=READY, width=4, height=3, has_thumbnail=True)
GROUP = "group:0123456789abcdef"


def ready(stores: Stores, file_id: str = "cat") -> File:
    file = replace(CHECKED, file_id=file_id)
    stores.files.create(replace(CAT, file_id=file_id))
    assert stores.files.settle(file)
    return file


def message(base: Entry | None = None, *, file_id: str | None = "cat", nonce: str = "n", place: str = DM) -> Entry:
    fresh = f"{nonce} in {place}"  # as a nonce always is
    draft = Draft(place, "alice", "", fresh, message_type="image" if file_id else "text", file_id=file_id)
    return draft.following(base, 2_000)


def deletion(base: Entry, *, target: int = 1, file_id: str | None = "cat") -> Entry:
    return changed(Deleted(target, None, file_id), base, at=3_000, nonce="d")


def stored(stores: Stores, entry: Entry) -> Entry:
    assert stores.log.put(entry) is None
    return entry


def counted(stores: Stores, file_id: str = "cat") -> tuple[int, list[str]]:
    file = stores.files.get(file_id)
    assert file is not None
    return file.references, sorted({place for place, _ in stores.files.messages(file_id)})


def test_a_file_comes_back_as_it_was_noted(stores: Stores) -> None:
    stores.files.create(CAT)
    assert stores.files.get("cat") == CAT
    assert (stores.files.get("dog"), stores.files.messages("cat")) == (None, {})


@pytest.mark.parametrize(
    "outcome", [CHECKED, replace(CAT, status=REJECTED, reason="wrong_type"), replace(CAT, status=READY)]
)
def test_the_outcome_of_the_check_is_stored_once(stores: Stores, outcome: File) -> None:
    stores.files.create(CAT)
    assert stores.files.settle(outcome)
    assert stores.files.get("cat") == outcome
    for other in (CHECKED, replace(CAT, status=REJECTED, reason="wrong_size")):
        assert not stores.files.settle(other)
    assert stores.files.get("cat") == outcome


def test_a_file_that_is_not_there_can_not_be_settled(stores: Stores) -> None:
    assert not stores.files.settle(CHECKED)
    assert stores.files.get("cat") is None


def test_a_message_counts_and_its_conversation_has_the_file(stores: Stores) -> None:
    file = ready(stores)
    first = stored(stores, message())
    assert stores.files.get("cat") == replace(file, references=1)
    second = stored(stores, message(first, nonce="2"))
    stored(stores, message(second, file_id=None, nonce="3"))
    stored(stores, message(place=GROUP))
    assert counted(stores) == (3, [DM, GROUP])
    assert stores.log.read(DM, start=1, limit=2) == [first, second]


def test_a_deleted_message_counts_no_more(stores: Stores) -> None:
    ready(stores)
    first = stored(stores, message())
    second = stored(stores, message(first, nonce="2"))
    gone = stored(stores, deletion(second))
    assert counted(stores) == (1, [DM])
    (read,) = stores.log.read(DM, start=1, limit=1)
    assert (read.file_id, read.message_type, read.deleted_at) == (None, "image", 3_000)
    assert stores.log.read(DM, start=3, limit=1) == [gone]
    stored(stores, deletion(gone, target=2))
    assert counted(stores) == (0, [])


def test_the_first_message_of_a_conversation_can_have_a_file(stores: Stores) -> None:
    ready(stores)
    entry = message()
    assert stores.log.put(entry, new_members=("alice", "bob")) is None
    assert counted(stores) == (1, [DM])
    assert [one.conversation_id for one in stores.memberships.of_user("bob")] == [DM]


@pytest.mark.parametrize("status", [None, PENDING, REJECTED, DELETED])
def test_without_a_file_that_is_ready_nothing_is_stored(stores: Stores, status: FileStatus | None) -> None:
    if status is not None:
        stores.files.create(replace(CAT, status=status))
    before = stores.files.get("cat")
    with pytest.raises(NotFound):
        stores.log.put(message(), new_members=("alice", "bob"))
    assert (stores.log.read(DM, start=1, limit=9), stores.memberships.of_user("bob")) == ([], [])
    assert (stores.files.get("cat"), stores.files.messages("cat")) == (before, {})


@pytest.mark.parametrize("is_ready", [True, False])
def test_a_taken_place_is_told_first_and_counts_nothing(stores: Stores, *, is_ready: bool) -> None:
    if is_ready:
        ready(stores)
    there = stored(stores, message(file_id=None))
    assert stores.log.put(message(nonce="late")) == there
    assert stores.files.messages("cat") == {}
    assert not is_ready or counted(stores) == (0, [])


def test_a_deletion_whose_place_is_taken_takes_nothing_off(stores: Stores) -> None:
    ready(stores)
    first = stored(stores, message())
    there = stored(stores, message(first, file_id=None, nonce="quicker"))
    assert stores.log.put(deletion(first)) == there
    assert counted(stores) == (1, [DM])


def test_a_file_is_retired_only_when_no_message_has_it(stores: Stores) -> None:
    file = ready(stores)
    first = stored(stores, message())
    assert not stores.files.retire("cat")
    assert stores.files.get("cat") == replace(file, references=1)
    stored(stores, deletion(first))
    for _ in range(2):
        assert stores.files.retire("cat")
        assert stores.files.get("cat") == replace(file, status=DELETED, name="")


def test_a_retired_file_gets_no_new_message(stores: Stores) -> None:
    ready(stores)
    assert stores.files.retire("cat")
    with pytest.raises(NotFound):
        stores.log.put(message())
    assert counted(stores) == (0, [])


@pytest.mark.parametrize("status", [PENDING, REJECTED])
def test_what_is_not_ready_is_not_retired(stores: Stores, status: FileStatus) -> None:
    stores.files.create(replace(CAT, status=status))
    assert not stores.files.retire("cat")
    assert stores.files.get("cat") == replace(CAT, status=status)


def test_a_file_that_is_not_there_counts_as_retired(stores: Stores) -> None:
    assert stores.files.retire("cat")
    assert stores.files.get("cat") is None


def test_of_a_message_and_the_end_of_its_file_at_once_one_comes_first(stores: Stores) -> None:
    for number in range(5):
        file_id, place = f"f{number}", f"group:{number:016}"
        ready(stores, file_id)
        with ThreadPoolExecutor(2) as threads:
            sending = threads.submit(stores.log.put, message(file_id=file_id, place=place))
            retired = threads.submit(stores.files.retire, file_id).result()
        error = sending.exception()
        assert isinstance(error, NotFound) if retired else error is None
        assert counted(stores, file_id) == ((0, []) if retired else (1, [place]))


def test_messages_in_many_conversations_at_once_are_all_counted(stores: Stores) -> None:
    ready(stores)
    places = [f"group:{number:016}" for number in range(8)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda place: stores.log.put(message(place=place)), places)) == [None] * 8
    assert counted(stores) == (8, places)


def test_which_conversations_a_user_is_in_is_told_of_many_at_once(stores: Stores) -> None:
    places = [f"group:{number:016}" for number in range(120)]
    assert stores.memberships.create(places[3], ["alice", "bob"], joined_at=1)
    assert stores.memberships.create(places[110], ["alice", "carol"], joined_at=1)
    assert stores.memberships.create(DM, ["alice", "bob"], joined_at=1)
    assert set(stores.memberships.of_user_in("alice", places)) == {places[3], places[110]}
    assert set(stores.memberships.of_user_in("bob", places)) == {places[3]}
    assert set(stores.memberships.of_user_in("bob", [])) == set()


def room(stores: Stores, quota: int, *, owner: str = "alice") -> int:
    """How many bytes more the owner's files may have, by trying."""
    for size in range(quota, 0, -1):
        probe = replace(CAT, file_id=f"probe {size}", owner_id=owner, size=size)
        if stores.files.create(probe, quota=quota):
            assert stores.files.forget(probe)
            return size
    return 0


def test_a_file_counts_until_it_is_rejected_retired_or_forgotten(stores: Stores) -> None:
    quota = 12
    assert room(stores, quota) == 12
    assert stores.files.create(CAT, quota=quota)
    assert stores.files.create(replace(CAT, file_id="dog"), quota=quota)
    assert not stores.files.create(replace(CAT, file_id="cow", size=3), quota=quota)
    assert stores.files.get("cow") is None
    assert (room(stores, quota), room(stores, quota, owner="bob")) == (2, 12)
    assert stores.files.settle(replace(CHECKED, file_id="dog"))
    assert room(stores, quota) == 2
    for _ in range(2):
        stores.files.settle(replace(CAT, status=REJECTED, reason="wrong_type"))
        assert room(stores, quota) == 7
    for _ in range(2):
        assert stores.files.retire("dog")
        assert room(stores, quota) == 12
    assert stores.files.forget(replace(CAT, status=REJECTED))
    assert not stores.files.forget(replace(CAT, status=REJECTED))
    assert (stores.files.get("cat"), room(stores, quota)) == (None, 12)


def test_a_file_is_forgotten_only_as_it_was_read(stores: Stores) -> None:
    stores.files.create(CAT)
    assert stores.files.settle(CHECKED)
    assert not stores.files.forget(CAT)
    assert not stores.files.forget(CHECKED)
    assert stores.files.get("cat") == CHECKED


def test_files_that_are_announced_at_once_never_get_more_than_the_quota(stores: Stores) -> None:
    made = [replace(CAT, file_id=f"f{number}") for number in range(8)]
    with ThreadPoolExecutor(4) as threads:
        taken = list(threads.map(lambda one: stores.files.create(one, quota=22), made))
    assert sum(taken) == 4
    assert [stores.files.get(one.file_id) is not None for one in made] == taken
    assert room(stores, 22) == 2


def test_files_are_due_from_their_time_on_until_they_are_settled(stores: Stores) -> None:
    for number in range(20):
        stores.files.create(replace(CAT, file_id=f"f{number}"), due=1_000 + number)
    assert stores.files.due(999, limit=50) == []
    assert sorted(one.at for one in stores.files.due(1_004, limit=50)) == [1_000, 1_001, 1_002, 1_003, 1_004]
    assert len(stores.files.due(5_000, limit=7)) == 7
    first = DueFile("f0", 1_000)
    assert first in stores.files.due(1_000, limit=50)
    for _ in range(2):
        stores.files.note_due(DueFile("f0", 2_000))
        stores.files.settle_due(first)
    assert stores.files.due(1_000, limit=50) == []
    assert DueFile("f0", 2_000) in stores.files.due(2_000, limit=50)


def waiting(objects: Objects, send: Callable[[Upload, bytes], int], data: bytes = b"12345") -> Stored:
    """An upload by its form."""
    assert send(objects.upload(replace(CAT, size=len(data), expires_at=4_000_000_000_000)), data) == 204
    found = objects.look_at_upload("cat")
    assert found is not None
    assert found.size == len(data)
    return found


Sending = Callable[[Upload, bytes], int]
Fetching = Callable[[str], bytes | None]


def test_an_upload_waits_until_it_is_dropped(objects: Objects, send: Sending) -> None:
    assert objects.look_at_upload("cat") is None
    waiting(objects, send)
    assert objects.look_at_upload("dog") is None
    for _ in range(2):
        objects.drop_upload("cat")
        assert objects.look_at_upload("cat") is None


def test_the_beginning_of_an_upload_is_read_while_it_is_the_same(objects: Objects, send: Sending) -> None:
    found = waiting(objects, send)
    assert [objects.read_upload("cat", found, limit=limit) for limit in (1, 5, 99)] == [b"1", b"12345", b"12345"]
    other = waiting(objects, send, b"other")
    assert other.etag != found.etag
    assert objects.read_upload("cat", found, limit=5) is None
    assert objects.read_upload("cat", other, limit=5) == b"other"
    objects.drop_upload("cat")
    assert objects.read_upload("cat", other, limit=5) is None


def test_what_is_kept_can_be_downloaded_until_it_is_deleted(objects: Objects, send: Sending, fetch: Fetching) -> None:
    found = waiting(objects, send)
    url, small = (objects.download_url(CHECKED, expires_in_s=300, thumbnail=one) for one in (False, True))
    assert (fetch(url), fetch(small)) == (None, None)
    for _ in range(2):  # a check that fails before the outcome is stored is done again
        assert objects.keep(CAT, found)
        objects.put_thumbnail("cat", b"jpeg")
    objects.drop_upload("cat")
    assert (fetch(url), fetch(small)) == (b"12345", b"jpeg")
    for _ in range(2):
        objects.delete("cat")
        assert (fetch(url), fetch(small)) == (None, None)


def test_a_later_upload_changes_nothing_that_is_kept(objects: Objects, send: Sending, fetch: Fetching) -> None:
    assert objects.keep(CAT, waiting(objects, send))
    waiting(objects, send, b"other")
    assert fetch(objects.download_url(CHECKED, expires_in_s=300)) == b"12345"


def test_nothing_is_kept_of_what_was_dropped(objects: Objects, send: Sending, fetch: Fetching) -> None:
    found = waiting(objects, send)
    objects.drop_upload("cat")
    assert not objects.keep(CAT, found)
    assert fetch(objects.download_url(CHECKED, expires_in_s=300)) is None
