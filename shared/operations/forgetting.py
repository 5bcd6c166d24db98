"""An erasure begins with what others see of a user: the name, the avatar, the record. Who may show these is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from shared.domain.connections import live
from shared.domain.text import is_group_id, other_member
from shared.domain.users import NOBODY, User
from shared.operations.context import Context
from shared.operations.delivery import post, report
from shared.operations.own_log import Owning, store_own
from shared.operations.presence import best_effort, tell_watching, watchers_of
from shared.operations.versions import updated
from shared.ports.services import PushServices
from shared.ports.stores import PushStores

# As many as a group may have.
MOST_TOLD: Final = 1_000
# Of connections: each lot has `fan_out_ms`.
_AT_ONCE: Final = 100


def forget_record(user_id: str, *, stores: PushStores, services: PushServices, context: Context) -> None:
    """Take a user's record, name and avatar away, then tell the devices of those who know them (`user_updated`).

    Those are who watches them, their contacts, who has a private conversation with them, and the members of their
    groups, up to `MOST_TOLD` users, without who blocks them or is blocked. Not where nobody may read of users. Removed
    first, told second: who asks meanwhile finds nothing. A repetition tells again. Whoever can't be told sees the
    version 0 in their next inbox. Raises Unavailable.
    """

    def decide() -> tuple[None, Owning | None]:
        was = stores.users.of([user_id])[user_id]
        if was == User(user_id):
            return None, None
        return None, Owning({}, lambda notes: stores.users.change(was, None, notes=notes))

    store_own((), decide, stores=stores, services=services, context=context)
    if context.limits.users_visible != NOBODY:
        best_effort(services, _tell, user_id, stores, services, context.now())


def _tell(user_id: str, stores: PushStores, services: PushServices, now: int) -> None:
    users = set(islice(_who_know(user_id, stores), MOST_TOLD)) - {user_id}
    relations = stores.relations.between(user_id, users) if users else {}
    unblocked = [user for user, relation in relations.items() if not relation.is_blocked]
    sessions = stores.sessions.of(unblocked) if unblocked else {}
    connections = [one for user in unblocked for one in live(sessions.get(user, ()), now)]
    news = updated(User(user_id), now)
    for start in range(0, len(connections), _AT_ONCE):
        some = connections[start : start + _AT_ONCE]
        report(post(news, some, stores=stores, services=services, now=now), services=services)
    told = {one.connection_id for one in connections}
    watching = watchers_of(user_id, stores=stores, services=services, now=now)
    others = [one for one in watching if one.connection_id not in told]
    tell_watching(news, others, stores=stores, services=services)


def _who_know(user_id: str, stores: PushStores) -> Iterator[str]:
    """The nearest first. In channels nobody sees who reads."""
    yield from (contact.user_id for contact in stores.contacts.of(user_id))
    places = [member.conversation_id for member in stores.memberships.of_user(user_id)]
    yield from filter(None, (other_member(place, user_id) for place in places))
    for place in places:
        if is_group_id(place):
            yield from _members(place, stores)


def _members(place: str, stores: PushStores) -> Iterable[str]:
    roster = stores.memberships.roster(place)
    return () if roster is None else roster.seats
