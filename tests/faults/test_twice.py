"""What comes twice, late, or in another order: records, messages of queues, frames of clients that lie or forget."""

from __future__ import annotations

import pytest

from tests.faults.beginning import ALICE, ALICES_TABLET, BOB, CAROLS, DM, done, entries, heard, said
from tests.faults.harness import FaultHarness
from tests.faults.invariants import check
from tests.faults.operations import Operation, frame, message, started, stored
from tests.faults.scenes import CAROLS_PHONE, TO_BOB, TO_CAROL, TO_HALL
from tests.faults.table import OPERATIONS

_EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))
FRAMES = [one for one in OPERATIONS if "message" in one.name or one.name in {"forward", "resend"}]


@_EACH
def test_records_and_queued_messages_that_come_twice_are_carried_out_once(operation: Operation) -> None:
    harness = started(operation)
    operation.act(harness)
    while harness.stream or any(harness.sqs.queues.values()):
        records = harness.hand_over()
        for _ in range(2):
            assert harness.push(records)["batchItemFailures"] == []
            assert harness.release(records)["batchItemFailures"] == []
        for name in ("fan-out", "look", "push", "presence"):
            messages = harness.take(name)
            for _ in range(2 if messages else 0):
                assert harness.carry_out(name, messages) == []
    check(harness)
    operation.holds(harness)
    operation.unharmed(harness)


def test_records_in_the_wrong_order_push_the_newest_and_nothing_twice(harness: FaultHarness) -> None:
    for number in range(3):
        message(ALICE, f"m{number}", after=1, to="carol")(harness)
    for record in reversed(harness.hand_over()):
        assert harness.push([record])["batchItemFailures"] == []
    while any(harness.sqs.queues.values()):
        for one in harness.take("push"):
            assert harness.carry_out("push", [one]) == []
    check(harness)
    assert [push.data["seq"] for push in harness.provider.taken] == ["4"]


@pytest.mark.parametrize("name", ["look", "push", "fan-out"])
def test_a_queues_message_that_comes_a_day_late_harms_nobody(harness: FaultHarness, name: str) -> None:
    for act in (TO_BOB, TO_CAROL, TO_HALL):
        act(harness)
    harness.push(harness.hand_over())
    late = harness.take(name)
    assert late
    harness.settle()
    harness.clock.advance(86_400_000)
    assert harness.carry_out(name, late) == []
    harness.settle()
    check(harness)


@pytest.mark.parametrize("operation", FRAMES, ids=lambda one: one.name.replace(" ", "_"))
def test_a_message_that_is_sent_again_and_again_is_stored_once(operation: Operation) -> None:
    """By a client that forgets its replies; every one of them is the first one again."""
    harness = started(operation)
    first = operation.act(harness)
    for _ in range(3):
        harness.cold()
        assert {**operation.act(harness), "duplicate": first["duplicate"]} == first
    harness.settle()
    check(harness)
    operation.holds(harness)


@pytest.mark.parametrize("after", [0, 1, 2, 3, None])
def test_a_message_is_stored_once_whatever_its_resends_claim_to_have_held(
    harness: FaultHarness, after: int | None
) -> None:
    first = done(harness.say(ALICE, said("once", after=3, to="bob")))
    for number in range(3):
        done(harness.say(BOB, said(f"between {number}", after=3, to="alice")))
    again = done(harness.say(ALICE, said("once", after=after, to="bob")))
    check(harness)
    assert (again["message_id"], again["duplicate"]) == (first["message_id"], True)


def test_who_claims_to_have_held_something_behind_their_own_message_gets_it_twice_and_harms_no_order(
    harness: FaultHarness,
) -> None:
    """They could have used another id, too. A client that keeps `after` as it was is protected from that."""
    seqs = [done(harness.say(ALICE, said("once", after=after, to="bob")))["seq"] for after in (3, 4)]
    assert seqs == [4, 5]
    assert [entry["seq"] for entry in entries(harness, DM)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("after", [4, 9, 2**53 - 1])
def test_nobody_tears_a_hole_by_claiming_to_hold_what_is_not_there(harness: FaultHarness, after: int) -> None:
    assert harness.say(ALICE, said("beyond", after=after, to="bob"))["code"] == "bad_request"
    check(harness)
    assert len(entries(harness, DM)) == 3


def test_two_devices_that_use_one_id_for_two_texts_get_one_message_and_one_conflict(harness: FaultHarness) -> None:
    one = {"type": "message", "to": "bob", "client_message_id": "mine", "after": 3}
    assert harness.say(ALICE, {**one, "content": "from the phone"})["success"]
    assert harness.say(ALICES_TABLET, {**one, "content": "from the tablet"})["code"] == "conflict"
    assert done(harness.say(ALICES_TABLET, {**one, "content": "from the phone"}))["duplicate"]
    check(harness)
    assert [entry["content"] for entry in entries(harness, DM)][3:] == ["from the phone"]


def test_the_same_id_of_two_users_is_two_messages(harness: FaultHarness) -> None:
    for connection_id, other in ((ALICE, "bob"), (BOB, "alice")):
        assert not done(harness.say(connection_id, said("mine", after=3, to=other)))["duplicate"]
    check(harness)
    assert len(entries(harness, DM)) == 5


def test_cursors_that_come_late_or_lie_change_nothing(harness: FaultHarness) -> None:
    frame(BOB, "read", conversation_id=DM, seq=3)(harness)
    for kind in ("read", "delivered"):
        for seq in (0, 1, 2, 3):
            assert frame(BOB, kind, conversation_id=DM, seq=seq)(harness)["seq"] == 3
        assert harness.say(BOB, {"type": kind, "conversation_id": DM, "seq": 4})["code"] == "bad_request"
    check(harness)


def test_a_client_that_claims_to_hold_more_than_there_is_is_shown_the_true_head(harness: FaultHarness) -> None:
    (answered,) = (
        one for one in frame(BOB, "sync", conversations={DM: 99})(harness)["conversations"] if one["id"] == DM
    )
    assert (answered["head"], answered["entries"]) == (3, [])


def test_a_frame_that_was_recorded_is_worth_nothing_over_another_users_connection(harness: FaultHarness) -> None:
    recorded = {"type": "delete", "conversation_id": DM, "seq": 1}
    assert harness.say(BOB, recorded)["code"] == "forbidden"
    assert harness.say("dave1", recorded)["code"] == "not_a_member"
    done(harness.say(ALICE, recorded))
    check(harness)


def test_a_gateway_that_posts_late_is_told_apart_by_the_place(harness: FaultHarness) -> None:
    """A second post of an entry is the first one to the byte: receivers know it by its seq."""
    for _ in range(2):
        TO_BOB(harness)
    first, second = heard(harness, BOB, "new_message", seq=4)
    assert first == second


def test_whoever_was_pushed_to_is_not_pushed_to_again_for_an_older_message(harness: FaultHarness) -> None:
    TO_CAROL(harness)
    harness.push(harness.hand_over())
    older = harness.take("push")
    message(ALICE, "newer", after=2, to="carol")(harness)
    harness.settle()
    assert harness.carry_out("push", older) == []
    stored(CAROLS, "newer", pushed=(CAROLS_PHONE,))(harness)
    stored(CAROLS, "are you there?")(harness)
