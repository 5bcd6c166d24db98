"""Mail digests in the tables: what every implementation promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from shared.domain.mails import MailLook, MailState
from shared.domain.users import User
from tests.stores import Stores

HOUR = 3_600_000
NOW = 1_795_431_200_000


def addressed(stores: Stores, user_id: str = "bob") -> None:
    assert stores.users.change(User(user_id), User(user_id, email=f"{user_id}@example.com", version=1))


def due(stores: Stores, until: int) -> list[MailLook]:
    return [
        look for part in range(stores.mails.parts) for look in stores.mails.due(part, until=until, after=None, limit=9)
    ]


def test_only_who_has_an_address_and_no_look_is_scheduled(stores: Stores) -> None:
    addressed(stores)
    assert list(stores.mails.unscheduled({"alice", "bob"}, now=NOW)) == ["bob"]
    stores.mails.schedule(MailLook("bob", NOW + HOUR))
    assert list(stores.mails.unscheduled({"alice", "bob"}, now=NOW)) == []
    assert list(stores.mails.unscheduled({"bob"}, now=NOW + 3 * HOUR)) == ["bob"]


def test_looks_are_due_in_their_order_until_they_are_done(stores: Stores) -> None:
    addressed(stores)
    looks = [MailLook("bob", NOW + number) for number in range(3)]
    for look in looks:
        stores.mails.schedule(look)
    assert due(stores, NOW + 1) == looks[:2]
    stores.mails.done(looks[0])
    stores.mails.done(looks[0])
    assert due(stores, NOW + 9) == looks[1:]


def test_one_of_many_has_the_claim_and_gives_it_back(stores: Stores) -> None:
    addressed(stores)
    was = stores.mails.state("bob")
    assert was == MailState(is_addressed=True)

    def claim(number: int) -> bool:
        return stores.mails.claim("bob", was, secret="s", now=NOW + number)

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(claim, range(8)))
    assert sum(taken) == 1
    at = NOW + taken.index(True)
    assert stores.mails.state("bob") == MailState(is_addressed=True, mailed_at=at, secret="s")
    stores.mails.release("bob", was, now=at)
    assert claim(20)


def test_who_lost_the_address_is_claimed_by_nobody_and_keeps_when_they_were_mailed(stores: Stores) -> None:
    addressed(stores)
    assert stores.mails.claim("bob", stores.mails.state("bob"), secret="s", now=NOW)
    had = stores.users.of(["bob"])["bob"]
    assert stores.users.change(had, None)
    state = stores.mails.state("bob")
    assert (state.is_addressed, state.mailed_at) == (False, NOW)
    assert not stores.mails.claim("bob", state, secret="s", now=NOW + 1)


def test_of_an_address_that_mails_do_not_reach_none_is_scheduled_until_there_is_another(stores: Stores) -> None:
    addressed(stores)
    had = stores.users.of(["bob"])["bob"]
    stopped = replace(had, mail_stopped="bounce", version=2)
    assert stores.users.change(had, stopped)
    assert stores.users.of(["bob"])["bob"] == stopped
    assert stores.profiles.get("bob").mail_stopped == "bounce"
    assert stores.mails.state("bob").is_stopped
    assert list(stores.mails.unscheduled({"bob"}, now=NOW)) == []
    named = replace(stopped, name="Bob", version=3)
    assert stores.users.change(stopped, named)
    assert stores.mails.state("bob").is_stopped
    again = replace(named, email="b@example.com", mail_stopped=None, version=4)
    assert stores.users.change(named, again)
    assert stores.users.of(["bob"])["bob"] == again
    assert stores.mails.state("bob") == MailState(is_addressed=True)
    assert list(stores.mails.unscheduled({"bob"}, now=NOW)) == ["bob"]
