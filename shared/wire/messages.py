"""Sending a message and changing one, by a frame or over HTTP: the command of both, and the acknowledgement of both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domain.entries import Entry
from shared.operations.changes import Changed
from shared.operations.editing import React
from shared.operations.messages import SendMessage

if TYPE_CHECKING:  # a Protocol is a class to make, at every cold start
    from collections.abc import Sequence
    from typing import Protocol

    from shared.domain.entries import MessageType
    from shared.wire.shapes import messages as shapes

    class Place(Protocol):
        """Where a message is."""

        @property
        def conversation_id(self) -> str: ...
        @property
        def seq(self) -> int: ...

    class Composed(Protocol):
        """A message as its sender wrote it: the frame and the HTTP body have the same fields."""

        @property
        def content(self) -> str: ...
        @property
        def message_type(self) -> MessageType: ...
        @property
        def client_message_id(self) -> str | None: ...
        @property
        def after(self) -> int | None: ...
        @property
        def reply_to(self) -> int | None: ...
        @property
        def mentions(self) -> Sequence[str]: ...
        @property
        def file_id(self) -> str | None: ...
        @property
        def forward_of(self) -> Place | None: ...


def send_command(
    composed: Composed, *, sender_id: str, conversation_id: str | None, to: str | None = None
) -> SendMessage:
    """The operation's command. Either `to` or `conversation_id` says where the message goes."""
    source = composed.forward_of
    return SendMessage(
        sender_id=sender_id,
        content=composed.content,
        to=to,
        conversation_id=conversation_id,
        message_type=composed.message_type,
        client_message_id=composed.client_message_id,
        after=composed.after,
        reply_to=composed.reply_to,
        mentions=tuple(composed.mentions),
        file_id=composed.file_id,
        forward_of=(source.conversation_id, source.seq) if source else None,
    )


def message_ack(entry: Entry, *, duplicate: bool) -> shapes.SentMessage:
    """That the message is stored, and where."""
    ack: shapes.SentMessage = {
        "type": "message",
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "message_id": entry.message_id,
        "client_message_id": entry.client_message_id or "",
        "timestamp": entry.created_at,
        "duplicate": duplicate,
    }
    if entry.client_message_id is None:
        del ack["client_message_id"]
    return ack


def edit_ack(conversation_id: str, seq: int, changed: Changed, *, now: int) -> shapes.EditedMessage:
    return {"type": "edit", **_changed(conversation_id, seq, changed, now)}


def delete_ack(conversation_id: str, seq: int, changed: Changed, *, now: int) -> shapes.DeletedMessage:
    return {"type": "delete", **_changed(conversation_id, seq, changed, now)}


def react_ack(command: React, changed: Changed, *, now: int) -> shapes.Reaction:
    """With the `user_id` of whose reaction was to be taken off, where the request said so."""
    place, owner_id = _changed(command.conversation_id, command.seq, changed, now), command.owner_id
    ack: shapes.Reaction = {
        "type": "react",
        **place,
        "emoji": command.emoji,
        "removed": command.remove,
        "user_id": owner_id or "",
    }
    if owner_id is None:
        del ack["user_id"]
    return ack


def read_ack(conversation_id: str, seq: int) -> shapes.ReadCursor:
    """`seq` is where the cursor stands now."""
    return {"type": "read", "conversation_id": conversation_id, "seq": seq}


def _changed(conversation_id: str, seq: int, changed: Changed, now: int) -> shapes.Changed:
    """`seq` is the message's; `entry_seq` is where the change stands in the log, null where it was so already."""
    entry = changed.entry
    return {
        "conversation_id": conversation_id,
        "seq": seq,
        "entry_seq": entry.seq if entry else None,
        "timestamp": entry.created_at if entry else now,
    }
