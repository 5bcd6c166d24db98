"""Where tokens come from, and whose they are."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

# A plain token, or something that gives a fresh one on each call.
Token = str | Callable[[], str | Awaitable[str]]


async def obtain(token: Token) -> str:
    if isinstance(token, str):
        return token
    given = token()
    return await given if inspect.isawaitable(given) else given


def user_of(token: str) -> str | None:
    """The user of a JWT, as the server reads it, unverified: only the server's own verdict counts.

    The claim `user_id` if there is one, else `sub`; a number as its decimal string. None where that can't be read.
    """
    claims = _claims(token)
    user = claims.get("user_id", claims.get("sub"))
    if isinstance(user, str) and user:
        return user
    return str(user) if isinstance(user, int) and not isinstance(user, bool) else None


def expiry_of(token: str) -> float | None:
    """When a JWT expires, in seconds since the epoch; None where that can't be read."""
    expiry = _claims(token).get("exp")
    return float(expiry) if isinstance(expiry, int | float) and not isinstance(expiry, bool) else None


def _claims(token: str) -> dict[str, Any]:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
