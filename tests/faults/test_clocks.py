"""Clocks that differ, stand still and go backwards; and rows that should have been deleted long ago."""

from __future__ import annotations

import pytest

from tests.faults.invariants import check, logs
from tests.faults.operations import Operation, frame, message, request, started, stored
from tests.faults.scenes import BOBS, CAROLS_PHONE, MAINTENANCE, SENDER, TO_BOB, TO_CAROL, get_ticket
from tests.faults.services import Message
from tests.faults.table import OPERATIONS
from tests.faults.world import (
    ALICE,
    BOB,
    CAROLS,
    DM,
    connections,
    done,
    entries,
    heard,
    new_house,
    ok,
    row,
    said,
    template,
)
from tests.wiring import CONNECTION_LIMIT

MINUTE, HOUR, MONTH = 60_000, 3_600_000, 31 * 86_400_000
SECOND = 1_000


def test_two_who_write_in_the_same_millisecond_both_have_a_place() -> None:
    house = new_house()
    seqs = [
        done(house.say(one, said(f"by {one}", after=3, to=to)))["seq"] for one, to in ((ALICE, "bob"), (BOB, "alice"))
    ]
    check(house)
    assert seqs == [4, 5]
    assert len({entry["created_at"] for entry in entries(house, DM)[3:]}) == 1


@pytest.mark.parametrize("jump", [-HOUR, -2 * SECOND, -1, 2 * SECOND, 5 * MINUTE])
def test_order_is_the_logs_whatever_the_clocks_say(jump: int) -> None:
    """Every message is handled by an instance whose clock is elsewhere."""
    house = new_house()
    for number in range(4):
        message(ALICE, f"m{number}", after=3, to="bob")(house)
        house.clock.advance(jump if number % 2 else -jump)
    house.settle()
    check(house)
    assert [entry.content for entry in logs(house)[DM]][3:] == ["m0", "m1", "m2", "m3"]
    synced = frame(BOB, "sync", conversations={DM: 3})(house)["conversations"]
    (one,) = (one for one in synced if one["id"] == DM)
    assert [entry["message"]["content"] for entry in one["entries"]] == ["m0", "m1", "m2", "m3"]


@pytest.mark.parametrize("skew", [-2 * SECOND, 2 * SECOND], ids=["behind", "ahead"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))
def test_an_instance_whose_clock_is_off_does_what_it_should(operation: Operation, skew: int) -> None:
    """And what follows from it is done by instances whose clocks are right, or off in the other direction."""
    house = started(operation)
    house.clock.advance(skew)
    operation.act(house)
    check(house)
    house.clock.advance(-2 * skew)
    house.settle()
    check(house)
    operation.holds(house)
    operation.unharmed(house)


def test_a_clock_ahead_takes_a_connection_for_older_and_its_first_frame_brings_it_back() -> None:
    """A 410 of a connection that is still connecting: two seconds old, and seven by the clock of who posts to it."""
    house = new_house()
    assert house.dial("bob11") == 200
    del house.gateway.open["bob11"]
    house.clock.advance(5 * SECOND)
    TO_BOB(house)
    assert connections(house, "bob") == {BOB}
    house.clock.advance(-3 * SECOND)
    house.gateway.open["bob11"] = "bob"
    synced = house.say("bob11", {"type": "sync", "conversations": {DM: 3}}, connected_at=house.clock())
    assert connections(house, "bob") == {BOB, "bob11"}
    (one,) = (one for one in synced["data"]["conversations"] if one["id"] == DM)
    assert [entry["seq"] for entry in one["entries"]] == [4]


def test_a_clock_that_goes_back_gives_no_more_messages_than_the_limit_and_what_instances_add() -> None:
    house = new_house()
    sent = 0
    for number in range(400):
        house.clock.advance(-100 if number % 2 else 100)
        sent += house.say(ALICE, said(f"m{number}", to="bob"))["success"]
    assert 200 <= sent <= 200 + 3 + 10 + 3
    check(house)


