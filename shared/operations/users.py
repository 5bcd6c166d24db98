"""The directory of users: filled by the team's server, read by those who may."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.domain.changes import Happened, OwnChanged
from shared.domain.contacts import Profile
from shared.domain.custom import data_text
from shared.domain.entries import Entry
from shared.domain.holds import check_not_held
from shared.domain.text import check_user_id, is_label
from shared.domain.users import (
    MAX_BULK,
    MAX_EMAIL,
    MAX_PREFIX_CHARACTERS,
    MAX_ROLE_CHARACTERS,
    Reader,
    User,
    first_found,
    folded,
    is_email,
)
from shared.errors import BadRequest, NotFound
from shared.operations.about import happened, tell_about
from shared.operations.contacts import check_changes, check_profile, profile_note, update_profile
from shared.operations.context import Context
from shared.operations.own_log import Owning, change_own, store_own, tell_own
from shared.operations.versions import tell_updated, visible_to
from shared.ports.services import Services
from shared.ports.stores import Stores

# A search among those whom the caller may not all see looks at so many names: who is acquainted is asked one by one.
_LOOKED_AT: Final = 100
Listed = tuple[str, str]
"""A term that a user is listed under, and the user."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of users, in the order of their names. `after` is where the next one begins, None where there is none."""

    users: Sequence[User]
    after: Listed | None


def put_user(
    user_id: str,
    changes: Mapping[str, Any],
    *,
    is_told: bool = True,
    stores: Stores,
    services: Services,
    context: Context,
) -> tuple[User, bool]:
    """Change the fields named of a user's record; None clears. Makes the record where there is none; returns if it did.

    `changes`: `name`, `avatar`, `role`, `data` (an object), `email`, `deactivated`. What a user has said of
    themselves stays where it is not named. Guarantee: the record, what is shown of it, what it is found by, and the
    entry in the user's own log that tells of it change together. `is_told`: those who look at the user are told how
    the record is then (see `tell_updated`).
    Raises BadRequest, TooLarge (data), Unavailable (too many changes of one user at once).
    """
    check_user_id(user_id)
    decide = _putting(user_id, _checked(changes), stores=stores, now=context.now())
    was, becomes = change_own([user_id], decide, stores=stores, services=services, context=context)
    _tell_record(user_id, stores=stores, context=context)
    if is_told and becomes != was:
        tell_updated([becomes], stores=stores, services=services, now=context.now())
    return becomes, not was.has_record


def _tell_record(user_id: str, *, stores: Stores, context: Context) -> None:
    """Tell the team's backend how a record stands: also where it was so already, as the one before may have died."""
    tell_about(user_id, lambda: _recorded(stores.users.of([user_id])[user_id]), log=stores.log, context=context)


def _recorded(user: User) -> Happened:
    if not user.has_record:
        return happened("user_deleted", "record", user_id=user.user_id)
    return happened(
        "user_deactivated" if user.deactivated else "user_updated",
        "record",
        user_id=user.user_id,
        name=user.name,
        avatar=user.avatar,
        role=user.role,
        data=None if user.data is None else json.loads(user.data),
        deactivated=user.deactivated,
        version=user.version,
    )


def _putting(
    user_id: str, given: Mapping[str, Any], *, stores: Stores, now: int
) -> Callable[[], tuple[tuple[User, User], Owning | None]]:
    """Returns how the user was, and becomes."""

    def decide() -> tuple[tuple[User, User], Owning | None]:
        was = stores.users.of([user_id])[user_id]
        becomes = replace(was, **given)
        if becomes.email != was.email:
            becomes = replace(becomes, mail_stopped=None)  # of another address nothing is known
        if was.has_record and becomes == was:
            return (was, was), None
        listed_as = None if becomes.deactivated else becomes.name
        becomes = replace(becomes, version=max(now, was.version + 1), listed_as=listed_as)
        owning = Owning(_told(was, becomes), lambda notes: stores.users.change(was, becomes, notes=notes))
        return (was, becomes), owning

    return decide


