"""Receipts that cost little: without a reply, several in one frame, or with the next message. None is lost."""

from __future__ import annotations

import json

import pytest
from parley_client.errors import ClosedError, ParleyError
from parley_client.events import Message, ReadReceipt

from tests.client.bench import DM, Bench, block, entry
from tests.client.model import Frame

CAROL = "dm:alice:carol"


def shown(frames: list[Frame]) -> list[Frame]:
    return [{name: value for name, value in frame.items() if name != "id"} for frame in frames]


def online() -> Bench:
    """With four entries of bob's conversation and two of carol's, which nothing is told of."""
    return Bench().online(block(4), block(2, where=CAROL))


def read(seq: int, where: str = DM) -> Frame:
    return {"type": "read", "conversation_id": where, "seq": seq, "reply": False}


def test_what_was_read_is_told_after_a_while_without_a_reply() -> None:
    bench = online()
    bench.core.note_read(DM, 3, bench.now)
    bench.wait(1)
    bench.core.note_read(DM, 4, bench.now)
    bench.wait(0.4)
    assert bench.sent("read") == []
    bench.wait(0.2)
    assert shown(bench.sent("read")) == [read(4)]
    bench.wait(200)
    assert len(bench.sent("read")) == 1


def test_those_of_several_conversations_go_by_one_frame() -> None:
    bench = Bench(auto_delivered=True).online(block(4), block(2, where=CAROL))
    bench.core.note_read(DM, 4, bench.now)
    bench.wait(1)
    bench.receive(entry(3, "carol", where=CAROL))
    bench.events()
    bench.wait(1)
    frame = {"type": "receipts", "read": {DM: 4}, "delivered": {CAROL: 3}, "reply": False}
    assert shown(bench.sent("receipts")) == [frame]
    assert bench.sent("read") == bench.sent("delivered") == []


def test_more_than_twenty_of_a_kind_take_more_frames() -> None:
    where = [f"dm:alice:{number}" for number in range(45)]
    bench = Bench().online(*(block(1, where=each) for each in where))
    for each in where:
        bench.core.note_read(each, 1, bench.now)
    bench.wait(2)
    frames = bench.sent("receipts")
    assert [len(frame["read"]) for frame in frames] == [20, 20, 5]
    assert [each for frame in frames for each in frame["read"]] == where


def test_a_message_takes_it_along() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.send("hi")
    [frame] = bench.sent("message")
    assert frame["read"] == 4
    bench.wait(3)
    bench.reply(frame, conversation_id=DM, seq=5, message_id=f"{DM}/5", timestamp=1, read=4)
    bench.wait(10)
    bench.cut()
    bench.reconnect(block(5), block(2, where=CAROL))
    assert bench.sent("read") == []


def test_a_message_elsewhere_does_not() -> None:
    bench = online()
    bench.core.note_read(CAROL, 2, bench.now)
    bench.send("hi")
    assert "read" not in bench.sent("message")[0]
    bench.wait(2)
    assert shown(bench.sent("read")) == [read(2, CAROL)]


@pytest.mark.parametrize("ends", ["unheard", "refused"])
def test_what_a_message_did_not_get_stored_goes_by_itself(ends: str) -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.send("hi")
    [frame] = bench.sent("message")
    if ends == "unheard":  # a server that does not know of it
        bench.ack(frame, 5)
    else:
        bench.refuse(frame, "blocked")
    assert shown(bench.sent("read")) == [read(4)]
    bench.core.note_read(DM, 5, bench.now)
    bench.send("more")
    assert bench.sent("message")[-1].get("read") == (None if ends == "unheard" else 5)


def test_a_message_that_is_not_answered_takes_it_along_again() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.send("hi")
    bench.cut()
    bench.reconnect(block(4), block(2, where=CAROL))
    assert [frame["read"] for frame in bench.sent("message")] == [4, 4]
    assert bench.sent("read") == []


def test_while_the_user_types_it_waits_for_what_is_typed_and_not_for_ever() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    for _ in range(3):
        bench.core.request("typing", {"conversation_id": DM, "active": True}, bench.now)
        bench.reply(bench.sent("typing")[-1])
        bench.wait(3)
    assert bench.sent("read") == []
    bench.core.request("typing", {"conversation_id": DM, "active": True}, bench.now)
    bench.wait(1.1)
    assert shown(bench.sent("read")) == [read(4)]


def test_who_stops_typing_has_it_told_soon() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.core.request("typing", {"conversation_id": DM, "active": True}, bench.now)
    bench.core.request("typing", {"conversation_id": DM, "active": False}, bench.now)
    bench.wait(1.6)
    assert shown(bench.sent("read")) == [read(4)]


def test_that_it_has_arrived_does_not_wait_for_what_is_typed() -> None:
    """A message that nobody acknowledges within 5 s is taken for lost."""
    bench = Bench(auto_delivered=True).online(block(4))
    bench.receive(entry(5))
    bench.events()
    bench.core.note_read(DM, 5, bench.now)
    bench.core.request("typing", {"conversation_id": DM}, bench.now)
    bench.wait(2)
    assert [frame["seq"] for frame in bench.sent("delivered")] == [5]
    assert bench.sent("read") == []


