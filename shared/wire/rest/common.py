"""What all bodies share: the types of fields, how a model is set up, and the answer to a request that failed.

What the protocol does not name is ignored. The bounds are those of the shape: where the core has a rule of its own for
a text (its length, that it is not blank), the schema says so and the core decides, so that the answer is the same as to
a frame. Answers are declared in `shared/wire/shapes/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.changes import GroupJoin, History
from shared.domain.custom import MAX_DATA_BYTES
from shared.domain.rules import MAX_CONTENT_CHARACTERS, MAX_NAME_CHARACTERS
from shared.domain.text import MAX_CLIENT_ID, MAX_CONVERSATION_ID, MAX_NUMBER, USER_ID_PATTERN, USER_ID_RULE
from shared.errors import ParleyError
from shared.operations.contacts import MAX_AVATAR_URL
from shared.operations.descriptions import MAX_TOPIC_CHARACTERS
from shared.operations.devices import DEVICE_ID_PATTERN, DEVICE_ID_RULE
from shared.operations.notifications import NOTIFICATION_ID_PATTERN, NOTIFICATION_ID_RULE
from shared.operations.webhooks import WEBHOOK_ID_PATTERN, WEBHOOK_ID_RULE
from shared.wire.common import error_fields

if TYPE_CHECKING:  # here and in the modules beside this: only the OpenAPI document loads shapes
    from shared.wire.shapes import service


# Pattern → what it says, for people.
RULES: Final[Mapping[str, str]] = {
    f"^{USER_ID_PATTERN}$": USER_ID_RULE,
    f"^{NOTIFICATION_ID_PATTERN}$": NOTIFICATION_ID_RULE,
    f"^{DEVICE_ID_PATTERN}$": DEVICE_ID_RULE,
    f"^{WEBHOOK_ID_PATTERN}$": WEBHOOK_ID_RULE,
}

# The field that tells several shapes of one body apart → what it may be, for people.
KINDS: Final[Mapping[str, str]] = {"type": "'private', 'group', 'channel'", "platform": "'fcm', 'apns'"}

UserId = Annotated[str, Field(pattern=f"^{USER_ID_PATTERN}$")]
ConversationId = Annotated[str, Field(min_length=1, max_length=MAX_CONVERSATION_ID)]
Seq = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
EntrySeq = Annotated[int, Field(ge=1, le=MAX_NUMBER)]
Milliseconds = Annotated[int, Field(ge=0, le=MAX_NUMBER)]
ClientId = Annotated[str, Field(min_length=1, max_length=MAX_CLIENT_ID)]
Name = Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME_CHARACTERS})]
Data = Annotated[dict[str, Any], Field(description=f"For your own use: up to {MAX_DATA_BYTES:,} bytes of JSON.")]
Content = Annotated[str, Field(json_schema_extra={"maxLength": MAX_CONTENT_CHARACTERS})]


_DESCRIPTION: Final = ("topic", "avatar", "data")


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


class Described(BaseModel):
    """What a conversation says of itself beside its name. Null stands for nothing."""

    topic: str | None = left_out(maxLength=MAX_TOPIC_CHARACTERS)
    avatar: str | None = left_out(maxLength=MAX_AVATAR_URL)
    data: Data | None = left_out()

    def description(self) -> dict[str, Any]:
        """The fields that were named."""
        return {name: getattr(self, name) for name in _DESCRIPTION if name in self.model_fields_set}


class GroupSettings(Described):
    """What a group says of itself, who may come by themselves, and how much of it they see then."""

    join: GroupJoin = left_out()
    history: History = left_out()

    def description(self) -> dict[str, Any]:
        """The fields that were named."""
        own: tuple[str, ...] = ("join", "history")
        return super().description() | {name: getattr(self, name) for name in own if name in self.model_fields_set}


class Part(BaseModel):
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


def error_body(error: ParleyError, request_id: str) -> service.Error:
    return {**error_fields(error), "request_id": request_id}
