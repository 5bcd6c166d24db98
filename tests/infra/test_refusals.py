"""Every service, and everything that it may be refused for: what the client hears, the one line, the metric, the alarm.

The functions and their adapters are the real ones. One service is refused over a real socket; the others work, in
memory. The alarm is looked up in the synthesized template, by the very dimensions that were written.
"""

from __future__ import annotations

import importlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from shared.adapters.aws import s3 as s3_module
from shared.adapters.aws import transport
from shared.adapters.aws.calls import ApiGatewayConnections, SideBySide
from shared.adapters.aws.refusals import DENIED, FAILED, REFUSED, THROTTLED, UNREACHABLE
from shared.adapters.aws.sdk import Sdk
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.aws.transport import Pool, Response
from shared.adapters.dynamodb.client import batch_get, dynamodb
from shared.adapters.dynamodb.sessions import DynamoDbSessions
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.auth.tokens import make_verifier
from shared.clock import Deadline
from shared.config import AuthorizerSettings, AwsEnvironment, FilesSettings, MessageSettings, RestSettings
from shared.domain.connections import Identity, LimitReached, opened
from shared.domain.files import FILE, File
from shared.domain.pushes import Misconfigured, PushResult, Refused
from shared.errors import Internal, Unavailable
from shared.observability import FunctionObserver, make_logger
from shared.ports.stores import SessionStores
from tests.functions.events import authorizer_of, frame_event, handshake_event, http_event, websocket_event
from tests.infra.templates import watched
from tests.load.network import Network
from tests.shared.adapters.aws.certificates import tls_contexts
from tests.shared.adapters.aws.servers import Reply, ScriptedServer, reply
from tests.shared.auth.minting import claims, token
from tests.wire import in_turn

if TYPE_CHECKING:
    from pathlib import Path

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

USER = "User: arn:aws:sts::123456789012:assumed-role/Parley-prod-Role/f is not authorized to perform: "
NOT_ALLOWED = USER + "{action} on resource: arn:aws:{service}:eu-west-1:123456789012:thing because no policy allows it"
NO_KEY = USER + "kms:Decrypt on resource: arn:aws:kms:eu-west-1:123456789012:key/1 (Service: AWS KMS)"
CANARY = "attack at dawn"


@dataclass(frozen=True)
class Service:
    """How a service says what it refuses. `answers` are status and code of each fault that is no fault of the way."""

    name: str
    action: str
    write: Callable[[int, str, str], Reply]
    answers: Mapping[str, tuple[int, str, str]]


def as_json(status: int, code: str, text: str) -> Reply:
    return reply(status, json.dumps({"__type": f"com.amazon.coral.service#{code}", "message": text}).encode())


def by_header(status: int, code: str, text: str) -> Reply:
    return reply(
        status, json.dumps({"message": text}).encode(), headers=f"x-amzn-ErrorType: {code}:http://internal/\r\n"
    )


