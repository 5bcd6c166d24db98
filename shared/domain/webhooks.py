"""Events out: the webhooks of a team's backend, what each wants to hear, and up to where it has been told.

Signed as Standard Webhooks has it: https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from shared.domain.changes import KINDS, Happened, Happening
from shared.domain.entries import WITHHELD, Entry
from shared.errors import BadRequest

MAX_WEBHOOKS: Final = 20
MAX_URL: Final = 1_000
# Of a filter: names, and characters of one. No more than a bound to what is looked at.
MAX_NAMES: Final = 100
MAX_NAME: Final = 64
_NEW_MESSAGE: Final = "new_message"
EVENT_TYPES: Final = tuple(sorted({_NEW_MESSAGE, WITHHELD, *KINDS.values(), *get_args(Happening)}))
CONVERSATION_KINDS: Final = ("about", "channel", "group", "presence", "private", "receipts", "user")
_PREFIXES: Final = {"dm": "private"}
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # what a secret begins with
# Standard Webhooks asks for 24 to 64 random bytes.
SECRET_BYTES: Final = 32
# So long both secrets sign after a rotation.
OVERLAP_MS: Final = 24 * 3_600_000

_FIRST_MS: Final = 5_000
_LONGEST_MS: Final = 600_000
# A receiver may say when it wants to be asked again; longer than this it is not waited for.
MAX_RETRY_AFTER_MS: Final = 24 * 3_600_000
# The endpoint as a whole rests after so many failures in a row: what else waits for it does not try meanwhile.
_FAILING: Final = 3
# One that took nothing for so long is switched off.
GIVEN_UP_AFTER_MS: Final = 5 * 24 * 3_600_000
# An event that is refused so often, by an endpoint that takes others, holds up its conversation no longer.
MAX_TRIES: Final = 20

Reason = Literal["", "gone", "failing"]
GONE: Final[Reason] = "gone"
FAILING: Final[Reason] = "failing"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The endpoint has it: it answered with 2xx."""


@dataclass(frozen=True, slots=True)
class Declined:
    """It does not have it. `reason` is the status or a word; `is_gone`: it wants no more (410)."""

    reason: str
    retry_after_ms: int = 0
    is_gone: bool = False


