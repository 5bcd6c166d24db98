"""The core, case by case: what it sends, when, and what the application gets."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from parley_client.core import Core
from parley_client.effects import Connect, Disconnect, Done, Failed
from parley_client.errors import ClosedError, DisconnectedError, ParleyError
from parley_client.events import (
    Ack,
    ConnectionChanged,
    Delivered,
    LogEntry,
    MembershipLost,
    Message,
    ReadReceipt,
    SendFailed,
    Typing,
)

from tests.client.bench import DM, Bench, block, entry
from tests.client.model import Frame

# --- the stream


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_entries_come_in_order_however_they_arrive() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(6), entry(5), entry(4))
    assert bench.seqs() == [4, 5, 6]


def test_an_entry_that_comes_twice_is_seen_once() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(4), entry(4), entry(5), entry(3), entry(4))
    assert bench.seqs() == [4, 5]


def test_a_gap_is_asked_for_from_what_is_held_after_a_moment_for_overtaking_posts() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(5))
    assert bench.sent("sync") == []
    bench.wait(0.25)
    assert [frame["conversations"] for frame in bench.sent("sync")] == [{DM: 3}]


def test_a_gap_that_closes_by_itself_costs_no_sync() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(5))
    bench.wait(0.1)
    bench.receive(entry(4))
    bench.wait(10)
    assert bench.sent("sync") == []
    assert bench.seqs() == [4, 5]


def test_a_sync_fills_a_gap_and_what_waited_follows() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(6))
    bench.wait(0.25)
    bench.reply(bench.sent("sync")[0], conversations=[block(6, [entry(4), entry(5), entry(6)])])
    assert bench.seqs() == [4, 5, 6]


def test_pages_are_asked_for_until_there_is_no_more() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(8))
    bench.wait(0.25)
    bench.reply(bench.sent("sync")[0], conversations=[block(8, [entry(4), entry(5)], has_more=True)])
    assert bench.sent("sync")[1]["conversations"] == {DM: 5}
    bench.reply(bench.sent("sync")[1], conversations=[block(8, [entry(6), entry(7)], has_more=True)])
    assert bench.seqs() == [4, 5, 6, 7, 8]


def test_a_sync_that_brings_nothing_is_repeated_at_growing_intervals_only() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(9))
    for _ in range(50):
        bench.wait(1)
        for frame in bench.sent("sync"):
            bench.reply(frame, conversations=[block(9)])
    assert 3 < len(bench.sent("sync")) < 10


def test_kinds_of_entries_that_are_not_known_take_their_place_in_the_order() -> None:
    bench = Bench().online(block(3))
    bench.receive({"type": "from_the_future", "conversation_id": DM, "seq": 5}, entry(4), entry(6))
    assert [(event.seq, type(event)) for event in bench.events() if isinstance(event, Message | LogEntry)] == [
        (4, Message),
        (5, LogEntry),
        (6, Message),
    ]


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_a_receipt_is_no_entry_though_it_has_a_seq(kind: str) -> None:
    bench = Bench().online(block(3))
    bench.receive({"type": kind, "conversation_id": DM, "user_id": "bob", "seq": 4, "timestamp": 7})
    assert [event.seq for event in bench.events() if isinstance(event, ReadReceipt | Delivered)] == [4]
    bench.receive(entry(4))
    assert bench.seqs() == [4]


def test_receipts_and_typing_do_not_wait_for_entries() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(5), {"type": "typing", "conversation_id": DM, "user_id": "bob", "active": True})
    bench.receive({"type": "read", "conversation_id": DM, "user_id": "bob", "seq": 5})
    assert bench.events() == [Typing(DM, "bob", True), ReadReceipt(DM, "bob", 5)]


@pytest.mark.parametrize(
    "frame",
    [
        {},
        {"type": 7},
        {"message": "Internal server error", "connectionId": "x", "requestId": "y"},
        {"success": True, "id": 3, "data": {}},
        {"success": True, "id": "999", "data": {}},
        {"success": "yes"},
        {"type": "new_message", "conversation_id": DM, "seq": 4},
        {"type": "new_message", "conversation_id": DM, "seq": True, "message": {"content": "x"}},
        {"type": "new_message", "conversation_id": 5, "seq": 4, "message": {"content": "x"}},
        {"type": "new_message", "conversation_id": DM, "seq": -4, "message": {"content": "x"}},
        {"type": "presence"},
        {"type": "read", "conversation_id": DM, "seq": "x"},
    ],
)
def test_a_frame_that_makes_no_sense_changes_nothing(frame: Frame) -> None:
    bench = Bench().online(block(3))
    bench.receive(frame, entry(4))
    assert bench.seqs() == [4]
    assert bench.core.connection == "online"


# --- where a conversation starts


def test_at_the_first_sync_a_conversation_starts_at_its_head() -> None:
    bench = Bench().online(block(40))
    assert bench.core.held(DM) == 40
    bench.receive(entry(41))
    assert bench.seqs() == [41]


def test_with_all_history_it_starts_at_its_beginning() -> None:
    bench = Bench(history="all")
    bench.core.start()
    bench.core.connected(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[block(2)])
    bench.reply(bench.sent("sync")[1], conversations=[block(2, [entry(1), entry(2)])])
    assert bench.sent("sync")[1]["conversations"] == {DM: 0}
    assert bench.seqs() == [1, 2]


def test_what_came_live_before_the_first_sync_was_answered_is_no_history(bench: Bench) -> None:
    bench.core.start()
    bench.core.connected(bench.now)
    bench.receive(entry(41))
    bench.reply(bench.sent("sync")[0], conversations=[block(42)])
    assert bench.seqs() == [41]
    bench.reply(bench.sent("sync")[1], conversations=[block(42, [entry(42)])])
    assert bench.sent("sync")[1]["conversations"] == {DM: 41}
    assert bench.seqs() == [42]


def test_a_conversation_that_appears_later_starts_at_its_beginning() -> None:
    bench = Bench().online()
    bench.receive(entry(3))
    bench.wait(0.25)
    bench.reply(bench.sent("sync")[0], conversations=[block(3, [entry(1), entry(2), entry(3)])])
    assert bench.sent("sync")[0]["conversations"] == {DM: 0}
    assert bench.seqs() == [1, 2, 3]


def test_a_conversation_that_the_first_round_left_out_but_came_live_starts_at_its_beginning(bench: Bench) -> None:
    bench.core.start()
    bench.core.connected(bench.now)
    bench.receive(entry(2))
    bench.reply(bench.sent("sync")[0], conversations=[])
    bench.reply(bench.sent("sync")[1], conversations=[block(2, [entry(1), entry(2)])])
    assert bench.seqs() == [1, 2]


def test_a_conversation_that_a_later_sync_shows_is_fetched_from_its_beginning() -> None:
    bench = Bench().online()
    bench.core.sync(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[block(2)])
    assert bench.sent("sync")[1]["conversations"] == {DM: 0}


def test_after_a_restart_a_conversation_that_came_meanwhile_starts_at_its_beginning() -> None:
    bench = Bench(state=Bench().online().core.state())
    bench.core.start()
    bench.core.connected(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[block(2)])
    assert bench.sent("sync")[1]["conversations"] == {DM: 0}


def test_the_ack_of_an_old_message_does_not_say_where_to_start(bench: Bench) -> None:
    bench.core.start()
    bench.core.connected(bench.now)
    bench.send("hi", client_message_id="mine", after=7)
    bench.refuse(bench.sent("sync")[0], "unavailable", retryable=True)
    bench.ack(bench.sent("message")[0], 8, duplicate=True)
    bench.wait(2)
    bench.reply(bench.sent("sync")[1], conversations=[block(3_000)])
    assert bench.core.held(DM) == 3_000


# --- rounds


def test_a_reconnect_asks_from_where_each_conversation_is_held() -> None:
    bench = Bench().online(block(3), block(9, where="dm:alice:carol"))
    bench.cut()
    bench.reconnect(block(5, [entry(4), entry(5)]))
    assert bench.sent("sync")[0]["conversations"] == {DM: 3, "dm:alice:carol": 9}
    assert bench.seqs() == [4, 5]


def test_what_a_reply_left_out_is_asked_for_again_naming_what_is_known() -> None:
    others = [block(1, where=f"dm:alice:u{number}") for number in range(3)]
    bench = Bench()
    bench.core.start()
    bench.core.connected(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=others[:2], has_more=True)
    assert bench.sent("sync")[1]["conversations"] == {"dm:alice:u0": 1, "dm:alice:u1": 1}
    bench.reply(bench.sent("sync")[1], conversations=others[2:], has_more=False)
    assert len(bench.sent("sync")) == 2
    assert bench.core.held("dm:alice:u2") == 1


def test_a_server_that_always_has_more_but_never_sends_it_is_not_asked_for_ever(bench: Bench) -> None:
    bench.core.start()
    bench.core.connected(bench.now)
    for number in range(2):
        bench.reply(bench.sent("sync")[number], conversations=[block(1)], has_more=True)
    bench.wait(60)
    assert len(bench.sent("sync")) == 2


def test_a_request_never_outgrows_a_frame() -> None:
    many = [block(1, where=f"dm:alice:{'u' * 120}{number:04}") for number in range(600)]
    bench = Bench().online(*many)
    bench.core.sync(bench.now)
    [frame] = bench.sent("sync")
    assert 100 < len(frame["conversations"]) <= 500
    assert len(json.dumps(frame)) < 32_000


def test_sync_ends_when_everything_has_come() -> None:
    bench = Bench().online(block(3))
    call = bench.core.sync(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[block(6, [entry(4)], has_more=True)])
    assert bench.results() == []
    bench.reply(bench.sent("sync")[1], conversations=[block(6, [entry(5), entry(6)])])
    assert bench.results() == [Done(call)]


def test_sync_is_not_satisfied_by_an_answer_that_is_older_than_the_question() -> None:
    bench = Bench().online(block(3))
    first = bench.core.sync(bench.now)
    second = bench.core.sync(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[])
    assert bench.results() == []
    bench.reply(bench.sent("sync")[1], conversations=[])
    assert bench.results() == [Done(first), Done(second)]


def test_a_refused_sync_is_repeated_later_and_keeps_nobody_from_sending(bench: Bench) -> None:
    bench.core.start()
    bench.core.connected(bench.now)
    bench.send()
    assert bench.sent("message") == []
    bench.refuse(bench.sent("sync")[0], "unavailable", retryable=True, retry_after_ms=2_000)
    assert len(bench.sent("message")) == 1
    bench.wait(2.4)
    assert len(bench.sent("sync")) == 1
    bench.wait(0.2)
    assert len(bench.sent("sync")) == 2


def test_a_conversation_one_is_no_longer_in_is_not_asked_for_again_until_it_is_heard_of() -> None:
    bench = Bench().online(block(3))
    bench.core.sync(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[], refused=[DM])
    assert bench.events() == [MembershipLost(DM)]
    bench.core.sync(bench.now)
    assert bench.sent("sync")[1]["conversations"] == {}
    bench.reply(bench.sent("sync")[1], conversations=[])
    bench.receive(entry(4))
    assert bench.seqs() == [4]


def test_a_log_that_ends_before_what_is_held_stops_the_client_with_a_reason() -> None:
    bench = Bench(state={"version": 1, "user_id": "alice", "synced": True, "conversations": {DM: 50}} | EMPTY)
    bench.core.start()
    bench.core.connected(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[block(3)])
    assert bench.core.connection == "stopped"
    assert bench.core.error is not None
    assert bench.core.error.code == "log_lost"


EMPTY: Frame = {"outbox": [], "cursors": []}

# --- sending


def test_a_message_goes_out_with_what_is_held_and_its_ack_ends_the_call() -> None:
    bench = Bench().online(block(3))
    call = bench.send("hi")
    [frame] = bench.sent("message")
    assert {name: value for name, value in frame.items() if name != "id"} == {
        "type": "message",
        "to": "bob",
        "content": "hi",
        "message_type": "text",
        "client_message_id": "id-0",
        "after": 3,
    }
    bench.ack(frame, 4)
    assert bench.results() == [Done(call, Ack(DM, 4, f"{DM}/4", "id-0", 1_004, duplicate=False))]
    assert bench.core.unacked == ()


def test_optional_fields_go_along() -> None:
    bench = Bench().online(block(3))
    bench.send("see", message_type="image", reply_to=2, mentions=["bob", "bob"], file_id="f1")
    [frame] = bench.sent("message")
    assert (frame["message_type"], frame["reply_to"], frame["mentions"], frame["file_id"]) == (
        "image",
        2,
        ["bob"],
        "f1",
    )


def test_an_acknowledged_message_takes_its_place_in_the_stream_as_others_see_it() -> None:
    bench = Bench().online(block(3))
    bench.send("hi", reply_to=2)
    [frame] = bench.sent("message")
    bench.ack(frame, 4)
    bench.receive(entry(4, "alice", content="hi", client_message_id="id-0"), entry(5))
    own, other = bench.events()
    assert isinstance(own, Message)
    assert (own.seq, own.sender_id, own.content, own.reply_to, own.id) == (4, "alice", "hi", 2, f"{DM}/4")
    assert isinstance(other, Message)


def test_an_ack_beyond_a_gap_waits_for_what_is_missing() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.ack(bench.sent("message")[0], 5)
    assert bench.seqs() == []
    bench.wait(0.25)
    bench.reply(bench.sent("sync")[0], conversations=[block(5, [entry(4), entry(5, "alice", content="hi")])])
    assert bench.seqs() == [4, 5]


def test_messages_of_one_conversation_go_out_one_after_the_other_others_meanwhile() -> None:
    bench = Bench().online(block(3))
    bench.send("one")
    bench.send("two")
    bench.send("elsewhere", to="carol")
    assert [frame["content"] for frame in bench.sent("message")] == ["one", "elsewhere"]
    bench.ack(bench.sent("message")[0], 4)
    assert [(frame["content"], frame["after"]) for frame in bench.sent("message")][2:] == [("two", 4)]


def test_to_a_user_and_into_their_conversation_is_one_line() -> None:
    bench = Bench().online(block(3))
    bench.send("one")
    bench.core.send("two", bench.now, conversation_id=DM)
    assert [frame["content"] for frame in bench.sent("message")] == ["one"]


def test_after_a_cut_the_same_message_goes_out_with_its_first_after_however_much_has_come_since() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.receive(entry(4), entry(5))
    bench.cut()
    bench.reconnect(block(6, [entry(6)]))
    first, again = bench.sent("message")
    assert {**first, "id": again["id"]} == again
    assert again["after"] == 3


def test_a_message_that_was_never_tried_goes_out_with_the_latest_after() -> None:
    bench = Bench().online(block(3))
    bench.cut()
    bench.send("written offline")
    bench.reconnect(block(5, [entry(4), entry(5)]))
    assert [frame["after"] for frame in bench.sent("message")] == [5]


def test_a_message_that_the_sync_after_a_cut_finds_is_not_sent_again() -> None:
    bench = Bench().online(block(3))
    call = bench.send("hi")
    bench.cut()
    bench.reconnect(block(4, [entry(4, "alice", content="hi", client_message_id="id-0")]))
    assert len(bench.sent("message")) == 1
    assert bench.results() == [Done(call, Ack(DM, 4, f"{DM}/4", "id-0", 1_004, duplicate=False))]


def test_the_same_id_of_somebody_else_is_no_ack() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.receive(entry(4, "bob", content="hi", client_message_id="id-0"))
    assert bench.results() == []


def test_own_entry_that_reads_differently_is_left_to_the_server() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.receive(entry(4, "alice", content="edited since", client_message_id="id-0"))
    assert bench.results() == []
    bench.cut()
    bench.reconnect(block(4))
    bench.ack(bench.sent("message")[-1], 4, duplicate=True)
    assert [type(result) for result in bench.results()] == [Done]


def test_an_older_message_with_the_same_id_does_not_hold_up_the_delivery_check() -> None:
    bench = Bench().online(block(3))
    bench.send("hi", client_message_id="mine", after=2)
    bench.receive(entry(2, "alice", content="of another device", client_message_id="mine"))
    bench.refuse(bench.sent("message")[0], "sync_required")
    bench.reply(bench.sent("sync")[0], conversations=[block(5, [entry(3), entry(4), entry(5)])])
    assert [frame["after"] for frame in bench.sent("message")] == [2, 5]


def test_a_late_ack_of_what_was_found_already_changes_nothing() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.receive(entry(4, "alice", content="hi", client_message_id="id-0"))
    bench.ack(bench.sent("message")[0], 4)
    assert len(bench.results()) == 1
    assert bench.seqs() == [4]


def test_a_refusal_that_may_pass_is_tried_again_after_what_the_server_asks_and_some_jitter() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.refuse(bench.sent("message")[0], "rate_limited", retryable=True, retry_after_ms=3_000)
    bench.wait(3.4)
    assert len(bench.sent("message")) == 1
    bench.wait(0.2)
    first, again = bench.sent("message")
    assert {**first, "id": again["id"]} == again


def test_after_many_such_refusals_the_send_fails_and_says_that_later_may_be_better() -> None:
    bench = Bench(max_attempts=3).online(block(3))
    call = bench.send("hi")
    for _ in range(3):
        bench.refuse(bench.sent("message")[-1], "unavailable", retryable=True)
        bench.wait(5)
    [failed] = bench.results()
    assert isinstance(failed, Failed)
    assert (failed.call, failed.error.code, failed.error.retryable) == (call, "unavailable", True)
    assert len(bench.sent("message")) == 3


@pytest.mark.parametrize("code", ["not_a_member", "blocked", "conflict", "bad_request", "too_large"])
def test_a_refusal_for_good_fails_the_send_and_lets_the_next_go(code: str) -> None:
    bench = Bench().online(block(3))
    bench.send("one")
    bench.send("two")
    bench.refuse(bench.sent("message")[0], code)
    assert bench.errors() == [code]
    assert [frame["content"] for frame in bench.sent("message")] == ["one", "two"]


def test_no_answer_in_time_means_the_same_message_again_and_a_question_whether_the_server_lives() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.wait(16)
    first, again = bench.sent("message")
    assert {**first, "id": again["id"]} == again
    assert len(bench.sent("ping")) == 1


def test_a_malformed_ack_is_no_ack() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.reply(bench.sent("message")[0], type="message", seq="four")
    assert bench.results() == []
    bench.wait(1)
    assert len(bench.sent("message")) == 2


def test_both_to_and_conversation_or_neither_is_refused_here() -> None:
    bench = Bench().online()
    for where in ({"to": "bob", "conversation_id": DM}, {"to": None}):
        with pytest.raises(ParleyError, match="bad_request"):
            bench.send("hi", **where)


@pytest.mark.parametrize(("content", "code"), [("x" * 40_000, "too_large"), ("\ud800", "bad_request")])
def test_what_would_cost_the_connection_is_refused_here(content: str, code: str) -> None:
    bench = Bench().online()
    with pytest.raises(ParleyError, match=code):
        bench.send(content)
    assert bench.core.unacked == ()


def test_a_full_outbox_takes_no_more() -> None:
    bench = Bench(max_outbox=2).online()
    bench.send()
    bench.send()
    with pytest.raises(ParleyError, match="outbox_full") as refusal:
        bench.send()
    assert refusal.value.retryable


def test_an_id_that_was_acknowledged_here_gets_its_ack_again_without_the_server() -> None:
    bench = Bench().online(block(3))
    bench.send("hi", client_message_id="mine")
    bench.ack(bench.sent("message")[0], 4)
    bench.send("hi", client_message_id="mine")
    bench.send("something else", client_message_id="mine")
    first, second, third = bench.results()
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert second.value == Ack(DM, 4, f"{DM}/4", "mine", 1_004, duplicate=True)
    assert isinstance(third, Failed)
    assert third.error.code == "conflict"
    assert len(bench.sent("message")) == 1


def test_twenty_sends_of_one_id_are_one_request() -> None:
    bench = Bench().online(block(3))
    for _ in range(20):
        bench.send("hi", client_message_id="mine")
    bench.ack(bench.sent("message")[0], 4)
    acks = [result.value for result in bench.results() if isinstance(result, Done)]
    assert [ack.seq for ack in acks] == [4] * 20
    assert [ack.duplicate for ack in acks] == [False] + [True] * 19
    assert len(bench.sent("message")) == 1


def test_the_after_of_an_earlier_attempt_can_be_given() -> None:
    bench = Bench().online(block(30))
    bench.send("hi", client_message_id="mine", after=7)
    assert bench.sent("message")[0]["after"] == 7


def test_an_id_that_is_sent_again_after_failing_keeps_the_after_of_its_first_attempt() -> None:
    bench = Bench(max_attempts=1).online(block(3))
    bench.send("hi", client_message_id="mine")
    bench.receive(entry(4), entry(5))
    bench.send("hi", client_message_id="mine")
    bench.refuse(bench.sent("message")[0], "internal", retryable=True)
    bench.refuse(bench.sent("message")[1], "internal", retryable=True)
    bench.send("hi", client_message_id="mine")
    assert [frame["after"] for frame in bench.sent("message")] == [3, 3, 3]


# --- sync_required


def test_sync_required_looks_through_what_follows_and_sends_again_behind_that() -> None:
    bench = Bench().online(block(3))
    bench.cut()
    bench.send("hi")
    bench.reconnect(block(5))
    bench.refuse(bench.sent("message")[0], "sync_required")
    assert len(bench.sent("message")) == 1
    look = bench.sent("sync")[-1]
    assert look["conversations"] == {DM: 3}
    bench.reply(look, conversations=[block(6, [entry(4), entry(5)], has_more=True)])
    look = bench.sent("sync")[-1]
    assert look["conversations"] == {DM: 5}
    bench.reply(look, conversations=[block(6, [entry(6)])])
    assert [frame["after"] for frame in bench.sent("message")] == [3, 6]


def test_a_message_that_this_look_finds_is_acknowledged() -> None:
    bench = Bench().online(block(3))
    call = bench.send("hi")
    bench.refuse(bench.sent("message")[0], "sync_required")
    bench.reply(
        bench.sent("sync")[-1], conversations=[block(4, [entry(4, "alice", content="hi", client_message_id="id-0")])]
    )
    assert [result.call for result in bench.results() if isinstance(result, Done)] == [call]
    assert len(bench.sent("message")) == 1


def test_this_look_begins_at_the_messages_own_after_even_where_the_stream_started_later() -> None:
    bench = Bench().online(block(3_000))
    bench.send("hi", client_message_id="mine", after=7)
    bench.refuse(bench.sent("message")[0], "sync_required")
    look = bench.sent("sync")[-1]
    assert look["conversations"] == {DM: 7}
    bench.reply(look, conversations=[block(3_000, [entry(8)], has_more=True)])
    assert bench.sent("sync")[-1]["conversations"] == {DM: 8}
    assert bench.seqs() == []


def test_it_never_goes_out_behind_an_entry_with_its_own_id() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.refuse(bench.sent("message")[0], "sync_required")
    edited = entry(5, "alice", content="edited since", client_message_id="id-0")
    bench.reply(bench.sent("sync")[-1], conversations=[block(6, [entry(4), edited, entry(6)])])
    assert [frame["after"] for frame in bench.sent("message")] == [3, 4]


def test_an_answer_to_an_older_question_does_not_end_the_look() -> None:
    bench = Bench().online(block(3_000))
    bench.send("hi", client_message_id="mine", after=7)
    bench.core.sync(bench.now)
    older = bench.sent("sync")[-1]
    bench.refuse(bench.sent("message")[0], "sync_required")
    bench.reply(older, conversations=[block(3_000)])
    assert len(bench.sent("message")) == 1
    assert bench.sent("sync")[-1]["conversations"] == {DM: 7}


def test_a_cut_during_the_look_starts_over_with_the_message_as_it_was() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.refuse(bench.sent("message")[0], "sync_required")
    bench.cut()
    bench.reconnect(block(3))
    assert [frame["after"] for frame in bench.sent("message")] == [3, 3]


def test_a_cut_during_a_look_into_history_catches_up_from_what_is_held() -> None:
    bench = Bench().online(block(3_000))
    bench.send("hi", client_message_id="mine", after=7)
    bench.refuse(bench.sent("message")[0], "sync_required")
    bench.cut()
    bench.reconnect(block(3_000))
    assert bench.sent("sync")[-1]["conversations"] == {DM: 3_000}


def test_a_look_into_a_conversation_one_was_removed_from_ends_with_the_servers_word() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.refuse(bench.sent("message")[0], "sync_required")
    bench.reply(bench.sent("sync")[-1], conversations=[], refused=[DM])
    bench.refuse(bench.sent("message")[1], "not_a_member")
    assert bench.errors() == ["not_a_member"]


# --- who am I


def test_without_knowing_the_own_user_a_message_is_found_by_sync_after_its_ack() -> None:
    bench = Bench(user_id=None).online()
    call = bench.send("hi")
    [frame] = bench.sent("message")
    assert frame["after"] == 0
    bench.ack(frame, 1)
    assert [result.call for result in bench.results()] == [call]
    bench.reply(bench.sent("sync")[-1], conversations=[block(1, [entry(1, "alice", content="hi")])])
    assert bench.seqs() == [1]
    bench.send("again")
    assert bench.sent("message")[-1]["after"] == 1


def test_learning_the_own_user_joins_the_lines_in_the_order_of_writing() -> None:
    bench = Bench(user_id=None)
    bench.core.send("one", bench.now, conversation_id=DM)
    bench.send("two")
    bench.core.identify("alice")
    bench.online(block(3))
    assert [item.lane for item in bench.core.unacked] == [DM, DM]


def test_another_users_token_or_state_is_refused() -> None:
    bench = Bench().online(block(3))
    with pytest.raises(ParleyError, match="wrong_user"):
        bench.core.identify("bob")
    with pytest.raises(ParleyError, match="wrong_user"):
        Bench(user_id="bob", state=bench.core.state())


# --- cursors


def test_read_is_sent_once_and_again_after_a_cut_until_it_is_confirmed() -> None:
    bench = Bench().online(block(3))
    call = bench.core.mark("read", DM, 3, bench.now)
    bench.cut()
    bench.reconnect(block(3))
    first, again = bench.sent("read")
    assert {**first, "id": again["id"]} == again
    bench.reply(again, type="read", conversation_id=DM, seq=3)
    assert bench.results() == [Done(call)]


def test_cursors_coalesce_while_one_is_under_way() -> None:
    bench = Bench().online(block(9))
    calls = [bench.core.mark("read", DM, seq, bench.now) for seq in (3, 5, 4, 9)]
    assert [frame["seq"] for frame in bench.sent("read")] == [3]
    bench.reply(bench.sent("read")[0])
    assert [frame["seq"] for frame in bench.sent("read")] == [3, 9]
    bench.reply(bench.sent("read")[1])
    assert {result.call for result in bench.results()} == set(calls)


def test_a_cursor_that_is_there_already_costs_nothing() -> None:
    bench = Bench().online(block(9))
    bench.core.mark("read", DM, 9, bench.now)
    bench.reply(bench.sent("read")[0])
    bench.core.mark("read", DM, 5, bench.now)
    assert len(bench.sent("read")) == 1
    assert len(bench.results()) == 2


def test_a_refused_cursor_fails_its_call_and_no_later_one() -> None:
    bench = Bench().online(block(9))
    bench.core.mark("read", DM, 99, bench.now)
    bench.core.mark("read", DM, 100, bench.now)
    bench.refuse(bench.sent("read")[0], "bad_request")
    assert bench.errors() == ["bad_request"]
    assert [frame["seq"] for frame in bench.sent("read")] == [99, 100]


def test_a_cursor_is_tried_again_after_a_refusal_that_may_pass() -> None:
    bench = Bench().online(block(9))
    bench.core.mark("read", DM, 9, bench.now)
    bench.refuse(bench.sent("read")[0], "unavailable", retryable=True, retry_after_ms=1_000)
    bench.wait(2)
    assert len(bench.sent("read")) == 2


def test_what_the_application_took_is_reported_as_delivered_once_per_while_and_conversation() -> None:
    bench = Bench(auto_delivered=True).online(block(3))
    bench.receive(entry(4), entry(5), entry(6))
    bench.core.next_event(bench.now)
    bench.core.next_event(bench.now)
    assert bench.sent("delivered") == []
    bench.wait(1.1)
    assert [(frame["conversation_id"], frame["seq"]) for frame in bench.sent("delivered")] == [(DM, 5)]


def test_reading_implies_delivery() -> None:
    bench = Bench(auto_delivered=True).online(block(3))
    bench.receive(entry(4))
    bench.events()
    bench.core.mark("read", DM, 4, bench.now)
    bench.wait(5)
    assert len(bench.sent("read")) == 1
    assert bench.sent("delivered") == []


def test_own_messages_are_not_reported_as_delivered() -> None:
    bench = Bench(auto_delivered=True).online(block(3))
    bench.receive(entry(4, "alice"))
    bench.events()
    bench.wait(5)
    assert bench.sent("delivered") == []


# --- the connection


def test_reconnecting_backs_off_with_jitter_and_starts_over_once_the_server_has_answered(bench: Bench) -> None:
    bench.core.start()
    pauses = []
    for _ in range(7):
        bench.cut()
        [offline] = [event for event in bench.events() if isinstance(event, ConnectionChanged) and event.retry_in]
        pauses.append(offline.retry_in)
        bench.wait(60)
    assert pauses == [0.5, 1, 2, 4, 8, 15, 15]  # half of 1, 2, 4 … 30 seconds: the bench always draws 0.5
    bench.core.connected(bench.now)
    bench.reply(bench.sent("sync")[-1], conversations=[])
    bench.events()
    bench.cut()
    [offline] = [event for event in bench.events() if isinstance(event, ConnectionChanged)]
    assert offline.retry_in == 0.5


def test_the_application_sees_the_connection_come_and_go(bench: Bench) -> None:
    bench.core.start()
    bench.core.connected(bench.now)
    bench.cut()
    states = [event.state for event in bench.events() if isinstance(event, ConnectionChanged)]
    assert states == ["connecting", "online", "offline"]


def test_a_heartbeat_names_the_open_conversation_and_behind_means_a_sync() -> None:
    bench = Bench(heartbeat=100).online(block(3), block(9, where="dm:alice:carol"))
    bench.core.open_conversation = DM
    bench.wait(100)
    [ping] = bench.sent("ping")
    assert (ping["conversation_id"], ping["seq"]) == (DM, 3)
    bench.reply(ping, type="pong", timestamp=1, behind=True)
    assert bench.sent("sync")[-1]["conversations"] == {DM: 3}


def test_without_an_open_conversation_it_names_the_one_where_something_happened_last() -> None:
    bench = Bench(heartbeat=100).online(block(3), block(9, where="dm:alice:carol"))
    bench.receive(entry(4))
    bench.wait(100)
    assert bench.sent("ping")[0]["conversation_id"] == DM


def test_silence_after_a_heartbeat_is_a_dead_connection() -> None:
    bench = Bench(heartbeat=100, pong_timeout=10).online(block(3))
    bench.wait(108)
    assert bench.core.connection != "online"
    assert [type(effect) for effect in bench.collect() if isinstance(effect, Disconnect | Connect)] == [
        Disconnect,
        Connect,
    ]


def test_whatever_comes_after_a_heartbeat_is_a_sign_of_life() -> None:
    bench = Bench(heartbeat=100, pong_timeout=10).online(block(3))
    bench.wait(100)
    bench.receive(entry(4))
    bench.wait(12)
    assert bench.core.connection == "online"


def test_a_ping_that_is_answered_late_brings_no_other_ping() -> None:
    """Else those of a slow server's clients, each for the one before, would keep it slow for good."""
    bench = Bench(heartbeat=1_000, request_timeout=10, pong_timeout=9).online(block(3))
    call = bench.send("hi")
    bench.wait(11)
    bench.ack(bench.sent("message")[-1], 4)
    assert [result.call for result in bench.results() if isinstance(result, Done)] == [call]
    for _ in range(5):
        bench.receive({"type": "typing", "conversation_id": DM, "user_id": "bob", "active": True})
        bench.wait(11)
    assert (bench.core.connection, len(bench.sent("ping"))) == ("online", 1)


