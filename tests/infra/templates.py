"""What a synthesized template says, in the words of the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FUNCTION_FOLDERS = ("connect", "disconnect", "message", "rest", "offline_push", "presence", "files", "events_out")
# Of any stack; `Events` is there where it is configured.
FUNCTIONS = ("Authorizer", "Connect", "Disconnect", "Message", "Rest", "OfflinePush", "Presence", "Files")
HOOK = "arn:aws:lambda:us-east-1:123456789012:function:moderate"
FCM_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:fcm-AbCdEf"
FCM_KEY, APNS_KEY, JWT_KEY = (
    f"arn:aws:kms:us-east-1:123456789012:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f{last}" for last in "123"
)
APNS_SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:apns-AbCdEf"


class Resources:
    """What a template says, by type."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.template: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.all: dict[str, dict[str, Any]] = self.template["Resources"]

    @property
    def properties_of_the_artifact(self) -> dict[str, Any]:
        """What the assembly tells the CDK's command line about the stack, beside its template."""
        manifest = json.loads((self.file.parent / "manifest.json").read_text(encoding="utf-8"))
        properties: dict[str, Any] = manifest["artifacts"][self.file.name.split(".")[0]]["properties"]
        return properties

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id → resource."""
        return {name: resource for name, resource in self.all.items() if resource["Type"] == kind}

    def properties(self, kind: str) -> list[dict[str, Any]]:
        return [resource.get("Properties", {}) for resource in self.of(kind).values()]

    def named(self, kind: str, part: str) -> tuple[str, dict[str, Any]]:
        """The one resource of a kind whose logical id has `part` in it: id and properties."""
        found = [(name, resource["Properties"]) for name, resource in self.of(kind).items() if part in name]
        assert len(found) == 1, f"{kind} {part}: {[name for name, _ in found]}"
        return found[0]

    @property
    def functions(self) -> dict[str, dict[str, Any]]:
        """Construct id → properties of each Lambda function."""
        names = [*FUNCTIONS, *(["Events"] if any("EventsFunction" in name for name in self.all) else [])]
        assert len(self.of("AWS::Lambda::Function")) == len(names)
        return {name: self.named("AWS::Lambda::Function", f"{name}Function")[1] for name in names}

    def statements(self, function: str) -> list[dict[str, Any]]:
        """The statements of a function's own role."""
        role, _ = self.named("AWS::IAM::Role", f"{function}Role")
        return [
            statement
            for policy in self.properties("AWS::IAM::Policy")
            if policy["Roles"] == [{"Ref": role}]
            for statement in policy["PolicyDocument"]["Statement"]
        ]


# Each configuration once for a process: the fixtures of other folders look here, too.
SYNTHESIZED: dict[tuple[object, ...], Resources] = {}


def watched(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    """The metrics that an alarm looks at, the one that counts first."""
    if "MetricName" in alarm:
        return [alarm]
    stats = {one["Id"]: one["MetricStat"] for one in alarm["Metrics"] if "MetricStat" in one}
    return [{**stats[name]["Metric"], "Statistic": stats[name]["Stat"]} for name in sorted(stats, key=_is_whole)]


def _is_whole(name: str) -> bool:
    return name == "all"
