"""Sync: everything behind one cursor, bounded, and without a gap to what arrives live."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.connections import CONNECTING_MS, Identity, Posted, PostOutcome, opened
from shared.domain.rules import MAX_PAGE
from shared.operations.connections import ensure_registered
from shared.operations.heads import LOOKED_UP
from shared.operations.messages import SendMessage, send_message
from shared.operations.resends import Appended
from shared.operations.sessions import open_connection
from shared.operations.sync import MAX_HEADS, Catching, Sync, Synced, sync
from tests.fakes import DM, FakeClock, FakeGateway, FakeNonces
from tests.shared.operations.conversation_harness import found_group
from tests.stepping import Stepper, explore
from tests.stores import LOG, MEMBERS, Simulated, simulated
from tests.wiring import make_context, rest_services

OTHER = "dm:alice:carol"
NEVER = 2**53


def run(
    stores: Simulated, held: Mapping[str, int], *, user_id: str = "alice", size: int = 100, after: str = ""
) -> Sync:
    asked = Catching(user_id, held, after=after, room=110_000)  # as much as a deployment can choose
    return sync(asked, size=lambda _: size, stores=stores, services=rest_services())


def only(found: Sync) -> Synced:
    (one,) = found.conversations
    return one


def seqs(one: Synced) -> list[int]:
    return [entry.seq for entry in one.entries]


def test_a_named_conversation_gives_what_follows_in_order(stores: Simulated) -> None:
    stores.write("bob", *map(str, range(5)))
    one = only(run(stores, {DM: 2}))
    assert (one.head, seqs(one), one.has_more) == (5, [3, 4, 5], False)


def test_from_the_start_gives_all(stores: Simulated) -> None:
    stores.write("bob", "1", "2")
    assert seqs(only(run(stores, {DM: 0}))) == [1, 2]


def test_up_to_date_costs_one_query_and_says_where_the_head_is(stores: Simulated) -> None:
    stores.write("bob", "1", "2")
    one = only(run(stores, {DM: 2}))
    assert (one.head, seqs(one), stores.calls.reads(LOG)) == (2, [], 1)


def test_what_is_not_named_gives_its_head_only(stores: Simulated) -> None:
    stores.write("bob", "1", "2")
    one = only(run(stores, {}))
    assert (one.head, seqs(one), one.has_more) == (2, [], False)


def test_a_cursor_beyond_the_head_shows_the_true_head(stores: Simulated) -> None:
    stores.write("bob", "1", "2")
    one = only(run(stores, {DM: 9}))
    assert (one.head, seqs(one), one.has_more) == (2, [], False)


def test_a_conversation_without_entries_has_head_zero(stores: Simulated) -> None:
    stores.memberships.create(DM, ("alice", "bob"), joined_at=1)
    assert only(run(stores, {DM: 0})).head == 0
    assert only(run(stores, {})).head == 0


def test_what_is_written_between_the_two_reads_is_announced_as_more(stores: Simulated) -> None:
    stores.memberships.create(DM, ("alice", "bob"), joined_at=1)

    def meanwhile(_: str, request: Mapping[str, Any]) -> None:
        if request.get("ScanIndexForward") is False:
            stores.write("bob", "1")

    stores.calls.before = meanwhile
    one = only(run(stores, {DM: 0}))
    assert (one.head, seqs(one), one.has_more) == (1, [], True)


def test_conversations_of_others_and_of_nobody_are_refused_alike(stores: Simulated) -> None:
    stores.write("bob", "1", conversation_id="dm:bob:carol")
    found = run(stores, {"dm:bob:carol": 0, "dm:alice:nobody": 3})
    assert (found.conversations, found.refused) == ([], ["dm:alice:nobody", "dm:bob:carol"])


def test_a_page_is_bounded_and_says_that_there_is_more(stores: Simulated) -> None:
    stores.write("bob", *map(str, range(MAX_PAGE + 1)))
    one = only(run(stores, {DM: 0}))
    assert (one.head, len(one.entries), one.has_more) == (101, 100, True)
    exact = only(run(stores, {DM: 1}))
    assert (len(exact.entries), exact.has_more) == (100, False)


def test_what_does_not_fit_into_one_reply_comes_with_the_next(stores: Simulated) -> None:
    stores.write("bob", *map(str, range(10)))
    one = only(run(stores, {DM: 0}, size=30_000))
    assert (seqs(one), one.has_more) == ([1, 2, 3], True)


def test_a_conversation_without_room_is_left_out_and_announced(stores: Simulated) -> None:
    stores.write("bob", "1", "2", "3", "4")
    stores.write("carol", "1", conversation_id=OTHER)
    found = run(stores, {DM: 0, OTHER: 0}, size=50_000)
    assert [one.conversation_id for one in found.conversations] == [DM]
    assert found.has_more


def test_up_to_date_conversations_come_last_and_are_no_reason_to_sync_again(stores: Simulated) -> None:
    many = [f"dm:alice:{'u' * 100}{number:03}" for number in range(450)]
    for one in many:
        stores.write("bob", "1", conversation_id=one)
    stores.write("zed", "1", "2", conversation_id="dm:alice:zed")
    stores.write("zoe", "1", conversation_id="dm:alice:zoe")
    found = run(stores, {**dict.fromkeys(many, 1), "dm:alice:zed": 1})
    assert [one.conversation_id for one in found.conversations[:2]] == ["dm:alice:zed", "dm:alice:zoe"]
    assert len(found.conversations) < 452
    assert not found.has_more


def test_unread_leaves_out_the_users_own_messages(stores: Simulated) -> None:
    stores.write("bob", "1", "2")
    stores.write("alice", "3")
    stores.write("bob", "4")
    assert only(run(stores, {})).unread == 1
    assert only(run(stores, {}, user_id="bob")).unread == 0


def heads_of(stores: Simulated, held: Mapping[str, int] | None = None) -> tuple[list[str], int]:
    """All conversations that the frames of one round have, in the order of their replies, and how many frames."""
    seen: list[str] = []
    after: str | None = ""
    for frames in count(1):
        assert after is not None
        found = run(stores, held or {}, after=after)
        assert found.has_more == (found.next_after is not None)
        seen += [one.conversation_id for one in found.conversations]
        after = found.next_after
        if after is None:
            return seen, frames
    raise AssertionError


IDS = [f"dm:alice:u{one:04}" for one in range(1_700)]


@cache
def _made(number: int) -> Simulated:
    stores = simulated()
    for one in IDS[:number]:
        stores.write("u", "x", conversation_id=one)
    return stores


def many_conversations(number: int) -> tuple[Simulated, list[str]]:
    return simulated(_made(number)), IDS[:number]


def test_the_cursor_leads_through_all_heads_each_once_and_in_a_stable_order() -> None:
    stores, ids = many_conversations(1_700)
    assert heads_of(stores) == (ids, 4)


def test_a_page_of_heads_reads_no_logs_but_its_own() -> None:
    stores, _ = many_conversations(1_700)
    reads, members = stores.calls.reads(LOG), stores.calls.reads(MEMBERS)
    found = run(stores, {}, after="dm:alice:u0999")
    assert [one.conversation_id for one in found.conversations][::499] == ["dm:alice:u1000", "dm:alice:u1499"]
    by_the_first_entry_and_by_the_second = 2 * MAX_HEADS // LOOKED_UP
    assert stores.calls.reads(LOG) - reads == by_the_first_entry_and_by_the_second
    assert stores.calls.reads(MEMBERS) - members == 1


def test_named_conversations_are_answered_wherever_the_cursor_is() -> None:
    stores, ids = many_conversations(1_200)
    reads = stores.calls.reads(MEMBERS)
    found = run(stores, {ids[3]: 0, ids[1_100]: 0, "dm:alice:nobody": 4}, after=ids[600])
    assert [one.conversation_id for one in found.conversations[:3]] == [ids[3], ids[1_100], ids[601]]
    assert found.refused == ["dm:alice:nobody"]
    assert stores.calls.reads(MEMBERS) - reads == 2


def test_what_is_named_is_no_head_in_the_same_reply() -> None:
    stores, ids = many_conversations(900)
    found = run(stores, dict.fromkeys(ids[:500], 1))
    told = [one.conversation_id for one in found.conversations]
    assert (told[:400], found.next_after, found.has_more) == (ids[500:], None, False)


def test_heads_and_refusals_come_however_full_of_entries_a_reply_is() -> None:
    stores, ids = many_conversations(100)
    for one in ids[:50]:
        stores.write("u", *["x"] * 50, conversation_id=one)
    bogus = dict.fromkeys((f"dm:alice:{'n' * 200}{number}" for number in range(400)), 1)
    found = run(stores, {**dict.fromkeys(ids[:50], 1), **bogus}, size=5_000)
    heads = [one.conversation_id for one in found.conversations if not one.entries]
    assert heads == ids[50 : 50 + len(heads)]
    assert len(heads) > 30
    assert 200 < len(found.refused) < 400
    assert found.has_more


def test_of_many_named_those_are_read_that_the_reply_has_room_for_and_eight_at_first() -> None:
    stores, ids = many_conversations(400)
    reads = stores.calls.reads(LOG)
    found = run(stores, dict.fromkeys(reversed(ids), 0), size=20_000)
    assert [one.conversation_id for one in found.conversations] == ids[:-6:-1]
    looked_up = 1  # a hundred
    assert stores.calls.reads(LOG) - reads == looked_up + 8
    assert found.has_more


@settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(0, 260), min_size=1, max_size=8),
    held=st.lists(st.integers(0, 260), min_size=8, max_size=8),
    size=st.sampled_from([50, 3_000, 40_000]),
)
def test_a_sync_loop_ends_with_every_log_complete(lengths: list[int], held: list[int], size: int) -> None:
    stores = simulated()
    ids = [f"dm:alice:u{number}" for number in range(len(lengths))]
    for conversation_id, length in zip(ids, lengths, strict=True):
        stores.memberships.create(conversation_id, ("alice",), joined_at=1)
        stores.write("u", *map(str, range(length)), conversation_id=conversation_id)
    view = {one: min(start, length) for one, start, length in zip(ids, held, lengths, strict=False)}
    for _ in range(3 + sum(lengths)):
        found = run(stores, view, size=size)
        for one in found.conversations:
            assert seqs(one) == list(
                range(view[one.conversation_id] + 1, view[one.conversation_id] + 1 + len(seqs(one)))
            )
            view[one.conversation_id] += len(seqs(one))
        if not found.has_more and not any(one.has_more for one in found.conversations):
            break
    assert view == dict(zip(ids, lengths, strict=True))


@dataclass
class Scenario:
    """Bob connects and syncs while Alice sends: what he has seen must be everything."""

    stores: Simulated = field(default_factory=simulated)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    connected: bool = False
    synced: list[int] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)


class ConnectingGateway:
    """Answers "gone" for a connection whose $connect has not returned yet, as the real one does."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario

    def post(self, connection_ids: Sequence[str], data: bytes) -> Sequence[Posted]:
        if not self._scenario.connected:
            return [Posted(one, PostOutcome.GONE) for one in connection_ids]
        return self._scenario.gateway.post(connection_ids, data)

    def close(self, connection_id: str) -> None:
        self._scenario.gateway.close(connection_id)


