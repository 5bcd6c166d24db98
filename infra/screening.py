"""What messages go through before they are stored: lists of words, and a hook, which is the team's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.removal import removal_of
from infra.secret_access import allow_reading

if TYPE_CHECKING:
    from infra.config import Config
    from infra.function import Function


class Screening(Construct):
    """Leave to invoke that one Lambda, or the secret by which the endpoint knows us: one made here, or a given one."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id)
        self._config = config
        self.secret_arn = self._secret_arn()
        self.environment = {
            **config.environment("word_lists", "shadow_bans", "message_hook", "message_hook_ms", "message_hook_fails"),
            "MESSAGE_HOOK_SECRET_ARN": self.secret_arn,
        }

    def allow(self, function: Function) -> None:
        """Let a function that stores messages ask the hook."""
        if self.secret_arn:
            allow_reading(function, self.secret_arn, "")
        elif self._config.message_hook:
            function.allow(["lambda:InvokeFunction"], self._config.message_hook)

    def _secret_arn(self) -> str:
        config = self._config
        if not config.message_hook or config.hook_is_lambda:
            return ""
        if config.message_hook_secret_arn:
            return config.message_hook_secret_arn
        secret = secretsmanager.Secret(
            self,
            "Secret",
            description="Parley: signs what the message hook is asked",
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=48, exclude_punctuation=True),
            removal_policy=removal_of(config),
        )
        acknowledge(
            secret,
            {
                "AwsSolutions-SMG4": "The endpoint that checks the signatures holds the same secret: it is replaced "
                "together with that endpoint's."
            },
        )
        return secret.secret_arn
