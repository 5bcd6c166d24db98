"""What can go wrong, as a program sees it.

ParleyError                 one refused or failed request: `code` is stable, `retryable`: it may go through later
├── RefusedError            the server does not let this client in (401 or 403): it stops, a new token is needed
├── DisconnectedError       the server ended the connection and said not to come back: the client stops
└── ClosedError             the client was closed first: whether the message was stored is not known
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Self

BANNED: Final = "banned"


class ParleyError(Exception):
    """`code` is the protocol's (`not_a_member`, `rate_limited` …) or one of the client's own.

    These are `unreachable` (no answer over HTTP), `connection_lost` (a request that is not repeated by itself),
    `timeout` (no answer in time), `outbox_full`, `replaced` (another `presence` came first), `closed`, `disconnected`,
    `wrong_user` (a saved state of another user), `log_lost` (the server's log ends before what this client holds of
    it: it was reset), `not_saved` (the state can't be kept: nothing is told that a restart would not know of),
    `file_rejected` (the server's check of an upload failed), `expired` (a form or a link of the storage was too old:
    the same call again gets a new one).
    `held`: the message waits for review, and is stored later, or rejected: then a notification says so (its `data` has
    the `type` `message_rejected` and the `client_message_id`). `reason`: with `rejected`, why, in a word for programs.
    `status` is the HTTP status, where there was one. `until`: with `banned`, when that ends (ms); None where it
    does not by itself.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after_ms: int | None = None,
        status: int | None = None,
        until: int | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms
        self.status = status
        self.until = until
        self.reason = reason

    @classmethod
    def from_wire(cls, body: Mapping[str, Any], *, status: int | None = None) -> ParleyError:
        """The error that a reply frame or an HTTP body states. What is missing in it is taken as a server's fault."""
        retry_after, until, reason = body.get("retry_after_ms"), body.get("until"), body.get("reason")
        return cls(
            str(body.get("code") or "internal"),
            str(body.get("error") or "The server gave no reason"),
            retryable=body.get("retryable") is True,
            retry_after_ms=retry_after if isinstance(retry_after, int) else None,
            status=status,
            until=until if isinstance(until, int) else None,
            reason=reason if isinstance(reason, str) else None,
        )


class RefusedError(ParleyError):
    """The server does not let this client in (401 or 403): it stops, and a new token is needed.

    `code` is `unauthenticated`, `forbidden`, or `banned`: then no token helps before `until`.
    """

    def __init__(self, status: int, message: str | None = None) -> None:
        code = "unauthenticated" if status == 401 else "forbidden"  # noqa: PLR2004  # the two refusals of a handshake
        super().__init__(code, message or f"The server refused the connection with status {status}", status=status)

    @classmethod
    def of(cls, error: ParleyError) -> Self:
        """What an answer over HTTP says of the same."""
        refused = cls(error.status or 0, error.message)
        if error.code == BANNED:
            refused.code, refused.until = error.code, error.until
        return refused


class DisconnectedError(ParleyError):
    """The server has ended the connection for good, with this `server_code`: the client stops."""

    def __init__(self, server_code: str) -> None:
        super().__init__("disconnected", f"The server ended the connection for good: {server_code}")
        self.server_code = server_code


class ClosedError(ParleyError):
    """Sending again with this `client_message_id` and this `after` is safe: the message is stored once."""

    def __init__(self, *, client_message_id: str | None = None, after: int | None = None) -> None:
        super().__init__("closed", "The client was closed before the answer came", retryable=True)
        self.client_message_id = client_message_id
        self.after = after
