"""Mail digests: who is looked at, what decides, and the letter that it comes to."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.contacts import MailStopped, Profile
from shared.domain.members import Member
from shared.domain.text import is_user_id
from shared.domain.users import User

USER_TAG: Final = "parley-user"
"""What a mail is marked with, so that what becomes of it says whose it was."""
UNSUBSCRIBE: Final = "/v1/mail/unsubscribe"
"""Where the HTTP API has the page that ends a user's mails."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """What a deployment has set. A message is mailed once it is unread for `after_ms`, and nothing for `every_ms` then.

    `link` leads into the team's app, `{conversation_id}` in it stands for that; empty for none. `http_url` is where the
    HTTP API is, for the link that unsubscribes.
    """

    after_ms: int
    every_ms: int
    link: str
    http_url: str


@dataclass(frozen=True, slots=True)
class MailLook:
    """A user is to be looked at from `at` (ms) on."""

    user_id: str
    at: int


@dataclass(frozen=True, slots=True)
class MailRound:
    """All who are due in one part of them are to be looked at, from behind `after` on."""

    part: int = 0
    after: MailLook | None = None


@dataclass(frozen=True, slots=True, repr=False)
class MailStop:
    """A mail to this address of the user has come back for good, or was called spam: `reason` says which."""

    user_id: str
    email: str
    reason: MailStopped


@dataclass(frozen=True, slots=True)
class MailState:
    """What is known of mails to a user: since when (ms) there was none, and what unsubscribes (empty before the first).

    `is_addressed`: the team has said an address; `is_stopped`: it turned out to be none.
    """

    is_addressed: bool = False
    is_stopped: bool = False
    mailed_at: int = 0
    secret: str = ""


@dataclass(frozen=True, slots=True)
class MailStanding:
    """All that decides about a mail beside the conversations, read at one moment."""

    user: User
    profile: Profile
    members: Sequence[Member]
    blocked: frozenset[str]
    state: MailState


@dataclass(frozen=True, slots=True)
class Said:
    """A message in a letter: who has written it, and what it says, or only of which kind it is."""

    author: str
    text: str


@dataclass(frozen=True, slots=True)
class Missed:
    """What is unread in a conversation. `name` is a group's, or the other one's; `is_more`: at least so many."""

    conversation_id: str
    name: str
    count: int
    is_more: bool
    latest: Sequence[Said]


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """One mail, as any provider can send it."""

    user_id: str
    to: str
    subject: str
    text: str
    html: str
    unsubscribe_url: str


def encoded(user_id: str) -> str:
    """A user's id by letters, digits, `-` and `_` alone, as links and the tags of mails take it."""
    return urlsafe_b64encode(user_id.encode()).rstrip(b"=").decode()


def decoded(named: str) -> str:
    """The id again; empty where that is none of a user."""
    try:
        user_id = urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()
    except ValueError:  # binascii's error is one, too
        return ""
    return user_id if is_user_id(user_id) else ""


def unsubscribe_token(user_id: str, secret: str) -> str:
    return f"{encoded(user_id)}.{secret}"


def read_token(token: str) -> tuple[str, str]:
    """Whose token it is, and its secret. No id at all where that is none of a user."""
    named, _, secret = token.partition(".")
    return decoded(named), secret
