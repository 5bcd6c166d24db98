"""docs/operations.md tells of every alarm and every failure queue that is deployed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.infra.templates import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

SECRETS = {
    f"{provider}_secret_arn": f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{provider}-AbCdEf"
    for provider in ("fcm", "apns")
}
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_every_alarm_is_explained(synthesize: Callable[..., Resources]) -> None:
    names = {
        re.sub(r"^Observability|[0-9A-F]{8}$", "", logical_id)
        for logical_id in synthesize(**SECRETS).of("AWS::CloudWatch::Alarm")
    }
    assert {"StreamLag", "FailedStreamRecords", "FailedStreamRecordsAge", "PushGivenUp", "FilesErrors"} <= names
    ages = {name for name in names if name.endswith("Age")}
    assert {name.removesuffix("Age") for name in ages} < names
    assert set(re.findall(r"`([A-Z]\w+)`", PAGE)) >= names - ages


def test_a_hook_that_fails_has_an_alarm_that_is_explained(synthesize: Callable[..., Resources]) -> None:
    def alarms(**context: str) -> set[str]:
        return {str(one.get("MetricName")) for one in synthesize(**context).properties("AWS::CloudWatch::Alarm")}

    assert alarms(message_hook="https://example.com/check") - alarms() == {"MessageHookFailed"}
    assert "| `MessageHookFailed` |" in PAGE


def test_every_failure_queue_is_named(synthesize: Callable[..., Resources]) -> None:
    output = str(synthesize(**SECRETS).template["Outputs"]["FailureQueues"])
    queues = re.findall(r'"([a-z-]+)":', output)
    assert {"stream-records", "file-checks", "fcm-pushes"} <= set(queues)
    assert set(re.findall(r"`([a-z-]+)`", PAGE)) >= set(queues)
