"""Tokens of the simulation's users, as their own server would give them out."""

from __future__ import annotations

from dataclasses import dataclass
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


@lru_cache(maxsize=1_000)
def forged(user_id: str, issued_at: int, expires_at: int) -> str:
    """One that somebody has made who does not know the secret."""
    claims = {"sub": user_id, "iat": issued_at // 1_000, "exp": expires_at / 1_000, "scope": "admin"}
    return jwt.encode(claims, "f" * 64, algorithm="HS256")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says. `ends` is in ms."""

    user_id: str
    ends: int
    is_genuine: bool


@lru_cache(maxsize=1_000)
def read(text: str) -> Claim:
    """A token as a judge reads it, whoever takes it."""
    claims = jwt.decode(text, options={"verify_signature": False})
    is_genuine = text == token(claims["sub"], claims["iat"] * 1_000, round(claims["exp"] * 1_000))
    return Claim(claims["sub"], round(claims["exp"] * 1_000), is_genuine)


def ends(at: int) -> int:
    """The next moment that a token can name as its end."""
    return -(-at // _GRAIN_MS) * _GRAIN_MS
