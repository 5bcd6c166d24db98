"""The own `read` and `delivered` cursors: cumulative, so that only the farthest of each is ever sent.

A cursor that the application waits for is a request of its own. All others are told without a reply: those of several
conversations by one frame, and a `read` with the next message of its conversation, where one comes soon enough. What
was told so and is not confirmed is told again on the next connection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final, Literal

from parley_client.effects import Done, Effect, Failed
from parley_client.errors import ParleyError
from parley_client.events import Frame
from parley_client.exchange import Exchange
from parley_client.parsing import is_object
from parley_client.settings import Settings

CursorKind = Literal["read", "delivered"]
_Key = tuple[CursorKind, str]
_KINDS: Final[tuple[CursorKind, ...]] = ("read", "delivered")
_MOST: Final = 20
"""Conversations of each kind in a `receipts` frame."""


@dataclass(slots=True, eq=False)
class _Cursor:
    """`place`: which one it is, in the order of being wanted first. `planned`: when it is to be sent, by the plan.

    `read`, `delivered`: the other cursor of the conversation, of which this one is neither; None until that is wanted.
    `since`: when there first was something to tell. `told`: how far, without a reply, over this connection.
    """

    key: _Key
    place: int
    read: _Cursor | None = None
    delivered: _Cursor | None = None
    planned: float | None = None
    wanted: int = 0
    confirmed: int = 0
    told: int = 0
    due: float = 0.0
    since: float = 0.0
    tries: int = 0
    in_flight: bool = False
    waiting: list[tuple[int, int]] = field(default_factory=list)

    @property
    def open(self) -> bool:
        is_news = self.wanted > self.confirmed and not self.in_flight
        return is_news and (self.wanted > self.told or bool(self.waiting))

    def is_implied(self, read: int) -> bool:
        """Of `delivered`: a `read` that goes as far says it, too."""
        return self.confirmed < self.wanted <= read and not self.waiting


_Told = tuple[_Cursor, int]


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
    _rides: bool = True
    _singly: bool = False

    def want(self, kind: CursorKind, conversation_id: str, seq: int, *, due: float, call: int | None = None) -> bool:
        """Move a cursor to `seq` at `due`. False: it is there already, as the server has confirmed."""
        cursor = self._cursors.get((kind, conversation_id)) or self._new(kind, conversation_id)
        implied = cursor.read is not None and call is None and seq <= cursor.read.confirmed
        if implied or seq <= cursor.confirmed:
            return False
        was_open = cursor.open
        if not was_open:
            cursor.since = due
        if not cursor.tries:  # else it is backing off
            cursor.due = min(cursor.due, due) if was_open else due
        cursor.wanted = max(cursor.wanted, seq)
        if call is not None:
            cursor.waiting.append((seq, call))
        self._settle(cursor)
        return True

    def typing(self, conversation_id: Any, now: float, *, active: bool) -> None:
        """A message is being written there: what was read may wait for it, for a while, or has to wait no more."""
        cursor = self._cursors.get(("read", conversation_id))
        if cursor is None or not cursor.open or cursor.waiting or cursor.tries:
            return
        latest = cursor.since - self.settings.read_delay + self.settings.read_limit
        cursor.due = min(latest, now + (self.settings.read_limit if active else self.settings.read_delay))
        self._settle(cursor)

    def hurry(self, now: float) -> None:
        """Whatever waits is due now."""
        for cursor in self._cursors.values():
            if cursor.open and not cursor.tries and cursor.due > now:
                cursor.due = now
                self._settle(cursor)

    # --- with a message

    def take_along(self, conversation_id: str | None) -> int | None:
        """How far was read, for a message of this conversation that goes out now; None where there is nothing to say.

        What becomes of it is said by `taken_along` or `left_behind`, or else the connection ends.
        """
        cursor = self._cursors.get(("read", conversation_id or ""))
        if not self._rides or cursor is None or not cursor.open:
            return None
        cursor.in_flight = True
        return cursor.wanted

    def taken_along(self, conversation_id: str | None, seq: int | None, stands: object, now: float) -> None:
        """The message was acked. A server that says nothing of `read` does not know it, or could not store it."""
        if conversation_id is None or seq is None:
            return
        if stands == seq:
            self._confirmed(self._cursors["read", conversation_id], seq)
        else:
            self._rides = False
            self.left_behind(conversation_id, seq, now)

    def left_behind(self, conversation_id: str | None, seq: int | None, now: float | None = None) -> None:
        """The message was refused, or it is not known what became of this attempt: the cursor goes by itself."""
        cursor = self._cursors.get(("read", conversation_id or ""))
        if cursor is None or seq is None or conversation_id is None or not cursor.in_flight:
            return
        cursor.in_flight = False
        cursor.due = cursor.due if now is None else now
        self._settle(cursor)

    # --- by themselves

    def send_due(self, now: float) -> None:
        silent: list[_Cursor] = []
        for cursor in self._take_due(now):
            if not self._is_sendable(cursor):
                continue
            if cursor.waiting or self._singly:
                cursor.in_flight = True
                self._send(cursor, cursor.wanted, now)
            else:
                silent.append(cursor)
        if silent:
            self._tell([*silent, *self._company(now)], now)

    def _company(self, now: float) -> list[_Cursor]:
        """What would be told soon goes with what is told now."""
        soon = self._take_due(now + self.settings.delivered_delay)
        apart = [cursor for cursor in soon if cursor.waiting or cursor.tries]
        for cursor in apart:
            self._settle(cursor)
        return [cursor for cursor in soon if cursor not in apart and self._is_sendable(cursor)]

    def _tell(self, cursors: Sequence[_Cursor], now: float) -> None:
        """Without a reply: by one frame where there are several."""
        told: list[_Told] = []
        for cursor in dict.fromkeys(cursors):
            cursor.told = seq = cursor.wanted
            told.append((cursor, seq))
        if len(told) == 1:
            ((cursor, seq),) = told
            kind, where = cursor.key
            frame: dict[str, Any] = {"type": kind, "conversation_id": where, "seq": seq, "reply": False}
            self._tell_by(frame, told, now)
            return
        by_kind = {kind: [one for one in told if one[0].key[0] == kind] for kind in _KINDS}
        for start in range(0, max(map(len, by_kind.values())), _MOST):
            part = {kind: of_kind[start : start + _MOST] for kind, of_kind in by_kind.items()}
            named: dict[str, Any] = {
                kind: {cursor.key[1]: seq for cursor, seq in some} for kind, some in part.items() if some
            }
            self._tell_by({"type": "receipts", **named, "reply": False}, [*part["read"], *part["delivered"]], now)

    def _tell_by(self, frame: dict[str, Any], told: Iterable[_Told], now: float) -> None:
        def done(data: Frame, later: float) -> None:
            refused = _refused_of(data)
            for cursor, seq in told:
                error = refused.get(cursor.key)
                if error is None:
                    self._confirmed(cursor, seq, is_silent=True)
                else:
                    self._failed(cursor, seq, error, later)

        def failed(error: ParleyError, later: float) -> None:
            self._singly = self._singly or error.code == "unknown_type"  # a server of before there were such frames
            for cursor, seq in told:
                if error.code == "unknown_type":
                    self._again(cursor, lambda _: later)
                else:
                    self._failed(cursor, seq, error, later)

        self.exchange.transmit(frame, now, done, failed)

    def _send(self, cursor: _Cursor, seq: int, now: float) -> None:
        def done(_: Frame, __: float) -> None:
            self._confirmed(cursor, seq)

        def failed(error: ParleyError, later: float) -> None:
            self._failed(cursor, seq, error, later)

        kind, where = cursor.key
        self.exchange.transmit({"type": kind, "conversation_id": where, "seq": seq}, now, done, failed)

    def _failed(self, cursor: _Cursor, seq: int, error: ParleyError, now: float) -> None:
        if error.retryable:
            pause = self.settings.pause
            self._again(cursor, lambda n: now + pause(error.retry_after_ms, n, self.random))
            return
        for call in self._give_up(cursor, seq):
            self.do(Failed(call, error))

    def _take_due(self, now: float) -> list[_Cursor]:
        """What the plan has for now, each once, the longest known first."""
        if not self._plan or self._plan[0][0] > now:
            return []
        due: set[_Cursor] = set()
        while self._plan and self._plan[0][0] <= now:
            cursor = self._take()
            if cursor is not None:
                due.add(cursor)
        return sorted(due, key=lambda cursor: cursor.place) if len(due) > 1 else list(due)

    def next_due(self) -> float | None:
        while self._plan:
            due, _, key = self._plan[0]
            if self._is_valid(self._cursors[key], due):
                return due
            self._take()
        return None

    def _take(self) -> _Cursor | None:
        """The cursor of the next entry, which goes off the plan; None where that is void."""
        due, _, key = heappop(self._plan)
        cursor = self._cursors[key]
        if cursor.planned == due:
            cursor.planned = None
        return cursor if self._is_valid(cursor, due) else None

    def _is_valid(self, cursor: _Cursor, due: float) -> bool:
        return cursor.due == due and self._is_sendable(cursor)

    def _settle(self, cursor: _Cursor) -> None:
        """After a change: plan what may be sent. What becomes of a `delivered` depends on the `read` beside it."""
        if cursor.delivered is not None:
            self._settle(cursor.delivered)
        elif cursor.read is not None and cursor.is_implied(cursor.read.confirmed):
            cursor.confirmed = cursor.wanted
        if cursor.planned != cursor.due and self._is_sendable(cursor):
            cursor.planned = cursor.due
            heappush(self._plan, (cursor.due, cursor.place, cursor.key))

    def _confirmed(self, cursor: _Cursor, seq: int, *, is_silent: bool = False) -> None:
        """The server has it. Tells the calls that waited for this."""
        if not is_silent:
            cursor.in_flight = False
        cursor.tries = 0
        cursor.confirmed = max(cursor.confirmed, seq)
        waiting = cursor.waiting
        if waiting:
            cursor.waiting = [(wanted, call) for wanted, call in waiting if wanted > cursor.confirmed]
        self._settle(cursor)
        for wanted, call in waiting:
            if wanted <= cursor.confirmed:
                self.do(Done(call))

    def _again(self, cursor: _Cursor, due: Callable[[int], float]) -> None:
        """It did not go through this time. `due` says when to try again, from how often that was in a row before."""
        cursor.in_flight, cursor.told = False, 0
        cursor.due, cursor.tries = due(cursor.tries), cursor.tries + 1
        self._settle(cursor)

    def _give_up(self, cursor: _Cursor, seq: int) -> list[int]:
        """The server will not have it at `seq`. Returns the calls that fail with it."""
        failed = [call for wanted, call in cursor.waiting if wanted <= seq]
        cursor.waiting = [(wanted, call) for wanted, call in cursor.waiting if wanted > seq]
        cursor.in_flight, cursor.tries = False, 0
        if cursor.wanted <= seq:
            cursor.wanted = cursor.confirmed
        self._settle(cursor)
        return failed

    def forget(self, call: int) -> None:
        """The caller has stopped waiting; the cursor moves all the same."""
        for cursor in self._cursors.values():
            if any(other == call for _, other in cursor.waiting):
                cursor.waiting = [(wanted, other) for wanted, other in cursor.waiting if other != call]
                self._settle(cursor)

    def connection_lost(self) -> None:
        self._rides, self._singly = True, False
        for cursor in self._cursors.values():
            if cursor.in_flight or cursor.told:
                cursor.in_flight, cursor.told = False, 0
                self._settle(cursor)

    def calls(self) -> list[int]:
        return [call for cursor in self._cursors.values() for _, call in cursor.waiting]

    def saved(self) -> list[tuple[CursorKind, str, int]]:
        """What the server has not confirmed yet."""
        return [(*key, cursor.wanted) for key, cursor in self._cursors.items() if cursor.wanted > cursor.confirmed]

    def _is_sendable(self, cursor: _Cursor) -> bool:
        """Reading implies `delivered`: it waits for what becomes of a `read` that goes as far, and goes out soon."""
        if not cursor.open:
            return False
        read = cursor.read
        if read is None or not cursor.is_implied(read.wanted):
            return True
        return read.open and read.due > cursor.due + self.settings.read_delay

    def _new(self, kind: CursorKind, where: str) -> _Cursor:
        cursor = self._cursors[kind, where] = _Cursor((kind, where), len(self._cursors))
        read, delivered = self._cursors.get(("read", where)), self._cursors.get(("delivered", where))
        if read is not None and delivered is not None:
            read.delivered, delivered.read = delivered, read
        return cursor


def _refused_of(data: Frame) -> Mapping[tuple[str, str], ParleyError]:
    """The cursors that a reply to `receipts` names as refused."""
    refused = data.get("refused")
    if not isinstance(refused, list):
        return {}
    found = filter(is_object, refused)
    return {(str(one.get("type")), str(one.get("conversation_id"))): ParleyError.from_wire(one) for one in found}
