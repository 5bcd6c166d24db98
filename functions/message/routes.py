"""Every frame type and the operation behind it. Ports come in, data for the reply comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.connections import FORESIGHT_MS, LAST_PING_MS, Connection, Identity, SessionsByUser, extended
from shared.domain.identifiers import other_member
from shared.domain.rules import Bounds
from shared.errors import BadRequest, Forbidden
from shared.operations.changes import Changed, announce
from shared.operations.context import Writing
from shared.operations.delivery import Delivered, Posting, over
from shared.operations.editing import delete, edit, react
from shared.operations.messages import send_message
from shared.operations.presence import Sight, Telling, announce_online, watch
from shared.operations.receipts import move_cursor
from shared.operations.rosters import Rosters
from shared.operations.sessions import Opened, ends_soon, ensure_registered, keep_alive, open_connection
from shared.operations.sync import is_behind, sync
from shared.operations.typing_indicators import type_in
from shared.operations.visibility import tell_granted
from shared.ports.connections import Sessions, Watches
from shared.ports.conversations import ConversationLog, Memberships
from shared.ports.files import Files
from shared.ports.people import Blocks, Relations
from shared.ports.services import Gateway, ParallelMap
from shared.reporting import try_to_tell
from shared.wire.common import decode_sync_cursor
from shared.wire.messages import delete_ack, edit_ack, message_ack, react_ack, send_command
from shared.wire.websocket.events import EVICTED
from shared.wire.websocket.frames import (
    AuthFrame,
    CursorFrame,
    DeleteFrame,
    EditFrame,
    MessageFrame,
    PingFrame,
    PresenceFrame,
    ReactFrame,
    SyncFrame,
    TypingFrame,
)
from shared.wire.websocket.gateway import Caller
from shared.wire.websocket.replies import (
    auth_ack,
    cursor_ack,
    encode_event,
    event_size,
    pong,
    presence_ack,
    sync_reply,
    typing_ack,
)


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that the routes reach the world through.

    `now` is milliseconds; `begin` starts the time that a frame may take, `pause` waits between attempts; `verify`
    checks a fresh token.
    """

    log: ConversationLog
    memberships: Memberships
    files: Files
    blocks: Blocks
    relations: Relations
    sessions: Sessions
    watches: Watches
    gateway: Gateway
    parallel_map: ParallelMap
    now: Callable[[], int]
    pause: Callable[[int], None]
    begin: Callable[[], None]
    new_nonce: Callable[[], str]
    report: Callable[[Delivered], None]
    verify: Callable[[str], Identity]
    connection_limit: int
    edit_window_s: int
    inline_limit: int
    receipts_limit: int
    page_limit: int
    bounds: Bounds
    rosters: Rosters

    @property
    def writing(self) -> Writing:
        return Writing(
            log=self.log,
            memberships=self.memberships,
            files=self.files,
            now=self.now,
            pause=self.pause,
            new_nonce=self.new_nonce,
            inline_limit=self.inline_limit,
            bounds=self.bounds,
            rosters=self.rosters,
        )

    @property
    def posting(self) -> Posting:
        return Posting(self.sessions, self.gateway, encode_event)

    @property
    def sight(self) -> Sight:
        return Sight(self.relations, self.memberships, self.sessions, self.parallel_map)

    @property
    def telling(self) -> Telling:
        return Telling(self.sight, self.watches, self.gateway, encode_event)


def serve(kind: str, frame: Any, caller: Caller, ports: Ports) -> Mapping[str, Any]:  # noqa: PLR0911  # a table of routes
    """Carry out one decoded frame. Raises ParleyError."""
    match frame:
        case MessageFrame():
            return _message(frame, caller, ports)
        case EditFrame() | DeleteFrame() | ReactFrame():
            return _change(frame, caller, ports)
        case CursorFrame():
            return _cursor(kind, frame, caller, ports)
        case TypingFrame():
            return _typing(frame, caller, ports)
        case PresenceFrame():
            return _presence(frame, caller, ports)
        case SyncFrame():
            return _sync(frame, caller, ports)
        case PingFrame():
            return _ping(frame, caller, ports)
        case AuthFrame():
            return _auth(frame, caller, ports)
    raise TypeError(f"no route for {type(frame).__name__}")


