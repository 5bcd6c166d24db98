"""The directory of users over HTTP: what the team's server says of them, and what is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

from pydantic import AliasChoices, BaseModel, Field

from shared.domain.users import MAX_BULK, MAX_EMAIL, MAX_ROLE_CHARACTERS, Reader, User, is_listed
from shared.operations.contacts import MAX_AVATAR_URL, MAX_DISPLAY_NAME
from shared.operations.users import Found, Listed
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor
from shared.wire.rest.common import Data, UserId, config, left_out

if TYPE_CHECKING:
    from shared.wire.shapes import users as shapes

_USERS: Final = "users"
_BOB: Final = {"name": "Bob Builder", "avatar": "https://example.com/b.png", "role": "agent", "data": {"team": 7}}
_EMAIL: Final = "bob@example.com"


class _Record(BaseModel):
    name: str | None = left_out(maxLength=MAX_DISPLAY_NAME)
    avatar: str | None = left_out(maxLength=MAX_AVATAR_URL)
    role: str | None = left_out(maxLength=MAX_ROLE_CHARACTERS)
    data: Data | None = left_out()
    deactivated: bool | None = left_out()
    email: str | None = left_out(maxLength=MAX_EMAIL)

    def changes(self) -> dict[str, Any]:
        """The fields that were named."""
        return {name: getattr(self, name) for name in self.model_fields_set & _Record.model_fields.keys()}


class UserRecord(_Record):
    """Parts of a user's record. What is left out stays as it is, null clears."""

    model_config = config({**_BOB, "email": _EMAIL}, {"role": None}, {"deactivated": True})


class NamedRecord(_Record):
    """Whose record, and parts of it. The id may be called `id`, too."""

    model_config = config({"user_id": "bob", **_BOB})

    user_id: UserId = Field(validation_alias=AliasChoices("user_id", "id"))


class UserRecords(BaseModel):
    """The records of several users."""

    model_config = config({"users": [{"user_id": "bob", **_BOB}, {"user_id": "carol", "name": "Carol"}]})

    users: Annotated[list[NamedRecord], Field(min_length=1, max_length=MAX_BULK)]


def user_body(user: User, reader: Reader) -> shapes.User:
    """As this reader may see it: the address is for administrators, and for the user."""
    body = cast("shapes.User", user.shown())
    if reader.sees_email_of(user.user_id):
        body["email"], body["mail_stopped"] = user.email, user.mail_stopped
    return body


def users_body(users: Iterable[User], reader: Reader) -> shapes.Users:
    return {"users": [user_body(one, reader) for one in users]}


def found_body(found: Found, reader: Reader, prefix: str) -> shapes.FoundUsers:
    """A page of a search, with the cursor of the next one."""
    cursor = None if found.after is None else encode_cursor(reader.user_id, _USERS, [prefix, *found.after])
    return {"users": [user_body(one, reader) for one in found.users], "next_cursor": cursor}


def decode_users_cursor(reader_id: str, cursor: str, prefix: str) -> Listed:
    """Where the page goes on, if the cursor is this reader's and of this search. Raises BadRequest for any other."""
    match decode_cursor(reader_id, _USERS, cursor):
        case [str(searched), str(term), str(user_id)] if searched == prefix and is_listed(term, user_id, prefix):
            return term, user_id
    raise invalid_cursor()


def records_of(body: UserRecords) -> list[tuple[str, Mapping[str, Any]]]:
    return [(one.user_id, one.changes()) for one in body.users]
