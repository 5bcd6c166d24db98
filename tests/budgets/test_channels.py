"""What a channel costs: a send, a join, a handshake, a receipt, a sync, and the packs that tell it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from shared.domain.changes import OPEN
from shared.domain.entries import Entry
from shared.domain.fan_out import StoredEntry
from shared.domain.packs import Portion
from shared.operations.channels import NewChannel, create_channel, join, remove_from_channel
from shared.operations.packs import claim_packs, make_pack
from shared.operations.portions import deliver_portion
from tests.budgets.conftest import BudgetHarness
from tests.budgets.pushes import push_wiring
from tests.fakes import FakeDeliveryCheckQueue, FakeShardQueue
from tests.functions.events import NOW
from tests.stores import adapters

CHANNEL = "channel:0123456789abcdef"


@pytest.fixture
def channel(harness: BudgetHarness) -> BudgetHarness:
    """Alice's, which bob reads; both are there."""
    wired = harness.wired
    context = replace(wired.context, new_secret=lambda: CHANNEL.removeprefix("channel:"))
    create_channel(
        NewChannel("alice", "News", OPEN), stores=adapters(harness.meter), services=wired.services, context=context
    )
    enter(harness, "bob")
    return harness


def enter(harness: BudgetHarness, user: str) -> Counter[str]:
    harness.meter.reset()
    limits = replace(harness.wired.context.limits, channel_members=100_000)
    join(CHANNEL, user, by=user, stores=adapters(harness.meter), context=replace(harness.wired.context, limits=limits))
    return harness.meter.count


def say(cmid: str, after: int) -> dict[str, object]:
    return {
        "type": "message",
        "conversation_id": CHANNEL,
        "content": "news",
        "client_message_id": cmid,
        "after": after,
    }


def test_a_send_reads_the_entry_and_those_who_write_and_is_one_put(channel: BudgetHarness) -> None:
    for number in range(30):
        enter(channel, f"reader{number}")
    assert channel.measured(say("x", 1)) == {"BatchGetItem": 1, "Query": 1, "PutItem": 1}
    assert (channel.meter.reads <= 2, channel.meter.writes) == (True, 1)
    assert channel.gateway.posts == []


def test_who_only_reads_is_refused_for_one_read_more(channel: BudgetHarness) -> None:
    channel.meter.reset()
    channel.body(say("x", 1), user_id="bob")
    assert channel.meter.count == {"BatchGetItem": 1, "Query": 2, "GetItem": 1}  # looks for an earlier attempt, too
    assert channel.meter.writes == 0


def test_a_join_writes_the_readers_own_rows(channel: BudgetHarness) -> None:
    made = enter(channel, "carol")
    # The channel, the membership that is not there, a stretch of the list, the head; the session, twice as it is the
    # first that it names, and the two rows.
    assert made == {"BatchGetItem": 1, "GetItem": 1, "Query": 2, "UpdateItem": 2, "TransactWriteItems": 1}
    assert (channel.meter.reads <= 4, channel.meter.writes) == (True, 6)
    assert enter(channel, "bob") == {
        "BatchGetItem": 1,
        "GetItem": 2,
        "Query": 2,
        "UpdateItem": 1,
        "BatchWriteItem": 1,
    }


def test_leaving_deletes_them(channel: BudgetHarness) -> None:
    channel.meter.reset()
    wired = channel.wired
    remove_from_channel(
        CHANNEL, "bob", by="bob", stores=adapters(channel.meter), services=wired.services, context=wired.context
    )
    assert channel.meter.count == {"TransactWriteItems": 1, "BatchGetItem": 1, "DeleteItem": 1}


def test_a_handshake_of_a_reader_writes_one_row_for_each_channel(channel: BudgetHarness) -> None:
    channel.meter.reset()
    channel.connect("bob", "b2=")
    assert channel.meter.count == {"UpdateItem": 1, "BatchWriteItem": 1}


def test_a_receipt_of_a_reader_is_told_to_no_one_else(channel: BudgetHarness) -> None:
    channel.say(say("x", 1))
    read = {"type": "read", "conversation_id": CHANNEL, "seq": 2}
    assert channel.measured(read, user_id="bob") == {"BatchGetItem": 2, "UpdateItem": 1}


def test_a_sync_reads_the_membership_and_the_log(channel: BudgetHarness) -> None:
    channel.say(say("x", 1))
    sync = {"type": "sync", "conversations": {CHANNEL: 1}}
    assert channel.measured(sync, user_id="bob")["Query"] <= 3
    assert channel.meter.writes == 0


def stored(entry: Entry) -> StoredEntry:
    return StoredEntry(CHANNEL, entry.seq, entry.sender_id, fan_out=entry.fan_out)


def test_a_pack_is_two_queries_a_count_for_each_part_and_three_writes_however_many_are_told(
    channel: BudgetHarness,
) -> None:
    wired, looks, shards = push_wiring(channel), FakeDeliveryCheckQueue(), FakeShardQueue()
    limits = replace(wired.context.limits, channel_rate=2_000, fan_out_rate=500)
    services = replace(wired.services, delivery_checks=looks, shard_queue=shards)
    context = replace(wired.context, limits=limits)
    seqs = [channel.say(say(f"x{number}", 1 + number))["seq"] for number in range(20)]
    entries = channel.wired.stores.log.read(CHANNEL, start=seqs[0], limit=20)
    channel.meter.reset()
    claim_packs(map(stored, entries), stores=wired.stores, services=services, context=context)
    assert channel.meter.count == {"UpdateItem": 1}
    channel.meter.reset()
    make_pack(looks.packs[0][0], stores=wired.stores, services=services, context=context)
    assert channel.meter.count == {"UpdateItem": 2, "Query": 1 + 16}
    assert (channel.meter.reads, channel.meter.writes) == (17, 2)
    assert len(shards.portions) <= 2  # of alice's and bob's connections: where there is none, nothing is queued
    channel.meter.reset()
    channel.gateway.posts.clear()
    for portion in shards.portions:
        deliver_portion(portion, stores=wired.stores, services=services, context=context)
    assert channel.meter.count == {"Query": 2 * len(shards.portions), "BatchGetItem": len(shards.portions)}
    assert sorted(name for name, _ in channel.gateway.posts) == ["a1=", "b1="]


def test_a_portion_of_many_reads_a_membership_for_each_user_and_the_pack_once(channel: BudgetHarness) -> None:
    wired, shards = push_wiring(channel), FakeShardQueue()
    limits = replace(wired.context.limits, channel_rate=2_000, fan_out_rate=500)
    context = replace(wired.context, limits=limits)
    channel.say(say("x", 1))
    services = replace(wired.services, shard_queue=shards)
    for number in range(40):
        enter(channel, f"r{number}")
        channel.connect(f"r{number}", f"c{number}=")
    channel.meter.reset()
    channel.gateway.posts.clear()
    for part in range(16):
        portion = Portion(CHANNEL, 1, 2, part, 1_000, NOW)
        deliver_portion(portion, stores=wired.stores, services=services, context=context)
    used = sum(1 for part in range(16) if wired.stores.attendance.count(CHANNEL, part))
    assert channel.meter.made.count("BatchGetItem") == used
    assert len(channel.gateway.posts) == 42
