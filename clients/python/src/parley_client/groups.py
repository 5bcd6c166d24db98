"""Groups and channels beside their messages, over HTTP: what they say of themselves, ways in, links, pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from parley_client.answers import listed, understood
from parley_client.calls import Calls, conversation_path, path_of
from parley_client.events import Frame, Message
from parley_client.operations import UNCHANGED, Unchanged, given
from parley_client.parsing import as_message
from parley_client.resources import Group, Summary, as_group, as_summary


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Somebody wants to come into a group. `status`: requested, accepted, declined or withdrawn."""

    conversation_id: str
    user_id: str
    requested_at: int = 0
    status: str = "requested"
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Invite:
    """A link into a group. `token` is there when it was made, and never again. None: without an end, or a bound."""

    invite_id: str
    conversation_id: str
    created_by: str
    expires_at: int | None = None
    max_uses: int | None = None
    uses: int = 0
    token: str | None = field(default=None, repr=False)
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Where a link leads."""

    conversation_id: str
    name: str | None
    topic: str | None
    member_count: int
    created_by: str
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned message, as it is now."""

    seq: int
    pinned_by: str
    pinned_at: int
    message: Message
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


class GroupOperations(Calls):
    """See `Calls` for what they raise, and when."""

    async def update_conversation(
        self,
        conversation_id: str,
        *,
        name: str | Unchanged = UNCHANGED,
        topic: str | Unchanged | None = UNCHANGED,
        avatar: str | Unchanged | None = UNCHANGED,
        data: Mapping[str, Any] | Unchanged | None = UNCHANGED,
        join: str | Unchanged = UNCHANGED,
        history: str | Unchanged = UNCHANGED,
        slow_mode: int | Unchanged | None = UNCHANGED,
        frozen: bool | Unchanged = UNCHANGED,
        retention_days: int | Unchanged | None = UNCHANGED,
    ) -> Summary:
        """What a conversation says of itself: what is left out stays, None clears. `join`: invite, request or open.

        `history`: what new members see, all or from_joining. `slow_mode`: seconds between two messages of a member.
        `frozen`: only its owners and admins write. `retention_days`: for how long its messages are kept; None: as the
        deployment has it.
        """
        said = given(name=name, topic=topic, avatar=avatar, data=data, join=join)
        body = said | given(history=history, slow_mode=slow_mode, frozen=frozen, retention_days=retention_days)
        return as_summary(await self._call("PATCH", conversation_path(conversation_id), body=body))

    async def update_member(self, conversation_id: str, user_id: str, data: Mapping[str, Any] | None) -> None:
        """What hangs on a member: one's own, or as an owner or admin. None takes it away."""
        await self._call("PATCH", conversation_path(conversation_id, "members", user_id), body={"data": data})

    async def join(self, conversation_id: str) -> Group | JoinRequest:
        """Come into an open group or channel; of a group that takes requests it is one. Safe to repeat."""
        path = conversation_path(conversation_id, "members", await self._dialer.user())
        answer = await self._call("PUT", path)
        return as_join_request(answer) if "status" in answer else as_group(answer)

    async def join_requests(self, conversation_id: str) -> tuple[JoinRequest, ...]:
        """Who wants to come in, the longest waiting first. For owners and admins."""
        found = await self._call("GET", conversation_path(conversation_id, "requests"))
        return listed("requests", as_join_request, found)

    async def decide_request(self, conversation_id: str, user_id: str, *, accept: bool) -> JoinRequest:
        """Let somebody in, or not. For owners and admins."""
        body = {"status": "accepted" if accept else "declined"}
        path = conversation_path(conversation_id, "requests", user_id)
        return as_join_request(await self._call("PATCH", path, body=body))

    async def own_requests(self) -> tuple[JoinRequest, ...]:
        """One's own that wait."""
        return listed("requests", as_join_request, await self._call("GET", "/v1/requests"))

    async def withdraw_request(self, conversation_id: str) -> None:
        """Take one's own back. Safe to repeat."""
        await self._call("DELETE", conversation_path(conversation_id, "requests", await self._dialer.user()))

    async def create_invite(
        self,
        conversation_id: str,
        *,
        expires_at: int | Unchanged | None = UNCHANGED,
        max_uses: int | Unchanged | None = UNCHANGED,
    ) -> Invite:
        """A link: its `token` is shown this once. Good for a week, or until `expires_at` (ms); None: until revoked."""
        body = given(expires_at=expires_at, max_uses=max_uses)
        return as_invite(await self._call("POST", conversation_path(conversation_id, "invites"), body=body))

    async def invites(self, conversation_id: str) -> tuple[Invite, ...]:
        """Those that are good, the latest first. For owners and admins."""
        return listed("invites", as_invite, await self._call("GET", conversation_path(conversation_id, "invites")))

    async def revoke_invite(self, conversation_id: str, invite_id: str) -> None:
        """Nobody comes by it any more. Safe to repeat."""
        await self._call("DELETE", conversation_path(conversation_id, "invites", invite_id))

    async def invitation(self, token: str) -> Invitation:
        """Where a link leads."""
        return as_invitation(await self._call("GET", path_of("invites", token)))

    async def accept_invite(self, token: str) -> Group:
        """Come in by a link. Safe to repeat."""
        return as_group(await self._call("POST", path_of("invites", token)))

    async def pins(self, conversation_id: str) -> tuple[Pin, ...]:
        """What is pinned, the latest pin first."""
        return listed("pins", as_pin, await self._call("GET", conversation_path(conversation_id, "pins")))

    async def pin(self, conversation_id: str, seq: int) -> None:
        """Pin a message, for all to see. Safe to repeat."""
        await self._call("PUT", conversation_path(conversation_id, "pins", str(seq)))

    async def unpin(self, conversation_id: str, seq: int) -> None:
        """Take the pin off. Safe to repeat."""
        await self._call("DELETE", conversation_path(conversation_id, "pins", str(seq)))


@understood
def as_join_request(body: Frame) -> JoinRequest:
    where, user = str(body["conversation_id"]), str(body["user_id"])
    return JoinRequest(where, user, int(body.get("requested_at") or 0), str(body.get("status") or "requested"), body)


@understood
def as_invite(body: Frame) -> Invite:
    return Invite(
        invite_id=str(body["invite_id"]),
        conversation_id=str(body["conversation_id"]),
        created_by=str(body.get("created_by") or ""),
        expires_at=body.get("expires_at"),
        max_uses=body.get("max_uses"),
        uses=int(body.get("uses") or 0),
        token=body.get("token"),
        raw=body,
    )


@understood
def as_invitation(body: Frame) -> Invitation:
    where, count, by = (
        str(body["conversation_id"]),
        int(body.get("member_count") or 0),
        str(body.get("created_by") or ""),
    )
    return Invitation(where, body.get("name"), body.get("topic"), count, by, body)


@understood
def as_pin(body: Frame) -> Pin:
    by, at = str(body.get("pinned_by") or ""), int(body.get("pinned_at") or 0)
    return Pin(int(body["seq"]), by, at, as_message(body["message"]), body)
