"""Contacts: both sides agree, and a user who blocks looks like one who does not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from shared.domain.contacts import ACCEPTED, INCOMING, REQUESTED, Contact
from shared.errors import BadRequest, Conflict, NotFound, Unavailable
from shared.operations.contacts import (
    MAX_ALIAS_CHARACTERS,
    MAX_BLOCKS,
    MAX_CONTACTS,
    UpdateContact,
    block_user,
    remove_contact,
    request_contact,
    update_contact,
)
from shared.ports.people import Contacts
from tests.fakes import FakeClock
from tests.harness import Harness
from tests.stepping import Stepper, explore
from tests.stores import Simulated
from tests.wiring import parts


@dataclass
class ContactsHarness(Harness):
    clock: FakeClock = field(default_factory=lambda: FakeClock(100))
    stepped: Contacts | None = None

    @property
    def stepped_stores(self) -> Simulated:
        return replace(self.stores, contacts=self.contacts)

    @property
    def contacts(self) -> Contacts:
        return self.stepped or self.stores.contacts

    def ask(self, user: str = "alice", other: str = "bob") -> tuple[Contact, bool]:
        return request_contact(user, other, **parts(self.stepped_stores, self.clock()))

    def accept(self, user: str = "bob", other: str = "alice") -> Contact:
        return update_contact(UpdateContact(user, other, accept=True), **parts(self.stepped_stores, self.clock()))

    def name(self, alias: str | None, user: str = "alice", other: str = "bob", *, accept: bool = False) -> Contact:
        return update_contact(
            UpdateContact(user, other, accept=accept, alias=alias, rename=True),
            **parts(self.stepped_stores, self.clock()),
        )

    def remove(self, user: str = "alice", other: str = "bob") -> None:
        remove_contact(user, other, **parts(self.stepped_stores))

    def sides(self) -> tuple[str | None, str | None]:
        pair = self.stores.contacts.pair("alice", "bob")
        return pair.mine.status if pair.mine else None, pair.theirs.status if pair.theirs else None


@pytest.fixture
def harness() -> ContactsHarness:
    return ContactsHarness()


def test_a_request_waits_at_both_sides_until_it_is_accepted(harness: ContactsHarness) -> None:
    assert harness.ask() == (Contact("bob", REQUESTED, 100), True)
    assert harness.sides() == (REQUESTED, INCOMING)
    harness.clock.advance(5)
    assert harness.accept() == Contact("alice", ACCEPTED, 105)
    assert harness.sides() == (ACCEPTED, ACCEPTED)
    (mine,) = harness.contacts.of("alice")
    assert mine.since == 105


def test_asking_again_changes_nothing(harness: ContactsHarness) -> None:
    first = harness.ask()
    harness.clock.advance(5)
    assert harness.ask() == (first[0], False)
    harness.accept()
    again = harness.ask()
    assert (again[0].status, again[1]) == (ACCEPTED, False)
    assert harness.accept().status == ACCEPTED


def test_who_asks_the_one_who_has_asked_them_accepts(harness: ContactsHarness) -> None:
    harness.ask()
    crossed = harness.ask("bob", "alice")
    assert (crossed[0].status, crossed[1], harness.sides()) == (ACCEPTED, False, (ACCEPTED, ACCEPTED))


def test_two_requests_at_once_accept_each_other_in_every_interleaving() -> None:
    def build(stepper: Stepper) -> ContactsHarness:
        harness = ContactsHarness()
        harness.stepped = stepper.wrap(harness.stores.contacts)
        stepper.add(partial(harness.ask, "alice", "bob"))
        stepper.add(partial(harness.ask, "bob", "alice"))
        return harness

    tried = 0
    for harness in explore(build):
        tried += 1
        assert harness.sides() == (ACCEPTED, ACCEPTED)
    assert tried > 10


@pytest.mark.parametrize(("user", "other"), [("alice", "bob"), ("bob", "alice")])
@pytest.mark.parametrize("accepted", [True, False])
def test_withdrawing_declining_and_ending_take_away_both_sides(
    harness: ContactsHarness, user: str, other: str, *, accepted: bool
) -> None:
    harness.ask()
    if accepted:
        harness.accept()
    harness.remove(user, other)
    assert harness.sides() == (None, None)
    with pytest.raises(NotFound):
        harness.remove(user, other)
    assert harness.ask()[1]


def test_accepting_beside_a_withdrawal_leaves_both_or_none_in_every_interleaving() -> None:
    def build(stepper: Stepper) -> tuple[ContactsHarness, list[str]]:
        harness, outcomes = ContactsHarness(), list[str]()
        harness.ask()
        harness.stepped = stepper.wrap(harness.stores.contacts)

        def accept() -> None:
            try:
                harness.accept()
            except NotFound:
                outcomes.append("too late")

        stepper.add(accept)
        stepper.add(harness.remove)
        return harness, outcomes

    for harness, _ in explore(build):
        assert harness.sides() == (None, None)  # accepted and then ended, or withdrawn before


def test_one_cannot_accept_for_the_other(harness: ContactsHarness) -> None:
    harness.ask()
    with pytest.raises(Conflict):
        harness.accept("alice", "bob")
    assert harness.sides() == (REQUESTED, INCOMING)


def test_an_alias_is_ones_own_and_goes_with_none(harness: ContactsHarness) -> None:
    harness.ask()
    assert harness.name("Bobby").alias == "Bobby"
    harness.accept()
    assert harness.name("Allie", "bob", "alice").alias == "Allie"
    assert [one.alias for user in ("alice", "bob") for one in harness.contacts.of(user)] == ["Bobby", "Allie"]
    assert harness.name(None).alias is None
    assert harness.sides() == (ACCEPTED, ACCEPTED)


def test_accepting_and_naming_go_together(harness: ContactsHarness) -> None:
    harness.ask()
    assert harness.name("Allie", "bob", "alice", accept=True) == Contact("alice", ACCEPTED, 100, "Allie")


def test_two_aliases_at_once_are_both_kept_in_every_interleaving() -> None:
    def build(stepper: Stepper) -> ContactsHarness:
        harness = ContactsHarness()
        harness.ask()
        harness.stepped = stepper.wrap(harness.stores.contacts)
        stepper.add(partial(harness.name, "Bobby"))
        stepper.add(partial(harness.name, "Allie", "bob", "alice"))
        return harness

    for harness in explore(build):
        pair = harness.stores.contacts.pair("alice", "bob")
        assert pair.mine is not None
        assert pair.theirs is not None
        assert (pair.mine.alias, pair.theirs.alias) == ("Bobby", "Allie")


@pytest.mark.parametrize("alias", ["", "  ", "x" * (MAX_ALIAS_CHARACTERS + 1)])
def test_an_alias_shows_something_and_is_short(harness: ContactsHarness, alias: str) -> None:
    harness.ask()
    with pytest.raises(BadRequest):
        harness.name(alias)


@pytest.mark.parametrize(
    "call", [ContactsHarness.accept, ContactsHarness.remove, partial(ContactsHarness.name, alias="x")]
)
def test_what_is_not_there_is_not_found(call: Callable[[ContactsHarness], object]) -> None:
    with pytest.raises(NotFound):
        call(ContactsHarness())


@pytest.mark.parametrize("other", ["alice", "", "b b", "b:b", "x" * 129])
def test_a_contact_and_a_block_are_somebody_else(harness: ContactsHarness, other: str) -> None:
    for call in (
        partial(harness.ask, "alice", other),
        partial(harness.accept, "alice", other),
        partial(harness.remove, "alice", other),
        partial(block_user, "alice", other, **parts(harness.stores)),
    ):
        with pytest.raises(BadRequest):
            call()


def test_who_blocks_looks_like_somebody_who_is_not_there_and_never_sees_the_request() -> None:
    blocking, unknown = ContactsHarness(), ContactsHarness()
    block_user("bob", "alice", **parts(blocking.stores))
    for harness in (blocking, unknown):
        assert harness.ask() == (Contact("bob", REQUESTED, 100), True)
        assert harness.ask() == (Contact("bob", REQUESTED, 100), False)
        assert list(harness.contacts.of("alice")) == [Contact("bob", REQUESTED, 100)]
        assert harness.name("Bobby").alias == "Bobby"
        with pytest.raises(Conflict):
            harness.accept("alice", "bob")
    assert list(blocking.contacts.of("bob")) == []
    for harness in (blocking, unknown):
        harness.remove()
        assert list(harness.contacts.of("alice")) == []


def test_a_request_that_was_not_heard_is_once_it_is_made_again_after_the_block(harness: ContactsHarness) -> None:
    block_user("bob", "alice", **parts(harness.stores))
    harness.ask()
    harness.stores.blocks.remove("bob", "alice")
    assert harness.ask() == (Contact("bob", REQUESTED, 100), False)
    assert harness.sides() == (REQUESTED, INCOMING)


def test_who_blocks_may_ask_the_blocked_and_a_waiting_unheard_request_is_met(harness: ContactsHarness) -> None:
    block_user("bob", "alice", **parts(harness.stores))
    harness.ask()
    asked = harness.ask("bob", "alice")
    assert (asked[0].status, harness.sides()) == (ACCEPTED, (ACCEPTED, ACCEPTED))


def test_blocking_is_idempotent_and_bounded(harness: ContactsHarness) -> None:
    for number in range(MAX_BLOCKS):
        harness.stores.blocks.put("alice", f"u{number}", now=1)
    block_user("alice", "u5", **parts(harness.stores, 2))
    with pytest.raises(Conflict):
        block_user("alice", "one-more", **parts(harness.stores, 2))


def test_contacts_are_bounded(harness: ContactsHarness) -> None:
    for number in range(MAX_CONTACTS):
        harness.stores.know("alice", f"u{number}", REQUESTED, INCOMING)
    with pytest.raises(Conflict):
        harness.ask()
    assert not request_contact("alice", "u5", **parts(harness.stores, 2))[1]  # one that is there already


def test_somebody_with_as_many_contacts_as_can_be_hears_of_no_more(harness: ContactsHarness) -> None:
    for number in range(MAX_CONTACTS):
        harness.stores.know("bob", f"u{number}", INCOMING, REQUESTED)
    asked = harness.ask()
    assert asked[0].status == REQUESTED
    assert harness.sides() == (REQUESTED, None)


def test_a_pair_that_never_stands_still_is_given_up(stores: Simulated) -> None:

    def restless(operation: str, _: object) -> None:
        """Bob asks, and asks no more, and asks."""
        if operation == "TransactWriteItems":
            was = stores.contacts.pair("alice", "bob")
            sides = (Contact("bob", INCOMING, 1), Contact("alice", REQUESTED, 1)) if was.mine is None else (None, None)
            assert stores.contacts.change("alice", "bob", was=was, mine=sides[0], theirs=sides[1])

    stores.calls.before = restless
    with pytest.raises(Unavailable):
        request_contact("alice", "bob", **parts(stores))
