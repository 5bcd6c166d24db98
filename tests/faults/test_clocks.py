"""Clocks that differ, stand still and go backwards; and rows that should have been deleted long ago."""

from __future__ import annotations

import pytest

from tests.faults.beginning import ALICE, BOB, CAROLS, DM, connections, done, entries, heard, ok, row, said, template
from tests.faults.harness import FaultHarness
from tests.faults.invariants import check, logs
from tests.faults.operations import Operation, frame, message, request, started, stored
from tests.faults.scenes import BOBS, CAROLS_PHONE, MAINTENANCE, SENDER, TO_BOB, TO_CAROL, get_ticket
from tests.faults.services import Message
from tests.faults.table import OPERATIONS
from tests.wiring import CONNECTION_LIMIT

MINUTE, HOUR, MONTH = 60_000, 3_600_000, 31 * 86_400_000
SECOND = 1_000


def test_two_who_write_in_the_same_millisecond_both_have_a_place(harness: FaultHarness) -> None:
    seqs = [
        done(harness.say(one, said(f"by {one}", after=3, to=to)))["seq"] for one, to in ((ALICE, "bob"), (BOB, "alice"))
    ]
    check(harness)
    assert seqs == [4, 5]
    assert len({entry["created_at"] for entry in entries(harness, DM)[3:]}) == 1


@pytest.mark.parametrize("jump", [-HOUR, -2 * SECOND, -1, 2 * SECOND, 5 * MINUTE])
def test_order_is_the_logs_whatever_the_clocks_say(harness: FaultHarness, jump: int) -> None:
    """Every message is handled by an instance whose clock is elsewhere."""
    for number in range(4):
        message(ALICE, f"m{number}", after=3, to="bob")(harness)
        harness.clock.advance(jump if number % 2 else -jump)
    harness.settle()
    check(harness)
    assert [entry.content for entry in logs(harness)[DM]][3:] == ["m0", "m1", "m2", "m3"]
    synced = frame(BOB, "sync", conversations={DM: 3})(harness)["conversations"]
    (one,) = (one for one in synced if one["id"] == DM)
    assert [entry["message"]["content"] for entry in one["entries"]] == ["m0", "m1", "m2", "m3"]


@pytest.mark.parametrize("skew", [-2 * SECOND, 2 * SECOND], ids=["behind", "ahead"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))
def test_an_instance_whose_clock_is_off_does_what_it_should(operation: Operation, skew: int) -> None:
    """And what follows from it is done by instances whose clocks are right, or off in the other direction."""
    harness = started(operation)
    harness.clock.advance(skew)
    operation.act(harness)
    check(harness)
    harness.clock.advance(-2 * skew)
    harness.settle()
    check(harness)
    operation.holds(harness)
    operation.unharmed(harness)


def test_a_clock_ahead_takes_a_connection_for_older_and_its_first_frame_brings_it_back(harness: FaultHarness) -> None:
    """A 410 of a connection that is still connecting: two seconds old, and seven by the clock of who posts to it."""
    assert harness.dial("bob11") == 200
    del harness.gateway.open["bob11"]
    harness.clock.advance(5 * SECOND)
    TO_BOB(harness)
    assert connections(harness, "bob") == {BOB}
    harness.clock.advance(-3 * SECOND)
    harness.gateway.open["bob11"] = "bob"
    synced = harness.say("bob11", {"type": "sync", "conversations": {DM: 3}}, connected_at=harness.clock())
    assert connections(harness, "bob") == {BOB, "bob11"}
    (one,) = (one for one in synced["data"]["conversations"] if one["id"] == DM)
    assert [entry["seq"] for entry in one["entries"]] == [4]


def test_a_clock_that_goes_back_gives_no_more_messages_than_the_limit_and_what_instances_add(
    harness: FaultHarness,
) -> None:
    sent = 0
    for number in range(400):
        harness.clock.advance(-100 if number % 2 else 100)
        sent += harness.say(ALICE, said(f"m{number}", to="bob"))["success"]
    assert 200 <= sent <= 200 + 3 + 10 + 3
    check(harness)


