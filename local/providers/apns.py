"""APNs: `POST /3/device/<token>` with Apple's rules, and Apple's reasons where one is broken."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt

from local.providers.behaviours import Behaviour
from local.providers.exchange import Reply, Request, Verdict, parsed
from local.providers.keys import KEY_ID, TEAM_ID
from local.providers.record import Environment, Provider, Received, now_ms

PAYLOAD_LIMIT: Final = 4096
COLLAPSE_LIMIT: Final = 64
TOKEN_LIFETIME: Final = 3600
CLOCK_SKEW: Final = 60

PUSH_TYPES: Final = frozenset(
    {
        "alert", "background", "controls", "location", "voip", "complication", "fileprovider", "mdm", "liveactivity",
        "pushtotalk", "widgets",
    }
)  # fmt: skip
SHOWN_HEADERS: Final = (
    "apns-id", "apns-collapse-id", "apns-topic", "apns-priority", "apns-expiration", "apns-push-type",
)  # fmt: skip
# Apple's reasons that don't come with status 400.
STATUSES: Final[Mapping[str, int]] = {
    "BadCertificate": 403,
    "BadCertificateEnvironment": 403,
    "BadEnvironmentKeyIdInToken": 403,
    "ExpiredProviderToken": 403,
    "Forbidden": 403,
    "InvalidProviderToken": 403,
    "MissingProviderToken": 403,
    "UnrelatedKeyIdInToken": 403,
    "BadPath": 404,
    "MethodNotAllowed": 405,
    "ExpiredToken": 410,
    "Unregistered": 410,
    "PayloadTooLarge": 413,
    "TooManyProviderTokenUpdates": 429,
    "TooManyRequests": 429,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
    "Shutdown": 503,
}
# What is said where only a status was told.
REASONS: Final[Mapping[int, str]] = {
    400: "BadDeviceToken",
    403: "InvalidProviderToken",
    404: "BadPath",
    405: "MethodNotAllowed",
    410: "Unregistered",
    413: "PayloadTooLarge",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
_PREFIX = "/3/device/"
_TOKEN = re.compile(r"[0-9a-f]{32,200}")
_TOPIC = re.compile(r"[A-Za-z0-9.-]{1,255}")
_EXPIRATION = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class KnownToken:
    """What a device token is known to belong to; None: whatever it is used for."""

    environment: Environment | None = None
    topic: str | None = None


class KnownTokens:
    """The device tokens that belong somewhere. All others are good everywhere. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, KnownToken] = {}

    def put(self, token: str, known: KnownToken) -> None:
        with self._lock:
            self._known[token.lower()] = known

    def clear(self) -> None:
        with self._lock:
            self._known.clear()

    def get(self, token: str) -> KnownToken:
        with self._lock:
            return self._known.get(token, KnownToken())


