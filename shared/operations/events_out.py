"""What is stored becomes an event for the team's backend: on the bus at once, to each webhook by way of a queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from shared.domain.entries import Entry
from shared.domain.webhooks import News
from shared.ports.webhooks import Errands, EventBus, EventStores, Outgoing


def announce(latest: Mapping[str, int], *, stores: EventStores, errands: Errands) -> None:
    """Have every webhook told of these conversations, each up to the place that stands with it.

    The endpoints are read each time: one that was made before an entry was stored hears of that entry. One that is
    switched off has it kept where it stands, to go on from there. Raises Unavailable where it has to be done again;
    what was queued by then comes twice.
    """
    webhooks = stores.webhooks.all()
    news = [
        News(webhook.webhook_id, conversation_id, seq)
        for conversation_id, seq in latest.items()
        for webhook in webhooks
        if webhook.wants_of(conversation_id)
    ]
    if news:
        errands.put(news)


def publish(entries: Sequence[Entry], *, bus: EventBus, encode: Callable[[Entry], Outgoing]) -> set[int]:
    """Put entries on the bus, in order. Which of them (by index) are to come again.

    A conversation stops at the first that the bus does not take: what is behind it comes again, too, also where the bus
    has it already.
    """
    stopped: set[str] = set()
    again: set[int] = set()
    events = [encode(entry) for entry in entries]
    for index, taken in enumerate(bus.put(events)):
        conversation_id = events[index].conversation_id
        if not taken:
            stopped.add(conversation_id)
        if conversation_id in stopped:
            again.add(index)
    return again
