"""Leave to read a secret, and to have it decrypted where it is under a key of the account's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Aws

if TYPE_CHECKING:
    from infra.function import Function


def allow_reading(function: Function, secret_arn: str, key_arn: str) -> None:
    """Let a function read this secret. `key_arn`: the KMS key that it is under, empty for the account's own key.

    Secrets Manager decrypts with the rights of the caller. The key's policy has to let this account's roles use it;
    AWS's own `aws/secretsmanager` does. The conditions make the leave worth nothing for anything but this secret.
    """
    function.allow(["secretsmanager:GetSecretValue"], secret_arn)
    if key_arn:
        function.allow(
            ["kms:Decrypt"],
            key_arn,
            conditions={
                "StringEquals": {
                    "kms:ViaService": f"secretsmanager.{Aws.REGION}.{Aws.URL_SUFFIX}",
                    "kms:EncryptionContext:SecretARN": secret_arn,
                }
            },
        )
