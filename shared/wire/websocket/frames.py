"""What clients send, one JSON object per frame, decoded strictly into the struct of its type; and the replies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from shared.domain.connections import MAX_TOKEN_CHARACTERS, Presence
from shared.domain.custom import edited_data
from shared.domain.entries import Entry
from shared.domain.rules import MAX_EMOJI_BYTES, MAX_MENTIONS
from shared.domain.text import MAX_CLIENT_ID, MAX_CONVERSATION_ID, MAX_NUMBER, USER_ID_PATTERN, USER_ID_RULE
from shared.errors import BadRequest, ParleyError, TooLarge, UnknownType
from shared.operations.presence import MAX_WATCHED
from shared.operations.receipts import DELIVERED, READ, Moved
from shared.operations.sync import Sync
from shared.ports.services import Event
from shared.wire.common import MAX_CURSOR, MAX_DEPTH, encode_sync_cursor, error_fields
from shared.wire.events import entry_event, event_body, presence_body, read_ack
from shared.wire.websocket.gateway import MAX_ID_CHARACTERS, salvaged_id, usable_id

if TYPE_CHECKING:  # only who names their own log pays for what reads it
    from shared.operations.own_log import OwnSynced

# The gateway's own limit for one frame. Longer messages reach a route only when they came in several frames.
MAX_FRAME_BYTES: Final = 32 * 1_024
MAX_SYNC_CONVERSATIONS: Final = 500
MAX_CURSORS: Final = 20
# What a reply says of a user's own log beside its entries.
OWN_BYTES: Final = 100
# A string, to its end or to the end of the frame, so that one pass is enough whatever is sent; or a bracket.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[][{}]', re.DOTALL)

# Entries are counted from 1.
Seq = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
EntrySeq = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
ConversationId = Annotated[str, Meta(min_length=1, max_length=MAX_CONVERSATION_ID)]
UserId = Annotated[str, Meta(pattern=rf"\A{USER_ID_PATTERN}\Z")]
FrameId = Annotated[str, Meta(max_length=MAX_ID_CHARACTERS)]
ClientId = Annotated[str, Meta(min_length=1, max_length=MAX_CLIENT_ID)]
Token = Annotated[str, Meta(min_length=1, max_length=MAX_TOKEN_CHARACTERS)]


class Frame(Struct, frozen=True, kw_only=True):
    """What every frame may carry: `id` is echoed in its reply."""

    id: FrameId | None = None


class Place(Struct, frozen=True, kw_only=True):
    """Where a message is."""

    conversation_id: ConversationId
    seq: EntrySeq


class MessageFrame(Frame, frozen=True, kw_only=True):
    to: UserId | None = None
    conversation_id: ConversationId | None = None
    content: str = ""
    message_type: Literal["text", "image", "audio", "video", "file"] = "text"
    client_message_id: ClientId | None = None
    after: Seq | None = None
    reply_to: EntrySeq | None = None
    mentions: Annotated[list[UserId], Meta(max_length=MAX_MENTIONS)] = []
    file_id: ClientId | None = None
    data: dict[str, Any] | None = None
    attachments: list[dict[str, Any]] = []
    forward_of: Place | None = None
    read: Seq | None = None


class DeleteFrame(Frame, frozen=True, kw_only=True):
    conversation_id: ConversationId
    seq: EntrySeq


class EditFrame(DeleteFrame, frozen=True, kw_only=True):
    """Without `data` the message keeps what it has of it."""

    content: str
    data: dict[str, Any] | UnsetType | None = UNSET

    @property
    def data_text(self) -> str | None:
        """As the operation takes it."""
        return None if self.data is UNSET else edited_data(self.data)


class ReactFrame(DeleteFrame, frozen=True, kw_only=True):
    emoji: Annotated[str, Meta(min_length=1, max_length=MAX_EMOJI_BYTES)]
    remove: bool = False
    user_id: UserId | None = None


class TypingFrame(Frame, frozen=True, kw_only=True):
    conversation_id: ConversationId
    active: bool = True


class PresenceFrame(Frame, frozen=True, kw_only=True):
    """Replaces what this connection watched before."""

    users: Annotated[list[UserId], Meta(max_length=MAX_WATCHED)]


class AuthFrame(Frame, frozen=True, kw_only=True):
    token: Token


class CursorFrame(Frame, frozen=True, kw_only=True):
    """`read` and `delivered`. Unless `reply`, a refusal alone is answered."""

    conversation_id: ConversationId
    seq: Seq
    reply: bool = True


Cursors = Annotated[dict[ConversationId, Seq], Meta(max_length=MAX_CURSORS)]


class ReceiptsFrame(Frame, frozen=True, kw_only=True):
    """Cursors of several conversations. Unless `reply`, what was refused alone is answered."""

    read: Cursors = {}
    delivered: Cursors = {}
    reply: bool = True


class SyncFrame(Frame, frozen=True, kw_only=True):
    conversations: Annotated[dict[ConversationId, Seq], Meta(max_length=MAX_SYNC_CONVERSATIONS)] = {}
    cursor: Annotated[str, Meta(min_length=1, max_length=MAX_CURSOR)] | None = None
    user: Seq | None = None


class PingFrame(Frame, frozen=True, kw_only=True):
    conversation_id: ConversationId | None = None
    seq: Seq | None = None


class _Head(Struct, frozen=True):
    type: Any | UnsetType = UNSET
    id: Any | UnsetType = UNSET


_encode: Final = msgspec.json.Encoder().encode
_HEAD: Final = msgspec.json.Decoder(_Head)
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "message": msgspec.json.Decoder(MessageFrame),
    "edit": msgspec.json.Decoder(EditFrame),
    "delete": msgspec.json.Decoder(DeleteFrame),
    "react": msgspec.json.Decoder(ReactFrame),
    "read": msgspec.json.Decoder(CursorFrame),
    "delivered": msgspec.json.Decoder(CursorFrame),
    "receipts": msgspec.json.Decoder(ReceiptsFrame),
    "typing": msgspec.json.Decoder(TypingFrame),
    "presence": msgspec.json.Decoder(PresenceFrame),
    "sync": msgspec.json.Decoder(SyncFrame),
    "ping": msgspec.json.Decoder(PingFrame),
    "auth": msgspec.json.Decoder(AuthFrame),
}
TYPES: Final = frozenset(_DECODERS)


class BadFrame(Exception):
    """A frame that can't be served: the error, and the `id` to echo as far as it could be read."""

    def __init__(self, error: ParleyError, frame_id: str | None) -> None:
        super().__init__(error.message)
        self.error = error
        self.frame_id = frame_id


