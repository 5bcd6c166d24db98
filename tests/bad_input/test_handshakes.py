"""Frames that end up at $connect or $disconnect, odd handshakes, and events whose context is not the authorizer's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from functions.connect.authorizer import authorize
from functions.connect.handler import connect
from functions.disconnect.handler import disconnect
from functions.message.handler import respond
from shared.domain.connections import Identity
from shared.operations.tickets import issue_ticket
from tests.bad_input.all_frames import FRAMES
from tests.bad_input.frames_fields import SYNTAX
from tests.bad_input.harness import InputHarness
from tests.bad_input.names import SECRET, token
from tests.functions.events import NOW, authorizer_of, frame_event, handshake_event, websocket_event

Handling = Callable[[InputHarness, dict[str, Any]], dict[str, Any]]


def connecting(harness: InputHarness, event: dict[str, Any]) -> dict[str, Any]:
    return connect(event, harness.wiring.connect, now=lambda: NOW)


def disconnecting(harness: InputHarness, event: dict[str, Any]) -> dict[str, Any]:
    return disconnect(event, stores=harness.stores, checks=harness.checks, now=NOW)


ROUTES = pytest.mark.parametrize(("route", "handle"), [("$connect", connecting), ("$disconnect", disconnecting)])
IDS: dict[str, tuple[str, str | None]] = {
    "a text": ('{"type":"$connect","id":"7"}', "7"),
    "64 characters": (json.dumps({"id": "\u20ac" * 64}), "\u20ac" * 64),
    "65 characters": (json.dumps({"id": "x" * 65}), None),
    "100 KB": (json.dumps({"id": "x" * 102_400}), None),
    "half a surrogate pair": ('{"id":"\\ud800"}', None),
    "a number": ('{"id":7}', None),
    "a list": ('{"id":["7"]}', None),
    "none": ("{}", None),
}


@ROUTES
@pytest.mark.parametrize("name", IDS)
def test_a_frame_at_the_gateways_own_route_has_its_id_echoed_as_any_other(
    route: str, handle: Handling, name: str
) -> None:
    body, echo = IDS[name]
    answer = handle(InputHarness(), websocket_event("MESSAGE", route, authorizer=authorizer_of("alice"), body=body))
    reply = json.loads(answer["body"])
    assert (answer["statusCode"], reply["code"], reply.get("id")) == (200, "unknown_type", echo)


@ROUTES
def test_whatever_frame_gets_to_the_gateways_own_routes_opens_and_ends_nothing(route: str, handle: Handling) -> None:
    harness = InputHarness()
    before = harness.state
    for case in FRAMES:
        event = websocket_event("MESSAGE", route, authorizer=authorizer_of("alice"), body=case.body)
        reply = json.loads(handle(harness, {**event, **case.event})["body"])
        assert (reply["success"], reply["code"]) == (False, "unknown_type"), str(case)
    assert harness.state == before


CONTEXTS: dict[str, Any] = {
    "none": None,
    "empty": {},
    "only the gateway's own": {"principalId": "alice", "integrationLatency": 1},
    "no user": {name: value for name, value in authorizer_of("alice").items() if name != "user_id"},
    "no end": {name: value for name, value in authorizer_of("alice").items() if name != "expires_at"},
    "no device": {name: value for name, value in authorizer_of("alice").items() if name != "device_id"},
    "an end that is no number": {**authorizer_of("alice"), "expires_at": "soon"},
    "an end without an end": {**authorizer_of("alice"), "expires_at": "Infinity"},
    "a beginning that is null": {**authorizer_of("alice"), "connected_at": None},
    "a beginning that is a list": {**authorizer_of("alice"), "connected_at": []},
}


@pytest.mark.parametrize("name", CONTEXTS)
def test_without_the_authorizers_context_nobody_is_let_in_or_heard(harness: InputHarness, name: str) -> None:
    before = harness.state
    context = {"authorizer": CONTEXTS[name]}
    for frame in ("nonsense", '{"type":"ping"}', '{"type":"message","to":"bob","content":"x"}'):
        event = frame_event(frame)
        answer = respond(
            {**event, "requestContext": {**event["requestContext"], **context}}, harness.message, harness.guard
        )
        assert json.loads(answer["body"])["code"] == "unauthenticated"
    for handle, kind in ((connecting, "CONNECT"), (disconnecting, "DISCONNECT")):
        event = websocket_event(kind, f"${kind.lower()}", connection_id="new=", **context)
        assert handle(harness, event)["statusCode"] == 401
    assert harness.state == before


def verdict(harness: InputHarness, **handshake: Any) -> tuple[str, dict[str, str]]:
    """Allow or Deny, and the context."""
    policy = authorize(
        {**handshake_event(), **handshake},
        verifier=harness.verifier,
        tickets=harness.stores.tickets,
        allowed_origins="https://app.example.com",
        now=NOW,
    )
    return policy["policyDocument"]["Statement"][0]["Effect"], policy["context"]


ORIGINS = (
    *("null", "capacitor://localhost", "ionic://localhost", "tauri://localhost", "file://", "https://evil.example"),
    *("", " ", "\0", "x" * 10_240, "https://app.example.com.evil.example", "https://app.example.com"),
)


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda one: ascii(one[:40]))
def test_an_origin_beside_a_bearer_token_is_not_looked_at_and_beside_a_ticket_must_be_allowed(
    harness: InputHarness, origin: str
) -> None:
    headers = {"Authorization": f"Bearer {token()}", "Origin": origin}
    assert verdict(harness, headers=headers)[0] == "Allow"
    identity = Identity("alice", NOW + 3_600_000)
    ticket = issue_ticket(identity, tickets=harness.stores.tickets, now=NOW, new_secret=lambda: "t" * 43).ticket
    effect, _ = verdict(harness, headers={"Origin": origin}, queryStringParameters={"ticket": ticket})
    assert effect == ("Allow" if origin == "https://app.example.com" else "Deny")


NO_USERS: tuple[Any, ...] = (".", "..", "a/b", [], {}, True, 1.5)


@pytest.mark.parametrize(
    ("claims", "user"),
    [
        ({"user_id": None}, "alice"),
        ({"sub": None, "user_id": "alice"}, "alice"),
        ({"sub": None, "user_id": None}, None),
        ({"user_id": ""}, None),
        *(({"user_id": one}, None) for one in NO_USERS),
    ],
    ids=str,
)
def test_a_claim_that_is_null_is_absent_and_what_is_no_user_lets_nobody_in(
    claims: dict[str, Any], user: str | None
) -> None:
    given = jwt.decode(token(), options={"verify_signature": False}) | claims
    signed = jwt.encode(given, SECRET, algorithm="HS256")
    effect, context = verdict(InputHarness(), headers={"Authorization": f"Bearer {signed}"})
    assert (effect, context.get("user_id")) == (("Allow", user) if user else ("Deny", None))


TICKETS = ("", " ", "#", "\0", "\u00e9", "x" * 10_240, "\U0001f600", token(), f"Bearer {token()}", "null", *SYNTAX)


@pytest.mark.parametrize("ticket", TICKETS, ids=lambda one: ascii(one[:24]))
def test_a_ticket_that_was_never_given_out_lets_nobody_in(harness: InputHarness, ticket: str) -> None:
    before = harness.state
    assert verdict(harness, queryStringParameters={"ticket": ticket}) == ("Deny", {})
    assert harness.state == before


@pytest.mark.parametrize("missing", [{"headers": None}, {"headers": {}}, {"queryStringParameters": None}, {}])
def test_a_handshake_that_says_nothing_is_refused(missing: dict[str, Any]) -> None:
    assert verdict(InputHarness(), **missing) == ("Deny", {})


@pytest.mark.parametrize("device_id", [*SYNTAX, "x" * 10_240, "\0", "\u202e", "\U0001f600" * 100])
def test_a_device_may_call_itself_anything_of_64_characters(harness: InputHarness, device_id: str) -> None:
    headers = {"Authorization": f"Bearer {token()}"}
    spoofed = {"user_id": "bob", "expires_at": "9" * 20, "connected_at": "0"}
    effect, context = verdict(harness, headers=headers, queryStringParameters={"device_id": device_id, **spoofed})
    assert (effect, context["user_id"], context["device_id"]) == ("Allow", "alice", device_id[:64])
    event = websocket_event("CONNECT", "$connect", connection_id="new=", authorizer=context)
    assert connecting(harness, event)["statusCode"] == 200
    (stored,) = [one for one in harness.stores.sessions.of(["alice"])["alice"] if one.connection_id == "new="]
    assert (stored.device_id, stored.connected_at) == (device_id[:64], NOW)
