"""How an error looks to a client, in a reply as in an HTTP body."""

from __future__ import annotations

from typing import Any

from shared.errors import ParleyError


def error_fields(error: ParleyError) -> dict[str, Any]:
    """`error`, `code`, `retryable`, and `retry_after_ms` where there is something to wait for."""
    after = {} if error.retry_after_ms is None else {"retry_after_ms": error.retry_after_ms}
    return {"error": error.message, "code": error.code, "retryable": error.retryable, **after}
