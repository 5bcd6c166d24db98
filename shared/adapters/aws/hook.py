"""A deployment's own code that is asked about each message: a Lambda, or an HTTPS endpoint. Loaded only where one is.

One attempt, over a connection that is kept, and over in `deadline_ms` whatever the other side does. An endpoint is told
by a signature that it is us: Standard Webhooks, https://www.standardwebhooks.com.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

from shared.adapters.aws.calls import endpoint, signer_for, timestamp
from shared.adapters.aws.transport import Pool, Response, TransportError
from shared.clock import SECOND_MS
from shared.config import AwsEnvironment
from shared.domain.webhooks import signature
from shared.errors import Unavailable
from shared.ports.screening import HookFailed

MAX_ANSWER_BYTES: Final = 64 * 1_024
_JSON: Final = {"content-type": "application/json"}


def _body(draft: Mapping[str, Any]) -> bytes:
    return json.dumps(draft, ensure_ascii=False, separators=(",", ":")).encode()


class _Asked:
    """What both kinds have in common."""

    def __init__(self, endpoint_url: str, *, deadline_ms: int) -> None:
        self._pool = Pool(endpoint_url)
        self._deadline_s = deadline_ms / SECOND_MS

    def _post(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            response = self._pool.request("POST", path, headers, body, until=time.monotonic() + self._deadline_s)
        except (TransportError, Unavailable) as lost:
            raise HookFailed(str(lost)) from lost
        if not HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
            raise HookFailed(f"answered {response.status}")
        if len(response.body) > MAX_ANSWER_BYTES:
            raise HookFailed("answered too much")
        return response


class HttpsHook(_Asked):
    """`secret` gives the secret as it is now; `now` is milliseconds."""

    def __init__(self, url: str, *, secret: Callable[[], str], now: Callable[[], int], deadline_ms: int) -> None:
        parts = urlsplit(url)
        super().__init__(f"{parts.scheme}://{parts.netloc}", deadline_ms=deadline_ms)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._secret, self._now = secret, now

    def ask(self, draft: Mapping[str, Any], *, name: str) -> bytes:
        body, message_id, sent_at = _body(draft), f"msg_{name}", math.floor(self._now() / SECOND_MS)
        try:
            secret = self._secret()
        except Unavailable as lost:
            raise HookFailed("its secret can't be read") from lost
        headers = {
            **_JSON,
            "webhook-id": message_id,
            "webhook-timestamp": str(sent_at),
            "webhook-signature": signature(secret, message_id, at_s=sent_at, body=body),
        }
        return self._post(self._path, headers, body).body


class LambdaHook(_Asked):
    """`arn` may be of a version or an alias. It gets the draft as its event, and returns the verdict."""

    def __init__(self, arn: str, environment: AwsEnvironment, *, deadline_ms: int) -> None:
        url = environment.endpoint_url or endpoint("lambda", environment.region)
        super().__init__(url, deadline_ms=deadline_ms)
        self._signer = signer_for("lambda", environment)
        self._path = f"{self._pool.base_path}/2015-03-31/functions/{quote(arn, safe='')}/invocations"

    def ask(self, draft: Mapping[str, Any], *, name: str) -> bytes:  # noqa: ARG002  # the draft has its id in it
        body = _body(draft)
        given = {**_JSON, "host": self._pool.host}
        headers = self._signer.sign("POST", self._path, given, body, timestamp=timestamp())
        response = self._post(self._path, headers, body)
        if "x-amz-function-error" in response.headers:
            raise HookFailed("its function failed")
        return response.body
