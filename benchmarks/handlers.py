"""CPU time of each function's usual invocations: what a Lambda is billed for beside its waits (benchmarks/costs.py).

    .venv/bin/python -m benchmarks.handlers --calls 300

The real handlers get real events in a process of their own and talk over TLS to one local server, which answers for
DynamoDB (the simulated engine of the tests), @connections, SQS and Secrets Manager in another process: what is counted
is what the function spends. There is no Lambda runtime around it. The functions take turns, and with them two handlers
of a message that use boto3: one asks the same of AWS (benchmarks/same_calls.py), the other a call less, and none of the
questions that the first two answer (benchmarks/minimal.py).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from benchmarks.rows import OURS, Row, rows_of, table
from benchmarks.serving import serving
from shared.adapters.aws.push_queues import look_bodies
from shared.domain.entries import Draft
from shared.domain.members import Member
from shared.domain.notifications import AboutMessage, DeliveryCheck
from shared.operations.groups import NewGroup, create_group
from tests.functions.events import HOUR, authorizer_of, handshake_event, http_event, websocket_event
from tests.shared.adapters.aws.certificates import tls_contexts

_SECRET: Final = "s" * 64
_DM: Final = "dm:alice:bob"
_USERS: Final = ("alice", "bob")
_IDS: Final = ("a1=", "b1=")
_MEMBERS: Final = 30
_RECORDS: Final = 100
BURST: Final = 3
"""Messages of a conversation that come within a check's wait, under load (benchmarks/cost_model.py)."""
_RECEIPTS: Final = 400  # of a round of 200 calls, and its warming up
_MINIMAL: Final = "minimal"
_SAME: Final = "same_calls"
_FUNCTIONS: Final = ("connect", "message", _SAME, _MINIMAL, "rest", "offline_push", "disconnect")
SUITE: Final = "A function's invocation"

Event = dict[str, Any]


