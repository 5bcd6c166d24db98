"""A team's webhooks, as administrators set them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.text import id_pattern
from shared.domain.webhooks import (
    CONVERSATION_KINDS,
    EVENT_TYPES,
    MAX_WEBHOOKS,
    OVERLAP_MS,
    SECRET_BYTES,
    Cursor,
    News,
    Sweep,
    Trial,
    Webhook,
    check_filter,
    check_url,
    secret_of,
)
from shared.errors import Conflict, NotFound, Unavailable
from shared.ports.webhooks import Outlet

MAX_WEBHOOK_ID: Final = 64
WEBHOOK_ID_PATTERN: Final = id_pattern("A-Za-z0-9_-", MAX_WEBHOOK_ID)
_ATTEMPTS: Final = 4
WEBHOOK_ID_RULE: Final = f"1 to {MAX_WEBHOOK_ID} of A-Z a-z 0-9 _ . -, and neither . nor .."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an endpoint is to be. Empty tuples: all."""

    url: str
    events: tuple[str, ...]
    conversations: tuple[str, ...]
    enabled: bool


def checked(
    url: str, events: Sequence[str] | None, conversations: Sequence[str] | None, *, enabled: bool, is_local: bool
) -> Wanted:
    """Raises BadRequest for a URL that events may not go to, and for events and kinds that there are not."""
    check_url(url, is_local=is_local)
    return Wanted(
        url,
        check_filter(events or (), EVENT_TYPES, "events"),
        check_filter(conversations or (), CONVERSATION_KINDS, "conversations"),
        enabled,
    )


def new_secret(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    return secret_of(random(SECRET_BYTES))


def put_webhook(webhook_id: str, wanted: Wanted, *, outlet: Outlet, now: int) -> tuple[Webhook, bool]:
    """Make an endpoint, or set what it is to be; its secret stays. With whether it is new.

    One that gets another URL, or is switched on, begins in good health, and is told of all that it missed. Raises
    Conflict for one too many, Unavailable where it should be tried again.
    """
    for _ in range(_ATTEMPTS):
        was = outlet.webhooks.get(webhook_id)
        if was is None:
            return _make(webhook_id, wanted, outlet=outlet, now=now), True
        if _set(was, wanted, outlet=outlet):
            return get_webhook(webhook_id, outlet=outlet), False
    raise Unavailable


def _set(was: Webhook, wanted: Wanted, *, outlet: Outlet) -> bool:
    """False where it was switched on or off, or deleted, since it was read."""
    becomes = replace(
        was,
        url=wanted.url,
        events=wanted.events,
        conversations=wanted.conversations,
        enabled=wanted.enabled,
        disabled="" if wanted.enabled else was.disabled,
    )
    begins_anew = becomes.enabled and not (was.enabled and was.url == becomes.url)
    if not begins_anew:
        return outlet.webhooks.change(becomes, was_enabled=was.enabled)
    if not outlet.webhooks.revive(becomes):
        return False
    outlet.errands.put([Sweep(was.webhook_id)])
    return True


def _make(webhook_id: str, wanted: Wanted, *, outlet: Outlet, now: int) -> Webhook:
    if len(outlet.webhooks.all()) >= MAX_WEBHOOKS:
        raise Conflict(f"A deployment has at most {MAX_WEBHOOKS} webhooks")
    made = Webhook(webhook_id, wanted.url, now, (new_secret(),), wanted.events, wanted.conversations, wanted.enabled)
    if not outlet.webhooks.make(made):
        raise Unavailable  # another request has just made it
    return made


def get_webhook(webhook_id: str, *, outlet: Outlet) -> Webhook:
    """Raises NotFound."""
    webhook = outlet.webhooks.get(webhook_id)
    if webhook is None:
        raise NotFound("There is no such webhook")
    return webhook


def delete_webhook(webhook_id: str, *, outlet: Outlet) -> None:
    """Nothing is posted to it any more but what is on its way. Idempotent."""
    was = outlet.webhooks.delete(webhook_id)
    if was is not None:
        outlet.errands.put([Sweep(webhook_id, forget=was.since)])


def rotate_secret(webhook_id: str, *, outlet: Outlet, now: int) -> Webhook:
    """With a new secret; for a day the one before signs, too. Raises NotFound, and Unavailable: try again."""
    was = get_webhook(webhook_id, outlet=outlet)
    becomes = replace(was, secrets=(new_secret(), was.secrets[0]), previous_until=now + OVERLAP_MS)
    if not outlet.webhooks.change(becomes, was_enabled=was.enabled):
        raise Unavailable
    return becomes


def replay_conversation(webhook_id: str, conversation_id: str, seq: int, *, outlet: Outlet) -> None:
    """Have it told of a conversation again, from this place on. Raises NotFound, also for a place that is empty."""
    webhook = get_webhook(webhook_id, outlet=outlet)
    if not any(entry.seq >= seq for entry in outlet.log.read_back(conversation_id, limit=1)):
        raise NotFound("Nothing is stored there")
    was = outlet.cursors.get(webhook_id, conversation_id)
    known = was.delivered if was is not None and was.since == webhook.since else None
    start = seq - 1 if known is None else min(known, seq - 1)
    outlet.cursors.rewind(Cursor(webhook_id, conversation_id, webhook.since, start))
    outlet.errands.put([News(webhook_id, conversation_id, seq)])


def replay_since(webhook_id: str, since: int, *, outlet: Outlet) -> None:
    """Have it told again of all that was stored from then on (ms), in the conversations that it has heard of.

    Raises NotFound.
    """
    get_webhook(webhook_id, outlet=outlet)
    outlet.errands.put([Sweep(webhook_id, since=since)])


def try_webhook(webhook_id: str, *, outlet: Outlet, new_nonce: Callable[[], str]) -> str:
    """Have an event posted that says nothing. Its id; how it went is seen in the endpoint's health. Raises NotFound."""
    get_webhook(webhook_id, outlet=outlet)
    trial = Trial(webhook_id, new_nonce())
    outlet.errands.put([trial])
    return f"test/{trial.nonce}"
