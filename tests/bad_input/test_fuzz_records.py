"""Whatever comes from the stream, the queues and the object store: what can't be read is named, and holds up none."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.files.handler import UploadNotCheckedError, Wiring, check, release_files
from functions.offline_push.handler import look_at, work
from functions.presence.handler import look
from tests.bad_input.fuzzing import json_texts, mutated, tried, values
from tests.bad_input.harness import InputHarness
from tests.bad_input.names import DM, GROUP
from tests.bad_input.pushing import push_wiring, with_phones
from tests.fakes import FakePushGateway
from tests.functions.events import NOW, stream_record
from tests.wiring import at_once

_DELETED: Final = {
    "conversation_id": {"S": DM},
    "seq": {"N": "4"},
    "kind": {"S": "message_deleted"},
    "sender_id": {"S": "alice"},
    "file_id": {"S": "f" * 43},
    "target": {"N": "3"},
    "fan_out": {"BOOL": True},
}
_IMAGES: Final = (stream_record(3)["dynamodb"]["NewImage"], _DELETED)
_ABOUT: Final = {"conversation_id": DM, "seq": 3}
_WORK: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "shard", "conversation_id": GROUP, "seq": 2, "users": ["bob", "carol"]},
    {
        "kind": "shard",
        "conversation_id": "channel:0123456789abcdef",
        "seq": 2,
        "users": [],
        "attendees": [],
        "portion": {
            "conversation_id": "channel:0123456789abcdef",
            "posted": 0,
            "last": 2,
            "part": 3,
            "sync_within_ms": 1_000,
            "queued_at": NOW,
            "start": "",
            "after": "",
            "is_around": False,
        },
    },
    {"kind": "look", "about": {"conversation_id": "channel:0123456789abcdef", "seq": 2}, "users": [], "pack": True},
    {"kind": "look", "about": _ABOUT, "users": ["bob"]},
    {"kind": "look", "about": {"notice_id": "n"}, "users": ["bob"]},
    {"kind": "reminder", "user_id": "alice", "reminder_id": "r"},
    {
        "kind": "push",
        "platform": "fcm",
        "user_id": "bob",
        "about": _ABOUT,
        "since": NOW,
        "tries": 0,
        "device_id": None,
        "not_before": 0,
    },
)
_GONE: Final = ({"user_id": "bob", "at": NOW},)
_CREATED: Final = ({"detail": {"bucket": {"name": "files"}, "object": {"key": "uploads/x", "size": 3}}},)
_HARNESS: Final = with_phones(InputHarness())


def _record(image: Any) -> dict[str, Any]:
    record = copy.deepcopy(stream_record(3))
    record["dynamodb"] |= {"NewImage": image, "SequenceNumber": "odd"}
    return record


def _named(answer: Mapping[str, Any]) -> set[str]:
    return {one["itemIdentifier"] for one in answer["batchItemFailures"]}


_records: Final = st.one_of(mutated(_IMAGES, most=2), values).map(_record)


@tried(100)
@given(record=_records)
def test_any_record_is_looked_at_or_named(record: dict[str, Any]) -> None:
    before = _HARNESS.store.snapshot()
    _HARNESS.pushes.puts.clear()
    answer = look_at([stream_record(1), record], push_wiring(_HARNESS, FakePushGateway()))
    assert _named(answer) <= {"odd", stream_record(1)["dynamodb"]["SequenceNumber"]}
    assert "bob" in {job.user_id for job in _HARNESS.pushes.jobs}, "the good record in front of it was looked at"
    assert _HARNESS.store.snapshot() == before


@tried(100)
@given(record=_records)
def test_any_record_releases_a_file_or_is_named(record: dict[str, Any]) -> None:
    answer = release_files(
        [record], Wiring(_HARNESS.stores.files, _HARNESS.objects, lambda *_: pytest.fail("nothing to look at"), at_once)
    )
    assert _named(answer) <= {"odd"}


@tried(100)
@given(body=json_texts(_WORK))
def test_any_work_is_done_or_named(body: str) -> None:
    log = _HARNESS.store.items("log")
    records = [{"messageId": "odd", "body": body}, {"messageId": "good", "body": json.dumps(_WORK[3])}]
    _HARNESS.pushes.puts.clear()
    assert _named(work(records, push_wiring(_HARNESS, FakePushGateway()))) <= {"odd"}
    assert "bob" in {job.user_id for job in _HARNESS.pushes.jobs}
    assert _HARNESS.store.items("log") == log


@tried(100)
@given(body=json_texts(_GONE))
def test_any_check_of_somebodys_presence_is_made_or_named(body: str) -> None:
    records = [{"messageId": "odd", "body": body}, {"messageId": "good", "body": json.dumps(_GONE[0])}]
    assert _named(look(records, _HARNESS.wiring.presence, now=lambda: NOW)) <= {"odd"}


@tried(100)
@given(event=mutated(_CREATED, most=2).filter(lambda event: "detail" in event))
def test_any_event_of_the_object_store_is_carried_out_or_comes_again(event: dict[str, Any]) -> None:
    before = _HARNESS.state
    with contextlib.suppress(UploadNotCheckedError):
        check(
            event,
            Wiring(_HARNESS.stores.files, _HARNESS.objects, lambda *_: pytest.fail("nothing was uploaded"), at_once),
        )
    assert _HARNESS.state == before
