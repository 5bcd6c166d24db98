"""What events out ask of the world: endpoints and cursors, the queue between, the way to an endpoint, and the bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.domain.entries import Entry
    from shared.domain.webhooks import Cursor, Errand, Health, News, PostResult, Reason, Single, Trial, Webhook
    from shared.ports.conversations import ConversationLog
    from shared.ports.services import Observer


class Webhooks(Protocol):
    """A deployment's endpoints. What is read is strongly consistent."""

    def all(self) -> Sequence[Webhook]:
        """Every endpoint, by id."""

    def get(self, webhook_id: str) -> Webhook | None: ...

    def make(self, webhook: Webhook) -> bool:
        """Keep a new one. False, and nothing, where there is one of this id."""

    def change(self, webhook: Webhook, *, was_enabled: bool) -> bool:
        """Keep what is set of one that was made at this `since`: all but its health.

        False where there is none, or it was switched on or off since it was read.
        """

    def revive(self, webhook: Webhook) -> bool:
        """Switch it on again, with a new start for its health. False where there is none."""

    def delete(self, webhook_id: str) -> Webhook | None:
        """The one that was there; None where there was none."""

    def fared(self, webhook: Webhook, health: Health) -> bool:
        """Keep how it does, if it is still there, at this URL. False where it is not."""

    def disable(self, webhook: Webhook, reason: Reason) -> bool:
        """Switch it off, if it is still there, at this URL. False where it is not."""


class WebhookCursors(Protocol):
    """How far each endpoint has been told of each conversation. Strongly consistent; `at` and `until` are ms."""

    def claim(self, news: News, *, since: int, claim: str, now: int, until: int) -> Cursor | None:
        """Take the cursor for oneself until then. None where this news needs nobody.

        That is so where another is at work and knows now that it came, or the next attempt is yet to come. A cursor of
        an endpoint that was made at another time than `since` begins anew.
        """

    def get(self, webhook_id: str, conversation_id: str) -> Cursor | None: ...

    def commit(self, cursor: Cursor) -> int | None:
        """Keep it and let go of it. The place that has come meanwhile, 0 for none.

        None, and nothing is kept, where it is another's by now.
        """

    def rewind(self, cursor: Cursor) -> None:
        """Keep it, whoever is at work on it: what that one has done is done again."""

    def of(self, webhook_id: str, *, part: int, after: str, limit: int) -> Sequence[Cursor]:
        """At most so many of one of `parts`, by conversation, behind `after`."""

    def delete(self, cursors: Sequence[Cursor]) -> None:
        """Idempotent."""

    @property
    def parts(self) -> int:
        """In how many parts an endpoint's cursors are."""


class Errands(Protocol):
    """The queue of what is to be done for endpoints."""

    def put(self, errands: Sequence[Errand], *, delay_ms: int = 0) -> None:
        """Have each done at least once, after the delay (15 minutes at most). Raises Unavailable: try again."""


class GivenUp(Protocol):
    """Where events wait for a person that an endpoint refused too often."""

    def put(self, single: Single) -> None:
        """Raises Unavailable where it should be tried again."""


class Poster(Protocol):
    """The way to an endpoint."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> PostResult:
        """Post it there, once. Never raises, and answers within seconds."""


class EventBus(Protocol):
    """The team's event bus."""

    def put(self, events: Sequence[Outgoing]) -> Sequence[bool]:
        """Hand them over; which of them it has. Never raises."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event as it leaves: `body` is what docs/events.md says, as JSON."""

    event_id: str
    event_type: str
    conversation_id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class EventStores:
    """What telling endpoints touches."""

    log: ConversationLog
    webhooks: Webhooks
    cursors: WebhookCursors


@dataclass(frozen=True, slots=True)
class EventServices:
    """What telling endpoints takes. `encode` makes an entry's event, `encode_trial` one to try with, at a time (ms)."""

    errands: Errands
    given_up: GivenUp
    poster: Poster
    encode: Callable[[Entry], Outgoing]
    encode_trial: Callable[[Trial, int], Outgoing]
    observer: Observer


@dataclass(frozen=True, slots=True)
class Outlet:
    """What setting webhooks takes. `is_local`: on a laptop, where an endpoint may be on the machine itself."""

    log: ConversationLog
    webhooks: Webhooks
    cursors: WebhookCursors
    errands: Errands
    is_local: bool
