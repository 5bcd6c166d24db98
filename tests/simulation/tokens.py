"""Tokens of the simulation's users, as their own server would give them out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import jwt

from shared.auth.tokens import SecretKey

SECRET: Final = "s" * 64
KEYS: Final = SecretKey(lambda: SECRET)
_SCOPES: Final = {"server": "notifications:send admin", "moderator": "moderation"}
# An eighth of a second is exact as a fraction, so that everybody reads the same millisecond out of a token.
_GRAIN_MS: Final = 125
_REMEMBERED: Final = 20_000


@lru_cache(maxsize=20_000)
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


class Remembered:
    """Stands for the library that reads tokens: what it has said of one, it says again without reading it anew.

    Histories show the same tokens again and again, and to read one takes as long as several calls of services.
    """

    def __init__(self) -> None:
        self._headers: dict[str, dict[str, Any]] = {}
        self._claims: dict[tuple[str, str, str], dict[str, Any]] = {}

    def shrink(self) -> None:
        """Let go of everything as soon as it is much."""
        if len(self._claims) > _REMEMBERED:
            self._headers.clear()
            self._claims.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(jwt, name)

    def get_unverified_header(self, token: str) -> dict[str, Any]:
        if token not in self._headers:
            self._headers[token] = jwt.get_unverified_header(token)
        return dict(self._headers[token])

    def decode(self, token: str, key: str, **asked: Any) -> dict[str, Any]:
        question = token, key, repr(asked)
        if question not in self._claims:
            self._claims[question] = jwt.decode(token, key, **asked)
        return dict(self._claims[question])


REMEMBERED: Final = Remembered()


def ends(at: int) -> int:
    """The next moment that a token can name as its end."""
    return -(-at // _GRAIN_MS) * _GRAIN_MS
