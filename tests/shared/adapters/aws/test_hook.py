"""Asking a deployment's own code: what goes out, and that nothing the other side does takes longer than it may."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from shared.adapters.aws.hook import MAX_ANSWER_BYTES, HttpsHook, LambdaHook
from shared.config import AwsEnvironment
from shared.domain.webhooks import key_of
from shared.errors import Unavailable
from shared.ports.screening import HookFailed

DRAFT = {"type": "before_message", "message": {"content": "héllo"}}


class Endpoint(ThreadingHTTPServer):
    """Answers as it is told to: a status and a body, or not at all."""

    daemon_threads = True
    status = 200
    answer = b'{"verdict":"allow"}'
    hangs = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.extra: dict[str, str] = {}
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.over = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        given = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append((self.path, given, body))
        if self.server.hangs:
            self.server.over.wait()
            return
        self.send_response(self.server.status)
        for name, value in self.server.extra.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def serving() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        thread = Thread(target=endpoint.serve_forever, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.over.set()
            endpoint.shutdown()
            thread.join()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as one:
        yield one


def hook(endpoint: Endpoint, *, path: str = "/check?by=us", deadline_ms: int = 5_000) -> HttpsHook:
    return HttpsHook(
        endpoint.url + path, secret=lambda: "s3cret", now=lambda: 1_700_000_000_999, deadline_ms=deadline_ms
    )


def test_a_request_is_signed_as_standard_webhooks_are(endpoint: Endpoint) -> None:
    assert hook(endpoint).ask(DRAFT, name="abc") == endpoint.answer
    ((path, headers, body),) = endpoint.seen
    assert (path, json.loads(body)) == ("/check?by=us", DRAFT)
    signed = hmac.digest(b"s3cret", b"msg_abc.1700000000." + body, "sha256")
    assert headers["webhook-id"] == "msg_abc"
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["webhook-signature"] == "v1," + b64encode(signed).decode()
    assert headers["content-type"] == "application/json"


def test_a_secret_of_the_standards_own_form_is_base64() -> None:
    assert key_of("whsec_" + b64encode(b"\x00key").decode()) == b"\x00key"
    assert key_of("whsec_no base64!") == b"whsec_no base64!"
    assert key_of("plain") == b"plain"


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_another_status_is_no_answer(endpoint: Endpoint, status: int) -> None:
    endpoint.status = status
    with pytest.raises(HookFailed, match=str(status)):
        hook(endpoint).ask(DRAFT, name="x")
    assert len(endpoint.seen) == 1


def test_a_huge_answer_is_none(endpoint: Endpoint) -> None:
    endpoint.answer = b" " * (MAX_ANSWER_BYTES + 1)
    with pytest.raises(HookFailed, match="too much"):
        hook(endpoint).ask(DRAFT, name="x")


def test_who_hangs_is_given_up_at_the_deadline(endpoint: Endpoint) -> None:
    endpoint.hangs = True
    with pytest.raises(HookFailed):
        hook(endpoint, deadline_ms=100).ask(DRAFT, name="x")
    assert len(endpoint.seen) == 1


def test_nobody_there_and_a_secret_that_can_not_be_read_are_no_answers(endpoint: Endpoint) -> None:
    def lost() -> str:
        raise Unavailable

    unread = HttpsHook(endpoint.url, secret=lost, now=lambda: 1, deadline_ms=1_000)
    with pytest.raises(HookFailed, match="secret"):
        unread.ask(DRAFT, name="x")
    assert endpoint.seen == []
    with serving() as gone:
        nobody = hook(gone)
    with pytest.raises(HookFailed):
        nobody.ask(DRAFT, name="x")


def _lambda(endpoint: Endpoint) -> LambdaHook:
    environment = AwsEnvironment("eu-central-1", "AK", "SK", "", endpoint.url)
    return LambdaHook("arn:aws:lambda:eu-central-1:1:function:f", environment, deadline_ms=5_000)


def test_a_lambda_is_invoked_with_the_draft_and_a_signature_of_its_own(endpoint: Endpoint) -> None:
    assert _lambda(endpoint).ask(DRAFT, name="x") == endpoint.answer
    ((path, headers, body),) = endpoint.seen
    assert path == "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-central-1%3A1%3Afunction%3Af/invocations"
    assert json.loads(body) == DRAFT
    assert "/eu-central-1/lambda/aws4_request" in headers["authorization"]


def test_a_lambda_that_raises_is_no_answer(endpoint: Endpoint) -> None:
    endpoint.extra = {"X-Amz-Function-Error": "Unhandled"}
    with pytest.raises(HookFailed, match="function failed"):
        _lambda(endpoint).ask(DRAFT, name="x")
