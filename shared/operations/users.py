"""The directory of users: filled by the team's server, read by those who may."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.domain.changes import OwnChanged
from shared.domain.contacts import Profile
from shared.domain.custom import data_text
from shared.domain.entries import Entry
from shared.domain.text import check_user_id, is_label
from shared.domain.users import (
    ACQUAINTED,
    EVERYONE,
    MAX_BULK,
    MAX_EMAIL,
    MAX_PREFIX_CHARACTERS,
    MAX_ROLE_CHARACTERS,
    User,
    first_found,
    folded,
    is_email,
)
from shared.errors import BadRequest, NotFound
from shared.operations.contacts import check_changes, check_profile, profile_note, update_profile
from shared.operations.context import Context
from shared.operations.own_log import Owning, change_own, store_own, tell_own
from shared.operations.presence import seen_by
from shared.ports.services import Services
from shared.ports.stores import Stores

# A search among those whom the caller may not all see looks at so many names: who is acquainted is asked one by one.
_LOOKED_AT: Final = 100
Listed = tuple[str, str]
"""A term that a user is listed under, and the user."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reader:
    """Who asks, and whom they may see."""

    user_id: str
    is_admin: bool
    visibility: str

    @property
    def sees_all(self) -> bool:
        return self.is_admin or self.visibility == EVERYONE

    def sees_email_of(self, user_id: str) -> bool:
        """Nobody else's, whatever the deployment shows of its users."""
        return self.is_admin or self.user_id == user_id


@dataclass(frozen=True, slots=True)
class Found:
    """A page of users, in the order of their names. `after` is where the next one begins, None where there is none."""

    users: Sequence[User]
    after: Listed | None


def put_user(
    user_id: str, changes: Mapping[str, Any], *, stores: Stores, services: Services, context: Context
) -> tuple[User, bool]:
    """Change the fields named of a user's record; None clears. Makes the record where there is none; returns if it did.

    `changes`: `name`, `avatar`, `role`, `data` (an object), `email`, `deactivated`. What a user has said of
    themselves stays where it is not named. Guarantee: the record, what is shown of it, what it is found by, and the
    entry in the user's own log that tells of another name or avatar change together.
    Raises BadRequest, TooLarge (data), Unavailable (too many changes of one user at once).
    """
    check_user_id(user_id)
    decide = _putting(user_id, _checked(changes), stores=stores, now=context.now())
    return change_own([user_id], decide, stores=stores, services=services, context=context)


def _putting(
    user_id: str, given: Mapping[str, Any], *, stores: Stores, now: int
) -> Callable[[], tuple[tuple[User, bool], Owning | None]]:
    def decide() -> tuple[tuple[User, bool], Owning | None]:
        was = stores.users.of([user_id])[user_id]
        becomes = replace(was, **given)
        if was.has_record and becomes == was:
            return (was, False), None
        listed_as = None if becomes.deactivated else becomes.name
        becomes = replace(becomes, version=max(now, was.version + 1), listed_as=listed_as)
        owning = Owning(_told(was, becomes), lambda notes: stores.users.change(was, becomes, notes=notes))
        return (becomes, not was.has_record), owning

    return decide


def _told(was: User, becomes: User) -> Mapping[str, OwnChanged]:
    """What the user's own log says of it: their name and avatar, where these change."""
    named = {own: (getattr(was, name), getattr(becomes, name)) for own, name in _SHOWN_AS.items()}
    changed = {own: after for own, (before, after) in named.items() if before != after}
    return {was.user_id: profile_note(changed)} if changed else {}


def put_users(
    records: Sequence[tuple[str, Mapping[str, Any]]], *, stores: Stores, services: Services, context: Context
) -> Sequence[User]:
    """The same for many users. All are looked at before the first is written; each is written by itself.

    Raises as `put_user`, and BadRequest for over 100 users or one that is named twice. Where it is Unavailable some may
    be written: it can be repeated.
    """
    if len(records) > MAX_BULK:
        raise BadRequest(f"At most {MAX_BULK} users at once")
    if len({user_id for user_id, _ in records}) < len(records):
        raise BadRequest("A user is named twice")
    given: dict[str, Mapping[str, Any]] = {}
    for user_id, changes in records:
        check_user_id(user_id)
        given[user_id] = _checked(changes)
    now = context.now()

    def put(user_id: str) -> tuple[User, Sequence[Entry]]:
        decide = _putting(user_id, given[user_id], stores=stores, now=now)
        (user, _), entries = store_own([user_id], decide, stores=stores, services=services, context=context)
        return user, entries

    written = list(services.parallel_map(put, given))
    tell_own([one for _, entries in written for one in entries], stores=stores, services=services, now=now)
    return [user for user, _ in written]


