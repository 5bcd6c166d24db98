"""One delivery check for all that comes to somebody in a conversation until it is carried out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from shared.adapters.aws.push_queues import look_bodies, look_body, look_from, looks_from
from shared.adapters.dynamodb.schema import membership_key
from shared.domain.fan_out import StoredEntry
from shared.domain.notifications import AboutMessage, AboutNotification, DeliveryCheck, Digest
from shared.domain.packs import DuePack
from shared.errors import Unavailable
from shared.operations.push.checks import PendingChecks
from shared.operations.push.enqueueing import check_deliveries, enqueue_stored
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

    def put(self, looks: Sequence[DeliveryCheck | Digest | DuePack], *, delay_s: int) -> None:
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
    assert check_deliveries([look], **harness.whole) == {}
    assert (pushed(harness), posted(harness)) == ([("bob", 1), ("bob", 2)], [1, 2])
    further = (DeliveryCheck(AboutMessage(DM, 3), ("bob",), until=4), 3)
    assert harness.delivery_checks.puts[1:] == [further]
    harness.clock.advance(2_500)
    come(harness, pending, "alice")
    assert check_deliveries([further[0]], **harness.whole) == {}
    assert (pushed(harness)[2:], posted(harness)[2:]) == ([("bob", 3), ("bob", 4)], [3, 4])
    assert harness.delivery_checks.looks[2:] == [DeliveryCheck(AboutMessage(DM, 5), ("bob",))]


@pytest.mark.parametrize(("got", "told"), [(1, [2, 3]), (2, [3]), (3, [])])
def test_what_was_acknowledged_of_a_burst_is_not_told_again(harness: PushHarness, got: int, told: list[int]) -> None:
    come(harness, PendingChecks(), "alice", "alice", "alice")
    acknowledge(harness, got)
    harness.clock.advance(WAIT_MS)
    assert check_deliveries([harness.delivery_checks.looks[0]], **harness.whole) == {}
    assert (posted(harness), pushed(harness)) == (told, [("bob", seq) for seq in told])
    assert len(harness.delivery_checks.looks) == 1


def test_of_two_who_get_a_burst_each_is_told_what_they_lack(harness: PushHarness) -> None:
    harness.found("alice", "bob", "carol")
    harness.stores.connect("carol", "c1", at=harness.clock())
    come(harness, PendingChecks(), "alice", "alice", conversation_id=GROUP)
    harness.stores.edit(MEMBERS, membership_key(GROUP, "carol"), delivered_seq=2)
    harness.clock.advance(WAIT_MS)
    assert check_deliveries([harness.delivery_checks.looks[0]], **harness.whole) == {}
    assert (posted(harness), posted(harness, "c1")) == ([2, 3], [3])


def test_of_a_burst_what_was_deleted_and_what_is_the_users_own_is_not_told(harness: PushHarness) -> None:
    harness.found("alice", "bob", "carol")
    harness.stores.connect("carol", "c1", at=harness.clock())
    come(harness, PendingChecks(), "alice", "alice", "carol", conversation_id=GROUP)
    harness.stores.delete(3, GROUP)
    harness.clock.advance(WAIT_MS)
    assert check_deliveries([harness.delivery_checks.looks[0]], **harness.whole) == {}
    assert (posted(harness), posted(harness, "c1")) == ([2, 4], [])


def test_a_burst_of_more_than_a_page_is_told_page_by_page_and_comes_to_an_end(harness: PushHarness) -> None:
    come(harness, PendingChecks(), *["alice"] * 230)
    harness.clock.advance(WAIT_MS)
    for number in range(3):
        assert check_deliveries([harness.delivery_checks.looks[number]], **harness.whole) == {}
        harness.clock.advance(WAIT_MS)
    assert posted(harness) == list(range(1, 231))
    assert len(harness.delivery_checks.looks) == 3


def test_where_all_has_arrived_a_check_is_one_read_unit_and_half_a_unit_more_where_more_has_come(
    harness: PushHarness,
) -> None:
    come(harness, PendingChecks(), "alice")
    acknowledge(harness, 1)
    meter = Meter(harness.stores.tables)
    stores = {**harness.whole, "stores": adapters(meter)}
    assert check_deliveries([harness.delivery_checks.looks[0]], **stores) == {}
    assert (meter.count, meter.reads) == ({"BatchGetItem": 1}, 1)
    harness.say()
    acknowledge(harness, 2)
    meter.reset()
    assert check_deliveries([harness.delivery_checks.looks[0]], **stores) == {}
    assert (meter.count, meter.reads) == ({"BatchGetItem": 2}, 1.5)


def place(look: DeliveryCheck) -> str:
    assert isinstance(look.about, AboutMessage)
    return look.about.conversation_id


def chats(harness: PushHarness, count: int, messages: int = 1) -> list[DeliveryCheck]:
    """Private conversations in each of which alice has written to somebody who is there; the checks of that."""
    for number in range(count):
        user = f"user{number:02}"
        harness.stores.connect(user, f"{user}=", at=harness.clock())
        come(harness, PendingChecks(), *["alice"] * messages, conversation_id=f"dm:alice:{user}")
    return list(harness.delivery_checks.looks)


def test_of_many_that_come_together_all_is_read_at_once_a_unit_each_whatever_has_followed(harness: PushHarness) -> None:
    looks = chats(harness, 40, messages=3)
    for look in looks:
        harness.stores.edit(MEMBERS, membership_key(place(look), *look.users), delivered_seq=3)
    meter = Meter(harness.stores.tables)
    harness.clock.advance(WAIT_MS)
    assert check_deliveries(looks, **{**harness.whole, "stores": adapters(meter)}) == {}
    assert (meter.count, meter.reads) == ({"BatchGetItem": 2}, 40)
    assert harness.gateway.posts == []


def test_of_many_those_that_lack_something_are_told_and_more_than_ten_go_back_to_the_queue(
    harness: PushHarness,
) -> None:
    looks = chats(harness, 30)
    got, lacking = looks[:7], looks[7:]
    for look in got:
        harness.stores.edit(MEMBERS, membership_key(place(look), *look.users), delivered_seq=1)
    harness.clock.advance(WAIT_MS)
    assert check_deliveries(looks, **harness.whole) == {}
    assert harness.delivery_checks.puts[30:] == [(look, 0) for look in lacking[10:]]
    assert check_deliveries(lacking[10:], **harness.whole) == {}
    assert check_deliveries(lacking[20:], **harness.whole) == {}
    told = {user for look in lacking for user in look.users}
    assert {connection_id for connection_id, _ in harness.gateway.posts} == {f"{user}=" for user in told}


def test_a_check_that_fails_takes_no_other_with_it(harness: PushHarness) -> None:
    looks = chats(harness, 3)
    harness.clock.advance(WAIT_MS)
    harness.stores.calls.fail(place(looks[1]))
    assert check_deliveries(looks, **harness.whole).keys() == {looks[1]}
    assert [len(harness.gateway.received(f"user{number:02}=")) for number in range(3)] == [1, 0, 1]


@pytest.mark.parametrize(
    ("looks", "packs"),
    [
        ([DeliveryCheck(AboutMessage(DM, 3), ("bob",))], [1]),
        ([DeliveryCheck(AboutMessage(DM, seq), ("bob",)) for seq in range(1, 121)], [50, 50, 20]),
        ([DeliveryCheck(AboutMessage(GROUP, seq), tuple(map(str, range(49)))) for seq in (1, 2, 3)], [2, 1]),
        ([DeliveryCheck(AboutMessage(GROUP, seq), tuple(map(str, range(200)))) for seq in (1, 2)], [1, 1]),
        (
            [
                DeliveryCheck(AboutNotification("n1"), ("bob",)),
                DeliveryCheck(AboutMessage(DM, 3), ("bob",), quiet=True),
                Digest(AboutMessage(GROUP, 7)),
                DeliveryCheck(AboutMessage(DM, 4), ("alice",), until=9),
            ],
            [1, 1, 2],
        ),
    ],
)
def test_checks_share_a_message_as_far_as_one_read_answers_them_and_are_read_as_they_were_put(
    looks: list[DeliveryCheck | Digest], packs: list[int]
) -> None:
    bodies = [json.loads(json.dumps(body)) for body in look_bodies(looks)]
    found = [looks_from(body) for body in bodies]
    assert [len(pack) for pack in found] == packs
    assert {one for pack in found for one in pack} == set(looks)
    assert all((body["kind"] == "look") == (len(pack) == 1) for body, pack in zip(bodies, found, strict=True))


@pytest.mark.parametrize(
    "look",
    [DeliveryCheck(AboutMessage(DM, 3), ("bob",)), DeliveryCheck(AboutMessage(DM, 3), ("bob",), quiet=True, until=5)],
)
def test_a_check_is_read_as_it_was_queued_and_one_of_before_covers_what_follows(look: DeliveryCheck) -> None:
    assert look_from(json.loads(json.dumps(look_body(look)))) == look
    assert ("until" in look_body(look)) == (look.until is not None)
