"""Whatever goes wrong, wherever: what it says about it holds no text, token, ticket, push target or name of anybody's.

Every port of every function fails in turn, with an error that quotes a secret, as vendors' errors may.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from functions.connect.authorizer import authorize
from functions.connect.handler import connect
from functions.disconnect.handler import disconnect
from functions.files.handler import UploadNotCheckedError, check, release_files
from functions.files.handler import Wiring as FilesWiring
from functions.message.handler import respond as respond_to_frame
from functions.message.wiring import Wiring as MessageWiring
from functions.offline_push.handler import look_at, work
from functions.offline_push.wiring import Wiring as PushWiring
from functions.presence.handler import look
from shared.adapters.aws.calls import ServiceError
from shared.adapters.aws.push_queues import reminder_body
from shared.adapters.aws.transport import TransportError
from shared.errors import Internal, ParleyError, Unavailable
from shared.observability import make_logger
from shared.ports.stores import SessionStores
from tests.functions.connect.test_connect import ConnectHarness, connect_event
from tests.functions.events import NOW, frame_event, handshake_event, stream_record, websocket_event
from tests.functions.files.test_handler import FilesHarness, created, deleted
from tests.functions.offline_push.test_offline_push import GROUP as LARGE_GROUP
from tests.functions.offline_push.test_offline_push import OfflinePushHarness, group_record
from tests.functions.presence.test_presence import PresenceHarness
from tests.functions.rest.harness import DM, GROUP
from tests.security.conftest import Tried
from tests.security.http_rows import ROWS as REQUESTS
from tests.security.http_rows import Inside
from tests.security.scenario import REMINDER, frame_scenario, http_scenario
from tests.security.signing import Signing
from tests.security.test_access_by_frames import PERSONAL
from tests.security.test_access_by_frames import ROWS as FRAMES
from tests.stores import simulated
from tests.wiring import with_stores

CANARY = "canary-4711-of-everything-that-is-secret"
# The clock, and numbers with names.
NO_PORTS = {"now"}
SCOPES = "admin notifications:send"
ERRORS: list[Callable[[], Exception]] = [
    lambda: RuntimeError(CANARY),
    lambda: KeyError(CANARY),
    lambda: ServiceError("ValidationException", CANARY, {"Item": {"content": {"S": CANARY}}}),
    lambda: TransportError(CANARY),
    lambda: _caused(Unavailable()),
]
EACH_ERROR = pytest.mark.parametrize("make", ERRORS, ids=["runtime", "key", "service", "transport", "caused"])
Make = Callable[[], Exception]


def _caused(error: Exception) -> Exception:
    error.__cause__ = ServiceError("InternalServerError", CANARY, {"message": CANARY})
    return error


class Exploding:
    """A port of which every method fails."""

    def __init__(self, make: Make) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise self._make()


def exploded(wired: Any, make: Make, *, but: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """(name, the wiring with this one failing) for each of them that is no number."""
    parts = [one.name for one in fields(wired) if one.name in {"stores", "services", "context"}]
    for part in parts:
        whole = getattr(wired, part)
        for one in fields(whole):
            if one.name not in but and one.name not in _NO_PORTS:
                yield one.name, replace(wired, **{part: replace(whole, **{one.name: Exploding(make)})})
    for one in fields(wired):
        if one.name not in (*but, "stores", "services", "context", "endpoint_url"):
            yield one.name, replace(wired, **{one.name: Exploding(make)})


_NO_PORTS = ("limits", "rosters", "buckets", "invites", "calls", "tables")


@pytest.fixture
def silent(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., None]]:
    """Asserts of answers that they don't sing, and at the end of everything that was logged or printed."""
    caplog.set_level("INFO")

    def check_answer(*answers: Any) -> None:
        for answer in answers:
            assert CANARY not in json.dumps(answer, default=str)

    yield check_answer
    printed = capsys.readouterr()
    assert CANARY not in during_the_test(caplog) + printed.out + printed.err


def during_the_test(caplog: pytest.LogCaptureFixture) -> str:
    """Everything that was logged, extra fields included: a fixture's end is another phase, with records of its own."""
    return "\n".join(str(record.__dict__) for record in caplog.get_records("call"))


Silent = Callable[..., None]


def raised(call: Callable[[], object]) -> str:
    """What the runtime would log of an error that a function lets out."""
    try:
        call()
    except Exception as error:  # noqa: BLE001  # the runtime takes any
        return "".join(traceback.format_exception(error))
    return ""


