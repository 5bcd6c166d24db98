"""What a benchmark finds: rows, each beside Parley's own of the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Final, TypeVar

T = TypeVar("T")

OURS: Final = "Parley"


@dataclass(frozen=True, slots=True)
class Row:
    """`what` of a `suite` takes a `subject` so much; `ratio` is to Parley's in the same rounds. Less is always better.

    `is_counted`: it is the same on every machine and in every run.
    """

    suite: str
    what: str
    subject: str
    value: float
    unit: str
    ratio: float
    is_counted: bool = False

    @property
    def place(self) -> tuple[str, str, str, str]:
        return self.suite, self.what, self.subject, self.unit


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to measure: `run` does it `times` times."""

    name: str
    run: Callable[[], object]
    times: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Each time, in seconds."""

    cpu: float
    wall: float


def spent_by(subject: Subject) -> Spent:
    cpu, wall = time.process_time(), time.perf_counter()
    subject.run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Spent(cpu / subject.times, wall / subject.times)


def in_turns(subjects: Sequence[Subject], rounds: int) -> Mapping[str, Sequence[Spent]]:
    """What each has spent in each round."""
    return taken_in_turns({one.name: partial(spent_by, one) for one in subjects}, rounds)


def taken_in_turns(measures: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """What each has found in each round. The first round warms up and does not count; who is first moves on."""
    found: dict[str, list[T]] = {name: [] for name in measures}
    names = list(measures)
    for number in range(rounds + 1):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            value = measures[name]()
            if number:
                found[name].append(value)
    return found


def rows_of(suite: str, what: str, unit: str, found: Mapping[str, Sequence[float]]) -> list[Row]:
    """By subject what each round has found, Parley's first: medians, and the medians of the rounds' ratios."""
    ours = next(iter(found.values()))
    return [
        Row(suite, what, subject, median(values), unit, median(of / one for of, one in zip(values, ours, strict=True)))
        for subject, values in found.items()
    ]


def timed_rows(suite: str, what: str, found: Mapping[str, Sequence[Spent]]) -> list[Row]:
    """CPU and wall time, in microseconds."""
    cpu = {name: [one.cpu * 1e6 for one in spent] for name, spent in found.items()}
    wall = {name: [one.wall * 1e6 for one in spent] for name, spent in found.items()}
    return [*rows_of(suite, what, "µs CPU", cpu), *rows_of(suite, what, "µs", wall)]


def counted_rows(suite: str, what: str, unit: str, found: Mapping[str, float]) -> list[Row]:
    ours = next(iter(found.values()))
    return [Row(suite, what, name, value, unit, value / ours if ours else 0.0, True) for name, value in found.items()]


def table(rows: Iterable[Row]) -> list[str]:
    """In Markdown: what, and each subject with its figure and its multiple of Parley's."""
    lines = ["| | | | |", "|---|---|--:|--:|"]
    last = ""
    for row in rows:
        shown = f"{row.what}, {row.unit}"
        value = f"{row.value:,.0f}" if row.is_counted and row.value == int(row.value) else _rounded(row.value)
        lines.append(f"| {shown if shown != last else ''} | {row.subject} | {value} | {_rounded(row.ratio)} |")
        last = shown
    return lines


def _rounded(value: float) -> str:
    """To three digits, as no figure here repeats to more."""
    if value >= 100:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004