class Apns:
    """One of Apple's two environments."""

    provider: Provider = "apns"

    def __init__(self, environment: Environment, public_key: str, known: KnownTokens) -> None:
        self._environment: Environment = environment
        self._public_key = public_key
        self._known = known
        self._checks: tuple[Callable[[Request], str | None], ...] = (
            _path_problem, _header_problem, self._provider_token_problem, _topic_problem, _option_problem,
            self._device_token_problem, _payload_problem,
        )  # fmt: skip

    @property
    def environment(self) -> Environment:
        return self._environment

    def token_of(self, request: Request) -> str | None:
        return request.path.removeprefix(_PREFIX).lower() or None if request.path.startswith(_PREFIX) else None

    def judge(self, request: Request) -> Verdict:
        for check in self._checks:
            if reason := check(request):
                return _refusal(request, STATUSES.get(reason, 400), reason)
        token, apns_id = self.token_of(request) or "", _apns_id(request)
        headers = {name: value for name in SHOWN_HEADERS if (value := request.header(name)) is not None}
        push = Received(
            "apns", self._environment, token, headers | {"apns-id": apns_id}, parsed(request.body), now_ms()
        )
        return Verdict(Reply(200, headers={"apns-id": apns_id}), push=push)

    def refuse(self, request: Request, behaviour: Behaviour) -> Verdict:
        status = behaviour.status or STATUSES.get(behaviour.reason or "", 400)
        reason = behaviour.reason or REASONS.get(status, "InternalServerError")
        return _refusal(request, status, reason, behaviour.timestamp, behaviour.headers)

    def _provider_token_problem(self, request: Request) -> str | None:
        token = request.bearer
        if token is None:
            return "MissingProviderToken"
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self._public_key,
                algorithms=["ES256"],
                issuer=TEAM_ID,
                options={"require": ["iss", "iat"], "verify_iat": False, "verify_exp": False},
            )
        except jwt.InvalidTokenError:
            return "InvalidProviderToken"
        issued, now = claims["iat"], time.time()
        if header.get("kid") != KEY_ID or type(issued) is not int or issued > now + CLOCK_SKEW:
            return "InvalidProviderToken"
        return "ExpiredProviderToken" if issued < now - TOKEN_LIFETIME else None

    def _device_token_problem(self, request: Request) -> str | None:
        token = self.token_of(request) or ""
        known = self._known.get(token)
        if not _TOKEN.fullmatch(token) or known.environment not in (None, self._environment):
            return "BadDeviceToken"
        return "DeviceTokenNotForTopic" if known.topic not in (None, request.header("apns-topic")) else None


def _path_problem(request: Request) -> str | None:
    if not request.path.startswith(_PREFIX):
        return "MissingDeviceToken" if request.path == _PREFIX.rstrip("/") else "BadPath"
    token = request.path.removeprefix(_PREFIX)
    if not token:
        return "MissingDeviceToken"
    if "/" in token or "?" in token:
        return "BadPath"
    return None if request.method == "POST" else "MethodNotAllowed"


def _header_problem(request: Request) -> str | None:
    names = [name for name, _ in request.headers]
    return "DuplicateHeaders" if len(names) != len(set(names)) else None


def _topic_problem(request: Request) -> str | None:
    topic = request.header("apns-topic")
    if topic is None:
        return "MissingTopic"
    return None if _TOPIC.fullmatch(topic) else "BadTopic"


def _option_problem(request: Request) -> str | None:
    """What is wrong with the headers that say how to deliver. Apple lets most of them be left out."""
    push_type, priority = request.header("apns-push-type"), request.header("apns-priority") or "10"
    if push_type not in PUSH_TYPES:
        return "InvalidPushType"
    if priority not in ("1", "5", "10") or (push_type == "background" and priority == "10"):
        return "BadPriority"
    if not _EXPIRATION.fullmatch(request.header("apns-expiration") or "0"):
        return "BadExpirationDate"
    if len((request.header("apns-collapse-id") or "").encode()) > COLLAPSE_LIMIT:
        return "BadCollapseId"
    apns_id = request.header("apns-id")
    return None if apns_id is None or _is_uuid(apns_id) else "BadMessageId"


def _payload_problem(request: Request) -> str | None:
    if len(request.body) > PAYLOAD_LIMIT:
        return "PayloadTooLarge"
    payload = parsed(request.body)
    return None if isinstance(payload, dict) and isinstance(payload.get("aps"), dict) else "PayloadEmpty"


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _apns_id(request: Request) -> str:
    return request.header("apns-id") or str(uuid.uuid4()).upper()


def _refusal(
    request: Request, status: int, reason: str, timestamp: int | None = None, headers: Mapping[str, str] | None = None
) -> Verdict:
    body: dict[str, Any] = {"reason": reason} | ({} if timestamp is None else {"timestamp": timestamp})
    answered = {"content-type": "application/json", "apns-id": _apns_id(request), **(headers or {})}
    return Verdict(Reply(status, json.dumps(body).encode(), answered), reason)
