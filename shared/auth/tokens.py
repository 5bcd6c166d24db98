"""Verifying JWTs: HS256 with a secret, or RS256 and ES256 through a JWKS. Never what the token itself asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import jwt

from shared.adapters.aws.secrets_manager import CachedSecret, secrets_manager
from shared.clock import SECOND_MS
from shared.config import AwsEnvironment, TokenSettings
from shared.domain.connections import MAX_TOKEN_CHARACTERS, Identity
from shared.domain.text import MAX_NUMBER, is_user_id
from shared.errors import TokenExpired, Unauthenticated

# For `iat` and `nbf` only: the issuer's clock may run a little ahead. `exp` is taken at its word.
CLOCK_LEEWAY_MS: Final = 5 * 1_000


class Keys(Protocol):
    """Where verification keys come from. `algorithms` is fixed by the source, never by the token."""

    @property
    def algorithms(self) -> Sequence[str]: ...

    def key_for(self, key_id: str | None) -> Any:
        """The key to try. Raises Unauthenticated for an unknown id, Unavailable where keys can't be had."""


class SecretKey:
    """HS256 with one shared secret."""

    algorithms = ("HS256",)

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read

    def key_for(self, key_id: str | None) -> str:  # noqa: ARG002  # there is only one
        return self._read()


class TokenVerifier:
    """Checks a token and says whose it is. `issuer` and `audience` are checked where they are not empty."""

    def __init__(self, keys: Keys, *, issuer: str = "", audience: str = "", now: Callable[[], int]) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._now = now

    def verify(self, token: str) -> Identity:
        """The user of a valid token. Raises Unauthenticated, and TokenExpired for one that was valid once."""
        if len(token) > MAX_TOKEN_CHARACTERS:
            raise Unauthenticated
        claims = self._claims(token)
        now = self._now()
        if max(_time(claims["iat"]), _time(claims.get("nbf", 0))) > now + CLOCK_LEEWAY_MS:
            raise Unauthenticated("The token is not valid yet")
        expires_at = _time(claims["exp"])
        if expires_at <= now:
            raise TokenExpired
        return Identity(_user_id(claims), expires_at, _scopes(claims), _time(claims["iat"]))

    def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
            key = self._keys.key_for(key_id if isinstance(key_id, str) else None)
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(self._keys.algorithms),
                issuer=self._issuer or None,
                audience=self._audience or None,
                options={
                    "require": ["exp", "iat"],
                    "verify_exp": False,  # the times are checked against `now`, in verify
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": bool(self._audience),
                    "verify_iss": bool(self._issuer),
                    "verify_sub": False,  # a number is read as its decimal string, below
                    "verify_jti": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError) as exc:
            raise Unauthenticated("The token is not valid") from exc
        return claims


def _time(value: Any) -> int:
    """A NumericDate (seconds, fractions allowed) in milliseconds. Raises Unauthenticated for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value * SECOND_MS <= MAX_NUMBER:
        raise Unauthenticated("The token's times are not valid")
    return int(value * SECOND_MS)


def _user_id(claims: Mapping[str, Any]) -> str:
    """`user_id` if present and not null, else `sub`; a number as its decimal string. Raises Unauthenticated."""
    named = claims.get("user_id")
    value = claims.get("sub") if named is None else named
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not is_user_id(value):
        raise Unauthenticated("The token names no usable user id")
    return value


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """The claim `scope` (text, separated by blanks) or `scopes` (a list). Anything else gives none."""
    text, listed = claims.get("scope"), claims.get("scopes")
    named = text.split() if isinstance(text, str) else []
    return frozenset([*named, *(one for one in listed if isinstance(one, str))] if isinstance(listed, list) else named)


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization: Bearer` header, whatever the case of its name. None without one."""
    for name, value in headers.items():
        if name.lower() == "authorization":
            scheme, _, token = value.partition(" ")
            return token.strip() if scheme.lower() == "bearer" and token.strip() else None
    return None


def make_verifier(settings: TokenSettings, environment: AwsEnvironment, *, now: Callable[[], int]) -> TokenVerifier:
    """A verifier for the one kind of key that is configured. Nothing is fetched yet."""
    keys = _keys(settings, environment, now)
    return TokenVerifier(keys, issuer=settings.jwt_issuer, audience=settings.jwt_audience, now=now)


def _keys(settings: TokenSettings, environment: AwsEnvironment, now: Callable[[], int]) -> Keys:
    if settings.jwks_url:
        from shared.auth.jwks import JwksKeys  # noqa: PLC0415  # cryptography is bundled only where it is needed

        return JwksKeys(settings.jwks_url, now=now)
    return SecretKey(CachedSecret(secrets_manager(environment), settings.jwt_secret_arn, now=now))
