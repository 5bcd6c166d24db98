"""Who is online, who may see that, and telling those who watch.

The `$connect` that made a user online says so; one check after the grace period says that they are offline. A reconnect
before that leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, ParamSpec

from shared.domain.connections import OFFLINE, ONLINE, PostOutcome, Presence, PresenceChange, Session
from shared.domain.contacts import Relation
from shared.domain.text import is_group_id
from shared.errors import Unavailable
from shared.ports.services import PresenceServices
from shared.ports.stores import PresenceStores

if TYPE_CHECKING:
    from shared.domain.connections import Connection, Gone, News, Status, Watch

P = ParamSpec("P")
Now = Callable[[], int]

MAX_WATCHED: Final = 100
_MAX_ATTEMPTS: Final = 10
NEVER: Final = Session()


def presence_of(
    users: Sequence[str], *, user_id: str, stores: PresenceStores, services: PresenceServices, now: int
) -> list[Presence]:
    """The presence of these users as `user_id` may see it. Who may not be seen looks offline, and never was there."""
    visible = seen_by(user_id, users, stores=stores, services=services)
    sessions = stores.sessions.whole(visible) if visible else {}
    return [sessions.get(user, NEVER).shown_as(user, now) for user in users]


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
    mine = _groups_of(user_id, stores) if strangers else set()
    if not mine:
        return near
    shared = services.parallel_map(lambda user: bool(mine & _groups_of(user, stores)), strangers)
    return near | {user for user, is_fellow in zip(strangers, shared, strict=True) if is_fellow}


def _groups_of(user_id: str, stores: PresenceStores) -> set[str]:
    memberships = stores.memberships.of_user(user_id)
    return {member.conversation_id for member in memberships if is_group_id(member.conversation_id)}


def announce_presence(presence: Presence, *, stores: PresenceStores, services: PresenceServices, now: int) -> None:
    """Tell every connection that watches the user and may see them."""
    watching = watchers_of(presence.user_id, stores=stores, services=services, now=now)
    tell(presence, watching, stores=stores, services=services, now=now)


def watchers_of(
    user_id: str, *, besides: Sequence[Watch] = (), stores: PresenceStores, services: PresenceServices, now: int
) -> list[Watch]:
    """The connections that watch the user and may see them, did the user not hide; `besides` those that are known."""
    known = {one.connection_id for one in besides}
    watching = stores.watches.of(user_id)
    found = [one for one in watching if one.expires_at > now and one.connection_id not in known]
    allowed = seen_by(user_id, {one.watcher for one in found}, stores=stores, services=services) if found else set()
    return [one for one in found if one.watcher in allowed]


def tell(
    presence: Presence, watching: Sequence[Watch], *, stores: PresenceStores, services: PresenceServices, now: int
) -> None:
    """Tell these connections, which may see it."""
    tell_watching(PresenceChange(presence, now), watching, stores=stores, services=services)


def tell_watching(
    event: PresenceChange | News, watching: Sequence[Watch], *, stores: PresenceStores, services: PresenceServices
) -> None:
    """The same of anything about whom they watch. Those that are gone are forgotten."""
    targets = {one.connection_id: one for one in watching}
    if not targets:
        return
    failed = 0
    for posted in services.gateway.post(list(targets), services.encode(event)):
        if posted.outcome is PostOutcome.GONE:
            stores.watches.remove(targets[posted.connection_id])
        failed += posted.outcome is PostOutcome.FAILED
    if failed:
        services.observer.count("PostsFailed", failed)


def announce_online(user_id: str, *, stores: PresenceStores, services: PresenceServices, now: int) -> None:
    """To be called where `open_connection` says so, with the time then.

    An earlier one might be that of a look which has just said that the user is away, and the later one counts.
    """
    note_transition(user_id, stores=stores, now=now)
    announce_presence(Presence(user_id, ONLINE), stores=stores, services=services, now=now)


def note_transition(user_id: str, *, stores: PresenceStores, now: int) -> None:
    """Have the team's backend told how the user is shown now; nothing, and no call, where it is not told of that."""
    if stores.transitions is not None:
        stores.transitions.note(user_id, now=now)


