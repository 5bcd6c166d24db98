"""cdk-nag findings that this stack lives with, each acknowledged beside its construct with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, Stack, Validations

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: dict[str, str]) -> None:
    """Acknowledge rules (`Rule` or `Rule[finding]`) on this construct and what is below it."""
    for rule, reason in reasons.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def acknowledge_wildcard(construct: IConstruct, arn: str, reason: str) -> None:
    """Acknowledge that this role's policy names `arn`, which ends in '*'."""
    acknowledge(construct, {f"AwsSolutions-IAM5[Resource::{_flat(construct, arn)}]": reason})


def acknowledge_managed_policy(role: IConstruct, policy: iam.IManagedPolicy, reason: str) -> None:
    """Acknowledge that this role has a policy of AWS's own."""
    acknowledge(role, {f"AwsSolutions-IAM4[Policy::{_flat(role, policy.managed_policy_arn)}]": reason})


def _flat(construct: IConstruct, arn: str) -> str:
    """An ARN as cdk-nag writes it: with references, or with values where the account and region are known."""
    return _flatten(Stack.of(construct).resolve(arn))


def _flatten(value: object) -> str:
    match value:
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return delimiter.join(_flatten(part) for part in parts)
        case {"Ref": str(name)}:
            return f"<{name}>"
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case str(text):
            return text
        case _:
            raise TypeError(f"an ARN is made of text and references, not of {value!r}")
