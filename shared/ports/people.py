"""What is stored of people beside their conversations: contacts, blocks, profiles, limits, devices, notifications."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from shared.domain.contacts import Contact, Pair, Profile, Relation
from shared.domain.devices import Device, PushTarget
from shared.domain.entries import Entry
from shared.domain.limits import Lease, Limit
from shared.domain.notifications import About, Notification, Reminder
from shared.domain.pushes import PushContextBatch, PushContextKey, Pushed, Settled, Standing
from shared.domain.users import User


class Contacts(Protocol):
    """Contacts stand under both users, each with their own side, and change together."""

    def of(self, user_id: str) -> Sequence[Contact]:
        """All contacts of a user, strongly consistent."""

    def pair(self, user_id: str, other: str) -> Pair:
        """Both sides, and whether `other` blocks the user, in one strongly consistent round trip."""

    def change(
        self,
        user_id: str,
        other: str,
        *,
        was: Pair,
        mine: Contact | None,
        theirs: Contact | None,
        notes: Sequence[Entry] = (),
    ) -> bool:
        """Store both sides anew (None removes one), if both still are as in `was`, and `notes` with them.

        Else, and where the place of a note is taken, False, and nothing changes.
        """


class Blocks(Protocol):
    """Who does not want to hear from whom."""

    def put(self, user_id: str, blocked: str, *, now: int, notes: Sequence[Entry] = ()) -> bool:
        """Idempotent. `notes` are stored with it; where the place of one is taken, False, and nothing changes."""

    def remove(self, user_id: str, blocked: str, *, notes: Sequence[Entry] = ()) -> bool:
        """Likewise."""

    def of(self, user_id: str) -> Sequence[str]:
        """Everyone whom the user blocks, strongly consistent."""

    def blocking(self, users: Collection[str], blocked: str) -> set[str]:
        """Those of `users` who block the user `blocked`, 100 to a strongly consistent round trip."""

    def refusing(self, users: Collection[str], by: str) -> set[str]:
        """Those of `users` who do not let `by` put them into groups. Strongly consistent, 50 to a round trip.

        They block `by`, or take groups from accepted contacts only (one round trip more) and have none in `by`.
        """


class Relations(Protocol):
    """How a user stands to many others at once."""

    def between(self, user_id: str, others: Collection[str]) -> Mapping[str, Relation]:
        """One relation each, 25 to a strongly consistent round trip; more where a tail has to say that both wrote."""


class Profiles(Protocol):
    """What users say about themselves."""

    def get(self, user_id: str) -> Profile:
        """The profile, or an empty one."""

    def update(self, user_id: str, changes: Mapping[str, object], *, notes: Sequence[Entry] = ()) -> bool:
        """Change some fields, by name; None clears. Different fields at once: none is lost.

        `notes` are stored with it; where the place of one is taken, False, and nothing changes.
        """


class Users(Protocol):
    """The directory. Name and avatar of a user are the profile's, too, and change with it."""

    def of(self, user_ids: Sequence[str]) -> Mapping[str, User]:
        """Each of these users, 50 to a strongly consistent round trip; one of version 0 has no record."""

    def versions(self, user_ids: Collection[str]) -> Mapping[str, int]:
        """The versions of the records that there are, 100 to an eventually consistent round trip."""

    def change(self, was: User, becomes: User | None, *, notes: Sequence[Entry] = ()) -> bool:
        """Store a user anew (None: without a record, name and avatar), and what they are listed under, all or nothing.

        False, and nothing changes, if the record is not what it was, or the place of one of `notes` is taken.
        """

    def listed(self, prefix: str, *, after: tuple[str, str] | None, limit: int) -> Sequence[tuple[str, str]]:
        """Terms with this folded prefix and the users listed under them, ascending, those behind `after`.

        Eventually consistent. Fewer than `limit` are the last.
        """


class Buckets(Protocol):
    """The shared bucket of each user."""

    def lease(self, user_id: str, tokens: int, *, limit: Limit, full_at: int, now: int) -> Lease:
        """Take tokens, all or none: one conditional write where `full_at` is as known (0: nothing), else two."""


