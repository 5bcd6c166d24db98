"""What the gateways share: credentials, how a push is made to fit, and what an answer can mean."""

from __future__ import annotations

import threading
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final, Generic, TypeVar

from shared.adapters.aws.refusals import transport_code
from shared.domain.pushes import Busy, Misconfigured, Push, PushResult, Refused, Unregistered
from shared.errors import Unavailable

T = TypeVar("T")
M = TypeVar("M")

PAYLOAD_LIMIT: Final = 4_096  # bytes, at both
BAD_CREDENTIALS: Final = Misconfigured("BadCredentials")
SECRET_UNAVAILABLE: Final = Busy("SecretUnavailable")
TOO_LARGE: Final = Refused("PayloadTooLarge")
INVALID: Final = Refused("InvalidMessage")
# A rotated key takes effect without a deployment; a wrong one does not cost a read with each push.
READ_AGAIN_MS: Final = 60_000
# Secrets Manager is asked again soon, but not by each of the pushes that wait for it in turn.
RETRY_MS: Final = 1_000
# FCM, and Mozilla's service as well as Google's, keep a message for four weeks at most. FCM refuses more.
_LONGEST_TTL_S: Final = 28 * 24 * 60 * 60
ELLIPSIS: Final = "…"
_JOINER: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})
_CLIENT_ERRORS: Final = range(400, 500)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """What a provider that hangs may cost: a person waits for the push, and a Lambda is paid for while it waits."""

    connect_s: float = 2.0
    read_s: float = 5.0


class BadCredentials(Exception):
    """The secret does not hold what it should."""


class Credentials(Generic[T]):
    """One provider's credentials, in whichever form its adapter needs. Safe to use from several threads."""

    def __init__(self, secret: Callable[[], str], prepare: Callable[[str], T], *, now: Callable[[], int]) -> None:
        """Nothing is read before the first use. `prepare` raises ValueError for a secret that it can't use."""
        self._secret = secret
        self._prepare = prepare
        self._now = now
        self._lock = threading.Lock()
        self._text: str | None = None
        self._value: T | None = None
        self._doubted = True
        self._not_before = 0

    def get(self) -> T:
        """Raises BadCredentials, and Unavailable while the secret can't be read and never could."""
        with self._lock:
            if self._doubted and self._now() >= self._not_before:
                self._read()
            if self._value is not None:
                return self._value
            if self._text is None:
                raise Unavailable("The provider's credentials can't be read right now")
            raise BadCredentials

    def doubt(self, refused: T) -> None:
        """The provider refuses these: read the secret again, unless they have been replaced already."""
        with self._lock:
            self._doubted = self._doubted or refused is self._value

    def _read(self) -> None:
        try:
            text = self._secret()
        except Unavailable:
            self._not_before = self._now() + RETRY_MS
            return
        self._not_before = self._now() + READ_AGAIN_MS
        if text == self._text:
            self._doubted = self._value is None
            return
        self._text, self._value = text, None
        try:
            self._value = self._prepare(text)
        except ValueError:
            return
        self._doubted = False


def hand_over(
    push: Push,
    *,
    credentials: Credentials[T],
    encode: Callable[[Push], M],
    send: Callable[[Push, M, T], PushResult],
    refused: Collection[str],
) -> PushResult:
    """What becomes of a push that is written by `encode` and sent by `send` with these credentials.

    `encode` raises DoesNotFit and ValueError, `send` nothing. A `refused` reason has the credentials doubted.
    """
    try:
        ready = credentials.get()
        message = encode(push)
    except Unavailable:
        return SECRET_UNAVAILABLE
    except BadCredentials:
        return BAD_CREDENTIALS
    except DoesNotFit:
        return TOO_LARGE
    except ValueError:
        return INVALID
    sent = send(push, message, ready)
    if isinstance(sent, Misconfigured) and sent.reason in refused:
        credentials.doubt(ready)
    return sent


class DoesNotFit(ValueError):
    """It is too large even without the text that can be shortened."""


def fit(text: str | None, size: Callable[[str | None], int], *, limit: int) -> str | None:
    """The text, or as much of its beginning as `size(text)` lets through, with an ellipsis; None if nothing does.

    `size` is what the whole takes with a text in it, in bytes, and a longer text takes no less. What a reader sees as
    one character stays whole: letters with their accents, flags, emoji of several parts. Raises DoesNotFit.
    """
    if size(text) <= limit:
        return text
    if text is not None:
        ends = _ends(text[: limit + 1])  # no character takes less than a byte
        fitting = bisect_right(ends, limit, key=lambda end: size(_shortened(text, end)))
        if fitting:
            return _shortened(text, ends[fitting - 1])
    if size(None) <= limit:
        return None
    raise DoesNotFit


def _shortened(text: str, end: int) -> str:
    return text[:end].rstrip() + ELLIPSIS


def _ends(text: str) -> list[int]:
    """Where the text can be cut, in ascending order."""
    ends = []
    flag_letters = 0
    for index, character in enumerate(text):
        following = text[index + 1 : index + 2]
        flag_letters = flag_letters + 1 if _is_flag_letter(character) else 0
        half_a_flag = flag_letters % 2 == 1 and _is_flag_letter(following)
        if not (half_a_flag or character == _JOINER or _belongs_to_previous(following)):
            ends.append(index + 1)
    return ends


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _belongs_to_previous(character: str) -> bool:
    """The usual cases of Unicode's grapheme clusters: marks, joined emoji, skin tones, tags, Hangul's later parts."""
    return character != "" and (
        unicodedata.category(character) in _MARKS
        or character in (_JOINER, "\u200c")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or "\u1160" <= character <= "\u11ff"
    )


Meaning = Callable[[str], PushResult]
"""What a provider's answer says about the push, given its word for why."""
ALL_BUSY: Final[Meaning] = Busy
TARGET_BUSY: Final[Meaning] = partial(Busy, whole_provider=False)  # or this request


def result(meaning: Meaning, reason: str, *, since: int | None = None, retry_after_ms: int | None = None) -> PushResult:
    """`since` (ms) counts for Unregistered only, `retry_after_ms` for Busy."""
    match meaning(reason):
        case Unregistered():
            return Unregistered(reason, since)
        case Busy() as busy:
            return replace(busy, retry_after_ms=retry_after_ms)
        case other:
            return other


def no_answer(error: BaseException, otherwise: str) -> str:
    """The reason where there was no answer: what the way to the provider met, as far as that says more."""
    met = transport_code(error)
    return met if met in {"TlsError", "DnsError", "ConnectionRefused"} else otherwise


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


def ttl_s(expires_at: int, *, now: int) -> int:
    """For how long a provider is to keep a push that is worth something until then (ms)."""
    return min(max((expires_at - now) // 1_000, 0), _LONGEST_TTL_S)


def by_class(status: int, otherwise: Meaning) -> Meaning:
    """The meaning of an answer of which only the status is understood: 4xx will be no other the next time."""
    return Refused if status in _CLIENT_ERRORS else otherwise
