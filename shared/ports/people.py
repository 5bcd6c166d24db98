"""What contacts, blocks and profiles need from storage."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from shared.domain.contacts import Contact, Pair, Profile, Relation


class Contacts(Protocol):
    """Contacts stand under both users, each with their own side, and change together."""

    def of(self, user_id: str) -> Sequence[Contact]:
        """All contacts of a user, strongly consistent."""

    def pair(self, user_id: str, other: str) -> Pair:
        """Both sides, and whether `other` blocks the user, in one strongly consistent round trip."""

    def change(self, user_id: str, other: str, *, was: Pair, mine: Contact | None, theirs: Contact | None) -> bool:
        """Store both sides anew (None removes one), if both still are as in `was`. Else False, and nothing changes."""


class Blocks(Protocol):
    """Who does not want to hear from whom."""

    def put(self, user_id: str, blocked: str, *, now: int) -> None:
        """Idempotent."""

    def remove(self, user_id: str, blocked: str) -> None:
        """Idempotent."""

    def of(self, user_id: str) -> Sequence[str]:
        """Everyone whom the user blocks, strongly consistent."""

    def blocking(self, users: Collection[str], blocked: str) -> set[str]:
        """Those of `users` who block the user `blocked`, 100 to a strongly consistent round trip."""

    def refusing(self, users: Collection[str], by: str) -> set[str]:
        """Those of `users` who do not let `by` put them into groups. Strongly consistent, 50 to a round trip.

        They block `by`, or take groups from accepted contacts only and have none in `by`: where a profile says so, that
        takes one round trip more.
        """


class Relations(Protocol):
    """How a user stands to many others at once."""

    def between(self, user_id: str, others: Collection[str]) -> Mapping[str, Relation]:
        """One relation each, 25 to a strongly consistent round trip; more where a tail has to say that both wrote."""


class Profiles(Protocol):
    """What users say about themselves."""

    def get(self, user_id: str) -> Profile:
        """The profile, or an empty one."""

    def update(self, user_id: str, changes: Mapping[str, object]) -> Profile:
        """Change some fields, by name; None clears. Returns all. Different fields at once: none is lost."""
