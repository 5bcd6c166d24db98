"""boto3 without a network: what it is about to send goes to a service in memory, and its answer takes the usual way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError

from shared.adapters.aws.sdk import Sdk
from shared.adapters.aws.transport import Response, TransportError
from shared.clock import Deadline
from shared.config import AwsEnvironment

SOMEWHERE: Final = AwsEnvironment("us-east-1", "key", "secret", "", "http://services")
# Method, path with its query, headers by names in lower case, body. It may raise TransportError.
Service = Callable[[str, str, Mapping[str, str], bytes], Response]


def client_of(sdk: Sdk, service: Service) -> Any:
    """The client, and from now on `service` answers what it asks."""
    sdk.client.meta.events.register("before-send", lambda request, **_: answered(request, service))
    return sdk.client


def answered(request: AWSPreparedRequest, service: Service) -> AWSResponse:
    place = urlsplit(request.url)
    path = f"{place.path}?{place.query}" if place.query else place.path
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    try:
        said = service(request.method, path, headers, request.body or b"")
    except TransportError as lost:
        raise ConnectionClosedError(endpoint_url=request.url) from lost
    return AWSResponse(request.url, said.status, dict(said.headers), _Body(said.body))


class Borrowing(Sdk):
    """Its client is another's, since making one takes hundredths of a second; how it waits is its own."""

    def __init__(
        self, lend: Callable[[], Any], *, pause: Callable[[int], None], monotonic: Callable[[], float] = lambda: 0.0
    ) -> None:
        super().__init__("", SOMEWHERE, _Paused(pause), monotonic=monotonic)
        self._lend = lend

    @cached_property
    def client(self) -> Any:
        return self._lend()


class _Paused(Deadline):
    """There is always time, and `pause` says how it passes."""

    def __init__(self, pause: Callable[[int], None]) -> None:
        super().__init__(float("inf"))
        self._pause = pause

    def pause(self, attempt: int) -> None:
        self._pause(attempt)


class _Body(BytesIO):
    """What is asked of urllib3's."""

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.read()


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
