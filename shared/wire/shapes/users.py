"""Users as the directory has them."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.contacts import MailStopped
from shared.wire.shapes.service import AT, example

_BOB: Final[dict[str, Any]] = {
    "user_id": "bob",
    "name": "Bob Builder",
    "avatar": "https://example.com/b.png",
    "role": "agent",
    "data": {"team": 7},
    "deactivated": False,
    "version": AT,
}


@example(**_BOB)
class User(TypedDict):
    """What is known of a user. Who has no record has what they say about themselves, and version 0.

    `email` is there for the scope `admin`, and for the user; so is `mail_stopped`, which says why nothing is mailed
    there any more.
    """

    user_id: str
    name: str | None
    avatar: str | None
    role: str | None
    data: dict[str, Any]
    deactivated: bool
    version: Annotated[int, Field(ge=0, description="Grows with each change of the record.")]
    email: NotRequired[str | None]
    mail_stopped: NotRequired[MailStopped | None]


@example(users=[_BOB])
class Users(TypedDict):
    users: list[User]


@example(users=[_BOB], next_cursor=None)
class FoundUsers(Users):
    """Without a `prefix` there is no other page."""

    next_cursor: str | None
