"""Webhooks are told: from the log, in the order of each conversation, again and again until they have it.

Nothing but a cursor is kept for that: what an endpoint has yet to hear stands in the log. A queue's message only says
that there is something, so that however long a receiver is away, it gets all that it missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.entries import Entry
from shared.domain.text import has_gaps, is_of_transitions
from shared.domain.webhooks import (
    FAILING,
    GONE,
    MAX_TRIES,
    Accepted,
    Cursor,
    Declined,
    Errand,
    Health,
    News,
    PostResult,
    Single,
    Sweep,
    Trial,
    Webhook,
    wait_ms,
)
from shared.errors import Unavailable
from shared.operations.context import Context
from shared.ports.webhooks import EventServices, EventStores, Outgoing

# Of one errand. What an entry takes at most, fifty times, is little more than a megabyte.
PAGE: Final = 50
# From then on an errand begins no post; the last one may take ten seconds more.
RUN_MS: Final = 30_000
# Longer than an invocation may take: nobody else is at work on a cursor while its holder may still post.
CLAIM_MS: Final = 70_000
# No queue holds a message back for longer.
_LONGEST_DELAY_MS: Final = 900_000
# How often a success is noted of an endpoint that does well.
_NOTED_MS: Final = 60_000
_SWEPT: Final = 100
# A queue's clock is not ours.
_EARLY_MS: Final = 2_000


@dataclass(slots=True)
class _Told:
    """How far a run has come, and what stopped it."""

    cursor: Cursor
    has_posted: bool = False
    declined: Declined | None = None
    is_late: bool = False


def run_errand(errand: Errand, *, stores: EventStores, services: EventServices, context: Context) -> None:
    """Do what a message of the queue asks for. Raises Unavailable, or else, where it has to come again."""
    match errand:
        case News():
            tell(errand, stores=stores, services=services, context=context)
        case Single():
            _tell_one(errand, stores=stores, services=services, context=context)
        case Trial():
            _try_out(errand, stores=stores, services=services, context=context)
        case Sweep():
            _sweep(errand, stores=stores, services=services)


def tell(news: News, *, stores: EventStores, services: EventServices, context: Context) -> None:
    """Post what an endpoint has yet to hear of a conversation, in order, up to the first that it does not take.

    At least once: what was posted before a crash is posted again. Where two are at work, the second leaves it to the
    first. One that is switched off only has it kept that it is behind.
    """
    now = context.now()
    webhook = stores.webhooks.get(news.webhook_id)
    if webhook is None:
        return
    if news.retry_at - now > _EARLY_MS:  # a queue holds nothing back for hours
        services.errands.put([news], delay_ms=min(news.retry_at - now, _LONGEST_DELAY_MS))
        return
    claim = context.new_nonce()
    cursor = stores.cursors.claim(news, since=webhook.since, claim=claim, now=now, until=now + CLAIM_MS)
    if cursor is None:
        return
    if cursor.delivered is None:
        cursor = replace(cursor, delivered=_start(news.conversation_id, news.seq, webhook.since, stores))
    if not webhook.enabled:
        _keep_behind(news, cursor, stores=stores, services=services)
        return
    rest = webhook.health.rests_until - now
    if rest > 0:
        _wait(cursor, news.seq, rest + context.jitter(wait_ms(1)), stores=stores, services=services, now=now)
        return
    _tell(webhook, cursor, news.seq, stores=stores, services=services, context=context)


def _keep_behind(news: News, cursor: Cursor, *, stores: EventStores, services: EventServices) -> None:
    """Kept, so that who switches it on finds it; and looked at again, as that may just have happened."""
    stores.cursors.commit(cursor)
    webhook = stores.webhooks.get(news.webhook_id)
    if webhook is not None and webhook.enabled:
        services.errands.put([replace(news, retry_at=0)])


def _tell(
    webhook: Webhook, cursor: Cursor, seq: int, *, stores: EventStores, services: EventServices, context: Context
) -> None:
    """With the cursor in hand."""
    entries = stores.log.read(cursor.conversation_id, start=(cursor.delivered or 0) + 1, limit=PAGE)
    told = _post_all(webhook, cursor, entries, services=services, context=context)
    now = context.now()
    if told.declined is not None:
        _note_failure(webhook, told, seq, stores=stores, services=services, context=context)
        return
    if told.has_posted:
        _note_success(webhook, stores=stores, now=now)
    waiting = stores.cursors.commit(told.cursor)
    last = told.cursor.delivered or 0
    if waiting is not None and (told.is_late or len(entries) == PAGE or waiting > last):
        services.errands.put([News(webhook.webhook_id, cursor.conversation_id, max(waiting, last + 1))])


def _post_all(
    webhook: Webhook, cursor: Cursor, entries: Sequence[Entry], *, services: EventServices, context: Context
) -> _Told:
    told, begun = _Told(cursor), context.now()
    for entry in entries:
        if webhook.wants(entry) and not entry.is_trimmed:
            if context.now() - begun > RUN_MS:
                told.is_late = True
                break
            result = _post(webhook, services.encode(entry), services=services, now=context.now())
            if isinstance(result, Declined):
                told.declined = result
                break
            told.has_posted = True
        told.cursor = _moved(told.cursor, entry)
    return told


def _moved(cursor: Cursor, entry: Entry) -> Cursor:
    """The next event is another one, and has not been refused yet."""
    return replace(cursor, delivered=entry.seq, at=entry.created_at, tries=0, failing_since=0, retry_at=0)


def _post(webhook: Webhook, event: Outgoing, *, services: EventServices, now: int) -> PostResult:
    """Signed anew each time: a receiver refuses an old time."""
    at_s = now // 1_000
    headers = {
        "webhook-id": event.event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": webhook.signatures(event.event_id, at_s=at_s, body=event.body),
    }
    return services.poster.post(webhook.url, headers, event.body)


def _note_success(webhook: Webhook, *, stores: EventStores, now: int) -> None:
    """Not each: a write for every post would cost more than the post."""
    health = webhook.health
    if health.failures or now - health.last_success_at >= _NOTED_MS:
        stores.webhooks.fared(webhook, Health(last_success_at=now, last_failure_at=health.last_failure_at))


def _note_failure(
    webhook: Webhook, told: _Told, seq: int, *, stores: EventStores, services: EventServices, context: Context
) -> None:
    """The event comes again later, or waits for a person; the endpoint rests, or is switched off."""
    declined, now, cursor = told.declined or Declined(""), context.now(), told.cursor
    is_first = cursor.tries == 0
    cursor = replace(cursor, tries=cursor.tries + 1, failing_since=cursor.failing_since or now)
    wait = max(wait_ms(cursor.tries), declined.retry_after_ms)
    health = Health(last_success_at=now) if told.has_posted else webhook.health
    health = health.failed(declined, now=now, is_first=is_first)
    services.observer.count("WebhookFailed")
    if not stores.webhooks.fared(webhook, health):  # what that address answered says nothing of the one it has now
        _wait(told.cursor, seq, 0, stores=stores, services=services, now=now)
        return
    is_over = declined.is_gone or health.is_given_up(now)
    if is_over and stores.webhooks.disable(webhook, GONE if declined.is_gone else FAILING):
        services.observer.count("WebhookDisabled")
        services.observer.noted("webhook disabled", webhook_id=webhook.webhook_id, reason=declined.reason)
        news = News(webhook.webhook_id, cursor.conversation_id, seq)
        _keep_behind(news, cursor, stores=stores, services=services)
    elif cursor.tries >= MAX_TRIES and health.last_success_at > cursor.failing_since:
        _give_up(webhook, cursor, stores=stores, services=services)
    else:
        _wait(cursor, seq, wait + context.jitter(wait // 5), stores=stores, services=services, now=now)


def _wait(cursor: Cursor, seq: int, ms: int, *, stores: EventStores, services: EventServices, now: int) -> None:
    """Queued before it is kept: an attempt too many is only a look at the cursor, and none would be one too few."""
    retry_at = now + max(1, ms)
    again = News(cursor.webhook_id, cursor.conversation_id, seq, retry_at)
    services.errands.put([again], delay_ms=min(ms, _LONGEST_DELAY_MS))
    stores.cursors.commit(replace(cursor, retry_at=retry_at))


def _give_up(webhook: Webhook, cursor: Cursor, *, stores: EventStores, services: EventServices) -> None:
    """The endpoint takes others, and not this one: it goes where a person looks, and the next ones go on."""
    seq = (cursor.delivered or 0) + 1
    for entry in stores.log.read(cursor.conversation_id, start=seq, limit=PAGE):
        if webhook.wants(entry) and not entry.is_trimmed:
            services.given_up.put(Single(webhook.webhook_id, cursor.conversation_id, entry.seq))
            services.observer.count("WebhookGivenUp")
            cursor = _moved(cursor, entry)
            break
        cursor = _moved(cursor, entry)
    if stores.cursors.commit(cursor) is not None:
        services.errands.put([News(webhook.webhook_id, cursor.conversation_id, (cursor.delivered or 0) + 1)])


def _tell_one(single: Single, *, stores: EventStores, services: EventServices, context: Context) -> None:
    """Raises Unavailable where it is refused again."""
    webhook = stores.webhooks.get(single.webhook_id)
    if webhook is None:
        return
    entries = stores.log.read(single.conversation_id, start=single.seq, limit=1)
    for entry in entries:
        if entry.seq == single.seq and not entry.is_trimmed:
            result = _post(webhook, services.encode(entry), services=services, now=context.now())
            if not isinstance(result, Accepted):
                services.observer.noted("event refused again", webhook_id=webhook.webhook_id, reason=result.reason)
                raise Unavailable


def _try_out(trial: Trial, *, stores: EventStores, services: EventServices, context: Context) -> None:
    """Once: how it went is what the endpoint's health says."""
    webhook, now = stores.webhooks.get(trial.webhook_id), context.now()
    if webhook is None:
        return
    result = _post(webhook, services.encode_trial(trial, now), services=services, now=now)
    if isinstance(result, Accepted):
        stores.webhooks.fared(webhook, Health(last_success_at=now, last_failure_at=webhook.health.last_failure_at))
    else:
        stores.webhooks.fared(webhook, replace(webhook.health, last_failure_at=now, last_failure=result.reason))


