"""Who is there in a large group: its attendees, a row for each connection. A message reads these, and no sessions.

A member is listed in two steps. Their session names the group from then on, by one write that returns the connections
that are there; those get their rows. A connection that is registered later finds the group named by the write that
stores it, and gets its row before its client is let in, and so before that syncs. Then the member's seat is marked. So
where a seat is marked, each connection has its row, or its client has yet to sync, and finds what it was not posted
there. Members without a mark are looked up in their sessions, and listed with the next entry: those who have just come,
those of a group that has just become large, and all of them after an update from a version without attendees.

Rows are missing where such a version has registered a connection, side by side with this one or after a rollback. The
next ping finds that, and posts the tails of these groups: from those a client sees what it lacks.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from shared.domain.connections import MAX_LARGE_GROUPS, Connection, Session, live

if TYPE_CHECKING:  # a handshake loads nothing of them
    from shared.operations.context import Context
    from shared.ports.services import PresenceServices
    from shared.ports.stores import ChatStores, PresenceStores

# A listing is over by then: what is older than this, and of no use, may be given up.
_SETTLED_MS: Final = 60 * 60 * 1_000
# With so many entries of a group it is looked once whether those who can't be listed can be now.
_LOOK_EVERY: Final = 64


def ensure_attending(
    connection: Connection, groups: Collection[str], *, stores: ChatStores, services: PresenceServices
) -> None:
    """Make good what the connection lacks of its rows in these groups; one read where that is nothing, or no group.

    Where a row was missing its client may have missed entries, and is posted the tail. Raises Unavailable.
    """
    lacking = stores.attendance.lacking(connection, groups) if groups else {}
    if not lacking:
        return
    stores.attendance.enter(connection, lacking)
    missing = [group for group, is_there in lacking.items() if not is_there]
    for group in stores.memberships.of_user_in(connection.user_id, missing) if missing else ():
        for tail in stores.log.read_back(group, limit=1):
            services.gateway.post([connection.connection_id], services.encode(tail))


def list_members(
    conversation_id: str,
    seq: int,
    sessions: Mapping[str, Session],
    *,
    stores: PresenceStores,
    services: PresenceServices,
    context: Context,
) -> None:
    """List these members of a large group, read as they were for its entry `seq`. What fails comes with the next entry.

    Three writes for each of them, and one for each of their connections.
    """
    now = context.now()

    def list_one(user_id: str) -> None:
        groups = sessions[user_id].large_groups
        if conversation_id not in groups and len(groups) >= MAX_LARGE_GROUPS:
            if seq % _LOOK_EVERY == 0:
                give_up_left(user_id, groups, stores=stores, now=now)
            return
        there = stores.sessions.list_in(user_id, conversation_id, now=now)
        if there is None:
            return
        for connection in live(there, now):
            stores.attendance.enter(connection, [conversation_id])
        stores.attendance.mark_listed(conversation_id, user_id)

    try:
        services.parallel_map(list_one, sorted(sessions))
    except Exception as error:  # noqa: BLE001  # whatever it is, what was posted must not be posted again for it
        services.observer.failed("members not listed", error)


def give_up_left(
    user_id: str, groups: Mapping[str, int], *, stores: PresenceStores, now: int, settled_ms: int = _SETTLED_MS
) -> None:
    """Forget those groups, or channels, that the user has left since: they were listed long ago, and are no member now.

    Who comes back is listed anew, which is another time, and so stays.
    """
    still_in = stores.memberships.of_user_in(user_id, groups)
    for group, since in groups.items():
        if group not in still_in and since + settled_ms < now:
            stores.sessions.unlist(user_id, group, since=since)
