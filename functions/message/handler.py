"""Every frame of a living connection: whose it is, whether it is too much, its operation, and the reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from functions.message.wiring import Limiters, Parts, Wiring, wire
from shared.config import AwsEnvironment, MessageSettings
from shared.domain.connections import ABUSED, BANNED, REVOKED, Gone
from shared.errors import BadRequest, Banned, Forbidden, Internal, ParleyError, RateLimited, Revoked, TokenExpired
from shared.limits.limiters import Recent
from shared.observability import count, make_logger, request_log, unexpected, unlogged
from shared.operations.connections import ensure_registered, keep_alive, renew
from shared.operations.delivery import check_presence
from shared.operations.editing import Delete, Edit, React, delete, edit, react
from shared.operations.messages import send_command, send_message
from shared.operations.presence import watch
from shared.operations.receipts import DELIVERED, READ, MoveCursor, move_cursor, move_cursors
from shared.operations.resends import Appended
from shared.operations.sync import Catching, is_behind, sync
from shared.operations.typing_indicators import type_in
from shared.ports.services import Services
from shared.ports.stores import SessionStores
from shared.wire.common import decode_sync_cursor
from shared.wire.events import delete_ack, edit_ack, held_ack, message_ack, react_ack
from shared.wire.websocket import frames
from shared.wire.websocket.gateway import Caller, Event, answer, caller_of

# These write into a log. Each counts towards the limit that a user has over all functions and connections.
_COUNTED: Final = frozenset({"message", "edit", "delete", "react"})
_NOT_FOR_GUESTS: Final = frozenset({"presence"})
# Routes without a route response (infra/routes.py says why): what there is to say is posted.
UNANSWERED: Final = frozenset({"read", "delivered", "receipts"})


@dataclass(slots=True, eq=False, repr=False)
class Guard:
    """One instance of the function's view of who may do how much."""

    limiters: Limiters
    stores: SessionStores
    services: Services
    _extended: Recent[int] = field(default_factory=Recent)
    _ended: Recent[int] = field(default_factory=Recent)

    def authenticated(self, caller: Caller, now: int, *, renewing: bool = False) -> Caller:
        """The caller, with the end of the latest token that they have shown. Raises TokenExpired.

        The handshake's token needs no read. Once that has ended, one read tells whether an `auth` came since; what it
        found is remembered, and compared with the time at each frame. Who is `renewing` brings another token.
        """
        known = self._extended.get(caller.connection_id, 0)
        if max(known, caller.identity.expires_at) <= now and not renewing:
            stored = self.stores.sessions.of([caller.user_id]).get(caller.user_id, ())
            ends = (one.authenticated_until for one in stored if one.connection_id == caller.connection_id)
            known = max(ends, default=0)
            self.extend(caller.connection_id, known)
            if max(known, caller.identity.expires_at) <= now:
                if self._has_just_ended(caller):  # who was online until now
                    check_presence(Gone(caller.user_id, now), services=self.services)
                raise TokenExpired
        return caller.until(known) if known else caller

    def _has_just_ended(self, caller: Caller) -> bool:
        """Whether this instance refuses a frame of this connection for the first time since its token has ended."""
        until = max(self._extended.get(caller.connection_id, 0), caller.identity.expires_at)
        is_news = self._ended.get(caller.connection_id, 0) < until
        self._ended.remember(caller.connection_id, until)
        return is_news

    def shut_out(self, connection_id: str, error: Banned | Revoked) -> None:
        """Close the connection of somebody who is kept out and was not, since its handshake was still under way."""
        why = BANNED if isinstance(error, Banned) else REVOKED
        self.services.gateway.post([connection_id], self.services.encode(why))
        self.services.gateway.close(connection_id)

    def extend(self, connection_id: str, until: int) -> None:
        """Remember the end of a fresh token."""
        self._extended.remember(connection_id, until)

    def admit(self, kind: str | None, caller: Caller) -> None:
        """Count a frame; None is one that can't be read. Raises RateLimited; who goes on all the same is sent away."""
        try:
            self.limiters.frames.take(caller.connection_id)
            if kind is not None and kind in self.limiters.costly:
                self.limiters.costly[kind].take(caller.connection_id)
            if kind in _COUNTED:
                self.limiters.messages.take(caller.user_id)
        except RateLimited:
            if self.limiters.abuse.refused(caller.connection_id):
                self.services.gateway.post([caller.connection_id], self.services.encode(ABUSED))
                self.services.gateway.close(caller.connection_id)
            raise


if TYPE_CHECKING:
    from shared.operations.own_log import OwnSynced

