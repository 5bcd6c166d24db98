"""Gets the messages of the outbox stored: attempts, acks, refusals, the search after `sync_required`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from parley_client.cursors import Cursors
from parley_client.effects import Done, Effect, Failed
from parley_client.errors import ClosedError, ParleyError
from parley_client.events import Ack, Entry, Frame, Message
from parley_client.exchange import Exchange
from parley_client.outbox import Outbox, Pending, as_stored
from parley_client.parsing import as_ack
from parley_client.settings import Settings
from parley_client.stream import Stream
from parley_client.verdicts import Verdicts


@dataclass(slots=True)
class Sender:
    settings: Settings
    random: Callable[[], float]
    exchange: Exchange
    do: Callable[[Effect], None]
    user_id: str | None
    cursors: Cursors
    outbox: Outbox = field(default_factory=Outbox)
    stream: Stream = field(init=False)
    verdicts: Verdicts = field(init=False)
    _peers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stream = Stream(self.settings, self.random, self)
        self.verdicts = Verdicts(self.do, self.stream.inbox.offer)

    def private_with(self, user_id: str) -> str | None:
        """The private conversation with a user: both ids, sorted, as the protocol names it."""
        if user_id in self._peers or self.user_id is None:
            return self._peers.get(user_id)
        first, second = sorted((self.user_id, user_id))
        return f"dm:{first}:{second}"

    def identify(self, user_id: str) -> None:
        self.user_id = user_id
        self.outbox.address(self.private_with)

    def send_due(self, now: float) -> None:
        """Start what can start: of each conversation the first message, unless it is under way or backing off."""
        while self.outbox.items and (items := self.outbox.startable(now)):
            for item in items:
                self._attempt(item, now)

    def saw(self, entry: Entry) -> None:
        """Our own message in the log is as good as its ack."""
        if not isinstance(entry, Message):
            return
        for item in self.outbox.stored_as(entry, self.user_id):
            ack = Ack(
                conversation_id=entry.conversation_id,
                seq=entry.seq,
                message_id=entry.id,
                client_message_id=item.client_message_id,
                timestamp=entry.created_at,
                duplicate=item.attempts != 1,
            )
            self._settle(item, ack)

    def examined(self, conversation_id: str, upto: int) -> None:
        """The search is over; after 0 the message goes out as it was, and the server says what is wrong."""
        self.outbox.examined(conversation_id, upto)

    def abandon(self, call: int) -> None:
        for item in self.outbox.items:
            if item.call == call:
                item.call = None

    def stop(self, error: ParleyError | None) -> None:
        """Tell who waits. The messages stay in the outbox."""
        for item in self.outbox.items:
            if item.call is not None:
                closed = ClosedError(client_message_id=item.client_message_id, after=item.after)
                self.do(Failed(item.call, error or closed))
                item.call = None

    def _attempt(self, item: Pending, now: float) -> None:
        try:
            ack = self.outbox.known(item)
        except ParleyError as error:
            self._give_up(item, error)
            return
        if ack is not None:
            self._settle(item, replace(ack, duplicate=True))
            return
        self.outbox.fix(item, self.stream.held(item.conversation_id))
        item.attempts += 1
        read = self.cursors.take_along(item.conversation_id)

        def acked(data: Frame, later: float) -> None:
            self.cursors.taken_along(item.conversation_id, read, data.get("read"), later)
            self._acked(item, data, later)

        def refused(error: ParleyError, later: float) -> None:
            self.cursors.left_behind(item.conversation_id, read, later)
            self._refused(item, error, later)

        frame = item.frame() if read is None else {**item.frame(), "read": read}
        item.request, item.carries = self.exchange.transmit(frame, now, acked, refused), read

    def _acked(self, item: Pending, data: Frame, now: float) -> None:
        if data.get("status") == "held":
            item.request = None
            self._give_up(item, ParleyError("held", "The message waits for review"))
            return
        ack = as_ack(data)
        if ack is None:
            self._refused(item, ParleyError("internal", "The ack is malformed", retryable=True), now)
            return
        if item.to is not None:
            self._peers[item.to] = ack.conversation_id
            self.outbox.address(self.private_with)
        self._settle(item, ack)
        unplaced = self.stream.conversation(ack.conversation_id).held is None
        # An old message does not say where to start, and what a forwarded one says is not known here.
        if self.user_id is None or (unplaced and ack.duplicate) or item.forwards:
            self.stream.heard_of(ack.conversation_id, ack.seq, now)
        else:
            self.stream.entry(as_stored(item, ack, self.user_id), now)

    def _refused(self, item: Pending, error: ParleyError, now: float) -> None:
        item.request = None
        if error.code == "sync_required" and item.conversation_id is not None and self.user_id is not None:
            held = self.stream.held(item.conversation_id)
            item.examining = True
            self.stream.examine(item.conversation_id, held if item.watched and held is not None else item.after, now)
            return
        item.refusals += 1
        if error.retryable and item.refusals < self.settings.max_attempts:
            item.not_before = now + self.settings.pause(error.retry_after_ms, item.refusals - 1, self.random)
        else:
            self._give_up(item, error)

    def _settle(self, item: Pending, ack: Ack) -> None:
        if item.request is not None:
            self.exchange.forget(item.request)
            self.cursors.left_behind(item.conversation_id, item.carries)
        self.outbox.settled(item, ack)
        if item.call is not None:
            self.do(Done(item.call, ack))

    def _give_up(self, item: Pending, error: ParleyError) -> None:
        self.outbox.settled(item)
        if item.call is not None or self.settings.receive:
            self.verdicts.refused(item, error)
