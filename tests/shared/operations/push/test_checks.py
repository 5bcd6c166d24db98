"""One delivery check for all that comes to somebody in a conversation until it is carried out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.adapters.aws.push_queues import look_body, look_from
from shared.adapters.dynamodb.schema import membership_key
from shared.domain.fan_out import StoredEntry
from shared.domain.notifications import AboutMessage, DeliveryCheck, Digest
from shared.errors import Unavailable
from shared.operations.push.checks import PendingChecks
from shared.operations.push.enqueueing import check_delivery, enqueue_stored
from tests.fakes import DM
from tests.metering import Meter
from tests.shared.operations.push.harness import DELIVERY_CHECK_S, GROUP, PushHarness
from tests.stores import MEMBERS, adapters

WAIT_MS = DELIVERY_CHECK_S * 1_000


@pytest.fixture
def harness() -> PushHarness:
    """Bob is there, with a phone."""
    harness = PushHarness()
    harness.device()
    harness.stores.connect("bob", "b1", at=harness.clock())
    return harness


class Refusing:
    """A queue that takes nothing."""

    def put(self, looks: Sequence[DeliveryCheck | Digest], *, delay_s: int) -> None:
        raise Unavailable


def come(harness: PushHarness, pending: PendingChecks, *senders: str, conversation_id: str = DM) -> None:
    """Messages are stored, and their records come in one batch."""
    entries = [harness.say(sender=sender, conversation_id=conversation_id) for sender in senders]
    stored = [StoredEntry(one.conversation_id, one.seq, one.sender_id) for one in entries]
    assert enqueue_stored(stored, pending=pending, **harness.whole) == {}


def pushed(harness: PushHarness) -> list[tuple[str, int]]:
    return [(job.user_id, job.about.seq) for job in harness.pushes.jobs if isinstance(job.about, AboutMessage)]


def posted(harness: PushHarness, connection_id: str = "b1") -> list[int]:
    return [event["seq"] for event in map(json.loads, harness.gateway.received(connection_id))]


def acknowledge(harness: PushHarness, seq: int) -> None:
    harness.stores.edit(MEMBERS, membership_key(DM, "bob"), delivered_seq=seq)


def test_a_burst_has_one_check_and_what_comes_when_that_is_due_has_the_next(harness: PushHarness) -> None:
    pending = PendingChecks()
    for _ in range(8):
        come(harness, pending, "alice")
        harness.clock.advance(500)
    assert harness.delivery_checks.puts == [(DeliveryCheck(AboutMessage(DM, 1), ("bob",)), DELIVERY_CHECK_S)]
    come(harness, pending, "alice")
    assert harness.delivery_checks.looks[1:] == [DeliveryCheck(AboutMessage(DM, 9), ("bob",))]


def test_a_batch_has_one_check_for_each_user_and_conversation(harness: PushHarness) -> None:
    harness.found("alice", "bob", "carol")
    harness.stores.connect("carol", "c1", at=harness.clock())
    pending = PendingChecks()
    come(harness, pending, "alice", "carol", "alice", "bob", conversation_id=GROUP)
    come(harness, pending, "alice")
    assert harness.delivery_checks.looks == [
        DeliveryCheck(AboutMessage(GROUP, 2), ("bob", "carol")),
        DeliveryCheck(AboutMessage(DM, 1), ("bob",)),
    ]
    harness.stores.connect("alice", "a1", at=harness.clock())
    come(harness, pending, "bob", conversation_id=GROUP)
    assert harness.delivery_checks.looks[2:] == [DeliveryCheck(AboutMessage(GROUP, 6), ("alice",))]


def test_an_instance_that_remembers_nothing_queues_one_more(harness: PushHarness) -> None:
    come(harness, PendingChecks(), "alice")
    come(harness, PendingChecks(), "alice")
    assert [look.about for look in harness.delivery_checks.looks] == [AboutMessage(DM, 1), AboutMessage(DM, 2)]


def test_what_the_queue_did_not_take_is_not_relied_on(harness: PushHarness) -> None:
    pending = PendingChecks()
    entry = harness.say()
    stored = [StoredEntry(DM, entry.seq, "alice")]
    refusing = {**harness.whole, "services": replace(harness.push_services, delivery_checks=Refusing())}
    assert enqueue_stored(stored, pending=pending, **refusing).keys() == {DM}
    assert enqueue_stored(stored, pending=pending, **harness.whole) == {}
    assert harness.delivery_checks.looks == [DeliveryCheck(AboutMessage(DM, 1), ("bob",))]


@pytest.mark.parametrize(
    ("later_ms", "seq", "user", "covered"),
    [
        (0, 7, "bob", True),
        (WAIT_MS - 1_001, 9, "bob", True),
        (WAIT_MS - 1_000, 9, "bob", False),
        (-1, 9, "bob", False),
        (0, 6, "bob", False),
        (0, 9, "carol", False),
    ],
)
def test_a_check_covers_what_comes_behind_its_message_until_a_second_before_it(
    later_ms: int, seq: int, user: str, covered: bool
) -> None:
    pending = PendingChecks()
    pending.queued(DeliveryCheck(AboutMessage(DM, 7), ("bob",)), now=100_000, delay_s=DELIVERY_CHECK_S)
    assert pending.covers(AboutMessage(DM, seq), user, 100_000 + later_ms) == covered
    ended = PendingChecks()
    ended.queued(DeliveryCheck(AboutMessage(DM, 7), ("bob",), until=9), now=100_000, delay_s=DELIVERY_CHECK_S)
    assert not ended.covers(AboutMessage(DM, 8), "bob", 100_000)


def test_nothing_is_missed_of_a_burst_and_its_last_message_has_its_own_wait(harness: PushHarness) -> None:
    pending = PendingChecks()
    come(harness, pending, "alice", "alice")
    harness.clock.advance(WAIT_MS - 2_500)
    come(harness, pending, "alice", "alice")
    (look,) = harness.delivery_checks.looks
    harness.clock.advance(2_500)
    check_delivery(look, **harness.whole)
    assert (pushed(harness), posted(harness)) == ([("bob", 1), ("bob", 2)], [1, 2])
    further = (DeliveryCheck(AboutMessage(DM, 3), ("bob",), until=4), 3)
    assert harness.delivery_checks.puts[1:] == [further]
    harness.clock.advance(2_500)
    come(harness, pending, "alice")
    check_delivery(further[0], **harness.whole)
    assert (pushed(harness)[2:], posted(harness)[2:]) == ([("bob", 3), ("bob", 4)], [3, 4])
    assert harness.delivery_checks.looks[2:] == [DeliveryCheck(AboutMessage(DM, 5), ("bob",))]


@pytest.mark.parametrize(("got", "told"), [(1, [2, 3]), (2, [3]), (3, [])])
def test_what_was_acknowledged_of_a_burst_is_not_told_again(harness: PushHarness, got: int, told: list[int]) -> None:
    come(harness, PendingChecks(), "alice", "alice", "alice")
    acknowledge(harness, got)
    harness.clock.advance(WAIT_MS)
    check_delivery(harness.delivery_checks.looks[0], **harness.whole)
    assert (posted(harness), pushed(harness)) == (told, [("bob", seq) for seq in told])
    assert len(harness.delivery_checks.looks) == 1


def test_of_two_who_get_a_burst_each_is_told_what_they_lack(harness: PushHarness) -> None:
    harness.found("alice", "bob", "carol")
    harness.stores.connect("carol", "c1", at=harness.clock())
    come(harness, PendingChecks(), "alice", "alice", conversation_id=GROUP)
    harness.stores.edit(MEMBERS, membership_key(GROUP, "carol"), delivered_seq=2)
    harness.clock.advance(WAIT_MS)
    check_delivery(harness.delivery_checks.looks[0], **harness.whole)
    assert (posted(harness), posted(harness, "c1")) == ([2, 3], [3])


def test_of_a_burst_what_was_deleted_and_what_is_the_users_own_is_not_told(harness: PushHarness) -> None:
    harness.found("alice", "bob", "carol")
    harness.stores.connect("carol", "c1", at=harness.clock())
    come(harness, PendingChecks(), "alice", "alice", "carol", conversation_id=GROUP)
    harness.stores.delete(3, GROUP)
    harness.clock.advance(WAIT_MS)
    check_delivery(harness.delivery_checks.looks[0], **harness.whole)
    assert (posted(harness), posted(harness, "c1")) == ([2, 4], [])


def test_a_burst_of_more_than_a_page_is_told_page_by_page_and_comes_to_an_end(harness: PushHarness) -> None:
    come(harness, PendingChecks(), *["alice"] * 230)
    harness.clock.advance(WAIT_MS)
    for number in range(3):
        check_delivery(harness.delivery_checks.looks[number], **harness.whole)
        harness.clock.advance(WAIT_MS)
    assert posted(harness) == list(range(1, 231))
    assert len(harness.delivery_checks.looks) == 3


def test_where_all_has_arrived_a_check_is_one_read_unit_and_two_behind_which_more_has_come(
    harness: PushHarness,
) -> None:
    come(harness, PendingChecks(), "alice")
    acknowledge(harness, 1)
    meter = Meter(harness.stores.tables)
    stores = {**harness.whole, "stores": adapters(meter)}
    check_delivery(harness.delivery_checks.looks[0], **stores)
    assert (meter.count, meter.reads) == ({"BatchGetItem": 1}, 1)
    harness.say()
    acknowledge(harness, 2)
    meter.reset()
    check_delivery(harness.delivery_checks.looks[0], **stores)
    assert (meter.count, meter.reads) == ({"BatchGetItem": 1, "Query": 1}, 2)


@pytest.mark.parametrize(
    "look",
    [DeliveryCheck(AboutMessage(DM, 3), ("bob",)), DeliveryCheck(AboutMessage(DM, 3), ("bob",), quiet=True, until=5)],
)
def test_a_check_is_read_as_it_was_queued_and_one_of_before_covers_what_follows(look: DeliveryCheck) -> None:
    assert look_from(json.loads(json.dumps(look_body(look)))) == look
    assert ("until" in look_body(look)) == (look.until is not None)
