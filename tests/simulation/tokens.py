"""Tokens of the simulation's users, as their own server would give them out."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import jwt

from shared.auth.tokens import SecretKey

SECRET: Final = "s" * 64
KEYS: Final = SecretKey(lambda: SECRET)
_SCOPES: Final = {"server": "notifications:send admin"}
# An eighth of a second is exact as a fraction, so that everybody reads the same millisecond out of a token.
_GRAIN_MS: Final = 125


@lru_cache(maxsize=10_000)
def token(user_id: str, issued_at: int, expires_at: int) -> str:
    """A token of a user's. Times are milliseconds; use `ends` for one that a token can name."""
    claims = {"sub": user_id, "iat": issued_at // 1_000, "exp": expires_at / 1_000, "scope": _SCOPES.get(user_id, "")}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def ends(at: int) -> int:
    """The next moment that a token can name as its end."""
    return -(-at // _GRAIN_MS) * _GRAIN_MS
