"""What the stream side does for each stored entry: shards for a large group, and waking those who aren't there.

Nothing here waits for a provider: whoever has to be woken is put on a queue. Doing it twice is harmless, since a push
is claimed before it is sent and clients tell a repeated post by its seq; so whatever fails is tried again as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from shared.chat.fan_out import shards
from shared.chat.identifiers import is_group_id, private_members
from shared.chat.ports import Memberships
from shared.connection.models import live
from shared.connection.ports import Sessions
from shared.notification.models import About, AboutMessage, Look, PushJob, StoredEntry
from shared.notification.ports import Devices, LookQueue, PushQueue, ShardQueue


@dataclass(frozen=True, slots=True)
class Waking:
    """What it takes to wake people: where their devices stand, and the queues. `second_look_s` is the looks' delay."""

    devices: Devices
    pushes: PushQueue
    looks: LookQueue
    second_look_s: int


@dataclass(frozen=True, slots=True)
class Looked:
    """How many pushes, second looks and shards were queued."""

    pushes: int = 0
    looks: int = 0
    shards: int = 0


def look_at_stored(
    entries: Sequence[StoredEntry],
    *,
    memberships: Memberships,
    sessions: Sessions,
    waking: Waking,
    shard_queue: ShardQueue,
    now: int,
) -> Looked:
    """Look at each entry of a batch.

    For a message, every other member without a live connection is woken, and the others are looked at again some
    seconds later. One query for each group among the entries, one strongly consistent read for the sessions of each 100
    members, and one for the devices of each 100 who are absent; nothing is written. Raises Unavailable.
    """
    members = _members(entries, memberships)
    others: dict[About, list[str]] = {
        AboutMessage(entry.conversation_id, entry.seq): [
            user for user in members[entry.conversation_id] if user != entry.sender_id
        ]
        for entry in entries
        if entry.is_message and not entry.fan_out
    }
    wanted = {user for users in others.values() for user in users}
    known = sessions.of(wanted) if wanted else {}
    present = {user for user, connections in known.items() if live(connections, now)}
    absent = {about: [user for user in users if user not in present] for about, users in others.items()}
    pushes = wake(absent, waking=waking, now=now)
    looks = look_later(
        {about: [user for user in users if user in present] for about, users in others.items()}, waking=waking
    )
    found = [
        shard
        for entry in entries
        if entry.fan_out
        for shard in shards(entry.conversation_id, entry.seq, members[entry.conversation_id])
    ]
    if found:
        shard_queue.put(found)
    return Looked(pushes, looks, len(found))


def wake(absent: Mapping[About, Sequence[str]], *, waking: Waking, now: int) -> int:
    """Have these users' devices pushed to, whoever has one. Returns how many pushes were queued. Raises Unavailable."""
    users = {user for users in absent.values() for user in users}
    if not users:
        return 0
    devices = waking.devices.of(users)
    platforms = {user: sorted({device.target.platform for device in found}) for user, found in devices.items()}
    jobs = [
        PushJob(platform, user, about, since=now)
        for about, users in absent.items()
        for user in users
        for platform in platforms.get(user, ())
    ]
    if jobs:
        waking.pushes.put(jobs)
    return len(jobs)


def look_later(present: Mapping[About, Collection[str]], *, waking: Waking) -> int:
    """Have these users looked at again: have they got it by then? Returns how many looks were queued."""
    looks = [Look(about, tuple(users)) for about, users in present.items() if users]
    if looks:
        waking.looks.put(looks, delay_s=waking.second_look_s)
    return len(looks)


def _members(entries: Sequence[StoredEntry], memberships: Memberships) -> dict[str, tuple[str, ...]]:
    """Who is in each of the conversations now. Nobody, for an id that is no conversation's."""
    members: dict[str, tuple[str, ...]] = {}
    for conversation_id in dict.fromkeys(entry.conversation_id for entry in entries):
        roster = memberships.roster(conversation_id) if is_group_id(conversation_id) else None
        members[conversation_id] = tuple(roster.seats) if roster else private_members(conversation_id) or ()
    return members
