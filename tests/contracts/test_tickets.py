"""Tickets: what every implementation promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from shared.domain.connections import StoredTicket
from tests.stores import Stores

TICKET = StoredTicket("hash", "alice", 9_000, 5_000)


def test_a_ticket_is_taken_once(stores: Stores) -> None:
    stores.tickets.put(TICKET)
    assert stores.tickets.take("hash") == TICKET
    assert stores.tickets.take("hash") is None


def test_an_unknown_ticket_is_none(stores: Stores) -> None:
    assert stores.tickets.take("unknown") is None


def test_of_many_that_take_one_at_once_one_gets_it(stores: Stores) -> None:
    stores.tickets.put(TICKET)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(stores.tickets.take, ["hash"] * 8))
    assert sorted(answer is not None for answer in answers) == [False] * 7 + [True]
