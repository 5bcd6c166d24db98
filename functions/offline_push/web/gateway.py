"""Hands pushes to the push services of browsers: Web Push, RFC 8030."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from functions.offline_push import providers
from functions.offline_push.providers import TARGET_BUSY, Meaning
from functions.offline_push.web.encryption import PLAINTEXT_LIMIT, encrypted
from functions.offline_push.web.vapid import Vouchers, key_from
from shared.clock import now_ms
from shared.domain.devices import is_push_service
from shared.domain.pushes import Busy, Misconfigured, Push, PushResult, Refused, Sent, Unregistered

# What push services answer (RFC 8030, 5; RFC 8292, 4.2). Each browser's is another: none is busy for all.
STATUSES: Final[Mapping[int, Meaning]] = {
    401: Misconfigured,
    403: Misconfigured,
    404: Unregistered,
    408: TARGET_BUSY,
    410: Unregistered,
    413: Refused,
    429: TARGET_BUSY,
}
OUR_CREDENTIALS: Final = frozenset({"status_401", "status_403"})
_TAKEN: Final = range(200, 300)
_POOL: Final = 100
_TOPIC_BYTES: Final = 24  # 32 characters of base64url, which is the most (RFC 8030, 5.4)


class WebPushGateway:
    """A PushGateway for browsers, over connections that are kept."""

    def __init__(
        self,
        secret: Callable[[], str],
        *,
        local: str,
        ca_file: str,
        now: Callable[[], int] = now_ms,
        timeouts: providers.Timeouts | None = None,
    ) -> None:
        """`secret` gives our own key (`vapid.key_from`). Nothing is read or called before the first push.

        `local` is the origin of a laptop's push service, and `ca_file` vouches for it; both are empty in AWS.
        """
        self._now, self._local = now, local
        given = timeouts or providers.Timeouts()
        self._timeouts = (given.connect_s, given.read_s)
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, no .netrc, whatever the environment says
        self._session.verify = ca_file or True
        self._session.mount("https://", HTTPAdapter(pool_maxsize=_POOL))
        self._vouchers = providers.Credentials(secret, lambda text: Vouchers(key_from(text), now=now), now=now)

    def push(self, push: Push) -> PushResult:
        """As the port has it."""
        return providers.hand_over(
            push, credentials=self._vouchers, encode=body_of, send=self._send, refused=OUR_CREDENTIALS
        )

    def close(self) -> None:
        """Close the connections. There are no pushes afterwards."""
        self._session.close()

    def _send(self, push: Push, body: bytes, vouchers: Vouchers) -> PushResult:
        endpoint = push.target.token
        if not is_push_service(endpoint, self._local):  # stored when others were known
            return Unregistered("UnknownPushService")
        try:
            headers = headers_of(push, now=self._now()) | {"Authorization": vouchers.header(origin_of(endpoint))}
            answer = self._posted(endpoint, headers, body)
            return result_of(answer.status_code, answer.headers.get("Retry-After"), now=self._now())
        except requests.Timeout:
            return Busy("Timeout", whole_provider=False)
        except requests.RequestException as lost:
            return Busy(providers.no_answer(lost, "NoConnection"), whole_provider=False)
        except Exception as error:  # noqa: BLE001  # a push that raises would take those beside it along
            return providers.unexpected(error)

    def _posted(self, endpoint: str, headers: Mapping[str, str], body: bytes) -> requests.Response:
        """A connection that was lost is opened anew once. No redirect is followed: it could lead anywhere."""
        options: dict[str, Any] = {"data": body, "headers": headers, "timeout": self._timeouts}
        try:
            return self._session.post(endpoint, allow_redirects=False, **options)
        except (requests.exceptions.SSLError, requests.Timeout):
            raise
        except requests.ConnectionError:
            return self._session.post(endpoint, allow_redirects=False, **options)


def origin_of(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def headers_of(push: Push, *, now: int) -> dict[str, str]:
    """All but who we are. What the push service keeps of the same topic, the later push replaces."""
    topic = hashlib.blake2b(push.collapse_id.encode(), digest_size=_TOPIC_BYTES).digest()
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(providers.ttl_s(push.expires_at, now=now)),
        "Urgency": "normal" if push.withdraws else "high",
        "Topic": base64.urlsafe_b64encode(topic).decode(),
    }


def body_of(push: Push) -> bytes:
    """The JSON for the service worker, its body shortened to fit, encrypted. Raises DoesNotFit, and ValueError."""
    body = providers.fit(push.wording.body, lambda text: len(_payload(push, text)), limit=PLAINTEXT_LIMIT)
    return encrypted(_payload(push, body), push.target.p256dh or "", push.target.auth or "")


def _payload(push: Push, body: str | None) -> bytes:
    wording = push.wording
    fields = {
        "withdrawn": push.withdraws or None,
        "title_key": wording.title_key,
        "title_args": list(wording.title_args) if wording.title_key is not None else None,
        "title": wording.title,
        "body_key": wording.body_key,
        "body": body,
        "tag": push.collapse_id,
        "thread": push.thread_id,
        "badge": push.badge,
        "unread": push.unread,
        "data": dict(push.data),
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode()


def result_of(status: int, retry_after: str | None, *, now: int) -> PushResult:
    if status in _TAKEN:
        return Sent()
    meaning = STATUSES.get(status) or providers.by_class(status, TARGET_BUSY)
    return providers.result(meaning, f"status_{status}", retry_after_ms=providers.retry_after_ms(retry_after, now=now))
