"""Everything that a function does to the world outside, one step at a time, with what goes wrong at which of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.adapters.aws.calls import refusal
from shared.adapters.aws.transport import TransportError

T = TypeVar("T")

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})
SERVICE_CALLS = frozenset({*WRITES, "GetItem", "Query", "BatchGetItem", "BatchWriteItem", "SendMessage"}) | {
    "SendMessageBatch"
}


class Killed(BaseException):
    """The function is no more. Nothing in it may hold this up."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call to the world outside, the `number`-th of them. `request` is the call's own."""

    number: int
    name: str
    request: Any = None


Trouble = Callable[[Step], object]
"""What happens at a step: nothing, or it raises."""


def nothing(_: Step) -> None:
    return


@dataclass
class Steps:
    """`before` a step takes effect, and `after` it, something may go wrong."""

    taken: list[Step] = field(default_factory=list)
    before: Trouble = nothing
    after: Trouble = nothing

    def take(self, name: str, act: Callable[[], T], request: Any = None) -> T:
        step = Step(len(self.taken), name, request)
        self.taken.append(step)
        self.before(step)
        try:
            result = act()
        except Exception:  # refused, which is an answer that can get lost as any other
            self.after(step)
            raise
        self.after(step)
        return result

    def begin(self, *, before: Trouble = nothing, after: Trouble = nothing) -> None:
        """Count from here on, with this in store."""
        self.taken.clear()
        self.before, self.after = before, after

    @property
    def names(self) -> list[str]:
        return [step.name for step in self.taken]


class Stepping:
    """A port each of whose calls is a step, but for those in `free`, which call no service."""

    def __init__(self, port: Any, steps: Steps, *free: str) -> None:
        self._port = port
        self._steps = steps
        self._free = free

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name in self._free or not callable(method):
            return method
        return lambda *args, **kwargs: self._steps.take(name, lambda: method(*args, **kwargs), (args, kwargs))


def kill(step: Step) -> None:
    raise Killed(step)


def throttle(step: Step) -> None:
    raise refusal(400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"})


def lose(step: Step) -> None:
    """The request before it takes effect, or the answer after."""
    raise TransportError("lost")


def contend(step: Step) -> None:
    """What a write meets where another transaction has the item."""
    if step.name != "TransactWriteItems":
        raise refusal(400, {"__type": "TransactionConflictException"})
    others = [{"Code": "None"}] * (len(step.request["TransactItems"]) - 1)
    reasons = [{"Code": "TransactionConflict"}, *others]
    raise refusal(400, {"__type": "TransactionCanceledException", "CancellationReasons": reasons})


def in_progress(step: Step) -> None:
    raise refusal(400, {"__type": "TransactionInProgressException"})


def at(number: int, trouble: Trouble) -> Trouble:
    """At this step only."""
    return lambda step: trouble(step) if step.number == number else None


def from_on(number: int, trouble: Trouble) -> Trouble:
    """At this step and at every call to a service of AWS after it."""
    return lambda step: trouble(step) if step.number >= number and step.name in SERVICE_CALLS else None
