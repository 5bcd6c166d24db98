"""Who is online, who may see that, and telling those who watch.

The `$connect` that made a user online says so; one check after the grace period says that they are offline. A reconnect
before that leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from shared.domain.connections import (
    HEARTBEAT_WINDOW_MS,
    OFFLINE,
    ONLINE,
    Connection,
    Gone,
    PostOutcome,
    Presence,
    PresenceChange,
    Session,
    Watch,
)
from shared.domain.contacts import Relation
from shared.domain.text import is_group_id
from shared.errors import Unavailable
from shared.ports.services import PresenceServices
from shared.ports.stores import PresenceStores

MAX_WATCHED: Final = 100
_MAX_ATTEMPTS: Final = 10
NEVER: Final = Session()


def presence_of(
    users: Sequence[str], *, user_id: str, stores: PresenceStores, services: PresenceServices, now: int
) -> list[Presence]:
    """The presence of these users as `user_id` may see it, in their order.

    Strangers, those who hide, unknown ids, and blocks in either direction look alike: offline, and never seen.
    """
    visible = seen_by(user_id, users, stores=stores, services=services)
    sessions = stores.sessions.whole(visible) if visible else {}
    return [shown_as(user, sessions.get(user, NEVER), now) for user in users]


def watch(
    users: Sequence[str], *, connection: Connection, stores: PresenceStores, services: PresenceServices, now: int
) -> list[Presence]:
    """Tell the presence of these users now, and this connection of every change from now on.

    Stored first and read second, so that no change falls between. Users who can't be seen yet are watched, too:
    visibility is read with each change.
    """
    user_id = connection.user_id
    others = [user for user in users if user != user_id]
    stores.watches.replace(user_id, connection.connection_id, others, expires_at=connection.expires_at)
    return presence_of(users, user_id=user_id, stores=stores, services=services, now=now)


def seen_by(user_id: str, users: Collection[str], *, stores: PresenceStores, services: PresenceServices) -> set[str]:
    """Those of `users` who may see, and be seen by, `user_id`: near ones and fellow members, without blocks.

    One read of 25 pairs each; then one query for each user who is neither a contact nor has answered in private.
    """
    others = {user for user in users if user != user_id}
    relations = stores.relations.between(user_id, others) if others else {}
    open_ones = {user: relation for user, relation in relations.items() if not relation.is_blocked}
    itself = {user_id} & set(users)
    return itself | _related(user_id, open_ones, stores, services)


def near_to(user_id: str, users: Collection[str], *, stores: PresenceStores, services: PresenceServices) -> set[str]:
    """Those of `users` who would see, and be seen by, `user_id`, were there no blocks. At the same cost."""
    return _related(user_id, stores.relations.between(user_id, users) if users else {}, stores, services)


def _related(
    user_id: str, relations: Mapping[str, Relation], stores: PresenceStores, services: PresenceServices
) -> set[str]:
    near = {user for user, relation in relations.items() if relation.is_near}
    strangers = sorted(relations.keys() - near)
    return near | set(_fellows(user_id, strangers, stores, services))


def _fellows(user_id: str, users: Sequence[str], stores: PresenceStores, services: PresenceServices) -> list[str]:
    """Those who are in a group with the user."""
    mine = _groups_of(user_id, stores) if users else set()
    if not mine:
        return []
    shared = services.parallel_map(lambda user: bool(mine & _groups_of(user, stores)), users)
    return [user for user, is_fellow in zip(users, shared, strict=True) if is_fellow]


def _groups_of(user_id: str, stores: PresenceStores) -> set[str]:
    memberships = stores.memberships.of_user(user_id)
    return {member.conversation_id for member in memberships if is_group_id(member.conversation_id)}


def announce_presence(presence: Presence, *, stores: PresenceStores, services: PresenceServices, now: int) -> int:
    """Tell every connection that watches the user and may see them. Returns how many were told."""
    return tell(
        presence,
        watchers_of(presence.user_id, stores=stores, services=services, now=now),
        stores=stores,
        services=services,
        now=now,
    )


def watchers_of(user_id: str, *, stores: PresenceStores, services: PresenceServices, now: int) -> list[Watch]:
    """The connections that watch the user and may see them, did the user not hide."""
    found = [one for one in stores.watches.of(user_id) if one.expires_at > now]
    allowed = seen_by(user_id, {one.watcher for one in found}, stores=stores, services=services) if found else set()
    return [one for one in found if one.watcher in allowed]


def tell(
    presence: Presence, watching: Sequence[Watch], *, stores: PresenceStores, services: PresenceServices, now: int
) -> int:
    """Tell these connections, which may see it. Those that are gone are forgotten. Returns how many were told."""
    targets = {one.connection_id: one for one in watching}
    if not targets:
        return 0
    outcomes = services.gateway.post(list(targets), services.encode(PresenceChange(presence, now)))
    for posted in outcomes:
        if posted.outcome is PostOutcome.GONE:
            stores.watches.remove(targets[posted.connection_id])
    return sum(posted.outcome is PostOutcome.SENT for posted in outcomes)


def announce_online(user_id: str, *, stores: PresenceStores, services: PresenceServices, now: int) -> int:
    """To be called where `open_connection` says so."""
    return announce_presence(Presence(user_id, ONLINE), stores=stores, services=services, now=now)


def check_offline(gone: Gone, *, stores: PresenceStores, services: PresenceServices, now: int) -> bool:
    """The presence check: tell the watchers, if the user is still away. Returns whether they are.

    Told first and noted second, so a check that dies is made up for by its repetition. Late and repeated checks tell
    nothing twice, unless two run at once. A user who comes back in between is told of again as online: their `$connect`
    saw a short absence, and announced nothing.
    """

    def tell(found: Session, at: int) -> None:
        if not found.hidden:
            announce_presence(_as_it_is(gone.user_id, found, now), stores=stores, services=services, now=at)

    sessions = stores.sessions
    session = sessions.whole([gone.user_id]).get(gone.user_id, NEVER)
    if session.is_online(now) or session.shown != ONLINE:
        return False
    tell(session, now)
    if sessions.show_offline(gone.user_id, session):
        return True
    since = sessions.whole([gone.user_id]).get(gone.user_id, NEVER)
    if since.is_online(now):
        tell(since, now + 1)  # the later timestamp counts
    return False


def hide_presence(user_id: str, *, hidden: bool, stores: PresenceStores, services: PresenceServices, now: int) -> None:
    """Hide or show the user's presence, and tell those who watch. Raises Unavailable where it can't be noted.

    Told first and noted second, so a request that dies is completed by its repetition. Hiding is told of a user who is
    away, too: when they were last there is theirs to hide. Where the user came or went in between, it begins anew, and
    takes back what it has told.
    """
    sessions = stores.sessions
    told_online = False
    for attempt in range(_MAX_ATTEMPTS):
        session = sessions.whole([user_id]).get(user_id, NEVER)
        presence = shown_as(user_id, replace(session, hidden=hidden), now)
        was_shown = session.shown == ONLINE or shown_as(user_id, session, now) != Presence(user_id, OFFLINE)
        is_news = session.hidden != hidden and (was_shown if hidden else presence.status == ONLINE)
        if is_news or (told_online and presence.status == OFFLINE):
            announce_presence(
                presence, stores=stores, services=services, now=now + attempt
            )  # the later timestamp counts
            told_online = presence.status == ONLINE
        if sessions.hide(user_id, session, hidden=hidden, shown=presence.status):
            return
    raise Unavailable


def shown_as(user_id: str, session: Session, now: int) -> Presence:
    """The presence of a user, for those who may see it: online in the grace period, too."""
    if session.is_just_away(now) and not session.hidden:
        return Presence(user_id, ONLINE)
    return _as_it_is(user_id, session, now)


def _as_it_is(user_id: str, session: Session, now: int) -> Presence:
    if session.hidden:
        return Presence(user_id, OFFLINE)
    if session.is_online(now):
        return Presence(user_id, ONLINE)
    # A connection that decayed was last heard of a heartbeat window before it expired, or when it was opened.
    decayed = (max(one.connected_at, one.expires_at - HEARTBEAT_WINDOW_MS) for one in session.connections)
    return Presence(user_id, OFFLINE, max([session.last_seen, *decayed]) or None)


def best_effort(tell: Callable[[], object], *, services: PresenceServices) -> None:
    """Tell others of a change that is stored. Where they can't be told it stands all the same: who asks sees it."""
    try:
        tell()
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not make a failure of what has succeeded
        services.observer.failed("presence not announced", error)
        services.observer.count("PresenceNotAnnounced")
