"""Inbox, badge and sync have one notion of which conversations a user has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.members import is_in_inbox
from shared.errors import ParleyError
from shared.operations.conversations import create_private, hide, inbox
from shared.operations.push.wording import badge_of
from shared.operations.sync import Catching, Sync, sync
from tests.shared.operations.conversation_harness import ChatHarness
from tests.stepping import Stepper, explore
from tests.stores import Simulated
from tests.wiring import parts, rest_services

OTHERS = ("bob", "carol", "dave")
_other = st.sampled_from(OTHERS)
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["hears", "says", "hides", "shows", "reads"]), _other),
        st.tuples(st.just("sees a reaction"), _other),
    ),
    max_size=30,
)

SERVICES = rest_services()


def place(other: str) -> str:
    return f"dm:alice:{other}"


def do(harness: ChatHarness, kind: str, other: str) -> None:
    head = len(harness.entries(place(other)))
    match kind:
        case "hears":
            harness.send(sender_id=other, to="alice")
        case "says":
            harness.send(to=other)
        case "sees a reaction":
            harness.react(head, "x", other, place=place(other))
        case "reads":
            harness.move("read", head, "alice", place=place(other))
        case "hides":
            hide(place(other), user_id="alice", **parts(harness.stores))
        case "shows":
            create_private("alice", other, **parts(harness.stores, harness.clock()))


def inboxed(stores: Simulated) -> dict[str, int]:
    """The conversations of alice's inbox, with what is unread."""
    page = inbox("alice", limit=100, stores=stores, services=SERVICES, now=0)
    return {one.conversation_id: one.unread for one in page.conversations}


def synced(stores: Simulated, **held: int) -> Sync:
    named = {place(other): seq for other, seq in held.items()}
    return sync(Catching("alice", named), size=lambda _: 100, stores=stores, services=SERVICES)


@settings(max_examples=150)
@given(_STEPS)
def test_inbox_badge_and_sync_agree_whatever_was_hidden_and_shown(steps: Sequence[tuple[str, str]]) -> None:
    harness = ChatHarness()
    hidden: set[str] = set()
    for kind, other in steps:
        try:
            do(harness, kind, other)
        except ParleyError:
            continue
        hidden = (
            hidden | {other} if kind == "hides" else hidden - {other} if kind in ("hears", "says", "shows") else hidden
        )
    stores = harness.stores
    mine = {member.conversation_id for member in stores.memberships.of_user("alice")}
    shown = inboxed(stores)
    assert shown.keys() == mine - {place(other) for other in hidden}
    badge = badge_of("alice", stores=stores, services=SERVICES, now=0)
    assert badge.total == sum(shown.values())
    assert {one.conversation_id: one.unread for one in synced(stores).conversations} == shown


def test_a_hidden_conversation_that_is_named_in_a_sync_is_answered_as_any(harness: ChatHarness) -> None:
    for kind in ("hears", "hides", "sees a reaction"):
        do(harness, kind, "bob")
    assert synced(harness.stores).conversations == []
    (one,) = synced(harness.stores, bob=1).conversations
    assert ([entry.seq for entry in one.entries], one.head, one.unread) == ([2], 2, 1)
    do(harness, "hears", "bob")
    assert [one.head for one in synced(harness.stores).conversations] == [3]


def at_once(*kinds: str) -> set[bool]:
    """Whether alice sees her conversation with bob, after these at once in every interleaving."""

    def build(stepper: Stepper) -> ChatHarness:
        harness = ChatHarness()
        do(harness, "hears", "bob")
        stores = harness.stores.stepped(stepper, log=("read_back", "put"), memberships=("hide", "show", "create"))
        stepped = ChatHarness(stores=stores, gateway=harness.gateway, clock=harness.clock, nonces=harness.nonces)
        for kind in kinds:
            stepper.add(partial(do, stepped, kind, "bob"))
        return harness

    return {place("bob") in inboxed(harness.stores) for harness in explore(build)}


@pytest.mark.parametrize(
    ("kinds", "outcomes"),
    [
        (("hides", "hides"), {False}),
        (("hides", "hears"), {True, False}),  # in the order in which they took hold: see below
        (("hides", "shows"), {True, False}),
        (("hears", "shows"), {True}),
    ],
)
def test_at_once(kinds: tuple[str, ...], outcomes: set[bool]) -> None:
    assert at_once(*kinds) == outcomes


def test_a_message_behind_the_head_at_which_it_was_hidden_shows_it_however_late_the_hiding_is_stored(
    harness: ChatHarness,
) -> None:
    do(harness, "hears", "bob")
    do(harness, "hears", "bob")
    rows = harness.stores.memberships
    assert rows.hide(place("bob"), "alice", seq=2)
    do(harness, "hears", "bob")
    for seq in (1, 2):
        assert not rows.hide(place("bob"), "alice", seq=seq)
        member = rows.get(place("bob"), "alice")
        assert member is not None
        assert (member.hidden_seq, is_in_inbox(member, harness.entries(place("bob"))[-1])) == (2, True)
