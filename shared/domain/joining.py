"""Ways into a group beside being added: requests that its moderators decide on, and links."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal

RequestStatus = Literal["requested", "accepted", "declined", "withdrawn"]
REQUESTED: Final = "requested"
ACCEPTED: Final = "accepted"
DECLINED: Final = "declined"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Who wants to come into a group, and since when (ms)."""

    conversation_id: str
    user_id: str
    requested_at: int


@dataclass(frozen=True, slots=True)
class Invite:
    """A link into a group, without its token. None: it does not end (`expires_at`, ms), is good for any number.

    `uses` are those who became members by it.
    """

    invite_id: str
    conversation_id: str
    created_by: str
    created_at: int
    expires_at: int | None = None
    max_uses: int | None = None
    uses: int = 0

    def is_good(self, now: int) -> bool:
        """Whether somebody can come by it now."""
        has_ended = self.expires_at is not None and self.expires_at <= now
        return not has_ended and (self.max_uses is None or self.uses < self.max_uses)


def invite_id_of(token: str) -> str:
    """The id of the link with this token, which can't be told from it: so a list of links gives no way in."""
    return blake2b(token.encode(errors="surrogatepass"), digest_size=16).hexdigest()
