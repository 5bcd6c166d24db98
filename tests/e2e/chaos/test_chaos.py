"""Real clients chat while the network, DynamoDB and the functions fail; then all is healed, and all must be right.

`python -m tests.chaos` takes longer, and everything at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from local.stack import Stack
from tests.chaos.run import SHORT_PATIENCE, Report, Terms, run
from tests.chaos.storm import Trouble
from tests.chaos.user import Chatting

if TYPE_CHECKING:
    from tests.e2e.conftest import OwnStack

SECONDS = 10.0


def chaos(own_stack: OwnStack, stack: Stack, terms: Terms) -> Report:
    """A run that came out right, with enough in it to judge."""
    report = asyncio.run(run(stack, own_stack.settings, terms))
    assert report.findings == [], str(report)
    assert report.operations["send ok"] >= 10, str(report)
    assert report.compared >= 10, str(report)
    return report


def test_nothing_is_lost_doubled_or_reordered_over_a_network_that_refuses_drops_halves_stalls_and_delays(
    own_stack: OwnStack, stack: Stack
) -> None:
    terms = Terms(seed=1, seconds=SECONDS, kind=Chatting, storm=30, patience=SHORT_PATIENCE)
    struck = chaos(own_stack, stack, terms).faults["network"]
    assert struck[Trouble.DELAYED.value]
    assert struck[Trouble.OVERTAKEN.value]
    assert len(struck) >= 5


def test_nor_while_dynamodb_throttles_fails_hangs_and_loses_answers(own_stack: OwnStack, stack: Stack) -> None:
    terms = Terms(seed=2, seconds=SECONDS, kind=Chatting, odds=0.05)
    assert len(chaos(own_stack, stack, terms).faults["DynamoDB"]) >= 5


def test_nor_while_functions_are_killed(own_stack: OwnStack, stack: Stack) -> None:
    terms = Terms(seed=3, seconds=SECONDS, kind=Chatting, kill_every_s=0.7)
    assert chaos(own_stack, stack, terms).faults["killed"].total() >= 3
