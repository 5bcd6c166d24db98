"""How the doctor goes through its steps: each has its verdict, and none is stopped by one that it does not need."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from ops.doctor.report import FAILED, OK, SKIPPED, WARNED, Finding
from ops.doctor.run import STEPS
from ops.doctor.steps import Step, take_all
from ops.doctor.trouble import Doubt, Skip, Trouble

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

ROOT = Path(__file__).parents[3]


class Silent:
    """A patient who says why, where a step does not."""

    def cause(self, _since: float) -> tuple[str, str]:
        return "the log's cause", "the log's remedy"

    def in_words(self, error: BaseException, patience_s: float) -> str:
        return f"{type(error).__name__} within {patience_s:g} s"


PATIENT = cast("Patient", Silent())


def step(name: str, outcome: Any, needs: tuple[str, ...] = (), patience_s: float = 10.0) -> Step:
    async def take(_patient: Patient) -> str:
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is None:
            await asyncio.Event().wait()
        return str(outcome)

    return Step(name, name.title(), take, needs, patience_s)


def taken(*steps: Step) -> dict[str, Finding]:
    shown: list[Finding] = []
    found = asyncio.run(take_all(steps, PATIENT, show=shown.append))
    assert shown == found
    return {one.name: one for one in found}


def test_each_has_its_verdict_its_cause_and_its_remedy() -> None:
    found = taken(
        step("well", "all of it"),
        step("ill", Trouble("it hurts", "a cause", "a remedy")),
        step("unsure", Doubt("maybe", "perhaps", "wait")),
        step("left", Skip("not here")),
        step("broken", KeyError("x")),
        step("hanging", None, patience_s=0.01),
    )
    assert {name: one.verdict for name, one in found.items()} == {
        "well": OK,
        "ill": FAILED,
        "unsure": WARNED,
        "left": SKIPPED,
        "broken": FAILED,
        "hanging": FAILED,
    }
    assert (found["well"].said, found["left"].said) == ("all of it", "not here")
    assert (found["ill"].cause, found["ill"].remedy) == ("a cause", "a remedy")
    assert (found["unsure"].cause, found["unsure"].remedy) == ("perhaps", "wait")
    assert found["broken"].said == "KeyError within 10 s"
    assert found["hanging"].said == "TimeoutError within 0.01 s"


def test_where_a_step_knows_no_cause_the_functions_logs_are_asked() -> None:
    found = taken(step("ill", Trouble("it hurts")), step("told", Trouble("it hurts", remedy="mine")))
    assert (found["ill"].cause, found["ill"].remedy) == ("the log's cause", "the log's remedy")
    assert (found["told"].cause, found["told"].remedy) == ("the log's cause", "mine")


def test_a_failure_stops_those_that_need_it_and_no_others() -> None:
    found = taken(
        step("one", Trouble("no", "because")),
        step("two", "yes", ("one",)),
        step("three", "yes", ("two",)),
        step("four", "yes"),
        step("unsure", Doubt("maybe", "perhaps")),
        step("five", "yes", ("unsure", "four")),
    )
    assert [found[name].verdict for name in ("two", "three", "four", "five")] == [SKIPPED, SKIPPED, OK, OK]
    assert (found["two"].said, found["three"].said) == ("needs one", "needs two")


def test_a_step_needs_only_what_comes_before_it() -> None:
    known: set[str] = set()
    for one in STEPS:
        assert set(one.needs) <= known, one.name
        assert one.name not in known
        known.add(one.name)


def listed(text: str) -> list[tuple[str, list[str]]]:
    """The points of README.md's list of what was not tried on AWS, and the steps that each names."""
    section = text.split("## What was not tried on real AWS\n")[1].split("\n## ", maxsplit=1)[0]
    points = re.findall(r"^- (.*?)(?=^- |\Z)", section, re.MULTILINE | re.DOTALL)
    return [(" ".join(point.split()), re.findall(r"`([a-z-]+)`", point.rpartition("—")[2])) for point in points]


def test_whatever_was_not_tried_on_aws_is_tried_by_a_step() -> None:
    found = listed((ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(found) >= 9
    names = {one.name for one in STEPS}
    for point, steps in found:
        assert steps, f"no step of make doctor tries: {point}"
        assert set(steps) <= names, point


def test_the_runbook_lists_every_step_and_no_other() -> None:
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = text.partition("## The doctor\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \|", section, re.MULTILINE)
    assert rows == [one.name for one in STEPS]


@pytest.mark.parametrize("name", ["doctor.md", "doctor.json"])
def test_its_files_belong_to_a_stacks_home(name: str) -> None:
    from local.settings import HOME_NAMES

    assert name in HOME_NAMES
