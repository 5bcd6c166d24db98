"""Taking away what is stored of a user, and saying what is left: every table is walked through, and once more to tell.

Messages go as if their author had deleted them: by an entry of the log each, so that logs stay without a gap, every
client hears of it, and what was synced long ago is taken back. What stays is the place of each, with the user's id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from shared.domain.changes import (
    MEMBER,
    OWNER,
    Change,
    Reacted,
    Removed,
    RolesChanged,
    Updated,
    as_json,
    last_touched,
)
from shared.domain.entries import NOTHING_SAID, Entry, change_entry
from shared.domain.jobs import DONE, Job
from shared.domain.rules import Audience
from shared.domain.text import has_roles, is_channel_id, other_member, private_members
from shared.errors import Forbidden, NotAMember, NotFound, Unavailable
from shared.operations.changes import announce, change
from shared.operations.channels import remove_from_channel
from shared.operations.contacts import drop_contact, unblock_user
from shared.operations.context import MAX_ATTEMPTS, Context
from shared.operations.delivery import broadcast, report
from shared.operations.editing import deletion_of
from shared.operations.forgetting import forget_record
from shared.operations.holding import held_places, is_held
from shared.ports.jobs import CONTACT, LOG, MEMBERS, SESSIONS, Found, Listed, Page, TableName
from shared.ports.services import PushServices
from shared.ports.stores import PushStores

# What one step changes at most: some seconds' work.
_MAX_CHANGES: Final = 50
# How often it begins again where the last look finds what came meanwhile.
_MAX_ROUNDS: Final = 3
_LEAVING: Final = "leaving"
_LOOKING: Final = "looking at "
_WALKED: Final[tuple[TableName, ...]] = (LOG, MEMBERS, SESSIONS)
_PHASES: Final = (_LEAVING, *_WALKED, *(f"{_LOOKING}{table}" for table in _WALKED))
# Where something is left that should not be: what the last look finds of it, it takes away in another round.
UNDONE: Final = "undone"
HELD: Final = "held"


def erase_step(job: Job, *, stores: PushStores, services: PushServices, context: Context) -> Job:
    """One page of a table, or as much of it as can be changed in some seconds.

    Repeated it finds what was changed already as such, and goes on. Raises Unavailable.
    """
    if not job.phase:
        forget_record(job.user_id, stores=stores, services=services, context=context)
        return replace(job, phase=_LEAVING)
    phase = job.phase
    if phase == _LEAVING:
        groups = _leave_groups(job.user_id, stores, services, context)
        while stores.held.drop_of(job.user_id, limit=_MAX_CHANGES):  # with their places among those that wait
            pass
        return replace(job, phase=_PHASES[1], counts=job.with_counts(groups=groups))
    table: TableName = next(one for one in _WALKED if phase.endswith(one))
    page = stores.walks.page(table, job.user_id, after=job.after)
    if phase.startswith(_LOOKING):
        left: Counter[str] = Counter(job.left)
        held = held_places(page, stores)
        left.update(_place_or_hold(one, job.user_id, held, stores) for one in page.found)
        looked = replace(job, left=dict(left), counts=job.with_counts(rows=page.looked_at))
        return _next(looked, phase, page)
    eraser = _Eraser(job.user_id, stores, services, context)
    is_whole = eraser.erase(page)
    worked = replace(job, counts=job.with_counts(rows=page.looked_at, **eraser.done))
    return _next(worked, phase, page) if is_whole else worked


def _next(job: Job, phase: str, page: Page) -> Job:
    """On the same table, on the next one, or at the end: done, or once more where something has come meanwhile."""
    if page.after is not None:
        return replace(job, phase=phase, after=page.after)
    if phase != _PHASES[-1]:
        return replace(job, phase=_PHASES[_PHASES.index(phase) + 1], after=None)
    counts = job.with_counts(rounds=1)
    if UNDONE in job.left and counts["rounds"] < _MAX_ROUNDS:
        return replace(job, phase=_PHASES[0], after=None, counts=counts, left={})
    return replace(job, status=DONE, phase="", after=None, counts=counts)


class _Eraser:
    """Takes away what a page has of a user, up to so many changes, and counts them in `done`."""

    def __init__(self, user_id: str, stores: PushStores, services: PushServices, context: Context) -> None:
        self._user_id = user_id
        self._stores, self._services, self._context = stores, services, context
        self.done: Counter[str] = Counter()

    def erase(self, page: Page) -> bool:
        """False where something is left of the page: it is to be read again."""
        held = held_places(page, self._stores)
        for one in page.found:
            if self.done.total() >= _MAX_CHANGES:
                return False
            if is_held(one, held, self._stores):
                continue
            if one.entry is not None and one.entry.is_trimmed:
                self.done["messages"] += self._stores.walks.empty_ended(one)
            elif one.entry is not None:
                self._on_entry(one, one.entry)
            else:
                self._on_row(one)
        return True

    def _on_entry(self, found: Found, entry: Entry) -> None:
        walks, user_id = self._stores.walks, self._user_id
        is_hidden = entry.shadow is not None and entry.sender_id == user_id
        if is_hidden and (entry.shadow != NOTHING_SAID or entry.client_message_id is not None):
            walks.empty_message(found)
            self.done["messages"] += 1
        described = _without(entry, user_id)
        if described is not None:
            if private_members(entry.conversation_id) is not None:
                self._append(entry, self._taken_off)
            walks.empty_description(found, described.said)
            self.done["descriptions"] += 1
        if not entry.is_message:
            return
        if entry.sender_id == user_id and (entry.is_readable or entry.client_message_id is not None):
            if entry.is_readable:
                self._append(entry, self._deletion)
            walks.empty_message(found)
            self.done["messages"] += 1
        for emoji, user in sorted(entry.reactions):
            if user == user_id and entry.sender_id != user_id:
                self._append(entry, partial(self._unreaction, emoji))
                self.done["reactions"] += 1
        if user_id in entry.mentions and entry.sender_id != user_id:
            walks.drop_mention(found, user_id)
            self.done["mentions"] += 1

    def _deletion(self, message: Entry) -> Change | None:
        return deletion_of(message) if message.is_readable else None

    def _taken_off(self, described: Entry) -> Change | None:
        """Nothing hangs on a private conversation any more where that is still what the user has hung on it."""
        change, place = described.change, described.conversation_id
        theirs = change.fields.get("data") if isinstance(change, Updated) else None
        other = self._stores.memberships.get(place, other_member(place, self._user_id) or "")
        if described.sender_id != self._user_id or theirs is None or other is None or other.about != theirs:
            return None
        return Updated(as_json({"data": None}))

    def _unreaction(self, emoji: str, message: Entry) -> Change | None:
        is_there = (emoji, self._user_id) in message.reactions
        return Reacted(message.seq, emoji, removed=True) if is_there else None

    def _append(self, message: Entry, change_of: Callable[[Entry], Change | None]) -> None:
        """Append the user's change to a message, whether or not they are a member still, and tell those who are.

        Tail first, message second, as every change has it. Raises Unavailable (too much contention).
        """
        place, log, context = message.conversation_id, self._stores.log, self._context
        nonce = context.new_nonce()
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                context.pause(attempt)
            (tail,) = log.read_back(place, limit=1)
            now = log.lookup(place, seqs=[message.seq], consistent=True).entries[message.seq]
            made = change_of(now)
            if made is None:
                return
            if last_touched(made) > tail.seq:
                continue
            entry = change_entry(
                made,
                base=tail,
                conversation_id=place,
                sender_id=self._user_id,
                created_at=context.now(),
                nonce=nonce,
                fan_out=has_roles(place),  # the stream side tells their members, however few
            )
            there = log.put(entry)
            if there is None or there.nonce == nonce:
                self._tell(entry)
                return
        raise Unavailable("This conversation is very busy: try again")

    def _tell(self, entry: Entry) -> None:
        """The other one of a private conversation. Who is not told finds it in their next sync."""
        to = private_members(entry.conversation_id) or ()
        stores, services, now = self._stores, self._services, self._context.now()
        delivered = broadcast(entry, to=to, skip="", stores=stores, services=services, now=now)
        report(delivered, services=services)

    def _on_row(self, found: Found) -> None:
        stores, objects = self._stores, self._services.objects
        if found.file_id is not None:
            objects.delete(found.file_id)
            objects.drop_upload(found.file_id)
            stores.walks.empty_file(found)
            self.done["files"] += 1
        elif found.table == SESSIONS and found.is_theirs:
            stores.walks.empty_session(found)
        elif found.is_theirs:
            if found.listing is not None:
                self._take_off(*found.listing)
            stores.walks.drop(found)
            self.done["removed"] += 1

    def _take_off(self, listed_as: Listed, owner: str) -> None:
        """Others' contacts and blocks go by an entry of the own log of each: their devices keep lists of them."""
        take_off = drop_contact if listed_as == CONTACT else unblock_user
        take_off(owner, self._user_id, stores=self._stores, services=self._services, context=self._context)


