"""What waking people costs: the look from the stream, the delivery check, and a push."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import pytest

from functions.offline_push.handler import look_at, withdraw, work
from functions.offline_push.wiring import Wiring as Wired
from shared.adapters.aws.push_queues import job_body, look_body
from shared.domain.devices import FCM, Device, PushTarget
from shared.domain.fan_out import Shard
from shared.domain.packs import Portion
from tests.budgets.conftest import BudgetHarness
from tests.budgets.pushes import push_wiring
from tests.budgets.test_budgets import in_group, make_group
from tests.fakes import DM, FakeDeliveryCheckQueue, FakePushQueue
from tests.functions.events import NOW, stream_record
from tests.functions.offline_push.test_offline_push import (
    look_record,
    noted_record,
    push_record,
    shard_record,
    sqs_record,
)

DONE: dict[str, list[object]] = {"batchItemFailures": []}


@pytest.fixture
def phone(harness: BudgetHarness) -> BudgetHarness:
    """Bob has a phone, and an item for it."""
    device = Device("phone", PushTarget(FCM, "a token of usual length" * 7), NOW)
    push_wiring(harness).stores.devices.register("bob", device, limit=10)
    return harness


def test_the_look_from_the_stream_is_half_a_read_unit_and_no_write(harness: BudgetHarness) -> None:
    wired = push_wiring(harness)
    harness.meter.reset()
    assert look_at([stream_record(3)], wired) == DONE
    assert (harness.meter.count, harness.meter.reads, harness.meter.writes) == ({"BatchGetItem": 1}, 0.5, 0)


def test_of_who_is_absent_the_devices_are_read_too(phone: BudgetHarness) -> None:
    wired = push_wiring(phone)
    phone.wired.stores.sessions.remove("bob", "b1=", now=NOW)
    phone.meter.reset()
    assert look_at([stream_record(3)], wired) == DONE
    assert (phone.meter.count, phone.meter.reads, phone.meter.writes) == ({"BatchGetItem": 2}, 1.5, 0)
    assert isinstance(wired.services.push_queue, FakePushQueue)
    assert [job.user_id for job in wired.services.push_queue.jobs] == ["bob"]


def test_a_delivery_check_of_who_has_it_is_one_read_unit(harness: BudgetHarness) -> None:
    harness.say({"type": "delivered", "conversation_id": DM, "seq": 3}, user_id="bob")
    wired = push_wiring(harness)
    harness.meter.reset()
    assert work([look_record({"conversation_id": DM, "seq": 3}, ["bob"])], wired) == DONE
    assert (harness.meter.count, harness.meter.reads, harness.meter.writes) == ({"BatchGetItem": 1}, 1, 0)


def test_a_push_is_one_write_and_what_decides_about_it(phone: BudgetHarness) -> None:
    """The message; member, profile, block, devices and sender; the user's conversations, and the tail of each."""
    wired = push_wiring(phone)
    phone.meter.reset()
    assert work([push_record("bob", 3)], wired) == DONE
    assert phone.meter.made == ["BatchGetItem", "BatchGetItem", "Query", "Query", "UpdateItem"]
    assert (phone.meter.reads, phone.meter.writes) == (1 + 5 + 1 + 1, 1)


def test_a_push_that_can_be_withdrawn_is_one_write_more_and_withdrawing_it_what_the_page_of_costs_says(
    phone: BudgetHarness,
) -> None:
    """Devices and claim, the note; what decides, the claim, the badge; the claim of the withdrawal, and its end."""
    wired = push_wiring(phone, withdrawals=[FCM])
    phone.meter.reset()
    assert work([push_record("bob", 3)], wired) == DONE
    assert (phone.meter.made[-2:], phone.meter.writes) == (["UpdateItem", "UpdateItem"], 2)
    phone.say({"type": "read", "conversation_id": DM, "seq": 3}, user_id="bob")
    phone.meter.reset()
    record = noted_record(read_seq=3)
    for image in ("OldImage", "NewImage"):
        record["dynamodb"][image]["pushed_seq"] = {"N": "3"}
    assert withdraw([record], wired) == DONE
    assert phone.meter.made == ["BatchGetItem", "BatchGetItem", "UpdateItem"]
    assert (phone.meter.reads, phone.meter.writes) == (2, 1)
    assert isinstance(wired.services.push_queue, FakePushQueue)
    (job,) = wired.services.push_queue.jobs
    phone.meter.reset()
    assert work([sqs_record(job_body(job))], wired) == DONE
    assert phone.meter.made == ["BatchGetItem", "BatchGetItem", "Query", "Query", "UpdateItem", "UpdateItem"]
    assert (phone.meter.reads, phone.meter.writes) == (3 + 1 + 1 + 1, 2)


