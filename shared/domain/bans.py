"""Who is kept out: users who are banned, and tokens that were issued before a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.domain.connections import Barred
from shared.domain.text import MAX_NUMBER

# Of a ban without an end.
FOREVER: Final = MAX_NUMBER


@dataclass(frozen=True, slots=True)
class Ban:
    """Times are ms; `until` is FOREVER for one without an end. `by` is the administrator who gave it."""

    until: int
    reason: str
    at: int
    by: str


@dataclass(frozen=True, slots=True)
class Bars:
    """What keeps a user out. Tokens issued before `issued_before` (ms) are revoked: 0 revokes none."""

    ban: Ban | None = None
    issued_before: int = 0

    def ban_at(self, now: int) -> Ban | None:
        """The ban that holds then, if one does. It ends by itself."""
        return self.ban if self.ban is not None and self.ban.until > now else None

    def revokes(self, issued_at: int) -> bool:
        """Whether a token that was issued then is revoked. 0: it is not known when."""
        return issued_at < self.issued_before

    def against(self, at: int, issued_at: int) -> Barred | None:
        """What keeps out who comes then with a token that was issued so; None for nothing. A ban counts first."""
        ban = self.ban_at(at)
        if ban is not None:
            return Barred(ban.until)
        return Barred(None) if self.revokes(issued_at) else None
