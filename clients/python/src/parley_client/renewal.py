"""A fresh token for a living connection: shortly before the one it came with ends, or once that has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from parley_client.effects import Done, Effect, Failed, Renew
from parley_client.errors import ParleyError
from parley_client.events import Frame
from parley_client.exchange import Exchange
from parley_client.link import earliest
from parley_client.settings import Settings

AHEAD_S: Final = 60.0
_AT_LEAST_S: Final = 1.0  # a provider whose tokens live for seconds is not asked in a tight loop


@dataclass(slots=True)
class Renewal:
    """Two tries for each token: ahead of its end, and at it. Where the second fails, too, the connection ends.

    Of one that has no other after it the server is asked as soon as it should have ended: if it still takes it, the own
    clock is wrong, and it is asked again, at twice the pause each time.

    waiting: the token has ended, and a fresh one is on its way. Until the server has it, it serves nothing else.
    is_last: there is no token after this one, whose end is known. (Another one may be refused for a while only.)
    `resume` is called when it does, `give_up` where there is none.
    """

    settings: Settings
    exchange: Exchange
    do: Callable[[Effect], None]
    resume: Callable[[float], None]
    give_up: Callable[[float], None]
    waiting: bool = False
    is_last: bool = False
    _due: float | None = None
    _end: float | None = None
    _renews: bool | None = None  # None: nothing is known of the token
    _doubt: float = _AT_LEAST_S
    _asking: bool = False
    _unproven: bool = False  # a token has come late, and nothing was served by it yet

    def plan(self, now: float, left: float | None, *, renews: bool | None) -> None:
        """The token is good for `left` seconds more, where that is known; and whether there is one after it."""
        self._renews, self._doubt = renews, _AT_LEAST_S
        self.is_last = renews is False and left is not None
        self._due = self._end = None
        if left is None or (renews and left <= 0):  # the server has taken it: the own clock is wrong
            return
        if renews:
            self._due = now + max(left - min(AHEAD_S, left / 2), _AT_LEAST_S)
        self._end = now + max(left, _AT_LEAST_S)

    def act(self, now: float) -> None:
        if self._due is not None and now >= self._due:
            self._due = None
            self._ask()

    def has_ended(self, now: float) -> bool:
        """By the own clock. Whether it did by the server's, its next refusal says."""
        return not self.waiting and not self.is_last and self._end is not None and now >= self._end

    def is_in_doubt(self, now: float) -> bool:
        """The last token has ended by the own clock: see what the server says."""
        if not self.is_last or self._end is None or now < self._end:
            return False
        self._end = now + self._doubt
        self._doubt = min(2 * self._doubt, self.settings.heartbeat)
        return True

    def begin_late(self) -> bool:
        """The token has ended: ask for another. False where there is no source of them, or the last one was no good."""
        if not self._renews or self._unproven:
            return False
        self.waiting, self._unproven = True, True
        self._due = self._end = None
        self._ask()
        return True

    def proven(self) -> None:
        """The server has served something."""
        self._unproven = False

    def next_due(self) -> float | None:
        return earliest(self._due, self._end)

    def forget(self) -> None:
        self._due = self._end = None
        self._renews = None
        self.is_last = self.waiting = self._unproven = self._asking = False

    def not_had(self, now: float) -> None:
        """There was no token to be had."""
        self._asking = False
        if self.waiting:
            self.give_up(now)

    def authenticate(self, token: str, left: float | None, now: float, call: int | None = None) -> None:
        def done(data: Frame, later: float) -> None:
            was_late, self.waiting = self.waiting, False
            self.plan(later, None if left is None else left - (later - now), renews=self._renews)
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
