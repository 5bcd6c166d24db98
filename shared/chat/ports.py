"""What the chat core asks of storage. Adapters and fakes keep to the same contract suite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from shared.chat.models import Entry, Lookup, Member

T = TypeVar("T")
R = TypeVar("R")


class Spread(Protocol):
    """Runs one function over many items, perhaps in parallel. The wiring decides how wide."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
        """The results, in the order of the items. The first exception is raised."""
        ...


class ConversationLog(Protocol):
    """A conversation's log: entries 1, 2, 3 … without a gap, each written once and for good."""

    def put(self, entry: Entry, *, new_members: Sequence[str] = ()) -> Entry | None:
        """Store `entry` if its place is free: one conditional write.

        Returns None once it is durable, or the entry that holds the place. The latter may be the caller's own, of an
        attempt whose answer was lost on the way: compare `nonce`. With `new_members` the entry and their memberships
        are stored together or not at all; memberships that exist stay as they are.
        """
        ...

    def lookup(
        self, conversation_id: str, *, seqs: Sequence[int], member_id: str | None = None, consistent: bool = False
    ) -> Lookup:
        """Read single entries, and one member, in one round trip. Unless `consistent`, a fresh one may be missed."""
        ...

    def read(self, conversation_id: str, *, start: int, limit: int) -> list[Entry]:
        """Entries `start`, `start + 1`, … in order, at most `limit`, strongly consistent."""
        ...

    def read_back(self, conversation_id: str, *, before: int | None = None, limit: int) -> list[Entry]:
        """Entries below `before` (None: from the head), newest first, at most `limit`, strongly consistent."""
        ...


class Memberships(Protocol):
    """Who is in which conversation, and how far they have read."""

    def of_user(self, user_id: str) -> list[Member]:
        """All of a user's conversations, strongly consistent: one that was just joined is there."""
        ...

    def get(self, conversation_id: str, user_id: str) -> Member | None:
        """One membership, strongly consistent."""
        ...

    def create(self, conversation_id: str, user_ids: Sequence[str], *, joined_at: int) -> bool:
        """Make these users members, all or none. False, and nothing changes, where the conversation exists."""
        ...

    def move_read(self, member: Member) -> bool:
        """Store the member's read cursor if it is ahead of the stored one. False: it was not, and nothing changed."""
        ...

    def move_delivered(self, member: Member) -> bool:
        """The same for the delivered cursor."""
        ...