def delete_user(user_id: str, *, stores: Stores, services: Services, context: Context) -> None:
    """Take the record away, and the name and the avatar with it. Idempotent. Messages and memberships stay."""
    check_user_id(user_id)

    def decide() -> tuple[None, Owning | None]:
        was = stores.users.of([user_id])[user_id]
        if not was.has_record:
            return None, None
        told = _told(was, User(user_id))
        return None, Owning(told, lambda notes: stores.users.change(was, None, notes=notes))

    change_own([user_id], decide, stores=stores, services=services, context=context)


def update_own(
    user_id: str, changes: Mapping[str, Any], *, stores: Stores, services: Services, context: Context
) -> Profile:
    """Change the named fields of what a user says about themselves; None clears. Raises as `update_profile`.

    Name and avatar of who has a record change with that, before the other fields.
    """
    shown = {_SHOWN_AS[name]: value for name, value in changes.items() if name in _SHOWN_AS}
    if not shown or not stores.users.of([user_id])[user_id].has_record:
        return update_profile(user_id, changes, stores=stores, services=services, context=context)
    others = {name: value for name, value in changes.items() if name not in _SHOWN_AS}
    check_changes(user_id, changes, stores=stores)
    put_user(user_id, shown, stores=stores, services=services, context=context)
    return update_profile(user_id, others, stores=stores, services=services, context=context)


_SHOWN_AS: Final = {"display_name": "name", "avatar_url": "avatar"}


def users_for(reader: Reader, user_ids: Sequence[str], *, stores: Stores, services: Services) -> Mapping[str, User]:
    """Those of these users whom the reader may see and of whom something is known. Raises BadRequest (ids, number)."""
    for one in user_ids:
        check_user_id(one)
    wanted = list(dict.fromkeys(user_ids))
    if len(wanted) > MAX_BULK:
        raise BadRequest(f"At most {MAX_BULK} users at once")
    visible = _visible(reader, wanted, stores, services)
    found = stores.users.of([one for one in wanted if one in visible])
    return {one: found[one] for one in wanted if one in found and _is_known(found[one])}


def user_for(reader: Reader, user_id: str, *, stores: Stores, services: Services) -> User:
    """One of them. Raises NotFound, whether there is no such user or the reader may not see them."""
    found = users_for(reader, [user_id], stores=stores, services=services)
    if user_id not in found:
        raise NotFound("There is no such user")
    return found[user_id]


def search_users(
    reader: Reader, prefix: str, *, after: Listed | None, limit: int, stores: Stores, services: Services
) -> Found:
    """Users a word of whose name begins with `prefix`, by name, and whom the reader may see.

    A page may have fewer than `limit`, and more behind it: among many whom the reader may not see it ends early.
    Raises BadRequest for a prefix of nothing, or over 100 characters.
    """
    if not is_label(prefix) or len(prefix) > MAX_PREFIX_CHARACTERS or not (wanted := folded(prefix)):
        raise BadRequest(
            f"A prefix has 1 to {MAX_PREFIX_CHARACTERS} characters, is not blank, and holds no control ones"
        )
    number = limit if reader.sees_all else _LOOKED_AT
    listed = stores.users.listed(wanted, after=after, limit=number)
    users = users_for(reader, [user_id for _, user_id in listed], stores=stores, services=services)
    shown: list[User] = []
    for term, user_id in listed:
        user = users.get(user_id)
        if user is not None and first_found(user, wanted) == term:
            shown.append(user)
        if len(shown) == limit:
            return Found(shown, (term, user_id))
    return Found(shown, listed[-1] if len(listed) == number else None)


def _is_known(user: User) -> bool:
    return user.has_record or user.name is not None or user.avatar is not None


def _visible(reader: Reader, user_ids: Sequence[str], stores: Stores, services: Services) -> set[str]:
    if reader.sees_all:
        return set(user_ids)
    if reader.visibility == ACQUAINTED:
        return seen_by(reader.user_id, user_ids, stores=stores, services=services)
    return {reader.user_id} & set(user_ids)


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as a record has them. Raises BadRequest and TooLarge."""
    check_profile(Profile(display_name=changes.get("name"), avatar_url=changes.get("avatar")))
    role = changes.get("role")
    if role is not None and (len(role) > MAX_ROLE_CHARACTERS or not is_label(role)):
        raise BadRequest(f"A role has 1 to {MAX_ROLE_CHARACTERS} characters, is not blank, and holds no control ones")
    email = changes.get("email")
    if email is not None and not is_email(email):
        raise BadRequest(f"An email is an address like bob@example.com, of at most {MAX_EMAIL} ASCII characters")
    given = {name: changes[name] for name in ("name", "avatar", "role", "email") if name in changes}
    if "data" in changes:
        given["data"] = data_text(changes["data"])
    if "deactivated" in changes:
        given["deactivated"] = bool(changes["deactivated"])
    return given
