"""Ways into groups: requests, and links."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.joining import RequestStatus
from shared.wire.shapes.service import AT, Count, Time, example

_GROUP: Final = "group:3q2eHk0T9bZxVd7a"
_REQUEST: Final[dict[str, Any]] = {"conversation_id": _GROUP, "user_id": "dave", "requested_at": AT}
_INVITE: Final[dict[str, Any]] = {
    "invite_id": "5f0c1b7a9d3e4f62a8b1c0d9e7f61234",
    "conversation_id": _GROUP,
    "created_by": "alice",
    "created_at": AT,
    "expires_at": 1_795_517_600_123,
    "max_uses": 10,
    "uses": 3,
}


@example(conversation_id=_GROUP, user_id="dave", status="requested", by="dave", timestamp=AT)
class RequestChange(TypedDict):
    """A request as it stands now, and by whom it came to that."""

    conversation_id: str
    user_id: str
    status: RequestStatus
    by: str
    timestamp: Time


class JoinRequest(TypedDict):
    conversation_id: str
    user_id: str
    requested_at: Time


@example(requests=[_REQUEST])
class JoinRequests(TypedDict):
    requests: list[JoinRequest]


@example(**_INVITE)
class Invite(TypedDict):
    """A link. Null: without an end; for any number. `uses` are those who became members by it."""

    invite_id: str
    conversation_id: str
    created_by: str
    created_at: Time
    expires_at: Time | None
    max_uses: Count | None
    uses: Count


@example(**{**_INVITE, "uses": 0}, token="q2Xv0J5b3kRk1m7c9Tz4wYtNf8LhPdSaEuGiBoVxCnM")  # noqa: S106  # none is
class NewInvite(Invite):
    token: Annotated[str, Field(description="What the link is known by. It is shown here alone.")]


@example(invites=[_INVITE])
class Invites(TypedDict):
    invites: list[Invite]


@example(
    conversation_id=_GROUP,
    type="group",
    name="Team",
    topic=None,
    avatar=None,
    member_count=3,
    created_by="alice",
    expires_at=1_795_517_600_123,
)
class Invitation(TypedDict):
    """What a link leads into, for who is no member yet."""

    conversation_id: str
    type: Literal["group"]
    name: str
    topic: str | None
    avatar: str | None
    member_count: Count
    created_by: str
    expires_at: Time | None
