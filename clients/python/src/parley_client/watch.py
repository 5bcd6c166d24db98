"""Whose presence this client watches: a subscription is the connection's, so each new one gets it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from parley_client.effects import Done, Effect, Failed
from parley_client.errors import ParleyError
from parley_client.events import Event, Frame, Presence
from parley_client.exchange import Exchange
from parley_client.parsing import as_presences
from parley_client.settings import Settings


@dataclass(slots=True)
class Watch:
    """How the users are goes to who asked; to the stream (`emit`) when the subscription was renewed by itself.

    Of two events for one user the one with the later timestamp counts, in whichever order they come; and what comes
    while an answer is on its way is newer than the answer, and stands in its place.
    """

    settings: Settings
    random: Callable[[], float]
    exchange: Exchange
    do: Callable[[Effect], None]
    emit: Callable[[Event], None]
    _users: tuple[str, ...] = ()
    _call: int | None = None
    _open: bool = False
    _in_flight: bool = False
    _refusals: int = 0
    _not_before: float = 0.0
    _latest: dict[str, int] = field(default_factory=dict)
    _heard: dict[str, Presence] = field(default_factory=dict)

    def want(self, users: tuple[str, ...], call: int) -> None:
        """Watch these users, and no others. An earlier call that still waits fails as `replaced`."""
        self.fail(ParleyError("replaced", "Other users were asked for before the answer came"))
        self._users, self._call, self._open = users, call, True
        self._refusals, self._not_before = 0, 0.0
        self._latest = {user_id: at for user_id, at in self._latest.items() if user_id in users}

    def heard(self, presence: Presence) -> None:
        """Somebody came or went."""
        at = presence.timestamp or 0
        if at >= self._latest.get(presence.user_id, 0):
            self._latest[presence.user_id] = at
            self._heard[presence.user_id] = presence
            self.emit(presence)

    def send_due(self, now: float) -> None:
        if not self._open or self._in_flight or now < self._not_before:
            return
        self._in_flight = True
        asked = self._users
        self._heard.clear()
        self.exchange.transmit(
            {"type": "presence", "users": list(asked)},
            now,
            lambda data, _: self._answered(asked, data),
            lambda error, later: self._refused(asked, error, later),
        )

    def next_due(self) -> float | None:
        return self._not_before if self._open and not self._in_flight else None

    def connection_lost(self) -> None:
        self._in_flight, self._refusals, self._not_before = False, 0, 0.0
        self._open = self._open or bool(self._users)

    def abandon(self, call: int) -> None:
        if self._call == call:
            self._call = None

    def fail(self, error: ParleyError) -> None:
        """Tell who waits."""
        if self._call is not None:
            self.do(Failed(self._call, error))
        self._call = None

    def _answered(self, asked: tuple[str, ...], data: Frame) -> None:
        self._in_flight = False
        if asked is not self._users:
            return  # others were asked for meanwhile: their turn is next
        self._open = False
        found = as_presences(data)
        if self._call is not None:
            newer = {user_id: replace(presence, timestamp=None) for user_id, presence in self._heard.items()}
            self.do(Done(self._call, tuple(newer.get(presence.user_id, presence) for presence in found)))
            self._call = None
        else:
            for presence in found:
                if presence.user_id not in self._heard:
                    self.emit(presence)

    def _refused(self, asked: tuple[str, ...], error: ParleyError, now: float) -> None:
        self._in_flight = False
        if asked is not self._users:
            return
        self._refusals += 1
        if error.retryable and self._refusals < self.settings.max_attempts:
            self._not_before = now + self.settings.pause(error.retry_after_ms, self._refusals - 1, self.random)
            return
        self._open = False
        if self._call is not None:
            self._users = ()
        self.fail(error)