def check_offline(
    gone: Gone, *, again: bool = False, stores: PresenceStores, services: PresenceServices, now: Now
) -> bool:
    """The presence check: tell the watchers, if the user is still away. Returns whether they were told.

    Noted first and told second: who begins to watch, or comes back, at the same time has read the note, or is seen.
    Late and repeated checks tell nothing twice, unless two run at once. `again`: an earlier attempt may have died, or
    failed, between the two, so who is noted as away already is told of once more. At the end the team's backend is
    told how it stands, also where an earlier attempt, or a handshake, did not come to that.
    """
    is_told = _check_offline(gone, again=again, stores=stores, services=services, now=now)
    note_transition(gone.user_id, stores=stores, now=now())
    return is_told


def _check_offline(gone: Gone, *, again: bool, stores: PresenceStores, services: PresenceServices, now: Now) -> bool:
    user_id, sessions = gone.user_id, stores.sessions
    session, at = sessions.whole([user_id]).get(user_id, NEVER), now()
    if session.is_online(at) or not (again or session.shown == ONLINE):
        return False
    if session.shown == ONLINE and not sessions.show_offline(user_id, session):
        session = sessions.whole([user_id]).get(user_id, NEVER)
        if session.is_online(at) or session.shown == ONLINE:
            return False  # else the note's answer was lost, or another check was quicker
    if not session.hidden:
        announce_presence(session.as_it_is(user_id, at), stores=stores, services=services, now=at)
    return True


def hide_presence(user_id: str, *, stores: PresenceStores, services: PresenceServices, now: Now) -> None:
    """Hide the user's presence, and tell those who watch. Raises Unavailable where it can't be noted.

    Also of a user who is away: when they were last there is theirs to hide. Noted first and told second: who tells of
    the user at the same time has seen the note, or spoken before. The note says that watchers are still shown the user,
    until they were told, so a repetition completes a request that dies. It begins anew where the user came
    or went meanwhile.
    """
    sessions, unseen = stores.sessions, Presence(user_id, OFFLINE)
    for attempt in range(_MAX_ATTEMPTS):
        session = sessions.whole([user_id]).get(user_id, NEVER)
        is_shown = session.shown == ONLINE or session.shown_as(user_id, now()) != unseen
        shown: Status = ONLINE if is_shown else OFFLINE
        if not session.hidden and not sessions.hide(user_id, session, hidden=True, shown=shown):
            continue
        if not is_shown:
            return
        announce_presence(unseen, stores=stores, services=services, now=now() + attempt)  # the later timestamp counts
        if sessions.hide(user_id, replace(session, hidden=True, shown=shown), hidden=True, shown=OFFLINE):
            return
    raise Unavailable


def show_presence(user_id: str, *, stores: PresenceStores, services: PresenceServices, now: Now) -> None:
    """Show the user's presence again, and tell those who watch. Raises Unavailable where it can't be noted.

    Told first and noted second, so that a request that dies is completed by its repetition. Where the user came or went
    in between, it begins anew, and takes back what it has told; who began to watch, or could see the user since by
    another change, is told at the end.
    """
    began, told_online = now(), False
    before = watchers_of(user_id, stores=stores, services=services, now=began)
    for at in range(began, began + _MAX_ATTEMPTS):
        session = stores.sessions.whole([user_id]).get(user_id, NEVER)
        presence = replace(session, hidden=False).shown_as(user_id, at)
        is_online = presence.status == ONLINE
        if (session.hidden and is_online) or (told_online and not is_online):
            tell(presence, before, stores=stores, services=services, now=at)  # the later timestamp counts
            told_online = is_online
        if stores.sessions.hide(user_id, session, hidden=False, shown=presence.status):
            best_effort(services, _tell_latecomers, user_id, before, stores, services, now)
            return
    raise Unavailable


def _tell_latecomers(
    user_id: str, before: Sequence[Watch], stores: PresenceStores, services: PresenceServices, now: Now
) -> None:
    """Those who may see the user, and were not among those `before`, were told what was so before."""
    at = now()
    late = watchers_of(user_id, besides=before, stores=stores, services=services, now=at)
    presence = stores.sessions.whole([user_id]).get(user_id, NEVER).shown_as(user_id, at) if late else None
    if presence is not None and presence.status == ONLINE:
        tell(presence, late, stores=stores, services=services, now=at)


def best_effort(observed: PresenceServices, tell: Callable[P, object], /, *about: P.args, **named: P.kwargs) -> None:
    """Tell others of a change that is stored. Where they can't be told it stands all the same: who asks sees it."""
    try:
        tell(*about, **named)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not make a failure of what has succeeded
        observed.observer.failed("presence not announced", error)
        observed.observer.count("PresenceNotAnnounced")