def _sweep(sweep: Sweep, *, stores: EventStores, services: EventServices) -> None:
    """One page of an endpoint's cursors, and the rest as another errand."""
    webhook = stores.webhooks.get(sweep.webhook_id)
    if webhook is None and sweep.forget is None:
        return
    cursors = stores.cursors.of(sweep.webhook_id, part=sweep.part, after=sweep.after, limit=_SWEPT)
    if sweep.forget is not None:
        stores.cursors.delete([cursor for cursor in cursors if cursor.since == sweep.forget])
    elif webhook is not None:
        of_it = [cursor for cursor in cursors if cursor.since == webhook.since]
        services.errands.put([_resumed(cursor, sweep.since, stores) for cursor in of_it])
    if len(cursors) == _SWEPT:
        services.errands.put([replace(sweep, after=cursors[-1].conversation_id)])
    elif sweep.part + 1 < stores.cursors.parts:
        services.errands.put([replace(sweep, part=sweep.part + 1, after="")])


def _resumed(cursor: Cursor, since: int | None, stores: EventStores) -> News:
    """The news that has a conversation gone on with, at once. Told from a moment on, it is first gone back to that."""
    seq = (cursor.delivered or 0) + 1
    start = cursor.delivered
    if since is not None:
        before = _start(cursor.conversation_id, seq, since, stores)
        start = before if start is None else min(before, start)
    stores.cursors.rewind(replace(cursor, delivered=start, tries=0, failing_since=0, retry_at=0))
    return News(cursor.webhook_id, cursor.conversation_id, seq)