_SETTINGS = MessageSettings.load()
_LOGGER = make_logger("message", _SETTINGS.log_level, _SETTINGS.stage)
_IS_UNLOGGED = unlogged(_SETTINGS.request_log)
_WIRING, _LIMITERS = wire(_SETTINGS, AwsEnvironment.load(), _LOGGER)
_GUARD = Guard(_LIMITERS, _WIRING.stores, _WIRING.services)


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Answer one frame. Whatever it is, the connection stays, unless it floods."""
    if _IS_UNLOGGED():
        answered = respond(event, _WIRING, _GUARD)
    else:
        answered = request_log("message").websocket(event, lambda: respond(event, _WIRING, _GUARD))
    return _posted(event, answered, _WIRING.services) if _is_unanswered(event) else answered


def _is_unanswered(event: Event) -> bool:
    """Whether the gateway sends nothing of what is returned: it has one route for each type."""
    return event["requestContext"].get("routeKey") in UNANSWERED


def _posted(event: Event, answered: dict[str, Any], services: Services) -> dict[str, Any]:
    """Say by a post what there is to say. Where that fails, the frame stays unanswered, as by a lost reply."""
    if answered["body"]:
        services.gateway.post([event["requestContext"]["connectionId"]], answered["body"].encode())
    return answer()


def respond(event: Event, wiring: Wiring, guard: Guard) -> dict[str, Any]:
    """Decode, one call into the core, encode. There is one reply, without a body where the frame wants none."""
    frame_id = None
    guard.limiters.begin()
    try:
        try:
            kind, frame = frames.decode(event.get("body"), limit=guard.limiters.frame_limit)
        except frames.BadFrame as bad:
            frame_id = bad.frame_id
            guard.admit(None, caller_of(event))
            raise bad.error from bad
        frame_id = frame.id
        caller = caller_of(event)
        guard.admit(kind, caller)  # before the token, which may take a read
        caller = guard.authenticated(caller, wiring.context.now(), renewing=kind == "auth")
        data = _serve(kind, frame, caller, wiring)
        if kind == "auth" and data is not None:
            guard.extend(caller.connection_id, data["expires_at"])
        return answer("" if data is None else frames.success(frame_id, data))
    except (Banned, Revoked) as error:
        guard.shut_out(event["requestContext"]["connectionId"], error)
        return answer(frames.failure(frame_id, error))
    except ParleyError as error:
        if error.retryable and not isinstance(error, RateLimited):
            count("FramesRefused", function="message")
        return answer(frames.failure(frame_id, error))
    except Exception as error:  # noqa: BLE001  # the client gets a reply and the log the place, whatever it was
        unexpected("unexpected error", error, logger=_LOGGER)
        count("FramesRefused", function="message")
        return answer(frames.failure(frame_id, Internal()))


def _parts(wiring: Wiring) -> Parts:
    """What operations take."""
    return {"stores": wiring.stores, "services": wiring.services, "context": wiring.context}


def _message(frame: frames.MessageFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    command = send_command(
        frame,
        sender_id=caller.user_id,
        conversation_id=frame.conversation_id,
        to=frame.to,
        read=frame.read,
        is_guest=caller.identity.is_guest,
    )
    sent = send_message(command, connection=caller.connection, **_parts(wiring))
    if not isinstance(sent, Appended):
        return held_ack(sent)
    ack = message_ack(sent.entry, duplicate=sent.duplicate)
    return ack if sent.read_seq is None else {**ack, "read": sent.read_seq}


def _edit(frame: frames.EditFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    command = Edit(caller.user_id, frame.conversation_id, frame.seq, frame.content, frame.data_text)
    changed = edit(command, connection=caller.connection, **_parts(wiring))
    return edit_ack(frame.conversation_id, frame.seq, changed, now=wiring.context.now())


def _delete(frame: frames.DeleteFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    command = Delete(caller.user_id, frame.conversation_id, frame.seq)
    changed = delete(command, connection=caller.connection, **_parts(wiring))
    return delete_ack(frame.conversation_id, frame.seq, changed, now=wiring.context.now())


def _react(frame: frames.ReactFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    if frame.user_id is not None and not frame.remove:
        raise BadRequest("`user_id` goes with `remove` only")
    what = frame.conversation_id, frame.seq, frame.emoji
    command = React(caller.user_id, *what, remove=frame.remove, owner_id=frame.user_id)
    changed = react(command, connection=caller.connection, **_parts(wiring))
    return react_ack(command, changed, now=wiring.context.now())


def _cursor(kind: str, frame: frames.CursorFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any] | None:
    command = MoveCursor(kind, caller.user_id, frame.conversation_id, frame.seq)
    stands = move_cursor(command, connection=caller.connection, **_parts(wiring))
    return frames.cursor_ack(kind, frame.conversation_id, stands) if frame.reply else None


def _receipts(frame: frames.ReceiptsFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any] | None:
    """Reading first, which implies delivery. What is refused is told in any case."""
    commands = [
        MoveCursor(kind, caller.user_id, conversation_id, seq)
        for kind, wanted in ((READ, frame.read), (DELIVERED, frame.delivered))
        for conversation_id, seq in wanted.items()
    ]
    if not commands:
        raise BadRequest("A `receipts` frame needs a conversation in `read` or in `delivered`")
    moved = move_cursors(commands, connection=caller.connection, **_parts(wiring))
    is_told = frame.reply or any(one.refusal for one in moved)
    return frames.receipts_ack(moved) if is_told else None


def _typing(frame: frames.TypingFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    type_in(frame.conversation_id, user_id=caller.user_id, active=frame.active, **_parts(wiring))
    return frames.typing_ack(frame.conversation_id, active=frame.active)


def _presence(frame: frames.PresenceFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    stores, services, now = wiring.stores, wiring.services, wiring.context.now()
    found = watch(frame.users, connection=caller.connection, stores=stores, services=services, now=now)
    return frames.presence_ack(found)


def _sync(frame: frames.SyncFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    after = "" if frame.cursor is None else decode_sync_cursor(caller.user_id, frame.cursor)
    # Registered first, read second: what is appended after the registration is posted, what was before is read.
    known = wiring.stores.sessions.of([caller.user_id])
    ensure_registered(caller.connection, known, **_parts(wiring))
    limits = wiring.context.limits
    own, room = _own(frame.user, caller, wiring)
    asked = Catching(caller.user_id, frame.conversations, after=after, page=limits.page_limit, room=room)
    synced = sync(asked, size=frames.event_size, stores=wiring.stores, services=wiring.services)
    return frames.sync_reply(synced, caller.user_id, own)


def _own(seq: int | None, caller: Caller, wiring: Wiring) -> tuple[OwnSynced | None, int]:
    """What follows in the caller's own log, where the frame names it, and the room that is left for conversations."""
    limits = wiring.context.limits
    if seq is None:
        return None, limits.reply_limit
    from shared.operations.own_log import OwnAsked, own_since  # noqa: PLC0415  # most frames don't name it

    asked = OwnAsked(caller.user_id, seq, page=limits.page_limit, room=limits.reply_limit)
    own, used = own_since(asked, size=frames.event_size, stores=wiring.stores)
    return own, limits.reply_limit - used - frames.OWN_BYTES


