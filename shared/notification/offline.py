"""What the stream side does for each stored entry: shards for a large group, pushes for those who aren't there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.chat.fan_out import shards
from shared.chat.identifiers import is_group_id, private_members
from shared.chat.ports import Memberships
from shared.connection.models import live
from shared.connection.ports import Sessions
from shared.errors import Unavailable
from shared.notification.models import Push, StoredEntry
from shared.notification.ports import PushGateway, ShardQueue


@dataclass(frozen=True, slots=True)
class Looked:
    """How many pushes and shards were made, and the index of the entry that has to be tried again (None: none)."""

    pushes: int
    shards: int
    failed_at: int | None


def look_at_stored(
    entries: Sequence[StoredEntry],
    *,
    memberships: Memberships,
    sessions: Sessions,
    push_gateway: PushGateway,
    shard_queue: ShardQueue,
    now: int,
) -> Looked:
    """Look at each entry, in order. Stops at the first that fails for the moment: a retry from there repeats nothing.

    A message is pushed to every other member without a live connection. One query for each group among the entries, and
    one strongly consistent read for the sessions of each 100 members; nothing is written.
    """
    members = _members(entries, memberships)
    small = [entry for entry in entries if entry.is_message and not entry.fan_out]
    wanted = {user for entry in small for user in members[entry.conversation_id] if user != entry.sender_id}
    known = sessions.of(wanted) if wanted else {}
    pushes = queued = 0
    for index, entry in enumerate(entries):
        there = members[entry.conversation_id]
        try:
            if entry.fan_out:
                found = shards(entry.conversation_id, entry.seq, there)
                shard_queue.put(found)
                queued += len(found)
            elif entry.is_message:
                absent = [user for user in there if user != entry.sender_id and not live(known.get(user, ()), now)]
                pushes += push_to(absent, entry, push_gateway)
        except Unavailable:
            return Looked(pushes, queued, index)
    return Looked(pushes, queued, None)


def push_to(users: Sequence[str], entry: StoredEntry, push_gateway: PushGateway) -> int:
    """Push one message to these users. Raises Unavailable at the first push that should be tried again."""
    for user_id in users:
        push_gateway.push(Push(user_id, entry))
    return len(users)


def _members(entries: Sequence[StoredEntry], memberships: Memberships) -> dict[str, tuple[str, ...]]:
    """Who is in each of the conversations now. Nobody, for an id that is no conversation's."""
    members: dict[str, tuple[str, ...]] = {}
    for conversation_id in dict.fromkeys(entry.conversation_id for entry in entries):
        roster = memberships.roster(conversation_id) if is_group_id(conversation_id) else None
        members[conversation_id] = tuple(roster.seats) if roster else private_members(conversation_id) or ()
    return members
