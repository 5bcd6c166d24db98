"""Large groups that write faster than is posted: what waits is not posted where a later entry says as much."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from functions.offline_push.handler import look_at, work
from functions.offline_push.wiring import Wiring as Wired
from shared.domain.changes import Reacted
from shared.domain.entries import Draft, Entry
from shared.domain.fan_out import Shard
from shared.domain.notifications import AboutMessage
from shared.operations.fan_out import STALE_MS, LaterEntries
from tests.changes import changed
from tests.functions.events import NOW
from tests.functions.offline_push.test_offline_push import GROUP, OfflinePushHarness, group_record, shard_record

DONE: dict[str, list[object]] = {"batchItemFailures": []}
OTHER = "group:fedcba9876543210"


@dataclass
class Busy(OfflinePushHarness):
    """The same group, in which all but the last three are connected since long ago."""

    def __post_init__(self) -> None:
        for user in self.members[:-3]:
            self.stores.connect(user, f"{user}=", at=NOW - 60_000)

    def wired(self, rate: int = 500, **limits: Any) -> Wired:
        """Waiting takes time."""
        wired = super().wired(rate, **limits)
        return replace(wired, context=replace(wired.context, wait_ms=self.wait))

    def wait(self, ms: int) -> None:
        self.clock.advance(ms)

    @property
    def tail(self) -> Entry:
        return self.stores.entries(GROUP)[-1]

    def write(self, entries: int) -> None:
        """Messages from entry 3 on, and what the stream makes of them."""
        for _ in range(entries):
            before = self.tail
            self.stores.log.put(Draft(GROUP, "user000", "more", f"m{before.seq}", fan_out=True).following(before, NOW))
            assert look_at([group_record(before.seq + 1)], self.wired()) == DONE

    def backlog(self) -> list[dict[str, Any]]:
        """All that waits, the longest first."""
        waiting, self.shards.shards = self.shards.shards, []
        return [of(shard) for shard in waiting]

    def got(self, user: str) -> list[int]:
        return [json.loads(data)["seq"] for data in self.gateway.received(f"{user}=")]


def of(shard: Shard) -> dict[str, Any]:
    return shard_record(shard.users, shard.seq, shard.conversation_id, queued_at=shard.queued_at)


def another_group(harness: Busy) -> dict[str, Any]:
    """Its message waits as long as the others, and behind them."""
    users = ("zoe", "user001")
    creation = harness.stores.found(OTHER, *users, name="other", at=NOW)
    harness.stores.log.put(Draft(OTHER, "user001", "hello", "n", fan_out=True).following(creation, NOW))
    harness.stores.connect("zoe", "zoe=", at=NOW - 60_000)
    return of(Shard(OTHER, 2, users, NOW))


@pytest.fixture
def harness() -> Busy:
    return Busy()


def test_a_backlog_of_two_hundred_shards_is_one_post_to_each_and_holds_up_no_other_group(harness: Busy) -> None:
    harness.write(67)
    backlog = [*harness.backlog(), another_group(harness)]
    assert len(backlog) == 202
    harness.clock.ms += 10_000
    began, wired = harness.clock.ms, harness.wired()
    for record in backlog:
        assert work([record], wired) == DONE
    assert {tuple(harness.got(user)) for user in harness.members[2:-3]} == {(harness.tail.seq,)}
    assert len(harness.gateway.posts) <= 250  # 16,549 where each is posted, which takes half a minute
    assert len(harness.gateway.received("zoe=")) == 1
    assert harness.clock.ms - began < 1_000
    assert harness.counts == {"ShardsSuperseded": 198}


def test_who_is_away_is_woken_for_each_message_of_a_backlog_and_who_is_there_looked_at_again(harness: Busy) -> None:
    harness.write(5)
    backlog = harness.backlog()
    harness.clock.ms += 10_000
    for record in backlog:
        assert work([record], harness.wired()) == DONE
    expected = {(user, AboutMessage(GROUP, seq)) for user in harness.members[-3:] for seq in range(3, 8)}
    assert set(harness.woken) == expected
    looked = {(user, look.about) for look in harness.delivery_checks.looks for user in look.users}
    assert looked == {(user, AboutMessage(GROUP, seq)) for user in harness.members[1:-3] for seq in range(3, 8)}


def test_without_a_backlog_everything_is_posted(harness: Busy) -> None:
    harness.write(4)
    harness.clock.ms += STALE_MS - 1
    wired = harness.wired(rate=100_000)
    for record in harness.backlog():
        assert work([record], wired) == DONE
    assert harness.got("user007") == [3, 4, 5, 6]
    assert not harness.counts


def test_what_is_known_to_have_been_overtaken_is_passed_over_however_short_it_has_waited(harness: Busy) -> None:
    """So a client finds one gap, and not one before every other entry."""
    harness.write(3)
    first = harness.backlog()[0]
    harness.clock.ms += STALE_MS
    harness.write(1)
    wired = harness.wired()
    assert work([first], wired) == DONE
    assert work([shard_record(harness.members[:100], 5, queued_at=harness.clock.ms)], wired) == DONE
    assert work([shard_record(harness.members[:100], 6, queued_at=harness.clock.ms)], wired) == DONE
    assert harness.got("user007") == [6]


def test_a_change_that_was_overtaken_takes_one_read_and_nothing_else(harness: Busy) -> None:
    harness.stores.log.put(changed(Reacted(2, "👍", removed=False), harness.tail, by="user000", at=NOW, fan_out=True))
    harness.write(1)
    harness.clock.ms += STALE_MS
    assert work([shard_record(harness.members[:100], 3, queued_at=NOW)], harness.wired()) == DONE
    assert (harness.gateway.posts, harness.delivery_checks.looks, harness.woken) == ([], [], [])


def test_an_entry_that_no_shard_will_bring_overtakes_nothing(harness: Busy) -> None:
    """The group has become small: the function that stored it posts it, and may have died before."""
    harness.stores.log.put(Draft(GROUP, "user000", "few", "f", fan_out=False).following(harness.tail, NOW))
    harness.clock.ms += 60_000
    assert work([shard_record(harness.members[:100], queued_at=NOW)], harness.wired()) == DONE
    assert harness.got("user007") == [2]


def test_a_shard_that_does_not_say_since_when_it_waits_is_posted(harness: Busy) -> None:
    harness.write(1)
    harness.clock.ms += 60_000
    assert work([shard_record(harness.members[:100])], harness.wired()) == DONE
    assert harness.got("user007") == [2]


def test_a_connection_that_was_opened_long_after_the_entry_finds_it_in_its_sync(harness: Busy) -> None:
    harness.stores.connect("user001", "late=", at=NOW + 20_000)
    harness.clock.ms += 30_000
    assert work([shard_record(harness.members[:4], queued_at=NOW)], harness.wired()) == DONE
    assert harness.gateway.received("late=") == []
    assert harness.got("user001") == [2]
    assert [user for look in harness.delivery_checks.looks for user in look.users] == ["user001", "user002", "user003"]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_waits_how_long_and_comes_in_whatever_order_the_last_entry_gets_to_everybody(seed: int) -> None:
    """Five instances, messages that come twice, and writers who go on meanwhile."""
    harness, random = Busy(), Random(seed)
    instances = [harness.wired(rate=5_000) for _ in range(5)]
    waiting: list[dict[str, Any]] = []
    for _ in range(8):
        harness.write(random.randint(0, 3))
        waiting += harness.backlog()
        harness.clock.ms += random.choice((0, 500, 5_000))
        for _ in range(random.randint(0, len(waiting))):
            record = waiting.pop(random.randrange(len(waiting)))
            assert work([record], random.choice(instances)) == DONE
            waiting += [record] if random.random() < 0.1 else []
    for record in waiting:
        assert work([record], random.choice(instances)) == DONE
    for user in harness.members[:-3]:
        got = harness.got(user)
        assert harness.tail.seq == 2 or max(got) == harness.tail.seq


def test_an_instance_remembers_so_many_groups_and_forgets_what_it_met_longest_ago() -> None:
    later = LaterEntries()
    for number in range(1_001):
        later.note(Draft(f"group:{number}", "zoe", "x", "n", fan_out=True).following(None, NOW))
    assert not later.known_behind(Shard("group:0", 0, ()))
    assert later.known_behind(Shard("group:1000", 0, ()))
    assert not later.known_behind(Shard("group:1000", 1, ()))