def _ping(frame: frames.PingFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    keep_alive(caller.connection, **_parts(wiring))
    behind = False
    if frame.conversation_id is not None and frame.seq is not None:
        behind = is_behind(frame.conversation_id, frame.seq, user_id=caller.user_id, stores=wiring.stores)
    return frames.pong(wiring.context.now(), behind=behind)


def _auth(frame: frames.AuthFrame, caller: Caller, wiring: Wiring) -> Mapping[str, Any]:
    """A fresh token of the same user: the connection lives on until that one ends, or lives again."""
    fresh = wiring.verify(frame.token)
    if fresh.is_guest and not caller.identity.is_guest:
        raise Forbidden("A guest's token prolongs a guest's connection")
    renewed = renew(caller.connection, fresh, **_parts(wiring))
    return frames.auth_ack(caller.user_id, renewed.authenticated_until)


_ROUTES: Final[Mapping[type, Callable[[Any, Caller, Wiring], Mapping[str, Any] | None]]] = {
    frames.MessageFrame: _message,
    frames.EditFrame: _edit,
    frames.DeleteFrame: _delete,
    frames.ReactFrame: _react,
    frames.ReceiptsFrame: _receipts,
    frames.TypingFrame: _typing,
    frames.PresenceFrame: _presence,
    frames.SyncFrame: _sync,
    frames.PingFrame: _ping,
    frames.AuthFrame: _auth,
}


def _serve(kind: str, frame: Any, caller: Caller, wiring: Wiring) -> Mapping[str, Any] | None:
    """Carry out one decoded frame. None: it wants no reply. Raises ParleyError."""
    if kind in _NOT_FOR_GUESTS and caller.identity.is_guest:
        raise Forbidden("Guests may not do this")
    if isinstance(frame, frames.CursorFrame):
        return _cursor(kind, frame, caller, wiring)
    return _ROUTES[type(frame)](frame, caller, wiring)
