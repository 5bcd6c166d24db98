"""Bodies of the HTTP API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.chat.conversations import Created, Summary
from shared.chat.history import History
from shared.chat.identifiers import USER_ID_PATTERN
from shared.connection.tickets import Ticket
from shared.errors import ParleyError
from shared.wire.events import message_body
from shared.wire.refusals import error_fields

UserId = Annotated[str, Field(pattern=f"^{USER_ID_PATTERN}$")]


class NewPrivateConversation(BaseModel):
    """POST /v1/conversations."""

    model_config = ConfigDict(extra="ignore", strict=True, populate_by_name=True)

    type: Literal["private"]
    with_: UserId = Field(alias="with")


def created_body(created: Created) -> dict[str, Any]:
    return {"id": created.conversation_id, "type": "private", "members": list(created.members)}


def ticket_body(ticket: Ticket) -> dict[str, Any]:
    return {"ticket": ticket.ticket, "expires_in": ticket.expires_in}


def summary_body(summary: Summary) -> dict[str, Any]:
    """One conversation of the inbox. A private one has no name: clients show the other member."""
    return {
        "id": summary.conversation_id,
        "type": "private",
        "name": None,
        "members": list(summary.members),
        "head": summary.head.seq if summary.head else 0,
        "last_message": message_body(summary.head) if summary.head else None,
        "unread": summary.unread,
        "read_seq": summary.member.read_seq,
        "delivered_seq": max(summary.member.read_seq, summary.member.delivered_seq),
    }


def history_body(history: History) -> dict[str, Any]:
    return {"messages": [message_body(entry) for entry in history.messages], "has_more": history.has_more}


def error_body(error: ParleyError, request_id: str) -> dict[str, Any]:
    return {**error_fields(error), "request_id": request_id}
