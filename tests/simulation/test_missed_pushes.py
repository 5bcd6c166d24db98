"""A push function that was down while people wrote: what the look at cursors and claims makes up for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from shared.operations.push import missed
from tests.simulation import sources
from tests.simulation.functions import BASE_MS, quietly
from tests.simulation.judge import pushes
from tests.simulation.judge.case import Case
from tests.simulation.plan import plan_of
from tests.simulation.scenario import _run_dry, beginning, build, play

HISTORIES = 80


def _fan_out_alone(image: Mapping[str, Any]) -> bool:
    return image.get("fan_out") == {"BOOL": True}


def history(seed: int, *, down: bool, sweeps: int) -> tuple[list[str], int]:
    """What the judges of pushes object to, and how many pushes the sweeps have made."""
    plan = plan_of(seed)
    scenario = build(plan)
    readers = {**sources._READERS, "push": _fan_out_alone} if down else sources._READERS
    with patch.object(sources, "_READERS", readers), quietly(plan.limits):
        play(scenario)
        before = len(scenario.deployment.provider.accepted)
        for _ in range(sweeps):  # at once: each finds what the other does
            until = BASE_MS + int(scenario.hub.now)
            body = {"kind": "sweep", "since": BASE_MS - missed.WINDOW_MS, "until": until, "after": None}
            scenario.deployment.queues.enqueue("looks", json.dumps(body), 0.0)
        _run_dry(scenario)
    case = Case(scenario, beginning())
    found = [finding for rule in (*pushes.RULES, *pushes.IN_THE_END) for finding in rule(case)]
    return found, len(scenario.deployment.provider.accepted) - before


@pytest.mark.parametrize("down", [True, False])
def test_who_was_away_is_woken_in_the_end_and_nobody_twice_or_against_their_will(down: bool) -> None:
    made = 0
    for seed in range(HISTORIES):
        found, pushed = history(seed, down=down, sweeps=2)
        assert not found, f"seed {seed}"
        made += pushed
    assert made > HISTORIES / 10  # without an outage: of what there was before the history begins


def test_without_the_look_somebody_is_not_woken() -> None:
    assert any("was not pushed" in finding for seed in range(40) for finding in history(seed, down=True, sweeps=0)[0])
