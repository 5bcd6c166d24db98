"""Calls to AWS, signed, bounded and retried: services that speak JSON over one POST, and posts to connections."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import quote

from shared.adapters.aws.errors import ServiceError as ServiceError  # noqa: PLC0414  # callers catch it
from shared.adapters.aws.errors import refusal as refusal  # noqa: PLC0414  # as above
from shared.adapters.aws.transport import Pool, Response, ThreadedMap, TransportError, signer_for
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.domain.connections import Posted, PostOutcome
from shared.errors import Unavailable

T = TypeVar("T")

MAX_ATTEMPTS: Final = 5
# No new attempt after this: a hanging endpoint must leave the caller time to say so before its Lambda is stopped.
GIVE_UP_AFTER_S: Final = 8.0

_POST_ATTEMPTS: Final = 3
# 429: the account's rate, or the client's full buffer. 5xx: the gateway's own trouble.
_BUSY: Final = frozenset({429, 500, 502, 503, 504})
POST: Final = "execute-api:PostToConnection"
CLOSE: Final = "execute-api:DeleteConnection"
# What is not there needs no closing.
_CLOSED: Final = frozenset({404, 410})


Tell = Callable[[Exception, int], None]
"""Is told of what a call was refused for in the end, and after how many attempts."""


UNBOUNDED: Final = Deadline(float("inf"))


def timestamp() -> str:
    """Now, as signatures want it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def always() -> None:
    """There is always time for another call."""


def untold(_: Exception, __: int) -> None:
    """No operator is listening."""


def told_as(call: str) -> Tell:
    """Has an operator told that this call was refused, unless it is an outcome that its caller expects."""

    def tell(error: Exception, attempts: int) -> None:
        from shared.adapters.aws.refusals import tell as tell_refused  # noqa: PLC0415  # loaded by the first refusal

        if not (isinstance(error, ServiceError) and error.is_expected):
            tell_refused(call, error, attempts=attempts)

    return tell


def retried(
    once: Callable[[], T],
    *,
    pause: Callable[[int], None],
    monotonic: Callable[[], float],
    check: Callable[[], None] = always,
    tell: Tell = untold,
) -> T:
    """What `once` returns, called again where it raises TransportError, or a ServiceError that is transient.

    `pause` waits between two attempts, `check` comes before each; both raise Unavailable where the invocation's time is
    up (see `Deadline`). Any other ServiceError is raised; Unavailable when the attempts or the time for them are
    used up. `tell` hears of what was met last.
    """
    lost: Exception | None = None
    attempts = 0
    give_up_at = monotonic() + GIVE_UP_AFTER_S
    while attempts < MAX_ATTEMPTS and not (attempts and monotonic() > give_up_at):
        try:
            if attempts:
                pause(attempts - 1)
            check()
        except Unavailable:
            if lost is None:
                raise  # it was too late for any attempt
            break
        attempts += 1
        try:
            return once()
        except TransportError as exc:
            lost = exc
        except ServiceError as error:
            if not error.is_transient:
                tell(error, attempts)
                raise
            lost = error
    assert lost is not None  # noqa: S101  # there was an attempt, and it has not returned
    tell(lost, attempts)
    raise Unavailable from lost


def undone(call: str, code: str, attempts: int = 1) -> ServiceError:
    """A part of a call that the service took, and did not do. An operator is told of it."""
    error = ServiceError(code, "", {}, call=call)
    told_as(call)(error, attempts)
    return error


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
        self._pool = Pool(environment.endpoint_url or endpoint(service, environment.region), check=deadline.check)
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
        tell = told_as(f"{self._service}:{operation}")
        return retried(once, pause=self.pause, monotonic=self._monotonic, check=self._deadline.check, tell=tell)

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
        raise TransportError("the answer is not a JSON object") from ValueError("no object")
    return body


def _error(response: Response, call: str) -> ServiceError:
    try:
        body = _answer(response)
    except TransportError:
        body = {}
    return refusal(response.status, body, call=call, headers=response.headers)


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
        self._pool = Pool(endpoint_url, check=deadline.check)
        self._parallel_map = parallel_map
        self._deadline = deadline
        self._signer = signer_for("execute-api", environment)

    def post(self, connection_ids: Sequence[str], data: bytes) -> Sequence[Posted]:
        posted = list(self._parallel_map(lambda one: self._post(one, data), connection_ids))
        if failed := {one: trouble for one, (_, trouble) in zip(connection_ids, posted, strict=True) if trouble}:
            self._tell(POST, failed)
        return [Posted(one, outcome) for one, (outcome, _) in zip(connection_ids, posted, strict=True)]

    def close(self, connection_id: str) -> None:
        try:
            response = self._request("DELETE", connection_id, b"")
        except TransportError as lost:
            self._tell(CLOSE, {connection_id: lost})
            return  # it is unregistered already, and the gateway ends it within its two hours
        if response.status >= HTTPStatus.MULTIPLE_CHOICES and response.status not in _CLOSED:
            self._tell(CLOSE, {connection_id: _error(response, CLOSE)})

    def _post(self, connection_id: str, data: bytes) -> tuple[PostOutcome, Exception | None]:
        """What became of it, and why it has failed if it has."""
        trouble: Exception | None = None
        for attempt in range(_POST_ATTEMPTS):
            try:
                if attempt:
                    self._deadline.pause(attempt)
                self._deadline.check()
                response = self._request("POST", connection_id, data)
            except TransportError as lost:
                return PostOutcome.FAILED, lost  # it has waited long enough already, and a delivery check follows
            except Unavailable as late:
                return PostOutcome.FAILED, trouble or late
            if response.status == HTTPStatus.OK:
                return PostOutcome.SENT, None
            if response.status == HTTPStatus.GONE:  # nothing else is proof that a connection is dead
                return PostOutcome.GONE, None
            trouble = _error(response, POST)
            if response.status not in _BUSY:
                break
        return PostOutcome.FAILED, trouble

    def _tell(self, call: str, failed: Mapping[str, Exception]) -> None:
        from shared.adapters.aws.refusals import tell_of_posts  # noqa: PLC0415  # loaded by the first refusal

        tell_of_posts(call, failed)

    def _request(self, method: str, connection_id: str, data: bytes) -> Response:
        path = f"{self._pool.base_path}/%40connections/{quote(connection_id, safe='')}"
        headers = self._signer.sign(method, path, {"host": self._pool.host}, data, timestamp=timestamp())
        return self._pool.request(method, path, headers, data)