PostResult = Accepted | Declined


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint does. Times are ms, 0 for never; `failures` are in a row, `rests_until` nothing is posted.

    `last_failure` is a status, or a word like `timeout`.
    """

    failures: int = 0
    failing_since: int = 0
    rests_until: int = 0
    last_success_at: int = 0
    last_failure_at: int = 0
    last_failure: str = ""

    def failed(self, declined: Declined, *, now: int, is_first: bool) -> Health:
        """As it is after one more failure. It rests if it asked for that, or if there were some before.

        Then only for an event that was refused the first time: one that is refused again and again holds up no others.
        """
        failures = self.failures + 1
        rest_ms = wait_ms(failures) if is_first and failures >= _FAILING else 0
        rests_until = max(self.rests_until, now + max(rest_ms, declined.retry_after_ms))
        return Health(failures, self.failing_since or now, rests_until, self.last_success_at, now, declined.reason)

    def is_given_up(self, now: int) -> bool:
        return bool(self.failing_since) and now - self.failing_since >= GIVEN_UP_AFTER_MS


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint of the team's. Of no `events` and no `conversations` it wants all.

    `since`: it was made then, and is told of what is stored from then on. `secrets`: the first signs; the second, which
    it had before, too, as long as `previous_until` is ahead. `disabled` says why Parley switched it off, if it did.
    """

    webhook_id: str
    url: str
    since: int
    secrets: tuple[str, ...] = field(repr=False)
    events: tuple[str, ...] = ()
    conversations: tuple[str, ...] = ()
    enabled: bool = True
    previous_until: int = 0
    disabled: Reason = ""
    health: Health = Health()  # frozen

    def wants(self, entry: Entry) -> bool:
        return self.wants_of(entry.conversation_id) and (not self.events or type_of(entry) in self.events)

    def wants_of(self, conversation_id: str) -> bool:
        return not self.conversations or kind_of(conversation_id) in self.conversations

    def signatures(self, event_id: str, *, at_s: int, body: bytes) -> str:
        """The header `webhook-signature`: one `v1` for each secret that is valid then, with a blank between."""
        valid = self.secrets if at_s * 1_000 < self.previous_until else self.secrets[:1]
        return " ".join(signature(secret, event_id, at_s=at_s, body=body) for secret in valid)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far an endpoint has been told of a conversation: up to `delivered`; None where that is not known yet.

    `claim` names who is at work on it. `waiting`: this place has come meanwhile. Of the next event: how often it was
    refused, since when, and when it is tried again.
    """

    webhook_id: str
    conversation_id: str
    since: int
    delivered: int | None = None
    at: int = 0
    claim: str = ""
    waiting: int = 0
    tries: int = 0
    failing_since: int = 0
    retry_at: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """A conversation has something for an endpoint, at `seq` or before. `retry_at`: it is this attempt that waited."""

    webhook_id: str
    conversation_id: str
    seq: int
    retry_at: int = 0


@dataclass(frozen=True, slots=True)
class Single:
    """One event that was given up, to be posted on its own."""

    webhook_id: str
    conversation_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Trial:
    """An event that says nothing, to try an endpoint with."""

    webhook_id: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """A walk over all conversations that an endpoint has a cursor in, part by part.

    `since`: go back to the first entry stored from then on (ms); None: go on where it was. `forget`: of an endpoint
    that was made then and is no more, the cursors go.
    """

    webhook_id: str
    since: int | None = None
    forget: int | None = None
    part: int = 0
    after: str = ""


Errand = News | Single | Trial | Sweep
"""What waits in the queue."""


def kind_of(conversation_id: str) -> str:
    """`private`, `group`, `channel`, `user` for a user's own log; `about`, `receipts`, `presence` for the team's."""
    prefix = conversation_id.partition(":")[0]
    return _PREFIXES.get(prefix, prefix)


def type_of(entry: Entry) -> str:
    """The type of its event, as who has not written it gets that."""
    if entry.shadow is not None:
        return WITHHELD
    if isinstance(entry.change, Happened):
        return entry.change.what
    return _NEW_MESSAGE if entry.change is None else entry.kind


def key_of(secret: str) -> bytes:
    """The bytes that sign: what stands in base64 behind `whsec_`, else the text itself."""
    if secret.startswith(SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()


def signature(secret: str, event_id: str, *, at_s: int, body: bytes) -> str:
    """A part of the header `webhook-signature`: for an event, or for what a message hook is asked."""
    signed = f"{event_id}.{at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()


def secret_of(random: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(random).decode()


def wait_ms(tries: int) -> int:
    """After so many refusals: 5 seconds, twice as long each time, 10 minutes at most."""
    return min(_LONGEST_MS, _FIRST_MS << min(tries - 1, 16))


_VISIBLE: Final = re.compile("[!-~]+")


def check_url(url: str, *, is_local: bool) -> None:
    """Raises BadRequest. Plain HTTP on a laptop alone, to itself. Where a name leads is seen at each post."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise BadRequest("`url` is no URL") from exc
    if len(url) > MAX_URL or not _VISIBLE.fullmatch(url):
        raise BadRequest(f"`url` has at most {MAX_URL:,} characters of ASCII, and no blanks")
    if not host or port == 0 or parts.username is not None or parts.password is not None or parts.fragment:
        raise BadRequest("`url` names a host, and neither a user nor a fragment")
    is_near = is_local and host in {"localhost", "127.0.0.1", "::1"}
    if not (parts.scheme == "https" or (parts.scheme == "http" and is_near)):
        raise BadRequest("`url` begins with https://")


def check_filter(named: Sequence[str], known: Sequence[str], what: str) -> tuple[str, ...]:
    """Each once, in order. Raises BadRequest for what there is not."""
    if unknown := sorted(set(named) - set(known)):
        raise BadRequest(f"`{what}`: there is no {unknown[0][:64]!a}; there are {', '.join(known)}")
    return tuple(sorted(set(named)))
