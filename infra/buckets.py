"""Buckets: what holds for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_s3 as s3

from infra.removal import removal_of

if TYPE_CHECKING:
    from constructs import Construct

    from infra.config import Config


def private_bucket(scope: Construct, config: Config, **more: Any) -> s3.Bucket:
    """The bucket of a construct. Nothing in it is public, and it is spoken to over TLS only."""
    return s3.Bucket(
        scope,
        "Bucket",
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        removal_policy=removal_of(config),
        **more,
    )
