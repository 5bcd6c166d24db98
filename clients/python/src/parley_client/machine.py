"""The core's half that talks to the server: the connection, what comes over it, and what is due to go out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from parley_client.changes import Changes
from parley_client.conversation import is_channel
from parley_client.cursors import Cursors
from parley_client.effects import Connect, Disconnect, Done, Effect, Failed, Save
from parley_client.errors import ClosedError, DisconnectedError, ParleyError
from parley_client.events import ConnectionChanged, Entry, Frame, Message, Notification, Presence
from parley_client.exchange import TOKEN_EXPIRED, Exchange
from parley_client.link import Link, earliest
from parley_client.notifications import Notifications
from parley_client.own import OwnLog
from parley_client.parsing import PACK, USER_CHANGED, as_entry, as_event, as_notifications, as_pack
from parley_client.renewal import Renewal
from parley_client.sender import Sender
from parley_client.settings import Settings
from parley_client.watch import Watch

# Of very many readers most pings would find a pack that is being posted: it has two minutes to come.
_PACK_ON_ITS_WAY: Final = 120.0


class Machine:
    """See `core.py`, which is this and what applications ask for."""

    def __init__(
        self, settings: Settings, random: Callable[[], float], user_id: str | None, *, over_http: bool = False
    ) -> None:
        self.settings = settings
        self.open_conversation: str | None = None
        self.error: ParleyError | None = None
        self.ignored = 0  # frames that are not what the protocol says
        self._effects: list[Effect] = []
        self._kept: tuple[object, ...] = ()  # what the last Save has kept
        self._syncing: list[int] = []
        self._link = Link(settings, random)
        self._exchange = Exchange(self._do, settings.request_timeout)
        self._cursors = Cursors(settings, random, self._exchange, self._do)
        self._sender = Sender(settings, random, self._exchange, self._do, user_id, self._cursors)
        self._stream = self._sender.stream
        self._own = OwnLog(self._stream.inbox, self._stream.catchup.begin)
        self._changes = Changes(settings, random, self._exchange, self._do, self._stream)
        self._watch = Watch(settings, random, self._exchange, self._do, self._stream.inbox.emit)
        self._renewal = Renewal(settings, self._exchange, self._do, self._resume, self._end_with_token)
        asks = over_http and settings.receive
        self._notifications = Notifications(settings, random, self._do, self._stream.inbox.offer, asks=asks)
        parts = (self._cursors, self._changes, self._watch, self._notifications)
        self._send_due = (self._sender.send_due, *(part.send_due for part in parts))

    @property
    def user_id(self) -> str | None:
        return self._sender.user_id

    @property
    def connection(self) -> str:
        """One of idle, waiting, connecting, online, stopped."""
        return self._link.state

    @property
    def is_served(self) -> bool:
        """Whether there is a connection whose token is good, as far as is known."""
        return self._link.state == "online" and not self._renewal.waiting

    def effects(self) -> list[Effect]:
        """What to do now, in this order. Each is handed out once.

        Whatever is told here, to the application or to the server, is told after a Save of all that led to it.
        """
        effects, self._effects = self._effects, []
        if self._kept != (revision := self._revision()):
            self._kept = revision
            effects.insert(0, Save())
        for effect in effects:
            if isinstance(effect, Failed):
                self._sender.verdicts.handed_out(effect.call)
        return effects

    def deadline(self) -> float | None:
        """When to call `tick`, if nothing happens before."""
        if self._link.state != "online":
            return self._link.next_due()
        answer = self._exchange.next_due(self.settings.request_timeout)
        if self._renewal.waiting:
            return answer
        own = (self._link.next_due(), answer, self._stream.next_due(), self._renewal.next_due())
        if not self._stream.catchup.answered:
            return earliest(*own)
        sends = (self._sender.outbox.next_due(), self._cursors.next_due(), self._changes.next_due())
        return earliest(*own, *sends, self._watch.next_due(), self._notifications.next_due())

    # --- what the shell puts in about the connection

    def start(self) -> None:
        if self._link.state == "idle":
            self._connect()

    def identify(self, user_id: str) -> None:
        """Who this client is, as soon as that is known. Raises ParleyError for another user's state."""
        if self.user_id is not None and self.user_id != user_id:
            raise ParleyError("wrong_user", f"This client is {self.user_id}'s, and the token is {user_id}'s")
        self._sender.identify(user_id)

    def connected(self, now: float, *, token_left: float | None = None, renews: bool | None = None) -> None:
        """What is known of this connection's token: the seconds until it expires, and whether another one can be had.

        One of which only the end is known is taken to have others after it.
        """
        if self._link.state != "connecting":
            return
        self._link.connected(now)
        self._renewal.plan(now, token_left, renews=True if renews is None and token_left is not None else renews)
        self._stream.catchup.connected()
        self._own.connected()
        self._notifications.connected(now)
        self._stream.inbox.emit(ConnectionChanged("online"))
        self._pump(now)

    def renew(self, token: str, token_left: float | None, now: float) -> None:
        """A fresh token, as asked for by Renew: the connection lives on with it."""
        if self._link.state == "online":
            self._renewal.authenticate(token, token_left, now)

    def not_renewed(self, now: float) -> None:
        """Renew had no token to bring."""
        if self._link.state == "online":
            self._renewal.not_had(now)

    def notified(self, number: int, body: Frame, now: float) -> None:
        """The answer over HTTP that AskNotifications asked for."""
        self._notifications.answered(number, as_notifications(body))
        self._pump(now)

    def not_notified(self, number: int, error: ParleyError, now: float) -> None:
        """AskNotifications had no answer."""
        self._notifications.failed(number, error, now)

    def acknowledged(self, notification_id: str, now: float) -> None:
        """The server knows that the user was told."""
        self._notifications.acknowledged(notification_id, now)
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
        reason = error or ClosedError()
        self._changes.stop(reason)
        self._watch.fail(reason)
        for call in (*self._cursors.calls(), *self._syncing):
            self._do(Failed(call, reason))
        self._syncing.clear()
        self._stream.inbox.emit(ConnectionChanged("closed", error.message if error else ""))

    def receive(self, frame: Frame, now: float) -> None:
        """A frame of the current connection."""
        self._sender.verdicts.forget()
        if self._link.state != "online":
            return
        self._link.alive()
        if "success" not in frame:
            self._on_event(frame, now)
        elif not self._exchange.replied(frame, now):
            self._on_refused_token(str(frame.get("code")), now)
        self._pump(now)

    def tick(self, now: float) -> None:
        """Time has passed."""
        self._sender.verdicts.forget()
        if self._link.should_connect(now):
            self._connect()
        if self._link.is_dead(now):
            self._drop("The server no longer answers", now)
        if self._link.state != "online":
            return
        if self._renewal.has_ended(now):
            self._on_refused_token(TOKEN_EXPIRED, now)
        if self._renewal.waiting:
            self._exchange.expire(now, self.settings.request_timeout)
            return
        if self._exchange.expire(now, self.settings.request_timeout) or self._renewal.is_in_doubt(now):
            self._link.expect_pong(now)
            self._beat(now)
        if self._link.should_beat(now):
            if self._link.beat(now):
                self._stream.catchup.begin()
            self._beat(now)
        self._renewal.act(now)
        self._pump(now)

    # --- events

    def _on_event(self, frame: Frame, now: float) -> None:
        entry = as_entry(frame)
        if entry is not None:
            self._stream.entry(entry, now)
            self._on_read_along(entry, frame)
            return
        if frame.get("type") == PACK and self._on_pack(frame, now):
            return
        if frame.get("type") == USER_CHANGED:
            self._own.heard(frame)
            return
        event = as_event(frame)
        if event is None:
            self.ignored += 1
            if "connectionId" in frame:  # the gateway's own words
                self._exchange.fail_silent(now)
        elif frame.get("type") == "disconnect":
            self._on_disconnect(frame, now)
        elif isinstance(event, Notification):
            self._notifications.heard(event)
        elif isinstance(event, Presence):
            self._watch.heard(event)
        elif not self._stream.is_over(getattr(event, "conversation_id", None)):
            self._stream.inbox.emit(event)

    def _on_pack(self, frame: Frame, now: float) -> bool:
        """Each entry of a pack, as if it had come alone. False: something in it is none."""
        pack = as_pack(frame)
        for entry, each in pack.entries:
            self._stream.entry(entry, now, within=pack.within)
            self._on_read_along(entry, each)
        return pack.is_whole

    def _on_read_along(self, entry: Entry, frame: Frame) -> None:
        """A message may say how far its sender has read: a receipt like any other."""
        if isinstance(entry, Message) and "read" in frame and not self._stream.is_over(entry.conversation_id):
            about = {"conversation_id": entry.conversation_id, "user_id": entry.sender_id, "seq": frame["read"]}
            event = as_event({"type": "read", **about, "timestamp": entry.created_at})
            if event is not None:
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
        if not self.is_served:
            return
        named = self._stream.request(now)
        if named is not None:
            cursor = self._stream.catchup.cursor
            frame = {
                "type": "sync",
                "conversations": named,
                **({} if cursor is None else {"cursor": cursor}),
                **self._own.asked,
            }
            self._exchange.transmit(frame, now, self._on_synced, self._stream.sync_failed)
        if self._stream.catchup.answered:
            for send_due in self._send_due:
                send_due(now)
        if self._syncing and self._stream.caught_up():
            self._effects += [Done(call) for call in self._syncing]
            self._syncing.clear()

    def _on_synced(self, data: Frame, now: float) -> None:
        self._link.failures = 0  # this connection is of use
        self._renewal.proven()
        self._stream.synced(data, now)
        self._own.answered(data.get("user"))
        if self._stream.broken is not None:
            self._do(Disconnect("log_lost"))
            self.stop(self._stream.broken)

    def _beat(self, now: float, call: int | None = None) -> None:
        """A ping that names the open conversation, or the one in which something happened last."""
        where = self.open_conversation or self._stream.latest()
        held = self._stream.held(where)

        def done(data: Frame, later: float) -> None:
            if data.get("behind") is True and where is not None and held is not None:
                self._stream.heard_of(where, held + 1, later, within=_PACK_ON_ITS_WAY if is_channel(where) else 0.0)
            if call is not None:
                self._do(Done(call, dict(data)))

        def failed(error: ParleyError, _: float) -> None:
            if call is not None:
                self._do(Failed(call, error))

        what = {} if held is None else {"conversation_id": where, "seq": held}
        self._exchange.transmit({"type": "ping", **what}, now, done, failed, call=call)

    # --- the connection

    def _connect(self) -> None:
        self._link.state = "connecting"
        self._stream.inbox.emit(ConnectionChanged("connecting"))
        self._do(Connect())

    def _drop(self, reason: str, now: float) -> None:
        self._do(Disconnect(reason))
        self.lost(now, reason)

    def _on_refused_token(self, code: str, now: float) -> None:
        """The connection lives on with a fresh token, where there is a source of them; else it ends with its own."""
        if code == TOKEN_EXPIRED and self._renewal.begin_late():
            self._forget_requests()
        elif code == TOKEN_EXPIRED and self._renewal.is_last:
            self._do(Disconnect(code))
            self.stop(ParleyError(code, "The token has ended, and there is no other"))
        else:
            self._end_with_token(now)

    def _resume(self, now: float) -> None:
        """A token has come after the last one's end. What was posted in between never came: as after a connect."""
        self._stream.catchup.connected()
        self._own.connected()
        self._notifications.connected(now)

    def _end_with_token(self, now: float) -> None:
        self._drop("The token is no longer accepted", now)

    def _forget_connection(self) -> None:
        self._renewal.forget()
        self._forget_requests()

    def _forget_requests(self) -> None:
        """Nothing that was under way is answered any more."""
        self._exchange.connection_lost()
        self._sender.outbox.connection_lost()
        self._cursors.connection_lost()
        self._changes.connection_lost()
        self._watch.connection_lost()
        self._notifications.connection_lost()
        self._stream.connection_lost()

    def _do(self, effect: Effect) -> None:
        self._effects.append(effect)

    def _revision(self) -> tuple[object, ...]:
        """Another one each time that something changes which must not be told before it is saved.

        The own cursors are saved along: they are safe to send again, and nothing is told about them before the server
        has them. The end saves all there is.
        """
        sender, inbox = self._sender, self._stream.inbox
        numbers = (sender.outbox.revision.number, inbox.revision.number, sender.verdicts.revision.number)
        return (
            numbers,
            self._own.revision.number,
            self._stream.catchup.complete,
            sender.user_id,
            self._link.state == "stopped",
        )
