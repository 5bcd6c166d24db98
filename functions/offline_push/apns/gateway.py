"""Hands pushes to Apple's Push Notification service."""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from functions.offline_push import providers
from functions.offline_push.apns.http2 import Answer, Http2, NoConnection, TimedOut
from functions.offline_push.apns.provider_token import ProviderTokens, key_from
from functions.offline_push.providers import ALL_BUSY, TARGET_BUSY, Meaning
from shared.clock import now_ms
from shared.domain.devices import PRODUCTION, SANDBOX, Environment
from shared.domain.pushes import BadTarget, Busy, Misconfigured, Push, PushResult, Refused, Sent, Unregistered

# Apple's "Handling notification responses from APNs", as data.
EXPIRED_PROVIDER_TOKEN: Final = "ExpiredProviderToken"  # noqa: S105  # Apple's name for it
REASONS: Final[Mapping[str, Meaning]] = {
    # 400
    "BadCollapseId": Refused,
    "BadDeviceToken": BadTarget,
    "BadExpirationDate": Refused,
    "BadMessageId": Refused,
    "BadPriority": Refused,
    "BadTopic": Misconfigured,
    "DeviceTokenNotForTopic": Misconfigured,  # the token is good: the app names a bundle id that is not its own
    "DuplicateHeaders": Refused,
    "IdleTimeout": TARGET_BUSY,
    "InvalidPushType": Refused,
    "MissingDeviceToken": Refused,
    "MissingTopic": Misconfigured,
    "PayloadEmpty": Refused,
    "TopicDisallowed": Misconfigured,
    # 403
    "BadCertificate": Misconfigured,
    "BadCertificateEnvironment": Misconfigured,
    "BadEnvironmentKeyIdInToken": Misconfigured,
    EXPIRED_PROVIDER_TOKEN: Misconfigured,
    "Forbidden": Misconfigured,
    "InvalidProviderToken": Misconfigured,
    "MissingProviderToken": Misconfigured,
    "UnrelatedKeyIdInToken": Misconfigured,
    # 404, 405
    "BadPath": Refused,
    "MethodNotAllowed": Refused,
    # 410
    "ExpiredToken": Unregistered,
    "Unregistered": Unregistered,
    # 413
    "PayloadTooLarge": Refused,
    # 429
    "TooManyProviderTokenUpdates": ALL_BUSY,
    "TooManyRequests": TARGET_BUSY,
    # 500, 503
    "InternalServerError": ALL_BUSY,
    "ServiceUnavailable": ALL_BUSY,
    "Shutdown": ALL_BUSY,
}
# What a reason that Apple adds one day means, as far as the status says.
STATUSES: Final[Mapping[int, Meaning]] = {403: Misconfigured, 410: Unregistered, 429: TARGET_BUSY}
# With these it is our key that is refused.
OUR_CREDENTIALS: Final = frozenset(
    {
        "BadEnvironmentKeyIdInToken", EXPIRED_PROVIDER_TOKEN, "Forbidden", "InvalidProviderToken",
        "MissingProviderToken", "UnrelatedKeyIdInToken",
    }
)  # fmt: skip
_OK: Final = 200
_REASON: Final = re.compile("[A-Za-z]{1,40}")

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
        timeouts: providers.Timeouts | None = None,
    ) -> None:
        """`secret` gives Apple's key (`key_from`). Nothing is read or called before the first push.

        `endpoint` is the production's URL and the sandbox's, with a comma between; `ca_file` vouches for them.
        """
        self._now = now
        self._timeouts = timeouts or providers.Timeouts()
        self._ca_file = ca_file
        production, _, sandbox = (endpoint or APPLE).partition(",")
        self._origins: Mapping[Environment, str] = {PRODUCTION: production.strip(), SANDBOX: sandbox.strip()}
        self._lock = threading.Lock()
        self._connections: dict[Environment, Http2] = {}
        self._tokens = providers.Credentials(secret, lambda text: ProviderTokens(key_from(text), now=now), now=now)

    def push(self, push: Push) -> PushResult:
        """As the port has it. A provider token that Apple finds too old is replaced once."""
        return providers.hand_over(
            push, credentials=self._tokens, encode=payload_of, send=self._send, refused=OUR_CREDENTIALS
        )

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
        except NoConnection as lost:
            return Busy(providers.no_answer(lost, "NoConnection"))
        except Exception as error:  # noqa: BLE001  # a push that raises would take those beside it along
            return providers.unexpected(error)

    def _post(self, push: Push, payload: bytes, token: str) -> Answer:
        headers = headers_of(push) | {"authorization": f"bearer {token}"}
        return self._connection(push.target.environment).post(f"/3/device/{push.target.token}", headers, payload)

    def _connection(self, environment: Environment) -> Http2:
        with self._lock:
            if environment not in self._connections:
                trust = ssl.create_default_context(cafile=self._ca_file or None)
                self._connections[environment] = Http2(self._origins[environment], trust=trust, timeouts=self._timeouts)
            return self._connections[environment]


def headers_of(push: Push) -> dict[str, str]:
    """All but the authorization. `apns-id` is the same for the same push, however often it is sent."""
    topic = {} if push.target.app_id is None else {"apns-topic": push.target.app_id}
    return topic | {
        "apns-id": push.push_id,
        "apns-collapse-id": push.collapse_id,
        # Apple: a background push has no badge. One with a badge alone is an alert without a word, or a sound.
        "apns-push-type": "background" if push.withdraws and push.badge is None else "alert",
        "apns-priority": "5" if push.withdraws else "10",
        "apns-expiration": str(max(push.expires_at // 1_000, 0)),
        "content-type": "application/json",
    }


def payload_of(push: Push) -> bytes:
    """The JSON, its body shortened to what APNs takes. Raises DoesNotFit, and ValueError for what is no text."""
    body = providers.fit(push.wording.body, lambda body: len(_payload(push, body)), limit=providers.PAYLOAD_LIMIT)
    return _payload(push, body)


def _payload(push: Push, body: str | None) -> bytes:
    if push.withdraws:
        silent = {"content-available": 1, "badge": push.badge}
        return _json({"aps": _given(silent), "parley": dict(push.data)})
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
    return _json({"aps": _given(aps), "parley": dict(push.data)})


def _json(payload: Mapping[str, Any]) -> bytes:
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def reason_of(answer: Answer) -> str | None:
    """Apple's word for why; None where there is none, or nothing that looks like one."""
    reason = _body(answer).get("reason")
    return reason if isinstance(reason, str) and _REASON.fullmatch(reason) else None


def result_of(answer: Answer, *, now: int) -> PushResult:
    if answer.status == _OK:
        return Sent()
    reason = reason_of(answer)
    meaning = REASONS.get(reason or "") or STATUSES.get(answer.status) or providers.by_class(answer.status, ALL_BUSY)
    since = _body(answer).get("timestamp")
    return providers.result(
        meaning,
        reason or f"status_{answer.status}",
        since=since if type(since) is int else None,
        retry_after_ms=providers.retry_after_ms(answer.headers.get("retry-after"), now=now),
    )


def _body(answer: Answer) -> Mapping[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
