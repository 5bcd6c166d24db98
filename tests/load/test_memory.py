"""Nothing of a function grows with its invocations, neither in its memory nor in the tables."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any

import pytest

from local.settings import ROOT
from tests.load.growth import OBJECTS_EACH, Sample, grown
from tests.load.memory import MODULES

PEOPLE = 30
# Kind → how many rows of it one owner may have that no ttl takes away.
KEPT = {
    "connection": 3,
    "conversation#/group": 1,
    "conversation#/user#": PEOPLE,
    "due#/": 1,
    "file#/file": 1,
    "file#/message#": 100,
    "session": 1,
    "target#/target": 1,
    "user#/block#": PEOPLE,
    "user#/contact#": PEOPLE,
    "user#/conversation#": 100,
    "user#/devices": 1,
    "user#/files": 1,
    "user#/profile": 1,
    # These go by themselves.
    "audit#/": 0,
    "digest#/digest": 0,
    "live#/": 0,
    "sent#/sent": 0,
    "ticket": 0,
    "user#/invites": 0,
    "user#/notice#": 0,
    "user#/pushed#": 0,
    "user#/rate": 0,
    "user#/reminder#": 0,
    "user#/watching#": 0,
    "watch#/": 0,
}


@cache
def measured(*options: str) -> Any:
    """What a process of its own finds, in which nothing else makes objects."""
    command = [sys.executable, "-m", "tests.load.memory", "--json", "--people", str(PEOPLE), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return json.loads(done.stdout)


def calm() -> Any:
    """Small memories, so that they are full after the first quarter."""
    return measured("--sessions", "640", "--remembered", "60")


@pytest.mark.xdist_group("memory")
def test_after_many_thousand_invocations_of_every_function_nothing_has_grown() -> None:
    found = calm()
    assert found["found"] == []
    assert found["invoked"].keys() == MODULES.keys()
    assert min(found["invoked"].values()) > 400
    assert found["outcomes"]["message"] > 1_000
    assert found["outcomes"]["rate_limited"] > 100


@pytest.mark.xdist_group("memory")
def test_what_sessions_leave_in_the_tables_is_bounded_or_goes_by_itself() -> None:
    kept = {kind: each["most"] for kind, each in calm()["rows"].items()}
    assert kept.keys() <= KEPT.keys()
    assert {kind: most for kind, most in kept.items() if most > KEPT[kind]} == {}
    assert {"user#/watching#", "watch#/", "user#/pushed#", "user#/rate", "session"} <= kept.keys()


@pytest.mark.parametrize(("planted", "finding"), [("events", "builtins.dict: "), ("names", "kept has no bound")])
def test_a_planted_leak_is_found(planted: str, finding: str) -> None:
    found = measured("--sessions", "120", "--remembered", "20", "--plant", planted)["found"]
    assert any(finding in each for each in found)


# --- the criterion


def blocks(*counts: int) -> list[Sample]:
    return [Sample(5_000 * at, {}, blocks=count, files=3, threads=1, rss=0) for at, count in enumerate(counts)]


def test_memory_that_grows_in_every_quarter_is_growth() -> None:
    assert grown(blocks(0, 1_000, 1_700, 2_400), {}) == ["+1,400 memory blocks"]
    assert grown(blocks(0, 1_000, 2_300, 2_400), {}) == []


def samples(*counts: int, **sizes: list[int]) -> list[Sample]:
    return [
        Sample(
            5_000 * at,
            {"a.Thing": count},
            blocks=1_000,
            files=3,
            threads=1,
            rss=0,
            containers={path: size[at] for path, size in sizes.items()},
        )
        for at, count in enumerate(counts)
    ]


def test_what_fills_up_at_first_is_no_growth() -> None:
    assert grown(samples(0, 4_000, 4_000, 4_000, kept=[0, 100, 100, 100]), {}) == []


def test_an_object_for_each_tenth_invocation_is_growth() -> None:
    assert grown(samples(0, 500, 1_000, 1_500), {}) == ["a.Thing: +1,000 objects"]
    assert grown(samples(0, 0, 0, round(10_000 * OBJECTS_EACH)), {}) == []


def test_a_container_keeps_to_its_bound_or_to_its_size() -> None:
    assert grown(samples(0, 0, 0, 0, memory=[0, 5, 9, 10]), {"memory": 10}) == []
    assert grown(samples(0, 0, 0, 0, memory=[0, 5, 9, 11]), {"memory": 10}) == ["memory has 11, more than 10"]
    assert grown(samples(0, 0, 0, 0, memory=[0, 5, 5, 6]), {}) == ["memory has no bound, and grew from 5 to 6"]
