"""How tokens are verified: by a shared secret in Secrets Manager, or by the keys behind a JWKS URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.removal import removal_of
from infra.secret_access import allow_reading

if TYPE_CHECKING:
    from infra.config import Config
    from infra.function import Function


class Identity(Construct):
    """The HS256 secret: an existing one, or one generated here and never shown in a template. None with a JWKS URL."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self.secret_arn = self._secret_arn()
        self.environment = {
            "JWT_SECRET_ARN": self.secret_arn,
            "JWKS_URL": config.jwks_url,
            "JWT_ISSUER": config.jwt_issuer,
            "JWT_AUDIENCE": config.jwt_audience,
        }

    def allow_reading_secret(self, function: Function) -> None:
        """Nothing to allow where tokens are verified through a JWKS URL."""
        if self.secret_arn:
            allow_reading(function, self.secret_arn, self._config.jwt_key_arn)

    def _secret_arn(self) -> str:
        if self._config.jwks_url:
            return ""
        if self._config.jwt_secret_arn:
            return self._config.jwt_secret_arn
        secret = secretsmanager.Secret(
            self,
            "JwtSecret",
            description="Parley: signs and verifies HS256 tokens",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=removal_of(self._config),
        )
        acknowledge(
            secret,
            {
                "AwsSolutions-SMG4": "The backend that mints the tokens holds the same secret: a rotation by schedule "
                "would lock every user out. Rotate it with that backend, or use a JWKS URL."
            },
        )
        if self._config.jwt_key_arn:
            # Not `encryption_key`: that would give the functions leave of CDK's choosing.
            resource = cast("secretsmanager.CfnSecret", secret.node.default_child)
            resource.kms_key_id = self._config.jwt_key_arn
        return secret.secret_arn
