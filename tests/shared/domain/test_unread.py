"""Unread counts: what others wrote since one read or wrote, however many write, in whatever order it is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.entries import AUTHORS_KEPT, Draft, author_key
from shared.domain.identifiers import private_conversation_id
from shared.domain.members import unread
from shared.errors import ParleyError, Unavailable
from tests.shared.operations.conversation_harness import GROUP, House
from tests.stepping import Stepper, explore
from tests.stores import LOG

# More writers than an entry remembers, half of them with ids that it can't have whole.
USERS = [f"user{number:03}" if number % 2 else f"{number:03}" + "x" * 125 for number in range(AUTHORS_KEPT + 4)]
OWNER = "owner"
_user = st.integers(0, len(USERS) - 1)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), _user),
        st.tuples(st.just("send"), _user),
        st.tuples(st.just("read"), _user),
        st.tuples(st.just("leave"), _user),
        st.tuples(st.just("add"), _user),
    ),
    max_size=90,
)


def crowd() -> House:
    """A group of them all, none of whom has written yet; its owner never does."""
    house = House()
    house.group(OWNER, *USERS)
    return house


def send(house: House, user: str, **command: Any) -> None:
    house.send("x", sender_id=user, conversation_id=GROUP, **command)


def unread_of(house: House, user: str) -> int:
    member = house.member(user)
    assert member is not None
    return unread(member, house.entries()[-1])


def expected(house: House, user: str, *, since: int) -> int:
    entries = house.entries()
    own = max((entry.seq for entry in entries if entry.is_message and entry.sender_id == user), default=0)
    return sum(entry.is_message for entry in entries[max(since, own) :])


def noted(request: Mapping[str, Any]) -> str | None:
    """Whose number the call notes, if it notes one."""
    return (
        request["Key"]["pk"]["S"].removeprefix("user#")
        if "wrote_number" in str(request.get("Key") and request)
        else None
    )


@settings(max_examples=150)
@given(_STEPS)
def test_own_messages_are_never_unread_however_many_write(steps: Sequence[tuple[str, int]]) -> None:
    house = crowd()
    since = dict.fromkeys([OWNER, *USERS], 1)
    for kind, number in steps:
        user = USERS[number]
        head = len(house.entries())
        try:
            match kind:
                case "send":
                    send(house, user)
                case "read":
                    since[user] = house.move("read", head, user, place=GROUP)
                case "leave":
                    house.remove(user, by=user)
                case "add":
                    since |= dict.fromkeys(house.add(user, by=OWNER), head + 1)
        except ParleyError:
            continue
        for one in house.roles():
            assert unread_of(house, one) == expected(house, one, since=since[one])


def test_a_writer_who_is_displaced_has_the_number_in_their_membership_before_the_entry_is_stored() -> None:
    house = crowd()
    for user in USERS[:AUTHORS_KEPT]:
        send(house, user)
    seen = []
    house.stores.before_put(lambda _: seen.append([one.wrote_number for one in map(house.member, USERS) if one]))
    send(house, USERS[AUTHORS_KEPT])
    assert seen == [[1, *[0] * (len(USERS) - 1)]]


def test_who_has_left_has_nothing_to_note_and_starts_anew() -> None:
    house = crowd()
    for user in USERS[:AUTHORS_KEPT]:
        send(house, user)
    house.remove(USERS[0], by=USERS[0])
    send(house, USERS[AUTHORS_KEPT])
    assert house.member(USERS[0]) is None
    house.add(USERS[0], by=OWNER)
    member = house.member(USERS[0])
    assert member is not None
    assert (member.wrote_number, unread_of(house, USERS[0])) == (0, 0)


def test_where_it_cannot_be_noted_nothing_is_stored() -> None:
    def fail(_: str, request: Mapping[str, Any]) -> None:
        if noted(request):
            raise Unavailable

    house = crowd()
    for user in USERS[:AUTHORS_KEPT]:
        send(house, user)
    before = len(house.entries())
    house.stores.calls.before = fail
    with pytest.raises(Unavailable):
        send(house, USERS[AUTHORS_KEPT])
    assert len(house.entries()) == before


def test_a_place_that_is_taken_again_and_again_is_noted_once() -> None:
    house = crowd()
    for user in USERS[:AUTHORS_KEPT]:
        send(house, user)
    quicker = iter(range(3))

    notes: list[str] = []

    def be_quicker(operation: str, request: Mapping[str, Any]) -> None:
        if user := noted(request):
            notes.append(user)
        elif operation == "PutItem" and next(quicker, None) is not None:
            house.stores.write(USERS[1], "quicker", conversation_id=GROUP)

    house.stores.calls.before = be_quicker
    before = house.stores.calls.writes(LOG)
    send(house, USERS[AUTHORS_KEPT], after=len(house.entries()), client_message_id="c")
    assert (notes, house.stores.calls.writes(LOG) - before) == ([USERS[0]], 4)


@dataclass
class World:
    house: House


def displacing_at_once(*operations: Callable[[House], object]) -> Callable[[Stepper], World]:
    made = crowd()
    for user in USERS[:AUTHORS_KEPT]:
        send(made, user)

    def build(stepper: Stepper) -> World:
        world = World(made.copied())
        base = world.house
        stores = base.stores.stepped(stepper, log=("put", "read_back"), memberships=("note_written",))
        stepped = replace(base, stores=stores)
        for operation in operations:
            stepper.add(partial(operation, stepped))
        return world

    return build


def displace(number: int) -> Callable[[House], object]:
    return lambda house: send(house, USERS[AUTHORS_KEPT + number])


def come_back(house: House) -> None:
    house.remove(USERS[0], by=USERS[0])
    house.add(USERS[0], by=OWNER)


@pytest.mark.parametrize("rival", [displace(1), come_back])
def test_no_number_is_lost_in_any_interleaving(rival: Callable[[House], object]) -> None:
    worlds = list(explore(displacing_at_once(displace(0), rival)))
    for world in worlds:
        joined = world.house.member(USERS[0])
        assert joined is not None
        for user in USERS:
            since = joined.joined_seq if user == USERS[0] else 1
            assert unread_of(world.house, user) == expected(world.house, user, since=since)
    assert 20 < len(worlds) < 2_000


@given(st.text("abcXYZ019_.@-", min_size=1, max_size=128))
def test_a_key_is_short_and_the_same_for_itself(user_id: str) -> None:
    key = author_key(user_id)
    assert len(key) <= 12
    assert (key == user_id) is (len(user_id) <= 12)
    assert author_key(key) == key


def test_both_have_written_whatever_their_ids() -> None:
    alice, bob = "alice" * 20, "bob" * 30
    place = private_conversation_id(alice, bob)
    first = Draft(place, alice, "hi", nonce="1").following(None, 1)
    answer = Draft(place, bob, "you", nonce="2").following(first, 2)
    assert (first.first_answer, answer.first_answer) == (False, True)
    assert answer.has_written(alice)
    assert answer.has_written(bob)
    assert not first.has_written(bob)
