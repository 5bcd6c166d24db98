"""A deployment in the simulation: the gateway and its connections, the stream, the queues, and what they invoke."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Final, Protocol

import functions.offline_push.handler as push_module
from functions.connect.handler import connect
from functions.disconnect.handler import disconnect
from functions.message.handler import respond
from functions.presence.handler import look
from shared.aws.session_table import DynamoDbSessions
from shared.connection.models import Registered
from shared.wire.gateway import caller_of
from tests.simulation.faults import Fault, Weather
from tests.simulation.functions import BASE_MS, CONNECTION_LIMIT, SESSIONS, Environment, Instance
from tests.simulation.scheduler import Hub, Process
from tests.simulation.services import DynamoDb, Provider, Queued, Sqs
from tests.simulation.store import Store, Written

Frame = Mapping[str, Any]
_TOKEN_MS: Final = 3_600_000
_BATCH: Final = 10
_MAX_RECEIVES: Final = 5
_VISIBILITY_MS: Final = 3_000.0
_LONGEST_LIFE: Final = 14  # steps until a killed function dies, at most
_CLOSING_MS: Final = 3_000.0  # to say goodbye to a connection, and close it


class Terminal(Protocol):
    """The client's end of a connection."""

    def opened(self, line: Line) -> None: ...
    def refused(self, line: Line) -> None: ...
    def received(self, line: Line, data: bytes) -> None: ...
    def ended(self, line: Line) -> None: ...


@dataclass(slots=True, eq=False)
class Line:
    """One WebSocket connection. `vanished`: nothing gets through any more, whatever either end believes.

    `state` is the gateway's view of it: connecting, open, closed. `closed_by_server` says why.
    """

    connection_id: str
    user_id: str
    terminal: Terminal
    opened_at: int
    expires_at: int
    state: str = "connecting"
    vanished: bool = False
    closed_by_server: bool = False
    next_arrival: float = 0.0
    opened: float = float("inf")
    ended: float = float("inf")

    def was_open_at(self, at: float) -> bool:
        """Open at that time, and long after: not about to be closed by whoever took it away."""
        return self.opened <= at and self.ended > at + _CLOSING_MS


@dataclass(frozen=True, slots=True)
class Post:
    """Something that the server has sent to a connection, and when."""

    line: Line
    event: dict[str, Any]
    at: float


@dataclass(slots=True)
class Partition:
    """One conversation's part of the stream."""

    records: deque[dict[str, Any]] = field(default_factory=deque)
    is_read: bool = False
    failures: int = 0


