"""What APNs' reasons mean: Apple's "Handling notification responses from APNs", as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from functions.offline_push.apns.http2 import Answer
from functions.offline_push.providers import ALL_BUSY, TARGET_BUSY, Meaning, by_class, result, retry_after_ms
from shared.domain.pushes import BadTarget, Misconfigured, PushResult, Refused, Sent, Unregistered

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


def reason_of(answer: Answer) -> str | None:
    """Apple's word for why; None where there is none, or nothing that looks like one."""
    reason = _body(answer).get("reason")
    return reason if isinstance(reason, str) and _REASON.fullmatch(reason) else None


def result_of(answer: Answer, *, now: int) -> PushResult:
    if answer.status == _OK:
        return Sent()
    reason = reason_of(answer)
    meaning = REASONS.get(reason or "") or STATUSES.get(answer.status) or by_class(answer.status, ALL_BUSY)
    since = _body(answer).get("timestamp")
    return result(
        meaning,
        reason or f"status_{answer.status}",
        since=since if type(since) is int else None,
        retry_after_ms=retry_after_ms(answer.headers.get("retry-after"), now=now),
    )


def _body(answer: Answer) -> Mapping[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