def test_every_third_heartbeat_compares_all_conversations() -> None:
    bench = Bench(heartbeat=100, full_sync_every=3).online(block(3), block(9, where="dm:alice:carol"))
    for _ in range(6):
        bench.wait(96)
        for frame in [*bench.sent("ping"), *bench.sent("sync")]:
            bench.reply(frame, conversations=[])
    assert [frame["conversations"] for frame in bench.sent("sync")] == [{DM: 3, "dm:alice:carol": 9}] * 2


@pytest.mark.parametrize("code", ["token_expired", "unauthenticated"])
def test_a_token_that_is_refused_on_a_living_connection_means_a_new_connection(code: str) -> None:
    bench = Bench().online(block(3))
    call = bench.send("hi")
    bench.refuse(bench.sent("message")[0], code)
    assert bench.core.connection == "waiting"
    bench.reconnect(block(3))
    bench.ack(bench.sent("message")[1], 4)
    assert [result.call for result in bench.results() if isinstance(result, Done)] == [call]


def test_a_disconnect_that_invites_back_reconnects() -> None:
    bench = Bench().online(block(3))
    bench.receive({"type": "disconnect", "code": "going_away", "reconnect": True})
    assert bench.core.connection == "waiting"


def test_a_disconnect_for_good_stops_the_client() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    bench.receive({"type": "disconnect", "code": "connection_limit", "reconnect": False})
    assert bench.core.connection == "stopped"
    [failed] = bench.results()
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, DisconnectedError)
    assert bench.core.deadline() is None
    with pytest.raises(DisconnectedError):
        bench.send()


