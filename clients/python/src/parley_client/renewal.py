"""A fresh token for a living connection: shortly before the one it came with ends, or once that has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from parley_client.effects import Done, Effect, Failed, Renew
from parley_client.errors import ParleyError
from parley_client.events import Frame
from parley_client.exchange import Exchange

AHEAD_S: Final = 60.0
_AT_LEAST_S: Final = 1.0  # a provider whose tokens live for seconds is not asked in a tight loop


@dataclass(slots=True)
class Renewal:
    """Two tries for each token: ahead of its end, and at it. Where the second fails, too, the connection ends.

    waiting: the token has ended, and a fresh one is on its way. Until the server has it, it serves nothing else.
    `resume` is called when it does, `give_up` where there is none.
    """

    exchange: Exchange
    do: Callable[[Effect], None]
    resume: Callable[[float], None]
    give_up: Callable[[float], None]
    waiting: bool = False
    _due: float | None = None
    _end: float | None = None
    _has_source: bool = False
    _asking: bool = False
    _unproven: bool = False  # a token has come late, and nothing was served by it yet

    def plan(self, now: float, left: float | None) -> None:
        """The token is good for `left` seconds more; None where that is not known, or where there is no other."""
        self._has_source = left is not None
        self._due = self._end = None
        if left is not None and left > 0:
            self._due = now + max(left - min(AHEAD_S, left / 2), _AT_LEAST_S)
            self._end = now + max(left, _AT_LEAST_S)

    def act(self, now: float) -> None:
        if self._due is not None and now >= self._due:
            self._due = None
            self._ask()

    def has_ended(self, now: float) -> bool:
        """By the own clock. Whether it did by the server's, its next refusal says."""
        return not self.waiting and self._end is not None and now >= self._end

    def begin_late(self) -> bool:
        """The token has ended: ask for another. False where there is no source of them, or the last one was no good."""
        if not self._has_source or self._unproven:
            return False
        self.waiting, self._unproven = True, True
        self._due = self._end = None
        self._ask()
        return True

    def proven(self) -> None:
        """The server has served something."""
        self._unproven = False

    def next_due(self) -> float | None:
        return min((due for due in (self._due, self._end) if due is not None), default=None)

    def forget(self) -> None:
        self._due = self._end = None
        self.waiting = self._unproven = self._has_source = self._asking = False

    def not_had(self, now: float) -> None:
        """There was no token to be had."""
        self._asking = False
        if self.waiting:
            self.give_up(now)

    def authenticate(self, token: str, left: float | None, now: float, call: int | None = None) -> None:
        def done(data: Frame, later: float) -> None:
            was_late, self.waiting = self.waiting, False
            self.plan(later, None if left is None else left - (later - now))
            if was_late:
                self.resume(later)
            if call is not None:
                self.do(Done(call, dict(data)))

        def failed(error: ParleyError, later: float) -> None:
            if call is not None:
                self.do(Failed(call, error))
            elif self.waiting:
                self.give_up(later)

        if call is None:
            self._asking = False
        self.exchange.transmit({"type": "auth", "token": token}, now, done, failed, call=call, about_token=True)

    def _ask(self) -> None:
        if not self._asking:
            self._asking = True
            self.do(Renew())
