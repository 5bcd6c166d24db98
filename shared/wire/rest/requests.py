"""Bodies that clients send to the HTTP API, decoded strictly. What the protocol does not name is ignored.

The bounds here are those of the shape. Where the core has a rule of its own for a text (its length, that it is not
blank), the schema says so and the core decides: the answer is the same as to a frame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.changes import Role
from shared.domain.contacts import GroupsFrom
from shared.domain.identifiers import USER_ID_PATTERN, USER_ID_RULE
from shared.domain.rules import MAX_CONTENT_CHARACTERS, MAX_MENTIONS, MAX_NAME_CHARACTERS
from shared.operations.contacts import MAX_ALIAS_CHARACTERS, MAX_AVATAR_URL, MAX_DISPLAY_NAME
from shared.operations.devices import DEVICE_ID_PATTERN, DEVICE_ID_RULE
from shared.operations.notifications import NOTIFICATION_ID_PATTERN, NOTIFICATION_ID_RULE

MAX_USERS: Final = 100
MAX_FIRST_MEMBERS: Final = 1_000
# JavaScript's bound, beyond which clients can't count either.
MAX_NUMBER: Final = 2**53 - 1
MAX_CONVERSATION_ID: Final = 300

# Pattern → what it says, for people.
RULES: Final[Mapping[str, str]] = {
    f"^{USER_ID_PATTERN}$": USER_ID_RULE,
    f"^{NOTIFICATION_ID_PATTERN}$": NOTIFICATION_ID_RULE,
    f"^{DEVICE_ID_PATTERN}$": DEVICE_ID_RULE,
}

# The field that tells several shapes of one body apart → what it may be, for people.
KINDS: Final[Mapping[str, str]] = {"type": "'private', 'group'", "platform": "'fcm', 'apns'"}

UserId = Annotated[str, Field(pattern=f"^{USER_ID_PATTERN}$")]
ConversationId = Annotated[str, Field(min_length=1, max_length=MAX_CONVERSATION_ID)]
Seq = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
EntrySeq = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
Milliseconds = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
ClientId = Annotated[str, Field(min_length=1, max_length=128)]
Name = Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME_CHARACTERS})]
Content = Annotated[str, Field(json_schema_extra={"maxLength": MAX_CONTENT_CHARACTERS})]


def config(*examples: Mapping[str, Any], **schema: Any) -> ConfigDict:
    """`schema` is what else the document says of the model. A validator is built by the first request that needs it."""
    extra = {"examples": [dict(example) for example in examples], **schema}
    return ConfigDict(extra="ignore", strict=True, defer_build=True, json_schema_extra=extra)


def left_out(**schema: Any) -> Any:
    """A field that may be left out: None stands for that inside, and is no default that the document should promise."""

    def adapt(own: dict[str, Any]) -> None:
        own.pop("default", None)
        own.update(schema)

    return Field(default=None, json_schema_extra=adapt)


class _Part(BaseModel):
    """A change to some of an object's fields, and at least one of them."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one of " + ", ".join(type(self).model_fields))
        return self


def at_least_one_of(*names: str) -> dict[str, Any]:
    """The same for the schema."""
    return _beside_its_fields("anyOf", names)


def exactly_one_of(*names: str) -> dict[str, Any]:
    return _beside_its_fields("oneOf", names)


def _beside_its_fields(rule: str, names: Sequence[str]) -> dict[str, Any]:
    """Not other than the rule: said plainly, generators of clients take it for a union, and drop the type."""
    return {"not": {"not": {rule: [{"required": [name]} for name in names]}}}


class NewPrivateConversation(BaseModel):
    """A conversation of two."""

    model_config = config({"type": "private", "with": "bob"})

    type: Literal["private"]
    with_: UserId = Field(alias="with")


class NewGroup(BaseModel):
    """A group with its first members. With `client_conversation_id` the request can be repeated safely."""

    model_config = config(
        {"type": "group", "name": "Team", "members": ["bob", "carol"], "client_conversation_id": "6f0c2d"}
    )

    type: Literal["group"]
    name: Name
    members: Annotated[list[UserId], Field(max_length=MAX_FIRST_MEMBERS)] = []
    client_conversation_id: ClientId | None = left_out()