def test_stopping_tells_everybody_who_waits_and_keeps_the_outbox() -> None:
    bench = Bench().online(block(3))
    calls = {
        bench.send("hi"),
        bench.core.mark("read", DM, 3, bench.now),
        bench.core.sync(bench.now),
        bench.core.request("typing", {"conversation_id": DM}, bench.now),
    }
    bench.core.stop()
    failed = [result for result in bench.results() if isinstance(result, Failed)]
    assert {result.call for result in failed} == calls
    [closed] = [result.error for result in failed if isinstance(result.error, ClosedError) and result.error.after]
    assert (closed.client_message_id, closed.after) == ("id-0", 3)
    assert [item.body["content"] for item in bench.core.unacked] == ["hi"]
    assert len(bench.core.state()["outbox"]) == 1


def test_frames_of_a_connection_that_is_gone_are_not_looked_at() -> None:
    bench = Bench().online(block(3))
    bench.cut()
    bench.receive(entry(4))
    assert bench.seqs() == []


# --- other requests


def test_a_request_is_sent_once_and_fails_with_its_connection() -> None:
    bench = Bench().online(block(3))
    bench.core.request("typing", {"conversation_id": DM, "active": True}, bench.now)
    [frame] = bench.sent("typing")
    assert frame["active"] is True
    bench.cut()
    bench.reconnect(block(3))
    assert bench.errors() == ["connection_lost"]
    assert len(bench.sent("typing")) == 1