def _start(conversation_id: str, seq: int, since: int, stores: EventStores) -> int:
    """The last place whose entry was stored before that time (ms), mostly the one before `seq`; 0 for none.

    Times do not fall along a log, so it is found by halving: some twenty reads at most, mostly three. What was there
    and is no longer was stored before. Where only the last counts, nothing before it is looked for; users' transitions
    are few, and begin at a great number, so they are read from their end.
    """
    if has_gaps(conversation_id):
        return max(0, seq - 1)
    if is_of_transitions(conversation_id):
        return _start_from_end(conversation_id, since, stores)
    low, high = 0, max((entry.seq for entry in stores.log.read_back(conversation_id, limit=1)), default=0)
    place = max(1, min(seq - 1, high))
    while low < high:
        entry = stores.log.fetch([(conversation_id, place)]).get((conversation_id, place))
        low, high = (place, high) if entry is None or entry.created_at < since else (low, place - 1)
        place = (low + high + 1) // 2
    return low


def _start_from_end(conversation_id: str, since: int, stores: EventStores) -> int:
    before: int | None = None
    while entries := stores.log.read_back(conversation_id, before=before, limit=PAGE):
        for entry in entries:
            if entry.created_at < since:
                return entry.seq
        before = entries[-1].seq
    return 0
