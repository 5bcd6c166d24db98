"""Messages, what becomes of them, how far they were read, and files."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from shared.domain.entries import MessageType, Progress
from shared.domain.files import FileKind, Rejection
from shared.wire.shapes.service import AT, Count, Place, Time, example

FileAnswerStatus = Literal["pending", "ready", "rejected"]

MESSAGE: Final[dict[str, Any]] = {
    "id": "dm:alice:bob/42",
    "conversation_id": "dm:alice:bob",
    "seq": 42,
    "sender_id": "alice",
    "content": "hi",
    "type": "text",
    "created_at": AT,
    "client_message_id": "0d9f5c1e",
}
_ACK: dict[str, Any] = {"conversation_id": "dm:alice:bob", "seq": 42}
_ID = "q2Xv0J5b3kRk1m7c9Tz4wYtNf8LhPdSaEuGiBoVxCnM"
_FILE: dict[str, Any] = {
    "file_id": _ID,
    "kind": "image",
    "name": "cat.png",
    "content_type": "image/png",
    "size": 48_213,
}
_BUCKET = "https://parley-files.s3.eu-central-1.amazonaws.com"


class Content(TypedDict):
    """What is shown of a content: all, or as much of its beginning as there is room for."""

    content: str | None
    content_cut: NotRequired[Literal[True]]


class Media(TypedDict):
    """Of audio and video, as the uploader says; the waveform's bars are 0 to 100."""

    duration_ms: NotRequired[Count]
    waveform: NotRequired[list[int]]


class Attachment(TypedDict):
    """As it was sent. `file_id` is of an uploaded file."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]  # pydantic's own way

    type: str
    file_id: NotRequired[str]


@example(**MESSAGE)
class Message(TypedDict):
    """A message as it is now. Once it is deleted, `content` is null and much of the rest is gone."""

    id: str
    conversation_id: str
    seq: Place
    sender_id: str
    content: str | None
    type: MessageType
    created_at: Time
    client_message_id: NotRequired[str]
    reply_to: NotRequired[Place]
    mentions: NotRequired[list[str]]
    file_id: NotRequired[str]
    data: NotRequired[Annotated[dict[str, Any], Field(description="As it was sent, or as it was edited.")]]
    attachments: NotRequired[list[Attachment]]
    media: NotRequired[Media]
    forwarded: NotRequired[Literal[True]]
    edited_at: NotRequired[Time]
    deleted_at: NotRequired[Time]
    pinned_at: NotRequired[Time]
    reactions: NotRequired[Annotated[dict[str, list[str]], Field(description="Each emoji with its users, sorted.")]]
    reactions_cut: NotRequired[Literal[True]]
    reaction_counts: NotRequired[
        Annotated[dict[str, int], Field(description="With `reactions_cut`: the commonest emoji, and how often.")]
    ]
    reaction_total: NotRequired[Annotated[int, Field(description="With `reactions_cut`: all of them.")]]
    content_cut: NotRequired[
        Annotated[Literal[True], Field(description="There is more: the message's own GET has all.")]
    ]


class Receipts(TypedDict):
    """How many of the other members have got, and have read, a message."""

    members: Count
    delivered: Count
    read: Count


@example(**MESSAGE, status="delivered")
class ListedMessage(Message):
    """`status` comes with one's own messages in private conversations."""

    status: NotRequired[Progress]


@example(**MESSAGE, status="read")
class SingleMessage(Message):
    """`status` comes with one's own messages, and with those of them that are in groups `receipts`."""

    status: NotRequired[Progress]
    receipts: NotRequired[Receipts]


@example(messages=[{**MESSAGE, "status": "delivered"}], has_more=True)
class History(TypedDict):
    messages: list[ListedMessage]
    has_more: bool
    notices: NotRequired[Annotated[list[dict[str, Any]], Field(description="With `notices=true`: who came or went.")]]
    trimmed_below: NotRequired[Annotated[int, Field(ge=1, description="Messages below are kept no longer.")]]