@pytest.mark.parametrize("ask", [lambda core: core.ping(0.0), lambda core: core.request("typing", {}, 0.0)])
def test_without_a_connection_a_request_fails_at_once(bench: Bench, ask: Callable[[Core], int]) -> None:
    ask(bench.core)
    assert bench.errors() == ["connection_lost"]


def test_a_ping_out_of_turn_gives_its_answer() -> None:
    bench = Bench().online(block(3))
    call = bench.core.ping(bench.now)
    bench.reply(bench.sent("ping")[0], type="pong", timestamp=5, behind=False)
    assert bench.results() == [Done(call, {"type": "pong", "timestamp": 5, "behind": False})]


# --- a slow application


def test_a_full_queue_leaves_entries_on_the_server_and_acks_come_all_the_same() -> None:
    bench = Bench(max_events=4).online(block(3))
    bench.receive(*(entry(seq) for seq in range(4, 12)))
    bench.send("hi")
    bench.ack(bench.sent("message")[0], 12)
    assert [type(result) for result in bench.results()] == [Done]
    assert bench.core.waiting == 4
    bench.wait(60)
    assert bench.sent("sync") == []
    seen = bench.seqs()
    assert bench.sent("sync")[0]["conversations"] == {DM: 7}
    rest = [*(entry(seq) for seq in range(8, 12)), entry(12, "alice", content="hi", client_message_id="id-0")]
    bench.reply(bench.sent("sync")[0], conversations=[block(12, rest)])
    while len(seen) < 9:
        seen += bench.seqs()
        for frame in bench.sent("sync")[1:]:
            after = frame["conversations"][DM]
            bench.reply(frame, conversations=[block(12, [each for each in rest if each["seq"] > after])])
    assert seen == list(range(4, 13))


