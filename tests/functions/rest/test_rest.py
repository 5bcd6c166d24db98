"""The HTTP API: routes, statuses and bodies as the contract has them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest

import functions.rest.handler as rest
from functions.rest.api import Ports, make_api
from shared.auth.tokens import SecretKey, TokenVerifier
from shared.connection.tickets import redeem_ticket
from tests.fakes import DM, FakeLog, FakeTickets, in_turn
from tests.functions.events import http_event, logged

SECRET = "s" * 64


def now() -> int:
    return time.time_ns() // 1_000_000


def token(user_id: str = "alice", **claims: Any) -> str:
    seconds = now() // 1_000
    return jwt.encode({"sub": user_id, "iat": seconds, "exp": seconds + 60, **claims}, SECRET, algorithm="HS256")


@dataclass
class House:
    log: FakeLog = field(default_factory=FakeLog)
    tickets: FakeTickets = field(default_factory=FakeTickets)

    def request(self, event: dict[str, Any]) -> tuple[int, Any]:
        ports = Ports(
            verifier=TokenVerifier(SecretKey(lambda: SECRET), now=now),
            tickets=self.tickets,
            log=self.log,
            memberships=self.log.memberships,
            spread=in_turn,
            now=now,
            new_secret=lambda: "t" * 43,
        )
        answer = make_api(ports).resolve(event, None)  # type: ignore[arg-type]  # no route looks at the context
        return answer["statusCode"], json.loads(answer["body"])

    def as_alice(self, method: str, path: str, **event: Any) -> tuple[int, Any]:
        return self.request(http_event(method, path, token=token(), **event))


def test_health_needs_no_token() -> None:
    status, body = House().request(http_event("GET", "/v1/health"))
    assert (status, body["status"]) == (200, "ok")


def test_a_ticket_is_good_for_its_user() -> None:
    house = House()
    status, body = house.as_alice("POST", "/v1/tickets")
    assert (status, body) == (200, {"ticket": "t" * 43, "expires_in": 30})
    assert redeem_ticket(body["ticket"], tickets=house.tickets, now=now()).user_id == "alice"


def test_a_private_conversation_is_201_and_then_200() -> None:
    house = House()
    expected = {"id": DM, "type": "private", "members": ["alice", "bob"]}
    body = {"type": "private", "with": "bob"}
    assert house.as_alice("POST", "/v1/conversations", body=body) == (201, expected)
    assert house.as_alice("POST", "/v1/conversations", body=body) == (200, expected)


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        "null",
        {},
        {"type": "private"},
        {"type": "group", "name": "x", "members": []},
        {"type": "private", "with": 5},
        {"type": "private", "with": "a b"},
        {"type": "private", "with": "alice"},
        {"type": "private", "with": "x" * 129},
    ],
)
def test_a_malformed_body_is_a_bad_request_and_changes_nothing(body: Any) -> None:
    house = House()
    status, answer = house.as_alice("POST", "/v1/conversations", body=body)
    assert (status, answer["code"], answer["retryable"]) == (400, "bad_request", False)
    assert answer["request_id"] == "JKJaXmPLvHcESHA="
    assert house.log.memberships.members == {}


@pytest.mark.parametrize(
    "body",
    [
        "[" * 30_000,
        '{"type": "private", "with": ' + "[" * 30_000 + "]" * 30_000 + "}",
        '{"type": "private", "with": "' + "x" * 70_000 + '"}',
        '{"type": "private", "with": "\\ud800"}',
        '{"type": "private", "with": NaN}',
        '{"type": "private", "with": "bob\\n"}',
    ],
    ids=["open", "deep", "long", "surrogate", "nan", "newline"],
)
def test_a_hostile_body_is_a_bad_request_and_never_a_fault_of_ours(body: str) -> None:
    house = House()
    status, answer = house.as_alice("POST", "/v1/conversations", body=body)
    assert (status, answer["code"]) == (400, "bad_request")
    assert len(answer["error"]) < 200
    assert house.log.memberships.members == {}


def test_the_inbox_shows_head_last_message_and_unread() -> None:
    house = House()
    house.log.write("bob", "1", "2")
    status, body = house.as_alice("GET", "/v1/conversations")
    (one,) = body["conversations"]
    assert status == 200
    assert (one["id"], one["type"], one["head"], one["unread"], one["read_seq"]) == (DM, "private", 2, 2, 0)
    assert (one["members"], one["last_message"]["content"]) == (["alice", "bob"], "2")
    assert body["next_cursor"] is None


def test_the_inbox_pages_by_a_cursor_that_only_its_user_can_use() -> None:
    house = House()
    for number in range(3):
        house.log.write("u", "x", conversation_id=f"dm:alice:u{number}", at=number)
    _, first = house.as_alice("GET", "/v1/conversations", query={"limit": "2"})
    _, second = house.as_alice("GET", "/v1/conversations", query={"limit": "2", "cursor": first["next_cursor"]})
    seen = [one["id"] for one in (*first["conversations"], *second["conversations"])]
    assert seen == ["dm:alice:u2", "dm:alice:u1", "dm:alice:u0"]
    event = http_event("GET", "/v1/conversations", token=token("mallory"), query={"cursor": first["next_cursor"]})
    status, body = house.request(event)
    assert (status, body["code"]) == (400, "bad_request")


@pytest.mark.parametrize("conversation", [DM, "dm%3Aalice%3Abob"])
def test_history_comes_page_by_page(conversation: str) -> None:
    house = House()
    house.log.write("bob", "1", "2", "3")
    path = f"/v1/conversations/{conversation}/messages"
    status, body = house.as_alice("GET", path, query={"limit": "2"})
    assert (status, [one["seq"] for one in body["messages"]], body["has_more"]) == (200, [3, 2], True)
    _, body = house.as_alice("GET", path, query={"after": "0"})
    assert ([one["seq"] for one in body["messages"]], body["has_more"]) == ([1, 2, 3], False)


@pytest.mark.parametrize(
    "query",
    [{"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"before": "-1"}, {"after": "x"}, {"before": "1", "after": "1"}],
)
def test_bad_bounds_are_a_bad_request(query: dict[str, str]) -> None:
    house = House()
    house.log.write("bob", "1")
    status, body = house.as_alice("GET", f"/v1/conversations/{DM}/messages", query=query)
    assert (status, body["code"]) == (400, "bad_request")


@pytest.mark.parametrize("conversation", ["dm:bob:carol", "dm:alice:nobody", "group:1", "x", "dm:bob:alice"])
def test_foreign_and_unknown_conversations_are_the_same_404(conversation: str) -> None:
    house = House()
    house.log.write("bob", "1", conversation_id="dm:bob:carol")
    status, body = house.as_alice("GET", f"/v1/conversations/{conversation}/messages")
    assert (status, body["code"]) == (404, "not_a_member")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/tickets"),
        ("POST", "/v1/conversations"),
        ("GET", "/v1/conversations"),
        ("GET", f"/v1/conversations/{DM}/messages"),
    ],
)
@pytest.mark.parametrize("given", [None, "not.a.token", "expired"])
def test_without_a_good_token_every_route_is_401(method: str, path: str, given: str | None) -> None:
    bearer = token(exp=1) if given == "expired" else given
    body = {"type": "private", "with": "bob"} if path == "/v1/conversations" and method == "POST" else None
    status, answer = House().request(http_event(method, path, token=bearer, body=body))
    assert (status, answer["code"]) == (401, "token_expired" if given == "expired" else "unauthenticated")


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/v1/nothing"), ("DELETE", "/v1/tickets")])
def test_unknown_paths_and_methods_are_404_in_the_apis_own_format(method: str, path: str) -> None:
    status, body = House().as_alice(method, path)
    assert (status, body["code"], body["retryable"]) == (404, "not_found", False)


def test_an_unexpected_error_is_a_clean_500(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("the canary text")

    monkeypatch.setattr(rest._API, "resolve", explode)
    answer = rest.handler(http_event("GET", "/v1/health"))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal")
    assert "RuntimeError" in logged(caplog)
    assert "canary" not in logged(caplog)