def _message(frame: MessageFrame, caller: Caller, ports: Ports) -> Mapping[str, Any]:
    command = send_command(frame, sender_id=caller.user_id, to=frame.to, conversation_id=frame.conversation_id)
    sent = send_message(command, connection_id=caller.connection_id, writing=ports.writing, posting=ports.posting)
    _after_delivery(sent.delivered, caller, ports)
    other = other_member(sent.entry.conversation_id, caller.user_id)
    if sent.entry.first_answer and other is not None:
        try_to_tell("message", lambda: tell_granted(caller.user_id, other, telling=ports.telling, now=ports.now))
    return message_ack(sent.entry, duplicate=sent.duplicate)


def _change(frame: EditFrame | DeleteFrame | ReactFrame, caller: Caller, ports: Ports) -> Mapping[str, Any]:
    conversation_id, seq, user_id, writing = frame.conversation_id, frame.seq, caller.user_id, ports.writing
    ack: Mapping[str, Any]
    match frame:
        case EditFrame():
            window_s = ports.edit_window_s
            changed = edit(conversation_id, seq, frame.content, user_id=user_id, window_s=window_s, writing=writing)
            ack = edit_ack(conversation_id, seq, changed, now=ports.now())
        case DeleteFrame():
            changed = delete(conversation_id, seq, user_id=user_id, writing=writing)
            ack = delete_ack(conversation_id, seq, changed, now=ports.now())
        case ReactFrame():
            changed, ack = _react(frame, user_id, ports)
    _announce(changed, caller, ports)
    return ack


def _react(frame: ReactFrame, user_id: str, ports: Ports) -> tuple[Changed, Mapping[str, Any]]:
    conversation_id, seq, emoji, removed = frame.conversation_id, frame.seq, frame.emoji, frame.remove
    if frame.user_id is not None and not removed:
        raise BadRequest("`user_id` goes with `remove` only")
    changed = react(
        conversation_id,
        seq,
        emoji,
        remove=removed,
        user_id=user_id,
        owner_id=frame.user_id,
        writing=ports.writing,
    )
    now = ports.now()
    return changed, react_ack(conversation_id, seq, emoji, changed, removed=removed, owner_id=frame.user_id, now=now)


def _announce(changed: Changed, caller: Caller, ports: Ports) -> None:
    delivered = announce(changed, connection_id=caller.connection_id, posting=ports.posting, now=ports.now())
    if delivered is not None:
        _after_delivery(delivered, caller, ports)


def _cursor(kind: str, frame: CursorFrame, caller: Caller, ports: Ports) -> Mapping[str, Any]:
    moved = move_cursor(
        kind,
        user_id=caller.user_id,
        conversation_id=frame.conversation_id,
        seq=frame.seq,
        connection_id=caller.connection_id,
        audience_limit=ports.receipts_limit,
        log=ports.log,
        memberships=ports.memberships,
        blocks=ports.blocks,
        posting=ports.posting,
        now=ports.now(),
    )
    if moved.delivered is not None:
        _after_delivery(moved.delivered, caller, ports)
    return cursor_ack(kind, frame.conversation_id, moved.seq)


def _typing(frame: TypingFrame, caller: Caller, ports: Ports) -> Mapping[str, Any]:
    delivered = type_in(
        frame.conversation_id,
        user_id=caller.user_id,
        active=frame.active,
        audience_limit=ports.receipts_limit,
        blocks=ports.blocks,
        sight=ports.sight,
        posting=ports.posting,
        now=ports.now(),
    )
    ports.report(delivered)
    return typing_ack(frame.conversation_id, active=frame.active)