def test_a_receipt_of_who_was_pushed_costs_what_any_other_does(phone: BudgetHarness) -> None:
    costs = []
    for is_pushed in (True, False):
        if is_pushed:
            assert work([push_record("bob", 3)], push_wiring(phone, withdrawals=[FCM])) == DONE
        phone.meter.reset()
        phone.say({"type": "read", "conversation_id": DM, "seq": 2 + (not is_pushed)}, user_id="bob")
        costs.append((phone.meter.count, phone.meter.reads, phone.meter.writes))
    assert costs[0] == costs[1]


def test_a_push_that_comes_twice_is_one_refused_write_more(phone: BudgetHarness) -> None:
    wired = push_wiring(phone)
    assert work([push_record("bob", 3)], wired) == DONE
    phone.meter.reset()
    assert work([push_record("bob", 3)], wired) == DONE
    assert (phone.meter.count["UpdateItem"], phone.meter.writes) == (1, 1)


def test_a_shard_that_a_later_entry_makes_useless_costs_a_query_once_and_no_post(harness: BudgetHarness) -> None:
    """Beside the entry, the sessions and the devices, which waking takes. Of a change the entry alone is read."""
    group = make_group(harness, 250, large=True)
    for number in range(3):
        harness.say({"type": "message", "conversation_id": group, "content": f"hello {number}"})
    last = harness.wired.stores.log.read_back(group, limit=1)[0].seq
    harness.clock.advance(60_000)
    wired = push_wiring(harness)
    harness.meter.reset()
    harness.gateway.posts.clear()
    assert work([shard_record(["bob"], last - 2, group, queued_at=NOW)], wired) == DONE
    listing = ["UpdateItem", "UpdateItem", "BatchWriteItem", "UpdateItem"]
    assert (harness.meter.made, harness.meter.writes) == (["BatchGetItem", "Query", "BatchGetItem", *listing], 4)
    harness.meter.reset()
    assert work([shard_record(["bob"], last - 1, group, queued_at=NOW)], wired) == DONE
    assert (harness.meter.made[:2], harness.meter.reads) == (["BatchGetItem", "BatchGetItem"], 2)
    harness.meter.reset()
    assert work([shard_record(["bob"], 1, group, queued_at=NOW)], wired) == DONE
    assert (harness.meter.made, harness.meter.reads) == (["BatchGetItem"], 1)
    assert harness.gateway.posts == []


def sweep_record(since: int = 0) -> dict[str, object]:
    return sqs_record({"kind": "sweep", "since": since, "until": NOW + 1, "after": None})


def test_a_look_at_who_missed_a_push_costs_a_page_a_query_a_user_and_one_a_conversation(phone: BudgetHarness) -> None:
    """Eventually consistent but for the tail; of what was missed the session and the devices, as when it was stored."""
    wired = push_wiring(phone)
    phone.wired.stores.sessions.remove("bob", "b1=", now=NOW)
    phone.meter.reset()
    assert work([sweep_record()], wired) == DONE
    assert phone.meter.made == ["Scan", "Query", "Query", "BatchGetItem", "BatchGetItem"]
    assert (phone.meter.reads, phone.meter.writes) == (0.5 + 0.5 + 1 + 1 + 1, 0)
    assert isinstance(wired.services.push_queue, FakePushQueue)
    assert [job.user_id for job in wired.services.push_queue.jobs] == ["bob"]


