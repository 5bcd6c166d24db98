"""docs/scale.md says what benchmarks/scale.py computes; the storm is the real client's backoff against a quota."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from parley_client.settings import Settings

from benchmarks import channel, channel_costs, scale
from benchmarks.channel import POST_RATE, Found, Plan, Written, simulated
from benchmarks.scale import Load, storm
from shared.domain import packs
from shared.domain.channels import PARTS

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/scale.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("title", scale.TABLES)
def test_each_table_is_the_computed_one(title: str) -> None:
    section = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    assert "\n".join(scale.TABLES[title]()) in section


def test_a_storm_takes_as_long_as_the_quota_lets_in_and_not_much_longer() -> None:
    found = storm(2_000, 50)
    assert 2_000 / 50 - 1 <= found.all <= 2_000 / 50 + Settings().backoff_limit
    assert found.half < found.most <= found.all
    assert found.tries > 1


def test_without_a_limit_everybody_is_back_with_the_first_try() -> None:
    found = storm(1_000, 1_000_000)
    assert found.tries == 1
    assert found.all <= Settings().backoff_first


def test_ten_thousand_stand_for_a_hundred_thousand() -> None:
    shown, all_of_them = storm(10_000, 1_000), storm(100_000, 10_000)
    assert (all_of_them.half, all_of_them.all, all_of_them.tries) == (shown.half, shown.all, shown.tries)
    assert all_of_them.peak == pytest.approx(10 * shown.peak)


def test_a_client_that_does_not_back_off_asks_many_times_as_often() -> None:
    calm = storm(2_000, 20)
    hasty = storm(2_000, 20, settings=replace(Settings(), backoff_limit=1.0))
    assert hasty.tries > 10 * calm.tries
    assert hasty.all == pytest.approx(calm.all, rel=0.35)


def told(plan: Plan, written: Written) -> Found:
    return simulated(plan, written, shown=20)


def test_a_packs_worth_reaches_everybody_within_a_window_and_its_posting() -> None:
    plan = Plan(20_000)
    found = told(plan, Written(rate=1, seconds=60))
    assert (found.lost, found.syncs.total(), found.refused.total()) == (0, 0, 0)
    assert found.share(1) <= 2 * plan.window + 1
    assert found.packs == 7
    assert found.posts.total() == 7 * 20_000


def test_what_finds_no_room_in_packs_is_synced_within_the_time_that_they_say() -> None:
    plan, burst = Plan(20_000, sync_rate=100_000, reads=100_000), Written(rate=1_000, seconds=0.018)
    found = told(plan, burst)
    assert (found.lost, found.refused.total(), found.syncs.total()) == (0, 0, 20_000)
    assert found.share(1) <= 20_000 / POST_RATE + plan.window + 2
    hasty = told(replace(plan, spread=False), burst)
    assert hasty.delays[-1] < found.delays[-1]
    assert max(hasty.syncs.values()) > found.syncs.total() / (20_000 / POST_RATE + plan.window)


def test_everybody_gets_everything_however_many_syncs_are_refused() -> None:
    found = told(Plan(20_000, sync_rate=100, shares=False), Written(rate=1_000, seconds=0.1))
    assert found.refused.total() > found.syncs.total()
    assert found.lost == 0


def test_half_of_the_throttle_is_left_for_everybody_else() -> None:
    plan, burst = Plan(20_000), Written(rate=1_000, seconds=0.018)
    assert plan.within_ms == packs.sync_within_ms(20_000, window=10_000, rate=500) == 80_000
    found, hasty = told(plan, burst), told(replace(plan, shares=False), burst)
    assert found.lost == hasty.lost == 0
    assert found.refused.total() < hasty.refused.total() / 2
    assert max(found.syncs.values()) <= max(hasty.syncs.values())


def test_readers_acknowledge_nothing_in_a_channel() -> None:
    assert told(Plan(1_000), Written(rate=1, seconds=30)).receipts.total() == 0


def test_a_busy_hour_is_proportional_to_its_users() -> None:
    one, ten = Load(1_000), Load(10_000)
    for name in ("messages", "requests", "concurrency", "writes", "session_writes", "reconnects"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))
    assert one.requests == pytest.approx(1_000 * (4 / 60 + 1 / 240))


def test_a_channel_is_simulated_and_priced_as_it_is_told() -> None:
    assert (channel.PACK_BYTES, channel.WINDOW_S * 1_000) == (packs.MAX_PACK_BYTES, packs.MIN_WINDOW_MS)
    assert channel_costs.PARTS == PARTS
    for readers in (1, 5_000, 100_000):
        assert Plan(readers).window * 1_000 == packs.window_ms(readers, rate=channel.CHANNEL_RATE)
    keys = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    for name, value in (
        ("channel_rate", channel.CHANNEL_RATE),
        ("channel_rate", channel_costs.CHANNEL_RATE),
        ("fan_out_rate", channel_costs.SHARD_RATE),
    ):
        assert f"| `{name}` | `{value}` |" in keys
    assert f"sync={channel.SYNC_RATE:.0f}/" in keys
