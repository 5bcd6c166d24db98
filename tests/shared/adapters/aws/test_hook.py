"""Asking a deployment's own code: what goes out, and that nothing the other side does takes longer than it may."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Iterator

import pytest

from shared.adapters.aws.hook import MAX_ANSWER_BYTES, HttpsHook, LambdaHook
from shared.config import AwsEnvironment
from shared.domain.webhooks import key_of
from shared.errors import Unavailable
from shared.ports.screening import HookFailed
from tests.shared.adapters.aws.servers import Reply, ScriptedServer, reply

DRAFT = {"type": "before_message", "message": {"content": "héllo"}}


ALLOWED = b'{"verdict":"allow"}'


@pytest.fixture
def endpoint() -> Iterator[ScriptedServer]:
    with answering(reply(body=ALLOWED)) as one:
        yield one


def answering(answer: Reply) -> ScriptedServer:
    return ScriptedServer(lambda _: answer)


def hook(endpoint: ScriptedServer, *, path: str = "/check?by=us", deadline_ms: int = 5_000) -> HttpsHook:
    return HttpsHook(
        endpoint.url + path, secret=lambda: "s3cret", now=lambda: 1_700_000_000_999, deadline_ms=deadline_ms
    )


def test_a_request_is_signed_as_standard_webhooks_are(endpoint: ScriptedServer) -> None:
    assert hook(endpoint).ask(DRAFT, name="abc") == ALLOWED
    (asked,) = endpoint.received
    assert (asked.method, asked.path, json.loads(asked.body)) == ("POST", "/check?by=us", DRAFT)
    signed = hmac.digest(b"s3cret", b"msg_abc.1700000000." + asked.body, "sha256")
    headers = asked.headers
    assert headers["webhook-id"] == "msg_abc"
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["webhook-signature"] == "v1," + b64encode(signed).decode()
    assert headers["content-type"] == "application/json"


def test_a_secret_of_the_standards_own_form_is_base64() -> None:
    assert key_of("whsec_" + b64encode(b"\x00key").decode()) == b"\x00key"
    assert key_of("whsec_no base64!") == b"whsec_no base64!"
    assert key_of("plain") == b"plain"


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_another_status_is_no_answer(status: int) -> None:
    with answering(reply(status, ALLOWED)) as endpoint:
        with pytest.raises(HookFailed, match=str(status)):
            hook(endpoint).ask(DRAFT, name="x")
        assert len(endpoint.received) == 1


def test_a_huge_answer_is_none() -> None:
    huge = reply(body=b" " * (MAX_ANSWER_BYTES + 1))
    with answering(huge) as endpoint, pytest.raises(HookFailed, match="too much"):
        hook(endpoint).ask(DRAFT, name="x")


def test_who_hangs_is_given_up_at_the_deadline() -> None:
    with answering(Reply(then="hang")) as endpoint:
        with pytest.raises(HookFailed):
            hook(endpoint, deadline_ms=100).ask(DRAFT, name="x")
        assert len(endpoint.received) == 1


def test_nobody_there_and_a_secret_that_can_not_be_read_are_no_answers(endpoint: ScriptedServer) -> None:
    def lost() -> str:
        raise Unavailable

    unread = HttpsHook(endpoint.url, secret=lost, now=lambda: 1, deadline_ms=1_000)
    with pytest.raises(HookFailed, match="secret"):
        unread.ask(DRAFT, name="x")
    assert endpoint.received == []
    with answering(Reply()) as gone:
        nobody = hook(gone)
    with pytest.raises(HookFailed):
        nobody.ask(DRAFT, name="x")


def _lambda(endpoint: ScriptedServer) -> LambdaHook:
    environment = AwsEnvironment("eu-central-1", "AK", "SK", "", endpoint.url)
    return LambdaHook("arn:aws:lambda:eu-central-1:1:function:f", environment, deadline_ms=5_000)


def test_a_lambda_is_invoked_with_the_draft_and_a_signature_of_its_own(endpoint: ScriptedServer) -> None:
    assert _lambda(endpoint).ask(DRAFT, name="x") == ALLOWED
    (asked,) = endpoint.received
    assert asked.path == "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-central-1%3A1%3Afunction%3Af/invocations"
    assert json.loads(asked.body) == DRAFT
    assert "/eu-central-1/lambda/aws4_request" in asked.headers["authorization"]


def test_a_lambda_that_raises_is_no_answer() -> None:
    raised = reply(body=ALLOWED, headers="X-Amz-Function-Error: Unhandled\r\n")
    with answering(raised) as endpoint, pytest.raises(HookFailed, match="function failed"):
        _lambda(endpoint).ask(DRAFT, name="x")
