"""Releasing the file of a deleted message: the last one takes the bytes along, and only the last one."""

from __future__ import annotations

import pytest

from shared.domain.files import DELETED, PENDING, READY, File
from shared.errors import Unavailable
from shared.operations.files import release
from tests.fakes import FakeObjects
from tests.stores import Simulated, simulated


def stored() -> tuple[Simulated, FakeObjects]:
    """A file in messages 1 and 2."""
    stores = simulated()
    stores.ready_file("cat")
    stores.write("alice", "", "", message_type="image", file_id="cat")
    return stores, FakeObjects(kept={"cat": b"cat", "dog": b"dog"}, thumbnails={"cat": b"c", "dog": b"d"})


def test_a_file_that_another_message_has_stays() -> None:
    stores, objects = stored()
    stores.delete(1, file_id="cat")
    assert not release("cat", files=stores.files, objects=objects)
    assert stores.file("cat").status == READY
    assert (set(objects.kept), set(objects.thumbnails)) == ({"cat", "dog"}, {"cat", "dog"})


def test_the_last_message_takes_the_bytes_and_the_thumbnail_along_however_often_it_is_told() -> None:
    stores, objects = stored()
    for seq in (1, 2):
        stores.delete(seq, file_id="cat")
    for _ in range(2):
        assert release("cat", files=stores.files, objects=objects)
        assert stores.file("cat").status == DELETED
        assert (set(objects.kept), set(objects.thumbnails)) == ({"dog"}, {"dog"})


def test_a_release_that_was_cut_off_is_completed() -> None:
    stores, objects = stored()
    for seq in (1, 2):
        stores.delete(seq, file_id="cat")

    class CutOff(FakeObjects):
        def delete(self, file_id: str) -> None:
            raise Unavailable

    with pytest.raises(Unavailable):
        release("cat", files=stores.files, objects=CutOff())
    assert release("cat", files=stores.files, objects=objects)
    assert "cat" not in objects.kept


def test_a_file_that_is_still_pending_is_left_alone() -> None:
    stores, objects = simulated(), FakeObjects(uploads={"new": b"new"})
    stores.files.create(File("new", "alice", "image", "n.png", "image/png", 3, created_at=1, expires_at=2))
    assert not release("new", files=stores.files, objects=objects)
    assert stores.file("new").status == PENDING
    assert objects.uploads == {"new": b"new"}
