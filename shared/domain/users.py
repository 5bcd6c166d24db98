"""The directory: what the team's server says of its users, and how they are found by their names."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.contacts import MailStopped
from shared.domain.text import is_label, is_user_id

# Who may read of users: everyone; contacts and fellow members; administrators alone, and each of themselves.
EVERYONE: Final = "everyone"
ACQUAINTED: Final = "acquainted"
NOBODY: Final = "nobody"

MAX_ROLE_CHARACTERS: Final = 64
MAX_BULK: Final = 100
MAX_PREFIX_CHARACTERS: Final = 100
# A name is found by the beginning of each of so many of its words.
MAX_TERMS: Final = 4
# A term stands in a key of 1,024 bytes, with a user's id behind it.
MAX_TERM_BYTES: Final = 512
# SMTP's own bounds (RFC 5321), and ASCII alone, as SES has it: other domains are written in their xn-- form.
MAX_EMAIL: Final = 254
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM: Final = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL: Final = rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}"
_WORD: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class User:
    """A user as the directory has them. `data` is JSON (see `custom.py`); no other user reads the `email`.

    `version` grows with each change, and is the time of the latest (ms); 0 for who has no record, of whom only what
    they say about themselves is known. `listed_as` is the name that they can be found by.
    `mail_stopped`: why nothing is mailed to this `email` any more, if so (`bounce`, `complaint`).
    """

    user_id: str
    name: str | None = None
    avatar: str | None = None
    role: str | None = None
    data: str | None = None
    deactivated: bool = False
    version: int = 0
    listed_as: str | None = None
    email: str | None = None
    mail_stopped: MailStopped | None = None

    @property
    def has_record(self) -> bool:
        return self.version > 0

    @property
    def terms(self) -> tuple[str, ...]:
        """What the directory lists the user under."""
        return terms_of(self.listed_as) if self.listed_as else ()

    def shown(self) -> dict[str, Any]:
        """As answers and events have the user: without the address, which is for few."""
        return {
            "user_id": self.user_id,
            "name": self.name,
            "avatar": self.avatar,
            "role": self.role,
            "data": json.loads(self.data) if self.data else {},
            "deactivated": self.deactivated,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reader:
    """Who asks for users' records, and whom they may see."""

    user_id: str
    is_admin: bool
    visibility: str

    @property
    def sees_all(self) -> bool:
        return self.is_admin or self.visibility == EVERYONE

    def sees_email_of(self, user_id: str) -> bool:
        """Nobody else's, whatever the deployment shows of its users."""
        return self.is_admin or self.user_id == user_id


def is_email(text: str) -> bool:
    """Whether mail can be sent to it, as far as its form says."""
    return len(text) <= MAX_EMAIL and re.fullmatch(_EMAIL, text) is not None


def folded(text: str) -> str:
    """As names are compared: without case, accents, and blanks that stand together. Cut where it is very long."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    whole = " ".join("".join(one for one in plain if not unicodedata.combining(one)).split())
    return whole.encode()[:MAX_TERM_BYTES].decode(errors="ignore")


def terms_of(name: str) -> tuple[str, ...]:
    """The name from each of its first words on: a prefix of one of these finds it."""
    whole = folded(name)
    return tuple(dict.fromkeys(whole[found.start() :] for found in list(_WORD.finditer(whole))[:MAX_TERMS]))


def is_listed(term: str, user_id: str, prefix: str) -> bool:
    """Whether a user could be listed so where this prefix is searched for."""
    is_plain = is_label(term) and is_user_id(user_id) and term == folded(term)
    return is_plain and is_label(prefix) and term.startswith(folded(prefix))


def first_found(user: User, prefix: str) -> str | None:
    """The first of the user's terms that a folded prefix finds: who is listed under several is shown once."""
    return next((term for term in user.terms if term.startswith(prefix)), None)