@pytest.mark.parametrize("skew", [-2 * SECOND, 2 * SECOND], ids=["behind", "ahead"])
def test_a_limit_is_off_by_no_more_than_the_clocks_are(skew: int) -> None:
    """One instance whose clock is off has taken all there is; another one's has its own two seconds of messages."""
    house = new_house()
    house.clock.advance(skew)
    while house.say(ALICE, said(f"first {next(house.numbers)}", to="bob"))["success"]:
        pass
    house.clock.advance(-skew)
    house.cold()
    sent = 0
    while (reply := house.say(ALICE, said(f"then {next(house.numbers)}", to="bob")))["success"]:
        sent += 1
    assert sent <= 3 + max(0, 20 * -skew // SECOND)
    assert reply["retry_after_ms"] <= SECOND + max(0, skew)


def test_a_try_of_a_push_is_claimed_once_whatever_the_clocks_say() -> None:
    house = new_house()
    TO_CAROL(house)
    house.push(house.hand_over())
    job = house.take("push")
    for jump in (0, -HOUR // 2, HOUR // 2, 2 * SECOND):
        house.clock.advance(jump)
        assert house.carry_out("push", job) == []
    stored(CAROLS, "are you there?", pushed=(CAROLS_PHONE,))(house)


# --- rows that time to live has not deleted yet


def test_expired_sessions_are_not_posted_to_count_for_nothing_and_are_pushed_to() -> None:
    house = new_house()
    house.lasting.clear()
    house.clock.advance(2 * HOUR)
    assert connections(house, "bob") == {BOB}
    TO_BOB(house)
    house.settle()
    assert house.gateway.events(BOB) == []
    stored(DM, "hello", pushed=(BOBS,))(house)
    for number in range(CONNECTION_LIMIT):
        assert house.dial("bob" + "1" * (2 + number)) == 200
    assert connections(house, "bob") == {"bob11", "bob111", "bob1111"}
    assert heard(house, BOB, "disconnect") == []
    check(house)


def test_an_expired_ticket_lets_nobody_in() -> None:
    house = new_house()
    get_ticket(house)
    house.clock.advance(31 * SECOND)
    assert len(house.store.items("tickets")) == 1
    assert house.dial("alice111", ticket=house.notes["ticket"]) == 403


def test_an_expired_watch_is_told_nothing() -> None:
    house = new_house()
    request("alice", "PUT", "/me", {"hide_presence": True})(house)
    assert heard(house, BOB, "presence")
    house.gateway.posts.clear()
    house.clock.advance(2 * HOUR)
    assert row(house, "watch#alice", BOB)
    assert house.dial("alice111") == 200
    request("alice", "PUT", "/me", {"hide_presence": False})(house)
    assert heard(house, BOB, "presence") == []


def test_an_expired_claim_hinders_no_newer_message_and_lets_no_older_one_through() -> None:
    house = new_house()
    TO_CAROL(house)
    house.push(house.hand_over())
    late = house.take("push")
    assert house.carry_out("push", late) == []
    house.clock.advance(MONTH)
    message(ALICE, "a month later", after=2, to="carol")(house)
    house.settle()
    assert house.carry_out("push", late) == []
    stored(CAROLS, "a month later", pushed=(CAROLS_PHONE,))(house)
    stored(CAROLS, "are you there?", pushed=(CAROLS_PHONE,))(house)


def test_an_expired_notice_is_shown_and_pushed_to_nobody_and_makes_room() -> None:
    house = new_house()
    request("admin", "POST", "/notifications", MAINTENANCE, scope=SENDER)(house)
    house.clock.advance(MONTH)
    assert row(house, "user#carol", "notice#maintenance")
    assert ok(house.call("carol", "GET", "/notifications")) == {"notifications": []}
    house.settle()
    assert house.provider.taken == []
    request("admin", "POST", "/notifications", MAINTENANCE, scope=SENDER)(house)
    assert len(ok(house.call("carol", "GET", "/notifications"))["notifications"]) == 1


def test_a_file_that_was_never_uploaded_is_sent_by_nobody_and_its_late_upload_harms_nobody() -> None:
    house = new_house()
    house.clock.advance(2 * 86_400_000)
    file_id = template().waiting
    assert row(house, f"file#{file_id}", "file")["status"] == "pending"  # type: ignore[index]
    cat = said("cat", after=3, to="bob", message_type="image", file_id=file_id)
    assert house.say(ALICE, cat, expires_at=house.clock() + HOUR)["code"] == "not_found"
    house.arrived(file_id)
    check(house)


def test_a_rate_that_is_full_again_is_a_row_that_changes_nothing() -> None:
    house = new_house()
    for number in range(20):
        message(ALICE, f"m{number}", to="bob")(house)
    assert row(house, "user#alice", "rate")
    house.clock.advance(HOUR // 2)
    house.cold()
    sent = 0
    while house.say(ALICE, said(f"then {sent}", to="bob"), expires_at=house.clock() + HOUR)["success"]:
        sent += 1
    assert sent == 200 + 3


def test_a_reminder_that_comes_a_day_late_is_still_told() -> None:
    house = new_house()
    house.clock.advance(86_400_000)
    body = f'{{"kind": "reminder", "user_id": "bob", "reminder_id": "{template().reminder}"}}'
    assert house.carry_out("look", [Message(body, 0)]) == []
    house.settle()
    assert [push.target.token for push in house.provider.taken] == [BOBS]
