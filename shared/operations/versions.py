"""Versions of users' records: which there are, and telling those who look at a user that there is another one.

Nothing of it is on the way of a message. Why, says docs/adr/0061-versions-of-users.md.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from shared.domain.connections import News, live
from shared.domain.users import ACQUAINTED, Reader, User
from shared.operations.delivery import post, report
from shared.operations.presence import best_effort, seen_by, tell_watching, watchers_of
from shared.ports.services import Services
from shared.ports.stores import Stores

USER_UPDATED: Final = "user_updated"


def visible_to(reader: Reader, users: Collection[str], *, stores: Stores, services: Services) -> set[str]:
    """Those of these users whose records the reader may see."""
    if reader.sees_all:
        return set(users)
    if reader.visibility == ACQUAINTED:
        return seen_by(reader.user_id, users, stores=stores, services=services)
    return {reader.user_id} & set(users)


def versions_for(
    reader: Reader, users: Collection[str], *, are_fellows: bool = False, stores: Stores, services: Services
) -> Mapping[str, int]:
    """The version of the record of each of these users whom the reader may see; 0 for who has none.

    Eventually consistent: half a read unit each, 100 to a call. `are_fellows`: all are in a group with the reader, so
    that of who is acquainted the blocks alone are looked at.
    """
    wanted = set(users)
    if are_fellows and reader.visibility == ACQUAINTED and not reader.sees_all:
        relations = stores.relations.between(reader.user_id, wanted - {reader.user_id})
        wanted -= {user for user, relation in relations.items() if relation.is_blocked}
    else:
        wanted = visible_to(reader, wanted, stores=stores, services=services)
    found = stores.users.versions(wanted) if wanted else {}
    return {user: found.get(user, 0) for user in sorted(wanted)}


def tell_updated(users: Sequence[User], *, stores: Stores, services: Services, now: int) -> None:
    """Tell each user's own connections, and those that watch their presence and may see it, how the record is now.

    What can't be told stands all the same: who asks sees it.
    """
    if users:
        best_effort(services, _tell, users, stores, services, now)


def updated(user: User, now: int) -> News:
    """The event that says how a user is shown now."""
    said = {"user_id": user.user_id, "version": user.version, "user": user.shown(), "timestamp": now}
    return News(USER_UPDATED, said)


def _tell(users: Sequence[User], stores: Stores, services: Services, now: int) -> None:
    ids = [user.user_id for user in users]
    own = stores.sessions.of(ids)
    found = services.parallel_map(lambda one: watchers_of(one, stores=stores, services=services, now=now), ids)
    for user, watching in zip(users, found, strict=True):
        news = updated(user, now)
        connections = live(own.get(user.user_id, ()), now)
        report(post(news, connections, stores=stores, services=services, now=now), services=services)
        tell_watching(news, watching, stores=stores, services=services)
