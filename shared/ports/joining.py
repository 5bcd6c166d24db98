"""What is stored of ways into groups: requests, and links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.domain.joining import Invite, JoinRequest


class Joins(Protocol):
    """Requests stand under the group and under the user, links under their ids and under the group."""

    def request(self, request: JoinRequest) -> bool:
        """Store it. False, and nothing changes, where there is one already."""

    def requested(self, conversation_id: str, user_id: str) -> JoinRequest | None:
        """The user's request, strongly consistent."""

    def requests(self, conversation_id: str, *, limit: int) -> Sequence[JoinRequest]:
        """Up to `limit` requests of a group, by user id, strongly consistent."""

    def requests_of(self, user_id: str) -> Sequence[JoinRequest]:
        """A user's own, by the groups' ids, strongly consistent."""

    def end(self, conversation_id: str, user_id: str) -> bool:
        """Take the request away. False where there is none."""

    def add_invite(self, invite: Invite) -> None:
        """Store a new link."""

    def invite(self, invite_id: str) -> Invite | None:
        """A link, strongly consistent."""

    def invites(self, conversation_id: str) -> Sequence[Invite]:
        """All of a group's, strongly consistent; some may have ended."""

    def revoke(self, conversation_id: str, invite_id: str) -> None:
        """Take the group's link away. Idempotent."""
