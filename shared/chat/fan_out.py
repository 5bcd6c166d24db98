"""Delivering into large groups: in shards of members, each on its own, at a bounded rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.chat.delivery import Delivered, Posting, post
from shared.chat.models import Entry
from shared.connection.models import live

# As many as one BatchGetItem reads the sessions of.
SHARD_SIZE: Final = 100
# A shard posts in this many portions a second.
_PORTIONS: Final = 10


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a group's members, and the entry that they should see."""

    conversation_id: str
    seq: int
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShardDelivered:
    """`absent` are the members of the shard without a live connection."""

    delivered: Sequence[Delivered]
    absent: tuple[str, ...]


def shards(conversation_id: str, seq: int, members: Sequence[str]) -> list[Shard]:
    """The group's members in shards, always cut alike."""
    ordered = sorted(members)
    portions = (ordered[start : start + SHARD_SIZE] for start in range(0, len(ordered), SHARD_SIZE))
    return [Shard(conversation_id, seq, tuple(portion)) for portion in portions]


def deliver(
    entry: Entry,
    users: Sequence[str],
    *,
    rate: int,
    posting: Posting,
    now: Callable[[], int],
    pause_ms: Callable[[int], None],
) -> ShardDelivered:
    """Post an entry to every live connection of these members, at most `rate` posts a second.

    Posts of a shard that is delivered twice come twice; receivers tell by the `seq`.
    """
    known = posting.sessions.of(users)
    present = {user: connections for user, found in known.items() if (connections := live(found, now()))}
    waiting = [connection for connections in present.values() for connection in connections]
    portion = max(1, rate // _PORTIONS)
    delivered = []
    for start in range(0, len(waiting), portion):
        began = now()
        targets = waiting[start : start + portion]
        delivered.append(post(entry, targets, posting=posting, now=began))
        is_last = start + portion >= len(waiting)
        rest_ms = round(1_000 * len(targets) / rate) - (now() - began)
        if not is_last and rest_ms > 0:
            pause_ms(rest_ms)
    return ShardDelivered(delivered, tuple(user for user in users if user not in present))
