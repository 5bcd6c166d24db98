"""A whole deployment in memory: the real functions, core and adapters, over services whose every call is a step."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, cast

import jwt

from functions.connect.authorizer import authorize
from functions.connect.handler import connect
from functions.disconnect.handler import disconnect
from functions.files.handler import UploadNotCheckedError, check, release_files
from functions.files.handler import Wiring as FilesWiring
from functions.message.handler import Guard, respond
from functions.message.wiring import Wiring as MessageWiring
from functions.offline_push.handler import look_at, work
from functions.offline_push.wiring import SqsShardQueue
from functions.offline_push.wiring import Wiring as PushWiring
from functions.presence.handler import look
from functions.rest.api import make_api
from functions.rest.api import respond as respond_http
from functions.rest.wiring import Wiring as RestWiring
from shared.adapters.aws.calls import ApiGatewayConnections, JsonService
from shared.adapters.aws.push_queues import SqsBroadcastQueue, SqsDeliveryCheckQueue, SqsPushQueue, SqsSweepQueue
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue
from shared.auth.tokens import SecretKey, TokenVerifier
from shared.domain.devices import FCM
from shared.domain.files import IMAGE, Checked, File
from shared.errors import Unavailable
from tests.dynamodb import FaultModel, NoFaults, Store, Written
from tests.fakes import FakeClock, FakeNonces, FakeObjects, FakeReminderScheduler
from tests.faults.services import Connections, DynamoDb, Gateway, Message, Provider, Sqs
from tests.faults.steps import Stepping, Steps
from tests.functions.events import HOUR, NOW, authorizer_of, frame_event, handshake_event, http_event, websocket_event
from tests.stores import LOG, Stores, adapters
from tests.wiring import Wiring, at_once

SECRET = "s" * 64
INLINE_LIMIT = 4
GRACE_S = 10


@dataclass
class FaultHarness:
    """`stream` is what the log's stream has to hand over. `lasting` are connections that nothing has a reason to end.

    `tables` are those of another harness, pickled. `notes` are a test's own.
    """

    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    steps: Steps = field(default_factory=Steps)
    gateway: Gateway = field(default_factory=Gateway)
    objects: FakeObjects = field(default_factory=FakeObjects)
    scheduler: FakeReminderScheduler = field(default_factory=FakeReminderScheduler)
    provider: Provider = field(default_factory=Provider)
    stream: list[dict[str, Any]] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)
    lasting: set[str] = field(default_factory=set)
    tables: bytes = b""
    fault_model: FaultModel = field(default_factory=NoFaults)
    notes: dict[str, Any] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    nonces: FakeNonces = field(init=False)
    unexpected: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = Store(fault_model=self.fault_model, on_write=self._on_write, now_ms=self.clock)
        if self.tables:
            self.store._tables = pickle.loads(self.tables)
        self.sqs = Sqs(self.steps)
        self.nonces = FakeNonces(self.numbers)

    def _on_write(self, written: Written) -> None:
        self.written.append(written)
        if written.table == LOG:
            kind = "INSERT" if written.old is None else "MODIFY"
            number = f"{len(self.written):021}"
            image = {"NewImage": written.new, "SequenceNumber": number}
            self.stream.append({"eventName": kind, "eventSource": "aws:dynamodb", "dynamodb": image})

    # --- what the functions are wired with

    @cached_property
    def dynamodb(self) -> DynamoDb:
        return DynamoDb(self.store, self.steps)

    @cached_property
    def connections(self) -> ApiGatewayConnections:
        return Connections(self.gateway, self.steps)

    def queue(self, name: str) -> SqsQueue:
        return SqsQueue(cast("JsonService", self.sqs), f"http://queues/{name}")

    @cached_property
    def checks(self) -> SqsPresenceChecks:
        return SqsPresenceChecks(self.queue("presence"), grace_s=GRACE_S, now=self.clock)

    @cached_property
    def stores(self) -> Stores:
        return adapters(self.dynamodb, new_nonce=self.nonces)

    @property
    def wiring(self) -> Wiring:
        return Wiring(self.stores, self.connections, self.clock, self.nonces, checks=self.checks)

    @property
    def verifier(self) -> TokenVerifier:
        return TokenVerifier(SecretKey(lambda: SECRET), now=self.clock)

    @cached_property
    def message_wiring(self) -> MessageWiring:
        return self.wiring.message(verify=self.verifier.verify, inline_limit=INLINE_LIMIT)

    @cached_property
    def guard(self) -> Guard:
        """What one instance of the message function remembers. Deleting it is a cold start."""
        return self.wiring.guard()

    @cached_property
    def rest_wiring(self) -> RestWiring:
        return self.wiring.rest(
            verifier=self.verifier,
            objects=self.stepped_objects,
            scheduler=cast("Any", Stepping(self.scheduler, self.steps)),
            delivery_checks=SqsDeliveryCheckQueue(self.queue("look")),
            broadcast_queue=SqsBroadcastQueue(self.queue("fan-out")),
            new_secret=lambda: f"s{next(self.numbers):042}",
            inline_limit=INLINE_LIMIT,
            reminder_limit=5,
        )

    @cached_property
    def stepped_objects(self) -> Any:
        return Stepping(self.objects, self.steps, "upload", "download_url")

    @cached_property
    def push_wiring(self) -> PushWiring:
        return self.wiring.push(
            provider=cast("Any", Stepping(self.provider, self.steps)),
            push_queue=SqsPushQueue({FCM: self.queue("push")}),
            delivery_checks=SqsDeliveryCheckQueue(self.queue("look")),
            shard_queue=SqsShardQueue(self.queue("fan-out")),
            broadcast_queue=SqsBroadcastQueue(self.queue("fan-out")),
            sweep_queue=SqsSweepQueue(self.queue("looks")),
        )

    @property
    def files_wiring(self) -> FilesWiring:
        return FilesWiring(self.stores.files, self.stepped_objects, _inspect, at_once)

    def wire(self, connections: ApiGatewayConnections) -> None:
        """From now on every function posts by this."""
        self.connections = connections
        for name in ("message_wiring", "guard", "rest_wiring", "push_wiring"):
            self.__dict__.pop(name, None)

    def cold(self) -> None:
        """Every function starts in a new instance, which remembers nothing."""
        for name in ("guard", "rest_wiring", "push_wiring"):
            self.__dict__.pop(name, None)

    # --- clients

    def token(self, user_id: str, *, scope: str = "", lives_s: int = HOUR // 1_000) -> str:
        at = self.clock() // 1_000
        claims = {"sub": user_id, "iat": at, "exp": at + lives_s, **({"scope": scope} if scope else {})}
        return jwt.encode(claims, SECRET, algorithm="HS256")

    def say(self, connection_id: str, frame: Mapping[str, Any], **authorizer: Any) -> dict[str, Any]:
        """A frame over a connection, which is named after its user: `alice1`, `alice11`. The reply.

        Its token is the handshake's; in an hour another one's.
        """
        user_id, until = connection_id.rstrip("1"), NOW + HOUR
        given = {"expires_at": until if self.clock() < until else self.clock() + HOUR, **authorizer}
        event = frame_event(frame, user_id=user_id, connection_id=connection_id, **given)
        reply: dict[str, Any] = json.loads(respond(event, self.message_wiring, self.guard)["body"])
        return reply

    def call(self, user_id: str, method: str, path: str, body: Any = None, *, scope: str = "") -> tuple[int, Any]:
        """A request to the HTTP API. Status and body."""
        event = http_event(method, f"/v1{path}", token=self.token(user_id, scope=scope), body=body)
        _CURRENT.harness = self
        answer = respond_http(event, _api())
        return answer["statusCode"], json.loads(answer["body"]) if answer["body"] else None

    def dial(self, connection_id: str, *, ticket: str | None = None) -> int:
        """A handshake: the authorizer, then $connect. Only then the connection is open."""
        user_id = connection_id.rstrip("1")
        bearer = None if ticket else {"Authorization": f"Bearer {self.token(user_id)}"}
        handshake = handshake_event(headers=bearer, query={"ticket": ticket} if ticket else None)
        tickets = self.stores.tickets
        try:
            policy = authorize(handshake, verifier=self.verifier, tickets=tickets, allowed_origins="", now=self.clock())
        except Unavailable:
            return 500  # as the gateway says it where an authorizer fails
        if policy["policyDocument"]["Statement"][0]["Effect"] != "Allow":
            return 403
        context = authorizer_of(user_id, connected_at=self.clock(), expires_at=self.clock() + HOUR)
        event = websocket_event("CONNECT", "$connect", connection_id=connection_id, authorizer=context)
        status: int = connect(event, self.wiring.connect, now=self.clock)["statusCode"]
        if status == 200:
            self.gateway.open[connection_id] = user_id
        return status

    def hang_up(self, connection_id: str) -> int:
        """The client is gone, and the gateway says so."""
        self.gateway.open.pop(connection_id, None)
        context = authorizer_of(connection_id.rstrip("1"))
        event = websocket_event("DISCONNECT", "$disconnect", connection_id=connection_id, authorizer=context)
        status: int = disconnect(event, stores=self.stores, checks=self.checks, now=self.clock())["statusCode"]
        return status

    # --- what happens by itself

    def hand_over(self) -> list[dict[str, Any]]:
        """What the event sources let through of the stream, which has handed it over with this."""
        records, self.stream[:] = list(self.stream), []
        return [record for record in records if record["eventName"] == "INSERT" and _passes(record)]

    def push(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        """The stream's records to the function for pushes."""
        return look_at(records, self.push_wiring)

    def release(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        """The stream's records to the function for files."""
        return release_files(records, self.files_wiring)

    def arrived(self, file_id: str) -> None:
        """The event that something was uploaded."""
        try:
            check({"detail": {"object": {"key": f"uploads/{file_id}"}}}, self.files_wiring)
        except UploadNotCheckedError as failed:
            raise AssertionError("comes again") from failed

    def take(self, name: str) -> list[Message]:
        """All that a queue holds, as soon as it may be seen."""
        messages, self.sqs.queues[name][:] = list(self.sqs.queues[name]), []
        self.clock.advance(1_000 * max((message.delay_s for message in messages), default=0))
        return messages

    def carry_out(self, name: str, messages: list[Message]) -> list[Message]:
        """A queue's messages to its function. Those that it wants to have again."""
        ids = {f"m{next(self.numbers)}": message for message in messages}
        records = [message.record(key) for key, message in ids.items()]
        is_look = name == "presence"
        answer = look(records, self.wiring.presence, now=self.clock) if is_look else work(records, self.push_wiring)
        return [ids[failure["itemIdentifier"]] for failure in answer["batchItemFailures"]]

    def settle(self) -> None:
        """Until nothing more happens. What fails without anything being wrong fails the test."""
        while self.stream or any(self.sqs.queues.values()):
            records = self.hand_over()
            assert self.push(records)["batchItemFailures"] == []
            assert self.release(records)["batchItemFailures"] == []
            for name in ("fan-out", "look", "push", "presence"):
                if messages := self.take(name):
                    assert self.carry_out(name, messages) == []


def _inspect(file: File, head: bytes) -> Checked:
    """Bytes are what they are declared to be where they say so."""
    if head.startswith(b"bad"):
        return Checked("wrong_type")
    return Checked(None, 4, 3, b"small") if file.kind == IMAGE else Checked()


def _passes(record: Mapping[str, Any]) -> bool:
    """The filters of the event sources."""
    image = record["dynamodb"]["NewImage"]
    return image["kind"]["S"] in {"message", "message_deleted"} or "fan_out" in image


@dataclass
class _Current:
    """The harness that the one HTTP API works in: making an API takes longer than all requests of a test."""

    harness: FaultHarness | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(cast("FaultHarness", self.harness).rest_wiring, name)


_CURRENT = _Current()


@cache
def _api() -> Any:
    def unexpected(error: Exception) -> None:
        cast("FaultHarness", _CURRENT.harness).unexpected.append(error)

    return make_api(cast("RestWiring", _CURRENT), unexpected=unexpected)
