"""API Gateway in the simulation: connections, the handshakes and frames that come in over them, posts to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from shared.domain.connections import Identity, Registered
from shared.errors import Internal, Unavailable
from shared.ports.connections import Sessions
from shared.wire.websocket.gateway import authorizer_context, caller_of
from tests.simulation import handlers
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS, Instance
from tests.simulation.runtime import Runtime
from tests.simulation.scheduler import Process

Frame = Mapping[str, Any]
_METHOD: Final = "arn:aws:execute-api:us-east-1:000000000000:api/prod/$connect"
_ANY: Final = 1_000
_LONG_AGO_MS: Final = 60_000  # it is no longer connecting
_CLOSING_MS: Final = 3_000.0  # to say goodbye to a connection, and close it


class Terminal(Protocol):
    """The client's end of a connection."""

    def opened(self, line: Line) -> None: ...
    def refused(self, line: Line) -> None: ...
    def received(self, line: Line, data: bytes) -> None: ...
    def ended(self, line: Line) -> None: ...


@dataclass(slots=True, eq=False)
class Handshake:
    """What was shown to get in, and the authorizer's word: None where it had none. `clock` (ms) is what it went by.

    `began` and `ended` are when it was asked.
    """

    token: str | None = None
    ticket: str | None = None
    origin: str | None = None
    allowed: bool | None = None
    began: float = 0.0
    ended: float = float("inf")
    clock: int = 0


@dataclass(slots=True, eq=False)
class Exchange:
    """A frame that has reached a function, and its reply; None where there was none. `at` and `ended` are when.
    `is_silent`: the function was content, and had nothing to say.

    `instance` is the one that has answered, `clock` (ms) what it went by when it began, `process` all that it did.
    """

    line: Line
    frame: Frame
    at: float
    instance: Instance | None = None
    process: Process | None = None
    clock: int = 0
    ended: float = float("inf")
    reply: dict[str, Any] | None = None
    is_silent: bool = False

    @property
    def is_done(self) -> bool:
        return bool(self.reply and self.reply["success"])

    @property
    def code(self) -> str:
        return self.reply.get("code", "") if self.reply else ""


@dataclass(slots=True, eq=False)
class Line:
    """One WebSocket connection. `vanished`: nothing gets through any more, whatever either end believes.

    `state` is the gateway's view of it: connecting, open, closed. `closed_by_server` says why. `context` is what the
    authorizer has said about it, `token_ends` (ms) the latest end of a token that was shown over it.
    """

    connection_id: str
    user_id: str
    terminal: Terminal
    token_ends: int
    context: dict[str, str] = field(default_factory=dict)
    state: str = "connecting"
    vanished: bool = False
    closed_by_server: bool = False
    next_arrival: float = 0.0
    opened: float = float("inf")
    ended: float = float("inf")
    handshake: Handshake | None = None

    def was_open_at(self, at: float) -> bool:
        """Open at that time, and long after: not about to be closed by whoever took it away."""
        return self.opened <= at and self.ended > at + _CLOSING_MS