def test_receipts_and_the_like_are_dropped_and_counted_when_the_queue_is_full() -> None:
    bench = Bench(max_events=2).online(block(3))
    for _ in range(5):
        bench.receive({"type": "typing", "conversation_id": DM, "user_id": "bob"})
    assert len(bench.events()) == 2
    assert bench.core.dropped == 3


def test_a_program_that_only_sends_keeps_nothing() -> None:
    bench = Bench(receive=False, max_events=2).online(block(3))
    bench.receive(*(entry(seq) for seq in range(4, 100)))
    assert bench.core.waiting == 0
    assert bench.core.held(DM) == 99
    assert bench.core.state()["conversations"] == {DM: 99}


def test_sync_ends_when_there_is_no_room_for_more() -> None:
    bench = Bench(max_events=2).online(block(3))
    bench.core.sync(bench.now)
    bench.reply(bench.sent("sync")[0], conversations=[block(9, [entry(seq) for seq in range(4, 10)])])
    assert [type(result) for result in bench.results()] == [Done]


# --- state


def test_a_state_survives_json_and_carries_cursors_outbox_and_what_was_read() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(4), entry(5))
    bench.core.next_event(bench.now)
    bench.send("hi", reply_to=2)
    bench.core.mark("read", DM, 4, bench.now)
    state = json.loads(json.dumps(bench.core.state()))

    other = Bench(user_id=None, state=state)
    other.core.start()
    other.core.connected(other.now)
    [sync] = other.sent("sync")
    assert sync["conversations"] == {DM: 4}
    other.reply(sync, conversations=[block(5, [entry(5)])])
    [frame] = other.sent("message")
    assert (frame["content"], frame["reply_to"], frame["client_message_id"], frame["after"]) == ("hi", 2, "id-0", 5)
    assert (frame["read"], other.sent("read")) == (4, [])
    assert other.seqs() == [5]


