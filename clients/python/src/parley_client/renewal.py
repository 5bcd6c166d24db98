"""A fresh token for a living connection, shortly before the one it came with expires."""

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
    """One try for each token: where it fails, the connection ends with its token, and the next one has another."""

    exchange: Exchange
    do: Callable[[Effect], None]
    _due: float | None = None

    def plan(self, now: float, left: float | None) -> None:
        """The token is good for `left` seconds more; None where that is not known, or where there is no other."""
        ahead = None if left is None or left <= 0 else left - min(AHEAD_S, left / 2)
        self._due = None if ahead is None else now + max(ahead, _AT_LEAST_S)

    def act(self, now: float) -> None:
        if self._due is not None and now >= self._due:
            self._due = None
            self.do(Renew())

    def next_due(self) -> float | None:
        return self._due

    def forget(self) -> None:
        self._due = None

    def authenticate(self, token: str, left: float | None, now: float, call: int | None = None) -> None:
        def done(data: Frame, later: float) -> None:
            self.plan(later, None if left is None else left - (later - now))
            if call is not None:
                self.do(Done(call, dict(data)))

        def failed(error: ParleyError, _: float) -> None:
            if call is not None:
                self.do(Failed(call, error))

        self.exchange.transmit({"type": "auth", "token": token}, now, done, failed, call=call, about_token=True)
