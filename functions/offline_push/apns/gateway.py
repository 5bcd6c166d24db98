"""Hands pushes to Apple's Push Notification service."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.offline_push.apns.answers import EXPIRED_PROVIDER_TOKEN, OUR_CREDENTIALS, reason_of, result_of
from functions.offline_push.apns.http2 import Answer, Http2, NoConnection, TimedOut
from functions.offline_push.apns.provider_token import ProviderTokens, key_from
from functions.offline_push.providers import PAYLOAD_LIMIT, Credentials, Timeouts, fit, hand_over, unexpected
from shared.clock import now_ms
from shared.domain.devices import PRODUCTION, SANDBOX, Environment
from shared.domain.pushes import Busy, Push, PushResult

APPLE: Final = "https://api.push.apple.com,https://api.sandbox.push.apple.com"


class ApnsGateway:
    """A PushGateway for the devices of one team's apps, over one connection to each of Apple's environments."""

    def __init__(
        self,
        secret: Callable[[], str],
        *,
        endpoint: str,
        ca_file: str,
        now: Callable[[], int] = now_ms,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`secret` gives Apple's key (`key_from`). Nothing is read or called before the first push.

        `endpoint` is the production's URL and the sandbox's, with a comma between; `ca_file` vouches for them. Empty in
        AWS.
        """
        self._now = now
        self._timeouts = timeouts or Timeouts()
        self._ca_file = ca_file
        production, _, sandbox = (endpoint or APPLE).partition(",")
        self._origins: Mapping[Environment, str] = {PRODUCTION: production.strip(), SANDBOX: sandbox.strip()}
        self._lock = threading.Lock()
        self._connections: dict[Environment, Http2] = {}
        self._tokens = Credentials(secret, lambda text: ProviderTokens(key_from(text), now=now), now=now)

    def push(self, push: Push) -> PushResult:
        """As the port has it. A provider token that Apple finds too old is replaced once."""
        return hand_over(push, credentials=self._tokens, encode=payload_of, send=self._send, refused=OUR_CREDENTIALS)

    def close(self) -> None:
        """Close the connections. There are no pushes afterwards."""
        while self._connections:
            self._connections.popitem()[1].close()

    def _send(self, push: Push, payload: bytes, tokens: ProviderTokens) -> PushResult:
        try:
            token = tokens.current()
            answer = self._post(push, payload, token)
            if reason_of(answer) == EXPIRED_PROVIDER_TOKEN and (other := tokens.instead_of(token)) != token:
                answer = self._post(push, payload, other)
            return result_of(answer, now=self._now())
        except TimedOut:
            return Busy("Timeout")
        except NoConnection:
            return Busy("NoConnection")
        except Exception as error:  # noqa: BLE001  # a push that raises would take those beside it along
            return unexpected(error)

    def _post(self, push: Push, payload: bytes, token: str) -> Answer:
        headers = headers_of(push) | {"authorization": f"bearer {token}"}
        return self._connection(push.target.environment).post(path_of(push), headers, payload)

    def _connection(self, environment: Environment) -> Http2:
        with self._lock:
            if environment not in self._connections:
                trust = ssl.create_default_context(cafile=self._ca_file or None)
                self._connections[environment] = Http2(self._origins[environment], trust=trust, timeouts=self._timeouts)
            return self._connections[environment]


def path_of(push: Push) -> str:
    return f"/3/device/{push.target.token}"


def headers_of(push: Push) -> dict[str, str]:
    """All but the authorization. `apns-id` is the same for the same push, however often it is sent."""
    topic = {} if push.target.app_id is None else {"apns-topic": push.target.app_id}
    return topic | {
        "apns-id": push.push_id,
        "apns-collapse-id": push.collapse_id,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(max(push.expires_at // 1_000, 0)),
        "content-type": "application/json",
    }


def payload_of(push: Push) -> bytes:
    """The JSON, its body shortened to what APNs takes. Raises DoesNotFit, and ValueError for what is no text."""
    body = fit(push.wording.body, lambda body: len(_payload(push, body)), limit=PAYLOAD_LIMIT)
    return _payload(push, body)


def _payload(push: Push, body: str | None) -> bytes:
    wording = push.wording
    alert = {
        "title-loc-key": wording.title_key,
        "title-loc-args": list(wording.title_args) if wording.title_key is not None else None,
        "title": wording.title,
        "loc-key": wording.body_key,
        "body": body,
    }
    aps = {
        "alert": _given(alert),
        "badge": push.badge,
        "thread-id": push.thread_id,
        "sound": "default",
        "mutable-content": 1,  # lets the app's extension decrypt or replace what is shown
    }
    payload = {"aps": _given(aps), "parley": dict(push.data)}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
