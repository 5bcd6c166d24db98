from __future__ import annotations

import json
from typing import Any

import pytest

from shared.observability import SAMPLE, request_log, unlogged
from shared.request_log import RequestLog
from tests.functions.events import authorizer_of, frame_event, handshake_event, http_event, websocket_event

TEXT = "attack-at-dawn"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"


class Lines:
    def __init__(self) -> None:
        self.written: list[str] = []
        seconds = iter(range(100))
        self.log = RequestLog("test", clock=lambda: next(seconds) / 1_000, write=self.written.append)

    @property
    def last(self) -> dict[str, Any]:
        assert all(line.endswith("\n") and line.count("\n") == 1 for line in self.written)
        line: dict[str, Any] = json.loads(self.written[-1])
        return line


@pytest.fixture
def lines() -> Lines:
    return Lines()


def reply(body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "body": json.dumps(body, separators=(",", ":"))}


@pytest.mark.parametrize(("setting", "logged"), [("off", 0), ("on", 1_000), ("sampled", 10)])
def test_of_a_thousand_requests_so_many_get_a_line(setting: str, logged: int) -> None:
    is_unlogged = unlogged(setting)
    assert sum(not is_unlogged() for _ in range(1_000)) == logged


def test_what_is_sampled_begins_anywhere_within_the_first_hundred() -> None:
    ways = [unlogged("sampled") for _ in range(99)]
    firsts = {[way() for _ in range(SAMPLE)].index(False) for way in ways}
    assert len(firsts) > 20


def test_on_it_writes_to_the_functions_output(capsys: pytest.CaptureFixture[str]) -> None:
    request_log("message").websocket(frame_event({}), lambda: reply({"success": True}))
    assert json.loads(capsys.readouterr().out)["service"] == "parley-message"


def test_a_frame_that_succeeded_is_a_line_with_everything_that_tells_it_apart(lines: Lines) -> None:
    event = frame_event({"type": "message", "id": "f-1", "data": {"to": "bob", "content": TEXT}})
    data = {"type": "message", "conversation_id": "dm:alice:bob", "seq": 42, "message_id": "x"}
    answer = reply({"success": True, "id": "f-1", "data": data})
    assert lines.log.websocket(event, lambda: answer) is answer
    line = lines.last
    assert line.pop("timestamp")
    assert line == {
        "level": "INFO",
        "message": "request",
        "service": "parley-test",
        "ms": 1.0,
        "route": "message",
        "request_id": "Yjpk5H4fIAMF1bA=",
        "connection_id": "a1=",
        "user_id": "alice",
        "code": "ok",
        "frame_id": "f-1",
        "conversation_id": "dm:alice:bob",
        "seq": 42,
    }


def test_a_refused_frame_has_its_code_and_what_it_was_about(lines: Lines) -> None:
    event = frame_event({"type": "edit", "conversation_id": "dm:alice:bob", "seq": 7, "content": TEXT})
    lines.log.websocket(event, lambda: reply({"success": False, "error": TEXT, "code": "too_late"}))
    line = lines.last
    assert (line["code"], line["conversation_id"], line["seq"]) == ("too_late", "dm:alice:bob", 7)
    assert TEXT not in lines.written[-1]


@pytest.mark.parametrize("secret", [TEXT + " of course", TOKEN, "x" * 300, "\ud800", "dm:" + TEXT, ["a"], {"a": TEXT}])
@pytest.mark.parametrize(
    "field", ["id", "type", "to", "conversation_id", "seq", "content", "file_id", "emoji", "token"]
)
def test_what_is_no_id_is_not_written_whatever_field_it_stands_in(lines: Lines, field: str, secret: Any) -> None:
    event = frame_event({field: secret})
    lines.log.websocket(event, lambda: reply({"success": False, "code": "bad_request", "error": str(secret)[:50]}))
    assert TEXT not in lines.written[-1]
    assert TOKEN not in lines.written[-1]
    assert set(lines.last) <= {
        *("level", "message", "timestamp", "service", "ms", "route", "request_id", "connection_id", "user_id", "code")
    }


