"""What is told to users who aren't there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.contacts import Profile
from shared.domain.devices import Device, Platform, PushTarget
from shared.domain.members import Group, Member
from shared.domain.notifications import About, AboutMessage, Notification


@dataclass(frozen=True, slots=True)
class Wording:
    """What a push says: keys of the app's texts, with `title_args`, or in their place `title` and `body`."""

    title_key: str | None
    title_args: tuple[str, ...] = ()
    title: str | None = None
    body_key: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """One push for one device, as any provider can send it.

    `push_id` is a UUID, the same whenever this message is pushed to this device. A push replaces what the device shows
    of the same `collapse_id` (64 bytes at most); devices show those of one `thread_id` together. `badge` is the number
    on the app's icon (None: leave it), `unread` that of this conversation. After `expires_at` (ms) it is of no use.

    `withdraws`: it says nothing, and shows nothing. The app takes off what was shown for the `collapse_id`, and the
    icon gets its number.
    """

    target: PushTarget
    push_id: str
    collapse_id: str
    thread_id: str
    badge: int | None
    unread: int
    wording: Wording
    data: Mapping[str, str]
    expires_at: int
    withdraws: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has taken it."""


@dataclass(frozen=True, slots=True)
class Unregistered:
    """The target is no more: as of `since` (ms), where the provider says so. A device that registered later stays."""

    reason: str
    since: int | None = None


@dataclass(frozen=True, slots=True)
class BadTarget:
    """The provider does not know the target. It may belong to its other environment, where there is one."""

    reason: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Not now: later, and not before `retry_after_ms` where the provider says so.

    `whole_provider`: nothing else will go through meanwhile, either; otherwise this one target has had too much.
    """

    reason: str
    retry_after_ms: int | None = None
    whole_provider: bool = True


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """The provider does not take our credentials, or not for this app: a person has to look. The target may be fine."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No provider will ever take this push: it is malformed, or too large. The target may be fine."""

    reason: str


PushResult = Sent | Unregistered | BadTarget | Busy | Misconfigured | Refused


@dataclass(frozen=True, slots=True)
class PushJob:
    """A user's devices on one platform are to be woken, or what they show is to be taken off (`withdraws`).

    Names only: what is said, and whether it still has to be, is decided when the job is carried out. `since` (ms) is
    when it became due. `tries` went before, all of them for `device_id` alone. `not_before` is in ms. Of a withdrawal
    `about` says of which conversation, or of which notification.
    """

    platform: Platform
    user_id: str
    about: About
    since: int
    tries: int = 0
    device_id: str | None = None
    not_before: int = 0
    withdraws: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a device shows of one conversation, or of a notification: the last that was pushed to it, at `about`.

    `claim` is the number under which it was pushed; `tries` to take it off were begun.
    """

    user_id: str
    device_id: str
    about: About
    claim: int
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """What has become of what a user's devices may show of one conversation, or of a notification: it is over.

    `through` is up to where; None: all of it. With `deleted` it is that one message alone. `mark` is what said that
    something was pushed, None where others may be.
    """

    user_id: str
    about: About
    through: int | None = None
    deleted: int | None = None
    mark: int | None = None

    def covers(self, pushed: Pushed) -> bool:
        """Whether what this device shows is to be taken off."""
        if not isinstance(pushed.about, AboutMessage):
            return True
        if self.deleted is not None:
            return pushed.about.seq == self.deleted
        return self.through is None or pushed.about.seq <= self.through


@dataclass(frozen=True, slots=True)
class PushContextKey:
    """Whose standing is asked for: a user's, towards a message of `sender_id` in a conversation.

    None both for what stands in no conversation.
    """

    user_id: str
    conversation_id: str | None = None
    sender_id: str | None = None


@dataclass(frozen=True, slots=True)
class PushContext:
    """All that decides about a push. `member` is None for who is not (any more) in the conversation."""

    member: Member | None
    profile: Profile
    blocks_sender: bool
    devices: Sequence[Device]


@dataclass(frozen=True, slots=True)
class PushContextBatch:
    """Everything that some pushes depend on, read at one moment. `profiles` are those of the senders."""

    push_contexts: Mapping[PushContextKey, PushContext]
    profiles: Mapping[str, Profile]
    groups: Mapping[str, Group]


@dataclass(frozen=True, slots=True)
class Standing:
    """All that tells what a user's devices should have shown: how far the user has come, and what they were pushed.

    `notifications` are those that are not acknowledged. `pushed` has the seq up to which a device was pushed to, by
    device and conversation, `told` the devices and notifications that were pushed.
    """

    user_id: str
    members: Sequence[Member]
    notifications: Sequence[Notification]
    profile: Profile
    devices: Sequence[Device]
    blocked: frozenset[str]
    pushed: Mapping[tuple[str, str], int]
    told: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SweepPart:
    """A part of the look at who missed a push, of what was stored from `since` to `until` (ms).

    `after` is the row that the part before it came to, None for the first.
    """

    since: int
    until: int
    after: tuple[str, str] | None = None
