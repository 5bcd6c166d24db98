"""Delivering into large groups: in shards of attendees or members, each on its own, at a bounded rate.

A shard that has waited for long is not posted if a later entry of the group is stored: that one's shards reach the same
members, whose clients see the gap, and sync. So a backlog costs each connection one post: of the last entry, always.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.domain.connections import Connection, Delivered, Session, live
from shared.domain.entries import Entry, Pack, as_seen_from, unseeing
from shared.domain.fan_out import Shard
from shared.domain.notifications import AboutMessage, Notification
from shared.domain.text import is_group_id, is_mentioned
from shared.operations.attendance import list_members
from shared.operations.context import Context
from shared.operations.delivery import post, report
from shared.operations.push.checks import schedule_checks
from shared.operations.push.enqueueing import enqueue_pushes
from shared.ports.services import PushServices
from shared.ports.stores import ChatStores, PresenceStores, SessionStores, Stores

# As long as a shard may wait until it is asked whether it is still of use. A client that syncs costs more than a few
# posts, so in the usual case, without a backlog, everything is posted.
STALE_MS: Final = 3_000
# So far may the clocks of two functions be apart.
_SKEW_MS: Final = 10_000
_MOST_KNOWN: Final = 1_000
# A shard posts in this many portions a second.
_PORTIONS: Final = 10
_NEVER: Final = Session()


class LaterEntries(OrderedDict[str, int]):
    """An instance's memory of entries behind those of shards: one look at the tail serves all shards up to there."""

    def note(self, entry: Entry) -> None:
        """There is this entry, and it has shards of its own."""
        self[entry.conversation_id] = max(entry.seq, self.get(entry.conversation_id, 0))
        self.move_to_end(entry.conversation_id)
        if len(self) > _MOST_KNOWN:
            self.popitem(last=False)

    def known_behind(self, shard: Shard) -> bool:
        """Whether one behind the shard's entry is known."""
        return self.get(shard.conversation_id, 0) > shard.seq


def deliver_shard(
    shard: Shard, *, later: LaterEntries, stores: Stores, services: PushServices, context: Context
) -> None:
    """Post the entry to the shard's live connections. Of a message, push to the others, and check on those later.

    Members whose sessions were read for it are listed, so that it is not needed for the next entry. A message whose
    posts a later entry has made useless is pushed all the same. Raises Unavailable.
    """
    place = shard.conversation_id, shard.seq
    entry = stores.log.fetch([place])[place]
    superseded = is_superseded(shard, later=later, stores=stores, now=context.now())
    if superseded:
        services.observer.count("ShardsSuperseded")
        if not entry.is_readable:
            return
    found = deliver(entry, shard, is_posted=not superseded, stores=stores, services=services, context=context)
    if entry.is_readable:
        about = AboutMessage(*place)
        others = [user for user in shard.users if user != entry.sender_id]
        present = [user for user in others if user not in found.absent]
        missing = [
            user for user in others if user in found.absent and (is_mentioned(user, entry.mentions) or not shard.quiet)
        ]
        enqueue_pushes({about: missing}, stores=stores, services=services, context=context)
        schedule_checks({about: present}, quiet={about} if shard.quiet else (), services=services, context=context)
    if found.listable:
        list_members(*place, found.listable, stores=stores, services=services, context=context)


def is_superseded(shard: Shard, *, later: LaterEntries, stores: ChatStores, now: int) -> bool:
    """Whether a later entry's posts will make the members of this shard sync, so that its own are of no use.

    That entry has to be left to shards, too: those reach all who are still members. No call for a shard that has not
    waited for long, or where a later entry is known; else one query.
    """
    if later.known_behind(shard):
        return True
    if shard.queued_at is None or now - shard.queued_at < STALE_MS:
        return False
    for tail in stores.log.read_back(shard.conversation_id, limit=1):
        if tail.fan_out:
            later.note(tail)
    return later.known_behind(shard)


def deliver(
    entry: Entry,
    shard: Shard,
    *,
    is_posted: bool = True,
    stores: PresenceStores,
    services: PushServices,
    context: Context,
) -> Found:
    """Post an entry to the shard's attendees, or its members' live connections, at most `fan_out_rate` posts a second.

    A shard that is delivered twice is posted twice; receivers tell by the `seq`. Unless `is_posted`, it only finds out
    who is away. An attendee that turns out to be gone is none any more.
    """
    found = _found(shard, stores=stores, now=context.now())
    waiting = [one for one in found.there if is_posted and not is_opened_since(one, shard.queued_at)]
    attending = None if shard.attendees is None else shard.conversation_id
    blind = unseeing(entry, dict(shard.begins))
    seeing = [one for one in waiting if one.user_id not in blind]
    post_paced(entry, seeing, attending=attending, stores=stores, services=services, context=context)
    if blind:
        hidden, others = as_seen_from(entry, max(blind.values())), [one for one in waiting if one.user_id in blind]
        post_paced(hidden, others, attending=attending, stores=stores, services=services, context=context)
    return found


def post_paced(
    event: Entry | Pack | Notification,
    connections: Sequence[Connection],
    *,
    attending: str | None,
    stores: PresenceStores,
    services: PushServices,
    context: Context,
) -> Sequence[Delivered]:
    """Post to all of these, at most `fan_out_rate` a second. Who attends `attending` and is gone does not any more."""
    now, rate = context.now, context.limits.fan_out_rate
    portion = max(1, rate // _PORTIONS)
    delivered = []
    for start in range(0, len(connections), portion):
        began = now()
        targets = connections[start : start + portion]
        delivered.append(post(event, targets, stores=stores, services=services, now=began))
        is_last = start + portion >= len(connections)
        rest_ms = round(1_000 * len(targets) / rate) - (now() - began)
        if not is_last and rest_ms > 0:
            context.wait_ms(rest_ms)
    for one in delivered:
        report(one, services=services)
        if attending is not None:
            for gone in one.forgotten:
                stores.attendance.leave(gone.connection_id, attending)
    return delivered


@dataclass(frozen=True, slots=True)
class Found:
    """The shard's live connections, its members without one, and the sessions of those who can be listed."""

    there: Sequence[Connection]
    absent: frozenset[str] = frozenset()
    listable: Mapping[str, Session] = field(default_factory=dict)


def _found(shard: Shard, *, stores: SessionStores, now: int) -> Found:
    if shard.attendees is not None:
        return Found(shard.connections(until=now + 1))
    known = stores.sessions.whole(shard.users)
    sessions = {user: known.get(user, _NEVER) for user in shard.users}
    present = {user: connections for user, one in sessions.items() if (connections := live(one.connections, now))}
    there = [connection for connections in present.values() for connection in connections]
    absent = frozenset(shard.users) - present.keys()
    return Found(there, absent, sessions if is_group_id(shard.conversation_id) else {})


def is_opened_since(connection: Connection, queued_at: int | None) -> bool:
    """Whether its client has synced, or is about to, and finds the entry there: it was stored before."""
    return queued_at is not None and connection.connected_at > queued_at + _SKEW_MS
