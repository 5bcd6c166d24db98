"""Requesting, accepting, renaming and removing contacts; blocking. Unknown and blocking users answer alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.contacts import ACCEPTED, INCOMING, REQUESTED, Contact, Pair, Profile
from shared.domain.text import check_user_id, is_label
from shared.errors import BadRequest, Conflict, NotFound, Unavailable
from shared.ports.stores import Stores

MAX_CONTACTS: Final = 1_000
MAX_BLOCKS: Final = 1_000
MAX_ALIAS_CHARACTERS: Final = 100
_MAX_ATTEMPTS: Final = 10
MAX_DISPLAY_NAME: Final = 100
MAX_AVATAR_URL: Final = 1_000
_LABEL: Final = "characters, is not blank, and holds no control character"
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def request_contact(user_id: str, other: str, *, stores: Stores, now: int) -> tuple[Contact, bool]:
    """Ask a user to become a contact; where they have asked first, this accepts. Returns it, and if it is new.

    A request to an unknown id, a user who blocks this one, or one with too many contacts waits for ever: they answer
    alike. Raises BadRequest for oneself or a malformed id, Conflict with too many contacts.
    """
    _check_other(user_id, other)
    mine_now = stores.contacts.of(user_id)
    if len(mine_now) >= MAX_CONTACTS and other not in {contact.user_id for contact in mine_now}:
        raise Conflict(f"A user has at most {MAX_CONTACTS:,} contacts")
    has_room = len(stores.contacts.of(other)) < MAX_CONTACTS

    def decide(pair: Pair) -> tuple[Contact | None, Contact | None] | None:
        if pair.mine is not None and pair.mine.status == INCOMING:
            return _accepted(pair, user_id, other, now)
        reaches = has_room and not pair.blocks_me
        unheard = pair.theirs is None and reaches
        if pair.mine is not None:  # one that could not reach them before reaches them now
            return (pair.mine, Contact(user_id, INCOMING, now)) if unheard and pair.mine.status == REQUESTED else None
        if pair.theirs is not None and pair.theirs.status == REQUESTED and not pair.blocks_me:
            return _accepted(pair, user_id, other, now)
        if not reaches:
            return Contact(other, REQUESTED, now), pair.theirs
        return Contact(other, REQUESTED, now), Contact(user_id, INCOMING, now)

    mine, is_new = _change(user_id, other, decide, stores)
    if mine is None:
        raise Unavailable
    return mine, is_new


@dataclass(frozen=True, slots=True)
class UpdateContact:
    """To accept a request, to name the contact anew (`rename`; the alias None takes the name away), or both."""

    user_id: str
    other: str
    accept: bool = False
    alias: str | None = None
    rename: bool = False


def update_contact(command: UpdateContact, *, stores: Stores, now: int) -> Contact:
    """Raises NotFound where there is no such contact, Conflict for accepting what the other has not asked for."""
    user_id, other, accept = command.user_id, command.other, command.accept
    alias, rename = command.alias, command.rename
    _check_other(user_id, other)
    if rename and alias is not None and (len(alias) > MAX_ALIAS_CHARACTERS or not is_label(alias)):
        raise BadRequest(f"An alias has 1 to {MAX_ALIAS_CHARACTERS} {_LABEL}")

    def decide(pair: Pair) -> tuple[Contact | None, Contact | None] | None:
        if pair.mine is None:
            raise NotFound("There is no such contact")
        mine, theirs = pair.mine, pair.theirs
        if accept and mine.status == REQUESTED:
            raise Conflict("This request waits for the other user")
        if accept and mine.status == INCOMING:
            mine, theirs = _accepted(pair, user_id, other, now)
        if rename:
            mine = replace(mine, alias=alias)
        return None if (mine, theirs) == (pair.mine, pair.theirs) else (mine, theirs)

    updated, _ = _change(user_id, other, decide, stores)
    if updated is None:
        raise NotFound("There is no such contact")
    return updated


def remove_contact(user_id: str, other: str, *, stores: Stores) -> Contact:
    """Withdraw, decline or end: on both sides. Returns what it was. Raises NotFound where there is no such contact."""
    _check_other(user_id, other)
    removed: list[Contact] = []

    def decide(pair: Pair) -> tuple[Contact | None, Contact | None]:
        if pair.mine is None:
            raise NotFound("There is no such contact")
        removed.append(pair.mine)
        return None, None

    _change(user_id, other, decide, stores)
    return removed[-1]


def block_user(user_id: str, other: str, *, stores: Stores, now: int) -> bool:
    """Refuse the other's private messages from now on. Idempotent. Raises BadRequest, Conflict (too many).

    Returns whether this may end that the two see each other: not where the other blocked the user before.
    """
    _check_other(user_id, other)
    existing = stores.blocks.of(user_id)
    if other not in existing and len(existing) >= MAX_BLOCKS:
        raise Conflict(f"A user blocks at most {MAX_BLOCKS:,} others")
    is_first = not stores.blocks.blocking([other], user_id)
    stores.blocks.put(user_id, other, now=now)
    return is_first


def _accepted(pair: Pair, user_id: str, other: str, now: int) -> tuple[Contact, Contact]:
    mine = pair.mine or Contact(other, ACCEPTED, now)
    theirs = pair.theirs or Contact(user_id, ACCEPTED, now)
    return replace(mine, status=ACCEPTED, since=now), replace(theirs, status=ACCEPTED, since=now)


def _change(
    user_id: str, other: str, decide: Callable[[Pair], tuple[Contact | None, Contact | None] | None], stores: Stores
) -> tuple[Contact | None, bool]:
    """Decide on both sides, and store them if no other change was quicker. Returns my side, and if it is new."""
    for _ in range(_MAX_ATTEMPTS):
        pair = stores.contacts.pair(user_id, other)
        sides = decide(pair)
        if sides is None:
            return pair.mine, False
        if stores.contacts.change(user_id, other, was=pair, mine=sides[0], theirs=sides[1]):
            return sides[0], pair.mine is None
    raise Unavailable


def _check_other(user_id: str, other: str) -> None:
    check_user_id(other)
    if other == user_id:
        raise BadRequest("This needs somebody else")


def check_profile(profile: Profile, *, stored: Profile | None = None) -> None:
    """Raises BadRequest for a bad name, avatar or quiet hours. A name that is `stored` stays good."""
    name, avatar, quiet = profile.display_name, profile.avatar_url, profile.quiet_hours
    is_new = stored is None or name != stored.display_name
    if name is not None and is_new and (len(name) > MAX_DISPLAY_NAME or not is_label(name)):
        raise BadRequest(f"A display name has 1 to {MAX_DISPLAY_NAME} {_LABEL}")
    if avatar is not None and (not avatar.startswith("https://") or len(avatar) > MAX_AVATAR_URL):
        raise BadRequest(f"An avatar is an https URL of at most {MAX_AVATAR_URL:,} characters")
    if quiet is None:
        return
    if not (_TIME.fullmatch(quiet.start) and _TIME.fullmatch(quiet.end)):
        raise BadRequest("Quiet hours start and end at times like 22:00")
    if not _is_time_zone(quiet.time_zone):
        raise BadRequest("Quiet hours need a time zone like Europe/Berlin")


def update_profile(user_id: str, changes: Mapping[str, Any], *, stores: Stores) -> Profile:
    """Change the named fields in one update; None clears. Raises what `check_profile` raises."""
    check_changes(user_id, changes, stores=stores)
    return stores.profiles.update(user_id, changes)


def check_changes(user_id: str, changes: Mapping[str, Any], *, stores: Stores) -> None:
    """Raises what `check_profile` raises; a name that is stored stays good."""
    given = replace(Profile(), **{name: value for name, value in changes.items() if value is not None})
    check_profile(given, stored=stores.profiles.get(user_id) if given.display_name is not None else None)


def _is_time_zone(name: str) -> bool:
    if not _ZONE.fullmatch(name):
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
