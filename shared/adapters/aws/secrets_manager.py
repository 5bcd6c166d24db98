"""Secrets Manager: the JWT secret, kept for a while, so that a rotated one takes effect without a deployment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shared.adapters.aws.calls import JsonService, ServiceError, undone
from shared.config import AwsEnvironment
from shared.errors import Unavailable

KEEP_MS: Final = 5 * 60 * 1_000


def secrets_manager(environment: AwsEnvironment) -> JsonService:
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
        """The current value, or the last one known. Raises Unavailable while it could not be read at all."""
        now = self._now()
        if self._read_at is None or now - self._read_at > KEEP_MS:
            self._read(now)
        return self._value

    def _read(self, now: int) -> None:
        try:
            answer = self._service.call("GetSecretValue", {"SecretId": self._secret_arn})
            if not answer.get("SecretString"):  # it is binary, or nothing
                raise undone("secretsmanager:GetSecretValue", "NoSecretString")
        except (ServiceError, Unavailable) as exc:
            if self._read_at is None:
                raise Unavailable("The secret to check tokens with can't be read right now") from exc
        else:
            self._value = str(answer["SecretString"])
        self._read_at = now
