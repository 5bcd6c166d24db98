"""The handlers themselves, told to write a line for each request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from functions.rest.api import respond, take_notes
from shared.request_log import RequestLog
from tests.functions.events import http_event
from tests.functions.rest.harness import DM, RestHarness, settled, token

SECRET = "attack-at-dawn"


@pytest.fixture(scope="module")
def noted() -> tuple[RestHarness, Callable[[], Mapping[str, Any]]]:
    harness = settled()
    return harness, take_notes(harness.api)


@pytest.mark.parametrize(
    ("method", "path", "event", "expected"),
    [
        ("GET", "/v1/health", {}, {"route": "GET /v1/health", "status": 200}),
        ("GET", f"/v1/{SECRET}", {}, {"route": "GET (no such path)", "status": 404, "code": "not_found"}),
        (
            "POST",
            "/v1/conversations",
            {"user": "alice", "body": {"type": SECRET}},
            {"route": "POST /v1/conversations", "status": 400, "code": "bad_request"},
        ),
        ("GET", "/v1/me", {}, {"route": "GET /v1/me", "status": 401, "code": "unauthenticated"}),
        ("GET", "/v1/me", {"user": "alice"}, {"route": "GET /v1/me", "status": 200, "user_id": "alice"}),
        (
            "GET",
            f"/v1/conversations/{DM}/messages",
            {"user": "alice"},
            {"route": "GET /v1/conversations/<conversation_id>/messages", "status": 200, "conversation_id": DM},
        ),
        (
            "POST",
            f"/v1/conversations/{DM}/messages",
            {"user": "alice", "body": {"content": SECRET}},
            {"route": "POST /v1/conversations/<conversation_id>/messages", "status": 201, "conversation_id": DM},
        ),
        (
            "PUT",
            f"/v1/conversations/{DM}/messages/1/reactions/{SECRET}",
            {"user": "carol"},
            {"status": 404, "seq": 1, "user_id": "carol", "conversation_id": DM},
        ),
    ],
)
def test_the_http_api_notes_its_routes_users_and_places(
    noted: tuple[RestHarness, Callable[[], Mapping[str, Any]]],
    method: str,
    path: str,
    event: Mapping[str, Any],
    expected: Mapping[str, Any],
) -> None:
    harness, notes = noted
    written: list[str] = []
    log = RequestLog("rest", write=written.append)
    # The token is made now, since it lives for a minute.
    bearer = token(event["user"]) if "user" in event else None
    request = http_event(method, path, token=bearer, body=event.get("body"))
    log.http(request, lambda: respond(request, harness.api), notes)
    (line,) = written
    assert json.loads(line).items() >= expected.items()
    assert SECRET not in line
    assert request["headers"].get("authorization", "no token") not in line