@pytest.mark.parametrize("skew", [-2 * SECOND, 2 * SECOND], ids=["behind", "ahead"])
def test_a_limit_is_off_by_no_more_than_the_clocks_are(harness: FaultHarness, skew: int) -> None:
    """One instance whose clock is off has taken all there is; another one's has its own two seconds of messages."""
    harness.clock.advance(skew)
    while harness.say(ALICE, said(f"first {next(harness.numbers)}", to="bob"))["success"]:
        pass
    harness.clock.advance(-skew)
    harness.cold()
    sent = 0
    while (reply := harness.say(ALICE, said(f"then {next(harness.numbers)}", to="bob")))["success"]:
        sent += 1
    assert sent <= 3 + max(0, 20 * -skew // SECOND)
    assert reply["retry_after_ms"] <= SECOND + max(0, skew)


def test_a_try_of_a_push_is_claimed_once_whatever_the_clocks_say(harness: FaultHarness) -> None:
    TO_CAROL(harness)
    harness.push(harness.hand_over())
    job = harness.take("push")
    for jump in (0, -HOUR // 2, HOUR // 2, 2 * SECOND):
        harness.clock.advance(jump)
        assert harness.carry_out("push", job) == []
    stored(CAROLS, "are you there?", pushed=(CAROLS_PHONE,))(harness)


# --- rows that time to live has not deleted yet


def test_expired_sessions_are_not_posted_to_count_for_nothing_and_are_pushed_to(harness: FaultHarness) -> None:
    harness.lasting.clear()
    harness.clock.advance(2 * HOUR)
    assert connections(harness, "bob") == {BOB}
    TO_BOB(harness)
    harness.settle()
    assert harness.gateway.events(BOB) == []
    stored(DM, "hello", pushed=(BOBS,))(harness)
    for number in range(CONNECTION_LIMIT):
        assert harness.dial("bob" + "1" * (2 + number)) == 200
    assert connections(harness, "bob") == {"bob11", "bob111", "bob1111"}
    assert heard(harness, BOB, "disconnect") == []
    check(harness)


def test_an_expired_ticket_lets_nobody_in(harness: FaultHarness) -> None:
    get_ticket(harness)
    harness.clock.advance(31 * SECOND)
    assert len(harness.store.items("tickets")) == 1
    assert harness.dial("alice111", ticket=harness.notes["ticket"]) == 403


def test_an_expired_watch_is_told_nothing(harness: FaultHarness) -> None:
    request("alice", "PUT", "/me", {"hide_presence": True})(harness)
    assert heard(harness, BOB, "presence")
    harness.gateway.posts.clear()
    harness.clock.advance(2 * HOUR)
    assert row(harness, "watch#alice", BOB)
    assert harness.dial("alice111") == 200
    request("alice", "PUT", "/me", {"hide_presence": False})(harness)
    assert heard(harness, BOB, "presence") == []


def test_an_expired_claim_hinders_no_newer_message_and_lets_no_older_one_through(harness: FaultHarness) -> None:
    TO_CAROL(harness)
    harness.push(harness.hand_over())
    late = harness.take("push")
    assert harness.carry_out("push", late) == []
    harness.clock.advance(MONTH)
    message(ALICE, "a month later", after=2, to="carol")(harness)
    harness.settle()
    assert harness.carry_out("push", late) == []
    stored(CAROLS, "a month later", pushed=(CAROLS_PHONE,))(harness)
    stored(CAROLS, "are you there?", pushed=(CAROLS_PHONE,))(harness)


def test_an_expired_notification_is_shown_and_pushed_to_no_user_and_makes_room(harness: FaultHarness) -> None:
    request("admin", "POST", "/notifications", MAINTENANCE, scope=SENDER)(harness)
    harness.clock.advance(MONTH)
    assert row(harness, "user#carol", "notice#maintenance")
    assert ok(harness.call("carol", "GET", "/notifications")) == {"notifications": []}
    harness.settle()
    assert harness.provider.taken == []
    request("admin", "POST", "/notifications", MAINTENANCE, scope=SENDER)(harness)
    assert len(ok(harness.call("carol", "GET", "/notifications"))["notifications"]) == 1


def test_a_file_that_was_never_uploaded_is_sent_by_nobody_and_its_late_upload_harms_nobody(
    harness: FaultHarness,
) -> None:
    harness.clock.advance(2 * 86_400_000)
    file_id = template().waiting
    assert row(harness, f"file#{file_id}", "file")["status"] == "pending"  # type: ignore[index]
    cat = said("cat", after=3, to="bob", message_type="image", file_id=file_id)
    assert harness.say(ALICE, cat, expires_at=harness.clock() + HOUR)["code"] == "not_found"
    harness.arrived(file_id)
    check(harness)


def test_a_rate_that_is_full_again_is_a_row_that_changes_nothing(harness: FaultHarness) -> None:
    for number in range(20):
        message(ALICE, f"m{number}", to="bob")(harness)
    assert row(harness, "user#alice", "rate")
    harness.clock.advance(HOUR // 2)
    harness.cold()
    sent = 0
    while harness.say(ALICE, said(f"then {sent}", to="bob"), expires_at=harness.clock() + HOUR)["success"]:
        sent += 1
    assert sent == 200 + 3


def test_a_reminder_that_comes_a_day_late_is_still_told(harness: FaultHarness) -> None:
    harness.clock.advance(86_400_000)
    body = f'{{"kind": "reminder", "user_id": "bob", "reminder_id": "{template().reminder}"}}'
    assert harness.carry_out("look", [Message(body, 0)]) == []
    harness.settle()
    assert [push.target.token for push in harness.provider.taken] == [BOBS]
