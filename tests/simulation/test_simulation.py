"""Thousands of histories under faults and races: what is acked is stored once, in one order, for the right people.

`python -m tests.simulation --seed N --histories 1` shows one again, and a failing one as short as it gets.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from tests.simulation.faults import Fault
from tests.simulation.judge.refusals import OBSTACLES
from tests.simulation.plan import plan_of
from tests.simulation.planted import PLANTED, hunted_in, planted
from tests.simulation.runs import JUDGED, fingerprint, run, run_many, shortest

HISTORIES = 4_000
CHUNK = 250
ROOT = Path(__file__).parents[2]


# Histories to which was objected once: the first eight for faults of the product (two `auth` at once, who is just away,
# who goes or hides while somebody comes to see them, a check that fails half-way), the others for mistakes of judges.
_OBJECTED_TO = (
    *(703, 2_950, 30_001_391, 1_008_971, 1_028_712, 6_010_855, 6_014_539, 6_018_660),
    *(150_265, 262_866, 444_833, 886_112, 1_005_596, 1_014_658, 1_017_923, 1_020_881, 1_023_994),
    *(1_024_872, 1_027_384, 1_036_172, 1_036_332, 1_040_243, 7_020_420, 7_044_794, 7_045_169, 7_119_819),
    *(784, 2_096, 9_754),
)


@pytest.mark.parametrize("start", range(0, HISTORIES, CHUNK))
def test_no_history_breaks_a_promise(start: int) -> None:
    summary = run_many(range(start, start + CHUNK))
    for failure in summary.failures:
        pytest.fail(shortest(failure).text, pytrace=False)
    assert summary.histories == CHUNK
    assert summary.faults.total() > CHUNK


def test_what_was_objected_to_once_is_right_now() -> None:
    summary = run_many(_OBJECTED_TO)
    for failure in summary.failures:
        pytest.fail(failure.text, pytrace=False)
    assert summary.histories == len(_OBJECTED_TO)


def test_every_fault_strikes_and_every_operation_has_every_outcome() -> None:
    """In few histories already: nothing is simulated in name only."""
    summary = run_many(range(2_000))
    assert set(summary.faults) == {fault.name for fault in Fault}
    for kind, obstacles in OBSTACLES.items():
        usual = "conflict" if kind == "otherwise" else "ok"  # one id for two messages
        assert (kind, usual) in summary.operations, kind
        assert (kind, JUDGED) in summary.operations or not obstacles, kind
    for kind, code in (("send", "blocked"), ("react", "not_found"), ("remove", "forbidden"), ("read", "bad_request")):
        assert (kind, code) in summary.operations


@pytest.mark.parametrize("name", list(PLANTED))
def test_every_planted_bug_is_found(name: str) -> None:
    with planted(name):
        summary = run_many(hunted_in(name))
    assert summary.failures, f"{name}: not found in {summary.histories} histories"


def test_without_the_bug_the_history_that_found_it_is_right() -> None:
    """What finds a bug is the bug, not the history."""
    with planted("the put of an entry without its condition"):
        (failure,) = run_many(range(3_000)).failures
        assert fingerprint(run(failure.plan)) == fingerprint(failure)
    assert run(failure.plan).findings == []


def test_a_failing_history_is_made_shorter() -> None:
    with planted("a resend that is not recognised"):
        (failure,) = run_many(range(3_000)).failures
        short = shortest(failure)
    assert short.findings
    assert len(short.plan.actions) <= 4
    assert "WRONG" in short.text
    assert len(short.plan.odds) <= len(failure.plan.odds)


def test_making_it_shorter_ends_and_says_how_far_it_came_and_how_to_go_on() -> None:
    with planted("a resend that is not recognised"):
        (failure,) = run_many(range(3_000)).failures
        few = shortest(failure, tries=3)
        late = shortest(failure, cpu_s=5, clock=iter(range(100)).__next__)
        untouched = shortest(failure, tries=0)
    assert untouched.plan is failure.plan
    for outcome, tries in ((few, 3), (late, 4), (untouched, 0)):
        assert outcome.findings
        left = f"{len(outcome.plan.actions)} of {len(failure.plan.actions)} actions are left after {tries} tries"
        assert left in outcome.text
        assert f"--seed {failure.plan.seed} --histories 1 --shorten 3600" in outcome.text


def test_a_seed_repeats_exactly_also_in_another_process() -> None:
    """Sets iterate in another order there, and nothing may hang on that."""
    code = (
        "import tests.functions.environment\n"
        "from tests.simulation.plan import plan_of\n"
        "from tests.simulation.runs import JUDGED, fingerprint, run\n"
        "print(*(fingerprint(run(plan_of(seed))) for seed in range(60)))"
    )
    here = [fingerprint(run(plan_of(seed))) for seed in range(60)]
    for hashes in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashes, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.split() == here


def test_other_latencies_make_another_history() -> None:
    plan = plan_of(7)
    seen = Counter(fingerprint(run(replace(plan, schedule=schedule))) for schedule in range(20))
    assert len(seen) > 10
