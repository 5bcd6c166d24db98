"""Channels: conversations that few write and very many read. No row is written for all of their readers.

What grows with the readers (who they are, which of their connections are there) lies in PARTS parts, each of which
takes what one partition of a table does. Those who write have seats, as a group's members do, and are few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import Conflict

# As many partitions as take 16,000 joins or handshakes a second, and list 100,000 members in 700 KB each.
PARTS: Final = 16
# Owners and admins together: as many as a send may read, where their roster is not known.
MAX_WRITERS: Final = 100
# Rows of one part that the size of the channel is told from when somebody joins: one in twenty off, as a rule.
JOINING_SAMPLE: Final = 400
# The same where all parts are asked: exact as long as none has more.
COUNTING_SAMPLE: Final = 50
_DIGITS: Final = 7
_PLACES: Final = 16**_DIGITS


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member of a channel as its list has them. What comes next is asked for behind `place`.

    That begins with seven hexadecimal digits which spread members evenly, in no order that anybody could choose.
    """

    user_id: str
    joined_at: int
    place: str


def estimated(first: Sequence[ListedMember], *, limit: int) -> int:
    """How many members a part has, given its first ones, `limit` at most.

    Fewer than that are all. Otherwise the last of them tells how close they stand: places are spread evenly, so that
    `limit` of them are off by one part in the square root of `limit`, as a rule.
    """
    if len(first) < limit:
        return len(first)
    last = int(first[-1].place[:_DIGITS], 16) + 1
    return round((limit - 1) * _PLACES / last)


def check_readers(estimate: int, *, limit: int) -> None:
    """Raises Conflict for a channel that is full, as far as one can tell without counting."""
    if estimate >= limit:
        raise Conflict(f"A channel has at most {limit:,} members")


def check_writers(count: int) -> None:
    """Raises Conflict for one more than may write."""
    if count > MAX_WRITERS:
        raise Conflict(f"A channel has at most {MAX_WRITERS} owners and admins")