@dataclass(eq=False)
class Deployment:
    """`set_aside` is what came to a failure queue after all retries."""

    hub: Hub
    weather: Weather
    store: Store
    fan_out_above: int
    longest_latency: float
    posts: list[Post] = field(default_factory=list)
    lines: dict[str, Line] = field(default_factory=dict)
    set_aside: list[str] = field(default_factory=list)
    invocations: int = 0
    queued: int = 0

    def __post_init__(self) -> None:
        self._instances: dict[str, list[Instance]] = defaultdict(list)
        self._partitions: dict[str, Partition] = defaultdict(Partition)
        self._numbers = count(1)
        self.provider = Provider(self.hub, self.weather)
        self.environment = Environment(
            hub=self.hub,
            dynamodb=DynamoDb(self.hub, self.weather, self.store),
            sqs=Sqs(self.hub, self.weather, self.enqueue),
            provider=self.provider,
            request_of_gateway=self.answer_post,
            nonces=count(1),
            fan_out_above=self.fan_out_above,
        )

    # --- invocations

    def invoke(
        self, function: str, call: Callable[[Instance], Any], done: Callable[[Any], None], *, expected: object = None
    ) -> None:
        """Run `call` on some instance of a function. `done` gets its result, or None where it was killed."""
        self.invocations += 1
        instance = self._instance(function)
        dies_in = self.hub.random.randrange(_LONGEST_LIFE) if self.weather.strikes(Fault.KILLED) else None
        process = Process(function, dies_in=dies_in)
        results: list[Any] = []

        def ended() -> None:
            if not process.dead:
                self._instances[function].append(instance)
            done(results[0] if results and not process.dead else None)

        self.hub.spawn(process, lambda: results.append(call(instance)), ended)

    def _instance(self, function: str) -> Instance:
        """An idle one that is warm, or a new one. Each invocation has its instance to itself."""
        idle = self._instances[function]
        if idle and not self.weather.strikes(Fault.COLD):
            instance = idle.pop(self.hub.random.randrange(len(idle)))
        else:
            instance = Instance(self.environment)
            if self.weather.strikes(Fault.SKEWED):
                instance.skew = self.hub.random.randint(-2_000, 2_000)
        if self.weather.strikes(Fault.BACKWARDS):
            instance.skew -= self.hub.random.randint(1, 2_000)
        return instance

    def latency(self) -> float:
        return 1.0 + self.hub.random.random() * self.longest_latency

    # --- the gateway

    def dial(self, user_id: str, terminal: Terminal) -> Line:
        """A handshake that the authorizer has let in."""
        line = self.line(user_id, terminal)
        self.hub.after(self.latency(), lambda: self._handshake(line))
        return line

    def open_line(self, user_id: str, terminal: Terminal) -> Line:
        """A connection that was opened before the history begins."""
        line = self.line(user_id, terminal)
        line.state, line.opened = "open", self.hub.now
        sessions = DynamoDbSessions(self.store, sessions_table=SESSIONS)
        connection = caller_of(self._event(line, "CONNECT", "$connect")).connection
        assert isinstance(sessions.register(connection, limit=CONNECTION_LIMIT), Registered)
        return line

    def line(self, user_id: str, terminal: Terminal) -> Line:
        at = BASE_MS + int(self.hub.now)
        line = Line(f"c{next(self._numbers)}=", user_id, terminal, at, at + _TOKEN_MS)
        self.lines[line.connection_id] = line
        return line

    def _handshake(self, line: Line) -> None:
        event = self._event(line, "CONNECT", "$connect")

        def done(answer: Any) -> None:
            let_in = answer is not None and answer["statusCode"] == 200
            line.state = "open" if let_in else "closed"
            line.opened = self.hub.now if let_in else line.opened
            tell = line.terminal.opened if let_in else line.terminal.refused
            self.hub.after(self.latency(), lambda: tell(line))

        self.invoke("connect", lambda instance: connect(event, instance.wiring.connect, now=instance.now()), done)

    def send(self, line: Line, frame: Frame) -> None:
        """A frame of the client's: in order over one connection, while functions may still overtake each other."""
        line.next_arrival = max(line.next_arrival, self.hub.now) + self.latency()
        self.hub.after(line.next_arrival - self.hub.now, lambda: self._arrived(line, frame))

    def _arrived(self, line: Line, frame: Frame) -> None:
        if line.state != "open" or line.vanished:
            return
        event = self._event(line, "MESSAGE", str(frame["type"])) | {"body": json.dumps(frame)}

        def done(answer: Any) -> None:
            if answer is not None and not self.weather.strikes(Fault.REPLY_LOST):
                self._deliver(line, answer["body"].encode())

        self.invoke("message", lambda instance: respond(event, *instance.message), done)

    def answer_post(self, method: str, connection_id: str, data: bytes) -> int:
        """The @connections API."""
        self.hub.step()
        line = self.lines[connection_id]
        if method == "DELETE":
            return self._close(line)
        if self.weather.strikes(Fault.POST_LIMITED):
            return 429
        if self.weather.strikes(Fault.POST_FAILED):
            return 500
        if line.state != "open":
            return 410
        self.posts.append(Post(line, json.loads(data), self.hub.now))
        self._deliver(line, data)
        return 500 if self.weather.strikes(Fault.POST_UNKNOWN) else 200

    def _deliver(self, line: Line, data: bytes) -> None:
        def arrive() -> None:
            if line.state == "open" and not line.vanished:
                line.terminal.received(line, data)

        self.hub.after(self.latency(), arrive)

    def _close(self, line: Line) -> int:
        if line.state != "open":
            return 410
        line.closed_by_server = True
        self.hub.after(self.latency(), lambda: line.terminal.ended(line))
        self.hang_up(line)
        return 204

    def hang_up(self, line: Line) -> None:
        """The gateway has noticed the end of a connection: `$disconnect`, as best it can."""
        if line.state == "closed":
            return
        line.state, line.ended = "closed", self.hub.now
        if self.weather.strikes(Fault.DISCONNECT_LOST):
            return
        delay = self.hub.random.random() * 20_000 if self.weather.strikes(Fault.DISCONNECT_LATE) else self.latency()
        self.hub.after(delay, lambda: self._disconnect(line))
        if self.weather.strikes(Fault.DISCONNECT_TWICE):
            self.hub.after(delay + self.hub.random.random() * 3_000, lambda: self._disconnect(line))

    def _disconnect(self, line: Line) -> None:
        event = self._event(line, "DISCONNECT", "$disconnect")

        def call(instance: Instance) -> Any:
            return disconnect(event, sessions=instance.stores.sessions, checks=instance.checks, now=instance.now())

        self.invoke("disconnect", call, lambda _: None)

    def _event(self, line: Line, event_type: str, route: str) -> dict[str, Any]:
        identity = {
            "user_id": line.user_id,
            "expires_at": str(line.expires_at),
            "device_id": "device",
            "connected_at": str(line.opened_at),
        }
        return {
            "requestContext": {
                "connectionId": line.connection_id,
                "eventType": event_type,
                "routeKey": route,
                "authorizer": identity,
            }
        }

    # --- HTTP

    def request(self, call: Callable[[Instance], Any], answered: Callable[[Any], None]) -> None:
        """A request to the HTTP API: what `call` returns, or None where no answer comes."""

        def done(result: Any) -> None:
            lost = self.weather.strikes(Fault.REPLY_LOST)
            self.hub.after(self.latency(), lambda: answered(None if lost else result))

        self.hub.after(self.latency(), lambda: self.invoke("rest", call, done))

    # --- queues

    def enqueue(self, queue: str, body: str, delay: float) -> None:
        copies = 2 if self.weather.strikes(Fault.QUEUE_TWICE) else 1
        for _ in range(copies):
            late = self.hub.random.random() * 10_000 if self.weather.strikes(Fault.QUEUE_LATE) else 0.0
            message = Queued(f"m{next(self._numbers)}", body)
            self.queued += 1
            self.hub.after(delay + late + self.latency(), partial(self._consume, queue, message))

    def _consume(self, queue: str, message: Queued) -> None:
        message.received += 1

        def call(instance: Instance) -> Any:
            if queue == "presence":
                return look([message.record()], instance.wiring.telling, now=instance.now())
            return push_module.work([message.record()], instance.push)

        def done(answer: Any) -> None:
            if answer is not None and not answer["batchItemFailures"]:
                self.queued -= 1
                return
            if message.received < _MAX_RECEIVES:
                self.hub.after(_VISIBILITY_MS, lambda: self._consume(queue, message))
            else:
                self.queued -= 1
                self.set_aside.append(message.kind)

        self.invoke("presence" if queue == "presence" else "push", call, done)

    # --- the log's stream

    def stored(self, written: Written) -> None:
        """A write of the log table: inserts go to the stream."""
        if written.old is not None or written.new is None:
            return
        record = {
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"NewImage": written.new, "SequenceNumber": str(next(self._numbers))},
        }
        name = written.new["conversation_id"]["S"]
        partition = self._partitions[name]
        partition.records.append(record)
        if self.weather.strikes(Fault.RECORD_TWICE):
            partition.records.append(record)
        self._read_stream(name)

    def _read_stream(self, name: str) -> None:
        partition = self._partitions[name]
        if partition.records and not partition.is_read:
            partition.is_read = True
            self.hub.after(5.0 + self.hub.random.random() * 200.0, lambda: self._next_batch(name))

    def _next_batch(self, name: str) -> None:
        partition = self._partitions[name]
        batch = [partition.records[i] for i in range(min(_BATCH, len(partition.records)))]

        def done(answer: Any) -> None:
            self._settle(partition, batch, answer)
            partition.is_read = False
            self._read_stream(name)

        self.invoke("push", lambda instance: push_module.look_at(batch, instance.push), done)

    def _settle(self, partition: Partition, batch: list[dict[str, Any]], answer: Any) -> None:
        """Go on behind what was done: everything, or up to the record that is named as failed."""
        if answer is not None and not answer["batchItemFailures"]:
            partition.failures = 0
            if self.weather.strikes(Fault.BATCH_AGAIN):
                return
            for _ in batch:
                partition.records.popleft()
            return
        partition.failures += 1
        if answer is not None:
            failed = answer["batchItemFailures"][0]["itemIdentifier"]
            while partition.records[0]["dynamodb"]["SequenceNumber"] != failed:
                partition.records.popleft()
        if partition.failures > _MAX_RECEIVES:
            partition.failures = 0
            partition.records.popleft()
            self.set_aside.append("record")

    @property
    def is_idle(self) -> bool:
        """Nothing waits in the stream, or in a queue."""
        return not self.queued and not any(partition.records for partition in self._partitions.values())
