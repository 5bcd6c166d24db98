"""The authorizer: who gets in, by which credentials, and what later events know of them."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from functions.connect.authorizer import authorize
from shared.auth.tokens import SecretKey, TokenVerifier
from shared.domain.connections import Identity
from shared.errors import Unavailable
from shared.operations.tickets import issue_ticket
from shared.ports.connections import Tickets
from shared.wire.websocket.gateway import caller_of
from tests.functions.events import handshake_event, logged, websocket_event
from tests.stores import TICKETS, simulated

SECRET = "s" * 64
ORIGINS = "https://app.example.com,http://localhost:*"


def now() -> int:
    return time.time_ns() // 1_000_000


def token(**claims: Any) -> str:
    seconds = now() // 1_000
    return jwt.encode({"sub": "alice", "iat": seconds, "exp": seconds + 60, **claims}, SECRET, algorithm="HS256")


def decide(event: dict[str, Any], *, tickets: Tickets | None = None) -> dict[str, Any]:
    verifier = TokenVerifier(SecretKey(lambda: SECRET), now=now)
    return authorize(
        event, verifier=verifier, tickets=tickets or simulated().tickets, allowed_origins=ORIGINS, now=now()
    )


def effect(policy: dict[str, Any]) -> str:
    (statement,) = policy["policyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert statement["Resource"].endswith("/prod/$connect")
    return str(statement["Effect"])


def bearer(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


def test_a_bearer_token_lets_in_and_its_identity_reaches_later_events() -> None:
    policy = decide(handshake_event(headers=bearer(token()), query={"device_id": "d1"}))
    assert effect(policy) == "Allow"
    assert all(isinstance(value, str) for value in policy["context"].values())
    caller = caller_of(websocket_event("MESSAGE", "ping", authorizer=policy["context"]))
    assert (caller.user_id, caller.connection.device_id) == ("alice", "d1")
    assert caller.identity.expires_at > now()


def test_a_ticket_lets_in_once() -> None:
    tickets = simulated().tickets
    identity = Identity("bob", now() + 60_000)
    ticket = issue_ticket(identity, tickets=tickets, now=now(), new_secret=lambda: "t").ticket
    event = handshake_event(query={"ticket": ticket})
    assert decide(event, tickets=tickets)["principalId"] == "bob"
    assert effect(decide(event, tickets=tickets)) == "Deny"


@pytest.mark.parametrize(
    "event",
    [
        handshake_event(),
        handshake_event(headers={"Authorization": "Basic YWxpY2U6eA=="}),
        handshake_event(headers=bearer("not.a.token")),
        handshake_event(query={"ticket": "made up"}),
        handshake_event(query={"ticket": ""}),
    ],
)
def test_without_good_credentials_there_is_no_way_in(event: dict[str, Any]) -> None:
    assert effect(decide(event)) == "Deny"


@pytest.mark.parametrize("name", ["token", "access_token", "ticket", "Authorization", "jwt"])
def test_a_jwt_in_the_url_is_never_accepted(name: str) -> None:
    assert effect(decide(handshake_event(query={name: token()}))) == "Deny"


def test_an_expired_token_is_refused() -> None:
    assert effect(decide(handshake_event(headers=bearer(token(exp=now() // 1_000 - 1))))) == "Deny"


def test_a_bad_token_is_not_saved_by_a_good_ticket() -> None:
    tickets = simulated().tickets
    identity = Identity("bob", now() + 60_000)
    ticket = issue_ticket(identity, tickets=tickets, now=now(), new_secret=lambda: "t").ticket
    assert effect(decide(handshake_event(headers=bearer("bad"), query={"ticket": ticket}), tickets=tickets)) == "Deny"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://app.example.com", "Allow"),
        ("http://localhost:5173", "Allow"),
        ("http://localhost", "Allow"),
        ("https://app.example.com.evil.test", "Deny"),
        ("https://evil.test", "Deny"),
        ("http://app.example.com", "Deny"),
        ("http://localhost:5173.evil.test", "Deny"),
        ("null", "Deny"),
        ("", "Deny"),
    ],
)
def test_pages_of_allowed_origins_only(origin: str, expected: str) -> None:
    stores = simulated()
    tickets = stores.tickets
    identity = Identity("alice", now() + 60_000)
    ticket = issue_ticket(identity, tickets=tickets, now=now(), new_secret=lambda: "t" * 43).ticket
    asked = handshake_event(headers={"Origin": origin}, query={"ticket": ticket})
    assert effect(decide(asked, tickets=tickets)) == expected
    assert len(stores.rows(TICKETS)) == (expected == "Deny")  # a page that is refused has used nothing up
    assert effect(decide(handshake_event(headers={**bearer(token()), "Origin": origin}))) == "Allow"


def test_a_long_device_id_is_cut() -> None:
    policy = decide(handshake_event(headers=bearer(token()), query={"device_id": "d" * 5_000}))
    assert len(policy["context"]["device_id"]) == 64


def test_keys_that_cant_be_had_are_no_verdict() -> None:
    def outage() -> str:
        raise Unavailable

    verifier = TokenVerifier(SecretKey(outage), now=now)
    event = handshake_event(headers=bearer(token()))
    with pytest.raises(Unavailable):
        authorize(event, verifier=verifier, tickets=simulated().tickets, allowed_origins="", now=now())


def test_no_token_is_ever_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    bad = token(exp=1)
    decide(handshake_event(headers=bearer(bad)))
    assert "token_expired" in logged(caplog)
    assert bad not in logged(caplog)


@pytest.mark.parametrize(
    ("credentials", "code", "cause"),
    [
        (bearer(jwt.encode({"sub": "a", "iat": 1, "exp": 2}, "o" * 64)), "unauthenticated", "InvalidSignatureError"),
        (bearer("nonsense"), "unauthenticated", "DecodeError"),
        (bearer(token(exp=1)), "token_expired", None),
        ({}, "unauthenticated", None),
    ],
    ids=["another secret", "no token", "an old one", "nothing"],
)
def test_the_line_of_a_refusal_says_what_was_wrong_with_the_token(
    credentials: dict[str, str], code: str, cause: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Of a secret that was mistaken, on either side, every handshake leaves the same."""
    caplog.set_level("INFO")
    assert effect(decide(handshake_event(headers=credentials))) == "Deny"
    (line,) = caplog.records
    assert (line.getMessage(), vars(line)["code"], vars(line).get("cause")) == ("handshake refused", code, cause)
