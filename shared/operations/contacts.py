"""Requesting, accepting, renaming and removing contacts; blocking. Unknown and blocking users answer alike."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.changes import OwnChanged
from shared.domain.contacts import ACCEPTED, INCOMING, REQUESTED, Contact, Pair, Profile, QuietHours
from shared.domain.entries import Entry
from shared.domain.text import check_user_id, is_label
from shared.errors import BadRequest, Conflict, NotFound, Unavailable
from shared.operations.context import Context
from shared.operations.own_log import Owning, change_own, own_change
from shared.ports.services import Services
from shared.ports.stores import Stores

MAX_CONTACTS: Final = 1_000
MAX_BLOCKS: Final = 1_000
MAX_ALIAS_CHARACTERS: Final = 100
MAX_DISPLAY_NAME: Final = 100
MAX_AVATAR_URL: Final = 1_000
_LABEL: Final = "characters, is not blank, and holds no control character"
_AVATAR: Final = re.compile(r"https://[^\s/]+\S*")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}")


def request_contact(
    user_id: str, other: str, *, stores: Stores, services: Services, context: Context
) -> tuple[Contact, bool]:
    """Ask a user to become a contact; where they have asked first, this accepts. Returns it, and if it is new.

    A request to an unknown id, a user who blocks this one, or one with too many contacts waits for ever: they answer
    alike. Raises BadRequest for oneself or a malformed id, Conflict with too many contacts.
    """
    _check_other(user_id, other)
    now = context.now()
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

    mine, is_new = _change(user_id, other, decide, stores=stores, services=services, context=context)
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


def update_contact(command: UpdateContact, *, stores: Stores, services: Services, context: Context) -> Contact:
    """Raises NotFound where there is no such contact, Conflict for accepting what the other has not asked for."""
    user_id, other, accept = command.user_id, command.other, command.accept
    alias, rename, now = command.alias, command.rename, context.now()
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

    updated, _ = _change(user_id, other, decide, stores=stores, services=services, context=context)
    if updated is None:
        raise NotFound("There is no such contact")
    return updated


def remove_contact(user_id: str, other: str, *, stores: Stores, services: Services, context: Context) -> Contact:
    """Withdraw, decline or end: on both sides. Returns what it was. Raises NotFound where there is no such contact."""
    _check_other(user_id, other)
    removed: list[Contact] = []

    def decide(pair: Pair) -> tuple[Contact | None, Contact | None]:
        if pair.mine is None:
            raise NotFound("There is no such contact")
        removed.append(pair.mine)
        return None, None

    _change(user_id, other, decide, stores=stores, services=services, context=context)
    return removed[-1]


def drop_contact(user_id: str, other: str, *, stores: Stores, services: Services, context: Context) -> None:
    """Take a contact off one side: the other one is erased. Idempotent."""

    def decide(pair: Pair) -> tuple[Contact | None, Contact | None] | None:
        return None if pair.mine is None else (None, pair.theirs)

    _change(user_id, other, decide, stores=stores, services=services, context=context)


def block_user(user_id: str, other: str, *, stores: Stores, services: Services, context: Context) -> bool:
    """Refuse the other's private messages from now on. Idempotent. Raises BadRequest, Conflict (too many).

    Returns whether this may end that the two see each other: not where the other blocked the user before.
    """
    _check_other(user_id, other)

    def decide() -> tuple[None, Owning | None]:
        existing = stores.blocks.of(user_id)
        if other in existing:
            return None, None
        if len(existing) >= MAX_BLOCKS:
            raise Conflict(f"A user blocks at most {MAX_BLOCKS:,} others")
        note, now = own_change("block", user_id=other, blocked=True), context.now()
        return None, Owning({user_id: note}, lambda notes: stores.blocks.put(user_id, other, now=now, notes=notes))

    is_first = not stores.blocks.blocking([other], user_id)
    change_own([user_id], decide, stores=stores, services=services, context=context)
    return is_first


def unblock_user(user_id: str, other: str, *, stores: Stores, services: Services, context: Context) -> None:
    """Take it back. Idempotent. Takes any id, since the first version took any."""

    def decide() -> tuple[None, Owning | None]:
        if user_id not in stores.blocks.blocking([user_id], other):
            return None, None
        note = own_change("block", user_id=other, blocked=False)
        return None, Owning({user_id: note}, lambda notes: stores.blocks.remove(user_id, other, notes=notes))

    change_own([user_id], decide, stores=stores, services=services, context=context)


def _accepted(pair: Pair, user_id: str, other: str, now: int) -> tuple[Contact, Contact]:
    mine = pair.mine or Contact(other, ACCEPTED, now)
    theirs = pair.theirs or Contact(user_id, ACCEPTED, now)
    return replace(mine, status=ACCEPTED, since=now), replace(theirs, status=ACCEPTED, since=now)


def _change(
    user_id: str,
    other: str,
    decide: Callable[[Pair], tuple[Contact | None, Contact | None] | None],
    *,
    stores: Stores,
    services: Services,
    context: Context,
) -> tuple[Contact | None, bool]:
    """Decide on both sides, and store them if no other change was quicker. Returns my side, and if it is new.

    Each of the two has their own side noted where it has changed.
    """

    def attempt() -> tuple[tuple[Contact | None, bool], Owning | None]:
        pair = stores.contacts.pair(user_id, other)
        sides = decide(pair)
        if sides is None:
            return (pair.mine, False), None
        mine, theirs = sides
        changed = {user_id: (other, pair.mine, mine), other: (user_id, pair.theirs, theirs)}
        notes = {owner: _noted(about, becomes) for owner, (about, was, becomes) in changed.items() if was != becomes}

        def store(entries: Sequence[Entry]) -> bool:
            return stores.contacts.change(user_id, other, was=pair, mine=mine, theirs=theirs, notes=entries)

        return (mine, pair.mine is None), Owning(notes, store)

    return change_own([user_id, other], attempt, stores=stores, services=services, context=context)


def _noted(other: str, contact: Contact | None) -> OwnChanged:
    """A contact as its owner's log has it; `contact` None where it is none any more."""
    return own_change("contact", user_id=other, contact=None if contact is None else asdict(contact))


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
    if avatar is not None and (len(avatar) > MAX_AVATAR_URL or not _AVATAR.fullmatch(avatar)):
        raise BadRequest(f"An avatar is an https URL of at most {MAX_AVATAR_URL:,} characters")
    if quiet is None:
        return
    if not (_TIME.fullmatch(quiet.start) and _TIME.fullmatch(quiet.end)):
        raise BadRequest("Quiet hours start and end at times like 22:00")
    if not _is_time_zone(quiet.time_zone):
        raise BadRequest("Quiet hours need a time zone like Europe/Berlin")


def update_profile(
    user_id: str, changes: Mapping[str, Any], *, stores: Stores, services: Services, context: Context
) -> Profile:
    """Change the named fields in one update; None clears. Raises what `check_profile` raises."""
    check_changes(user_id, changes, stores=stores)
    given = {name: getattr(Profile(), name) if value is None else value for name, value in changes.items()}

    def decide() -> tuple[Profile, Owning | None]:
        was = stores.profiles.get(user_id)
        becomes = replace(was, **given)
        if becomes == was:
            return was, None
        note = profile_note({name: one for name, one in given.items() if one != getattr(was, name)})
        return becomes, Owning({user_id: note}, lambda notes: stores.profiles.update(user_id, changes, notes=notes))

    return change_own([user_id], decide, stores=stores, services=services, context=context)


def profile_note(changed: Mapping[str, Any]) -> OwnChanged:
    """What has changed of a profile, by name, as its user's log has it: like the profile itself, `push` within it."""
    shown = {name: asdict(one) if isinstance(one, QuietHours) else one for name, one in changed.items()}
    push = {name: shown.pop(name) for name in ("previews", "quiet_hours") if name in shown}
    return own_change("profile", **shown, **({"push": push} if push else {}))


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
