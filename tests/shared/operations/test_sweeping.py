"""What leads nowhere is dropped, exactly when its time has come, and whatever died on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.domain.files import DELETED, READY, REJECTED, DueFile, File, NewFile, SizeLimits
from shared.errors import Conflict, Unavailable
from shared.operations.files import FORGOTTEN_MS, KEPT_UNSENT_MS, begin_upload, sweep
from shared.ports.files import NEVER
from tests.fakes import FakeNonces, FakeObjects
from tests.stores import MEMBERS, Simulated, simulated
from tests.wiring import make_context, rest_services

NOW = 1_000_000
LIMITS = SizeLimits(image=10, file=20, quota=25)


def announced(
    stores: Simulated, objects: FakeObjects, *, file_id: str = "f", size: int = 5, owner: str = "alice"
) -> File:
    asked = NewFile(owner, "cat.png", "image/png", size)
    context = make_context(lambda: NOW, FakeNonces(), new_secret=lambda: file_id, sizes=LIMITS)
    return begin_upload(asked, stores=stores, services=rest_services(objects=objects), context=context)[0]


def swept(stores: Simulated, objects: FakeObjects, now: int) -> list[bool]:
    return [sweep(one, files=stores.files, objects=objects, now=now) for one in stores.files.due(now, limit=100)]


def usage(stores: Simulated, user_id: str) -> int:
    """How many bytes count as the user's."""
    return sum(row["bytes"] for row in stores.rows(MEMBERS, pk=f"user#{user_id}", sk="files"))


def dues(stores: Simulated) -> Sequence[DueFile]:
    return stores.files.due(NEVER, limit=100)


def kept(stores: Simulated, objects: FakeObjects) -> File:
    file = announced(stores, objects)
    assert stores.files.settle(replace(file, status=READY))
    objects.kept["f"], objects.thumbnails["f"] = b"bytes", b"jpeg"
    return file


def test_what_was_never_uploaded_is_forgotten_a_day_after_its_form_and_counts_no_more() -> None:
    stores, objects = simulated(), FakeObjects()
    file = announced(stores, objects)
    assert usage(stores, "alice") == 5
    assert swept(stores, objects, file.expires_at + FORGOTTEN_MS - 1) == []
    assert swept(stores, objects, file.expires_at + FORGOTTEN_MS) == [True]
    assert (stores.rows(MEMBERS, sk="file"), usage(stores, "alice"), dues(stores)) == ([], 0, [])


def test_what_was_rejected_counts_no_more_at_once_and_is_forgotten_then() -> None:
    stores, objects = simulated(), FakeObjects()
    file = announced(stores, objects)
    assert stores.files.settle(replace(file, status=REJECTED, reason="wrong_type"))
    assert usage(stores, "alice") == 0
    assert swept(stores, objects, file.expires_at + FORGOTTEN_MS) == [True]
    assert (stores.rows(MEMBERS, sk="file"), usage(stores, "alice")) == ([], 0)


def test_what_was_never_sent_is_dropped_thirty_days_after_it_was_announced_bytes_and_all() -> None:
    stores, objects = simulated(), FakeObjects()
    file = kept(stores, objects)
    until = file.created_at + KEPT_UNSENT_MS
    assert swept(stores, objects, file.expires_at + FORGOTTEN_MS) == [False]
    assert swept(stores, objects, until - 1) == []
    assert (stores.file("f").status, usage(stores, "alice"), objects.kept) == (READY, 5, {"f": b"bytes"})
    assert swept(stores, objects, until) == [True]
    assert (stores.file("f").status, usage(stores, "alice"), dues(stores)) == (DELETED, 0, [])
    assert (objects.kept, objects.thumbnails) == ({}, {})


@pytest.mark.parametrize("sent_late", [False, True])
def test_what_a_message_has_is_never_dropped(*, sent_late: bool) -> None:
    stores, objects = simulated(), FakeObjects()
    file = kept(stores, objects)
    if not sent_late:
        stores.write("alice", "", message_type="image", file_id="f")
    swept(stores, objects, file.expires_at + FORGOTTEN_MS)
    if sent_late:
        stores.write("alice", "", message_type="image", file_id="f")
    assert True not in swept(stores, objects, file.created_at + KEPT_UNSENT_MS)
    assert (stores.file("f").status, usage(stores, "alice"), dues(stores)) == (READY, 5, [])
    assert objects.kept == {"f": b"bytes"}


def test_what_died_half_way_is_completed_by_the_next_sweep() -> None:
    class Dying(FakeObjects):
        dies = True

        def delete(self, file_id: str) -> None:
            if self.dies:
                self.dies = False
                raise Unavailable
            super().delete(file_id)

    stores, objects = simulated(), Dying()
    file = kept(stores, objects)
    swept(stores, objects, file.expires_at + FORGOTTEN_MS)
    until = file.created_at + KEPT_UNSENT_MS
    with pytest.raises(Unavailable):
        swept(stores, objects, until)
    assert (stores.file("f").status, objects.kept, usage(stores, "alice")) == (DELETED, {"f": b"bytes"}, 0)
    assert swept(stores, objects, until) == [True]
    assert (objects.kept, dues(stores), usage(stores, "alice")) == ({}, [], 0)


def test_a_note_of_a_file_that_is_gone_is_settled() -> None:
    stores, objects = simulated(), FakeObjects(uploads={"gone": b"x"})
    stores.files.note_due(DueFile("gone", 5))
    assert not sweep(DueFile("gone", 5), files=stores.files, objects=objects, now=5)
    assert (dues(stores), objects.uploads) == ([], {})


def test_all_files_of_a_user_together_have_a_limit_and_others_have_their_own() -> None:
    stores, objects = simulated(), FakeObjects()
    for number in range(2):
        announced(stores, objects, file_id=str(number), size=10)
    with pytest.raises(Conflict):
        announced(stores, objects, file_id="2", size=6)
    assert {row["pk"] for row in stores.rows(MEMBERS, sk="file")} == {"file#0", "file#1"}
    announced(stores, objects, file_id="3", size=5)
    announced(stores, objects, file_id="4", size=10, owner="bob")
    assert stores.files.settle(replace(stores.file("0"), status=REJECTED, reason="wrong_size"))
    announced(stores, objects, file_id="5", size=10)
    assert (usage(stores, "alice"), usage(stores, "bob")) == (25, 10)