def _told(was: User, becomes: User) -> Mapping[str, OwnChanged]:
    """What the user's own log says of it: their name, avatar, role and data, where these change."""
    before, after = was.shown(), becomes.shown()
    changed = {own: after[name] for own, name in _NOTED_AS.items() if before[name] != after[name]}
    return {was.user_id: profile_note(changed)} if changed else {}


def put_users(
    records: Sequence[tuple[str, Mapping[str, Any]]],
    *,
    is_told: bool = True,
    stores: Stores,
    services: Services,
    context: Context,
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

    def put(user_id: str) -> tuple[tuple[User, User], Sequence[Entry]]:
        decide = _putting(user_id, given[user_id], stores=stores, now=now)
        stored = store_own([user_id], decide, stores=stores, services=services, context=context)
        _tell_record(user_id, stores=stores, context=context)
        return stored

    written = list(services.parallel_map(put, given))
    tell_own([one for _, entries in written for one in entries], stores=stores, services=services, now=now)
    if is_told:
        changed = [becomes for (was, becomes), _ in written if becomes != was]
        tell_updated(changed, stores=stores, services=services, now=context.now())
    return [becomes for (_, becomes), _ in written]


def delete_user(user_id: str, *, is_told: bool = True, stores: Stores, services: Services, context: Context) -> None:
    """Take the record away, and the name and the avatar with it. Idempotent. Messages and memberships stay.

    Raises Conflict where the user is on legal hold.
    """
    check_user_id(user_id)
    check_not_held(stores.holds.get(user_id))

    def decide() -> tuple[bool, Owning | None]:
        was = stores.users.of([user_id])[user_id]
        if not was.has_record:
            return False, None
        told = _told(was, User(user_id))
        return True, Owning(told, lambda notes: stores.users.change(was, None, notes=notes))

    is_gone = change_own([user_id], decide, stores=stores, services=services, context=context)
    _tell_record(user_id, stores=stores, context=context)
    if is_told and is_gone:
        tell_updated([User(user_id)], stores=stores, services=services, now=context.now())


def update_own(
    user_id: str,
    changes: Mapping[str, Any],
    *,
    is_told: bool = True,
    stores: Stores,
    services: Services,
    context: Context,
) -> Profile:
    """Change the named fields of what a user says about themselves; None clears. Raises as `update_profile`.

    Name and avatar of who has a record change with that, before the other fields. Those who look at the user are told
    of these two, with a record or without (see `tell_updated`).
    """
    shown = {_SHOWN_AS[name]: value for name, value in changes.items() if name in _SHOWN_AS}
    was = stores.users.of([user_id])[user_id] if shown else User(user_id)
    if not was.has_record:
        profile = update_profile(user_id, changes, stores=stores, services=services, context=context)
        becomes = replace(was, name=profile.display_name, avatar=profile.avatar_url) if shown else was
        if is_told and becomes != was:
            tell_updated([becomes], stores=stores, services=services, now=context.now())
        return profile
    others = {name: value for name, value in changes.items() if name not in _SHOWN_AS}
    check_changes(user_id, changes, stores=stores)
    put_user(user_id, shown, is_told=is_told, stores=stores, services=services, context=context)
    return update_profile(user_id, others, stores=stores, services=services, context=context)


_SHOWN_AS: Final = {"display_name": "name", "avatar_url": "avatar"}
_NOTED_AS: Final = {**_SHOWN_AS, "role": "role", "data": "data"}


def users_for(reader: Reader, user_ids: Sequence[str], *, stores: Stores, services: Services) -> Mapping[str, User]:
    """Those of these users whom the reader may see and of whom something is known. Raises BadRequest (ids, number)."""
    for one in user_ids:
        check_user_id(one)
    wanted = list(dict.fromkeys(user_ids))
    if len(wanted) > MAX_BULK:
        raise BadRequest(f"At most {MAX_BULK} users at once")
    visible = visible_to(reader, wanted, stores=stores, services=services)
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
