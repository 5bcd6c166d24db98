"""The error tree. Every error that a client can see is one of these, with its stable code.

ParleyError
├── BadRequest          bad_request       the frame or body is not what the protocol says
│   ├── UnknownType     unknown_type      no such frame type
│   └── TooLarge        too_large         over a documented size
├── Unauthenticated     unauthenticated   no usable credentials
│   ├── TokenExpired    token_expired     they were good once
│   └── Revoked         unauthenticated   issued before a moment that an administrator named
├── Forbidden           forbidden         known, but not allowed
│   ├── NotAMember      not_a_member      also for a conversation that does not exist
│   ├── Blocked         blocked           the recipient does not take messages from the sender
│   ├── Banned          banned            an administrator keeps the user out; `until` when, if it ends
│   └── Rejected        rejected          the deployment does not take this message; `reason` why
├── NotFound            not_found
├── Conflict            conflict          the same client_message_id with different content
├── SyncRequired        sync_required     too much happened since `after`: sync, then resend
├── RateLimited         rate_limited      retryable, with retry_after_ms
├── Unavailable         unavailable       retryable, with retry_after_ms
└── Internal            internal          retryable: the same request may go through later

An exception means "can't go on". Expected outcomes (a duplicate, a connection that is gone) are values.
"""

from __future__ import annotations

from typing import ClassVar, Literal

ErrorCode = Literal[
    "bad_request",
    "banned",
    "blocked",
    "conflict",
    "forbidden",
    "internal",
    "not_a_member",
    "not_found",
    "rate_limited",
    "rejected",
    "sync_required",
    "token_expired",
    "too_large",
    "unauthenticated",
    "unavailable",
    "unknown_type",
]


class ParleyError(Exception):
    """The root. `message` is for people and may change; `code` is for programs and may not."""

    code: ClassVar[ErrorCode] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    default_message: ClassVar[str] = "Something went wrong"
    default_retry_ms: ClassVar[int | None] = None

    def __init__(self, message: str | None = None, *, retry_after_ms: int | None = None) -> None:
        self.message = message or self.default_message
        self.retry_after_ms = self.default_retry_ms if retry_after_ms is None else retry_after_ms
        super().__init__(self.message)


class BadRequest(ParleyError):
    code: ClassVar[ErrorCode] = "bad_request"
    status = 400
    default_message = "The request is malformed"


class UnknownType(BadRequest):
    code = "unknown_type"
    default_message = "There is no such frame type"


class TooLarge(BadRequest):
    code = "too_large"
    status = 413
    default_message = "The request is too large"


class Unauthenticated(ParleyError):
    code: ClassVar[ErrorCode] = "unauthenticated"
    status = 401
    default_message = "A valid token is required"


class TokenExpired(Unauthenticated):
    code = "token_expired"
    default_message = "The token has expired"


class Revoked(Unauthenticated):
    """Another token is what helps, as wherever a token is not good: so the code is the same."""

    code: ClassVar[ErrorCode] = "unauthenticated"
    default_message = "The token was revoked"


class Forbidden(ParleyError):
    code: ClassVar[ErrorCode] = "forbidden"
    status = 403
    default_message = "This is not allowed"


class NotAMember(Forbidden):
    """Unknown and foreign conversations answer alike: which exist can't be found out."""

    code = "not_a_member"
    status = 404
    default_message = "You are not a member of this conversation"


class Blocked(Forbidden):
    code = "blocked"
    default_message = "This user does not take messages from you"


class Banned(Forbidden):
    """`until`: when it ends (ms); None where it does not end by itself."""

    code = "banned"
    default_message = "You are banned"

    def __init__(self, message: str | None = None, *, until: int | None = None) -> None:
        super().__init__(message)
        self.until = until


class Rejected(Forbidden):
    """`reason`: a word for programs, which the deployment chooses."""

    code = "rejected"
    default_message = "This message is not taken"

    def __init__(self, message: str | None = None, *, reason: str = "rejected") -> None:
        super().__init__(message)
        self.reason = reason


class NotFound(ParleyError):
    code = "not_found"
    status = 404
    default_message = "There is no such thing"


class Conflict(ParleyError):
    code = "conflict"
    status = 409
    default_message = "This conflicts with what is stored"


class SyncRequired(ParleyError):
    code = "sync_required"
    status = 409
    default_message = "Too much has happened since `after`: sync first, then send again"


class RateLimited(ParleyError):
    code = "rate_limited"
    status = 429
    retryable = True
    default_message = "Too many requests"
    default_retry_ms = 1_000


class Unavailable(ParleyError):
    """Nothing is known to have gone wrong but the moment: the same request later is right, and safe."""

    code = "unavailable"
    status = 503
    retryable = True
    default_message = "The service is busy: try again"
    default_retry_ms = 1_000


class Internal(ParleyError):
    code = "internal"
    retryable = True
    default_message = "Something went wrong on our side"
