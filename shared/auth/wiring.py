"""Which keys a function verifies tokens with, from its settings. Used by the authorizer and the HTTP API."""

from __future__ import annotations

from collections.abc import Callable

from shared.adapters.aws.secrets_manager import CachedSecret, secrets_manager
from shared.auth.tokens import Keys, SecretKey, TokenVerifier
from shared.config import AwsEnvironment, TokenSettings


def make_verifier(settings: TokenSettings, environment: AwsEnvironment, *, now: Callable[[], int]) -> TokenVerifier:
    """A verifier for the one kind of key that is configured. Nothing is fetched yet."""
    return TokenVerifier(
        _keys(settings, environment, now), issuer=settings.jwt_issuer, audience=settings.jwt_audience, now=now
    )


def _keys(settings: TokenSettings, environment: AwsEnvironment, now: Callable[[], int]) -> Keys:
    if settings.jwks_url:
        from shared.auth.jwks import JwksKeys  # noqa: PLC0415  # cryptography is bundled only where it is needed

        return JwksKeys(settings.jwks_url, now=now)
    return SecretKey(CachedSecret(secrets_manager(environment), settings.jwt_secret_arn, now=now))
