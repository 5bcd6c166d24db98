"""Every frame type and the operation behind it. Ports come in, data for the reply comes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.chat.delivery import Delivered
from shared.chat.heartbeat import is_behind
from shared.chat.ports import ConversationLog, Memberships, Spread
from shared.chat.receipts import move_cursor
from shared.chat.sending import SendMessage, send_message
from shared.chat.syncing import sync
from shared.connection.models import Connection
from shared.connection.ports import Gateway, Sessions
from shared.connection.sessions import ensure_registered, keep_alive, open_connection
from shared.wire.events import EVICTED
from shared.wire.frames import CursorFrame, MessageFrame, PingFrame, SyncFrame
from shared.wire.gateway import Caller
from shared.wire.replies import cursor_ack, encode_event, event_size, message_ack, pong, sync_reply


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that the routes reach the world through. `now` is milliseconds; `pause` waits between attempts."""

    log: ConversationLog
    memberships: Memberships
    sessions: Sessions
    gateway: Gateway
    spread: Spread
    now: Callable[[], int]
    pause: Callable[[int], None]
    new_nonce: Callable[[], str]
    report: Callable[[Delivered], None]
    connection_limit: int


def serve(kind: str, frame: Any, caller: Caller, ports: Ports) -> dict[str, Any]:
    """Carry out one decoded frame. Raises ParleyError."""
    match frame:
        case MessageFrame():
            return _message(frame, caller, ports)
        case CursorFrame():
            return _cursor(kind, frame, caller, ports)
        case SyncFrame():
            return _sync(frame, caller, ports)
        case PingFrame():
            return _ping(frame, caller, ports)
    raise TypeError(f"no route for {type(frame).__name__}")


def _message(frame: MessageFrame, caller: Caller, ports: Ports) -> dict[str, Any]:
    command = SendMessage(
        sender_id=caller.user_id,
        content=frame.content,
        to=frame.to,
        conversation_id=frame.conversation_id,
        message_type=frame.message_type,
        client_message_id=frame.client_message_id,
        after=frame.after,
        reply_to=frame.reply_to,
        mentions=tuple(frame.mentions),
        file_id=frame.file_id,
    )
    sent = send_message(
        command,
        connection_id=caller.connection_id,
        log=ports.log,
        sessions=ports.sessions,
        gateway=ports.gateway,
        encode=encode_event,
        now=ports.now,
        pause=ports.pause,
        new_nonce=ports.new_nonce,
    )
    _after_delivery(sent.delivered, caller, ports)
    return message_ack(sent)


def _cursor(kind: str, frame: CursorFrame, caller: Caller, ports: Ports) -> dict[str, Any]:
    moved = move_cursor(
        kind,
        user_id=caller.user_id,
        conversation_id=frame.conversation_id,
        seq=frame.seq,
        connection_id=caller.connection_id,
        log=ports.log,
        memberships=ports.memberships,
        sessions=ports.sessions,
        gateway=ports.gateway,
        encode=encode_event,
        now=ports.now(),
    )
    if moved.delivered is not None:
        _after_delivery(moved.delivered, caller, ports)
    return cursor_ack(kind, frame.conversation_id, moved.seq)


def _sync(frame: SyncFrame, caller: Caller, ports: Ports) -> dict[str, Any]:
    # Registered first, read second: what is appended after the registration is posted, what was before is read.
    known = ports.sessions.of([caller.user_id]).get(caller.user_id, ())
    _ensure_registered(known, caller, ports)
    found = sync(
        caller.user_id,
        frame.conversations,
        memberships=ports.memberships,
        log=ports.log,
        spread=ports.spread,
        size=event_size,
    )
    return sync_reply(found)


def _ping(frame: PingFrame, caller: Caller, ports: Ports) -> dict[str, Any]:
    keep_alive(
        caller.connection,
        limit=ports.connection_limit,
        sessions=ports.sessions,
        gateway=ports.gateway,
        farewell=EVICTED,
        now=ports.now(),
    )
    behind = False
    if frame.conversation_id is not None and frame.seq is not None:
        behind = is_behind(frame.conversation_id, frame.seq, user_id=caller.user_id, log=ports.log)
    return pong(ports.now(), behind=behind)


def _after_delivery(delivered: Delivered, caller: Caller, ports: Ports) -> None:
    """The broadcast has read the sender's session: heal it where its own connection is missing or about to expire."""
    ports.report(delivered)
    _ensure_registered(delivered.sessions.get(caller.user_id, ()), caller, ports)


def _ensure_registered(known: Any, caller: Caller, ports: Ports) -> None:
    def register(connection: Connection) -> None:
        open_connection(
            connection,
            limit=ports.connection_limit,
            sessions=ports.sessions,
            gateway=ports.gateway,
            farewell=EVICTED,
            now=ports.now(),
        )

    ensure_registered(caller.connection, known, register=register, now=ports.now())