class Devices(Protocol):
    """A user's devices, in one item. A target belongs to one device of one user at any time."""

    def of(self, user_ids: Collection[str]) -> Mapping[str, Sequence[Device]]:
        """The users' devices, 100 users to a strongly consistent round trip; users without any may be left out."""

    def register(self, user_id: str, device: Device, *, limit: int, notes: Sequence[Entry] = ()) -> bool:
        """Store the device, and take its target from any other: all or nothing. At `limit` the oldest goes.

        `notes` are stored with it; where the place of one is taken, False, and nothing changes.
        """

    def forget(self, user_id: str, device_id: str, *, notes: Sequence[Entry] = ()) -> bool:
        """Remove a device. Idempotent: False where it was not there. With `notes`, and False, as above."""

    def forget_unchanged(self, user_id: str, device: Device) -> bool:
        """Remove a device, if it still has this target, registered at this time. False, and nothing changes, if not."""

    def change_environment(self, user_id: str, device: Device, target: PushTarget) -> bool:
        """Store another environment for a device's token, if it is otherwise unchanged as above."""


class PushContexts(Protocol):
    """What decides about pushes, wherever it is stored."""

    def of(self, asked: Collection[PushContextKey]) -> PushContextBatch:
        """All of it, 100 items to a strongly consistent round trip: four for each asked, and the senders and groups."""


class Standings(Protocol):
    """How far users have come and what they were pushed, to tell what they missed. May lag by some seconds."""

    def with_devices(
        self, after: tuple[str, str] | None, *, limit: int
    ) -> tuple[Sequence[str], tuple[str, str] | None]:
        """Users with devices among the next `limit` rows of the table, and the last of these rows (None: the end)."""

    def of(self, user_id: str, *, now: int) -> Standing:
        """One query of all that stands in the user's rows; none of what has expired."""


class Claims(Protocol):
    """Who carries out which push: of several that try the same, one."""

    def claim(self, user_id: str, device_id: str, about: About, *, tries: int, now: int) -> bool:
        """Take one try of a push to one device. False where it was taken before.

        The first try (0) of a message can be taken if no message of its conversation as new as it was pushed to the
        device before; another, if the try before it was the last one taken. Raises BeingWithdrawn where it could be
        taken, if not the device were just told to show nothing of the conversation (`Shown.take`).
        """

    def claim_digest(self, conversation_id: str, seq: int, *, until: int, now: int) -> bool:
        """Be the message that has the next digest of a large group pushed, `until` when (ms) all others go with it.

        False where another one is that already. Who asks again for the same message is told the same.
        """


class BeingWithdrawn(Exception):
    """A push has to wait: what the device shows of the conversation is being taken off, and that must not take it."""


class Shown(Protocol):
    """What devices show because it was pushed, and who takes it off."""

    def note(self, user_id: str, about: About) -> bool:
        """Say at the user's own row that this was pushed: whatever changes there has it looked at.

        False, and nothing is noted, where it is not to be shown any more: it was read or acknowledged, or the user is
        no member.
        """

    def of(self, asked: Collection[Pushed]) -> Sequence[Pushed]:
        """What these devices were pushed last, strongly consistent, 100 to a round trip.

        Asked with any claim, and of a message any seq. Devices that were pushed nothing are left out.
        """

    def noted(self, conversation_id: str, user_ids: Collection[str]) -> Sequence[str]:
        """Those of these members to whom something of it was pushed, as `note` said. Strongly consistent."""

    def take(self, pushed: Pushed, *, tries: int, now: int) -> bool:
        """Begin one try to take this off its device. False where it was begun before, or where a newer one is shown.

        Until `release`, or for some seconds, nothing newer of the conversation is pushed to the device.
        """

    def release(self, pushed: Pushed) -> None:
        """The try has come to its end. Idempotent."""

    def forget(self, settled: Settled) -> None:
        """Of what was noted nothing is shown any more, if nothing was noted since. Idempotent."""


class Notifications(Protocol):
    """What users have been told outside of conversations, until they acknowledge it. Expired ones are left out."""

    def put(self, notifications: Sequence[Notification]) -> None:
        """Keep them; one that is there already stays as it is. Raises Unavailable where some may not be stored."""

    def of(self, user_id: str, *, now: int) -> Sequence[Notification]:
        """All that a user has not acknowledged, oldest first, strongly consistent."""

    def among(self, keys: Collection[tuple[str, str]], *, now: int) -> Mapping[tuple[str, str], Notification]:
        """Those of these (user, notification id) that are not acknowledged, 100 to a strongly consistent round trip."""

    def acknowledge(self, user_id: str, notification_id: str) -> None:
        """Forget what it says, and tell it no more: putting it again does not bring it back. Idempotent."""


class Reminders(Protocol):
    """What members want to be reminded of."""

    def put(self, reminder: Reminder) -> None:
        """Idempotent."""

    def get(self, user_id: str, reminder_id: str) -> Reminder | None: ...

    def of(self, user_id: str) -> Sequence[Reminder]:
        """All of a user's, the next one first, strongly consistent."""

    def remove(self, user_id: str, reminder_id: str) -> None:
        """Idempotent."""
