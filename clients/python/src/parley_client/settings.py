"""The knobs of the client, each with the reason for its default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are seconds.

    history: where a conversation starts that the very first sync finds: "new" at its head, "all" at its beginning.
        Conversations that appear later start at their beginning in either case; a group begins with the own joining.
    auto_delivered: send `delivered` for what the application has taken, after `delivered_delay`, one per conversation.
    read_delay: what `note_read` and writing say was read waits so long for a message of the conversation to go with.
    read_limit: and at most so long while the user types there.
    receive: False for programs that only send: nothing is kept for `events()`.
    max_events: events kept for a slow application. Beyond, entries stay on the server until there is room, and
        receipts, typing and presence are dropped.
    max_outbox: unacknowledged messages; one more is refused with `outbox_full`.
    heartbeat: the gateway drops a connection after 10 idle minutes. The actual pause is up to a tenth shorter.
    full_sync_every: each so many heartbeats all conversations are compared, not just the open one. A sync costs a read
        per conversation, a heartbeat next to nothing.
    pong_timeout: silence after a heartbeat for this long means that the connection is dead.
    request_timeout: a request without an answer is repeated after this time. Repeating is safe, only not free.
    max_attempts: refusals with `retryable` (and timeouts) of one message before its `send` gives up.
    gap_delay: posts may overtake each other; a gap this old is asked for.
    backoff_first, backoff_limit: for reconnecting and for retries: a random share of first, twice, four times … first.
    """

    history: Literal["new", "all"] = "new"
    auto_delivered: bool = True
    receive: bool = True
    max_events: int = 1_000
    max_outbox: int = 1_000
    heartbeat: float = 240.0
    full_sync_every: int = 3
    pong_timeout: float = 10.0
    request_timeout: float = 15.0
    max_attempts: int = 10
    gap_delay: float = 0.2
    delivered_delay: float = 1.0
    read_delay: float = 1.5
    read_limit: float = 10.0
    backoff_first: float = 1.0
    backoff_limit: float = 30.0

    def __post_init__(self) -> None:
        """Raises ValueError for what could not work."""
        if self.history not in ("new", "all"):
            raise ValueError(f'history is "new" or "all", not {self.history!r}')
        for name in ("max_events", "max_outbox", "full_sync_every", "max_attempts", "heartbeat", "request_timeout"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be greater than 0")

    def backoff(self, attempt: int, random: Callable[[], float]) -> float:
        """Seconds before try `attempt` (0, 1, 2 …) is repeated: "full jitter", so that clients do not come in waves."""
        return random() * min(self.backoff_limit, self.backoff_first * 2.0 ** min(attempt, 32))

    def pause(self, retry_after_ms: int | None, attempt: int, random: Callable[[], float]) -> float:
        """Jitter on top of what the server asks for: those that it sent away together do not come back together."""
        return (retry_after_ms or 0) / 1_000 + self.backoff(attempt, random)


class Options(TypedDict, total=False):
    """The settings, as keyword arguments of the client."""

    history: Literal["new", "all"]
    auto_delivered: bool
    receive: bool
    max_events: int
    max_outbox: int
    heartbeat: float
    full_sync_every: int
    pong_timeout: float
    request_timeout: float
    max_attempts: int
    gap_delay: float
    delivered_delay: float
    read_delay: float
    read_limit: float
    backoff_first: float
    backoff_limit: float
