"""A user's own log: what they change of their own takes the next place there, so that all their devices agree.

It is a log like a conversation's, and as there the place is the lock: the tail is read first, what is decided on
second, and what is changed is stored in one transaction with the entry right behind that tail. So of two devices that
change the same at once the later entry has what is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from shared.domain.changes import Own, OwnChanged, as_json
from shared.domain.entries import Entry, change_entry
from shared.domain.text import user_log_id, user_of_log
from shared.errors import Unavailable
from shared.operations.context import MAX_ATTEMPTS, Context
from shared.operations.delivery import broadcast, report
from shared.operations.heads import tail_of
from shared.ports.services import Services
from shared.ports.stores import ChatStores

R = TypeVar("R")

# Who is further behind reads how things are, which is less than how they came to be so.
MAX_BEHIND: Final = 200
# Of a reply as much is for a user's own log, where it is named: entries of conversations have room in any case.
_PARTS: Final = 2


@dataclass(frozen=True, slots=True)
class Owning:
    """What is to be noted, by whose log, and what stores it with these entries: False where others were quicker."""

    notes: Mapping[str, OwnChanged]
    store: Callable[[Sequence[Entry]], bool]


def own_change(what: Own, **value: Any) -> OwnChanged:
    """A change as it is noted."""
    return OwnChanged(what, as_json(value))


def change_own(
    users: Sequence[str],
    decide: Callable[[], tuple[R, Owning | None]],
    *,
    stores: ChatStores,
    services: Services,
    context: Context,
) -> R:
    """Carry out one change of the first of `users`, to be noted in the logs of all of them, and tell their connections.

    `decide` reads what it rests on, and is asked again whenever another change was quicker; with None there is nothing
    to do. Guarantee: when this returns, the change and its entries are durable, all of them. Raises whatever `decide`
    raises, and Unavailable (too much contention; nothing was changed).
    """
    result, entries = store_own(users, decide, stores=stores, services=services, context=context)
    tell_own(entries, stores=stores, services=services, now=context.now())
    return result


def store_own(
    users: Sequence[str],
    decide: Callable[[], tuple[R, Owning | None]],
    *,
    stores: ChatStores,
    services: Services,
    context: Context,
) -> tuple[R, Sequence[Entry]]:
    """The same, and what is to be told of it: nobody was. Without `users` nothing is noted, and no log is read."""
    nonce = context.new_nonce()
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            context.pause(attempt - 1)
        tails = services.parallel_map(lambda user: tail_of(user_log_id(user), stores).entry, users)
        behind = dict(zip(users, tails, strict=True))
        result, owning = decide()
        if owning is None:
            return result, ()
        entries = [
            change_entry(
                changed,
                base=behind[user],
                conversation_id=user_log_id(user),
                sender_id=users[0],
                created_at=context.now(),
                nonce=nonce,
                fan_out=False,
            )
            for user, changed in owning.notes.items()
        ]
        if owning.store(entries):
            return result, entries
    raise Unavailable


def note_own(
    user_id: str,
    look: Callable[[], OwnChanged],
    *,
    stores: ChatStores,
    services: Services,
    context: Context,
) -> None:
    """Note how something stands that was changed before this call, elsewhere than in a transaction with the log.

    `look` says how it stands now: the last of several notes has what was stored last, whichever change was quicker.
    """

    def decide() -> tuple[None, Owning]:
        def put(entries: Sequence[Entry]) -> bool:
            (entry,) = entries
            there = stores.log.put(entry)
            return there is None or there.nonce == entry.nonce

        return None, Owning({user_id: look()}, put)

    change_own([user_id], decide, stores=stores, services=services, context=context)


def tell_own(entries: Sequence[Entry], *, stores: ChatStores, services: Services, now: int) -> None:
    """Post to the connections of each log's user. What can't be told stands all the same: a sync brings it."""
    for entry in entries:
        owner = user_of_log(entry.conversation_id) or ""
        try:
            delivered = broadcast(entry, to=[owner], skip="", stores=stores, services=services, now=now)
            report(delivered, services=services)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not make a failure of what has succeeded
            services.observer.failed("own change not told", error)
            services.observer.count("PostsFailed")


@dataclass(frozen=True, slots=True)
class OwnSynced:
    """A user's own log behind a cursor, in order. `head` is the seq of the last entry there is.

    `reset`: too much lies between, or what the client holds is not there. It asks how things are, and goes on at
    `head`.
    """

    head: int
    entries: Sequence[Entry]
    has_more: bool = False
    reset: bool = False


@dataclass(frozen=True, slots=True)
class OwnAsked:
    """What a client holds of its user's own log. `room` is the bytes of the whole reply, `page` the most entries."""

    user_id: str
    seq: int
    page: int
    room: int


def own_since(asked: OwnAsked, *, size: Callable[[Entry], int], stores: ChatStores) -> tuple[OwnSynced, int]:
    """What follows, and the bytes it takes: half of the reply's room at most, of which no entry needs all.

    One query, and one for the head where more follows than a page, or nothing is there.
    """
    log_id, seq = user_log_id(asked.user_id), asked.seq
    found = stores.log.read(log_id, start=max(seq, 1), limit=asked.page + 2)
    entries = [entry for entry in found if entry.seq > seq]
    head = tail_of(log_id, stores).seq if not found or len(entries) > asked.page else found[-1].seq
    if head - seq > MAX_BEHIND or head < seq:
        return OwnSynced(head, (), reset=True), 0
    fitting: list[Entry] = []
    used = 0
    for entry in entries[: asked.page]:
        cost = size(entry)
        if used + cost > asked.room // _PARTS:
            break
        used += cost
        fitting.append(entry)
    given = fitting[-1].seq if fitting else seq
    return OwnSynced(head, fitting, has_more=head > given), used
