"""Simulated clients: the real client's core, and an application that takes what comes and writes down what it asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from parley_client.changes import ChangeKind
from parley_client.core import STATE_VERSION, Core
from parley_client.effects import Connect, Disconnect, Done, Failed, Renew, Save, Transmit
from parley_client.errors import ParleyError as ClientError
from parley_client.events import Entry, Message
from parley_client.settings import Settings

from shared.adapters.dynamodb.sessions import DynamoDbSessions
from tests.simulation.deployment import Deployment
from tests.simulation.functions import BASE_MS
from tests.simulation.gateway import Line
from tests.simulation.history import Operation, Seen
from tests.simulation.requests import path, request_event
from tests.simulation.tokens import ends, read, token
from tests.stores import SESSIONS

SETTINGS: Final = Settings(
    history="all",
    heartbeat=24.0,
    full_sync_every=1,
    pong_timeout=3.0,
    request_timeout=4.0,
    backoff_first=0.3,
    backoff_limit=3.0,
    delivered_delay=0.3,
    read_delay=0.4,
    read_limit=1.5,
    max_attempts=1_000,
)
HELD: Final = "held"
_MS: Final = 1_000
_REFUSED: Final = 300


@dataclass(frozen=True, slots=True)
class Synced:
    """A sync that was answered: what the client held, when it asked and when it heard, and what it was told.

    `goes_on`: from where an earlier one had ended.
    """

    held: Mapping[str, int]
    asked: float
    answered: float
    data: Mapping[str, Any]
    goes_on: bool


class Client:
    """One device of a user's. Its clock is the hub's; the core is told seconds. A browser connects by tickets."""

    def __init__(self, name: str, user: str, deployment: Deployment, operations: list[Operation]) -> None:
        self.name = name
        self.user = user
        self.seen = Seen(user)
        self.line: Line | None = None
        self.process_began = 0.0
        self.is_away = False
        self.online: list[tuple[float, float]] = []  # from when to when; the last has no end yet
        self._deployment = deployment
        self._hub = deployment.hub
        self._operations = operations
        self._waiting: dict[int, Operation] = {}
        self._ids = 0
        self._wakes_at = float("inf")
        self._dials = 0
        self._saved: dict[str, Any] | None = None
        self._asked: dict[str, tuple[Mapping[str, int], float, bool]] = {}
        self.synced: list[Synced] = []
        self.is_browser = False
        self.is_lazy = False  # lets its tokens end
        self.core = self._new_core(None)

    @property
    def now_ms(self) -> int:
        return BASE_MS + int(self._hub.now)

    def new_token(self) -> tuple[str, int]:
        """A fresh one, and when it ends (ms)."""
        life = int(self._deployment.limits.token_s * _MS)
        until = ends(self.now_ms + life)
        return token(self.user, self.now_ms // _MS * _MS, until), until

    def _token_of(self, user: str) -> tuple[str, int]:
        until = ends(self.now_ms + 60_000)
        return token(user, self.now_ms // _MS * _MS, until), until

    def _left(self, until: int) -> float | None:
        return None if self.is_lazy else (until - self.now_ms) / _MS

    @property
    def now(self) -> float:
        return self._hub.now / _MS

    def start(self) -> None:
        self.core.start()
        self._perform()

    def start_connected(self, known: Sequence[Entry], synced: Mapping[str, Any]) -> None:
        """With a saved state that has these entries, over a connection that stands and has been synced already."""
        self.seen.events = [(0.0, entry) for entry in known]
        self._saved = _state_of(self.user, known)
        self.core = self._new_core(self._saved)
        self.core.start()
        self.core.effects()
        sessions = DynamoDbSessions(self._deployment.store, sessions_table=SESSIONS)
        _, until = self.new_token()
        self.line = self._deployment.gateway.open_line(self.user, self, sessions, ends=until)
        self.online.append((self._hub.now, float("inf")))
        self.core.connected(self.now, token_left=self._left(until))
        for effect in self.core.effects():
            if isinstance(effect, Transmit):
                self.core.receive({**synced, "id": effect.frame["id"]}, self.now)
        self._perform()

    # --- what the application does

    def send(
        self, content: str | None, *, where: str, to: str | None = None, kind: str = "send", **again: Any
    ) -> Operation:
        """Into a conversation. `again`: the client_message_id and the after of a message that is sent once more."""
        detail = {"conversation_id": where, "content": content, **again}
        operation = self._begin(kind, detail)
        place: dict[str, Any] = {"to": to} if to else {"conversation_id": where}
        following = self._ids + 1
        operation.detail.setdefault("client_message_id", f"{self.name}-{following}")
        self._call(operation, lambda: self.core.send(content, self.now, **place, **again))
        if "client_message_id" not in again:
            self._ids = max(self._ids, following)  # also where it was refused before it got one
        pending = [one for one in self.core.unacked if one.client_message_id == detail["client_message_id"]]
        if pending:
            detail["after"] = pending[0].after
        return operation

    def change(self, kind: ChangeKind, where: str, seq: int, **fields: Any) -> None:
        operation = self._begin(kind, {"conversation_id": where, "seq": seq, **fields})
        self._call(operation, lambda: self.core.change(kind, where, seq, fields, self.now))

    def read(self, where: str, seq: int) -> None:
        operation = self._begin("read", {"conversation_id": where, "seq": seq})
        self._call(operation, lambda: self.core.mark("read", where, seq, self.now))

    def note_read(self, where: str, seq: int) -> None:
        """Without an answer. It is judged by what is stored and told."""
        with suppress(ClientError):
            self.core.note_read(where, seq, self.now)
        self._perform()

    def watch(self, users: list[str]) -> None:
        operation = self._begin("watch", {"users": users})
        self._call(operation, lambda: self.core.watch(users, self.now))

    def frame(self, kind: str, frame_type: str, fields: Mapping[str, Any], **detail: Any) -> Operation:
        """Some frame that is sent once."""
        operation = self._begin(kind, detail)
        self._call(operation, lambda: self.core.request(frame_type, fields, self.now))
        return operation

    def http(  # what a request consists of
        self,
        kind: str,
        method: str,
        *parts: object,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        told: Callable[[Any], Any] = lambda given: given,
        by: str | None = None,
        bearer: str | None = None,
        acting_as: str | None = None,
        then: Callable[[Operation], None] = lambda _: None,
        **detail: Any,
    ) -> Operation:
        """A request, made once. `told` is what the history keeps of its answer; `by` another user than this device's,
        `bearer` another token than a fresh one, and an empty one none, `acting_as` for whom the team's server asks.

        `then` is called with an operation that was answered.
        """
        operation = self._begin(kind, detail)
        operation.user = by or self.user
        if bearer is None:
            bearer, operation.token_ends = self.new_token() if by is None else self._token_of(by)
        elif bearer:
            operation.token_ends = read(bearer).ends

        def answered(given: tuple[int, Any] | None) -> None:
            if given is None:
                return
            status, said = given
            operation.status = status
            if status == HTTPStatus.ACCEPTED and said.get("status") == HELD:
                operation.refuse(HELD, self._hub.now)
            elif status < _REFUSED:
                operation.succeed(told(said), self._hub.now)
            else:
                operation.refuse(said["code"], self._hub.now)
            then(operation)

        event = request_event(method, path(*parts), token=bearer, body=body, query=query, acting_as=acting_as)
        self._deployment.request(event, answered)
        return operation

    # --- what happens to it

    def cut(self, *, half_open: bool = False) -> None:
        """The network goes. A half-open connection is one that nobody notices."""
        line, hub = self.line, self._hub
        if line is None:
            return
        line.vanished = True
        self._note_end()
        hub.after(20_000 if half_open else hub.random.random() * 1_500, lambda: self._deployment.gateway.hang_up(line))
        if not half_open:
            self._lose("cut")

    def leave(self) -> None:
        """Offline until `come_back`."""
        self.is_away = True
        self.cut()

    def come_back(self) -> None:
        if self.is_away:
            self.is_away = False
            if self.core.connection == "connecting":
                self._dial()

    def restart(self) -> None:
        """The process dies; another one goes on from the state that was saved last."""
        self.cut()
        self.process_began = self._hub.now
        state = json.loads(json.dumps(self._saved))
        self._waiting.clear()
        self.core = self._new_core(state)
        self.start()

    # --- the gateway's calls

    def opened(self, line: Line) -> None:
        if line is self.line and not line.vanished:
            self.core.connected(self.now, token_left=self._left(line.token_ends))
            self.online.append((self._hub.now, float("inf")))
            self._perform()

    def refused(self, line: Line) -> None:
        if line is self.line:
            self._lose("refused")

    def received(self, line: Line, data: bytes) -> None:
        if line is self.line:
            frame = json.loads(data)
            self._note_sync(frame)
            self.core.receive(frame, self.now)
            self._perform()

    def ended(self, line: Line) -> None:
        if line is self.line:
            self._lose("ended by the server")

    # --- inside

    def _new_core(self, state: Any) -> Core:
        return Core(
            new_id=self._new_id, random=self._hub.random.random, settings=SETTINGS, user_id=self.user, state=state
        )

    def _new_id(self) -> str:
        self._ids += 1
        return f"{self.name}-{self._ids}"

    def _begin(self, kind: str, detail: dict[str, Any]) -> Operation:
        operation = Operation(self.name, self.user, kind, detail, self._hub.now)
        self._operations.append(operation)
        return operation

    def _call(self, operation: Operation, ask: Callable[[], int]) -> None:
        try:
            self._waiting[ask()] = operation
        except ClientError as error:
            operation.refuse(error.code, self._hub.now)
        self._perform()

    def _note_end(self) -> None:
        if self.online and self.online[-1][1] == float("inf"):
            self.online[-1] = (self.online[-1][0], self._hub.now)

    def _lose(self, reason: str) -> None:
        self.line = None
        self._note_end()
        self.core.lost(self.now, reason)
        self._perform()

    def _dial(self) -> None:
        self._dials += 1
        if self.is_browser:
            self._dial_by_ticket(self._dials)
            return
        bearer, until = self.new_token()
        self.line = self._deployment.gateway.dial(self.user, self, ends=until, token=bearer)

    def _dial_by_ticket(self, number: int) -> None:
        """For those who can't set a header. What comes to an earlier try counts no more."""
        _, until = self.new_token()

        def ticketed(operation: Operation) -> None:
            if number != self._dials or self.line is not None:
                return
            if operation.outcome == "ok":
                ticket = operation.value["ticket"]
                self.line = self._deployment.gateway.dial(self.user, self, ends=until, ticket=ticket)
            else:
                self._lose("no ticket")

        def given_up() -> None:
            if asked.ended is None and number == self._dials and self.line is None:
                self._lose("no ticket")

        asked = self.http("ticket", "POST", "tickets", then=ticketed)
        self._hub.after(SETTINGS.request_timeout * _MS, given_up)

    def _perform(self) -> None:
        """Do what the core asks for, take what it has, and be back when it wants to be."""
        core = self.core
        while True:
            for effect in core.effects():
                self._do(effect)
            event = core.next_event(self.now)
            if event is not None:
                self.seen.events.append((self._hub.now, event))
            elif not core._effects:
                break
        deadline = core.deadline()
        if deadline is not None and deadline < self._wakes_at:
            self._wakes_at = deadline
            self._hub.after(max(0.0, deadline * _MS - self._hub.now) + 0.01, self._wake)

    def _wake(self) -> None:
        self._wakes_at = float("inf")
        self.core.tick(self.now)
        self._perform()

    def _do(self, effect: Any) -> None:
        match effect:
            case Connect():
                if not self.is_away:
                    self._dial()
            case Save():
                self._saved = self.core.state()
            case Disconnect():
                if self.line is not None:
                    self._deployment.gateway.hang_up(self.line)
                self.line = None
                self._note_end()
            case Transmit(frame):
                self._transmit(frame)
            case Renew():
                self._renew()
            case Done(call, value) if call in self._waiting:
                operation = self._waiting.pop(call)
                operation.succeed(_told(value), self._hub.now)
            case Failed(call, error) if call in self._waiting:
                self._waiting.pop(call).refuse(error.code, self._hub.now)

    def _transmit(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "sync":
            self._asked[frame["id"]] = frame["conversations"], self._hub.now, "cursor" in frame
        if self.line is not None:
            self._deployment.gateway.send(self.line, frame)

    def _note_sync(self, frame: Mapping[str, Any]) -> None:
        data = frame.get("data", {}) if "success" in frame else {}
        if data.get("type") == "sync" and frame["id"] in self._asked:
            held, asked, goes_on = self._asked[frame["id"]]
            self.synced.append(Synced(held, asked, self._hub.now, data, goes_on))

    def _renew(self) -> None:
        """A fresh token for the living connection."""
        bearer, until = self.new_token()
        if self.line is not None:
            self.line.token_ends = max(self.line.token_ends, until)
        self.core.renew(bearer, self._left(until), self.now)

    def has_all(self, heads: Mapping[str, int]) -> bool:
        """Whether it is online, nothing waits, and each of these conversations is known up to there."""
        is_idle = self.core.connection == "online" and not self.core.unacked and not self._waiting
        return is_idle and all((self.core.held(name) or 0) == head for name, head in heads.items())

    def messages(self, where: str, *, own: bool = False) -> list[Message]:
        """What the application shows of a conversation."""
        found = [entry for entry in self.seen.entries(where) if isinstance(entry, Message)]
        return [message for message in found if not own or message.sender_id == self.user]


def _state_of(user: str, known: Sequence[Entry]) -> dict[str, Any]:
    held = {entry.conversation_id: entry.seq for entry in known}
    kept: dict[str, Any] = {"left": [], "outbox": [], "cursors": []}
    return {"version": STATE_VERSION, "user_id": user, "synced": True, "conversations": held, **kept}


def _told(value: Any) -> Any:
    """What an answer says for the history: a message's place, a change's entry."""
    if hasattr(value, "entry_seq"):
        return value.entry_seq
    return getattr(value, "seq", value)
