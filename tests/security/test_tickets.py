"""Tickets: each opens one connection, for the user it was issued to, within 30 seconds, and only as a ticket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

import pytest

from functions.connect.authorizer import authorize
from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.sessions import DynamoDbTickets
from shared.domain.connections import Identity
from shared.operations.tickets import TICKET_LIFETIME_S, issue_ticket
from shared.ports.connections import Tickets
from tests.functions.events import handshake_event
from tests.moto_tables import environment, moto_url, tables
from tests.security.conftest import Tried
from tests.security.signing import Signing
from tests.security.test_origins import effect
from tests.shared.auth.minting import NOW_MS
from tests.stores import TICKETS, Simulated, simulated

__all__ = ["environment", "moto_url", "tables"]

TICKET = "q2Xv0J5b3kRk1m7c9Tz4wYtNq2Xv0J5b3kRk1m7c9Tz"
AT_ONCE, ROUNDS = 10, 5
LIFETIME_MS = TICKET_LIFETIME_S * 1_000


def issue(
    tickets: Tickets, *, user_id: str = "alice", ticket: str = TICKET, token_ends: int = NOW_MS + 3_600_000
) -> str:
    identity = Identity(user_id, token_ends)
    return issue_ticket(identity, tickets=tickets, now=NOW_MS, new_secret=lambda: ticket).ticket


def knock(tickets: Tickets, *, query: Any = None, headers: Any = None, now: int = NOW_MS) -> dict[str, Any]:
    event = handshake_event(headers=headers or {}, query=query or {})
    return authorize(event, verifier=Signing("HS256").verifier(), tickets=tickets, allowed_origins="", now=now)


def let_in(tickets: Tickets, ticket: str = TICKET, now: int = NOW_MS) -> bool:
    return effect(knock(tickets, query={"ticket": ticket}, now=now)) == "Allow"


def at_once(number: int, ask: Callable[[], bool]) -> list[bool]:
    """So many threads ask at the same moment."""
    start = threading.Barrier(number)

    def one(_: int) -> bool:
        start.wait()
        return ask()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(one, range(number)))


@dataclass
class Careless:
    """Looks first and deletes then, and between the two waits until all the others have looked: a planted mistake."""

    real: Tickets
    looked: threading.Barrier = field(default_factory=lambda: threading.Barrier(AT_ONCE))

    def put(self, ticket: Any) -> None:
        self.real.put(ticket)

    def take(self, ticket_hash: str) -> Any:
        found = self.real.take(ticket_hash)
        if found is not None:
            self.real.put(found)
        self.looked.wait()
        self.real.take(ticket_hash)
        return found


def test_of_ten_connections_with_one_ticket_exactly_one_gets_in(tables: JsonService, tried: Tried) -> None:
    tickets = DynamoDbTickets(tables, tickets_table="tickets")
    for number in range(ROUNDS):
        ticket = issue(tickets, ticket=f"{TICKET}{number}")
        assert sorted(at_once(AT_ONCE, partial(let_in, tickets, ticket))) == [False] * (AT_ONCE - 1) + [True]
        assert not let_in(tickets, ticket)
        tried(AT_ONCE + 1)


def test_who_is_not_shown_the_ticket_that_was_deleted_has_not_taken_it() -> None:
    class Shown:
        """Of two that found it, the other one was first."""

        def call(self, operation: str, request: Any) -> dict[str, Any]:
            assert (operation, request["ReturnValues"]) == ("DeleteItem", "ALL_OLD")
            return {}

        def pause(self, attempt: int) -> None:
            raise AssertionError

    assert DynamoDbTickets(Shown(), tickets_table="tickets").take(sha256(TICKET.encode()).hexdigest()) is None


def test_tickets_that_are_not_taken_in_one_step_would_be_found_out() -> None:
    tickets = Careless(simulated().tickets)
    issue(tickets)
    assert sum(at_once(AT_ONCE, partial(let_in, tickets))) > 1


@pytest.fixture
def stores() -> Simulated:
    made = simulated()
    issue(made.tickets)
    return made


@pytest.fixture
def tickets(stores: Simulated) -> Tickets:
    return stores.tickets


@pytest.fixture
def unused(tickets: Tickets) -> Iterator[Tickets]:
    """Alice's ticket, which whatever is tried without it leaves as good as it was."""
    yield tickets
    assert let_in(tickets)


def test_only_a_hash_of_a_ticket_is_stored_and_that_hash_is_no_ticket(
    stores: Simulated, unused: Tickets, tried: Tried
) -> None:
    [stored] = stores.rows(TICKETS)
    assert TICKET not in repr(stored)
    assert stored["ticket"] == sha256(TICKET.encode()).hexdigest()
    assert not let_in(unused, stored["ticket"])
    assert not let_in(unused, sha256(stored["ticket"].encode()).hexdigest())
    tried(2)


