"""The own `read` and `delivered` cursors: cumulative, so that only the farthest of each is ever sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, Literal

from parley_client.effects import Done, Effect, Failed
from parley_client.errors import ParleyError
from parley_client.events import Frame
from parley_client.exchange import Exchange
from parley_client.settings import Settings

CursorKind = Literal["read", "delivered"]
_Key = tuple[CursorKind, str]
_KINDS: Final[tuple[CursorKind, ...]] = ("read", "delivered")


@dataclass(slots=True)
class _Cursor:
    """`place`: which one it is, in the order of being wanted first. `planned`: when it is to be sent, by the plan."""

    place: int
    planned: float | None = None
    wanted: int = 0
    confirmed: int = 0
    due: float = 0.0
    tries: int = 0
    in_flight: bool = False
    waiting: list[tuple[int, int]] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.wanted > self.confirmed and not self.in_flight

    def is_implied(self, read: int) -> bool:
        """Of `delivered`: a `read` that goes as far says it, too."""
        return not self.waiting and self.confirmed < self.wanted <= read


_NOWHERE: Final = _Cursor(-1)


@dataclass(slots=True)
class Cursors:
    """Each goes on until the server has it, over reconnects.

    There is a cursor for each conversation, and nearly all are where they are wanted: only what is due is looked at.
    The plan has an entry for each that may be sent, and some that have become void since.
    """

    settings: Settings
    random: Callable[[], float]
    exchange: Exchange
    do: Callable[[Effect], None]
    _cursors: dict[_Key, _Cursor] = field(default_factory=dict)
    _plan: list[tuple[float, int, _Key]] = field(default_factory=list)

    def want(self, kind: CursorKind, conversation_id: str, seq: int, *, due: float, call: int | None = None) -> bool:
        """Move a cursor to `seq` at `due`. False: it is there already, as the server has confirmed."""
        cursor = self._cursors.setdefault((kind, conversation_id), _Cursor(len(self._cursors)))
        implied = kind == "delivered" and call is None and seq <= self._read(conversation_id).confirmed
        if implied or seq <= cursor.confirmed:
            return False
        if not cursor.tries:  # else it is backing off
            cursor.due = min(cursor.due, due) if cursor.open else due
        cursor.wanted = max(cursor.wanted, seq)
        if call is not None:
            cursor.waiting.append((seq, call))
        self._settle(conversation_id)
        return True

    def send_due(self, now: float) -> None:
        for kind, conversation_id in self._take_due(now):
            cursor = self._cursors[kind, conversation_id]
            if self._is_sendable(kind, conversation_id):
                cursor.in_flight = True
                self._send(kind, conversation_id, cursor.wanted, now)

    def _send(self, kind: CursorKind, conversation_id: str, seq: int, now: float) -> None:
        def done(_: Frame, __: float) -> None:
            for call in self._confirmed(kind, conversation_id, seq):
                self.do(Done(call))

        def failed(error: ParleyError, later: float) -> None:
            if error.retryable:
                pause = self.settings.pause
                self._again(kind, conversation_id, lambda n: later + pause(error.retry_after_ms, n, self.random))
                return
            for call in self._give_up(kind, conversation_id, seq):
                self.do(Failed(call, error))

        self.exchange.transmit({"type": kind, "conversation_id": conversation_id, "seq": seq}, now, done, failed)

    def _take_due(self, now: float) -> list[_Key]:
        """What the plan has for now, each once, the longest known first."""
        due: set[_Key] = set()
        while self._plan and self._plan[0][0] <= now:
            key, is_valid = self._take()
            if is_valid:
                due.add(key)
        return sorted(due, key=lambda key: self._cursors[key].place)

    def next_due(self) -> float | None:
        while self._plan:
            due, _, key = self._plan[0]
            if self._is_valid(key, due):
                return due
            self._take()
        return None

    def _take(self) -> tuple[_Key, bool]:
        """The next entry, off the plan, and whether it still says when its cursor is to be sent."""
        due, _, key = heappop(self._plan)
        cursor = self._cursors[key]
        if cursor.planned == due:
            cursor.planned = None
        return key, self._is_valid(key, due)

    def _is_valid(self, key: _Key, due: float) -> bool:
        return self._cursors[key].due == due and self._is_sendable(*key)

    def _settle(self, conversation_id: str) -> None:
        """After a change: plan what may be sent of a conversation's two cursors, which depend on each other."""
        delivered = self._cursors.get(("delivered", conversation_id))
        if delivered is not None and delivered.is_implied(self._read(conversation_id).confirmed):
            delivered.confirmed = delivered.wanted
        for kind in _KINDS:
            cursor = self._cursors.get((kind, conversation_id))
            if cursor is None or cursor.planned == cursor.due or not self._is_sendable(kind, conversation_id):
                continue
            cursor.planned = cursor.due
            heappush(self._plan, (cursor.due, cursor.place, (kind, conversation_id)))

    def _confirmed(self, kind: CursorKind, conversation_id: str, seq: int) -> list[int]:
        """The server has it. Returns the calls that waited for this."""
        cursor = self._cursors[kind, conversation_id]
        cursor.in_flight, cursor.tries = False, 0
        cursor.confirmed = max(cursor.confirmed, seq)
        done = [call for wanted, call in cursor.waiting if wanted <= cursor.confirmed]
        cursor.waiting = [(wanted, call) for wanted, call in cursor.waiting if wanted > cursor.confirmed]
        self._settle(conversation_id)
        return done

    def _again(self, kind: CursorKind, conversation_id: str, due: Callable[[int], float]) -> None:
        """It did not go through this time. `due` says when to try again, from how often that was in a row before."""
        cursor = self._cursors[kind, conversation_id]
        cursor.in_flight, cursor.due, cursor.tries = False, due(cursor.tries), cursor.tries + 1
        self._settle(conversation_id)

    def _give_up(self, kind: CursorKind, conversation_id: str, seq: int) -> list[int]:
        """The server will not have it at `seq`. Returns the calls that fail with it."""
        cursor = self._cursors[kind, conversation_id]
        failed = [call for wanted, call in cursor.waiting if wanted <= seq]
        cursor.waiting = [(wanted, call) for wanted, call in cursor.waiting if wanted > seq]
        cursor.in_flight, cursor.tries = False, 0
        if cursor.wanted <= seq:
            cursor.wanted = cursor.confirmed
        self._settle(conversation_id)
        return failed

    def forget(self, call: int) -> None:
        """The caller has stopped waiting; the cursor moves all the same."""
        for (_, conversation_id), cursor in self._cursors.items():
            if any(other == call for _, other in cursor.waiting):
                cursor.waiting = [(wanted, other) for wanted, other in cursor.waiting if other != call]
                self._settle(conversation_id)

    def connection_lost(self) -> None:
        for (_, conversation_id), cursor in self._cursors.items():
            if cursor.in_flight:
                cursor.in_flight = False
                self._settle(conversation_id)

    def calls(self) -> list[int]:
        return [call for cursor in self._cursors.values() for _, call in cursor.waiting]

    def saved(self) -> list[tuple[CursorKind, str, int]]:
        """What the server has not confirmed yet."""
        return [(*key, cursor.wanted) for key, cursor in self._cursors.items() if cursor.wanted > cursor.confirmed]

    def _is_sendable(self, kind: CursorKind, conversation_id: str) -> bool:
        """Reading implies `delivered`: it waits for what becomes of a `read` that goes as far."""
        cursor = self._cursors[kind, conversation_id]
        return cursor.open and not (kind == "delivered" and cursor.is_implied(self._read(conversation_id).wanted))

    def _read(self, conversation_id: str) -> _Cursor:
        return self._cursors.get(("read", conversation_id)) or _NOWHERE