def test_a_restored_message_that_is_refused_is_reported_as_an_event() -> None:
    bench = Bench().online(block(3))
    bench.send("hi")
    other = Bench(state=bench.core.state())
    other.core.start()
    other.core.connected(other.now)
    other.reply(other.sent("sync")[0], conversations=[block(3)])
    other.refuse(other.sent("message")[0], "blocked")
    [failed] = [event for event in other.events() if isinstance(event, SendFailed)]
    assert (failed.client_message_id, failed.code, failed.to) == ("id-0", "blocked", "bob")


def test_a_send_that_nobody_awaits_any_more_goes_on_and_its_refusal_is_an_event() -> None:
    bench = Bench().online(block(3))
    call = bench.send("hi")
    bench.core.abandon(call)
    bench.refuse(bench.sent("message")[0], "blocked")
    assert bench.results() == []
    assert [event.code for event in bench.events() if isinstance(event, SendFailed)] == ["blocked"]


def test_a_refusal_stays_in_the_state_until_the_application_had_it() -> None:
    bench = Bench().online(block(3))
    call = bench.send("hi")
    bench.refuse(bench.sent("message")[0], "blocked")
    saved = bench.core.state()
    assert saved["outbox"] == []
    [failed] = [event for event in Bench(state=saved).events() if isinstance(event, SendFailed)]
    assert (failed.content, failed.code) == ("hi", "blocked")
    bench.core.told(call)
    assert bench.core.state()["refused"] == []