def _presence(frame: PresenceFrame, caller: Caller, ports: Ports) -> Mapping[str, Any]:
    found = watch(
        frame.users,
        user_id=caller.user_id,
        connection_id=caller.connection_id,
        expires_at=caller.connection.expires_at,
        watches=ports.watches,
        sight=ports.sight,
        now=ports.now(),
    )
    return presence_ack(found)


def _sync(frame: SyncFrame, caller: Caller, ports: Ports) -> Mapping[str, Any]:
    after = "" if frame.cursor is None else decode_sync_cursor(caller.user_id, frame.cursor)
    # Registered first, read second: what is appended after the registration is posted, what was before is read.
    _ensure_registered(ports.sessions.of([caller.user_id]), caller, ports)
    found = sync(
        caller.user_id,
        frame.conversations,
        after=after,
        memberships=ports.memberships,
        log=ports.log,
        parallel_map=ports.parallel_map,
        size=event_size,
        page=ports.page_limit,
    )
    return sync_reply(found, caller.user_id)


def _ping(frame: PingFrame, caller: Caller, ports: Ports) -> Mapping[str, Any]:
    opened = keep_alive(
        caller.connection,
        limit=ports.connection_limit,
        sessions=ports.sessions,
        gateway=ports.gateway,
        farewell=EVICTED,
        now=ports.now(),
    )
    _announce_online(opened, caller.user_id, ports)
    _look_after_its_end(caller.connection, LAST_PING_MS, ports)
    behind = False
    if frame.conversation_id is not None and frame.seq is not None:
        behind = is_behind(frame.conversation_id, frame.seq, user_id=caller.user_id, log=ports.log)
    return pong(ports.now(), behind=behind)


def _auth(frame: AuthFrame, caller: Caller, ports: Ports) -> Mapping[str, Any]:
    """A fresh token of the same user: the connection lives on until that one ends, or lives again."""
    fresh = ports.verify(frame.token)
    if fresh.user_id != caller.user_id:
        raise Forbidden("This token is another user's")
    connection = extended(caller.connection, fresh.expires_at)
    before = ports.sessions.touch(connection, fresh_token=True)
    if before is not None:  # another `auth`, beside this one, may have shown a token that ends later
        connection = extended(connection, before.authenticated_until)
    if before is None or not before.is_live(ports.now()) or before.authenticated_until >= fresh.expires_at:
        # It is back after its end; or this is sent again, and what came before has died without telling that it is.
        _register(connection, ports)
    ports.watches.prolong(caller.user_id, caller.connection_id, expires_at=connection.expires_at)
    _look_after_its_end(connection, FORESIGHT_MS, ports)
    return auth_ack(caller.user_id, connection.authenticated_until)


def _look_after_its_end(connection: Connection, within_ms: int, ports: Ports) -> None:
    """Have it looked whether the user is offline once this connection has ended, if that is so near."""
    gone = ends_soon(connection, within_ms=within_ms, now=ports.now())
    if gone is not None:
        ports.report(over(gone.user_id, gone.at))


def _after_delivery(delivered: Delivered, caller: Caller, ports: Ports) -> None:
    """The broadcast has read the sender's session: heal it where its own connection is missing or about to expire."""
    ports.report(delivered)
    if delivered.sessions is not None:
        _ensure_registered(delivered.sessions, caller, ports)


def _ensure_registered(known: SessionsByUser, caller: Caller, ports: Ports) -> None:
    ensure_registered(
        caller.connection,
        known.get(caller.user_id, ()),
        register=lambda connection: _register(connection, ports),
        now=ports.now(),
    )


def _register(connection: Connection, ports: Ports) -> None:
    opened = open_connection(
        connection,
        limit=ports.connection_limit,
        sessions=ports.sessions,
        gateway=ports.gateway,
        farewell=EVICTED,
        now=ports.now(),
    )
    _announce_online(opened, connection.user_id, ports)


def _announce_online(opened: Opened, user_id: str, ports: Ports) -> None:
    """A connection that was given up, and speaks after all, brings its user back."""
    if opened.announce:
        announce_online(
            user_id,
            telling=ports.telling,
            now=ports.now(),
        )
