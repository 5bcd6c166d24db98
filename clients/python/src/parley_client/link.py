"""The connection as the core sees it: when to try again, and whether it still lives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from parley_client.settings import Settings

LinkState = Literal["idle", "waiting", "connecting", "online", "stopped"]


def earliest(*dues: float | None) -> float | None:
    """The first of these times; None is never."""
    first = None
    for due in dues:
        if due is not None and (first is None or due < first):
            first = due
    return first


@dataclass(slots=True)
class Link:
    """Reconnecting with jittered exponential backoff, and the heartbeat.

    The backoff starts over once the server has answered a request, not with the handshake: a server that accepts and
    drops is not asked faster than one that refuses.
    """

    settings: Settings
    random: Callable[[], float]
    state: LinkState = "idle"
    failures: int = 0
    beats: int = 0
    _retry_at: float = 0.0
    _beat_at: float = 0.0
    _pong_by: float | None = None

    def connected(self, now: float) -> None:
        self.state, self._pong_by, self.beats = "online", None, 0
        self._plan_beat(now)

    def lost(self, now: float) -> float:
        """Plan the next try. Returns the pause before it in seconds."""
        pause = self.settings.backoff(self.failures, self.random)
        self.state, self._retry_at = "waiting", now + pause
        self.failures += 1
        return pause

    def alive(self) -> None:
        """Something came from the server."""
        self._pong_by = None

    def should_connect(self, now: float) -> bool:
        return self.state == "waiting" and now >= self._retry_at

    def should_beat(self, now: float) -> bool:
        return self.state == "online" and now >= self._beat_at

    def beat(self, now: float) -> bool:
        """A heartbeat goes out. Returns whether it is one that compares all conversations."""
        self.expect_pong(now)
        self._plan_beat(now)
        self.beats += 1
        return self.beats % self.settings.full_sync_every == 0

    def expect_pong(self, now: float) -> None:
        if self._pong_by is None:
            self._pong_by = now + self.settings.pong_timeout

    def is_dead(self, now: float) -> bool:
        return self.state == "online" and self._pong_by is not None and now >= self._pong_by

    def next_due(self) -> float | None:
        if self.state == "waiting":
            return self._retry_at
        if self.state == "online":
            return self._beat_at if self._pong_by is None else min(self._beat_at, self._pong_by)
        return None

    def _plan_beat(self, now: float) -> None:
        self._beat_at = now + self.settings.heartbeat * (1 - self.random() / 10)