def sending_while_connecting(*, missing: bool, age_ms: int) -> Callable[[Stepper], Scenario]:
    """`missing`: the registration was lost, so only the sync can bring it back. `age_ms`: how long $connect takes."""

    def build(stepper: Stepper) -> Scenario:
        scenario = Scenario()
        scenario.stores.write("alice", "before")
        clock = FakeClock()
        stores = scenario.stores.stepped(stepper, log=(), sessions=())
        gateway = stepper.wrap(ConnectingGateway(scenario))
        connection = opened("b1", Identity("bob", NEVER), device_id="", connected_at=clock() - age_ms)

        services = rest_services(gateway)
        context = make_context(clock, FakeNonces(), connection_limit=5)

        def bob() -> None:
            if not missing:
                open_connection(connection, limit=5, stores=stores, services=services, now=clock())
            stepper.wait_for_turn()
            scenario.connected = True
            known = stores.sessions.of(["bob"])
            ensure_registered(connection, known, stores=stores, services=services, context=context)
            found = sync(Catching("bob", {DM: 0}), size=lambda _: 9, stores=stores, services=services)
            scenario.synced += seqs(only(found))

        def alice() -> None:
            sent = send_message(
                SendMessage("alice", "now", to="bob", client_message_id="x", after=1),
                stores=stores,
                services=services,
                context=context,
            )
            assert isinstance(sent, Appended)
            scenario.sent.append(sent.entry.seq)

        stepper.add(bob)
        stepper.add(alice)
        return scenario

    return build


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("age_ms", [0, CONNECTING_MS + 1])
def test_who_connects_and_syncs_while_messages_are_written_misses_none_in_any_interleaving(
    missing: bool, age_ms: int
) -> None:
    tried = 0
    for scenario in explore(sending_while_connecting(missing=missing, age_ms=age_ms)):
        tried += 1
        live = [json.loads(data)["seq"] for data in scenario.gateway.received("b1")]
        seen = {*live, *scenario.synced}
        assert seen == {1, 2}, f"bob missed {({1, 2}) - seen}"
        assert scenario.sent == [2]
        if age_ms == 0:
            assert "b1" in scenario.stores.connections("bob")
    assert tried > 20


def test_a_group_says_where_its_member_joined(stores: Simulated) -> None:
    stores.write("bob", "1")
    place = found_group(stores, "alice", "bob")
    found = sync(Catching("alice", {}), size=lambda _: 9, stores=stores, services=rest_services())
    assert {one.conversation_id: one.joined_seq for one in found.conversations} == {DM: 0, place: 1}
