"""Running histories, many at a time, and making a failing one as short as it gets."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from time import process_time

from tests.simulation.checker import check
from tests.simulation.functions import quietly
from tests.simulation.judge import inspect
from tests.simulation.judge.case import Case
from tests.simulation.plan import Plan, plan_of
from tests.simulation.scenario import Scenario, beginning, build, play

# A shorter history may need other latencies to fail again: so many of them are tried for each.
_SCHEDULES = 12
# To make one shorter: so many histories are run, or so many seconds of CPU, unless more is asked for.
TRIES = 20_000
CPU_S = 60.0
_COLLECT_EVERY = 100
JUDGED = "judged"


@dataclass(slots=True)
class Outcome:
    """One history. `judged` are its operations whose answer a rule has looked at, by identity.

    `note` is what there is to say of how it was made.
    """

    plan: Plan
    findings: list[str]
    scenario: Scenario
    judged: set[int]
    note: str = ""

    @property
    def text(self) -> str:
        """The history for people: who did what, with which faults, and what was wrong with it."""
        plan = self.plan
        lines = [f"seed {plan.seed}, schedule {plan.schedule}: {', '.join(name for name, _ in plan.devices)}"]
        lines += [f"  fault  {fault.value}: {odds:g}" for fault, odds in plan.odds.items()]
        lines += [f"  did    {operation}" for operation in self.scenario.operations]
        for name, log in self.scenario.history().logs.items():
            lines += [
                f"  log    {name}/{entry.seq} {type(entry).__name__} {getattr(entry, 'content', '') or ''}"
                for entry in log
            ]
        return "\n".join([*lines, *(f"  WRONG  {finding}" for finding in self.findings), *filter(None, [self.note])])


@dataclass(slots=True)
class Summary:
    """Many histories together.

    `operations` counts each kind's outcomes: `ok`, a code with which it was refused, or `unknown`; and `judged`, which
    are those whose answer a rule has looked at.
    """

    histories: int = 0
    operations: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    invocations: int = 0
    entries: int = 0
    failures: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        scenario = outcome.scenario
        self.histories += 1
        self.operations.update((one.kind, one.code or one.outcome) for one in scenario.operations)
        self.operations.update((one.kind, JUDGED) for one in scenario.operations if id(one) in outcome.judged)
        self.faults.update({fault.name: times for fault, times in scenario.fault_model.struck.items()})
        self.steps += scenario.hub.steps
        self.invocations += scenario.deployment.runtime.invocations
        self.entries += len(scenario.store.items("log"))


def run(plan: Plan) -> Outcome:
    """One history, judged."""
    scenario = build(plan)
    with quietly(plan.limits) as scenario.log:
        play(scenario)
    case = Case(scenario, beginning())
    findings = check(scenario.history())
    findings += [] if findings else inspect(case)
    findings += [f"a function logged {line}" for line in scenario.log.unexpected if "Unavailable" not in line]
    return Outcome(plan, findings, scenario, case.judged)


def fingerprint(outcome: Outcome) -> str:
    """Equal for equal histories: everything that was asked, answered and stored, with its times."""
    return blake2b(f"{outcome.text}{outcome.scenario.hub.steps}".encode(), digest_size=16).hexdigest()


def run_many(seeds: Iterable[int], *, stop_at: int = 1) -> Summary:
    """The histories of these seeds, until so many have failed."""
    summary = Summary()
    gc.disable()  # by itself it takes a quarter of the time
    gc.freeze()  # and what was there before is no garbage
    try:
        return _run_each(seeds, summary, stop_at)
    finally:
        gc.unfreeze()
        gc.enable()


def _run_each(seeds: Iterable[int], summary: Summary, stop_at: int) -> Summary:
    for number, seed in enumerate(seeds):
        outcome = run(plan_of(seed))
        summary.add(outcome)
        if outcome.findings:
            summary.failures.append(outcome)
            if len(summary.failures) >= stop_at:
                break
        if number % _COLLECT_EVERY == 0:
            gc.collect()
    return summary


def shortest(
    outcome: Outcome, *, tries: int = TRIES, cpu_s: float = CPU_S, clock: Callable[[], float] = process_time
) -> Outcome:
    """A history that still fails, with as little in it as could be found: fewer actions, faults and clients.

    It ends after so many tries, or so many seconds of this process's CPU, and says in its `note` how far it came then:
    a gate that fails is to say so soon.
    """
    best, tried, end = outcome, 0, clock() + cpu_s
    plans = _shorter(best.plan)
    while (plan := next(plans, None)) is not None:
        for schedule in range(plan.schedule, plan.schedule + _SCHEDULES):
            if tried >= tries or clock() >= end:
                return replace(best, note=_given_up(outcome, best, tried))
            tried += 1
            found = run(replace(plan, schedule=schedule))
            if found.findings:
                best, plans = found, _shorter(found.plan)
                break
    return best


def _given_up(long: Outcome, best: Outcome, tried: int) -> str:
    left, all_ = len(best.plan.actions), len(long.plan.actions)
    return (
        f"not as short as it gets: {left} of {all_} actions are left after {tried:,} tries. To go on: "
        f"python -m tests.simulation --seed {long.plan.seed} --histories 1 --shorten 3600"
    )


def _shorter(plan: Plan) -> Iterator[Plan]:
    """Without many actions first, then fewer, down to each by itself; without a fault; without the last client."""
    count = size = len(plan.actions)
    while size > 0:
        for start in range(0, count, size):
            yield replace(plan, actions=plan.actions[:start] + plan.actions[start + size :])
        size //= 2
    for fault in plan.odds:
        yield replace(plan, odds={one: odds for one, odds in plan.odds.items() if one is not fault})
    if len(plan.devices) > 1 and all(action.client < len(plan.devices) - 1 for action in plan.actions):
        yield replace(plan, devices=plan.devices[:-1])
