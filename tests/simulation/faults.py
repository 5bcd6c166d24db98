"""What the simulation can do to a deployment, each with how often it has happened."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from random import Random


class Fault(Enum):
    """One kind of fault. The value is how docs and summaries call it."""

    THROTTLED = "DynamoDB throttles a call"
    SERVER_ERROR = "DynamoDB answers with an error of its own"
    LOST_BEFORE = "a call is lost before it takes effect"
    LOST_AFTER = "a call takes effect, and its answer is lost"
    CONTENDED = "a write meets another transaction"
    UNPROCESSED = "a batch comes back in part"
    SHORT_PAGE = "a query's page ends early"
    STALE = "an eventually consistent read is behind"
    SLOW = "a call takes seconds"
    KILLED = "a function is killed at one of its steps"
    COLD = "a new instance of a function, without any memory"
    SKEWED = "an instance's clock is off by up to two seconds"
    BACKWARDS = "an instance's clock jumps back"
    CUT = "a connection is cut"
    HALF_OPEN = "a connection is half-open: nothing gets through, and neither side is told"
    DISCONNECT_LATE = "$disconnect comes after the client is back"
    DISCONNECT_LOST = "$disconnect never comes"
    DISCONNECT_TWICE = "$disconnect comes twice"
    REPLY_LOST = "the gateway gives up on a function: the client gets no reply"
    POST_LIMITED = "the gateway answers a post with 429"
    POST_FAILED = "the gateway answers a post with 500"
    POST_UNKNOWN = "a post gets through, and its answer is lost"
    RECORD_TWICE = "a stream record comes twice"
    BATCH_AGAIN = "a stream's batch comes again from its start"
    QUEUE_TWICE = "a queue's message comes twice"
    QUEUE_LATE = "a queue's message comes late"
    QUEUE_REFUSED = "a queue does not take a message"
    PROVIDER_BUSY = "the push provider is busy"
    PROVIDER_FORGOT = "the push provider does not know the device any more"
    PROVIDER_UNKNOWN = "a push is taken, and the answer is lost"
    RESTARTED = "a client's process dies, and starts again from what it had saved"

    __hash__ = object.__hash__  # looked up at every step: Enum's own takes ten times as long


@dataclass(slots=True)
class FaultModel:
    """How likely each fault is in one history, and how often it struck. Also what the store asks about its reads."""

    random: Random
    odds: dict[Fault, float]
    struck: Counter[Fault] = field(default_factory=Counter)

    def strikes(self, fault: Fault) -> bool:
        odds = self.odds.get(fault)
        if not odds or self.random.random() >= odds:
            return False
        self.struck[fault] += 1
        return True

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self.odds = {}

    def stale(self) -> bool:
        return self.strikes(Fault.STALE)

    def page(self) -> int | None:
        return self.random.randint(1, 3) if self.strikes(Fault.SHORT_PAGE) else None

    def unprocessed(self, keys: int) -> int:
        return self.random.randint(1, keys) if self.strikes(Fault.UNPROCESSED) else 0


# How likely a fault is where a history has it at all. Steps are many and connections few, so the numbers differ.
_RATES = (0.02, 0.1, 0.1, 0.3, 0.3, 0.8)
_RARE = {Fault.LOST_BEFORE, Fault.SLOW, Fault.SERVER_ERROR}


def draw(random: Random) -> dict[Fault, float]:
    """The faults of one history. Some have none, some a few at a high rate: mixing everything hides what one does."""
    share = random.choice((0.0, 0.0, 0.1, 0.25, 0.25, 0.5))
    chosen = [fault for fault in Fault if random.random() < share]
    return {fault: random.choice(_RATES) * (0.3 if fault in _RARE else 1) for fault in chosen}
