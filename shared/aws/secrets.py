"""Secrets Manager: the JWT secret, kept for a while, so that a rotated one takes effect without a deployment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shared.aws.json_service import JsonService
from shared.config import AwsEnvironment

KEEP_MS: Final = 5 * 60 * 1_000


def secrets_manager(environment: AwsEnvironment) -> JsonService:
    """The Secrets Manager endpoint of this region (or of the laptop's emulator)."""
    return JsonService(
        service="secretsmanager",
        target_prefix="secretsmanager",
        content_type="application/x-amz-json-1.1",
        environment=environment,
    )


class CachedSecret:
    """One secret string, read when first needed and again after five minutes."""

    def __init__(self, service: JsonService, secret_arn: str, *, now: Callable[[], int]) -> None:
        self._service = service
        self._secret_arn = secret_arn
        self._now = now
        self._value = ""
        self._read_at: int | None = None

    def __call__(self) -> str:
        """The secret's current value. Raises Unavailable where it can't be read."""
        now = self._now()
        if self._read_at is None or now - self._read_at > KEEP_MS:
            answer = self._service.call("GetSecretValue", {"SecretId": self._secret_arn})
            self._value, self._read_at = str(answer["SecretString"]), now
        return self._value
