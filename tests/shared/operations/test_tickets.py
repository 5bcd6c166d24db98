"""Tickets: one handshake, within thirty seconds, for as long as the token."""

from __future__ import annotations

import pytest

from shared.domain.connections import Identity
from shared.errors import Unauthenticated
from shared.operations.tickets import TICKET_LIFETIME_S, issue_ticket, redeem_ticket
from shared.ports.connections import Tickets
from tests.fakes import FakeClock
from tests.stores import TICKETS, simulated

ALICE = Identity("alice", FakeClock()() + 3_600_000)


def issued(tickets: Tickets, clock: FakeClock, identity: Identity = ALICE) -> str:
    ticket = issue_ticket(identity, tickets=tickets, now=clock(), new_secret=lambda: "secret")
    assert ticket.expires_in == min(TICKET_LIFETIME_S, (identity.expires_at - clock()) // 1_000)
    return ticket.ticket


def test_it_lets_its_user_in_until_the_tokens_expiry_once() -> None:
    tickets, clock = simulated().tickets, FakeClock()
    ticket = issued(tickets, clock)
    assert redeem_ticket(ticket, tickets=tickets, now=clock()) == ALICE
    with pytest.raises(Unauthenticated):
        redeem_ticket(ticket, tickets=tickets, now=clock())


def test_it_lets_a_guest_in_as_a_guest() -> None:
    tickets, clock = simulated().tickets, FakeClock()
    guest = Identity("alice", ALICE.expires_at, frozenset({"guest", "chat"}), 1)
    found = redeem_ticket(issued(tickets, clock, guest), tickets=tickets, now=clock())
    assert (found.is_guest, found.issued_at) == (True, 1)


def test_it_is_kept_by_its_hash() -> None:
    stores, clock = simulated(), FakeClock()
    ticket = issued(stores.tickets, clock)
    assert len(stores.rows(TICKETS)) == 1
    assert ticket not in str(stores.rows(TICKETS))


@pytest.mark.parametrize("wait_ms", [30_000, 30_001, 86_400_000])
def test_it_expires_though_it_is_still_stored(wait_ms: int) -> None:
    tickets, clock = simulated().tickets, FakeClock()
    ticket = issued(tickets, clock)
    with pytest.raises(Unauthenticated):
        redeem_ticket(ticket, tickets=tickets, now=clock.advance(wait_ms))


def test_it_expires_with_the_token() -> None:
    tickets, clock = simulated().tickets, FakeClock()
    ticket = issued(tickets, clock, Identity("alice", clock() + 5_000))
    with pytest.raises(Unauthenticated):
        redeem_ticket(ticket, tickets=tickets, now=clock.advance(5_000))


def test_a_made_up_ticket_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        redeem_ticket("made up", tickets=simulated().tickets, now=1)