def test_reading_soon_says_that_it_has_arrived() -> None:
    bench = Bench(auto_delivered=True).online(block(4))
    bench.receive(entry(5))
    bench.events()
    bench.core.note_read(DM, 5, bench.now)
    bench.wait(200)
    assert (len(bench.sent("read")), bench.sent("delivered")) == (1, [])


def test_what_is_not_confirmed_is_told_again_on_the_next_connection() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.wait(2)
    bench.core.note_read(CAROL, 2, bench.now)
    bench.wait(2)
    bench.cut()
    bench.reconnect(block(4), block(2, where=CAROL))
    assert shown(bench.sent("receipts")) == [{"type": "receipts", "read": {DM: 4, CAROL: 2}, "reply": False}]


def test_a_reply_long_after_confirms_it() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.wait(2)
    bench.core.ping(bench.now)
    bench.reply(bench.sent("ping")[-1])
    assert json.loads(json.dumps(bench.core.state()))["cursors"] == [["read", DM, 4]]
    bench.wait(15)
    bench.core.ping(bench.now)
    bench.reply(bench.sent("ping")[-1])
    assert bench.core.state()["cursors"] == []
    bench.cut()
    bench.reconnect(block(4), block(2, where=CAROL))
    assert len(bench.sent("read")) == 1


def test_what_is_not_confirmed_survives_the_process() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    other = Bench(state=json.loads(json.dumps(bench.core.state())))
    other.online(block(4), block(2, where=CAROL))
    other.wait(1)
    state = other.core.state()
    assert state["cursors"] == [["read", DM, 4]]


@pytest.mark.parametrize("is_retryable", [True, False])
def test_a_refusal_is_heard(is_retryable: bool) -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.wait(2)
    bench.refuse(bench.sent("read")[0], "unavailable" if is_retryable else "bad_request", retryable=is_retryable)
    bench.wait(60)
    assert len(bench.sent("read")) == 1 + is_retryable
    assert len(bench.core.state()["cursors"]) == is_retryable


def test_of_several_each_is_refused_by_itself() -> None:
    bench = online()
    for where, seq in ((DM, 9), (CAROL, 2), ("dm:alice:dan", 3)):
        bench.core.note_read(where, seq, bench.now)
    bench.wait(2)
    [frame] = bench.sent("receipts")
    gone = {"type": "read", "conversation_id": DM, "code": "bad_request", "error": "no", "retryable": False}
    busy = {"type": "read", "conversation_id": CAROL, "code": "unavailable", "error": "no", "retryable": True}
    bench.reply(frame, type="receipts", read={"dm:alice:dan": 3}, delivered={}, refused=[gone, busy, "?", {}])
    assert bench.core.state()["cursors"] == [["read", CAROL, 2]]
    bench.wait(60)
    assert shown(bench.sent("read")) == [read(2, CAROL)]


def test_a_server_of_before_is_told_one_by_one() -> None:
    bench = online()
    for where, seq in ((DM, 4), (CAROL, 2)):
        bench.core.note_read(where, seq, bench.now)
    bench.wait(2)
    bench.refuse(bench.sent("receipts")[0], "unknown_type")
    assert shown(bench.sent("read")) == [
        {"type": "read", "conversation_id": where, "seq": seq} for where, seq in ((DM, 4), (CAROL, 2))
    ]
    for frame in bench.sent("read"):
        bench.reply(frame)
    assert bench.core.state()["cursors"] == []


def test_where_the_gateway_could_not_serve_some_frame_they_are_told_again() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.wait(2)
    bench.receive({"message": "Internal server error", "connectionId": "x", "requestId": "y"})
    bench.wait(60)
    assert len(bench.sent("read")) == 2


def test_a_reply_that_comes_all_the_same_confirms_it() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.wait(2)
    bench.reply(bench.sent("read")[0], type="read", conversation_id=DM, seq=4)
    assert bench.core.state()["cursors"] == []


def test_who_waits_for_it_gets_a_reply() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.wait(2)
    call = bench.core.mark("read", DM, 4, bench.now)
    frame = bench.sent("read")[-1]
    assert "reply" not in frame
    bench.reply(frame)
    assert [done.call for done in bench.results()] == [call]


def test_before_the_end_what_waits_is_told() -> None:
    bench = online()
    bench.core.note_read(DM, 4, bench.now)
    bench.core.tell_read(bench.now)
    assert shown(bench.sent("read")) == [read(4)]
    bench.core.stop()
    bench.core.tell_read(bench.now)
    with pytest.raises((ClosedError, ParleyError)):
        bench.core.note_read(DM, 5, bench.now)


@pytest.mark.parametrize("along", [4, "4", None, True])
def test_a_message_that_says_how_far_its_sender_has_read_is_a_receipt_too(along: object) -> None:
    bench = online()
    bench.receive({**entry(5), "read": along})
    receipts = [event for event in bench.events() if isinstance(event, Message | ReadReceipt)]
    assert [type(event).__name__ for event in receipts] == ["Message", "ReadReceipt"][: 1 + (along == 4)]
    if along == 4:
        receipt = receipts[1]
        assert isinstance(receipt, ReadReceipt)
        assert (receipt.conversation_id, receipt.user_id, receipt.seq, receipt.timestamp) == (DM, "bob", 4, 1_005)
