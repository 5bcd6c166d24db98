"""boto3, for what only the cold side calls: imported and made with its first use, bounded, and repeated by us.

No other module of `functions/` and `shared/` imports it (docs/adr/0020-hot-and-cold.md), and no error of it gets out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, cached_property
from threading import Lock
from typing import Any, Final, TypeVar

from shared.adapters.aws.calls import UNBOUNDED, ServiceError, refusal, retried, told_as
from shared.adapters.aws.transport import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, TransportError
from shared.clock import Deadline
from shared.config import AwsEnvironment

T = TypeVar("T")

_ONE_AT_A_TIME: Final = Lock()  # a session is for one thread, a client for all


class Sdk:
    """One service by boto3, one attempt a call: its pauses know of no deadline. `options` go to its Config."""

    def __init__(  # noqa: PLR0913  # most give two of them
        self,
        service: str,
        environment: AwsEnvironment,
        deadline: Deadline = UNBOUNDED,
        *,
        read_timeout_s: float = READ_TIMEOUT_S,
        options: Mapping[str, Any] | None = None,
        verify: str | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._environment = environment
        self._read_timeout_s = read_timeout_s
        self._options = options or {}
        self._verify = verify
        self._deadline = deadline
        self._monotonic = monotonic

    @cached_property
    def client(self) -> Any:
        """boto3's own. What it is asked without `call` must be without a call, too: a signature."""
        from botocore.config import Config  # noqa: PLC0415  # a quarter of a second, for those alone who come here

        environment = self._environment
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=self._read_timeout_s,
            retries={"mode": "standard", "total_max_attempts": 1},
            proxies={},  # as the hot side: to AWS itself, whatever the environment says
            **self._options,
        )
        with _ONE_AT_A_TIME:
            return _session().client(
                self._service,
                region_name=environment.region,
                endpoint_url=environment.endpoint_url or None,
                verify=self._verify,
                aws_access_key_id=environment.access_key,
                aws_secret_access_key=environment.secret_key,
                aws_session_token=environment.session_token or None,
                config=config,
            )

    def call(self, ask: Callable[[Any], T], *, expected: Collection[str] = ()) -> T:
        """What `ask(client)` returns, repeated as calls of the hot side are.

        `expected` are codes of refusals that the caller knows what to do with: no line tells of them. Raises
        ServiceError for what the service refuses for good, Unavailable when the retries or the time for them are used
        up, or the invocation's.
        """
        noting = _Noting(lambda: self.client)

        def once() -> T:
            with _translated(self._service):
                try:
                    return ask(noting)
                finally:
                    noting.hang_up()

        def tell(error: Exception, attempts: int) -> None:
            if not (isinstance(error, ServiceError) and error.code in expected):
                told_as(f"{self._service}:{noting.operation}")(error, attempts)

        deadline = self._deadline
        return retried(once, pause=deadline.pause, monotonic=self._monotonic, check=deadline.check, tell=tell)

    def once(self, ask: Callable[[Any], T]) -> T:
        """The same after one attempt, for what must not be asked twice.

        Raises ServiceError for what the service refuses, for now or for good, and TransportError where there is no
        usable answer: then nobody knows whether it was done.
        """
        noting = _Noting(lambda: self.client)
        with _translated(self._service):
            try:
                return ask(noting)
            finally:
                noting.hang_up()


class _Noting:
    """A client that remembers what it was asked: botocore's errors of the transport don't say."""

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client
        self.operation = ""

    def __getattr__(self, name: str) -> Any:
        client = self._client()
        self.operation = client.meta.method_to_api_mapping.get(name, name)
        return getattr(client, name)

    def hang_up(self) -> None:
        """Keep no connection: the other side may drop it while this function sleeps. A cold call can wait for another.

        What another thread asks at the moment goes on.
        """
        if self.operation:
            self._client().close()


@cache
def _session() -> Any:
    """One for all clients: they share what it has read of botocore's descriptions."""
    import boto3  # noqa: PLC0415  # see above

    return boto3.Session()


@contextmanager
def _translated(service: str) -> Iterator[None]:
    """What botocore raises as ours: refused (ServiceError), or without a usable answer (TransportError)."""
    from botocore import exceptions as vendor  # noqa: PLC0415  # it is there, or is about to be
    from botocore.parsers import ResponseParserError  # noqa: PLC0415  # see above

    try:
        yield
    except vendor.ClientError as exc:
        said = exc.response
        body = {**said, "__type": said["Error"].get("Code"), "message": said["Error"].get("Message")}
        status = said["ResponseMetadata"]["HTTPStatusCode"]
        refused = refusal(status, body, call=f"{service}:{exc.operation_name}")
        refused.request_id = said["ResponseMetadata"].get("RequestId", "")
        raise refused from exc
    except (vendor.ConnectionError, vendor.HTTPClientError, vendor.IncompleteReadError, ResponseParserError) as exc:
        raise TransportError(f"{service}: {type(exc).__name__}") from exc
