"""What is told to people who aren't there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Platform = Literal["fcm", "apns"]
FCM: Final[Platform] = "fcm"
APNS: Final[Platform] = "apns"
Environment = Literal["production", "sandbox"]
PRODUCTION: Final[Environment] = "production"
SANDBOX: Final[Environment] = "sandbox"


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """As much of a stored entry as deciding about it needs. No content: the push wakes, the sync carries.

    `fan_out`: it was left to the stream side to deliver it. `roster_seq` and `created_at` (ms) are the entry's.
    """

    conversation_id: str
    seq: int
    sender_id: str
    is_message: bool = True
    fan_out: bool = False
    created_at: int = 0
    roster_seq: int | None = None

    @property
    def message_id(self) -> str:
        return f"{self.conversation_id}/{self.seq}"


@dataclass(frozen=True, slots=True)
class PushTarget:
    """Where a provider delivers to: one installation of an app.

    `token` is an FCM registration token, a Firebase installation id (`is_installation`), or an APNs device token.
    `environment` is APNs', which has two of them; `app_id` is APNs' topic, the app's bundle id.
    """

    platform: Platform
    token: str
    environment: Environment = PRODUCTION
    app_id: str | None = None
    is_installation: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """One of a user's devices, and when (ms) it registered this target."""

    device_id: str
    target: PushTarget
    registered_at: int


@dataclass(frozen=True, slots=True)
class Wording:
    """What a push says. Keys name texts that the app has in the user's language, with `title_args` to put in.

    `title` and `body` are texts as they are, in place of a key: names, and content where the user wants previews.
    """

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
    on the app's icon (None: leave it), `unread` that of this conversation. After `expires_at` (ms) nobody needs it.
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


@dataclass(frozen=True, slots=True)
class Sent:
    """The provider has taken it."""


@dataclass(frozen=True, slots=True)
class Unregistered:
    """The target is no more: as of `since` (ms), where the provider says so. Whoever registered later stays."""

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

NoticeKind = Literal["system", "reminder"]
SYSTEM: Final[NoticeKind] = "system"
REMINDER: Final[NoticeKind] = "reminder"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a user is told outside of any conversation, kept until acknowledged or `expires_at` (ms).

    A reminder has no text of its own but the message that it is about.
    """

    notice_id: str
    user_id: str
    kind: NoticeKind
    created_at: int
    expires_at: int
    title: str = ""
    body: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    conversation_id: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Reminder:
    """A member's wish to be told of a message again at `at` (ms)."""

    reminder_id: str
    user_id: str
    conversation_id: str
    seq: int
    at: int
    created_at: int


@dataclass(frozen=True, slots=True)
class AboutMessage:
    """What is pushed: a message."""

    conversation_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class AboutNotice:
    """What is pushed: a notice."""

    notice_id: str


About = AboutMessage | AboutNotice


@dataclass(frozen=True, slots=True)
class PushJob:
    """A user's devices on one platform are to be woken.

    Names only: what is said, and whether it still has to be, is decided when the job is carried out. `since` (ms) is
    when it became due. `tries` went before, all of them for `device_id` alone. Not to be carried out before
    `not_before` (ms).
    """

    platform: Platform
    user_id: str
    about: About
    since: int
    tries: int = 0
    device_id: str | None = None
    not_before: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """A second look at users with live connections: whether they have got it by now."""

    about: About
    users: tuple[str, ...]