NewConversation = Annotated[NewPrivateConversation | NewGroup, Field(discriminator="type")]


class NewName(BaseModel):
    """A group's new name."""

    model_config = config({"name": "Team A"})

    name: Name


class NewMembers(BaseModel):
    """Users to add to a group. Who is in it already is left out."""

    model_config = config({"users": ["carol", "dave"]})

    users: Annotated[list[UserId], Field(min_length=1, max_length=MAX_USERS)]


class NewRole(BaseModel):
    """A member's new role."""

    model_config = config({"role": "admin"})

    role: Role


class SettingsChange(_Part):
    """How the caller wants a conversation shown and announced. What is left out stays as it is."""

    model_config = config(
        {"muted_until": 1795431200123, "notify": "mentions"},
        {"pinned": True},
        {"muted_until": None},
        **at_least_one_of("muted_until", "notify", "pinned", "archived"),
    )

    muted_until: Milliseconds | None = left_out()
    notify: Literal["all", "mentions", "none"] = left_out()
    pinned: bool = left_out()
    archived: bool = left_out()


class ForwardOf(BaseModel):
    """Where the message stands whose content is forwarded."""

    model_config = config({"conversation_id": "dm:alice:bob", "seq": 41})

    conversation_id: ConversationId
    seq: EntrySeq


class NewMessage(BaseModel):
    """A message: its `content`, a file with or without words, or with `forward_of` what another message says."""

    model_config = config(
        {"content": "hi", "client_message_id": "0d9f5c1e", "after": 41},
        {"content": "Look at this, @bob", "reply_to": 40, "mentions": ["bob"]},
        {"forward_of": {"conversation_id": "dm:alice:bob", "seq": 41}},
        {"message_type": "image", "file_id": "q2Xv0J5b3kRk1m7c9Tz4wYtNf8LhPdSaEuGiBoVxCnM"},
    )

    content: Content = ""
    message_type: Literal["text", "image", "file"] = "text"
    client_message_id: ClientId | None = left_out()
    after: Seq | None = left_out()
    reply_to: EntrySeq | None = left_out()
    mentions: Annotated[list[UserId], Field(max_length=MAX_MENTIONS)] = []
    file_id: ClientId | None = left_out()
    forward_of: ForwardOf | None = left_out()


class NewContent(BaseModel):
    """What an edited message says from now on."""

    model_config = config({"content": "hi, Bob"})

    content: Content


class ReadUpTo(BaseModel):
    """Everything up to this entry was read."""

    model_config = config({"seq": 42})

    seq: Seq


class ContactRequest(BaseModel):
    """Whom to ask."""

    model_config = config({"user_id": "bob"})

    user_id: UserId


class ContactChange(_Part):
    """Accept a request, give the contact another name (null takes it away), or both."""

    model_config = config({"status": "accepted"}, {"alias": "Bobby"}, **at_least_one_of("status", "alias"))

    status: Literal["accepted"] = left_out()
    alias: str | None = left_out(maxLength=MAX_ALIAS_CHARACTERS)


class QuietHoursChange(BaseModel):
    """From `start` to `end`, which may lie beyond midnight, in a time zone of the IANA database."""

    model_config = config({"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"})

    start: str
    end: str
    time_zone: str


class PushChange(BaseModel):
    """How pushes should look and sound."""

    model_config = config({"previews": False, "quiet_hours": None})

    previews: bool | None = left_out()
    quiet_hours: QuietHoursChange | None = left_out()


class ProfileChange(BaseModel):
    """Parts of the own profile. What is left out stays as it is, null clears."""

    model_config = config(
        {"display_name": "Alice", "avatar_url": "https://example.com/a.png"},
        {
            "hide_presence": True,
            "groups_from": "contacts",
            "push": {
                "previews": False,
                "quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"},
            },
        },
    )

    display_name: str | None = left_out(maxLength=MAX_DISPLAY_NAME)
    avatar_url: str | None = left_out(maxLength=MAX_AVATAR_URL)
    hide_presence: bool | None = left_out()
    groups_from: GroupsFrom | None = left_out()
    push: PushChange | None = left_out()