def test_a_refusal_that_finds_no_room_in_the_stream_comes_when_there_is_some() -> None:
    bench = Bench(max_events=2).online(block(3))
    bench.core.abandon(bench.send("hi"))
    bench.receive(entry(4), entry(5))
    bench.refuse(bench.sent("message")[0], "blocked")
    assert [type(event).__name__ for event in bench.events()][-1] == "SendFailed"


def test_a_program_that_only_sends_keeps_no_refusals_that_nobody_waits_for() -> None:
    bench = Bench(receive=False).online(block(3))
    bench.core.abandon(bench.send("hi"))
    bench.refuse(bench.sent("message")[0], "blocked")
    assert bench.core.state()["refused"] == []


def test_who_writes_where_they_look_has_read_what_they_saw_there() -> None:
    bench = Bench().online(block(3))
    bench.core.open_conversation = DM
    bench.receive(entry(4), entry(5))
    bench.core.next_event(bench.now)
    bench.send("hi")
    [frame] = bench.sent("message")
    assert frame["read"] == 4
    bench.reply(frame, conversation_id=DM, seq=6, message_id=f"{DM}/6", timestamp=1, read=4)
    bench.send("again")
    assert "read" not in bench.sent("message")[-1]
    assert bench.sent("read") == []


def test_who_writes_elsewhere_has_read_nothing_by_it() -> None:
    bench = Bench().online(block(3))
    bench.receive(entry(4))
    bench.events()
    bench.send("hi")
    bench.core.open_conversation = "dm:alice:carol"
    bench.send("hi")
    assert bench.sent("read") == []


def test_calls_that_nobody_awaits_any_more_end_silently() -> None:
    bench = Bench().online(block(3))
    for call in (bench.core.mark("read", DM, 3, bench.now), bench.core.sync(bench.now)):
        bench.core.abandon(call)
    bench.reply(bench.sent("read")[0])
    bench.reply(bench.sent("sync")[0], conversations=[])
    assert bench.results() == []


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version"):
        Bench(state={"version": 99})
