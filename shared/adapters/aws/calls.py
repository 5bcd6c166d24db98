"""Calls to AWS, signed, bounded and retried: services that speak JSON over one POST, and posts to connections."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote

from shared.adapters.aws.transport import Pool, Response, ThreadedMap, TransportError, signer_for
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.domain.connections import Posted, PostOutcome
from shared.errors import Unavailable

T = TypeVar("T")

MAX_ATTEMPTS: Final = 5
# No new attempt after this: a hanging endpoint must leave the caller time to say so before its Lambda is stopped.
GIVE_UP_AFTER_S: Final = 8.0

_RETRYABLE: Final = frozenset(
    {
        "InternalServerError",
        "InternalServiceError",
        "LimitExceededException",
        "OperationAborted",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionConflictException",  # a single write met a transaction on its item
        "TransactionInProgressException",
    }
)
_POST_ATTEMPTS: Final = 3
# 410: closed. 400: an id that never was one; keeping it would mean posting to it for ever.
_GONE: Final = frozenset({400, 410})
# 429: the account's rate, or the client's full buffer. 5xx: the gateway's own trouble.
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
_CONTENTION: Final = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


class ServiceError(Exception):
    """The service refused a request: `code`, `body`, and which `call` it was. `is_transient`: the same may be taken."""

    def __init__(
        self, code: str, message: str, body: Mapping[str, Any], *, call: str = "", is_transient: bool = False
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.call = call
        self.code = code
        self.body = body
        self.is_transient = is_transient

    @property
    def reasons(self) -> frozenset[str]:
        """The codes of a cancelled transaction's reasons; none for any other error."""
        return frozenset(str(reason.get("Code")) for reason in self.body.get("CancellationReasons") or ())


UNBOUNDED: Final = Deadline(float("inf"))


def timestamp() -> str:
    """Now, as signatures want it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def always() -> None:
    """There is always time for another call."""


def retried(
    once: Callable[[], T],
    *,
    pause: Callable[[int], None],
    monotonic: Callable[[], float],
    check: Callable[[], None] = always,
) -> T:
    """What `once` returns, called again where it raises TransportError, or a ServiceError that is transient.

    `pause` waits between two attempts, `check` comes before each; both raise Unavailable where the invocation's time is
    up (see `Deadline`). Any other ServiceError is raised; Unavailable when the attempts or the time for them are
    used up.
    """
    lost: Exception | None = None
    give_up_at = monotonic() + GIVE_UP_AFTER_S
    for attempt in range(MAX_ATTEMPTS):
        if attempt:
            if monotonic() > give_up_at:
                break
            pause(attempt - 1)
        check()
        try:
            return once()
        except TransportError as exc:
            lost = exc
        except ServiceError as error:
            if not error.is_transient:
                raise
            lost = error
    raise Unavailable from lost


def endpoint(service: str, region: str) -> str:
    """Where AWS has a service."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"https://{service}.{region}.{suffix}"


class JsonService:
    """One service's endpoint. Made while the function initialises; connects on its first call."""

    def __init__(  # made once for each service, by name
        self,
        *,
        service: str,
        target_prefix: str,
        content_type: str,
        environment: AwsEnvironment,
        deadline: Deadline = UNBOUNDED,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = Pool(environment.endpoint_url or endpoint(service, environment.region))
        self._signer = signer_for(service, environment)
        self._service = service
        self._target_prefix = target_prefix
        self._content_type = content_type
        self._deadline = deadline
        self._monotonic = monotonic

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Make one call; throttling, server errors and lost answers are retried.

        A retried write may meet itself: conditions must tell. Raises ServiceError for what the service refuses for
        good, Unavailable when the retries or the time for them are used up, or the invocation's.
        """
        body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
        once = lambda: self._once(operation, body)  # noqa: E731
        return retried(once, pause=self.pause, monotonic=self._monotonic, check=self._deadline.check)

    def pause(self, attempt: int) -> None:
        """Wait before asking again for what an answer left unprocessed."""
        self._deadline.pause(attempt)

    def _once(self, operation: str, body: bytes) -> dict[str, Any]:
        response = self._post(operation, body)
        if response.status == HTTPStatus.OK:
            return _answer(response)
        raise _error(response, f"{self._service}:{operation}")

    def _post(self, operation: str, body: bytes) -> Response:
        headers = {
            "host": self._pool.host,
            "content-type": self._content_type,
            "x-amz-target": f"{self._target_prefix}.{operation}",
        }
        path = self._pool.base_path or "/"
        signed = self._signer.sign("POST", path, headers, body, timestamp=timestamp())
        return self._pool.request("POST", path, signed, body)


def _answer(response: Response) -> dict[str, Any]:
    """Raises TransportError where it is not a JSON object: cut off, or said by something on the way."""
    try:
        body = json.loads(response.body)
    except ValueError as exc:
        raise TransportError("the answer is not JSON") from exc
    if not isinstance(body, dict):
        raise TransportError("the answer is not a JSON object")
    return body


def _error(response: Response, call: str) -> ServiceError:
    try:
        body = _answer(response)
    except TransportError:
        body = {}
    return refusal(response.status, body, call=call)


def refusal(status: int, body: Mapping[str, Any], *, call: str = "") -> ServiceError:
    """What an answer other than 200 means."""
    code = str(body.get("__type") or "").rpartition("#")[2] or f"HTTP{status}"
    error = ServiceError(code, str(body.get("message") or body.get("Message") or ""), body, call=call)
    is_fault = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
    error.is_transient = is_fault or code in _RETRYABLE or _is_contention(error)
    return error


def _is_contention(error: ServiceError) -> bool:
    """A transaction that met another one, and nothing worse: the same again is right."""
    if error.code != "TransactionCanceledException":
        return False
    return bool(error.reasons & _CONTENTION) and "ConditionalCheckFailed" not in error.reasons


class ApiGatewayConnections:
    """Gateway on the management API of one WebSocket stage."""

    def __init__(
        self,
        endpoint_url: str,
        environment: AwsEnvironment,
        *,
        parallel_map: ThreadedMap,
        deadline: Deadline = UNBOUNDED,
    ) -> None:
        self._pool = Pool(endpoint_url)
        self._parallel_map = parallel_map
        self._deadline = deadline
        self._signer = signer_for("execute-api", environment)

    def post(self, connection_ids: Sequence[str], data: bytes) -> Sequence[Posted]:
        return list(self._parallel_map(lambda one: Posted(one, self._post(one, data)), connection_ids))

    def close(self, connection_id: str) -> None:
        try:
            self._request("DELETE", connection_id, b"")
        except TransportError:
            return  # it is unregistered already, and the gateway ends it within its two hours

    def _post(self, connection_id: str, data: bytes) -> PostOutcome:
        for attempt in range(_POST_ATTEMPTS):
            try:
                if attempt:
                    self._deadline.pause(attempt)
                self._deadline.check()
                status = self._request("POST", connection_id, data)
            except (TransportError, Unavailable):
                return PostOutcome.FAILED  # it has waited long enough already, and a delivery check follows
            if status == HTTPStatus.OK:
                return PostOutcome.SENT
            if status in _GONE:
                return PostOutcome.GONE
            if status not in _BUSY:
                return PostOutcome.FAILED
        return PostOutcome.FAILED

    def _request(self, method: str, connection_id: str, data: bytes) -> int:
        path = f"{self._pool.base_path}/%40connections/{quote(connection_id, safe='')}"
        headers = self._signer.sign(method, path, {"host": self._pool.host}, data, timestamp=timestamp())
        return self._pool.request(method, path, headers, data).status