@pytest.mark.parametrize("body", ["", "{", "[]", "null", "[" * 5_000, '{"id": "' + "x" * 5_000 + '"}', None])
def test_a_frame_that_cannot_be_read_has_its_line(lines: Lines, body: str | None) -> None:
    event = websocket_event("MESSAGE", "$default", authorizer=authorizer_of("alice"), body=body)
    lines.log.websocket(event, lambda: reply({"success": False, "code": "bad_request"}))
    assert (lines.last["route"], lines.last["code"]) == ("$default", "bad_request")


def test_a_long_reply_is_not_read_again_for_its_line(lines: Lines) -> None:
    event = frame_event({"type": "sync"})
    lines.log.websocket(event, lambda: reply({"success": True, "data": {"conversations": ["x" * 9_000]}}))
    assert lines.last["code"] == "ok"


@pytest.mark.parametrize(("route", "kind"), [("$connect", "CONNECT"), ("$disconnect", "DISCONNECT")])
def test_the_beginning_and_the_end_of_a_connection_have_their_status(lines: Lines, route: str, kind: str) -> None:
    event = websocket_event(kind, route, authorizer=authorizer_of("alice"))
    lines.log.websocket(event, lambda: {"statusCode": 200, "body": ""})
    assert (lines.last["route"], lines.last["code"], lines.last["user_id"]) == (route, 200, "alice")


@pytest.mark.parametrize(("effect", "code"), [("Allow", "allowed"), ("Deny", "refused")])
def test_a_handshake_is_allowed_or_refused(lines: Lines, effect: str, code: str) -> None:
    policy = {"principalId": "alice", "policyDocument": {"Statement": [{"Effect": effect}]}, "context": {}}
    event = handshake_event(headers={"Authorization": f"Bearer {TOKEN}"}, query={"ticket": TEXT})
    lines.log.handshake(event, lambda: policy)
    assert (lines.last["code"], lines.last.get("user_id")) == (code, "alice" if effect == "Allow" else None)
    assert TOKEN not in lines.written[-1]
    assert TEXT not in lines.written[-1]


def test_what_raises_has_its_line_and_raises(lines: Lines) -> None:
    def fail() -> dict[str, Any]:
        raise RuntimeError(TEXT)

    with pytest.raises(RuntimeError):
        lines.log.websocket(frame_event({}), fail)
    assert lines.last["code"] == "raised"
    assert TEXT not in lines.written[-1]


def test_an_http_request_names_its_route_and_not_its_path(lines: Lines) -> None:
    event = http_event("PUT", f"/v1/devices/{TEXT}", token=TOKEN, body={"token": TEXT})
    notes = {"route": "/v1/devices/<device_id>", "arguments": {"device_id": TEXT}, "user_id": "alice"}
    lines.log.http(event, lambda: {"statusCode": 204, "body": ""}, lambda: notes)
    line = lines.last
    assert (line["route"], line["status"], line["user_id"]) == ("PUT /v1/devices/<device_id>", 204, "alice")
    assert line["request_id"] == "JKJaXmPLvHcESHA="
    assert TEXT not in lines.written[-1]
    assert TOKEN not in lines.written[-1]


def test_an_http_error_has_its_code_and_its_place(lines: Lines) -> None:
    notes = {"route": "/r", "arguments": {"conversation_id": "dm:alice:bob", "seq": "42"}, "user_id": "alice"}
    event = http_event("GET", "/r")
    lines.log.http(event, lambda: {"statusCode": 404, "body": '{"code": "not_found"}'}, lambda: notes)
    line = lines.last
    assert (line["status"], line["code"], line["conversation_id"], line["seq"]) == (
        404,
        "not_found",
        "dm:alice:bob",
        42,
    )


def test_a_path_that_is_not_known_is_not_written(lines: Lines) -> None:
    event = http_event("GET", f"/v1/{TEXT}")
    lines.log.http(event, lambda: {"statusCode": 404, "body": '{"code": "not_found"}'}, dict)
    assert lines.last["route"] == "GET (no such path)"
    assert TEXT not in lines.written[-1]
