"""How two users stand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

GroupsFrom = Literal["everyone", "contacts"]
EVERYONE: Final = "everyone"
CONTACTS: Final = "contacts"
ContactStatus = Literal["requested", "incoming", "accepted"]
MailChoice = Literal["all", "mentions", "off"]
"""Which of what was missed a user wants to be mailed."""
MailStopped = Literal["bounce", "complaint"]
"""Why nothing is mailed to a user's address any more."""
REQUESTED: Final = "requested"
INCOMING: Final = "incoming"
ACCEPTED: Final = "accepted"


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact as its owner sees it. `since` (ms) is when it got this status."""

    user_id: str
    status: ContactStatus
    since: int
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """Whether two users see each other: contacts, or both have written (`is_near`), and no block (`is_blocked`)."""

    is_near: bool = False
    is_blocked: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides of a contact, read at one moment: mine, theirs, and whether they block me."""

    mine: Contact | None
    theirs: Contact | None
    blocks_me: bool


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When no push should make a sound: from `start` to `end` (HH:MM, may pass midnight) in a named time zone."""

    start: str
    end: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a user says about themselves, who may put them into groups, and how they are pushed to and mailed."""

    display_name: str | None = None
    avatar_url: str | None = None
    previews: bool = True
    quiet_hours: QuietHours | None = field(default=None)
    groups_from: GroupsFrom = EVERYONE
    mail: MailChoice = "all"
    mail_stopped: MailStopped | None = None
