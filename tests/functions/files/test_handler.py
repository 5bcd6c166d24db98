"""The function on both of its event sources: what it does for each record, and what it says when one fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from functions.files import handler as module
from functions.files.handler import UploadNotCheckedError, Wiring, check, handler, inspector, release_files, sweep_files
from shared.domain.files import DELETED, FILE, IMAGE, PENDING, READY, REJECTED, DueFile, File, FileKind, FileStatus
from shared.errors import Unavailable
from shared.operations.files import NOT_DECODABLE, WRONG_TYPE
from shared.ports.files import NEVER
from tests.fakes import FakeObjects
from tests.functions.events import logged, stream_record
from tests.functions.files.samples import PDF, REFUSED, picture
from tests.harness import Harness
from tests.stores import MEMBERS, Simulated, simulated
from tests.wiring import at_once


def created(file_id: str, *, key: str | None = None) -> dict[str, Any]:
    """An object that was created, as EventBridge tells of it."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "123456789012",
        "time": "2026-11-23T16:20:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:s3:::files"],
        "detail": {
            "version": "0",
            "bucket": {"name": "files"},
            "object": {"key": key or f"uploads/{file_id}", "size": 3, "etag": "e", "sequencer": "00617F08299329D189"},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "123456789012",
            "source-ip-address": "203.0.113.7",
            "reason": "PostObject",
        },
    }


def deleted(file_id: str | None, seq: int = 9, **changes: Any) -> dict[str, Any]:
    """The deletion of a message, as the table's stream shows it."""
    record = stream_record(seq)
    image = record["dynamodb"]["NewImage"]
    for name in ("content", "type", "number"):
        del image[name]
    image |= {"kind": {"S": "message_deleted"}, "target": {"N": "1"}}
    image |= {} if file_id is None else {"file_id": {"S": file_id}}
    return record | changes


class FilesHarness(Harness):
    def announce(self, file_id: str, data: bytes, content_type: str = "image/png", kind: FileKind = IMAGE) -> None:
        name = f"the canary of {file_id}.png"
        self.stores.files.create(
            File(file_id, "alice", kind, name, content_type, len(data), created_at=1, expires_at=2)
        )
        self.objects.uploads[file_id] = data

    def wired(self) -> Wiring:
        return Wiring(self.stores.files, self.objects, inspector(1_000_000), at_once)

    def status(self, file_id: str) -> FileStatus:
        return self.stores.file(file_id).status


def broken(on: str) -> type[FakeObjects]:
    """A store that fails for one file."""

    class Broken(FakeObjects):
        def look_at_upload(self, file_id: str) -> Any:
            if file_id == on:
                raise Unavailable
            return super().look_at_upload(file_id)

        def delete(self, file_id: str) -> None:
            if file_id == on:
                raise Unavailable
            super().delete(file_id)

    return Broken


@pytest.fixture
def harness() -> FilesHarness:
    return FilesHarness()


def test_an_image_is_ready_after_its_event_with_its_size_and_a_thumbnail(harness: FilesHarness) -> None:
    harness.announce("cat", picture("PNG", (40, 30)))
    check(created("cat"), harness.wired())
    cat = harness.stores.file("cat")
    assert (cat.status, cat.width, cat.height, cat.has_thumbnail) == (READY, 40, 30, True)
    assert harness.objects.kept["cat"] == picture("PNG", (40, 30))
    assert harness.objects.thumbnails["cat"].startswith(b"\xff\xd8\xff")
    assert harness.objects.uploads == {}


SWEEP = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


