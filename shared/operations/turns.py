"""Many write into one conversation at once: whose turn it is, out of what the log says anyway.

A message that had to wait says so in its entry (`Entry.waited`), so whoever reads the tail knows when the message that
was stored last had come. Who came before that is next. Who came later lets those go first who came in between, as long
as that many take. So messages are stored about in the order in which they came, one after the other, without a row for
the queue, a lock, or a holder who could die with it. It is advice: what decides is the put on condition that its place
is free, and who waits for somebody who is not there any more goes on after its time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from shared.domain.entries import Entry
from shared.operations.context import Context
from shared.ports.conversations import ConversationLog

# As long as that after an entry that had waited, others wait still, more likely than not.
BUSY_MS: Final = 500
# Between two messages that came one behind the other, as much of the time between them as a read and a put need in the
# thick of it. Closer together they take places from each other, further apart the log stands idle.
_APART: Final = 0.7
# Where messages wait for as long as so many calls take, more come than are served like that: closer together, at more
# puts in vain. With the 5 ms of a call inside one region that is 220 ms.
_LONG: Final = 44
_CLOSE: Final = 0.35
# A call takes that long at least, and what took longer was something else.
_CALL_MS: Final = (3, 25)
# The longest wait between two looks, also where another instance's clock is wrong.
_LOOK_MS: Final = 250
# Losing several places in a row means that many have come in the same moment; they spread out. Who waits for long has
# lost some to those before it, and not to chance: one for each so many milliseconds.
_PER_LOSS_MS: Final = 25
# What was read so long ago is the tail still, or nearly.
_FRESH_MS: Final = 25
# Of the pauses for that: up to 25, 50, 100 ms. Longer ones only keep the unlucky waiting.
_LONGEST_PAUSE: Final = 2
_PAGE: Final = 100


class Turn:
    """One message that waits for its place. `came` is when its request did, `tail` what it has seen of the log."""

    __slots__ = (
        "_came",
        "_context",
        "_log",
        "_looked_at",
        "_looking_ms",
        "_looks",
        "_losses",
        "_missing_at",
        "_seen_at",
        "_tail",
    )

    def __init__(self, came: int, tail: Entry, *, log: ConversationLog, context: Context) -> None:
        self._came, self._tail = came, tail
        self._log, self._context = log, context
        self._losses = self._looks = self._looking_ms = 0
        self._looked_at = self._missing_at = self._seen_at = 0

    def after_losing(self, there: Entry) -> Iterator[Entry]:
        """Its put has met `there`. Yields that and all that is behind it, until it is time for the next put.

        After a first loss that is at once, with one read: most often it was one other message, and the tail is free
        again. A put right behind what was read a moment ago has met what came in that moment: nothing is read for that.
        """
        self._tail = there
        self._losses += 1
        yield there
        now = self._context.now()
        surplus = self._losses - 1 - (now - self._came) // _PER_LOSS_MS
        if surplus > 0:
            self._context.pause(min(surplus - 1, _LONGEST_PAUSE))
        elif now - self._seen_at <= _FRESH_MS:
            self._seen_at = now
            yield from self._wait()
            return
        yield from self.approach()

    def approach(self) -> Iterator[Entry]:
        """Yields what is behind the tail, until it is time for the next put."""
        yield from self._look()
        yield from self._wait()

    def _wait(self) -> Iterator[Entry]:
        """Each wait comes before a read, so that the put follows what is fresh."""
        while (rest := self._due() - self._context.now()) > 0:
            self._context.wait_ms(min(round(rest) or 1, _LOOK_MS))
            before = self._tail
            yield from self._look()
            if self._tail is before:
                return  # those who came before it have gone, or will not come any more

    def _look(self) -> Iterator[Entry]:
        self._looked_at = self._context.now()
        page: Sequence[Entry] | None = None
        while page is None or len(page) == _PAGE:
            page = self._log.read(self._tail.conversation_id, start=self._tail.seq + 1, limit=_PAGE)
            self._tail = page[-1] if page else self._tail
            yield from page
        self._seen_at = self._context.now()
        self._looks += 1
        self._looking_ms += self._seen_at - self._looked_at

    def _due(self) -> float:
        """When it is this message's turn, if no other goes first. Clocks differ; by this one the log was looked at."""
        stored_at = min(max(self._tail.created_at, self._missing_at), self._context.now())
        self._missing_at = self._looked_at  # what comes next was not there then
        ahead = self._came - (stored_at - self._tail.waited)
        call_ms = min(max(_CALL_MS[0], self._looking_ms / max(1, self._looks)), _CALL_MS[1])
        return stored_at + ahead * (_APART if self._tail.waited < _LONG * call_ms else _CLOSE)
