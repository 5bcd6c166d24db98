"""What stands before every operation: whether the token is still good, and whether this is too much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.domain.connections import ABUSED
from shared.limits.limiters import AbuseWatch, FrameLimiter, RateLimiter, Recent
from shared.ports.services import PresenceServices
from shared.ports.stores import SessionStores
from shared.wire.websocket.gateway import Caller, check_token

# These write into a log. Each counts towards the limit that a user has over all functions and connections.
_COUNTED: Final = frozenset({"message", "edit", "delete", "react"})
# Frames that read or write a hundred times what others do: how many a second, and at once, from one connection.
COSTLY: Final[Mapping[str, tuple[int, int]]] = {"sync": (5, 100), "presence": (1, 20), "auth": (1, 10)}


@dataclass(slots=True)
class Guard:
    """One instance of the function's view of who may do how much.

    `frame_limit` is bytes; `begin` starts the time that a frame may take.
    """

    messages: RateLimiter
    frames: FrameLimiter
    costly: Mapping[str, FrameLimiter]
    frame_limit: int
    abuse: AbuseWatch
    stores: SessionStores
    services: PresenceServices
    begin: Callable[[], None]
    _extended: Recent[int] = field(default_factory=Recent)
    _ended: Recent[int] = field(default_factory=Recent)

    def authenticated(self, caller: Caller, now: int, *, renewing: bool = False) -> Caller:
        """The caller, with the end of the latest token that they have shown. Raises TokenExpired.

        The handshake's token needs no read. Once that has ended, one read tells whether an `auth` came since; what it
        found is remembered, and compared with the time at each frame. Who is `renewing` brings another token, and
        needs none that is still good.
        """
        known = self._extended.get(caller.connection_id, 0)
        if max(known, caller.identity.expires_at) <= now and not renewing:
            stored = self.stores.sessions.of([caller.user_id]).get(caller.user_id, ())
            ends = (one.authenticated_until for one in stored if one.connection_id == caller.connection_id)
            known = max(ends, default=0)
            self.extend(caller.connection_id, known)
            check_token(caller.until(known).identity, now)
        return caller.until(known) if known else caller

    def has_just_ended(self, caller: Caller) -> bool:
        """Whether this instance refuses a frame of this connection for the first time since its token has ended."""
        until = max(self._extended.get(caller.connection_id, 0), caller.identity.expires_at)
        is_news = self._ended.get(caller.connection_id, 0) < until
        self._ended.remember(caller.connection_id, until)
        return is_news

    def extend(self, connection_id: str, until: int) -> None:
        """Remember the end of a fresh token."""
        self._extended.remember(connection_id, until)

    def admit(self, kind: str | None, caller: Caller) -> None:
        """Count a frame; None is one that can't be read. Raises RateLimited."""
        self.frames.take(caller.connection_id)
        if kind is not None and kind in self.costly:
            self.costly[kind].take(caller.connection_id)
        if kind in _COUNTED:
            self.messages.take(caller.user_id)

    def refused(self, caller: Caller) -> None:
        """Note that a caller was told to slow down. Who goes on all the same is sent away."""
        if self.abuse.refused(caller.connection_id):
            self.services.gateway.post([caller.connection_id], self.services.encode(ABUSED))
            self.services.gateway.close(caller.connection_id)