def _leave_groups(user_id: str, stores: PushStores, services: PushServices, context: Context) -> int:
    """Take the user out of all groups and channels, as if they had left. What can't be left so goes with its rows."""
    left = 0
    for member in stores.memberships.of_user(user_id):
        place = member.conversation_id
        if not has_roles(place):
            continue
        leave = _leave_channel if is_channel_id(place) else _leave_group
        leave(place, user_id, stores=stores, services=services, context=context)
        left += 1
    return left


def _leave_channel(place: str, user_id: str, *, stores: PushStores, services: PushServices, context: Context) -> None:
    try:
        remove_from_channel(place, user_id, by=user_id, stores=stores, services=services, context=context)
    except (NotAMember, NotFound):
        return
    except Forbidden:  # the last owner: to an admin it can go, to one of thousands of readers it can't
        _leave_group(place, user_id, stores=stores, services=services, context=context)


def _leave_group(place: str, user_id: str, *, stores: PushStores, services: PushServices, context: Context) -> None:
    """The last owner leaves it to the admin, or else the member, whose id comes first; a channel to an admin alone."""

    def hand_over(audience: Audience) -> Change | None:
        others = {user: role for user, role in audience.roles.items() if user != user_id}
        if not others or OWNER in others.values() or audience.roles.get(user_id) != OWNER:
            return None
        heir = min(others, key=lambda user: (others[user] == MEMBER, user))
        return RolesChanged({heir: OWNER})

    def leave(audience: Audience) -> Change | None:
        return Removed((user_id,), size=len(audience) - 1) if user_id in audience else None

    for decide in (hand_over, leave):
        try:
            changed = change(place, user_id=user_id, decide=decide, stores=stores, context=context)
        except NotAMember:
            return
        announce(changed, stores=stores, services=services, context=context)


