"""What the chat core asks of storage. Adapters and fakes keep to the same contract suite."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from shared.clock import DAY_MS
from shared.domain.entries import Entry
from shared.domain.members import Group, Member, Roster

if TYPE_CHECKING:
    from shared.domain.channels import ListedMember
    from shared.domain.packs import Claimed, Taken

Place = tuple[str, int]
"""A conversation and a seq."""
Seat = tuple[str, str]
"""A conversation and a user."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A message that is pinned, by whom, and since when (ms)."""

    conversation_id: str
    seq: int
    user_id: str
    pinned_at: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ending:
    """An entry that ends, and when (ms). `is_held`: its conversation is on legal hold, and no row of it goes."""

    entry: Entry
    at: int
    is_held: bool = False


FIRST: Final = 1
"""The first entry of a log."""
ROW_KEPT_MS: Final = DAY_MS
"""How long a row stays after its entry has ended: no clock is that far off, and no request goes on for that long."""
CLAIM_MS: Final = 300
"""As long as reading and writing a change take, and some to spare: then the holder of the right of way is gone."""


class ConversationLog(Protocol):
    """A conversation's log: entries 1, 2, 3 … without a gap, each written once and for good."""

    def put(
        self, entry: Entry, *, new_members: Sequence[str] = (), once: bool = False, imported: bool = False
    ) -> Entry | None:
        """Store `entry` if its place is free, together with what its change does: all of it or nothing.

        A message is one conditional write. Returns None once it is durable, or the entry that holds the place. The
        latter may be the caller's own, of an attempt whose answer was lost on the way: compare `nonce`. With
        `new_members` the entry and their memberships are stored together; memberships that exist stay as they are.

        With `once` a note of the message's sender and client_message_id is stored together with it, and kept for 90
        days. Where such a note is there already, nothing is stored, and the entry that it names is returned, whichever
        place that has: of several attempts, however far apart, one is stored.

        What is `imported` wakes nobody, and its note is kept for good.

        A message with a file is stored together with its reference to that. Raises NotFound, and nothing is stored,
        where its place is free and the file is not ready (any more); and where a channel's role is for no member.

        A change touches entries before its place only. Its effects carry no conditions of their own. Who read what
        the change rests on after reading the entry before this place, strongly, knows that nothing has changed since:
        every change takes a place.
        """

    def may_end(self, conversation_id: str) -> bool:
        """Whether its kind's entries are kept for a time only. Those that have ended, or are gone, are its beginning.

        Of a conversation with a rule of its own its entries tell (`Entry.keep_seq`), and its members' rows.
        What is read of one that has ended is its place (`Entry.is_trimmed`), as long as its row is there: the first and
        the last of a log stay.
        """

    def ending(self, conversation_id: str, seq: int) -> Ending | None:
        """An entry, as it is stored, and when it ends; None where that is settled, or never, or it is not there."""

    def settle_end(self, conversation_id: str, seq: int, *, at: int, goes_at: int | None) -> None:
        """Have an entry end then (ms), whatever is configured later, and its row go at `goes_at`, or later; None: not.

        It has to be followed by another: a log keeps its last entry. Its first stays, too, though it ends: behind
        nothing, no place is ever free. Idempotent: the first end counts.
        """

    def empty_hidden(self, conversation_id: str, seq: int) -> None:
        """Take away what a hidden message says. Idempotent; nothing where there is none."""

    def claim(self, conversation_id: str, seq: int, *, now: int) -> bool:
        """Ask for the right of way to a place, for CLAIM_MS, by one write. It is advice: what decides is the put."""

    def lookup(
        self,
        conversation_id: str,
        *,
        seqs: Sequence[int],
        member_id: str | None = None,
        block: tuple[str, str] | None = None,
        consistent: bool = False,
    ) -> Lookup:
        """One round trip; `block` is (blocker, blocked). Unless `consistent`, what is fresh may be missed."""

    def noted(self, conversation_id: str, sender_id: str, client_message_id: str) -> Entry | None:
        """The message that was put `once` with this sender and id, strongly consistent; None where there is no note."""

    def fetch(self, places: Collection[Place], *, consistent: bool = True) -> Mapping[Place, Entry]:
        """Entries of any conversations, 100 to a round trip. What is not there is left out.

        Unless `consistent`, for half the price: what is fresh may be missed, and fresh changes of what is there.
        """

    def glance(self, places: Collection[Place], seats: Collection[Seat]) -> Glance:
        """Entries and memberships of any conversations, 100 of both to a round trip, eventually consistent."""

    def read(self, conversation_id: str, *, start: int, limit: int) -> list[Entry]:
        """Entries `start`, `start + 1`, … in order, at most `limit`, strongly consistent."""

    def pins(self, conversation_id: str) -> list[Pin]:
        """The conversation's messages that are pinned, by their places, strongly consistent."""

    def read_back(self, conversation_id: str, *, before: int | None = None, limit: int) -> list[Entry]:
        """Entries below `before` (None: from the head), newest first, at most `limit`, strongly consistent."""


