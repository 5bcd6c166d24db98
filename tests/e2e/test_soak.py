"""The soak run, short: random users, cut connections, and everybody agrees at the end (`make soak` takes longer)."""

from __future__ import annotations

import asyncio

from local.stack import Stack
from tests.soak.run import soak


def test_after_a_while_of_random_operations_everyone_has_seen_the_same(stack: Stack) -> None:
    report = asyncio.run(soak(stack, users=10, seconds=20, pause=0.1, seed=4))
    assert report.findings == []
    assert report.done.total() > 100
    assert report.compared > 100
