"""What a consumer of a stream reads next when its function could not handle a batch, as Lambda does it.

- A partial response: what lies before the first failed record is done, the rest comes again as a batch.
- An invocation that failed: with bisecting, the two halves come as batches of their own, and at last one record alone.
  Splitting is no retry.
- What can't be split comes again as often as there are retries, and is given up then: the stream goes on behind it.

Lambda's documents do not say what becomes of a batch whose first record is the one that a partial response names: here
it is not split, and goes as a whole in the end. A function that stands this stands a kinder reading, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

FOR_EVER = -1


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of a stream that were handed over: the position of each, and where the next batch begins."""

    positions: Sequence[int]
    end: int


@dataclass(frozen=True, slots=True)
class Policy:
    """How a mapping bears failures. `retries` may be FOR_EVER."""

    retries: int
    bisects: bool


@dataclass(frozen=True, slots=True)
class Next:
    """Where to read on; `given_up` if the batch was; `waits` if it comes again as it was, which takes a pause."""

    position: int
    given_up: bool = False
    waits: bool = False


class Course:
    """The course of one consumer through its stream: what it has to read in smaller parts, and how often it failed."""

    def __init__(self) -> None:
        self._ends: list[int] = []  # of the parts begun, the nearest one last
        self._failures = 0

    def end(self, position: int, size: int) -> int:
        """Where a batch that begins at `position` ends, at most `size` records later."""
        self._ends = [end for end in self._ends if end > position]
        return min([position + size, *self._ends])

    def after(self, batch: Batch, done: int | None, policy: Policy) -> Next:
        """What follows a batch of which the function handled the first `done` records (None: its invocation failed)."""
        count = len(batch.positions)
        if done == count:
            return self._go_on(batch.end)
        if done:
            return self._split(batch, done)
        if done is None and policy.bisects and count > 1:
            self._remember(batch.positions[count // 2])
            return self._split(batch, 0)
        self._failures += 1
        if policy.retries != FOR_EVER and self._failures > policy.retries:
            return self.give_up(batch)
        self._remember(batch.end)
        return Next(batch.positions[0], waits=True)

    def give_up(self, batch: Batch) -> Next:
        return self._go_on(batch.end, given_up=True)

    def _go_on(self, position: int, *, given_up: bool = False) -> Next:
        self._failures = 0
        return Next(position, given_up=given_up)

    def _split(self, batch: Batch, first: int) -> Next:
        self._remember(batch.end)
        self._failures = 0
        return Next(batch.positions[first])

    def _remember(self, end: int) -> None:
        if end not in self._ends:
            self._ends.append(end)