class Memberships(Protocol):
    """Who is in which conversation, and how far they have read. Everything is read strongly consistent."""

    def of_user(self, user_id: str) -> list[Member]:
        """All of a user's conversations: one that was just joined is there."""

    def listed(self, user_id: str, *, after: str, limit: int) -> list[Member]:
        """A user's conversations in the order of their ids, behind `after` ("": from the first), at most `limit`."""

    def of_user_in(self, user_id: str, conversation_ids: Collection[str]) -> Mapping[str, Member]:
        """The user's memberships in those of `conversation_ids` that they are in, 100 to a round trip."""

    def get(self, conversation_id: str, user_id: str) -> Member | None:
        """One membership."""

    def among(
        self, conversation_id: str, user_ids: Collection[str], *, consistent: bool = True
    ) -> Mapping[str, Member]:
        """The memberships of those of `user_ids` who are in the conversation, 100 to a round trip.

        Unless `consistent`, what is fresh may be missed, at half the price.
        """

    def roster(self, conversation_id: str) -> Roster | None:
        """A group and everyone in it, or a channel and those who write there, by one query; or None."""

    def groups(self, conversation_ids: Collection[str]) -> Mapping[str, Group]:
        """The groups' own items, 100 to a round trip."""

    def create(self, conversation_id: str, user_ids: Sequence[str], *, joined_at: int) -> bool:
        """Make these users members, all or none. False, and nothing changes, where the conversation exists."""

    def move_read(self, member: Member) -> bool:
        """Store the member's read cursor if it is ahead of the stored one. False: it was not, and nothing changed."""

    def move_delivered(self, member: Member) -> bool:
        """The same for the delivered cursor."""

    def take_turn(self, conversation_id: str, user_id: str, *, message: str, until: int, now: int) -> int:
        """Let the user write this message now and none before `until` (ms), by one conditional write.

        Returns 0, also for a message that was let through before, or how many ms are left of the wait.
        """

    def note_written(self, conversation_id: str, user_id: str, *, number: int) -> None:
        """Note the number of the member's last message, never backwards. Nothing for someone who is not a member."""

    def set_preferences(
        self, conversation_id: str, user_id: str, changes: Mapping[str, object], *, notes: Sequence[Entry] = ()
    ) -> bool:
        """Change some preferences, by name; None clears. `notes` are stored with it, all or nothing.

        False, and nothing changes, for someone who is not a member, and where the place of a note is taken.
        """

    def hide(self, conversation_id: str, user_id: str, *, seq: int, notes: Sequence[Entry] = ()) -> bool:
        """Note that the user hid the conversation when its head was `seq`. With `notes`, and False, as above.

        Never backwards: False, too, where it was hidden there or further on.
        """

    def show(self, conversation_id: str, user_id: str, *, notes: Sequence[Entry] = ()) -> bool:
        """Take that back. With `notes`, and False, as above."""


class Readers(Protocol):
    """The members of channels, as far as that is no affair of the log: two rows of their own each."""

    def join(self, conversation_id: str, user_id: str, *, joined_at: int, head: Entry) -> bool:
        """Make the user a plain member, who has read up to `head`. False, and nothing changes, for one who is one."""

    def leave(self, conversation_id: str, user_id: str) -> bool:
        """Make a plain member none. False, and nothing changes, for one who has a role, and for who is no member."""

    def listed(self, conversation_id: str, part: int, *, after: str = "", limit: int) -> list[ListedMember]:
        """Members of one part behind the place `after`, those with roles among them; what is fresh may be missed."""

    def around(self, conversation_id: str, user_id: str, *, limit: int) -> list[ListedMember]:
        """The first members of the part that the user is in, or would be; what is fresh may be missed."""


class Packs(Protocol):
    """How far each channel's connections have been told, and which entry has claimed the next pack: a row each."""

    def claim(self, conversation_id: str, seqs: Collection[int], *, now: int) -> Claimed | None:
        """Claim the channel's next pack for the last of these entries: one conditional write.

        None where an earlier claim covers them. The claim again where one of them has it, and it was not taken yet. One
        that was due a minute ago and was not taken counts for nothing.
        """

    def take(self, conversation_id: str, seq: int, *, now: int, next_at: int) -> Taken | None:
        """Begin with the pack that this entry has claimed: what is stored from now on claims the next, from `next_at`.

        None where there is a later claim. Taking it twice is like taking it once.
        """

    def note_posted(self, conversation_id: str, seq: int, *, next_at: int) -> None:
        """All up to here is on its way, and the next pack is due at `next_at` (ms). Never backwards."""

    def posted(self, conversation_id: str) -> int:
        """Up to where all is on its way, strongly consistent."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """What one round trip found: the entries that exist, the member if asked for, and whether the block is there."""

    entries: Mapping[int, Entry]
    member: Member | None = None
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Glance:
    """What was there of what was asked for, as of any copy: what is fresh may be missing."""

    entries: Mapping[Place, Entry]
    members: Mapping[Seat, Member]
