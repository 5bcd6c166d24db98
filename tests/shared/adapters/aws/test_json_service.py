from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.aws.calls import GIVE_UP_AFTER_S, MAX_ATTEMPTS, JsonService, ServiceError, timestamp
from shared.adapters.aws.transport import Response, TransportError
from shared.clock import Deadline, backoff_s
from shared.config import AwsEnvironment
from shared.errors import Unavailable
from tests.calls import Unslept
from tests.shared.adapters.aws.servers import Received, Reply, reply
from tests.shared.adapters.aws.test_sigv4 import ACCESS_KEY, SECRET_KEY, signed_by_botocore
from tests.shared.adapters.conftest import Serve

_ENVIRONMENT = AwsEnvironment("eu-west-1", ACCESS_KEY, SECRET_KEY, "", "")

_RETRYABLE = [
    "InternalServerError",
    "InternalServiceError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
]

OK = Response(200, {}, b'{"ok":true}')
LOST = TransportError("lost")


def refused(code: str, status: int = 400, **more: Any) -> Response:
    return Response(status, {}, json.dumps({"__type": f"com.amazonaws#{code}", "message": "no", **more}).encode())


@dataclass
class ScriptedPool:
    """Gives the answers of its script, in order."""

    script: Sequence[Response | TransportError]
    host: str = "dynamodb.test"
    base_path: str = ""
    requests: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        answer = self.script[len(self.requests)]
        self.requests.append((method, path, headers, body))
        if isinstance(answer, TransportError):
            raise answer
        return answer


@dataclass
class Scripted:
    """A service behind a script, and the pauses it made."""

    service: JsonService
    pool: ScriptedPool
    pauses: list[int]

    def call(self) -> dict[str, Any]:
        return self.service.call("PutItem", {"TableName": "t"})


def scripted(*answers: Response | TransportError) -> Scripted:
    deadline = Unslept()
    service = _service(_ENVIRONMENT, deadline)
    pool = ScriptedPool(answers)
    service._pool = pool  # type: ignore[assignment]  # the same three things are asked of it
    return Scripted(service, pool, deadline.pauses)


def _service(environment: AwsEnvironment, deadline: Deadline) -> JsonService:
    return JsonService(
        service="dynamodb",
        target_prefix="DynamoDB_20120810",
        content_type="application/x-amz-json-1.0",
        environment=environment,
        deadline=deadline,
    )


def test_a_call_is_one_signed_post_of_compact_json(serve: Serve) -> None:
    server = serve(lambda _: reply(body=b'{"Item":{"S":"\xc3\xa9"}}'))
    endpoint = f"{server.url}/base"
    service = _service(AwsEnvironment("eu-west-1", ACCESS_KEY, SECRET_KEY, "token", endpoint), Unslept())
    assert service.call("GetItem", {"Key": {"id": "é"}, "n": 1}) == {"Item": {"S": "é"}}
    (request,) = server.received
    assert (request.method, request.path, request.body) == ("POST", "/base", '{"Key":{"id":"é"},"n":1}'.encode())
    own = {"host": f"localhost:{server.port}", "content-type": "application/x-amz-json-1.0"}
    own["x-amz-target"] = "DynamoDB_20120810.GetItem"
    expected = signed_by_botocore(
        "POST",
        "/base",
        own,
        request.body,
        timestamp=request.headers["x-amz-date"],
        service="dynamodb",
        session_token="token",
    )
    assert expected.items() <= request.headers.items()


def test_without_an_endpoint_the_regions_own_is_called() -> None:
    service = _service(_ENVIRONMENT, Unslept())
    assert service._pool.host == "dynamodb.eu-west-1.amazonaws.com"
    assert service._pool._tls is not None


def test_an_endpoint_without_a_path_is_asked_at_its_root() -> None:
    one = scripted(OK)
    one.call()
    assert one.pool.requests[0][:2] == ("POST", "/")


def test_a_good_answer_comes_back_without_a_pause() -> None:
    one = scripted(OK)
    assert one.call() == {"ok": True}
    assert one.pauses == []


@pytest.mark.parametrize("code", _RETRYABLE)
def test_throttling_and_the_like_are_tried_again(code: str) -> None:
    one = scripted(refused(code), refused(code), OK)
    assert one.call() == {"ok": True}
    assert len(one.pauses) == 2


@pytest.mark.parametrize(
    "passing",
    [
        LOST,
        Response(500, {}, b""),
        Response(502, {}, b"<html>Bad gateway</html>"),
        Response(503, {}, b"null"),
        refused("SomethingNew", 500),
        Response(200, {}, b""),
        Response(200, {}, b'{"Item":{"S":"cut of'),
        Response(200, {}, b"[]"),
        Response(200, {}, b'"text"'),
        Response(200, {}, b"\xff\xfe{}"),
    ],
)
def test_lost_answers_server_errors_and_half_answers_are_tried_again(passing: Response | TransportError) -> None:
    one = scripted(passing, OK)
    assert one.call() == {"ok": True}
    assert len(one.pool.requests) == 2


def test_every_attempt_is_the_same_request() -> None:
    one = scripted(LOST, LOST, OK)
    one.call()
    assert len({(method, path, body) for method, path, _, body in one.pool.requests}) == 1


