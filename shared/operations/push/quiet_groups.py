"""Groups with so many members that a message is not worth a push to each of them: mentions are, and a digest.

The first message that is told by none has one put into a queue, for some minutes later; it pushes the latest message
there is then to those who are away or have not got it. What is written until then goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.clock import SECOND_MS
from shared.domain.connections import live
from shared.domain.entries import Entry
from shared.domain.fan_out import Shard, StoredEntry, attended_shards, shards
from shared.domain.notifications import AboutMessage, Digest
from shared.domain.rules import Audience
from shared.operations.context import Context
from shared.ports.services import PushServices
from shared.ports.stores import PushStores, Stores

# So much earlier does the next digest begin, by the clock of another instance: rather one more than one too few.
_SKEW_MS: Final = 10_000
_TAIL: Final = 25


@dataclass(frozen=True, slots=True)
class Attended:
    """A large group's shards, and those of its listed members who are away, without the sender."""

    shards: Sequence[Shard]
    absent: list[str]


def attended(entry: StoredEntry, audience: Audience, *, stores: Stores, context: Context) -> Attended:
    """Shards of an entry in a large group: of the attendees, and of the members who are not listed. One query.

    The roster was read before: of who is listed there each connection is found, or its client has yet to sync. Rows of
    who is no member any more are passed over.
    """
    quiet, now = is_quiet_group(audience, context), context.now()
    listed = {user: None for user in audience.members if user not in audience.unlisted}
    rows = stores.attendance.of(entry.conversation_id) if listed else ()
    there = [one for one in live(rows, now) if one.user_id in listed]
    present = {one.user_id for one in there}
    place = entry.conversation_id, entry.seq
    found = attended_shards(*place, there, queued_at=now, quiet=quiet)
    found += shards(*place, audience.unlisted & audience.roles.keys(), queued_at=now, quiet=quiet)
    if audience.begins:
        found = [_with_begins(shard, audience.begins) for shard in found]
    return Attended(found, [user for user in listed if user not in present and user != entry.sender_id])


def _with_begins(shard: Shard, begins: Mapping[str, int]) -> Shard:
    return replace(shard, begins=tuple((user, begins[user]) for user in shard.users if user in begins))


def is_quiet_group(audience: Audience, context: Context) -> bool:
    """Whether only mentions are pushed at once there."""
    return audience.group is not None and 0 < context.limits.digest_limit < len(audience)


def schedule_digest(entry: StoredEntry, *, stores: PushStores, services: PushServices, context: Context) -> None:
    """Have the group's absent members pushed to later, if no earlier message has: one write. Raises Unavailable."""
    now, delay_s = context.now(), context.limits.digest_s
    until = now + delay_s * SECOND_MS - _SKEW_MS
    if stores.claims.claim_digest(entry.conversation_id, entry.seq, until=until, now=now):
        about = AboutMessage(entry.conversation_id, entry.seq)
        services.delivery_checks.put([Digest(about)], delay_s=delay_s)


def digest_targets(digest: Digest, *, stores: Stores, context: Context) -> tuple[AboutMessage, list[str]] | None:
    """The message to push, and the members who are away or have not got it; None where there is none any more.

    Three calls, and one for each 100 members who are there.
    """
    conversation_id = digest.about.conversation_id
    entry = _latest(conversation_id, digest.about.seq, stores)
    roster = stores.memberships.roster(conversation_id)
    if entry is None or roster is None:
        return None
    there = {one.user_id for one in live(stores.attendance.of(conversation_id), context.now())} & roster.seats.keys()
    standing = stores.memberships.among(conversation_id, there, consistent=False) if there else {}
    have = {user for user, member in standing.items() if member.has_got >= entry.seq}
    return AboutMessage(conversation_id, entry.seq), sorted(roster.seats.keys() - have - {entry.sender_id})


def _latest(conversation_id: str, first: int, stores: Stores) -> Entry | None:
    """The latest message from `first` on, of those that are not deleted."""
    tail = stores.log.read_back(conversation_id, limit=_TAIL)
    found = next((entry for entry in tail if entry.is_readable and entry.seq >= first), None)
    if found is None and tail:
        places = {(conversation_id, seq) for seq in (tail[0].message_seq, first)}
        older = sorted(stores.log.fetch(places).values(), key=lambda entry: -entry.seq)
        found = next((entry for entry in older if entry.is_readable and entry.seq >= first), None)
    return found
