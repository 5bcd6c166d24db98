"""Ways into groups over HTTP: requests, and links."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, Field

from shared.domain.joining import Invite, JoinRequest
from shared.operations.joining import INVITE_LIFETIME_MS, MAX_USES, Invitation, NewInvite, Requested
from shared.wire.rest.common import Milliseconds, config, left_out

if TYPE_CHECKING:
    from shared.wire.shapes import joining as shapes

_EXPIRES_AT: Final = "expires_at"


class InviteTerms(BaseModel):
    """Until when a link is good, and for how many. Null: without an end; for any number."""

    model_config = config({"expires_at": 1795517600123, "max_uses": 10}, {"expires_at": None})

    expires_at: Milliseconds | None = left_out()
    max_uses: Annotated[int, Field(ge=1, le=MAX_USES)] | None = left_out()

    def command(self, conversation_id: str, by: str, now: int) -> NewInvite:
        """As it is asked for: a week, where nothing is said of its end."""
        is_named = _EXPIRES_AT in self.model_fields_set
        expires_at = self.expires_at if is_named else now + INVITE_LIFETIME_MS
        return NewInvite(conversation_id, by, expires_at, self.max_uses)


class Decision(BaseModel):
    """What becomes of a request."""

    model_config = config({"status": "accepted"}, {"status": "declined"})

    status: Literal["accepted", "declined"]


def requested_body(request: Requested) -> shapes.RequestChange:
    return {
        "conversation_id": request.conversation_id,
        "user_id": request.user_id,
        "status": request.status,
        "by": request.by,
        "timestamp": request.at,
    }


def requests_body(requests: Iterable[JoinRequest]) -> shapes.JoinRequests:
    return {
        "requests": [
            {"conversation_id": one.conversation_id, "user_id": one.user_id, "requested_at": one.requested_at}
            for one in requests
        ]
    }


def new_invite_body(invite: Invite, token: str) -> shapes.NewInvite:
    return {**invite_body(invite), "token": token}


def invite_body(invite: Invite) -> shapes.Invite:
    return {
        "invite_id": invite.invite_id,
        "conversation_id": invite.conversation_id,
        "created_by": invite.created_by,
        "created_at": invite.created_at,
        "expires_at": invite.expires_at,
        "max_uses": invite.max_uses,
        "uses": invite.uses,
    }


def invites_body(invites: Iterable[Invite]) -> shapes.Invites:
    return {"invites": [invite_body(one) for one in invites]}


def invitation_body(invitation: Invitation) -> shapes.Invitation:
    """What is shown to who is no member: what the group is called, and how many are in it."""
    group, invite = invitation.group, invitation.invite
    return {
        "conversation_id": group.conversation_id,
        "type": "group",
        "name": group.name,
        "topic": group.topic,
        "avatar": group.avatar,
        "member_count": group.size,
        "created_by": invite.created_by,
        "expires_at": invite.expires_at,
    }
