"""cdk-nag findings that this stack lives with, each acknowledged beside its construct with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, Stack, Validations

if TYPE_CHECKING:
    from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: dict[str, str]) -> None:
    """Acknowledge rules (`Rule` or `Rule[finding]`) on this construct and what is below it."""
    for rule, reason in reasons.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))


def acknowledge_wildcard(construct: IConstruct, arn: str, reason: str) -> None:
    """Acknowledge that this role's policy names `arn`, which ends in '*'."""
    flat = _flatten(Stack.of(construct).resolve(arn))
    acknowledge(construct, {f"AwsSolutions-IAM5[Resource::{flat}]": reason})


def _flatten(value: object) -> str:
    """The text that cdk-nag makes of an ARN with references in it."""
    match value:
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return delimiter.join(_flatten(part) for part in parts)
        case {"Ref": str(name)}:
            return f"<{name}>"
        case str(text):
            return text
        case _:
            raise TypeError(f"an ARN is made of text and references, not of {value!r}")