def decode(body: str | None, *, limit: int = MAX_FRAME_BYTES) -> tuple[str, Any]:
    """The type and the struct of a frame of at most `limit` bytes. Raises BadFrame."""
    raw = _encoded(body or "")
    if len(raw) > limit:
        raise BadFrame(TooLarge(f"A frame has at most {limit:,} bytes"), salvaged_id(raw))
    _check_depth(raw)
    head = _decoded(_HEAD, raw, None)
    frame_id = usable_id(head.id)
    if not isinstance(head.type, str):
        raise BadFrame(BadRequest("A frame needs a `type`, which is a string"), frame_id)
    decoder = _DECODERS.get(head.type)
    if decoder is None:
        raise BadFrame(UnknownType(), frame_id)
    return head.type, _decoded(decoder, raw, frame_id)


def _encoded(body: str) -> bytes:
    try:
        return body.encode()
    except UnicodeEncodeError as exc:
        raise BadFrame(BadRequest("The frame is not text in UTF-8"), None) from exc


def _check_depth(raw: bytes) -> None:
    """Refuse what is nested too deeply at one depth: where a decoder gives up depends on the Python it runs in."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.findall(raw):
        depth += (token in {b"[", b"{"}) - (token in {b"]", b"}"})
        if depth > MAX_DEPTH:
            raise BadFrame(BadRequest(f"A frame is nested at most {MAX_DEPTH} deep"), salvaged_id(raw))


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes, frame_id: str | None) -> Any:
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as exc:
        raise BadFrame(BadRequest(_explained(str(exc))), frame_id) from exc
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        why = BadRequest("The frame is not valid JSON, or holds half a surrogate pair")
        raise BadFrame(why, salvaged_id(raw)) from exc


def _explained(message: str) -> str:
    """The decoder's words, which name the place and the expected type; patterns are for programs, values for no one."""
    message = re.sub(r"enum value '.*'", "value", message, flags=re.DOTALL)
    return re.sub(r"matching regex '.*'", f"of {USER_ID_RULE}", message)