class _Aws(BaseHTTPRequestHandler):
    """As much of AWS as the functions call."""

    protocol_version = "HTTP/1.1"
    store: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
        if service.startswith("DynamoDB"):
            self._answer(*self._dynamodb(operation, json.loads(body)))
        elif service == "secretsmanager":
            self._answer(200, {"SecretString": _SECRET})
        elif service == "AmazonSQS":
            self._answer(200, {"MessageId": "m", "MD5OfMessageBody": "0"})
        else:
            self._answer(200, None)

    def _dynamodb(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        from shared.adapters.aws.calls import ServiceError

        try:
            return 200, self.store.call(operation, request)
        except ServiceError as error:
            return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{error.code}", **getattr(error, "body", {})}

    def _answer(self, status: int, body: dict[str, Any] | None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.wfile.write(b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n\r\n%b" % (status, len(content), content))

    def log_message(self, *_: Any) -> None:
        """Nothing: it would be in the way of the figures."""


def _serve(port: Pipe, pem: str) -> None:
    from tests.dynamodb.store import Store

    _Aws.store = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Aws)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    port.send(server.server_port)
    server.serve_forever()


# -- invocations ------------------------------------------------------------------------------------------------------


def _now() -> int:
    return time.time_ns() // 1_000_000


def _token(user_id: str = "alice") -> str:
    import jwt

    now = _now() // 1_000
    return jwt.encode({"sub": user_id, "iat": now, "exp": now + 3_600}, _SECRET, algorithm="HS256")


def _context(user_id: str) -> dict[str, Any]:
    return authorizer_of(user_id, expires_at=_now() + HOUR, connected_at=_now())


def _frame(frame: dict[str, Any]) -> Event:
    body = json.dumps(frame)
    return websocket_event("MESSAGE", frame["type"], connection_id="a1=", authorizer=_context("alice"), body=body)


def _connection(event_type: str, user_id: str, connection_id: str) -> Event:
    route = f"${event_type.lower()}"
    return websocket_event(event_type, route, connection_id=connection_id, authorizer=_context(user_id))


class _Conversation:
    """Alice writes to Bob; each message knows the one before it."""

    def __init__(self) -> None:
        self.seq: int | None = None

    def message(self, number: int) -> Event:
        text = {"to": "bob", "content": "See you at eight?", "client_message_id": f"m{os.getpid()}-{number}"}
        return _frame({"type": "message", "id": str(number), **text, **self._after})

    @property
    def _after(self) -> dict[str, int]:
        """The first of a process does not say: the rounds before it have left as many entries as they pleased."""
        return {} if self.seq is None else {"after": self.seq}

    def place(self, number: int) -> int:
        """One behind the other, and the last of them at the head, if there are as many."""
        head = self.seq or 1
        return min(head, max(1, head - _RECEIPTS + 1 + number))

    def answered(self, answer: Any) -> None:
        reply = json.loads(answer["body"])
        assert reply["success"], reply  # noqa: S101  # a refusal would be measured instead
        self.seq = reply["data"].get("seq", self.seq)


class _Group(_Conversation):
    """Alice writes to a group whose members are all online."""

    def __init__(self) -> None:
        from functions.message import handler

        super().__init__()
        wiring = handler._WIRING  # noqa: SLF001  # it makes no groups, and has no limit for them
        limits = replace(wiring.context.limits, group_limit=_MEMBERS)
        self._group = create_group(
            NewGroup("alice", "Tea at four", tuple(f"user{number}" for number in range(_MEMBERS - 1))),
            admit=lambda *_: None,
            stores=wiring.stores,
            services=wiring.services,
            context=replace(wiring.context, limits=limits),
        )
        connect = importlib.import_module("functions.connect.handler").handler
        for number in range(_MEMBERS - 1):
            connect(_connection("CONNECT", f"user{number}", f"u{number}="), None)

    def message(self, number: int) -> Event:
        text = {"content": "See you at eight?", "client_message_id": f"g{os.getpid()}-{number}"}
        where = {"conversation_id": self._group.conversation_id, **self._after}
        return _frame({"type": "message", "id": str(number), **text, **where})


def _record(seq: int, conversation_id: str = _DM) -> Event:
    """A message as the log's stream hands it over."""
    image = {
        "conversation_id": {"S": conversation_id},
        "seq": {"N": str(seq)},
        "kind": {"S": "message"},
        "sender_id": {"S": "alice"},
        "content": {"S": "See you at eight?"},
        "created_at": {"N": str(_now())},
        "nonce": {"S": "n"},
    }
    change = {"SequenceNumber": str(seq), "NewImage": image, "Keys": {}, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    return {"eventName": "INSERT", "eventSource": "aws:dynamodb", "eventSourceARN": "s", "dynamodb": change}


def _receipt(seq: int) -> Event:
    """Bob has got one more, and wants no reply."""
    body = json.dumps({"type": "delivered", "id": str(seq), "conversation_id": _DM, "seq": seq, "reply": False})
    return websocket_event("MESSAGE", "delivered", connection_id="b1=", authorizer=_context("bob"), body=body)


def _check(seq: int) -> Event:
    body = {"kind": "look", "about": {"conversation_id": _DM, "seq": seq}, "users": ["bob"]}
    return {"Records": [{"messageId": "m", "body": json.dumps(body), "eventSource": "aws:sqs", "eventSourceARN": "q"}]}


@cache
def _chats() -> tuple[str, ...]:
    """Conversations of alice with as many others, who are online and have got her message."""
    from functions.offline_push import handler

    stores = handler._WIRING.stores  # noqa: SLF001  # as above
    connect = importlib.import_module("functions.connect.handler").handler
    made = []
    for number in range(_RECORDS // BURST):
        reader = f"reader{number}"
        draft = Draft(f"dm:alice:{reader}", "alice", "See you at eight?", f"{reader}-{os.getpid()}")
        stores.log.put(draft.following(None, _now()), new_members=("alice", reader))
        stores.memberships.move_delivered(Member(draft.conversation_id, reader, _now(), delivered_seq=1))
        connect(_connection("CONNECT", reader, f"{reader}="), None)
        made.append(draft.conversation_id)
    return tuple(made)


def _burst(number: int) -> Event:
    """A batch of the stream in which each conversation has several messages."""
    places = [(BURST * number + seq, chat) for seq in range(BURST) for chat in _chats()]
    return {"Records": [_record(seq + 1, chat) for seq, chat in places]}


def _checks() -> Event:
    looks = [DeliveryCheck(AboutMessage(chat, 1), (chat.split(":")[-1],)) for chat in _chats()]
    records = [
        {"messageId": str(n), "body": json.dumps(body), "eventSource": "aws:sqs", "eventSourceARN": "q"}
        for n, body in enumerate(look_bodies(looks))
    ]
    return {"Records": records}


def _cases(function: str) -> dict[str, tuple[str, Callable[[int], Event], Callable[[Any], None]]]:
    """Name → module, event of a number, and what looks at the answer."""
    talk = _Conversation()
    bearer = {"Authorization": f"Bearer {_token()}"}
    connect, pushing = "functions.connect.handler", "functions.offline_push.handler"
    cases: dict[str, dict[str, tuple[str, Callable[[int], Event], Callable[[Any], None]]]] = {
        "connect": {
            "authorizer": ("functions.connect.authorizer", lambda _: handshake_event(headers=bearer), _allowed),
            "$connect": (connect, lambda n: _connection("CONNECT", _USERS[n % 2], _IDS[n % 2]), _ok),
        },
        "message": {
            "message": ("functions.message.handler", talk.message, talk.answered),
            "ping": ("functions.message.handler", lambda n: _frame({"type": "ping", "id": str(n)}), _succeeded),
            "receipt": ("functions.message.handler", lambda n: _receipt(talk.place(n)), _silent),
            "group message": ("functions.message.handler", *_lazily(_Group)),
        },
        _SAME: {_SAME: ("benchmarks.same_calls", talk.message, talk.answered)},
        _MINIMAL: {_MINIMAL: ("benchmarks.minimal", talk.message, _succeeded)},
        "rest": {
            "history": (
                "functions.rest.handler",
                lambda _: http_event("GET", f"/v1/conversations/{_DM}/messages", token=_token(), query={"limit": "20"}),
                _ok,
            ),
        },
        "offline_push": {
            "stream record": (pushing, lambda n: {"Records": [_record(n + 1)]}, _none_failed),
            "delivery check": (pushing, lambda n: _check(n % 50 + 1), _none_failed),
            "99 stream records": (pushing, _burst, _none_failed),
            "33 delivery checks": (pushing, lambda _: _checks(), _none_failed),
        },
        "disconnect": {
            "$disconnect": (
                "functions.disconnect.handler",
                lambda n: _connection("DISCONNECT", "carol", f"gone{n}="),
                _ok,
            ),
        },
    }
    return cases[function]


def _allowed(answer: Any) -> None:
    assert answer["policyDocument"]["Statement"][0]["Effect"] == "Allow", answer  # noqa: S101


def _ok(answer: Any) -> None:
    assert answer["statusCode"] == 200, answer  # noqa: PLR2004, S101


def _succeeded(answer: Any) -> None:
    assert json.loads(answer["body"])["success"], answer  # noqa: S101


def _silent(answer: Any) -> None:
    assert answer["body"] == "", answer  # noqa: S101


def _none_failed(answer: Any) -> None:
    assert answer == {"batchItemFailures": []}, answer  # noqa: S101


# -- measuring --------------------------------------------------------------------------------------------------------


def _lazily(make: Callable[[], _Conversation]) -> tuple[Callable[[int], Event], Callable[[Any], None]]:
    """Its events, and what looks at the answers; made when the first one is wanted."""
    made = cache(make)
    return (lambda number: made().message(number)), (lambda answer: made().answered(answer))


def _measured(function: str, calls: int) -> dict[str, float]:
    """Milliseconds of CPU of one invocation, by case, in a process that is warm."""
    found = {}
    for name, (module, event, look) in _cases(function).items():
        handler = importlib.import_module(module).handler
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: 29_000, aws_request_id="r", function_name="f")
        spent = 0.0
        for number in range(2 * calls):  # the first half warms up
            asked = event(number)
            before = time.process_time()
            answer = handler(asked, context)
            spent += (time.process_time() - before) if number >= calls else 0.0
            look(answer)
        found[name] = spent / calls * 1_000
    return found


def _environment(address: str, pem: str) -> dict[str, str]:
    from tests.functions.environment import VARIABLES

    queue = f"{address}/000000000000/queue"
    return {
        **os.environ,
        **VARIABLES,
        **{name: queue for name in VARIABLES if name.endswith("_QUEUE_URL")},
        "FCM_QUEUE_URL": "",
        "APNS_QUEUE_URL": "",
        "WEB_QUEUE_URL": "",
        "WEB_SECRET_ARN": "",
        "FCM_SECRET_ARN": "",
        "APNS_SECRET_ARN": "",
        "CONNECTIONS_ENDPOINT": f"{address}/prod",
        "AWS_ENDPOINT_URL": address,
        "SSL_CERT_FILE": pem,
        "AWS_CA_BUNDLE": pem,
        # As long as a Lambda's: they are signed, and sent with each call.
        "AWS_ACCESS_KEY_ID": "A" * 20,
        "AWS_SECRET_ACCESS_KEY": "s" * 40,
        "AWS_SESSION_TOKEN": "t" * 900,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CONNECTION_LIMIT": "20",
        **dict.fromkeys(("MESSAGE_RATE", "FRAME_RATE"), "1000"),
        **dict.fromkeys(("MESSAGE_BURST", "FRAME_BURST"), "10000"),
    }


def measure(calls: int, rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each round, by case. In each one every function has a process of its own, on the same tables."""
    with tempfile.TemporaryDirectory() as folder:
        tls_contexts(Path(folder))
        pem = str(Path(folder) / "localhost.pem")
        with serving(_serve, pem, scheme="https", host="localhost") as address:
            return _in_rounds(_environment(address, pem), calls, rounds)


def _in_rounds(environment: dict[str, str], calls: int, rounds: int) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        for function in _FUNCTIONS:
            command = [sys.executable, "-m", "benchmarks.handlers", "--calls", str(calls), "--one", function]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr)
            for name, spent in json.loads(done.stdout.splitlines()[-1]).items():
                found.setdefault(name, []).append(spent)
    return found


def rows(rounds: int, calls: int = 200) -> list[Row]:
    """A message beside boto3's, and the others by themselves."""
    found = measure(calls, rounds)
    sent = {
        OURS: found.pop("message"),
        "boto3, the same calls": found.pop(_SAME),
        "boto3, as little as will do": found.pop(_MINIMAL),
    }
    made = rows_of(SUITE, "a private message", "ms CPU", sent)
    for name, spent in found.items():
        made += rows_of(SUITE, name, "ms CPU", {OURS: spent})
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=200, help="of each round that are measured, after as many others")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_measured(options.one, options.calls)))
        return
    print("\n".join(table(rows(options.rounds, options.calls))))


if __name__ == "__main__":
    main()
