"""A synthesized template as it is once it is deployed: what things are called, and what a role may do.

Where a thing has a name of CloudFormation's making, `physical` says it; where nothing says it, it is the logical id.
`keys` says which KMS keys secrets are under that the template only names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

FUNCTION: Final = "AWS::Lambda::Function"
ROLE: Final = "AWS::IAM::Role"
QUEUE: Final = "AWS::SQS::Queue"
TABLE: Final = "AWS::DynamoDB::Table"
SECRET: Final = "AWS::SecretsManager::Secret"
STREAM_LABEL: Final = "2026-11-29T09:00:00.000"
_ARNS: Final = {
    "AWS::DynamoDB::Table": "arn:aws:dynamodb:{region}:{account}:table/{name}",
    "AWS::SQS::Queue": "arn:aws:sqs:{region}:{account}:{name}",
    "AWS::S3::Bucket": "arn:aws:s3:::{name}",
    SECRET: "arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
    "AWS::IAM::Role": "arn:aws:iam::{account}:role/{name}",
    "AWS::Logs::LogGroup": "arn:aws:logs:{region}:{account}:log-group:{name}:*",
    "AWS::Lambda::Function": "arn:aws:lambda:{region}:{account}:function:{name}",
    "AWS::SNS::Topic": "arn:aws:sns:{region}:{account}:{name}",
    "AWS::Events::EventBus": "arn:aws:events:{region}:{account}:event-bus/{name}",
    "AWS::Events::Rule": "arn:aws:events:{region}:{account}:rule/{name}",
    "AWS::Scheduler::ScheduleGroup": "arn:aws:scheduler:{region}:{account}:schedule-group/{name}",
    "AWS::KMS::Key": "arn:aws:kms:{region}:{account}:key/{name}",
}
_NAMES: Final = ("TableName", "QueueName", "BucketName", "FunctionName", "RoleName", "LogGroupName", "Name")


class Unresolvable(AssertionError):
    """The template says something that is not understood here: say what it means, rather than guess."""


@dataclass(frozen=True)
class Statement:
    """One of a role's policies. `at` says where it stands in the template: policy, number."""

    principal: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Any]
    at: tuple[str, int]


@dataclass(frozen=True)
class Deployment:
    template: Mapping[str, Any]
    physical: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    account: str = "123456789012"
    region: str = "us-east-1"

    @property
    def resources(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.template["Resources"]
        return found

    def of(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Logical id and properties of each resource of a kind."""
        return (
            (name, resource.get("Properties", {}))
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        )

    def named(self, kind: str, name: str) -> str:
        """The logical id of what has this name."""
        found = self._by_name.get((kind, name), [])
        if len(found) != 1:
            raise Unresolvable(f"{kind} that is called {name}: {found}")
        return found[0]

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], list[str]]:
        """Of functions and roles: a recording asks for them a hundred thousand times."""
        found: dict[tuple[str, str], list[str]] = {}
        for kind in (FUNCTION, ROLE):
            for logical, _ in self.of(kind):
                found.setdefault((kind, self.name(logical)), []).append(logical)
        return found

    def name(self, logical: str) -> str:
        """What a resource is called."""
        properties = self.resources[logical].get("Properties", {})
        given = self.physical.get(logical)
        if given is None:
            said = next((properties[one] for one in _NAMES if one in properties), None)
            given = logical if said is None else str(self.value(said))
        return re.split(r"[:/]", given)[-1] if given.startswith(("http", "arn:")) else given

    def value(self, what: Any) -> Any:
        """What a template's expression comes to."""
        if isinstance(what, list):
            return [self.value(one) for one in what]
        if not isinstance(what, Mapping):
            return what
        evaluate = _EXPRESSIONS.get(next(iter(what))) if len(what) == 1 else None
        if evaluate is not None:
            return evaluate(self, *what.values())
        if any(key.startswith("Fn::") for key in what):
            raise Unresolvable(str(what))
        return {key: self.value(one) for key, one in what.items()}

    def reference(self, name: str) -> str:
        pseudo = {
            "AWS::Region": self.region,
            "AWS::AccountId": self.account,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        if name not in self.resources:
            return str(self.template["Parameters"][name].get("Default", name))
        kind = self.resources[name]["Type"]
        if kind == QUEUE:
            return self.physical.get(name, f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.name(name)}")
        if kind in {SECRET, "AWS::SNS::Topic"}:
            return self.physical.get(name) or self.arn(name)
        return self.name(name)

    def attribute(self, logical: str, attribute: str) -> str:
        if attribute == "Arn":
            given = self.physical.get(logical, "")
            return given if given.startswith("arn:") else self.arn(logical)
        if attribute == "StreamArn":
            return f"{self.arn(logical)}/stream/{STREAM_LABEL}"
        if attribute.endswith("Name"):
            return self.name(logical)
        raise Unresolvable(f"{logical}.{attribute}")

    def arn(self, logical: str) -> str:
        kind = self.resources[logical]["Type"]
        if kind not in _ARNS:
            raise Unresolvable(f"the ARN of {logical}, {kind}")
        return _ARNS[kind].format(region=self.region, account=self.account, name=self.name(logical))

    def key_of(self, secret_arn: str) -> str | None:
        """The KMS key of the account's own that a secret is under."""
        for logical, properties in self.of(SECRET):
            if "KmsKeyId" in properties and self.reference(logical) == secret_arn:
                return str(self.value(properties["KmsKeyId"]))
        return self.keys.get(secret_arn)

    # -- permissions --------------------------------------------------------------------------------------------------

    def role_of(self, function: str) -> str:
        """The logical id of a function's role."""
        role = self.resources[function]["Properties"]["Role"]
        return str(role["Fn::GetAtt"][0])

    def statements(self) -> Iterator[Statement]:
        """Every statement that allows a role something. A Deny has no place in a function's role, nor NotAction."""
        for logical, policy in self.of("AWS::IAM::Policy"):
            for role in policy["Roles"]:
                for number, statement in enumerate(policy["PolicyDocument"]["Statement"]):
                    if statement["Effect"] != "Allow" or not {"Action", "Resource"} <= statement.keys():
                        raise Unresolvable(str(statement))
                    yield Statement(
                        principal=str(role["Ref"]),
                        actions=tuple(map(str, listed(statement["Action"]))),
                        resources=tuple(map(str, listed(self.value(statement["Resource"])))),
                        conditions=self.value(statement.get("Condition", {})),
                        at=(logical, number),
                    )


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _joined(deployment: Deployment, of: list[Any]) -> str:
    separator, parts = of
    return str(separator).join(str(deployment.value(part)) for part in parts)


def _selected(deployment: Deployment, of: list[Any]) -> Any:
    index, parts = of
    return deployment.value(parts)[int(index)]


def _split(deployment: Deployment, of: list[Any]) -> list[str]:
    separator, text = of
    return str(deployment.value(text)).split(separator)


def _substituted(deployment: Deployment, text: str) -> str:
    return re.sub(r"\$\{([\w:]+)\}", lambda found: deployment.reference(found[1]), text)


_EXPRESSIONS: Final[Mapping[str, Callable[[Deployment, Any], Any]]] = {
    "Ref": lambda deployment, name: deployment.reference(name),
    "Fn::GetAtt": lambda deployment, of: deployment.attribute(*of),
    "Fn::Join": _joined,
    "Fn::Select": _selected,
    "Fn::Split": _split,
    "Fn::Sub": _substituted,
}