@dataclass(frozen=True, slots=True)
class Post:
    """Something that the server has sent to a connection, when, and when the function was invoked that did."""

    line: Line
    event: dict[str, Any]
    at: float
    began: float


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification that a function has tried to post, whether or not it got through."""

    name: str
    line: Line
    at: float
    process: Process


@dataclass(eq=False)
class Gateway:
    """`lines` are all connections that ever were, by id; `posts` is all that got through to one.

    `gone` are the posts to connections that were no more, `exchanges` all frames that came to a function, `notices` the
    notifications that were tried.
    """

    runtime: Runtime
    lines: dict[str, Line] = field(default_factory=dict)
    posts: list[Post] = field(default_factory=list)
    gone: list[tuple[float, Line, str]] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._hub, self._fault_model, self._numbers = self.runtime.hub, self.runtime.fault_model, self.runtime.numbers
        self._invoke, self._latency = self.runtime.invoke, self.runtime.latency

    def dial(
        self,
        user_id: str,
        terminal: Terminal,
        *,
        ends: int,
        token: str | None = None,
        ticket: str | None = None,
        origin: str | None = None,
    ) -> Line:
        """A handshake, with a token that ends then (ms), or with a ticket."""
        line = self._line(user_id, terminal, ends)
        line.handshake = Handshake(token, ticket, origin)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        event = {
            "type": "REQUEST",
            "methodArn": _METHOD,
            "headers": headers | ({"Origin": origin} if origin else {}),
            "queryStringParameters": {"device_id": "device", **({"ticket": ticket} if ticket else {})},
            "requestContext": {"connectionId": line.connection_id, "routeKey": "$connect"},
        }
        self._hub.after(self._latency(), lambda: self._authorize(line, event))
        return line

    def open_line(self, user_id: str, terminal: Terminal, sessions: Sessions, *, ends: int) -> Line:
        """A connection that was opened before the history begins, and stands in `sessions`."""
        line = self._line(user_id, terminal, ends)
        line.state, line.opened = "open", self._hub.now
        identity = Identity(user_id, ends)
        since = BASE_MS + int(self._hub.now) - _LONG_AGO_MS
        line.context = authorizer_context(identity, device_id="device", connected_at=since)
        connection = caller_of(self._event(line, "CONNECT", "$connect")).connection
        assert isinstance(sessions.register(connection, limit=_ANY), Registered)
        return line

    def _line(self, user_id: str, terminal: Terminal, ends: int) -> Line:
        line = Line(f"c{next(self._numbers)}=", user_id, terminal, ends)
        self.lines[line.connection_id] = line
        return line

    def _authorize(self, line: Line, event: dict[str, Any]) -> None:
        shown = line.handshake
        assert shown is not None
        shown.began = self._hub.now

        def call(instance: Instance) -> Any:
            shown.clock = instance.now()
            try:
                return handlers.authorizer(instance, event)
            except (Unavailable, Internal):
                return None  # the gateway says 500, and the client tries again

        def done(policy: Any) -> None:
            shown.ended = self._hub.now
            if policy is not None:
                shown.allowed = policy["policyDocument"]["Statement"][0]["Effect"] == "Allow"
            if shown.allowed:
                line.context = policy["context"]
                line.token_ends = max(line.token_ends, int(line.context["expires_at"]))
                self._handshake(line)
            else:
                line.state = "closed"
                self._hub.after(self._latency(), lambda: line.terminal.refused(line))

        self._invoke("authorizer", call, done)

    def _handshake(self, line: Line) -> None:
        event = self._event(line, "CONNECT", "$connect")

        def done(answer: Any) -> None:
            is_wanted = line.state == "connecting"  # its client has not given up meanwhile
            let_in = is_wanted and answer is not None and answer["statusCode"] == 200
            line.state = "open" if let_in else "closed"
            line.opened = self._hub.now if let_in else line.opened
            tell = line.terminal.opened if let_in else line.terminal.refused
            self._hub.after(self._latency(), lambda: tell(line))

        self._invoke("connect", lambda instance: handlers.connect(instance, event), done)

    def send(self, line: Line, frame: Frame) -> None:
        """A frame of the client's: in order over one connection, while functions may still overtake each other."""
        line.next_arrival = max(line.next_arrival, self._hub.now) + self._latency()
        self._hub.after(line.next_arrival - self._hub.now, lambda: self._arrived(line, frame))

    def _arrived(self, line: Line, frame: Frame) -> None:
        if line.state != "open" or line.vanished:
            return
        event = self._event(line, "MESSAGE", str(frame["type"])) | {"body": json.dumps(frame)}
        exchange = Exchange(line, frame, self._hub.now)
        self.exchanges.append(exchange)

        def call(instance: Instance) -> Any:
            exchange.instance, exchange.clock = instance, instance.now()
            return handlers.message(instance, event)

        def done(answer: Any) -> None:
            exchange.ended = self._hub.now
            if answer and answer["body"]:
                exchange.reply = json.loads(answer["body"])
            exchange.is_silent = answer is not None and exchange.reply is None
            if frame["type"] == "auth" and exchange.is_done and exchange.reply is not None:
                line.token_ends = max(line.token_ends, exchange.reply["data"]["expires_at"])
            if answer and answer["body"] and not self._fault_model.strikes(Fault.REPLY_LOST):
                self._deliver(line, answer["body"].encode())

        exchange.process = self._invoke("message", call, done)

    def answer_post(self, method: str, connection_id: str, data: bytes) -> int:
        """The @connections API."""
        self._hub.step()
        line = self.lines[connection_id]
        if method == "DELETE":
            return self._close(line)
        process, event = self._hub.process, json.loads(data)
        if "success" in event:
            return self._answer(line, event, data)
        if process is not None:
            process.posted.append((line, event))
            if event["type"] == "notification":
                self.notices.append(Notice(event["notification"]["id"], line, self._hub.now, process))
        if self._fault_model.strikes(Fault.POST_LIMITED):
            return 429
        if self._fault_model.strikes(Fault.POST_FAILED):
            return 500
        if line.state != "open":
            self.gone.append((self._hub.now, line, event["type"]))
            return 410
        self.posts.append(Post(line, event, self._hub.now, process.began if process else 0.0))
        self._deliver(line, data)
        return 500 if self._fault_model.strikes(Fault.POST_UNKNOWN) else 200

    def _answer(self, line: Line, reply: dict[str, Any], data: bytes) -> int:
        """A reply that is posted, since its route has no response: it is said once, or not at all."""
        exchange = next(one for one in reversed(self.exchanges) if one.process is self._hub.process)
        exchange.reply = reply
        if line.state != "open":
            return 410
        if not self._fault_model.strikes(Fault.REPLY_LOST):
            self._deliver(line, data)
        return 200

    def _deliver(self, line: Line, data: bytes) -> None:
        def arrive() -> None:
            if line.state == "open" and not line.vanished:
                line.terminal.received(line, data)

        self._hub.after(self._latency(), arrive)

    def _close(self, line: Line) -> int:
        if line.state != "open":
            return 410
        line.closed_by_server = True
        self._hub.after(self._latency(), lambda: line.terminal.ended(line))
        self.hang_up(line)
        return 204

    def hang_up(self, line: Line) -> None:
        """The gateway has noticed the end of a connection: `$disconnect`, as best it can."""
        if line.state == "closed":
            return
        line.state, line.ended = "closed", self._hub.now
        if self._fault_model.strikes(Fault.DISCONNECT_LOST):
            return
        delay = (
            self._hub.random.random() * 20_000 if self._fault_model.strikes(Fault.DISCONNECT_LATE) else self._latency()
        )
        self._hub.after(delay, lambda: self._disconnect(line))
        if self._fault_model.strikes(Fault.DISCONNECT_TWICE):
            self._hub.after(delay + self._hub.random.random() * 3_000, lambda: self._disconnect(line))

    def _disconnect(self, line: Line) -> None:
        event = self._event(line, "DISCONNECT", "$disconnect")

        self._invoke("disconnect", lambda instance: handlers.disconnect(instance, event), lambda _: None)

    def _event(self, line: Line, event_type: str, route: str) -> dict[str, Any]:
        return {
            "requestContext": {
                "connectionId": line.connection_id,
                "eventType": event_type,
                "routeKey": route,
                "authorizer": line.context,
            }
        }
