"""Messages and files over HTTP: what is sent, and what is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import BaseModel, Field

from shared.domain.custom import MAX_ATTACHMENTS, MAX_TYPE_CHARACTERS, edited_data
from shared.domain.entries import MessageType
from shared.domain.files import LOUDEST, MAX_DURATION_MS, MAX_WAVEFORM, TYPES, File, FileKind, Upload
from shared.domain.rules import MAX_MENTIONS
from shared.domain.text import MAX_CLIENT_ID, MAX_NUMBER
from shared.operations.files import Links
from shared.operations.history import History, Single, status_of
from shared.wire.events import entry_event, message_body, whole_message_body
from shared.wire.rest.common import ClientId, Content, ConversationId, Data, EntrySeq, Seq, UserId, config, left_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.domain.entries import Entry, Progress
    from shared.operations.pins import Pinned
    from shared.ports.conversations import Pin
    from shared.wire.shapes import messages as shapes


Attachment = Annotated[
    dict[str, Any],
    Field(
        json_schema_extra={
            "required": ["type"],
            "additionalProperties": True,
            "properties": {
                "type": {"type": "string", "minLength": 1, "maxLength": MAX_TYPE_CHARACTERS},
                "file_id": {"type": "string", "minLength": 1, "maxLength": MAX_CLIENT_ID},
            },
        }
    ),
]


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
        {
            "content": "Your order is on its way",
            "data": {"order": 4711},
            "attachments": [{"type": "order", "total": 19.9}],
        },
    )

    content: Content = ""
    message_type: MessageType = "text"
    client_message_id: ClientId | None = left_out()
    after: Seq | None = left_out()
    reply_to: EntrySeq | None = left_out()
    mentions: Annotated[list[UserId], Field(max_length=MAX_MENTIONS)] = []
    file_id: ClientId | None = left_out()
    data: Data | None = left_out()
    attachments: Annotated[list[Attachment], Field(json_schema_extra={"maxItems": MAX_ATTACHMENTS})] = []
    forward_of: ForwardOf | None = left_out()


class NewContent(BaseModel):
    """What an edited message says from now on. Without `data` it keeps what it has of it, and null takes that off."""

    model_config = config({"content": "hi, Bob"}, {"content": "On its way", "data": {"order": 4711, "sent": True}})

    content: Content
    data: Data | None = None

    @property
    def data_text(self) -> str | None:
        """As the operation takes it."""
        return edited_data(self.data) if "data" in self.model_fields_set else None


class ReadUpTo(BaseModel):
    """Everything up to this entry was read."""

    model_config = config({"seq": 42})

    seq: Seq


class NewUpload(BaseModel):
    """What is going to be uploaded. Without a `kind`, an image's type makes it an image, and any other a file."""

    model_config = config(
        {"name": "cat.png", "content_type": "image/png", "size": 48_213},
        {"name": "cat.png", "content_type": "image/png", "size": 48_213, "kind": "file"},
        {
            "name": "note.webm",
            "content_type": "audio/webm",
            "size": 9_213,
            "kind": "audio",
            "duration_ms": 3_200,
            "waveform": [0, 40, 97, 12],
        },
    )

    name: Annotated[str, Field(json_schema_extra={"minLength": 1})]
    content_type: Annotated[
        str,
        Field(
            json_schema_extra={"enum": list(TYPES)},
            description="Aliases, capitals and parameters are taken, too; the form has the name that stands here.",
        ),
    ]
    size: Annotated[int, Field(ge=1, le=MAX_NUMBER, description="Bytes; exactly this many can be uploaded.")]
    kind: FileKind | None = left_out()
    duration_ms: Annotated[int, Field(ge=0, le=MAX_DURATION_MS)] | None = left_out()
    waveform: Annotated[list[Annotated[int, Field(ge=0, le=LOUDEST)]], Field(max_length=MAX_WAVEFORM)] = []


def history_body(history: History) -> shapes.History:
    messages = [_listed(one, history.status(one)) for one in history.messages]
    body: shapes.History = {"messages": messages, "has_more": history.has_more}
    if history.notices is not None:
        body["notices"] = [entry_event(one) for one in history.notices]
    if history.trimmed_below:
        body["trimmed_below"] = history.trimmed_below
    return body


def _listed(entry: Entry, status: Progress | None) -> shapes.ListedMessage:
    """One's own messages in private conversations carry how far they have come."""
    body = cast("shapes.ListedMessage", message_body(entry))
    if status is not None:
        body["status"] = status
    return body


def single_body(single: Single) -> shapes.SingleMessage:
    """A message; one's own with how far it has come, and in groups with how many have it."""
    body = cast("shapes.SingleMessage", whole_message_body(single.entry))
    if single.others is None:
        return body
    body["status"] = status_of(single.entry, single.others)
    if single.is_group:
        body["receipts"] = {
            "members": len(single.others),
            "delivered": sum(one.has_got >= single.entry.seq for one in single.others),
            "read": sum(one.read_seq >= single.entry.seq for one in single.others),
        }
    return body


def pins_body(pins: Iterable[Pinned]) -> shapes.Pins:
    return {"pins": [_pin(one.pin, one.message) for one in pins]}


def _pin(pin: Pin, message: Entry) -> shapes.Pin:
    return {
        "seq": pin.seq,
        "message_id": message.message_id,
        "pinned_by": pin.user_id,
        "pinned_at": pin.pinned_at,
        "message": message_body(message),
    }


def begun_body(file: File, upload: Upload) -> shapes.BegunUpload:
    return {
        **_described(file),
        "status": "pending",
        "upload": {"url": upload.url, "fields": upload.fields},
        "expires_at": upload.expires_at,
    }


def file_body(file: File, links: Links | None) -> shapes.FileAnswer:
    """`links` are None for a file that can't be downloaded: not yet, or not at all."""
    return {
        **_described(file),
        "status": cast("shapes.FileAnswerStatus", file.status),  # a deleted one is not found
        "reason": file.reason,
        "width": file.width,
        "height": file.height,
        "url": links.url if links else None,
        "thumbnail_url": links.thumbnail_url if links else None,
        "expires_in": links.expires_in if links else None,
    }


def _described(file: File) -> shapes.File:
    return {
        "file_id": file.file_id,
        "kind": file.kind,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
    }