# What a row of the members table is counted as: what it begins with says what it is.
_ROWS: Final = frozenset(
    {
        *("audit", "job", "hold", "sent", "conversation", "user", "pack", "digest", "turn", "file", "reports"),
        *("own_log", "broadcast", "invite", "pins", "shadows", "webhook"),
    }
)


def _place_or_hold(found: Found, user_id: str, held: set[str], stores: PushStores) -> str:
    """What was left since its conversation is on hold is no work that is undone."""
    place = _place(found, user_id)
    return HELD if place == UNDONE and is_held(found, held, stores) else place


def _place(found: Found, user_id: str) -> str:
    """What kind of trace this is. docs/protocol.md says of each why it is there."""
    entry = found.entry
    if found.table == SESSIONS and found.is_theirs:
        return "session"
    if found.is_theirs or found.file_id is not None:
        return UNDONE
    if entry is not None and not found.where:
        return _place_in_log(entry, user_id)
    return found.where if found.where in _ROWS else "other"


def _without(entry: Entry, user_id: str) -> Updated | None:
    """A description without what is the user's in it: None where nothing is."""
    if not isinstance(entry.change, Updated):
        return None
    is_private = private_members(entry.conversation_id) is not None
    return entry.change.without(user_id, data=is_private and entry.sender_id == user_id)


def _place_in_log(entry: Entry, user_id: str) -> str:
    is_theirs = entry.sender_id == user_id
    if (is_theirs and entry.is_readable) or _without(entry, user_id) is not None:
        return UNDONE
    if private_members(entry.conversation_id) is not None:
        return "private_conversation"
    if is_theirs:
        return "place"
    return "roster" if entry.is_notice else "writers"
