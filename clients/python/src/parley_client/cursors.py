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
from parley_client.settings import Settings

CursorKind = Literal["read", "delivered"]
_Key = tuple[CursorKind, str]
_Told = tuple[CursorKind, str, int]
_KINDS: Final[tuple[CursorKind, ...]] = ("read", "delivered")
_MOST: Final = 20
"""Conversations of each kind in a `receipts` frame."""


@dataclass(slots=True)
class _Cursor:
    """`place`: which one it is, in the order of being wanted first. `planned`: when it is to be sent, by the plan.

    `since`: when there first was something to tell. `told`: how far, without a reply, over this connection.
    """

    place: int
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
        known = self.confirmed if self.waiting else max(self.confirmed, self.told)
        return self.wanted > known and not self.in_flight

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
    _rides: bool = True
    _singly: bool = False

    def want(self, kind: CursorKind, conversation_id: str, seq: int, *, due: float, call: int | None = None) -> bool:
        """Move a cursor to `seq` at `due`. False: it is there already, as the server has confirmed."""
        cursor = self._cursors.setdefault((kind, conversation_id), _Cursor(len(self._cursors)))
        implied = kind == "delivered" and call is None and seq <= self._read(conversation_id).confirmed
        if implied or seq <= cursor.confirmed:
            return False
        if not cursor.open:
            cursor.since = due
        if not cursor.tries:  # else it is backing off
            cursor.due = min(cursor.due, due) if cursor.open else due
        cursor.wanted = max(cursor.wanted, seq)
        if call is not None:
            cursor.waiting.append((seq, call))
        self._settle(conversation_id)
        return True

    def typing(self, conversation_id: Any, now: float, *, active: bool) -> None:
        """A message is being written there: what was read may wait for it, for a while, or has to wait no more."""
        cursor = self._cursors.get(("read", conversation_id))
        if cursor is None or not cursor.open or cursor.waiting or cursor.tries:
            return
        latest = cursor.since - self.settings.read_delay + self.settings.read_limit
        cursor.due = min(latest, now + (self.settings.read_limit if active else self.settings.read_delay))
        self._settle(conversation_id)

    def hurry(self, now: float) -> None:
        """Whatever waits is due now."""
        for (_, conversation_id), cursor in self._cursors.items():
            if cursor.open and not cursor.tries and cursor.due > now:
                cursor.due = now
                self._settle(conversation_id)

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
            for call in self._confirmed("read", conversation_id, seq):
                self.do(Done(call))
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
        self._settle(conversation_id)

    # --- by themselves

    def send_due(self, now: float) -> None:
        silent: list[_Key] = []
        for key in self._take_due(now):
            cursor = self._cursors[key]
            if not self._is_sendable(*key):
                continue
            if cursor.waiting or self._singly:
                cursor.in_flight = True
                self._send(*key, cursor.wanted, now)
            else:
                silent.append(key)
        if silent:
            self._tell([*silent, *self._company(now)], now)

    def _company(self, now: float) -> list[_Key]:
        """What would be told soon goes with what is told now."""
        soon = self._take_due(now + self.settings.delivered_delay)
        apart = [key for key in soon if self._cursors[key].waiting or self._cursors[key].tries]
        for _, conversation_id in apart:
            self._settle(conversation_id)
        return [key for key in soon if key not in apart and self._is_sendable(*key)]

    def _tell(self, keys: Sequence[_Key], now: float) -> None:
        """Without a reply: by one frame where there are several."""
        told = [(kind, where, self._cursors[kind, where].wanted) for kind, where in dict.fromkeys(keys)]
        for kind, where, seq in told:
            self._cursors[kind, where].told = seq
        if len(told) == 1:
            ((kind, where, seq),) = told
            frame: dict[str, Any] = {"type": kind, "conversation_id": where, "seq": seq, "reply": False}
            self._tell_by(frame, told, now)
            return
        by_kind = {kind: [one for one in told if one[0] == kind] for kind in _KINDS}
        for start in range(0, max(map(len, by_kind.values())), _MOST):
            part = {kind: of_kind[start : start + _MOST] for kind, of_kind in by_kind.items()}
            named: dict[str, Any] = {
                kind: {where: seq for _, where, seq in some} for kind, some in part.items() if some
            }
            self._tell_by({"type": "receipts", **named, "reply": False}, [*part["read"], *part["delivered"]], now)

    def _tell_by(self, frame: dict[str, Any], told: Iterable[_Told], now: float) -> None:
        def done(data: Frame, later: float) -> None:
            refused = _refused_of(data)
            for kind, where, seq in told:
                error = refused.get((kind, where))
                if error is None:
                    for call in self._confirmed(kind, where, seq, is_silent=True):
                        self.do(Done(call))
                else:
                    self._failed(kind, where, seq, error, later)

        def failed(error: ParleyError, later: float) -> None:
            self._singly = self._singly or error.code == "unknown_type"  # a server of before there were such frames
            for kind, where, seq in told:
                if error.code == "unknown_type":
                    self._again(kind, where, lambda _: later)
                else:
                    self._failed(kind, where, seq, error, later)

        self.exchange.transmit(frame, now, done, failed)

    def _send(self, kind: CursorKind, conversation_id: str, seq: int, now: float) -> None:
        def done(_: Frame, __: float) -> None:
            for call in self._confirmed(kind, conversation_id, seq):
                self.do(Done(call))

        def failed(error: ParleyError, later: float) -> None:
            self._failed(kind, conversation_id, seq, error, later)

        self.exchange.transmit({"type": kind, "conversation_id": conversation_id, "seq": seq}, now, done, failed)

    def _failed(self, kind: CursorKind, conversation_id: str, seq: int, error: ParleyError, now: float) -> None:
        if error.retryable:
            pause = self.settings.pause
            self._again(kind, conversation_id, lambda n: now + pause(error.retry_after_ms, n, self.random))
            return
        for call in self._give_up(kind, conversation_id, seq):
            self.do(Failed(call, error))

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

    def _confirmed(self, kind: CursorKind, conversation_id: str, seq: int, *, is_silent: bool = False) -> list[int]:
        """The server has it. Returns the calls that waited for this."""
        cursor = self._cursors[kind, conversation_id]
        if not is_silent:
            cursor.in_flight = False
        cursor.tries = 0
        cursor.confirmed = max(cursor.confirmed, seq)
        done = [call for wanted, call in cursor.waiting if wanted <= cursor.confirmed]
        cursor.waiting = [(wanted, call) for wanted, call in cursor.waiting if wanted > cursor.confirmed]
        self._settle(conversation_id)
        return done

    def _again(self, kind: CursorKind, conversation_id: str, due: Callable[[int], float]) -> None:
        """It did not go through this time. `due` says when to try again, from how often that was in a row before."""
        cursor = self._cursors[kind, conversation_id]
        cursor.in_flight, cursor.told = False, 0
        cursor.due, cursor.tries = due(cursor.tries), cursor.tries + 1
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
        self._rides, self._singly = True, False
        for (_, conversation_id), cursor in self._cursors.items():
            if cursor.in_flight or cursor.told:
                cursor.in_flight, cursor.told = False, 0
                self._settle(conversation_id)

    def calls(self) -> list[int]:
        return [call for cursor in self._cursors.values() for _, call in cursor.waiting]

    def saved(self) -> list[tuple[CursorKind, str, int]]:
        """What the server has not confirmed yet."""
        return [(*key, cursor.wanted) for key, cursor in self._cursors.items() if cursor.wanted > cursor.confirmed]

    def _is_sendable(self, kind: CursorKind, conversation_id: str) -> bool:
        """Reading implies `delivered`: it waits for what becomes of a `read` that goes as far, and goes out soon."""
        cursor, read = self._cursors[kind, conversation_id], self._read(conversation_id)
        if not cursor.open or kind == "read" or not cursor.is_implied(read.wanted):
            return cursor.open
        return read.open and read.due > cursor.due + self.settings.read_delay

    def _read(self, conversation_id: str) -> _Cursor:
        return self._cursors.get(("read", conversation_id)) or _NOWHERE


def _refused_of(data: Frame) -> Mapping[tuple[str, str], ParleyError]:
    """The cursors that a reply to `receipts` names as refused."""
    refused = data.get("refused")
    found = [one for one in refused if isinstance(one, Mapping)] if isinstance(refused, list) else []
    return {(str(one.get("type")), str(one.get("conversation_id"))): ParleyError.from_wire(one) for one in found}