GUESSES = (
    *(
        "",
        " ",
        "0",
        "null",
        "undefined",
        "true",
        "ticket",
        "*",
        "%",
        "' OR 1=1 --",
        "../tickets",
        "alice",
        "\x00",
        "\ud800",
    ),
    *(TICKET[:-1], TICKET[1:], TICKET + "A", TICKET.lower(), TICKET.upper(), TICKET[::-1], f" {TICKET}", f"{TICKET} "),
    *(
        f"{TICKET}\n",
        f"{TICKET}\x00",
        f"{TICKET},{TICKET}",
        f"{TICKET}=",
        f'"{TICKET}"',
        f"%71{TICKET[1:]}",
        TICKET * 250,
    ),
    *("A" * 43, "A" * 10_240, f"Bearer {TICKET}", f"ticket={TICKET}", TICKET.replace("q", "\uff51")),
)


@pytest.mark.parametrize("guess", GUESSES, ids=lambda guess: ascii(guess)[:24])
def test_what_is_nearly_a_ticket_is_none_and_uses_none_up(guess: str, unused: Tickets, tried: Tried) -> None:
    assert not let_in(unused, guess)
    tried()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {TICKET}"},
        {"Authorization": f"Ticket {TICKET}"},
        {"Authorization": TICKET},
        {"Authorization": f"Basic {TICKET}"},
        {"X-Ticket": TICKET},
        {"ticket": TICKET},
        {"Ticket": TICKET},
        {"Cookie": f"ticket={TICKET}"},
        {"Sec-WebSocket-Protocol": f"ticket, {TICKET}"},
        {"Referer": f"https://app.example.com/?ticket={TICKET}"},
        {"Proxy-Authorization": f"Bearer {TICKET}"},
    ],
    ids="-".join,
)
def test_a_ticket_in_a_header_is_not_looked_at(headers: dict[str, str], unused: Tickets, tried: Tried) -> None:
    assert effect(knock(unused, headers=headers)) == "Deny"
    tried()


@pytest.mark.parametrize("name", ["Ticket", "TICKET", "tickets", "ticket[]", " ticket", "t", "token", "access_token"])
def test_a_ticket_under_another_name_is_not_looked_at(name: str, unused: Tickets, tried: Tried) -> None:
    assert effect(knock(unused, query={name: TICKET})) == "Deny"
    tried()


@pytest.mark.parametrize(
    "name",
    ["token", "access_token", "ticket", "Authorization", "authorization", "jwt", "id_token", "auth", "bearer", "key"],
)
def test_a_token_in_the_url_is_never_looked_at(name: str, unused: Tickets, tried: Tried) -> None:
    for prefix in ("", "Bearer "):
        assert effect(knock(unused, query={name: prefix + Signing("HS256").sign()})) == "Deny"
        tried()


@pytest.mark.parametrize("after", [0, 1, LIFETIME_MS - 1])
def test_a_ticket_is_good_for_thirty_seconds(after: int, tickets: Tickets, tried: Tried) -> None:
    assert let_in(tickets, now=NOW_MS + after)
    tried()


@pytest.mark.parametrize("after", [LIFETIME_MS, LIFETIME_MS + 1, 10 * LIFETIME_MS])
def test_a_ticket_that_has_expired_is_none_though_it_is_still_stored(
    after: int, tickets: Tickets, tried: Tried
) -> None:
    assert not let_in(tickets, now=NOW_MS + after)
    tried()


def test_a_ticket_lives_no_longer_than_the_token_that_it_was_issued_for(tried: Tried) -> None:
    for after, verdict in ((1_999, True), (2_000, False)):
        tickets = simulated().tickets
        issue(tickets, token_ends=NOW_MS + 2_000)
        assert let_in(tickets, now=NOW_MS + after) is verdict
        tried()


def test_a_ticket_opens_for_its_user_whoever_the_url_and_the_headers_name(tickets: Tickets, tried: Tried) -> None:
    query = {"ticket": TICKET, "user_id": "bob", "sub": "bob", "device_id": "bob", "expires_at": "9" * 13}
    policy = knock(tickets, query=query, headers={"X-User-Id": "bob", "X-Amzn-Principal": "bob"})
    context = {
        "user_id": "alice",
        "expires_at": str(NOW_MS + 3_600_000),
        "issued_at": "0",
        "device_id": "bob",
        "connected_at": str(NOW_MS),
    }
    assert (policy["principalId"], policy["context"]) == ("alice", context)
    tried()


def test_a_ticket_gives_no_more_than_its_users_rights(tried: Tried) -> None:
    """The scopes of the token stay behind: no frame asks for any."""
    tickets = simulated().tickets
    identity = Identity("alice", NOW_MS + 60_000, frozenset({"admin", "notifications:send"}))
    issue_ticket(identity, tickets=tickets, now=NOW_MS, new_secret=lambda: TICKET)
    assert not {"admin", "notifications:send"} & set(repr(knock(tickets, query={"ticket": TICKET})).split("'"))
    tried()


def test_a_forged_token_beside_a_good_ticket_is_a_refusal_and_uses_nothing_up(unused: Tickets, tried: Tried) -> None:
    for token in ("x", Signing("HS256").sign()[:-2], "a.b.c"):
        policy = knock(unused, query={"ticket": TICKET}, headers={"Authorization": f"Bearer {token}"})
        assert effect(policy) == "Deny"
        tried()


def test_a_foreign_page_with_a_good_ticket_is_kept_out_and_uses_nothing_up(unused: Tickets, tried: Tried) -> None:
    policy = knock(unused, query={"ticket": TICKET}, headers={"Origin": "https://evil.example"})
    assert effect(policy) == "Deny"
    tried()
