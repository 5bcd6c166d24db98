"""What users are told: of messages, by notifications outside of conversations, and by reminders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

NotificationKind = Literal["system", "reminder"]
SYSTEM: Final[NotificationKind] = "system"
REMINDER: Final[NotificationKind] = "reminder"


@dataclass(frozen=True, slots=True)
class Notification:
    """What a user is told, kept until acknowledged or `expires_at` (ms). A reminder's text is its message's."""

    notification_id: str
    user_id: str
    kind: NotificationKind
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
class AboutNotification:
    """What is pushed: a notice."""

    notification_id: str


About = AboutMessage | AboutNotification


@dataclass(frozen=True, slots=True)
class DeliveryCheck:
    """A second look at users with live connections: whether they have got it by now.

    `quiet`: who has not is posted to again, and woken only if the message mentions them. Of a message it covers all
    that follow in the conversation, up to `until` where that is given.
    """

    about: About
    users: tuple[str, ...]
    quiet: bool = False
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """A push about a large group is due for who is away: of its latest message, where `about` was the first."""

    about: AboutMessage
