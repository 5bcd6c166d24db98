"""Broadcasts over HTTP: what everybody is to be told, and how far that is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, Field

from shared.domain.broadcasts import Broadcast, BroadcastPosition
from shared.domain.text import MAX_NUMBER
from shared.operations.broadcasts import BroadcastRequest
from shared.operations.notifications import MAX_BODY, MAX_TITLE, NOTIFICATION_ID_PATTERN, is_notification_id
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor
from shared.wire.rest.common import config, left_out

if TYPE_CHECKING:
    from shared.wire.shapes import broadcasts as shapes

_BROADCASTS: Final = "broadcasts"


class NewBroadcast(BaseModel):
    """What everybody is to be told. With a `broadcast_id` the request can be repeated safely."""

    model_config = config(
        {"title": "Maintenance", "body": "Back at 6:00.", "data": {"url": "/status"}, "store": False},
        {"title": "Our new terms", "store": True, "broadcast_id": "terms-2026"},
    )

    title: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_TITLE, "pattern": r"\S"})]
    body: Annotated[str, Field(json_schema_extra={"maxLength": MAX_BODY})] = ""
    data: Annotated[dict[str, str], Field(description="At most 2 KB as JSON, for the app.")] = {}
    store: Annotated[bool, Field(description="Also keep it for everybody who is known, until acknowledged.")] = False
    broadcast_id: str = left_out(pattern=f"^{NOTIFICATION_ID_PATTERN}$")


def asked(body: NewBroadcast) -> BroadcastRequest:
    return BroadcastRequest(body.title, body.body, body.data, body.store, body.broadcast_id)


def broadcast_body(broadcast: Broadcast) -> shapes.Broadcast:
    segments = broadcast.segments
    return {
        "id": broadcast.broadcast_id,
        "title": broadcast.title,
        "body": broadcast.body,
        "data": dict(broadcast.data),
        "store": broadcast.is_stored,
        "state": broadcast.state,
        "by": broadcast.by,
        "created_at": broadcast.created_at,
        "updated_at": broadcast.updated_at,
        "progress": round(broadcast.done / len(segments), 4),
        "posted": sum(segment.posted for segment in segments),
        "failed": sum(segment.failed for segment in segments),
        "stored": sum(segment.stored for segment in segments),
    }


def broadcasts_body(page: Iterable[Broadcast], rest: BroadcastPosition | None, user_id: str) -> shapes.Broadcasts:
    """A page, with the cursor of the next one for this user."""
    cursor = None if rest is None else encode_cursor(user_id, _BROADCASTS, [rest.at, rest.broadcast_id])
    return {"broadcasts": [broadcast_body(one) for one in page], "next_cursor": cursor}


def decode_broadcasts_cursor(user_id: str, cursor: str) -> BroadcastPosition:
    """The position, if the cursor is one of this user's list. Raises BadRequest for any other."""
    match decode_cursor(user_id, _BROADCASTS, cursor):
        case [int(at), str(broadcast_id)] if 0 <= at <= MAX_NUMBER and is_notification_id(broadcast_id):
            return BroadcastPosition(at, broadcast_id)
    raise invalid_cursor()
