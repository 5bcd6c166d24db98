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
from shared.domain.members import unread
from shared.domain.text import private_conversation_id
from shared.errors import ParleyError, Unavailable
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
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


def crowd() -> ChatHarness:
    """A group of them all, none of whom has written yet; its owner never does."""
    harness = ChatHarness()
    harness.group(OWNER, *USERS)
    return harness


def send(harness: ChatHarness, user: str, **command: Any) -> None:
    harness.send("x", sender_id=user, conversation_id=GROUP, **command)


def unread_of(harness: ChatHarness, user: str) -> int:
    member = harness.member(user)
    assert member is not None
    return unread(member, harness.entries()[-1])


def expected(harness: ChatHarness, user: str, *, since: int) -> int:
    entries = harness.entries()
    own = max((entry.seq for entry in entries if entry.is_message and entry.sender_id == user), default=0)
    return sum(entry.is_message for entry in entries[max(since, own) :])


def noted(request: Mapping[str, Any]) -> str | None:
    """Whose number the call notes, if it notes one."""
    return (
        request["Key"]["pk"]["S"].removeprefix("user#")
        if "wrote_number" in str(request.get("Key") and request)
        else None
    )


@pytest.fixture
def harness() -> ChatHarness:
    return crowd()


@settings(max_examples=150)
@given(_STEPS)
def test_own_messages_are_never_unread_however_many_write(steps: Sequence[tuple[str, int]]) -> None:
    harness = crowd()
    since = dict.fromkeys([OWNER, *USERS], 1)
    for kind, number in steps:
        user = USERS[number]
        head = len(harness.entries())
        try:
            match kind:
                case "send":
                    send(harness, user)
                case "read":
                    since[user] = harness.move("read", head, user, place=GROUP)
                case "leave":
                    harness.remove(user, by=user)
                case "add":
                    since |= dict.fromkeys(harness.add(user, by=OWNER), head + 1)
        except ParleyError:
            continue
        for one in harness.roles():
            assert unread_of(harness, one) == expected(harness, one, since=since[one])


def test_a_writer_who_is_displaced_has_the_number_in_their_membership_before_the_entry_is_stored(
    harness: ChatHarness,
) -> None:
    for user in USERS[:AUTHORS_KEPT]:
        send(harness, user)
    seen = []
    harness.stores.before_put(lambda _: seen.append([one.wrote_number for one in map(harness.member, USERS) if one]))
    send(harness, USERS[AUTHORS_KEPT])
    assert seen == [[1, *[0] * (len(USERS) - 1)]]


def test_who_has_left_has_nothing_to_note_and_starts_anew(harness: ChatHarness) -> None:
    for user in USERS[:AUTHORS_KEPT]:
        send(harness, user)
    harness.remove(USERS[0], by=USERS[0])
    send(harness, USERS[AUTHORS_KEPT])
    assert harness.member(USERS[0]) is None
    harness.add(USERS[0], by=OWNER)
    member = harness.member(USERS[0])
    assert member is not None
    assert (member.wrote_number, unread_of(harness, USERS[0])) == (0, 0)


def test_where_it_cannot_be_noted_nothing_is_stored() -> None:
    def fail(_: str, request: Mapping[str, Any]) -> None:
        if noted(request):
            raise Unavailable

    harness = crowd()
    for user in USERS[:AUTHORS_KEPT]:
        send(harness, user)
    before = len(harness.entries())
    harness.stores.calls.before = fail
    with pytest.raises(Unavailable):
        send(harness, USERS[AUTHORS_KEPT])
    assert len(harness.entries()) == before


def test_a_place_that_is_taken_again_and_again_is_noted_once(harness: ChatHarness) -> None:
    for user in USERS[:AUTHORS_KEPT]:
        send(harness, user)
    quicker = iter(range(3))

    notes: list[str] = []

    def be_quicker(operation: str, request: Mapping[str, Any]) -> None:
        if user := noted(request):
            notes.append(user)
        elif operation == "PutItem" and next(quicker, None) is not None:
            harness.stores.write(USERS[1], "quicker", conversation_id=GROUP)

    harness.stores.calls.before = be_quicker
    before = harness.stores.calls.writes(LOG)
    send(harness, USERS[AUTHORS_KEPT], after=len(harness.entries()), client_message_id="c")
    assert (notes, harness.stores.calls.writes(LOG) - before) == ([USERS[0]], 4)


@dataclass
class Scenario:
    harness: ChatHarness


def displacing_at_once(*operations: Callable[[ChatHarness], object]) -> Callable[[Stepper], Scenario]:
    made = crowd()
    for user in USERS[:AUTHORS_KEPT]:
        send(made, user)

    def build(stepper: Stepper) -> Scenario:
        scenario = Scenario(made.copied())
        base = scenario.harness
        stores = base.stores.stepped(stepper, log=("put", "read_back"), memberships=("note_written",))
        stepped = replace(base, stores=stores)
        for operation in operations:
            stepper.add(partial(operation, stepped))
        return scenario

    return build


def displace(number: int) -> Callable[[ChatHarness], object]:
    return lambda harness: send(harness, USERS[AUTHORS_KEPT + number])


def come_back(harness: ChatHarness) -> None:
    harness.remove(USERS[0], by=USERS[0])
    harness.add(USERS[0], by=OWNER)


@pytest.mark.parametrize("rival", [displace(1), come_back])
def test_no_number_is_lost_in_any_interleaving(rival: Callable[[ChatHarness], object]) -> None:
    scenarios = list(explore(displacing_at_once(displace(0), rival)))
    for scenario in scenarios:
        joined = scenario.harness.member(USERS[0])
        assert joined is not None
        for user in USERS:
            since = joined.joined_seq if user == USERS[0] else 1
            assert unread_of(scenario.harness, user) == expected(scenario.harness, user, since=since)
    assert 20 < len(scenarios) < 2_000


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
