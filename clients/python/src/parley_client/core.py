"""The client without its I/O: a state machine that is told what happens and says what to do.

Nothing here reads a clock, draws a number, or touches a socket: `now` (seconds, monotonic) comes with every call, ids
and randomness are injected. So the same core runs under asyncio (`client.py`) and in a simulation.

The shell's part:
- `start`; do each of `effects()` after every call; call `tick` when `deadline()` is reached;
- on Connect: open a connection, then `connected`, or `lost` where that failed;
- feed each frame of that connection to `receive`, and say `lost` when it ends. Nothing of an earlier connection may
  come in after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from parley_client.codec import check_size
from parley_client.cursors import CursorKind, Cursors
from parley_client.effects import Connect, Disconnect, Done, Effect, Failed
from parley_client.errors import ClosedError, DisconnectedError, ParleyError
from parley_client.events import ConnectionChanged, Event, Frame, Message, as_entry, as_event
from parley_client.exchange import Exchange, not_connected
from parley_client.link import Link
from parley_client.outbox import Pending, fill_in
from parley_client.sender import Sender
from parley_client.settings import Settings

STATE_VERSION: Final = 1


class Core:
    """See the module. `state` is what `state()` of an earlier core returned."""

    def __init__(
        self,
        *,
        new_id: Callable[[], str],
        random: Callable[[], float],
        settings: Settings | None = None,
        user_id: str | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.open_conversation: str | None = None
        self.error: ParleyError | None = None
        self.ignored = 0  # frames that are not what the protocol says
        self._new_id, self._random = new_id, random
        self._effects: list[Effect] = []
        self._calls = 0
        self._syncing: list[int] = []
        self._cursors = Cursors()
        self._link = Link(self.settings, random)
        self._exchange = Exchange(self._do)
        self._sender = Sender(self.settings, random, self._exchange, self._do, user_id)
        self._stream = self._sender.stream
        if state is not None:
            self._restore(state)

    @property
    def user_id(self) -> str | None:
        return self._sender.user_id

    # --- what the shell takes out

    @property
    def connection(self) -> str:
        """One of idle, waiting, connecting, online, stopped."""
        return self._link.state

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

    def private_with(self, user_id: str) -> str | None:
        """The id of the private conversation with a user; None while it is not known who this client is."""
        return self._sender.private_with(user_id)

    def effects(self) -> list[Effect]:
        """What to do now, in this order. Each is handed out once."""
        effects, self._effects = self._effects, []
        return effects

    def next_event(self, now: float) -> Event | None:
        """The next event for the application, which counts as having it from here on."""
        event = self._stream.inbox.take()
        if isinstance(event, Message) and self.settings.auto_delivered and event.sender_id != self.user_id:
            due = now + self.settings.delivered_delay
            self._cursors.want("delivered", event.conversation_id, event.seq, due=due)
        if self._stream.taken(now):
            self._pump(now)
        return event

    def deadline(self) -> float | None:
        """When to call `tick`, if nothing happens before."""
        dues = [self._link.next_due()]
        if self._link.state == "online":
            dues.append(self._exchange.next_due(self.settings.request_timeout))
            dues.append(self._stream.next_due())
            if self._stream.catchup.answered:
                dues += [self._sender.outbox.next_due(), self._cursors.next_due()]
        return min((due for due in dues if due is not None), default=None)

    def state(self) -> dict[str, Any]:
        """All that has to survive this process, for JSON: cursors as far as the application has taken, the outbox."""
        conversations = self._stream.inbox.conversations.values()
        return {
            "version": STATE_VERSION,
            "user_id": self.user_id,
            "synced": self._stream.catchup.complete,
            "conversations": {each.id: each.taken for each in conversations if each.held is not None},
            "outbox": [item.saved() for item in self.unacked],
            "cursors": [list(cursor) for cursor in self._cursors.saved()],
        }

    # --- what the shell puts in about the connection

    def start(self) -> None:
        if self._link.state == "idle":
            self._connect()

    def identify(self, user_id: str) -> None:
        """Who this client is, as soon as that is known. Raises ParleyError for another user's state."""
        if self.user_id is not None and self.user_id != user_id:
            raise ParleyError("wrong_user", f"This client is {self.user_id}'s, and the token is {user_id}'s")
        self._sender.identify(user_id)

    def connected(self, now: float) -> None:
        if self._link.state != "connecting":
            return
        self._link.connected(now)
        self._stream.catchup.connected()
        self._stream.inbox.emit(ConnectionChanged("online"))
        self._pump(now)

    def lost(self, now: float, reason: str) -> None:
        """The connection ended, or could not be made. The next one is planned."""
        if self._link.state in ("connecting", "online"):
            self._forget_connection()
            self._stream.inbox.emit(ConnectionChanged("offline", reason, self._link.lost(now)))

    def stop(self, error: ParleyError | None = None) -> None:
        """The end, asked for or (with `error`) forced. Who waits is told; the outbox stays, for `state()`."""
        if self._link.state == "stopped":
            return
        self._forget_connection()
        self._link.state, self.error = "stopped", error
        self._sender.stop(error)
        for call in (*self._cursors.calls(), *self._syncing):
            self._do(Failed(call, error or ClosedError()))
        self._syncing.clear()
        self._stream.inbox.emit(ConnectionChanged("closed", error.message if error else ""))

    def receive(self, frame: Frame, now: float) -> None:
        """A frame of the current connection."""
        if self._link.state != "online":
            return
        self._link.alive()
        if "success" not in frame:
            self._on_event(frame, now)
        elif not self._exchange.replied(frame, now):
            self._drop("The token is no longer accepted", now)
        self._pump(now)

    def tick(self, now: float) -> None:
        """Time has passed."""
        if self._link.should_connect(now):
            self._connect()
        if self._link.is_dead(now):
            self._drop("The server no longer answers", now)
        if self._link.state != "online":
            return
        if self._exchange.expire(now, self.settings.request_timeout):
            self._link.expect_pong(now)
            self._beat(now)
        if self._link.should_beat(now):
            if self._link.beat(now):
                self._stream.catchup.begin()
            self._beat(now)
        self._pump(now)

    # --- what the application asks for; each returns the number of a call that ends with Done or Failed

    def send(
        self,
        content: str,
        now: float,
        *,
        to: str | None = None,
        conversation_id: str | None = None,
        message_type: str = "text",
        reply_to: int | None = None,
        mentions: Iterable[str] = (),
        file_id: str | None = None,
        client_message_id: str | None = None,
        after: int | None = None,
    ) -> int:
        """Store and deliver a message. Raises ParleyError at once for what could never be sent, or has no room."""
        self._check_open()
        if (to is None) == (conversation_id is None):
            raise ParleyError("bad_request", "A message goes either `to` a user or into a `conversation_id`")
        if len(self.unacked) >= self.settings.max_outbox:
            raise ParleyError("outbox_full", "Too many messages wait for their ack", retryable=True)
        where = conversation_id if to is None else self._sender.private_with(to)
        call = self._call()
        item = Pending(
            order=0,
            call=call,
            to=to,
            conversation_id=where,
            body=fill_in(content, message_type=message_type, reply_to=reply_to, mentions=mentions, file_id=file_id),
            client_message_id=client_message_id or self._new_id(),
            after=(self.held(where) or 0) if after is None else after,
            fixed=after is not None,
        )
        check_size(item.frame())
        self._sender.outbox.add(item)
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
        if self._link.state == "online":
            self._exchange.transmit(frame, now, self._done(call), self._failed(call), call=call)
        else:
            self._do(Failed(call, not_connected()))
        return call

    def ping(self, now: float) -> int:
        """A heartbeat out of turn."""
        self._check_open()
        call = self._call()
        if self._link.state == "online":
            self._link.expect_pong(now)
            self._beat(now, call)
        else:
            self._do(Failed(call, not_connected()))
        return call

    def abandon(self, call: int) -> None:
        """Nobody waits for this call any more. A message is sent all the same; if it is refused, an event says so."""
        self._sender.abandon(call)
        self._cursors.forget(call)
        self._syncing = [each for each in self._syncing if each != call]

    # --- events

    def _on_event(self, frame: Frame, now: float) -> None:
        entry = as_entry(frame)
        if entry is not None:
            self._stream.entry(entry, now)
            return
        event = as_event(frame)
        if event is None:
            self.ignored += 1
        elif frame.get("type") == "disconnect":
            self._on_disconnect(frame, now)
        else:
            self._stream.inbox.emit(event)

    def _on_disconnect(self, frame: Frame, now: float) -> None:
        code = str(frame.get("code", ""))
        if frame.get("reconnect") is False:
            self._do(Disconnect(code))
            self.stop(DisconnectedError(code))
        else:
            self._drop(f"The server ended the connection: {code}", now)

    # --- requests

    def _pump(self, now: float) -> None:
        """Send whatever is due."""
        if self._link.state != "online":
            return
        named = self._stream.request(now)
        if named is not None:
            frame = {"type": "sync", "conversations": named}
            self._exchange.transmit(frame, now, self._on_synced, self._stream.sync_failed)
        if self._stream.catchup.answered:
            self._sender.send_due(now)
            for kind, conversation_id, seq in self._cursors.startable(now):
                self._move_cursor(kind, conversation_id, seq, now)
        if self._syncing and self._stream.caught_up():
            self._effects += [Done(call) for call in self._syncing]
            self._syncing.clear()

    def _on_synced(self, data: Frame, now: float) -> None:
        self._link.failures = 0  # this connection is of use
        self._stream.synced(data, now)
        if self._stream.broken is not None:
            self._do(Disconnect("log_lost"))
            self.stop(self._stream.broken)

    def _move_cursor(self, kind: CursorKind, conversation_id: str, seq: int, now: float) -> None:
        def done(_: Frame, __: float) -> None:
            self._effects += [Done(call) for call in self._cursors.confirmed(kind, conversation_id, seq)]

        def failed(error: ParleyError, later: float) -> None:
            if error.retryable:
                self._cursors.again(kind, conversation_id, lambda tries: later + self._pause(error, tries))
            else:
                calls = self._cursors.give_up(kind, conversation_id, seq)
                self._effects += [Failed(call, error) for call in calls]

        frame = {"type": kind, "conversation_id": conversation_id, "seq": seq}
        self._exchange.transmit(frame, now, done, failed)

    def _beat(self, now: float, call: int | None = None) -> None:
        """A ping that names the open conversation, or the one in which something happened last."""
        where = self.open_conversation or next(reversed(self._stream.inbox.conversations), None)
        held = self.held(where)

        def done(data: Frame, later: float) -> None:
            if data.get("behind") is True and where is not None and held is not None:
                self._stream.heard_of(where, held + 1, later)
            if call is not None:
                self._do(Done(call, dict(data)))

        def failed(error: ParleyError, _: float) -> None:
            if call is not None:
                self._do(Failed(call, error))

        what = {} if held is None else {"conversation_id": where, "seq": held}
        self._exchange.transmit({"type": "ping", **what}, now, done, failed, call=call)

    def _done(self, call: int) -> Callable[[Frame, float], None]:
        return lambda data, _: self._do(Done(call, dict(data)))

    def _failed(self, call: int) -> Callable[[ParleyError, float], None]:
        return lambda error, _: self._do(Failed(call, error))

    # --- the connection

    def _connect(self) -> None:
        self._link.state = "connecting"
        self._stream.inbox.emit(ConnectionChanged("connecting"))
        self._do(Connect())

    def _drop(self, reason: str, now: float) -> None:
        self._do(Disconnect(reason))
        self.lost(now, reason)

    def _forget_connection(self) -> None:
        """Nothing that was under way is answered any more."""
        self._exchange.connection_lost()
        self._sender.outbox.connection_lost()
        self._cursors.connection_lost()
        self._stream.connection_lost()

    def _do(self, effect: Effect) -> None:
        self._effects.append(effect)

    def _call(self) -> int:
        self._calls += 1
        return self._calls

    def _check_open(self) -> None:
        if self._link.state == "stopped":
            raise self.error or ClosedError()

    def _pause(self, error: ParleyError, attempt: int) -> float:
        return self.settings.pause(error.retry_after_ms, attempt, self._random)

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Raises ValueError for a state of another version, ParleyError for another user's."""
        if state.get("version") != STATE_VERSION:
            raise ValueError("This saved state is of another version of parley_client")
        if state["user_id"] is not None:
            self.identify(state["user_id"])
        self._stream.catchup.complete = state["synced"]
        for conversation_id, taken in state["conversations"].items():
            self._stream.inbox.conversation(conversation_id, from_start=False).place(taken)
        for saved in state["outbox"]:
            self._sender.outbox.restore(saved)
        for kind, conversation_id, seq in state["cursors"]:
            self._cursors.want(kind, conversation_id, seq, due=0.0)
