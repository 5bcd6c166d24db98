"""Every event that a function gets, in the shape that AWS's documents give it, through the handler that Lambda calls.

The shapes are from the developer guides of API Gateway, Lambda, S3 and EventBridge; what they show as EXAMPLE has the
form of the real thing here, and what our own authorizer adds is in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from functions.files.handler import UploadNotCheckedError
from tests.aws.day import Day
from tests.aws.functions import Handler, token

pytestmark = pytest.mark.xdist_group("infra")

EVENTS = Path(__file__).with_name("events")
ALICES = "JKJaXcf_PHcCIhw="
Handle = Callable[..., Any]
NOTHING_FAILED: dict[str, list[object]] = {"batchItemFailures": []}


def event(name: str, **words: str) -> Any:
    text = (EVENTS / f"{name}.json").read_text(encoding="utf-8")
    for word, value in {"TOKEN": token("alice"), **words}.items():
        text = text.replace(word, value)
    return json.loads(text)


@pytest.fixture
def handlers(day: Day, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Handler]:
    return day.functions.handlers(monkeypatch)


@pytest.fixture
def handle(handlers: Mapping[str, Handler]) -> Handle:
    """Hands an event of the fixtures to a function."""
    return lambda function, name, **words: handlers[function](event(name, **words), None)


def body_of(answer: Mapping[str, Any]) -> Any:
    return json.loads(answer["body"])


# -- WebSocket --------------------------------------------------------------------------------------------------------


def test_the_authorizer_lets_a_header_and_a_ticket_in_and_nobody_else(handle: Handle, day: Day) -> None:
    ticket = day.functions.http("bob", "POST", "/v1/tickets")["ticket"]
    policies = [
        handle("authorizer", "authorizer_header"),
        handle("authorizer", "authorizer_ticket", TICKET=ticket),
        handle("authorizer", "authorizer_ticket", TICKET=ticket),
        handle("authorizer", "authorizer_nothing"),
    ]
    statements = [policy["policyDocument"]["Statement"][0] for policy in policies]
    assert [one["Effect"] for one in statements] == ["Allow", "Allow", "Deny", "Deny"]
    assert {one["Resource"] for one in statements} == {event("authorizer_header")["methodArn"]}
    assert [policy["principalId"] for policy in policies[:2]] == ["alice", "bob"]
    assert all(isinstance(value, str) for policy in policies for value in policy["context"].values())
    assert policies[0]["context"].keys() == event("connect")["requestContext"]["authorizer"].keys() - {
        "principalId",
        "integrationLatency",
    }


def test_a_connection_is_registered_and_forgotten(handle: Handle, day: Day) -> None:
    assert handle("connect", "connect") == {"statusCode": 200, "body": ""}
    assert registered(day, "alice") == {ALICES}
    assert handle("disconnect", "disconnect")["statusCode"] == 200
    assert registered(day, "alice") == set()
    assert handle("disconnect", "disconnect_idle")["statusCode"] == 200  # as late as it likes, and twice


def test_an_end_that_does_not_say_whose_it_was_forgets_nobody(handle: Handle, day: Day) -> None:
    handle("connect", "connect")
    assert handle("disconnect", "disconnect_without_authorizer")["statusCode"] == 401
    assert registered(day, "alice") == {ALICES}


def test_a_frame_is_served_and_one_that_can_not_be_read_is_answered(handle: Handle) -> None:
    handle("connect", "connect")
    reply = body_of(handle("message", "frame"))
    assert (reply["success"], reply["id"], reply["data"]["seq"]) == (True, "7", 1)
    assert body_of(handle("message", "frame_default"))["code"] == "bad_request"
    assert body_of(handle("message", "frame_without_authorizer"))["code"] == "unauthenticated"


def registered(day: Day, user: str) -> set[str]:
    rows = [row for row in day.cloud.store.items("sessions") if row["user_id"] == user]
    return {connection for row in rows for connection in row.get("connections", {})}


# -- HTTP -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["http_post", "http_post_base64"])
def test_a_request_is_the_same_with_a_body_as_text_and_in_base64(name: str, handle: Handle) -> None:
    handle("message", "frame")
    answer = handle("rest", name)
    assert (answer["statusCode"], body_of(answer)["seq"]) == (201, 2)
    [stored, _] = body_of(handle("rest", "http_get"))["messages"]
    assert stored["content"] == "h\u00e9llo"


@pytest.mark.parametrize("name", ["http_path_decoded", "http_path_encoded"])
def test_a_path_means_the_same_decoded_and_encoded(name: str, handle: Handle) -> None:
    handle("message", "frame")
    answer = handle("rest", name)
    assert (answer["statusCode"], body_of(answer)["emoji"]) == (200, "\U0001f44d")


def test_a_request_without_a_body_has_none(handle: Handle) -> None:
    assert body_of(handle("rest", "http_without_body"))["expires_in"] == 30


# -- what happens by itself -------------------------------------------------------------------------------------------


def test_a_message_of_the_stream_is_pushed_and_other_records_are_passed_over(handle: Handle, day: Day) -> None:
    handle("message", "frame")
    day.functions.http("bob", "PUT", "/v1/devices/one", {"platform": "fcm", "token": "bobs"})
    assert handle("offline_push", "stream_changes") == NOTHING_FAILED
    assert not any("Fcm" in name for name in day.cloud.queues)
    assert handle("offline_push", "stream_message") == NOTHING_FAILED
    day.cloud.stream.clear()
    day.settle()
    assert [push.target.platform for push in day.functions.pushed] == ["fcm"]


def test_messages_of_the_queues_are_worked_on_and_poison_comes_again_alone(handle: Handle) -> None:
    handle("message", "frame")
    assert handle("presence", "sqs_presence") == NOTHING_FAILED
    assert handle("offline_push", "sqs_look") == NOTHING_FAILED
    assert handle("offline_push", "sqs_reminder_from_scheduler") == NOTHING_FAILED
    poison = {"batchItemFailures": [{"itemIdentifier": "059f36b4-87a3-44ab-83d2-661975830a7d"}]}
    assert handle("offline_push", "sqs_poison") == handle("presence", "sqs_poison") == poison


def test_what_was_uploaded_is_checked_and_released_and_what_leads_nowhere_is_swept(handle: Handle, day: Day) -> None:
    made = day.functions.http("alice", "POST", "/v1/files", {"name": "a.png", "content_type": "image/png", "size": 5})
    day.cloud.upload(made["upload"], b"bytes")
    assert handle("files", "s3_object_created", FILE=made["file_id"]) is None
    assert day.functions.http("alice", "GET", f"/v1/files/{made['file_id']}")["status"] == "ready"
    assert handle("files", "stream_deletion") == NOTHING_FAILED
    assert handle("files", "stream_message") == NOTHING_FAILED
    assert handle("files", "scheduled") is None


def test_an_upload_that_can_not_be_checked_is_an_invocation_that_fails(handle: Handle, day: Day) -> None:
    made = day.functions.http("alice", "POST", "/v1/files", {"name": "a.png", "content_type": "image/png", "size": 5})
    day.cloud.upload(made["upload"], b"bytes")
    day.cloud.store._operations = {}  # nothing answers any more
    with pytest.raises(UploadNotCheckedError):
        handle("files", "s3_object_created", FILE=made["file_id"])


def test_every_event_of_the_fixtures_is_driven_through_a_handler() -> None:
    told = Path(__file__).read_text(encoding="utf-8")
    assert [path.stem for path in EVENTS.glob("*.json") if f'"{path.stem}"' not in told] == []