def success(frame_id: str | None, data: Mapping[str, Any]) -> str:
    return _encode({"success": True, **_echo(frame_id), "data": data}).decode()


def failure(frame_id: str | None, error: ParleyError) -> str:
    return _encode({"success": False, **_echo(frame_id), **error_fields(error)}).decode()


def _echo(frame_id: str | None) -> dict[str, str]:
    return {} if frame_id is None else {"id": frame_id}


def encode_event(event: Event) -> bytes:
    """An event as it is posted to every connection: serialised once."""
    return _encode(event_body(event))


def event_size(entry: Entry) -> int:
    """The bytes an entry takes in a sync reply."""
    return len(encode_event(entry)) + 1


def pong(timestamp: int, *, behind: bool) -> dict[str, Any]:
    return {"type": "pong", "timestamp": timestamp, "behind": behind}


def sync_reply(sync: Sync, user_id: str, own: OwnSynced | None = None) -> dict[str, Any]:
    """`own`: what follows in the user's own log, where the frame has named it."""
    conversations = [
        {
            "id": one.conversation_id,
            "head": one.head,
            "entries": [entry_event(entry) for entry in one.entries],
            "has_more": one.has_more,
            "read_seq": one.read_seq,
            "unread": one.unread,
            "joined_seq": one.joined_seq,
            **({"visible_from": one.visible_from} if one.visible_from else {}),
            **({"trimmed_below": one.trimmed_below} if one.trimmed_below else {}),
        }
        for one in sync.conversations
    ]
    refused = {"refused": list(sync.refused)} if sync.refused else {}
    after = sync.next_after
    rest = {} if after is None else {"next_cursor": encode_sync_cursor(user_id, after)}
    user, has_more = ({}, sync.has_more) if own is None else ({"user": own_reply(own)}, sync.has_more or own.has_more)
    return {"type": "sync", "conversations": conversations, **refused, **user, "has_more": has_more, **rest}


def own_reply(synced: OwnSynced) -> dict[str, Any]:
    """What a sync answers of the user's own log."""
    return {
        "head": synced.head,
        "entries": [entry_event(entry) for entry in synced.entries],
        "has_more": synced.has_more,
        **({"reset": True} if synced.reset else {}),
    }


def cursor_ack(kind: str, conversation_id: str, seq: int) -> dict[str, Any]:
    """`seq` is where the cursor stands now."""
    return {**read_ack(conversation_id, seq), "type": kind}


def receipts_ack(moved: Sequence[Moved]) -> dict[str, Any]:
    """Where the cursors stand now, by kind and conversation, and which could not be moved."""
    refused = [
        {"type": one.kind, "conversation_id": one.conversation_id, **error_fields(one.refusal)}
        for one in moved
        if one.refusal is not None
    ]
    stand = {
        kind: {one.conversation_id: one.seq for one in moved if one.kind == kind and one.refusal is None}
        for kind in (READ, DELIVERED)
    }
    return {"type": "receipts", **stand, **({"refused": refused} if refused else {})}


def typing_ack(conversation_id: str, *, active: bool) -> dict[str, Any]:
    return {"type": "typing", "conversation_id": conversation_id, "active": active}


def presence_ack(found: Sequence[Presence]) -> dict[str, Any]:
    return {"type": "presence", "users": [presence_body(one) for one in found]}


def auth_ack(user_id: str, expires_at: int) -> dict[str, Any]:
    return {"type": "auth", "user_id": user_id, "expires_at": expires_at}