def without_body(status: int, code: str, text: str) -> Reply:
    """S3's answers to HEAD: nothing but a status."""
    return Reply(f"HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode(), "close")


HTTP_403 = (403, "HTTP403", DENIED)
HTTP_413 = (413, "HTTP413", REFUSED)
SERVICES = {
    "dynamodb": Service(
        *("dynamodb", "dynamodb:PutItem", as_json),
        {
            "access denied": (400, "AccessDeniedException", DENIED),
            "KMS denied": (400, "AccessDeniedException", DENIED),
            "throttled": (400, "ProvisionedThroughputExceededException", THROTTLED),
            "403": (403, "UnrecognizedClientException", DENIED),
            "413": HTTP_413,
        },
    ),
    "sqs": Service(
        *("sqs", "sqs:SendMessage", as_json),
        {
            "access denied": (403, "AccessDenied", DENIED),
            "KMS denied": (400, "KmsAccessDenied", DENIED),
            "throttled": (400, "RequestThrottled", THROTTLED),
            "403": (403, "InvalidSecurity", DENIED),
            "413": HTTP_413,
        },
    ),
    "secretsmanager": Service(
        *("secretsmanager", "secretsmanager:GetSecretValue", as_json),
        {
            "access denied": (400, "AccessDeniedException", DENIED),
            "KMS denied": (400, "AccessDeniedException", DENIED),
            "throttled": (400, "ThrottlingException", THROTTLED),
            "403": HTTP_403,
            "413": HTTP_413,
        },
    ),
    "execute-api": Service(
        *("execute-api", "execute-api:ManageConnections", by_header),
        {
            "access denied": (403, "AccessDeniedException", DENIED),
            "400": (400, "BadRequestException", REFUSED),
            "throttled": (429, "LimitExceededException", THROTTLED),
            "403": (403, "ForbiddenException", DENIED),
            "413": (413, "PayloadTooLargeException", REFUSED),
        },
    ),
    "s3": Service(
        *("s3", "s3:GetObject", without_body),
        {
            "access denied": (403, "403", DENIED),
            "throttled": (503, "503", FAILED),  # of HEAD: no code says that it is SlowDown
            "403": (403, "403", DENIED),
            "413": (413, "413", REFUSED),
        },
    ),
    "scheduler": Service(
        *("scheduler", "scheduler:CreateSchedule", by_header),
        {
            "access denied": (403, "AccessDeniedException", DENIED),
            "KMS denied": (403, "AccessDeniedException", DENIED),
            "throttled": (429, "ThrottlingException", THROTTLED),
            "403": (403, "InvalidSignatureException", DENIED),
            "413": (413, "413", REFUSED),
        },
    ),
}
ON_THE_WAY = {"bad TLS": "TlsError", "DNS": "DnsError", "timeout": "Timeout"}
CASES = [(name, fault) for name, service in SERVICES.items() for fault in (*service.answers, *ON_THE_WAY)]
# What passes by itself may be asked for again; what does not, the client can only report.
PASSES = {"throttled", *ON_THE_WAY}


@dataclass
class Told:
    """What an operator has: the lines (not metrics) and the metrics, since the test began."""

    lines: list[logging.LogRecord]
    metrics: list[dict[str, Any]]


@dataclass
class World:
    """A population in memory, of which one service is refused at `url`."""

    refused: Service
    url: str
    network: Network = field(default_factory=lambda: Network(lambda: time.time_ns() // 1_000_000))
    is_refused: bool = True

    def request(self, pool: Pool, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        if not self.is_refused or _service_of(path, headers) != self.refused.name:
            return self.network.request(pool.host, method, path, headers, body)
        there = Pool(self.url)
        try:
            return _REQUEST(there, method, path, headers, body)
        finally:
            there._drop_idle()

    def asked(self) -> Callable[..., Response]:
        """In place of `Pool.request`, which is called as a method."""

        def ask(pool: Pool, method: str, path: str, headers: Mapping[str, str], body: bytes, **_: float) -> Response:
            return self.request(pool, method, path, headers, body)

        return ask

    @property
    def environment(self) -> AwsEnvironment:
        """boto3 goes where it is told to, everything else by way of `request`."""
        return AwsEnvironment("eu-west-1", "AKID", "secret", "", self.url)


_REQUEST = Pool.request


def _service_of(path: str, headers: Mapping[str, str]) -> str:
    target = headers.get("x-amz-target", "")
    names = {"DynamoDB": "dynamodb", "AmazonSQS": "sqs", "secretsmanager": "secretsmanager"}
    return next((name for prefix, name in names.items() if target.startswith(prefix)), "execute-api")


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[Service, str], str]]:
    """Where a service is refused: a server that says so, keeps silent, shows a bad certificate, or is not there."""
    made: list[ScriptedServer] = []

    def at(service: Service, fault: str) -> str:
        if fault == "DNS":
            return "http://nowhere.invalid"
        tls = tls_contexts(tmp_path)[0] if fault == "bad TLS" else None
        made.append(ScriptedServer(lambda _: _answer(service, fault), tls=tls))
        return made[0].url

    yield at
    for server in made:
        server.close()


def _answer(service: Service, fault: str) -> Reply:
    if fault == "timeout":
        return Reply(then="hang")
    status, code, _ = service.answers[fault]
    if code.startswith("HTTP"):
        return reply(status, b"", then="close")  # of what stands before a service
    text = NO_KEY if fault == "KMS denied" else NOT_ALLOWED.format(action=service.action, service=service.name)
    return service.write(status, code, text if "denied" in fault else f"you said: {CANARY}")


@pytest.fixture(autouse=True)
def _impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a silence is tested; who is answered is waited for."""
    callspec = getattr(request.node, "callspec", None)
    waits_s = 0.03 if callspec is None or callspec.params.get("fault", "timeout") == "timeout" else 5.0
    for name in ("READ_TIMEOUT_S", "KEPT_TIMEOUT_S"):
        monkeypatch.setattr(transport, name, waits_s)
    monkeypatch.setattr(s3_module, "READ_TIMEOUT_S", waits_s)
    monkeypatch.setitem(cast("dict[str, Any]", Sdk.__init__.__kwdefaults__), "read_timeout_s", waits_s)
    monkeypatch.setattr(Deadline, "pause", lambda _, __: None)


_NUMBERS = count()


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], Told]:
    """A logger of its own for each test: powertools' write to the standard output that there was at first."""
    make_logger(f"matrix-{next(_NUMBERS)}", "INFO", "prod")

    def look() -> Told:
        written = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
        records = [one for one in caplog.records if one.levelno >= logging.WARNING and one.name.startswith("parley")]
        return Told(records, [line for line in written if "_aws" in line])

    return look


# --- one thing that a client does for each service, and what is heard of it


def now() -> int:
    return time.time_ns() // 1_000_000


def say(world: World) -> Any:
    """A message to Bob, who is online; its code, or "ok". Whatever happens he stays registered."""
    message = importlib.import_module("functions.message.handler")
    wiring = importlib.import_module("functions.message.wiring")
    wired, limiters = wiring.wire(MessageSettings.load(), world.environment, logging.getLogger())
    is_refused, world.is_refused = world.is_refused, False
    bobs = opened("b1=", Identity("bob", now() + 600_000), device_id="", connected_at=now() - 60_000)
    wired.stores.sessions.register(bobs, limit=5, drop=[])
    world.is_refused = is_refused
    guard = message.Guard(limiters, wired.stores, wired.services)
    frame = {"type": "message", "to": "bob", "content": CANARY, "client_message_id": "1"}
    event = frame_event(frame, expires_at=now() + 60_000, connected_at=now())
    answer = json.loads(message.respond(event, wired, guard)["body"])
    world.is_refused = False
    assert [one.connection_id for one in wired.stores.sessions.of(["bob"])["bob"]] == ["b1="]
    return "ok" if answer["success"] else answer["code"]


def hang_up(world: World) -> Any:
    """The last connection of a user ends, for which a presence check is queued. The gateway hears a status."""
    handler = importlib.import_module("functions.disconnect.handler")
    store = DynamoDbSessions(dynamodb(world.environment), sessions_table="sessions")
    alices = opened("a1=", Identity("alice", now() + 600_000), device_id="", connected_at=now() - 60_000)
    store.register(alices, limit=5, drop=[])
    checks = SqsPresenceChecks(SqsQueue(sqs(world.environment), "http://x/presence"), grace_s=1, now=now)
    event = websocket_event("DISCONNECT", "$disconnect", connection_id="a1=", authorizer=authorizer_of("alice"))
    try:
        status: int = handler.disconnect(event, stores=SessionStores(store), checks=checks, now=now())["statusCode"]
    except Internal:
        return "internal"
    return {503: "unavailable"}[status]


def shake_hands(world: World) -> Any:
    """A handshake with a token that must be verified by the secret. What the gateway makes of it is a 500."""
    authorizer = importlib.import_module("functions.connect.authorizer")
    verifier = make_verifier(AuthorizerSettings.load(), world.environment, now=now)
    event = handshake_event(headers={"Authorization": f"Bearer {_token()}"})
    with pytest.raises(Unavailable):
        authorizer.authorize(event, verifier=verifier, tickets=None, allowed_origins="", now=now())
    return "unavailable"


def remind_me(world: World) -> Any:
    """A reminder over the HTTP API; the code of its answer."""
    rest = importlib.import_module("functions.rest.handler")
    api = importlib.import_module("functions.rest.api")
    app = api.make_api(rest._wire(RestSettings.load(), world.environment), unexpected=rest._log_unexpected)

    def ask(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        answered: dict[str, Any] = api.respond(http_event("POST", path, token=_token(), body=body), app)
        return answered

    place = "/v1/conversations/dm:alice:bob/messages"
    assert ask("/v1/conversations", {"type": "private", "with": "bob"})["statusCode"] == 201
    assert ask(place, {"content": CANARY})["statusCode"] == 201
    return json.loads(ask(f"{place}/1/reminders", {"at": now() + 3_600_000})["body"])["code"]


def look_at_upload(world: World) -> Any:
    """An upload that arrived. No client waits: it stays pending, and the event comes again."""
    files = importlib.import_module("functions.files.handler")
    wiring = files._wire(FilesSettings.load(), world.environment)
    file = File("f1", "alice", FILE, "a.pdf", "application/pdf", 5, now(), now() + 60_000)
    wiring.begin()
    wiring.files.create(file)
    with pytest.raises(files.UploadNotCheckedError):
        files.check({"detail": {"object": {"key": "uploads/f1"}}}, wiring)
    return "again"


def _token() -> str:
    return token(claims(iat=now() // 1_000 - 1, exp=now() // 1_000 + 60))


ACTS = {
    "dynamodb": (say, "internal"),
    "sqs": (hang_up, "internal"),
    "secretsmanager": (shake_hands, "unavailable"),
    "execute-api": (say, "ok"),
    "s3": (look_at_upload, "again"),
    "scheduler": (remind_me, "internal"),
}


def heard(service: str, fault: str) -> str:
    """What the client hears: where it may pass, to try again later; a post is no matter of its sender."""
    refused = ACTS[service][1]
    return "unavailable" if refused == "internal" and fault in PASSES else refused


def alarms_on(resources: Resources, line: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that watch what a metric line counts, by namespace, name and every dimension."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    (names,), (metric,) = directive["Dimensions"], directive["Metrics"]
    counted = {name: line[name] for name in names}
    return [
        alarm
        for alarm in resources.properties("AWS::CloudWatch::Alarm")
        for first in watched(alarm)[:1]
        if (first["Namespace"], first["MetricName"]) == (directive["Namespace"], metric["Name"])
        and {one["Name"]: one["Value"] for one in first["Dimensions"]} == counted
    ]


def name_of(line: Mapping[str, Any]) -> str:
    return str(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"])


@pytest.mark.parametrize(("name", "fault"), CASES, ids=[f"{name}-{fault}" for name, fault in CASES])
def test_a_refusal_is_one_answer_one_line_one_count_and_one_alarm(
    name: str,
    fault: str,
    place: Callable[[Service, str], str],
    told: Callable[[], Told],
    full: Resources,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = SERVICES[name]
    world = World(service, place(service, fault))
    monkeypatch.setattr(Pool, "request", world.asked())
    monkeypatch.setattr(SideBySide, "run", in_turn)
    assert ACTS[name][0](world) == heard(name, fault)

    said = told()
    (line,) = said.lines
    fields = vars(line)
    status, code, kind = service.answers.get(fault, (0, ON_THE_WAY.get(fault, ""), UNREACHABLE))
    assert line.getMessage() == "call refused"
    assert fields["call"].partition(":")[0] == name
    assert len(fields["call"].partition(":")[2]) > 3
    assert (fields["code"], fields["class"], fields.get("status", 0)) == (code, kind, status)
    assert CANARY not in json.dumps({key: str(value) for key, value in fields.items()})
    if fault == "access denied" and name != "s3":  # whose answer to HEAD says nothing
        assert (fields["action"], "arn:aws:" in fields["resource"]) == (service.action, True)
    assert fields.get("about") == ("KMS" if fault == "KMS denied" else None)
    if fault == "bad TLS" and name not in {"s3", "scheduler"}:
        assert "certificate" in fields["detail"]

    is_busy_post = (name, fault) == ("execute-api", "throttled")  # its client may be the one who is slow
    counted = [line for line in said.metrics if name_of(line) == "ServiceErrors"]
    assert [line["class"] for line in counted] == ([] if is_busy_post else [kind])
    beside = {name_of(line) for line in said.metrics} - {"ServiceErrors"}
    assert beside == {"dynamodb": {"FramesRefused"}, "execute-api": {"PostsFailed"}}.get(name, set())
    for metric in said.metrics:
        metric["stage"] = "staging"  # which is the template's
        assert len(alarms_on(full, metric)) == 1


@pytest.mark.parametrize("fault", ["access denied", "timeout"])
def test_over_http_an_unreadable_secret_is_a_503_and_one_line(
    fault: str, place: Callable[[Service, str], str], told: Callable[[], Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    service = SERVICES["secretsmanager"]
    world = World(service, place(service, fault))
    monkeypatch.setattr(Pool, "request", world.asked())
    monkeypatch.setattr(SideBySide, "run", in_turn)
    rest = importlib.import_module("functions.rest.handler")
    api = importlib.import_module("functions.rest.api")
    app = api.make_api(rest._wire(RestSettings.load(), world.environment), unexpected=rest._log_unexpected)
    assert api.respond(http_event("GET", "/v1/conversations", token=_token()), app)["statusCode"] == 503
    (line,) = told().lines
    assert vars(line)["call"] == "secretsmanager:GetSecretValue"


def test_a_secret_without_text_is_named_too(told: Callable[[], Told], monkeypatch: pytest.MonkeyPatch) -> None:
    binary = Response(200, {}, b'{"SecretBinary": "AAAA"}')
    monkeypatch.setattr(Pool, "request", lambda *_: binary)
    shake_hands(World(SERVICES["secretsmanager"], "http://x"))
    (line,) = told().lines
    assert (vars(line)["call"], vars(line)["code"]) == ("secretsmanager:GetSecretValue", "NoSecretString")


def test_what_a_queue_does_not_take_of_a_batch_is_named(
    told: Callable[[], Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False, "Message": CANARY}]}
    monkeypatch.setattr(Pool, "request", lambda *_: Response(200, {}, json.dumps(failed).encode()))
    with pytest.raises(Unavailable):
        SqsQueue(sqs(World(SERVICES["sqs"], "http://x").environment), "http://x/q").send_all([{"a": 1}])
    (line,) = told().lines
    assert (vars(line)["call"], vars(line)["code"]) == ("sqs:SendMessageBatch", "InternalError")


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem"])
def test_what_a_table_never_processes_is_throttling(
    operation: str, told: Callable[[], Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    never = {"UnprocessedKeys": {"t": {}}, "UnprocessedItems": {"t": []}}
    monkeypatch.setattr(Pool, "request", lambda *_: Response(200, {}, json.dumps(never).encode()))
    calls = dynamodb(World(SERVICES["dynamodb"], "http://x").environment)
    watch = DynamoDbWatches(calls, members_table="members")
    acts: dict[str, Callable[[], object]] = {
        "BatchGetItem": lambda: batch_get(calls, {"t": [{"pk": "1"}]}, consistent=True),
        "BatchWriteItem": lambda: watch._write([{"DeleteRequest": {"Key": {}}}]),
    }
    with pytest.raises(Unavailable):
        acts[operation]()
    (line,) = told().lines
    assert (vars(line)["call"], vars(line)["class"]) == (f"dynamodb:{operation}", THROTTLED)


def test_a_fan_out_that_is_refused_is_one_line_for_each_cause(
    told: Callable[[], Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = {"a": 403, "b": 403, "c": 413, "d": 200, "e": 410}
    monkeypatch.setattr(Pool, "request", lambda _, __, path, *___, **____: Response(statuses[path[-1]], {}, b""))
    monkeypatch.setattr(SideBySide, "run", in_turn)
    environment = World(SERVICES["execute-api"], "http://x").environment
    gateway = ApiGatewayConnections("http://x", environment)
    gateway.post(list(statuses), b"")
    lines = [vars(line) for line in told().lines]
    assert [(line["code"], line.get("times", 1), line["connection_id"]) for line in lines] == [
        ("HTTP403", 2, "a"),
        ("HTTP413", 1, "c"),
    ]


@pytest.mark.parametrize(
    ("result", "metric"),
    [
        (Misconfigured("InvalidProviderToken"), "PushMisconfigured"),
        (Refused("PayloadTooLarge"), "PushRefused"),
    ],
)
def test_what_a_provider_refuses_rings_as_well(
    result: PushResult, metric: str, told: Callable[[], Told], full: Resources
) -> None:
    """The outcomes of each answer, TLS, DNS and timeouts: tests/functions/offline_push/test_both_gateways.py."""
    FunctionObserver("offline-push", logging.getLogger()).count(metric)  # type: ignore[arg-type]
    (line,) = told().metrics
    line["stage"] = "staging"
    (alarm,) = alarms_on(full, line)
    assert (alarm["Threshold"], type(result).__name__ in metric) == (1, True)


def test_nothing_is_told_of_what_is_expected(told: Callable[[], Told], monkeypatch: pytest.MonkeyPatch) -> None:
    """A condition that does not hold, an upload that is gone, a schedule that is there: outcomes, and no trouble."""
    world = World(SERVICES["dynamodb"], "http://x", is_refused=False)
    monkeypatch.setattr(Pool, "request", world.asked())
    monkeypatch.setattr(SideBySide, "run", in_turn)
    assert say(world) == "ok"
    store = DynamoDbSessions(dynamodb(world.environment), sessions_table="sessions")
    another = opened("b2=", Identity("bob", now() + 600_000), device_id="", connected_at=now() - 60_000)
    assert isinstance(store.register(another, limit=1, drop=[]), LimitReached)
    assert told() == Told([], [])