def test_a_sweep_drops_what_leads_nowhere_and_one_that_fails_holds_up_none(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(FakeObjects):
        def drop_upload(self, file_id: str) -> None:
            if file_id == "bad":
                raise Unavailable
            super().drop_upload(file_id)

    harness = FilesHarness(objects=Broken())
    for file_id, due in (("bad", 3), ("cat", 4), ("later", 6)):
        harness.stores.files.create(
            File(file_id, "alice", IMAGE, "cat.png", "image/png", 5, created_at=1, expires_at=2), due=due
        )
    sweep_files(replace(harness.wired(), now=lambda: 5))
    assert [row["pk"] for row in harness.stores.rows(MEMBERS, sk="file")] == ["file#later"]
    assert set(harness.stores.files.due(NEVER, limit=9)) == {DueFile("bad", 3), DueFile("later", 6)}
    assert "file not swept" in caplog.text
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["FilesDropped"] == [1.0]


def test_the_schedules_event_is_a_sweep(harness: FilesHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.stores.files.create(
        File("cat", "alice", IMAGE, "cat.png", "image/png", 5, created_at=1, expires_at=2), due=3
    )
    monkeypatch.setattr(module, "_WIRING", harness.wired())
    assert handler(SWEEP) is None
    assert harness.stores.rows(MEMBERS, sk="file") == []


@pytest.mark.parametrize(("data", "content_type"), [(PDF, "application/pdf"), (picture("PNG"), "image/png")])
def test_what_is_sent_as_a_file_is_ready_undecoded(harness: FilesHarness, data: bytes, content_type: str) -> None:
    harness.announce("f", data, content_type, FILE)
    check(created("f"), harness.wired())
    file = harness.stores.file("f")
    assert (file.status, file.width, file.has_thumbnail, harness.objects.thumbnails) == (READY, None, False, {})


@pytest.mark.parametrize(
    ("data", "reason"),
    [(REFUSED["html"], WRONG_TYPE), (REFUSED["elf"], WRONG_TYPE), (picture("PNG")[:50], NOT_DECODABLE)],
)
def test_a_rejected_file_is_counted_and_logged_by_id_and_reason_alone(
    harness: FilesHarness,
    data: bytes,
    reason: str,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    harness.announce("cat", data)
    check(created("cat"), harness.wired())
    assert (harness.status("cat"), harness.stores.file("cat").reason) == (REJECTED, reason)
    (record,) = caplog.records
    assert (record.__dict__["file_id"], record.__dict__["reason"]) == ("cat", reason)
    (metric,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (metric["FilesRejected"], metric["function"]) == ([1.0], "files")
    assert "canary" not in logged(caplog)


def test_a_file_that_is_accepted_is_neither_logged_nor_counted(
    harness: FilesHarness, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.announce("cat", picture("PNG"))
    for _ in range(2):
        check(created("cat"), harness.wired())
    assert caplog.records == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("key", ["files/cat", "thumbnails/cat", "cat", "uploads/", "uploads/x/cat", "x/uploads/cat"])
def test_objects_elsewhere_are_none_of_this_functions_business(harness: FilesHarness, key: str) -> None:
    harness.announce("cat", picture("PNG"))
    check(created("cat", key=key), harness.wired())
    assert harness.status("cat") == PENDING
    assert set(harness.objects.uploads) == {"cat"}


def test_a_check_that_fails_comes_again_and_its_error_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    harness = FilesHarness(objects=broken("cat")())
    harness.announce("cat", picture("PNG"))
    with pytest.raises(UploadNotCheckedError) as failed:
        check(created("cat"), harness.wired())
    assert (str(failed.value), failed.value.__cause__, failed.value.__suppress_context__) == ("", None, True)
    assert harness.status("cat") == PENDING
    (record,) = caplog.records
    assert record.__dict__["error"] == "Unavailable"
    assert "canary" not in logged(caplog)
    harness.objects = FakeObjects(harness.objects.uploads)
    check(created("cat"), harness.wired())
    assert harness.status("cat") == READY


def test_an_event_that_cannot_be_read_is_reported() -> None:
    with pytest.raises(UploadNotCheckedError):
        check({"detail": {}}, FilesHarness().wired())


def in_a_message(*file_ids: str) -> Simulated:
    """Message 1 has the first file, 2 the second …"""
    stores = simulated()
    for file_id in file_ids:
        stores.ready_file(file_id)
        stores.write("alice", "", message_type="image", file_id=file_id)
    return stores


def stored(*file_ids: str, store: Callable[..., FakeObjects] = FakeObjects) -> FakeObjects:
    return store(kept=dict.fromkeys(file_ids, b"k"), thumbnails=dict.fromkeys(file_ids, b"t"))


def test_the_file_of_a_deleted_message_is_deleted_unless_another_message_has_it() -> None:
    harness = FilesHarness(in_a_message("cat", "dog"), objects=stored("cat", "dog"))
    harness.stores.delete(1, file_id="cat")
    assert release_files([deleted("cat"), deleted("dog")], harness.wired()) == {"batchItemFailures": []}
    assert (harness.status("cat"), harness.status("dog")) == (DELETED, READY)
    assert (set(harness.objects.kept), set(harness.objects.thumbnails)) == ({"dog"}, {"dog"})


@pytest.mark.parametrize(
    "record", [stream_record(3), deleted(None), deleted("cat", eventName="MODIFY"), deleted("cat", eventName="REMOVE")]
)
def test_other_records_of_the_log_release_nothing(record: dict[str, Any]) -> None:
    harness = FilesHarness(in_a_message("cat"), objects=stored("cat"))
    harness.stores.delete(1, file_id="cat")
    assert release_files([record], harness.wired()) == {"batchItemFailures": []}
    assert set(harness.objects.kept) == {"cat"}


def test_a_message_with_a_file_is_no_deletion() -> None:
    harness = FilesHarness(in_a_message("cat"), objects=stored("cat"))
    harness.stores.delete(1, file_id="cat")
    record = stream_record(3)
    record["dynamodb"]["NewImage"]["file_id"] = {"S": "cat"}
    release_files([record], harness.wired())
    assert harness.status("cat") == READY


@pytest.mark.parametrize("poison", [False, True])
def test_a_batch_starts_again_from_the_record_that_failed_and_those_behind_it_are_done(
    caplog: pytest.LogCaptureFixture, *, poison: bool
) -> None:
    harness = FilesHarness(in_a_message("cat", "dog", "cow"), objects=stored("cat", "dog", "cow", store=broken("dog")))
    for seq, name in enumerate(("cat", "dog", "cow"), 1):
        harness.stores.delete(seq, file_id=name)
    bad = deleted("dog", 2)
    if poison:
        bad["dynamodb"]["NewImage"] = {"kind": {"S": "message_deleted"}, "file_id": {"B": "AA=="}}
    answer = release_files([deleted("cat", 1), bad, deleted("cow", 3)], harness.wired())
    assert answer == {"batchItemFailures": [{"itemIdentifier": f"{2:021}"}]}
    assert set(harness.objects.kept) == {"dog"}
    assert len(caplog.records) == 1
    assert "canary" not in logged(caplog)


def test_each_event_goes_where_its_source_says(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = FilesHarness(in_a_message("dog"), objects=stored("dog"))
    harness.stores.delete(1, file_id="dog")
    harness.announce("cat", picture("PNG"))
    monkeypatch.setattr(module, "_WIRING", harness.wired())
    assert handler(created("cat")) is None
    assert handler({"Records": [deleted("dog")]}) == {"batchItemFailures": []}
    assert (harness.status("cat"), harness.status("dog")) == (READY, DELETED)
