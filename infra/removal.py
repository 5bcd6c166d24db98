"""What becomes of a resource when its stack, or it alone, is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy

if TYPE_CHECKING:
    from infra.config import Config


def removal_of(config: Config, *, is_protected: bool = False) -> RemovalPolicy:
    """Kept with `removal=retain`, but not where the deployment that makes it fails: it would belong to no stack.

    `is_protected`: it has deletion protection, so deleting it fails, and the rollback with it: it is kept in any case.
    """
    if not config.retains_data:
        return RemovalPolicy.DESTROY
    return RemovalPolicy.RETAIN if is_protected else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
