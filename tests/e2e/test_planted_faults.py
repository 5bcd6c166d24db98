"""What is broken is named: by a step of the doctor, by its exit code, and by one kind of line in a function's log."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from local import function_log, log_lines
from local.stack import Stack
from ops.doctor import chatting
from ops.doctor.report import FAILED, OK, WARNED
from tests.e2e import planted_faults as planted
from tests.e2e.conftest import OwnStack
from tests.e2e.test_doctor import command, looked

# What a line is told by.
Kind = tuple[str, str, str]
_TROUBLE = {"WARNING", "ERROR", "CRITICAL"}


@dataclass(frozen=True)
class Fault:
    """How it is planted, which steps have to find it, and words that each one's cause or what it saw must have.

    `function` is whose log has the line, of which kind; empty where nothing runs that could write one.
    """

    plant: Callable[[OwnStack, Stack], planted.Planted]
    steps: dict[str, str]
    function: str = ""
    line: Kind = ("", "", "")


FAULTS = {
    "a permission that was taken away": Fault(
        planted.without_permission,
        {"permissions": "Message may not dynamodb:PutItem on Log", "message": "AccessDeniedException denied"},
        "Message",
        ("call refused", "AccessDeniedException", "denied"),
    ),
    "a throttled table": Fault(
        planted.with_a_throttled_table,
        {"tables": "LogTable is throttled", "message": "ProvisionedThroughputExceededException throttled"},
        "Message",
        ("call refused", "ProvisionedThroughputExceededException", "throttled"),
    ),
    "a wrong secret": Fault(
        planted.with_another_secret,
        {"functions": "Authorizer: JWT_SECRET_ARN", "handshake-bearer": "reads another secret"},
        "Authorizer",
        ("handshake refused", "unauthenticated", "InvalidSignatureError"),
    ),
    "a wrong endpoint": Fault(
        planted.with_another_endpoint,
        {
            "functions": "Message: CONNECTIONS_ENDPOINT",
            "connections-endpoint": "does not answer",
            "message": "execute-api:PostToConnection ConnectionRefused",
        },
        "Message",
        ("call refused", "ConnectionRefused", "unreachable"),
    ),
    "a source that is off": Fault(planted.with_a_source_off, {"sources": "OfflinePush is not fed by"}),
    "work that failed": Fault(planted.with_work_that_failed, {"failure-queues": "looks: 1"}),
}


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_planted_fault_is_named_with_its_cause(
    own_stack: OwnStack, stack: Stack, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chatting, "SOON_S", 10.0)  # for an ack that will not come
    fault = FAULTS[name]
    before = len(written(own_stack, fault.function))
    with fault.plant(own_stack, stack) as aws:
        report, _ = looked(own_stack, *fault.steps, aws=aws)
    for step, words in fault.steps.items():
        finding = report.of(step)
        assert finding.verdict in {FAILED, WARNED}, finding
        assert words in f"{finding.said} {finding.cause}", finding
        assert finding.cause
        assert finding.remedy
    assert report.is_well is all(report.of(step).verdict == WARNED for step in fault.steps)
    if aws is None:  # what takes nothing can't be cleaned either
        assert report.of("cleaning").verdict == OK
    if fault.function:
        assert set(written(own_stack, fault.function)[before:]) == {fault.line}


def test_where_something_is_broken_the_command_ends_with_an_error_and_names_it(
    own_stack: OwnStack, stack: Stack
) -> None:
    with planted.with_another_secret(own_stack, stack):
        code, shown = command(own_stack, "doctor", within_s=240)
    assert code == 1
    assert "failed   Functions and their settings" in shown
    assert "JWT_SECRET_ARN is not the secret that the stack tells of" in shown
    written_down = json.loads((own_stack.settings.home / "doctor.json").read_text(encoding="utf-8"))
    verdicts = {one["name"]: one["verdict"] for one in written_down["steps"]}
    assert (verdicts["functions"], verdicts["handshake-bearer"], verdicts["message"]) == (FAILED, FAILED, "skipped")


def written(own_stack: OwnStack, function: str) -> list[Kind]:
    """The lines of a function's that tell of trouble, or of a handshake that was refused."""
    found = []
    for entry in function_log.lines(own_stack.settings.log("functions"), last=1_000_000, follow=False):
        told = json.loads(entry)
        if log_lines.short_name(str(told.get("function"))) != function:
            continue
        try:
            line = json.loads(told["line"])
        except ValueError:
            continue
        if line.get("level") in _TROUBLE or line.get("message") == "handshake refused":
            found.append((str(line["message"]), str(line.get("code")), str(line.get("class") or line.get("cause"))))
    return found