def test_where_nothing_was_missed_it_ends_with_the_tails_and_where_nobody_has_a_device_with_a_page(
    harness: BudgetHarness,
) -> None:
    wired = push_wiring(harness)
    harness.meter.reset()
    assert work([sweep_record()], wired) == DONE
    assert (harness.meter.made, harness.meter.reads) == (["Scan"], 0.5)
    wired.stores.devices.register("bob", Device("phone", PushTarget(FCM, "token"), NOW), limit=10)
    harness.say({"type": "delivered", "conversation_id": DM, "seq": 3}, user_id="bob")
    harness.meter.reset()
    assert work([sweep_record()], wired) == DONE
    assert (harness.meter.made, harness.meter.writes) == (["Scan", "Query", "Query"], 0)


class Shards:
    """Keeps them; `bodies` are the queue's messages."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, object]] = []

    def put(self, shards: Sequence[Shard | Portion]) -> None:
        self.bodies += [{"kind": "shard", **json.loads(json.dumps(asdict(shard)))} for shard in shards]


def large_wiring(harness: BudgetHarness, shards: Shards) -> Wired:
    wired = push_wiring(harness)
    limits = replace(wired.context.limits, digest_limit=200)
    return replace(
        wired, services=replace(wired.services, shard_queue=shards), context=replace(wired.context, limits=limits)
    )


def large_record(harness: BudgetHarness, group: str, seq: int) -> dict[str, Any]:
    entry = harness.wired.stores.log.fetch([(group, seq)])[group, seq]
    record = stream_record(seq, sender_id=entry.sender_id)
    record["dynamodb"]["NewImage"] |= {
        "conversation_id": {"S": group},
        "fan_out": {"BOOL": True},
        "roster_seq": {"N": str(entry.roster_seq)},
    }
    return record


def test_a_message_in_a_large_group_reads_who_is_there_and_nothing_of_who_is_away(harness: BudgetHarness) -> None:
    """What docs/costs.md counts for a group four times as large."""
    group = make_group(harness, 250, large=True)
    for number in range(23):
        harness.connect(f"member{number:04}", f"a connection {number:04}=")
    head = harness.wired.stores.log.read_back(group, limit=1)[0].seq
    shards = Shards()
    first = harness.say(in_group(group, head))["seq"]
    listing = large_wiring(harness, shards)
    assert look_at([large_record(harness, group, first)], listing) == DONE
    for body in shards.bodies:
        assert work([sqs_record(body)], listing) == DONE
    shards.bodies.clear()
    harness.clock.ms += 60_000
    wired = large_wiring(harness, shards)
    assert harness.measured(in_group(group, first)) == {"BatchGetItem": 1, "Query": 1, "PutItem": 1}
    sent, record = harness.meter.reads, large_record(harness, group, first + 1)
    harness.meter.reset()
    harness.gateway.posts.clear()
    assert look_at([record], wired) == DONE
    assert harness.meter.made == ["Query", "Query", "UpdateItem"]
    looked = harness.meter.reads
    assert harness.meter.writes == 1  # that another message has a digest pushed
    (body,) = shards.bodies
    harness.meter.reset()
    assert work([sqs_record(body)], wired) == DONE
    assert (harness.meter.made, len(harness.gateway.posts)) == (["BatchGetItem"], 25)
    posted = harness.meter.reads
    assert isinstance(wired.services.delivery_checks, FakeDeliveryCheckQueue)
    check = wired.services.delivery_checks.looks[-1]
    for member in wired.stores.memberships.among(group, check.users).values():
        wired.stores.memberships.move_delivered(replace(member, delivered_seq=first + 1))
    harness.meter.reset()
    assert work([sqs_record(look_body(check))], wired) == DONE
    assert (harness.meter.count, harness.meter.reads) == ({"BatchGetItem": 1}, 0.5 * 24)
    assert (sent, looked, posted) == (0.5 + 9, 9 + 1, 1)  # `after` and roster; roster and attendees; the entry