@pytest.mark.parametrize(
    "code",
    [
        "ConditionalCheckFailedException",
        "ValidationException",
        "ResourceNotFoundException",
        "AccessDeniedException",
        "UnrecognizedClientException",
        "ItemCollectionSizeLimitExceededException",
        "SomethingNew",
    ],
)
def test_what_is_refused_for_good_is_raised_at_once(code: str) -> None:
    one = scripted(refused(code, Item={"a": {"S": "b"}}))
    with pytest.raises(ServiceError, match=f"^{code}: no$") as error:
        one.call()
    assert (error.value.call, error.value.code) == ("dynamodb:PutItem", code)
    assert error.value.body["Item"] == {"a": {"S": "b"}}
    assert one.pauses == []


@pytest.mark.parametrize("last", [LOST, refused("ThrottlingException"), Response(503, {}, b""), Response(200, {}, b"")])
def test_the_attempts_are_bounded(last: Response | TransportError) -> None:
    one = scripted(*[last] * (MAX_ATTEMPTS + 1))
    with pytest.raises(Unavailable) as error:
        one.call()
    assert error.value.__cause__ is not None
    assert len(one.pool.requests) == MAX_ATTEMPTS
    assert one.pauses == list(range(MAX_ATTEMPTS - 1))


def test_no_attempt_starts_when_a_hanging_endpoint_has_used_the_time_up(monkeypatch: pytest.MonkeyPatch) -> None:
    one = scripted(*[LOST] * MAX_ATTEMPTS)
    hours = iter([0.0, GIVE_UP_AFTER_S, GIVE_UP_AFTER_S + 0.1])
    monkeypatch.setattr(one.service, "monotonic", lambda: next(hours))
    with pytest.raises(Unavailable):
        one.call()
    assert len(one.pool.requests) == 2


def test_what_kept_it_unavailable_is_the_cause() -> None:
    one = scripted(LOST, *[refused("ThrottlingException")] * (MAX_ATTEMPTS - 1))
    with pytest.raises(Unavailable) as error:
        one.call()
    assert isinstance(error.value.__cause__, ServiceError)
    assert error.value.__cause__.code == "ThrottlingException"


def _cancelled(*codes: str) -> Response:
    return refused("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


@pytest.mark.parametrize(
    "codes",
    [
        ["TransactionConflict"],
        ["None", "TransactionConflict", "None"],
        ["ThrottlingError", "None"],
        ["ProvisionedThroughputExceeded"],
    ],
)
def test_a_transaction_that_only_met_another_is_tried_again(codes: list[str]) -> None:
    one = scripted(_cancelled(*codes), OK)
    assert one.call() == {"ok": True}


@pytest.mark.parametrize(
    "answer",
    [
        _cancelled("ConditionalCheckFailed", "None"),
        _cancelled("ConditionalCheckFailed", "TransactionConflict"),
        _cancelled("TransactionConflict", "ConditionalCheckFailed"),
        _cancelled("ValidationError"),
        _cancelled("None"),
        _cancelled(),
        refused("TransactionCanceledException", CancellationReasons=None),
        refused("TransactionCanceledException"),
    ],
)
def test_a_transaction_with_a_failed_condition_is_not(answer: Response) -> None:
    one = scripted(answer)
    with pytest.raises(ServiceError) as error:
        one.call()
    assert error.value.code == "TransactionCanceledException"


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", "HTTP400", ""),
        (b"<html>", "HTTP400", ""),
        (b"[1]", "HTTP400", ""),
        (b"null", "HTTP400", ""),
        (b"{}", "HTTP400", ""),
        (b'{"__type":null}', "HTTP400", ""),
        (b'{"__type":""}', "HTTP400", ""),
        (b'{"__type":"Short"}', "Short", ""),
        (b'{"__type":"a#b#Long","message":"m"}', "Long", "m"),
        (b'{"__type":"X","Message":"M"}', "X", "M"),
        (b'{"__type":"X","message":5}', "X", "5"),
        (b'{"__type":"X"}\xff', "HTTP400", ""),
    ],
)
def test_odd_error_bodies_are_refusals_too(body: bytes, code: str, message: str) -> None:
    with pytest.raises(ServiceError) as error:
        scripted(Response(400, {}, body)).call()
    assert error.value.code == code
    assert str(error.value) == f"{code}: {message}"


@pytest.mark.parametrize("status", [301, 403, 404, 413])
def test_other_statuses_are_refused_at_once(status: int) -> None:
    with pytest.raises(ServiceError) as error:
        scripted(Response(status, {}, b"")).call()
    assert error.value.code == f"HTTP{status}"


def test_a_server_that_stumbles_costs_only_the_retries(serve: Serve) -> None:
    stumbles = iter([Reply(then="close"), Reply(b"nonsense", then="close"), reply(500, b"oops"), reply()])

    def script(_: Received) -> Reply:
        return next(stumbles)

    server = serve(script)
    deadline = Unslept()
    service = _service(AwsEnvironment("eu-west-1", "a", "b", "", server.url), deadline)
    assert service.call("PutItem", {}) == {}
    assert len(deadline.pauses) == 3


@given(attempt=st.integers(0, 60))
def test_pauses_grow_and_stay_short(attempt: int) -> None:
    assert 0 <= backoff_s(attempt) <= min(3.2, 0.025 * 2**attempt)


def test_signatures_carry_the_time_of_now() -> None:
    assert re.fullmatch(r"\d{8}T\d{6}Z", timestamp())


@pytest.mark.parametrize(
    ("region", "host"),
    [("eu-west-1", "dynamodb.eu-west-1.amazonaws.com"), ("cn-north-1", "dynamodb.cn-north-1.amazonaws.com.cn")],
)
def test_the_endpoint_is_the_regions_own(region: str, host: str) -> None:
    assert _service(AwsEnvironment(region, "key", "secret", "", ""), Unslept())._pool.host == host
