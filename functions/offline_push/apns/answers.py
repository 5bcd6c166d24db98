"""What APNs' reasons mean: Apple's "Handling notification responses from APNs", as data."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from functions.offline_push.apns.http2 import Answer
from functions.offline_push.providers import Meaning, by_class, result, retry_after_ms
from shared.domain.pushes import PushResult, Sent

EXPIRED_PROVIDER_TOKEN: Final = "ExpiredProviderToken"  # noqa: S105  # Apple's name for it
REASONS: Final[Mapping[str, Meaning]] = {
    # 400
    "BadCollapseId": Meaning.REFUSED,
    "BadDeviceToken": Meaning.BAD_TARGET,
    "BadExpirationDate": Meaning.REFUSED,
    "BadMessageId": Meaning.REFUSED,
    "BadPriority": Meaning.REFUSED,
    "BadTopic": Meaning.MISCONFIGURED,
    "DeviceTokenNotForTopic": Meaning.MISCONFIGURED,  # the token is good: the app names a bundle id that is not its own
    "DuplicateHeaders": Meaning.REFUSED,
    "IdleTimeout": Meaning.BUSY,
    "InvalidPushType": Meaning.REFUSED,
    "MissingDeviceToken": Meaning.REFUSED,
    "MissingTopic": Meaning.MISCONFIGURED,
    "PayloadEmpty": Meaning.REFUSED,
    "TopicDisallowed": Meaning.MISCONFIGURED,
    # 403
    "BadCertificate": Meaning.MISCONFIGURED,
    "BadCertificateEnvironment": Meaning.MISCONFIGURED,
    "BadEnvironmentKeyIdInToken": Meaning.MISCONFIGURED,
    EXPIRED_PROVIDER_TOKEN: Meaning.MISCONFIGURED,
    "Forbidden": Meaning.MISCONFIGURED,
    "InvalidProviderToken": Meaning.MISCONFIGURED,
    "MissingProviderToken": Meaning.MISCONFIGURED,
    "UnrelatedKeyIdInToken": Meaning.MISCONFIGURED,
    # 404, 405
    "BadPath": Meaning.REFUSED,
    "MethodNotAllowed": Meaning.REFUSED,
    # 410
    "ExpiredToken": Meaning.UNREGISTERED,
    "Unregistered": Meaning.UNREGISTERED,
    # 413
    "PayloadTooLarge": Meaning.REFUSED,
    # 429
    "TooManyProviderTokenUpdates": Meaning.ALL_BUSY,
    "TooManyRequests": Meaning.BUSY,
    # 500, 503
    "InternalServerError": Meaning.ALL_BUSY,
    "ServiceUnavailable": Meaning.ALL_BUSY,
    "Shutdown": Meaning.ALL_BUSY,
}
# What a reason that Apple adds one day means, as far as the status says.
STATUSES: Final[Mapping[int, Meaning]] = {403: Meaning.MISCONFIGURED, 410: Meaning.UNREGISTERED, 429: Meaning.BUSY}
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
    meaning = REASONS.get(reason or "") or STATUSES.get(answer.status) or by_class(answer.status, Meaning.ALL_BUSY)
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