@example(
    type="message", **_ACK, message_id="dm:alice:bob/42", client_message_id="0d9f5c1e", timestamp=AT, duplicate=False
)
class SentMessage(TypedDict):
    """`duplicate`: it was stored by an earlier request."""

    type: Literal["message"]
    conversation_id: str
    seq: Place
    message_id: str
    client_message_id: NotRequired[str]
    timestamp: Time
    duplicate: bool


@example(
    type="message",
    status="held",
    conversation_id="dm:alice:bob",
    held_id="6f1e0b7a9d3e4f62a8b1c0d9e7f61234",
    client_message_id="0d9f5c1e",
    timestamp=AT,
)
class HeldMessage(TypedDict):
    """It waits for somebody to look at it, and has no place in the conversation."""

    type: Literal["message"]
    status: Literal["held"]
    conversation_id: str
    held_id: str
    client_message_id: NotRequired[str]
    timestamp: Time


class Changed(TypedDict):
    """`seq` is the message's; `entry_seq` is the change's own place in the log, null where it was so already."""

    conversation_id: str
    seq: Place
    entry_seq: Place | None
    timestamp: Time


@example(type="edit", **_ACK, entry_seq=43, timestamp=AT)
class EditedMessage(Changed):
    type: Literal["edit"]


@example(type="delete", **_ACK, entry_seq=43, timestamp=AT)
class DeletedMessage(Changed):
    type: Literal["delete"]


@example(type="react", **_ACK, entry_seq=43, timestamp=AT, emoji="👍", removed=False)
class Reaction(Changed):
    type: Literal["react"]
    emoji: str
    removed: bool
    user_id: NotRequired[Annotated[str, Field(description="Whose reaction it was, where the request said so.")]]


@example(type="pin", **_ACK, entry_seq=43, timestamp=AT, removed=False)
class PinChange(Changed):
    type: Literal["pin"]
    removed: bool


class Pin(TypedDict):
    """A message that is pinned, by whom, and since when."""

    seq: Place
    message_id: str
    pinned_by: str
    pinned_at: Time
    message: Message


@example(
    pins=[
        {
            "seq": 42,
            "message_id": "dm:alice:bob/42",
            "pinned_by": "bob",
            "pinned_at": AT,
            "message": {**MESSAGE, "pinned_at": AT},
        }
    ]
)
class Pins(TypedDict):
    pins: list[Pin]


@example(type="read", **_ACK)
class ReadCursor(TypedDict):
    """`seq` is where the cursor stands now."""

    type: Literal["read"]
    conversation_id: str
    seq: Place


class File(TypedDict):
    """`name` is what is left of the one that was given: no path, no controls, at most 255 bytes."""

    file_id: str
    kind: FileKind
    name: str
    content_type: str
    size: Annotated[int, Field(ge=1, description="Bytes.")]


class UploadForm(TypedDict):
    """A form to POST as `multipart/form-data`: every field as it is, and then the bytes as `file`."""

    url: str
    fields: dict[str, str]


@example(
    **_FILE,
    status="pending",
    upload={
        "url": f"{_BUCKET}/",
        "fields": {"key": f"uploads/{_ID}", "Content-Type": "image/png", "policy": "eyJleHBpcmF0aW9uIjo…"},
    },
    expires_at=1_795_432_100_123,
)
class BegunUpload(File):
    """The form is good until `expires_at`, for these bytes alone."""

    status: Literal["pending"]
    upload: UploadForm
    expires_at: Time


@example(
    **_FILE,
    status="ready",
    reason=None,
    width=1_280,
    height=960,
    url=f"{_BUCKET}/files/{_ID}?X-Amz-Algorithm=AWS4-HMAC-SHA256&…",
    thumbnail_url=f"{_BUCKET}/thumbnails/{_ID}?X-Amz-Algorithm=AWS4-HMAC-SHA256&…",
    expires_in=300,
)
class FileAnswer(File):
    """A file as it is now. URLs are there once it is ready, and good for `expires_in` seconds.

    `reason` says why it was rejected. `width`, `height` and a thumbnail are an image's.
    """

    status: FileAnswerStatus
    reason: Rejection | None
    width: Count | None
    height: Count | None
    url: str | None
    thumbnail_url: str | None
    expires_in: Count | None
