"""The client without its I/O: a state machine that is told what happens and says what to do.

Nothing here reads a clock, draws a number, or touches a socket: `now` (seconds, monotonic) comes with every call, ids
and randomness are injected. So the same core runs under asyncio (`client.py`) and in a simulation.

The shell's part:
- `start`; do each of `effects()` after every call; call `tick` when `deadline()` is reached;
- on Save: keep `state()`, whole, before anything that comes after it; where that fails, do nothing of the rest;
- on Connect: open a connection, then `connected`, or `lost` where that failed;
- on Renew: get a fresh token, then `renew`, or `not_renewed` where there is none;
- on AskNotifications: get them over HTTP, then `notified`, or `not_notified` where that failed;
- feed each frame of that connection to `receive`, and say `lost` when it ends. Nothing of an earlier connection may
  come in after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from parley_client.changes import Change, ChangeKind
from parley_client.codec import check_size
from parley_client.conversation import is_channel
from parley_client.cursors import CursorKind
from parley_client.effects import Done, Failed
from parley_client.errors import ClosedError, ParleyError
from parley_client.events import Event, Message, SendFailed
from parley_client.exchange import not_connected
from parley_client.limits import MAX_WATCHED
from parley_client.machine import Machine
from parley_client.outbox import Pending, fill_in
from parley_client.settings import Settings

STATE_VERSION: Final = 1


class Core(Machine):
    """See the module. `state` is what `state()` of an earlier core returned.

    over_http: the shell has an HTTP API to ask; without one, notifications come live only.
    """

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        random: Callable[[], float],
        settings: Settings | None = None,
        user_id: str | None = None,
        state: Mapping[str, Any] | None = None,
        over_http: bool = False,
    ) -> None:
        super().__init__(settings or Settings(), random, user_id, over_http=over_http)
        self._new_id = new_id
        self._calls = 0
        if state is not None:
            self._restore(state)

    # --- what the application takes out

    @property
    def unacked(self) -> tuple[Pending, ...]:
        return tuple(self._sender.outbox.items)

    @property
    def dropped(self) -> int:
        """Receipts, typing and presence that an application too slow for them did not get."""
        return self._stream.inbox.dropped

    @property
    def waiting(self) -> int:
        """Events that the application has not taken yet."""
        return len(self._stream.inbox)

    def held(self, conversation_id: str | None) -> int | None:
        """The last entry passed on in this conversation; None for one that is not known."""
        return self._stream.held(conversation_id)

    def pinned(self, conversation_id: str) -> tuple[int, ...] | None:
        """What is pinned there as far as the application has got; None until that was asked for."""
        conversation = self._stream.inbox.conversations.get(conversation_id)
        return None if conversation is None else conversation.pins

    def pin_changes(self, conversation_id: str) -> int:
        """Say it to `note_pins`: how it was when it was asked for."""
        conversation = self._stream.inbox.conversations.get(conversation_id)
        return 0 if conversation is None else conversation.pin_changes

    def note_pins(self, conversation_id: str, pins: Iterable[int], as_of: int) -> bool:
        """The answer over HTTP. False where it has to be asked for again: it has changed meanwhile."""
        conversation = self._stream.inbox.conversations.get(conversation_id)
        return conversation is None or conversation.note_pins(pins, as_of)

    def private_with(self, user_id: str) -> str | None:
        """The id of the private conversation with a user; None while it is not known who this client is."""
        return self._sender.private_with(user_id)

    def next_event(self, now: float) -> Event | None:
        """The next event for the application, which counts as having it from here on: show it after `effects()`."""
        self._sender.verdicts.forget()
        event = self._stream.inbox.take()
        if isinstance(event, SendFailed):
            self._sender.verdicts.taken(event)
        self._own.took(event)
        if isinstance(event, Message) and self.settings.auto_delivered and self._owes(event):
            due = now + self.settings.delivered_delay
            self._cursors.want("delivered", event.conversation_id, event.seq, due=due)
        if self._stream.taken(now):
            self._notifications.room(now)
            self._own.room()
            self._sender.verdicts.pass_on()
            self._pump(now)
        return event

    def _owes(self, message: Message) -> bool:
        """Whether `delivered` is for anything. In a channel it only spares who is mentioned a push."""
        if message.sender_id == self.user_id:
            return False
        return not is_channel(message.conversation_id) or self.user_id in message.mentions

    def told(self, call: int) -> None:
        """The application was told how this call ended, and had the time to show it."""
        self._sender.verdicts.handed_out(call)
        self._sender.verdicts.forget()

    def state(self) -> dict[str, Any]:
        """All that has to survive this process, for JSON: cursors as far as the application has taken, the outbox."""
        conversations = self._stream.inbox.conversations.values()
        return {
            "version": STATE_VERSION,
            "user_id": self.user_id,
            "synced": self._stream.catchup.complete,
            "own": self._own.taken,
            "conversations": {each.id: each.taken for each in conversations if each.held is not None},
            "left": [
                [each.id, each.taken * each.gone, each.knows] for each in conversations if each.gone or each.knows
            ],
            "pins": {each.id: list(each.pins) for each in conversations if each.pins is not None},
            "outbox": [item.saved() for item in self.unacked],
            "refused": self._sender.verdicts.saved(),
            "cursors": [list(cursor) for cursor in self._cursors.saved()],
        }

    # --- what the application asks for; each returns the number of a call that ends with Done or Failed

    def send(
        self,
        content: str | None,
        now: float,
        *,
        to: str | None = None,
        conversation_id: str | None = None,
        message_type: str = "text",
        reply_to: int | None = None,
        mentions: Iterable[str] = (),
        file_id: str | None = None,
        data: Mapping[str, Any] | None = None,
        attachments: Iterable[Mapping[str, Any]] = (),
        client_message_id: str | None = None,
        after: int | None = None,
        forward_of: tuple[str, int] | None = None,
    ) -> int:
        """Store and deliver a message. Raises ParleyError at once for what could never be sent, or has no room.

        Who writes in the open conversation has read what the application shows of it, and the server is told so.
        """
        self._check_open()
        if (to is None) == (conversation_id is None):
            raise ParleyError("bad_request", "A message goes either `to` a user or into a `conversation_id`")
        body = fill_in(
            content,
            message_type=message_type,
            reply_to=reply_to,
            mentions=mentions,
            file_id=file_id,
            data=data,
            attachments=attachments,
            forward_of=forward_of,
        )
        if len(self.unacked) >= self.settings.max_outbox:
            raise ParleyError("outbox_full", "Too many messages wait for their ack", retryable=True)
        where = conversation_id if to is None else self._sender.private_with(to)
        call = self._call()
        item = Pending(
            order=0,
            call=call,
            to=to,
            conversation_id=where,
            body=body,
            client_message_id=client_message_id or self._new_id(),
            after=(self.held(where) or 0) if after is None else after,
            fixed=after is not None,
        )
        check_size(item.frame())
        self._sender.outbox.add(item)
        if where is not None and where == self.open_conversation:
            self.note_read(where, self._stream.shown(where), now)
        self._pump(now)
        return call

    def mark(self, kind: CursorKind, conversation_id: str, seq: int, now: float) -> int:
        """Move an own cursor. It goes on until the server has it, over reconnects."""
        self._check_open()
        call = self._call()
        if self._cursors.want(kind, conversation_id, seq, due=now, call=call):
            self._pump(now)
        else:
            self._do(Done(call))
        return call

    def note_read(self, conversation_id: str, seq: int, now: float) -> None:
        """The user has read up to `seq`: told with the next message there, or in a while, and over reconnects.

        What the server refuses of it is let go.
        """
        self._check_open()
        if self._cursors.want("read", conversation_id, seq, due=now + self.settings.read_delay):
            self._pump(now)

    def tell_read(self, now: float) -> None:
        """Nothing that waits for company waits any longer: the application is about to end, or to sleep."""
        if self._link.state != "stopped":
            self._cursors.hurry(now)
            self._pump(now)

    def change(self, kind: ChangeKind, conversation_id: str, seq: int, fields: dict[str, Any], now: float) -> int:
        """Edit, delete, or react to a message. It goes on until the server has it or refuses it, over reconnects."""
        self._check_open()
        call = self._call()
        item = Change(kind, conversation_id, seq, fields, call)
        check_size(item.frame())
        self._changes.items.append(item)
        self._pump(now)
        return call

    def watch(self, users: Iterable[str], now: float) -> int:
        """Whose presence to watch from now on, over reconnects. Done with how they are now."""
        self._check_open()
        wanted = tuple(users)
        if len(wanted) > MAX_WATCHED:
            raise ParleyError("bad_request", f"At most {MAX_WATCHED} users can be watched")
        call = self._call()
        self._watch.want(wanted, call)
        self._pump(now)
        return call

    def authenticate(self, token: str, token_left: float | None, now: float) -> int:
        """A fresh token for the living connection. See `connected` for `token_left`."""
        self._check_open()
        call = self._call()
        check_size({"type": "auth", "token": token})
        if self._link.state == "online":
            self._renewal.authenticate(token, token_left, now, call)
        else:
            self._do(Failed(call, not_connected()))
        return call

    def sync(self, now: float) -> int:
        """Compare all conversations. Done when all that exists by now was passed on, or there is no room for more."""
        self._check_open()
        call = self._call()
        self._syncing.append(call)
        self._stream.catchup.begin()
        self._pump(now)
        return call

    def request(self, frame_type: str, fields: Mapping[str, Any], now: float) -> int:
        """Any other frame, sent once: it fails where there is no connection, or none any more."""
        self._check_open()
        call = self._call()
        frame = {"type": frame_type, **fields}
        check_size(frame)
        if frame_type == "typing":
            self._cursors.typing(frame.get("conversation_id"), now, active=frame.get("active") is not False)
        if self.is_served:
            self._exchange.transmit(
                frame,
                now,
                lambda data, _: self._do(Done(call, dict(data))),
                lambda error, _: self._do(Failed(call, error)),
                call=call,
            )
        else:
            self._do(Failed(call, not_connected()))
        return call

    def ping(self, now: float) -> int:
        """A heartbeat out of turn."""
        self._check_open()
        call = self._call()
        if self.is_served:
            self._link.expect_pong(now)
            self._beat(now, call)
        else:
            self._do(Failed(call, not_connected()))
        return call

    def abandon(self, call: int) -> None:
        """The caller has stopped waiting. A message is sent all the same; if it is refused, an event says so."""
        self._sender.abandon(call)
        self._cursors.forget(call)
        self._changes.abandon(call)
        self._watch.abandon(call)
        self._syncing = [each for each in self._syncing if each != call]

    def _call(self) -> int:
        self._calls += 1
        return self._calls

    def _check_open(self) -> None:
        if self._link.state == "stopped":
            raise self.error or ClosedError()

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Raises ValueError for a state of another version, ParleyError for another user's."""
        if state.get("version") != STATE_VERSION:
            raise ValueError("This saved state is of another version of parley_client")
        if state["user_id"] is not None:
            self.identify(state["user_id"])
        self._stream.catchup.complete = state["synced"]
        self._own.restore(state.get("own"))
        for conversation_id, taken in state["conversations"].items():
            self._stream.inbox.conversation(conversation_id, from_start=False).place(taken)
        for conversation_id, ended, knows in state.get("left", ()):
            conversation = self._stream.inbox.conversation(conversation_id, from_start=False)
            conversation.end(ended)
            conversation.told, conversation.knows, conversation.gone = knows, knows, ended > 0
        for conversation_id, pins in state.get("pins", {}).items():
            self._stream.inbox.conversation(conversation_id, from_start=False).pins = tuple(pins)
        for saved in state["outbox"]:
            self._sender.outbox.restore(saved)
        for refused in state.get("refused", ()):
            self._sender.verdicts.restore(refused)
        for kind, conversation_id, seq in state["cursors"]:
            self._cursors.want(kind, conversation_id, seq, due=0.0)