@pytest.fixture
def heard(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level("INFO")
    yield
    assert "unexpected error" in during_the_test(caplog)
    assert CANARY in during_the_test(caplog)


def test_a_line_that_sang_would_be_heard(heard: None) -> None:
    make_logger("canaries", "INFO").error("unexpected error", extra={"error": repr(ERRORS[0]())})


def test_what_is_looked_for_would_be_found() -> None:
    assert CANARY in raised(Exploding(ERRORS[4]))
    assert {name for name, _ in exploded(frame_scenario().wired, ERRORS[0])} >= {
        "log",
        "memberships",
        "gateway",
        "verify",
    }


@EACH_ERROR
def test_frames(make: Make, silent: Silent, tried: Tried) -> None:
    frames = [row.frame for row in FRAMES] + PERSONAL
    harness = frame_scenario()
    for frame in frames:
        for name, wired in exploded(harness.wired, make, but=("begin",)):
            assert isinstance(wired, MessageWiring)
            event = frame_event(frame, user_id="alice", connection_id=f"{name}=")
            answer = respond_to_frame(event, wired, harness.new_guard())
            assert answer["statusCode"] == 200
            silent(answer)
            tried()


def _parts() -> Iterator[tuple[str, str]]:
    """(part of the wiring, name in it) of each port of the HTTP API."""
    wired = http_scenario().wired
    for part in ("stores", "services", "context"):
        names = (one.name for one in fields(getattr(wired, part)) if one.name not in (*_NO_PORTS, *NO_PORTS))
        yield from ((part, name) for name in names)
    yield from (("", name) for name in ("verifier", "limiter", "invites"))


@pytest.mark.parametrize(
    ("part", "name", "make"),
    [
        *((part, name, ERRORS[2]) for part, name in _parts()),
        *(("stores", name, ERRORS[4]) for name in ("log", "memberships")),
        *(("", name, ERRORS[4]) for name in ("verifier", "limiter")),
    ],
)
def test_requests(part: str, name: str, make: Make, silent: Silent, tried: Tried) -> None:
    wiring = http_scenario().wired
    wired = getattr(wiring, part) if part else wiring
    real = getattr(wired, name)
    object.__setattr__(wired, name, Exploding(make))
    try:
        for row in REQUESTS:
            harness = http_scenario()
            user = row.owner if isinstance(row, Inside) else "alice"
            path = row.path.format(c=GROUP, m="2")
            answered = harness.call(row.method, path, user=user, scope=SCOPES, body=row.body, query=row.query)
            assert answered.status in {row.allowed, 500, 503}, row.operation
            silent(answered.body, answered.headers)
            tried()
    finally:
        object.__setattr__(wired, name, real)


@EACH_ERROR
def test_handshakes(make: Make, silent: Silent, tried: Tried) -> None:
    """The authorizer has no answer for a fault but to fail: what it fails with says nothing."""
    verifier, tickets = Signing("HS256").verifier(), simulated().tickets
    event = handshake_event(query={"ticket": CANARY})
    by_header = handshake_event(headers={"Authorization": f"Bearer {CANARY}"})
    for one, wired in (
        (event, {"tickets": Exploding(make), "verifier": verifier}),
        (by_header, {"tickets": tickets, "verifier": Exploding(make)}),
    ):
        with pytest.raises((Internal, Unavailable)) as failed:
            authorize(one, allowed_origins="", now=NOW, **wired)
        assert CANARY not in "".join(traceback.format_exception(failed.value))
        tried()
    for one in (event, by_header):
        silent(authorize(one, verifier=verifier, tickets=tickets, allowed_origins="", now=NOW))
        tried()


@EACH_ERROR
def test_connecting_and_disconnecting(make: Make, silent: Silent, tried: Tried) -> None:
    harness = ConnectHarness()
    wired: Any = Exploding(make)
    nothing = dict.fromkeys(("sessions", "memberships", "relations", "watches"), wired)
    breaking: list[Callable[[Any], Any]] = [
        lambda whole: with_stores(whole, **nothing),
        lambda whole: with_stores(whole, watches=wired),
        lambda whole: replace(whole, services=replace(whole.services, gateway=wired), connection_limit=1),
    ]
    for broken in breaking:
        silent(connect(connect_event(), broken(ConnectHarness().wiring.connect), now=lambda: NOW))
        tried()
    event = {**connect_event(), "requestContext": {**connect_event()["requestContext"], "eventType": "DISCONNECT"}}  # type: ignore[dict-item]
    harness.stores.connect("alice", "a1=", at=NOW)
    for sessions, checks in ((wired, wired), (harness.stores.sessions, wired)):
        assert CANARY not in raised(lambda: disconnect(event, stores=SessionStores(sessions), checks=checks, now=NOW))  # noqa: B023  # called at once
        tried()


@EACH_ERROR
def test_the_stream_and_the_queues(make: Make, silent: Silent, tried: Tried, request: pytest.FixtureRequest) -> None:
    """With a logger of the test's own: another's writes to a stream that is closed."""
    about = {"conversation_id": DM, "seq": 1}
    push = {"kind": "push", "platform": "fcm", "user_id": "bob", "about": about, "since": NOW, "tries": 0}
    bodies: list[dict[str, Any]] = [
        {"kind": "look", "about": about, "users": ["bob"]},
        {"kind": "shard", "conversation_id": LARGE_GROUP, "seq": 2, "users": ["user001", "user002"]},
        {**push, "device_id": None, "not_before": 0},
        reminder_body("alice", REMINDER),
        {"kind": CANARY},
        {CANARY: CANARY},
    ]
    harness = OfflinePushHarness(logger=request.node.name)
    for _, wired in exploded(harness.wired(), make, but=("now", "resting")):
        assert isinstance(wired, PushWiring)
        for body in bodies:
            record = {"messageId": "m", "body": json.dumps(body), "eventSource": "aws:sqs"}
            silent(work([record], wired))
            tried()
        poison = {**stream_record(3), "dynamodb": {"SequenceNumber": "3", "NewImage": {"content": {"S": CANARY}}}}
        silent(look_at([stream_record(1), group_record(2), poison], wired))
        tried()


@EACH_ERROR
def test_presence(make: Make, silent: Silent, tried: Tried) -> None:
    harness, wired = PresenceHarness(), Exploding(make)
    record = {"messageId": "m", "body": json.dumps({"user_id": "alice", "at": NOW})}
    poison = {"messageId": "p", "body": json.dumps({"user_id": [CANARY], CANARY: 1})}
    broken = with_stores(harness.wiring.presence, sessions=wired, memberships=wired, relations=wired)
    answer = look([record, poison], broken, now=lambda: NOW)
    assert len(answer["batchItemFailures"]) == 2
    silent(answer)
    tried(2)


@EACH_ERROR
def test_uploads_and_deletions(make: Make, silent: Silent, tried: Tried) -> None:
    harness = FilesHarness()
    harness.announce("cat", CANARY.encode())
    wired = harness.wired()
    for _, broken in exploded(wired, make):
        assert isinstance(broken, FilesWiring)
        text = raised(lambda: check(created("cat"), broken))  # noqa: B023  # called at once
        assert (UploadNotCheckedError.__name__ in text or not text, CANARY in text) == (True, False)
        silent(release_files([deleted("cat")], broken))
        tried(2)


@pytest.mark.parametrize("context", [None, {}, {"user_id": CANARY}, {"user_id": CANARY, "expires_at": CANARY}])
def test_a_gateway_that_hands_over_something_else(context: Any, silent: Silent, tried: Tried) -> None:
    harness = frame_scenario()
    event = websocket_event("MESSAGE", "message", authorizer=context, body=json.dumps({"type": "ping", "id": "1"}))
    silent(respond_to_frame(event, harness.wired, harness.new_guard()))
    tried()


WRONG: list[Any] = [
    {"type": CANARY},
    {"type": ["message", CANARY]},
    {"type": "message", "to": CANARY * 9, "content": CANARY},
    {"type": "message", "to": "bob", "content": [CANARY]},
    {"type": "message", "to": "bob", "content": CANARY, "message_type": CANARY},
    {"type": "message", "to": "bob", "content": CANARY * 500},
    {"type": "message", "to": "bob", "content": CANARY, "mentions": [CANARY * 9]},
    {"type": "message", "conversation_id": CANARY, "content": CANARY},
    {"type": "message", "to": "bob", "message_type": "image", "file_id": CANARY},
    {"type": "edit", "conversation_id": GROUP, "seq": CANARY, "content": CANARY},
    {"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": CANARY * 9},
    {"type": "auth", "token": CANARY},
    {"type": "auth", "token": {"jwt": CANARY}},
    {"type": "presence", "users": [CANARY + " "]},
    {"type": "sync", "conversations": {GROUP: CANARY}},
    {"type": "sync", "conversations": {CANARY * 9: 0}},
    f'{{"type": "message", "content": "{CANARY}',
    f'{CANARY}{{"type": "ping"}}',
    f'{{"type": "message", "to": "bob", "content": "{CANARY}\\ud800"}}',
]


@pytest.mark.parametrize("frame", WRONG, ids=lambda frame: ascii(frame).replace(CANARY, "C")[:50])
def test_a_frame_that_is_wrong_is_not_quoted(frame: Any, silent: Silent, tried: Tried) -> None:
    harness = frame_scenario()
    reply = harness.as_user("alice", frame)
    assert not reply["success"]
    silent(reply)
    tried()


@pytest.mark.parametrize("row", [row for row in REQUESTS if row.body], ids=lambda row: row.operation)
def test_a_body_that_is_wrong_is_not_quoted(row: Any, silent: Silent, tried: Tried) -> None:
    harness = http_scenario()
    path = row.path.format(c=GROUP, m="2")
    for name in row.body:
        for value in ([CANARY], {CANARY: CANARY}, CANARY * 200, [{"x": CANARY}], 10**30, None):
            answered = harness.call(row.method, path, body={**row.body, name: value}, scope=SCOPES)
            if answered.status >= 400:
                silent(answered.body, answered.headers)
                tried()
    for text in (f'{{"{CANARY}', f'"{CANARY}"', CANARY, f'{{"x": "{CANARY}\\ud800"}}'):
        answered = harness.call(row.method, path, body=text, scope=SCOPES)
        assert answered.status == 400
        silent(answered.body)
        tried()
    assert harness.unexpected == []


def test_every_error_that_clients_see_has_words_of_its_own(tried: Tried) -> None:
    """The text of a ParleyError goes out, so none is made of another error's."""
    kinds: list[type[ParleyError]] = [ParleyError, *ParleyError.__subclasses__()]
    for kind in kinds:
        assert kind().message == kind.default_message
        tried()
