"""Lambda in the simulation: instances of functions, warm and cold, and what happens to their invocations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from tests.simulation.faults import Fault, FaultModel
from tests.simulation.functions import Environment, Instance
from tests.simulation.scheduler import Hub, Process

_LONGEST_LIFE: Final = 14  # steps until a killed function dies, at most
FURTHEST_MS: Final = 4_000  # that a clock is behind: tokens of five seconds ahead are still taken


@dataclass(eq=False)
class Runtime:
    """`numbers` are for all that needs a name. `latency` is how long something is on its way, in milliseconds.

    `started` and `ended` count invocations of each function; `unbegun` are functions that did not begin their time.
    """

    hub: Hub
    fault_model: FaultModel
    longest_latency: float
    environment: Environment = field(init=False)
    numbers: count[int] = field(default_factory=lambda: count(1))
    invocations: int = 0
    started: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    unbegun: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._instances: dict[str, list[Instance]] = defaultdict(list)

    def invoke(self, function: str, call: Callable[[Instance], Any], done: Callable[[Any], None]) -> Process:
        """Run `call` on some instance of a function. `done` gets its result, or None where it was killed."""
        self.invocations += 1
        self.started[function] += 1
        instance = self._instance(function)
        instance.has_begun = False
        dies_in = self.hub.random.randrange(_LONGEST_LIFE) if self.fault_model.strikes(Fault.KILLED) else None
        process = Process(function, instance=instance, began=self.hub.now, dies_in=dies_in)
        results: list[Any] = []

        def ended() -> None:
            process.ended = self.hub.now
            if not process.dead:
                self._instances[function].append(instance)
                self.ended[function] += 1
                if not instance.has_begun:
                    self.unbegun.append(function)
            done(results[0] if results and not process.dead else None)

        self.hub.spawn(process, lambda: results.append(call(instance)), ended)
        return process

    def _instance(self, function: str) -> Instance:
        """An idle one that is warm, or a new one. Each invocation has its instance to itself."""
        idle = self._instances[function]
        if idle and not self.fault_model.strikes(Fault.COLD):
            instance = idle.pop(self.hub.random.randrange(len(idle)))
        else:
            instance = Instance(self.environment)
            if self.fault_model.strikes(Fault.SKEWED):
                instance.skew = self.hub.random.randint(-2_000, 2_000)
        if self.fault_model.strikes(Fault.BACKWARDS):
            instance.skew = max(instance.skew - self.hub.random.randint(1, 2_000), -FURTHEST_MS)
        return instance

    def latency(self) -> float:
        return 1.0 + self.hub.random.random() * self.longest_latency
