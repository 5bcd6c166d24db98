"""What is told when two users may see each other's presence from now on, or may not any more.

What permits or forbids it is stored first; then the watches are looked for, and what they may see is read. A
subscription stores first and reads second, too, so who is not found here reads the new state. Of two changes at once
the later one reads both, and its time counts. Where nothing is shown before and after, nothing is told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from shared.domain.connections import OFFLINE, ONLINE, Presence, Watch
from shared.operations.presence import NEVER, Now, near_to, seen_by, tell
from shared.ports.connections import Watches
from shared.ports.services import PresenceServices
from shared.ports.stores import PresenceStores


def tell_granted(user_id: str, other: str, *, stores: PresenceStores, services: PresenceServices, now: Now) -> None:
    """Two users may see each other now, unless something else forbids it. Two queries where neither watches."""
    at = now()
    watching = _between(user_id, [other], stores.watches, at)
    if watching and seen_by(user_id, [other], stores=stores, services=services):
        _tell_as_they_are(watching, stores, services, at)


def tell_withdrawn(
    user_id: str, others: Collection[str], *, stores: PresenceStores, services: PresenceServices, now: Now
) -> None:
    """A contact, or a shared group, with each of `others` has ended. Two queries where none watches another."""
    at = now()
    watching = _between(user_id, others, stores.watches, at)
    visible = (
        seen_by(user_id, {_other(one, user_id) for one in watching}, stores=stores, services=services)
        if watching
        else set()
    )
    _tell_nothing([one for one in watching if _other(one, user_id) not in visible], stores, services, at)


def tell_blocked(user_id: str, other: str, *, stores: PresenceStores, services: PresenceServices, now: Now) -> None:
    """The user blocks the other now, who did not block them. Strangers are not told: that would tell of the block."""
    at = now()
    watching = _between(user_id, [other], stores.watches, at)
    if watching and near_to(user_id, [other], stores=stores, services=services):
        _tell_nothing(watching, stores, services, at)


def tell_joined(
    conversation_id: str,
    users: Collection[str],
    members: Collection[str],
    *,
    stores: PresenceStores,
    services: PresenceServices,
    now: Now,
) -> None:
    """`users` are in a group with all of `members` now: two queries each, and visibility where a watch is found."""
    at = now()
    everybody = set(members)
    found = services.parallel_map(lambda user: _between(user, everybody - {user}, stores.watches, at), users)
    told: set[Watch] = set()
    for user, watching in zip(users, found, strict=True):
        fellows = _fellows_now(conversation_id, user, {_other(one, user) for one in watching}, stores)
        new = [one for one in watching if _other(one, user) in fellows and one not in told]
        told.update(new)
        _tell_as_they_are(new, stores, services, at)


def _fellows_now(conversation_id: str, user_id: str, others: Collection[str], stores: PresenceStores) -> set[str]:
    """Those of `others` whom nothing but this group lets see the user, both being in it at this moment."""
    if not others:
        return set()
    still_in = stores.memberships.among(conversation_id, [user_id, *others])
    relations = stores.relations.between(user_id, others)
    alone = {other for other, relation in relations.items() if not relation.is_near and not relation.is_blocked}
    return alone & still_in.keys() if user_id in still_in else set()


def _between(user_id: str, others: Collection[str], watches: Watches, at: int) -> list[Watch]:
    """The user's connections that watch `others`, and theirs that watch the user. One other is asked, not a crowd."""
    mine = [one for one in watches.by(user_id) if one.watched in others]
    if len(others) == 1:
        theirs = [one for other in others for one in watches.by(other) if one.watched == user_id]
    else:
        theirs = [one for one in watches.of(user_id) if one.watcher in others]
    return [one for one in (*mine, *theirs) if one.expires_at > at]


def _other(watch: Watch, user_id: str) -> str:
    return watch.watched if watch.watcher == user_id else watch.watcher


def _tell_as_they_are(watching: Sequence[Watch], stores: PresenceStores, services: PresenceServices, at: int) -> None:
    """Tell each of these connections that its user is online. To say "offline" could overtake one who is coming."""
    users = {one.watched for one in watching}
    sessions = stores.sessions.whole(users) if users else {}
    shown = {user: sessions.get(user, NEVER).shown_as(user, at) for user in users}
    _tell(((shown[one.watched], one) for one in watching if shown[one.watched].status == ONLINE), stores, services, at)


def _tell_nothing(watching: Sequence[Watch], stores: PresenceStores, services: PresenceServices, at: int) -> None:
    _tell(((Presence(one.watched, OFFLINE), one) for one in watching), stores, services, at)


def _tell(pairs: Iterable[tuple[Presence, Watch]], stores: PresenceStores, services: PresenceServices, at: int) -> None:
    by_presence: dict[Presence, list[Watch]] = {}
    for presence, watch in pairs:
        by_presence.setdefault(presence, []).append(watch)
    for presence, watching in by_presence.items():
        tell(presence, watching, stores=stores, services=services, now=at)
