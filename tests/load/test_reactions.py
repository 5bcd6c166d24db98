"""Many members react to one message within ten seconds, on partitions that take what DynamoDB's do."""

from __future__ import annotations

import pytest

from shared.clock import REQUEST_S
from tests.load.reactions import GROUP, BusyGroup, Rivals, report
from tests.stores import adapters


@pytest.mark.parametrize(("members", "reads", "writes"), [(200, 15, 12), (1_000, 16, 32)])
def test_reactions_of_all_members_to_one_message_are_all_stored(members: int, reads: float, writes: float) -> None:
    """With the roster read by every attempt it was some 490 read units each for 200, and most were given up."""
    busy = BusyGroup(members)
    busy.run(within_ms=10_000)
    assert (busy.outcomes, busy.reactions) == ({"ok": members}, members), report(busy)
    assert max(busy.waits) < REQUEST_S - 3, report(busy)
    assert busy.limited.spent["read"] / members <= reads, report(busy)
    assert busy.limited.spent["write"] / members <= writes, report(busy)
    log = adapters(busy.store).log
    reacted = [entry for start in (busy.seq + 1, busy.seq + 501) for entry in log.read(GROUP, start=start, limit=500)]
    assert [entry.seq for entry in reacted] == list(range(busy.seq + 1, busy.seq + 1 + members))
    assert {entry.sender_id for entry in reacted} == set(busy.users)


def test_sixteen_who_change_one_message_all_the_time_take_turns_and_lose_no_time() -> None:
    """One alone gets through as many changes a second: the log is hardly ever idle, and none waits to its deadline."""
    alone, many = Rivals(20, writers=1), Rivals(20, writers=16)
    for busy in (alone, many):
        busy.run(within_ms=10_000)
        assert set(busy.outcomes) == {"ok"}, report(busy)
    assert many.outcomes["ok"] > 0.9 * alone.outcomes["ok"], report(many)
    assert max(many.waits) < REQUEST_S / 2, report(many)
