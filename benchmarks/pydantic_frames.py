"""The frames of shared/wire/websocket/frames.py as pydantic models, for benchmarks/frames.py to compare with alone."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Seq = Annotated[int, Field(ge=0, le=2**53 - 1)]
EntrySeq = Annotated[int, Field(ge=1, le=2**53 - 1)]
ConversationId = Annotated[str, Field(min_length=1, max_length=300)]
UserId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.@-]{1,128}$")]
FrameId = Annotated[str, Field(max_length=64)]


class Frame(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)

    id: FrameId | None = None


class MessageFrame(Frame):
    to: UserId | None = None
    conversation_id: ConversationId | None = None
    content: str = ""
    message_type: Literal["text", "image", "file"] = "text"
    client_message_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    after: Seq | None = None
    reply_to: EntrySeq | None = None
    mentions: Annotated[list[UserId], Field(max_length=50)] = []
    file_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None


class CursorFrame(Frame):
    conversation_id: ConversationId
    seq: Seq


class SyncFrame(Frame):
    conversations: Annotated[dict[ConversationId, Seq], Field(max_length=500)] = {}


class PingFrame(Frame):
    conversation_id: ConversationId | None = None
    seq: Seq | None = None


class Head(BaseModel):
    type: Any = None
    id: Any = None


_HEAD: Final = TypeAdapter(Head)
_DECODERS: Final[dict[str, TypeAdapter[Any]]] = {
    "message": TypeAdapter(MessageFrame),
    "read": TypeAdapter(CursorFrame),
    "delivered": TypeAdapter(CursorFrame),
    "sync": TypeAdapter(SyncFrame),
    "ping": TypeAdapter(PingFrame),
}


def decode(body: str) -> tuple[str, Any]:
    """The same two steps as wire/websocket/frames.py: the head names the type, the type's decoder does the rest."""
    raw = body.encode()
    head = _HEAD.validate_json(raw)
    return head.type, _DECODERS[head.type].validate_json(raw)
