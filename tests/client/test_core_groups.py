"""Groups, case by case: where they start, how a membership ends, and how it begins again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from parley_client.events import (
    ConversationUpdated,
    Entry,
    LogEntry,
    MembersAdded,
    MembershipLost,
    MembersRemoved,
    Message,
    MessageDeleted,
    MessageEdited,
    Reaction,
    ReadReceipt,
)

from tests.client.bench import DM, Bench, block, entry
from tests.client.model import Frame

GROUP = "group:0123456789abcdef"


def change(kind: str, seq: int, user: str = "bob", **fields: Any) -> Frame:
    return {"type": kind, "conversation_id": GROUP, "seq": seq, "user_id": user, "timestamp": 1_000 + seq, **fields}


def said(seq: int) -> Frame:
    return entry(seq, where=GROUP)


def added(seq: int, *users: str) -> Frame:
    return change("member_added", seq, users=list(users or ("alice",)))


def removed(seq: int, *users: str) -> Frame:
    return change("member_removed", seq, users=list(users or ("alice",)))


def group(head: int, entries: list[Frame] | None = None, *, joined: int = 1, has_more: bool = False) -> Frame:
    return {**block(head, entries, where=GROUP, has_more=has_more), "joined_seq": joined}


# --- entries


def test_durable_changes_come_typed_and_in_their_place() -> None:
    bench = Bench().online(group(3))
    target: dict[str, Any] = {"message_seq": 3, "message_id": f"{GROUP}/3"}
    bench.receive(
        change("conversation_updated", 9, changes={"roles": {"carol": "admin"}}),
        change("conversation_updated", 8, changes={"name": "new"}),
        change("member_removed", 7, users=["dan"]),
        change("member_added", 6, users=["carol", "dan"]),
        change("reaction", 5, **target, emoji="👍", removed=False),
        change("message_edited", 4, **target, content="better"),
        change("message_deleted", 10, **target),
    )
    assert bench.events() == [
        MessageEdited(GROUP, 4, 3, "bob", "better", 1_004),
        Reaction(GROUP, 5, 3, "bob", "👍", False, 1_005),
        MembersAdded(GROUP, 6, "bob", ("carol", "dan"), None, 1_006),
        MembersRemoved(GROUP, 7, "bob", ("dan",), 1_007),
        ConversationUpdated(GROUP, 8, "bob", "new", {}, 1_008),
        ConversationUpdated(GROUP, 9, "bob", None, {"carol": "admin"}, 1_009),
        MessageDeleted(GROUP, 10, 3, "bob", 1_010),
    ]


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "message_edited", "message_seq": "x"},
        {"type": "reaction", "message_seq": 3},
        {"type": "member_added", "users": "bob"},
        {"type": "conversation_updated", "changes": ["name"]},
    ],
)
def test_an_entry_of_an_unknown_shape_keeps_its_place(frame: Frame) -> None:
    bench = Bench().online(group(3))
    bench.receive({**change("", 4), **frame}, said(5))
    first, second = bench.events()
    assert isinstance(first, LogEntry)
    assert isinstance(second, Message)


# --- where a group starts


def test_being_added_live_starts_the_group_there_without_asking() -> None:
    bench = Bench().online()
    bench.receive(added(500), said(501))
    assert bench.seqs() == [500, 501]
    assert bench.sent("sync") == []


def test_a_message_of_an_unknown_group_waits_for_the_servers_word_where_to_start() -> None:
    bench = Bench().online()
    bench.receive(said(501))
    assert bench.seqs() == []
    [first] = bench.sent("sync")
    assert GROUP not in first["conversations"]
    bench.reply(first, conversations=[group(501, joined=500)])
    assert bench.sent("sync")[1]["conversations"] == {GROUP: 499}
    bench.reply(bench.sent("sync")[1], conversations=[group(501, [added(500), said(501)], joined=500)])
    assert bench.seqs() == [500, 501]


def test_with_all_history_an_old_group_starts_with_the_own_joining() -> None:
    bench = Bench(history="all")
    bench.core.start()
    bench.core.connected(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[group(900, joined=898)])
    assert bench.sent("sync")[1]["conversations"] == {GROUP: 897}


def test_at_the_first_sync_a_group_starts_at_its_head() -> None:
    assert Bench().online(group(900, joined=5)).core.held(GROUP) == 900


def test_a_group_that_no_sync_confirms_is_not_the_users() -> None:
    bench = Bench().online()
    bench.receive(said(7))
    bench.reply(bench.sent("sync")[0], conversations=[])
    bench.wait(60)
    assert bench.seqs() == []
    assert len(bench.sent("sync")) == 1


# --- the end of a membership


def test_the_own_removal_is_the_last_entry_and_said_once() -> None:
    bench = Bench().online(group(3))
    bench.receive(said(4), removed(5), said(6))
    events = bench.events()
    assert [event.seq for event in events if isinstance(event, Entry)] == [4, 5]
    assert events[2:] == [MembershipLost(GROUP)]
    bench.reply(bench.sent("sync")[0], conversations=[], refused=[])
    bench.core.sync(bench.now)
    assert bench.sent("sync")[1]["conversations"] == {}
    bench.reply(bench.sent("sync")[1], conversations=[])
    assert bench.events() == []


def test_the_removal_of_somebody_else_ends_nothing() -> None:
    bench = Bench().online(group(3))
    bench.receive(removed(4, "carol"), said(5))
    assert bench.seqs() == [4, 5]


def test_an_answer_from_before_the_removal_does_not_revive_the_group() -> None:
    bench = Bench().online(group(3))
    bench.core.sync(bench.now)
    bench.receive(removed(4))
    bench.reply(bench.sent("sync")[0], conversations=[group(3)])
    assert [type(event) for event in bench.events()] == [MembersRemoved, MembershipLost]
    bench.receive(said(5))
    assert bench.seqs() == []


def test_a_receipt_that_is_overtaken_by_the_own_removal_is_not_told_and_those_after_joining_again_are() -> None:
    bench = Bench().online(group(3))
    receipt = {"type": "read", "conversation_id": GROUP, "user_id": "bob", "seq": 3, "timestamp": 1}
    bench.receive(receipt, removed(4), receipt, {"type": "typing", "conversation_id": GROUP, "user_id": "bob"})
    assert [type(event) for event in bench.events()] == [ReadReceipt, MembersRemoved, MembershipLost]
    bench.receive(added(9), receipt)
    assert [type(event) for event in bench.events()] == [MembersAdded, ReadReceipt]


def test_being_added_again_goes_on_there_and_repeats_nothing() -> None:
    bench = Bench().online(group(3))
    bench.receive(removed(4), added(9), said(10))
    events = bench.events()
    assert [event.seq for event in events if isinstance(event, Entry)] == [4, 9, 10]
    assert events[1] == MembershipLost(GROUP)


def test_a_sync_that_shows_the_group_again_goes_on_where_the_user_joined() -> None:
    bench = Bench().online(group(3))
    bench.receive(removed(4))
    bench.events()
    bench.cut()
    bench.reconnect(group(12, joined=9))
    assert bench.sent("sync")[-1]["conversations"] == {GROUP: 8}
    bench.reply(bench.sent("sync")[-1], conversations=[group(12, [added(9), said(10)], joined=9, has_more=True)])
    assert bench.seqs() == [9, 10]


def test_removed_and_added_again_while_away_shows_both_and_nothing_between() -> None:
    bench = Bench().online(group(3))
    bench.cut()
    bench.reconnect(group(8, [said(4), removed(5), said(6), added(7), said(8)], joined=7))
    events = bench.events()
    assert [event.seq for event in events if isinstance(event, Entry)] == [4, 5, 7, 8]
    assert MembershipLost(GROUP) in events


def test_a_server_that_withholds_what_was_before_the_joining_is_followed() -> None:
    bench = Bench().online(group(3))
    bench.cut()
    bench.reconnect(group(8, [added(7), said(8)], joined=7))
    assert bench.seqs() == [7, 8]


def test_a_refusal_that_is_older_than_what_has_come_since_is_asked_again() -> None:
    bench = Bench().online(group(3))
    bench.core.sync(bench.now)
    bench.receive(said(4))
    bench.reply(bench.sent("sync")[0], conversations=[], refused=[GROUP])
    assert [type(event) for event in bench.events()] == [Message]
    assert bench.sent("sync")[1]["conversations"] == {GROUP: 4}


def test_a_message_that_is_examined_when_the_membership_ends_is_left_to_the_server() -> None:
    bench = Bench().online(group(3))
    bench.core.send("hi", bench.now, conversation_id=GROUP)
    bench.refuse(bench.sent("message")[0], "sync_required")
    bench.receive(removed(4))
    bench.refuse(bench.sent("message")[1], "not_a_member")
    assert bench.errors() == ["not_a_member"]


def test_a_restart_knows_that_a_membership_is_over_and_does_not_say_it_again() -> None:
    bench = Bench().online(group(3), block(1))
    bench.receive(removed(4))
    bench.events()
    other = Bench(state=json.loads(json.dumps(bench.core.state())))
    other.core.start()
    other.core.connected(other.now)
    assert other.sent("sync")[0]["conversations"] == {DM: 1}
    other.reply(other.sent("sync")[0], conversations=[group(12, joined=9), block(1)])
    assert other.sent("sync")[1]["conversations"] == {GROUP: 8}
    assert not any(isinstance(event, MembershipLost) for event in other.events())


def test_a_state_of_before_groups_is_read() -> None:
    old = {"version": 1, "user_id": "alice", "synced": True, "conversations": {DM: 3}, "outbox": [], "cursors": []}
    assert Bench(state=old).core.held(DM) == 3
