"""Every frame type and the operation behind it: a decoded frame comes in, data for the reply goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.connections import Identity
from shared.errors import BadRequest
from shared.operations.connections import ensure_registered, keep_alive, renew
from shared.operations.context import Context
from shared.operations.editing import Delete, Edit, React, delete, edit, react
from shared.operations.messages import send_message
from shared.operations.presence import watch
from shared.operations.receipts import MoveCursor, move_cursor
from shared.operations.sync import Catching, is_behind, sync
from shared.operations.typing_indicators import type_in
from shared.ports.services import Services
from shared.ports.stores import ChatStores
from shared.wire.common import decode_sync_cursor
from shared.wire.messages import delete_ack, edit_ack, message_ack, react_ack, send_command
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
    event_size,
    pong,
    presence_ack,
    sync_reply,
    typing_ack,
)


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that the routes reach the world through. `verify` checks a fresh token."""

    stores: ChatStores
    services: Services
    context: Context
    verify: Callable[[str], Identity]

    @property
    def parts(self) -> tuple[ChatStores, Services, Context]:
        """What operations take."""
        return self.stores, self.services, self.context


def _message(frame: MessageFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    command = send_command(frame, sender_id=caller.user_id, conversation_id=frame.conversation_id, to=frame.to)
    sent = send_message(command, connection=caller.connection, stores=stores, services=services, context=context)
    return message_ack(sent.entry, duplicate=sent.duplicate)


def _edit(frame: EditFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    command = Edit(caller.user_id, frame.conversation_id, frame.seq, frame.content)
    changed = edit(command, connection=caller.connection, stores=stores, services=services, context=context)
    return edit_ack(frame.conversation_id, frame.seq, changed, now=context.now())


def _delete(frame: DeleteFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    command = Delete(caller.user_id, frame.conversation_id, frame.seq)
    changed = delete(command, connection=caller.connection, stores=stores, services=services, context=context)
    return delete_ack(frame.conversation_id, frame.seq, changed, now=context.now())


def _react(frame: ReactFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    if frame.user_id is not None and not frame.remove:
        raise BadRequest("`user_id` goes with `remove` only")
    command = React(
        caller.user_id, frame.conversation_id, frame.seq, frame.emoji, remove=frame.remove, owner_id=frame.user_id
    )
    changed = react(command, connection=caller.connection, stores=stores, services=services, context=context)
    return react_ack(command, changed, now=context.now())


def _cursor(kind: str, frame: CursorFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    command = MoveCursor(kind, caller.user_id, frame.conversation_id, frame.seq)
    stands = move_cursor(command, connection=caller.connection, stores=stores, services=services, context=context)
    return cursor_ack(kind, frame.conversation_id, stands)


def _typing(frame: TypingFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    place, active = frame.conversation_id, frame.active
    type_in(place, user_id=caller.user_id, active=active, stores=stores, services=services, context=context)
    return typing_ack(place, active=active)


def _presence(frame: PresenceFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    found = watch(frame.users, connection=caller.connection, stores=stores, services=services, now=context.now())
    return presence_ack(found)


def _sync(frame: SyncFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    after = "" if frame.cursor is None else decode_sync_cursor(caller.user_id, frame.cursor)
    # Registered first, read second: what is appended after the registration is posted, what was before is read.
    known = stores.sessions.of([caller.user_id])
    ensure_registered(caller.connection, known, stores=stores, services=services, context=context)
    asked = Catching(caller.user_id, frame.conversations, after=after, page=context.limits.page_limit)
    return sync_reply(sync(asked, size=event_size, stores=stores, services=services), caller.user_id)


def _ping(frame: PingFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, context = wiring.parts
    keep_alive(caller.connection, stores=stores, services=services, context=context)
    behind = False
    if frame.conversation_id is not None and frame.seq is not None:
        behind = is_behind(frame.conversation_id, frame.seq, user_id=caller.user_id, stores=stores)
    return pong(context.now(), behind=behind)


def _auth(frame: AuthFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    """A fresh token of the same user: the connection lives on until that one ends, or lives again."""
    stores, services, context = wiring.parts
    renewed = renew(caller.connection, wiring.verify(frame.token), stores=stores, services=services, context=context)
    return auth_ack(caller.user_id, renewed.authenticated_until)


_ROUTES: Final[Mapping[type, Callable[[Any, Caller, Wiring], Mapping[str, Any]]]] = {
    MessageFrame: _message,
    EditFrame: _edit,
    DeleteFrame: _delete,
    ReactFrame: _react,
    TypingFrame: _typing,
    PresenceFrame: _presence,
    SyncFrame: _sync,
    PingFrame: _ping,
    AuthFrame: _auth,
}


def serve(kind: str, frame: Any, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    """Carry out one decoded frame. Raises ParleyError."""
    if isinstance(frame, CursorFrame):
        return _cursor(kind, frame, caller, wiring)
    return _ROUTES[type(frame)](frame, caller, wiring)
