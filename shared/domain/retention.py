"""How long messages are kept: a deployment sets so many days for each kind of conversation, or none: then for good.

A conversation may have a rule of its own, which its entries carry from one to the next (`Entry.keep_days`).

An entry ends that long after its time; from then on it is as if it were not there, whether its row still is or not.
Along a log the times from which that counts never fall. So what has ended is always a log's beginning, and who holds an
entry that has not ended misses nothing behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.clock import DAY_MS, SECOND_MS
from shared.domain.changes import Edited
from shared.domain.entries import NOTHING_SAID, Entry, unsaid
from shared.domain.text import has_roles, is_channel_id, private_members


@dataclass(frozen=True, slots=True)
class Retention:
    """Days for each kind of conversation; 0: for good."""

    private_days: int = 0
    group_days: int = 0
    channel_days: int = 0

    def days(self, conversation_id: str) -> int:
        """0 also for users' own logs, which are no conversations."""
        if is_channel_id(conversation_id):
            return self.channel_days
        if has_roles(conversation_id):
            return self.group_days
        return self.private_days if private_members(conversation_id) is not None else 0

    def days_of(self, entry: Entry) -> int:
        """By the conversation's own rule, or else its kind's. 0: for good."""
        return entry.keep_days or self.days(entry.conversation_id)

    def ends_at(self, entry: Entry) -> int | None:
        """When the entry ends (ms); None: never."""
        days = self.days_of(entry)
        return entry.kept_since + days * DAY_MS if days else None


@dataclass(frozen=True, slots=True)
class Trimming:
    """A deployment's retention, and its clock."""

    retention: Retention
    now: Callable[[], int]

    def applies_to(self, conversation_id: str) -> bool:
        return self.retention.days(conversation_id) > 0

    def seen(self, entry: Entry, ended_at_s: int | None) -> Entry:
        """The entry, or what is left of one that has ended. `ended_at_s` is the end that was noted at it (s)."""
        ends_at = self.retention.ends_at(entry)
        if ended_at_s is not None:  # it stands: what was said to end may have gone already
            ends_at = min(ended_at_s * SECOND_MS, ends_at or ended_at_s * SECOND_MS)
        if ends_at is not None and ends_at <= self.now():
            return trimmed(entry, ends_at)
        change, days = entry.change, self.retention.days_of(entry)
        if isinstance(change, Edited) and days and (change.since or self.now()) + days * DAY_MS <= self.now():
            return replace(entry, change=replace(change, content=None, data=None))  # the message has ended before it
        return entry

    def has_trimmed(self, conversation_id: str, stored_at: int) -> bool:
        """Whether an entry of then (ms) that is not there is one that has ended."""
        days = self.retention.days(conversation_id)
        return days > 0 and stored_at + days * DAY_MS <= self.now()

    def gone(self, place: tuple[str, int], sender_id: str, client_message_id: str, stored_at: int) -> Entry:
        """What is known of a message whose row is gone."""
        conversation_id, seq = place
        entry = Entry(
            conversation_id, seq, sender_id, stored_at, 0, client_message_id=client_message_id, message_seq=seq
        )
        return trimmed(entry, self.now())


def for_good(now: Callable[[], int]) -> Trimming:
    """Of a deployment that sets no days: conversations may have some of their own."""
    return Trimming(Retention(), now)


def trimmed(entry: Entry, ends_at: int) -> Entry:
    """The place of an entry that has ended: what others are told apart by, and counted with. Of it nothing is shown."""
    return unsaid(
        entry,
        deleted_at=entry.deleted_at or ends_at,
        pinned_at=None,
        reactions=frozenset(),
        digest="",
        shadow=None if entry.shadow is None else NOTHING_SAID,
        is_trimmed=True,
    )
