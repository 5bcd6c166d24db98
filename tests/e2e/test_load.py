"""Storms, floods and crowds, small ones (`python -m tests.load` has the big ones): nothing lost, doubled or refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from local.stack import Stack
from tests.load.absence import absence
from tests.load.flood import flood
from tests.load.hot import hot, slow
from tests.load.load_run import LoadRun
from tests.load.steady import steady
from tests.load.storm import storm


def findings(stack: Stack, scenario: Callable[[LoadRun], Awaitable[None]]) -> list[str]:
    """What is wrong after it."""
    load_run = LoadRun(stack)

    async def run() -> None:
        await scenario(load_run)

    asyncio.run(run())
    return load_run.findings


def test_in_a_storm_of_connections_everybody_gets_in_or_is_told_why_and_each_coming_is_said_once(stack: Stack) -> None:
    assert findings(stack, lambda load_run: storm(load_run, users=50, at_once=20)) == []


def test_who_floods_is_held_up_and_sent_away_while_others_are_served_in_order(stack: Stack) -> None:
    assert findings(stack, lambda load_run: flood(load_run, pairs=5)) == []


def test_twenty_who_write_into_one_group_at_once_see_one_gapless_order(stack: Stack) -> None:
    assert findings(stack, lambda load_run: hot(load_run, writers=20, each=5)) == []


def test_a_member_who_takes_nothing_holds_up_nobody_and_misses_nothing(stack: Stack) -> None:
    assert findings(stack, lambda load_run: slow(load_run, messages=150)) == []


def test_after_a_long_absence_five_hundred_conversations_are_caught_up_with_entry_by_entry(stack: Stack) -> None:
    assert findings(stack, lambda load_run: absence(load_run, conversations=500)) == []


def test_what_everybody_writes_at_full_speed_is_stored_once_and_told_to_all(stack: Stack) -> None:
    assert findings(stack, lambda load_run: steady(load_run, users=12, seconds=5, random=Random(3))) == []
