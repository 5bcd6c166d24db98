"""What the adapters of FCM and APNs have in common: how long a call may take, and what answers can mean."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Final

from shared.domain.pushes import BadTarget, Busy, Misconfigured, PushResult, Refused, Unregistered

PAYLOAD_LIMIT: Final = 4_096  # bytes, at both
BAD_CREDENTIALS: Final = Misconfigured("BadCredentials")
SECRET_UNAVAILABLE: Final = Busy("SecretUnavailable")
TOO_LARGE: Final = Refused("PayloadTooLarge")
INVALID: Final = Refused("InvalidMessage")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """What a provider that hangs may cost: a person waits for the push, and a Lambda is paid for while it waits."""

    connect_s: float = 2.0
    read_s: float = 5.0


class Meaning(Enum):
    """What a provider's answer says about the push."""

    UNREGISTERED = auto()
    BAD_TARGET = auto()
    BUSY = auto()  # this target, or this request
    ALL_BUSY = auto()  # whoever is pushed to
    MISCONFIGURED = auto()
    REFUSED = auto()


def result(meaning: Meaning, reason: str, *, since: int | None = None, retry_after_ms: int | None = None) -> PushResult:
    """The meaning as a value. `since` (ms) counts for UNREGISTERED only, `retry_after_ms` for the busy ones."""
    match meaning:
        case Meaning.UNREGISTERED:
            return Unregistered(reason, since)
        case Meaning.BAD_TARGET:
            return BadTarget(reason)
        case Meaning.MISCONFIGURED:
            return Misconfigured(reason)
        case Meaning.REFUSED:
            return Refused(reason)
        case _:
            return Busy(reason, retry_after_ms, whole_provider=meaning is Meaning.ALL_BUSY)


def unexpected(error: Exception) -> Busy:
    """For what no answer and no library was expected to do. It is tried again, and given up with an alarm at last."""
    return Busy(f"Unexpected{type(error).__name__}")


def retry_after_ms(value: str | None, *, now: int) -> int | None:
    """The header Retry-After, in seconds or as an HTTP date, from `now` (ms). None where there is none to be read."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return int(value) * 1_000
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0, int(at.timestamp() * 1_000) - now)
