"""`make doctor`: all steps, their report on the screen and in two files, and an exit code that tells."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import subprocess
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from local import server
from local import stack as local_stack
from local.console import fact
from local.errors import CommandError
from ops import target
from ops.doctor import chatting, cleaning, delivering, mailing, operating, outward, versions, watching
from ops.doctor.patient import Options, Patient, run_of
from ops.doctor.report import FAILED, VERDICTS, Finding, Report, safe
from ops.doctor.steps import Step, take_all
from shared.version import VERSION

if TYPE_CHECKING:
    from local.settings import Settings

_BOTH: Final = ("handshake-bearer", "handshake-ticket")
_IDLE_S: Final = 700.0

# In this order. README.md's list of what was not tried on AWS names the steps that try it, and a test that it does.
STEPS: Final = (
    Step("configuration", "The stack is deployed to its end", operating.configuration),
    Step("version", "Versions", versions.version, ("configuration",)),
    Step("quotas", "The account's quotas", operating.quotas),
    Step("functions", "Functions and their settings", operating.functions, ("configuration",)),
    Step("permissions", "What the functions may do", operating.permissions, ("configuration",)),
    Step("secrets", "Secrets and credentials", operating.secrets, ("configuration",)),
    Step("tables", "Tables", watching.tables, ("configuration",)),
    Step("sources", "What feeds the functions", watching.sources, ("configuration",)),
    Step("gateways", "Routes, replies and stages", operating.gateways, ("configuration",)),
    Step("domain", "A domain of one's own", operating.domain, ("configuration",)),
    Step("connections-endpoint", "Where events are posted", operating.connections_endpoint, ("configuration",)),
    Step("clocks", "Clocks", operating.clocks, ("configuration",)),
    Step("handshake-bearer", "Handshake by token", chatting.by_bearer, ("configuration",)),
    Step("handshake-ticket", "Handshake by ticket", chatting.by_ticket, ("configuration",)),
    Step("handshake-refused", "Handshakes that are refused", chatting.refused, ("configuration",)),
    Step("message", "Message, ack and event", chatting.message, _BOTH),
    Step("edit", "An edit", chatting.edit, ("message",)),
    Step("receipt", "A receipt", chatting.receipt, ("message",)),
    Step("sync", "Catching up with 100 KB", chatting.sync, ("message",), 240.0),
    Step("frames", "Frames at once, and one too large", chatting.frames, ("configuration",)),
    Step("connecting", "Posts during a handshake", delivering.connecting, ("message",), 180.0),
    Step("dead-connection", "Posts to a dead connection", delivering.dead_connection, ("message",), 120.0),
    Step("eviction", "One connection too many", delivering.eviction, ("handshake-bearer",), 120.0),
    Step("files", "Upload, check, download", chatting.files, ("message",), 180.0),
    Step(
        "delivery-check", "The second post of what is not acknowledged", delivering.delivery_check, ("message",), 120.0
    ),
    Step("push", "Credentials of push providers", delivering.push, ("message",), 180.0),
    Step("push-device", "A push to a device", delivering.push_device, ("configuration",), 120.0),
    Step("web-push", "The key for browsers' pushes", outward.web_push, ("configuration",)),
    Step("ses", "Mails by SES", mailing.ses, ("configuration",)),
    Step("webhooks", "A test to each webhook", outward.webhooks, ("configuration",), 120.0),
    Step("reminder", "A reminder", delivering.reminder, ("message",), 240.0),
    Step("idle", "Ten idle minutes", chatting.idle, ("handshake-bearer",), _IDLE_S),
    Step("again", "And again", chatting.again, ("idle",)),
    Step("lag", "How far behind the log its readers are", watching.lag, ("configuration",)),
    Step("failure-queues", "Failure queues", watching.failure_queues, ("configuration",)),
    Step("durations", "Durations and throttles of functions", watching.durations, ("configuration",)),
    Step("alarms", "Alarms", watching.alarms, ("configuration",)),
    Step("access-logs", "Access logs", watching.access_logs, ("configuration",)),
    Step("logs", "What functions noted lately", watching.logs, ("configuration",)),
    Step("cleaning", "Taking away what this run made", cleaning.cleaning, ("configuration",), 180.0),
)


def doctor(settings: Settings, options: Options, *, on_aws: bool) -> bool:
    """Take every step, show and write the report; whether nothing failed.

    Raises:
        CommandError: there is nothing to look at, or no way to it.

    """
    patient = _patient(settings, options, on_aws=on_aws)
    report = examine(patient)
    settings.home.mkdir(parents=True, exist_ok=True)
    for name, text in (("doctor.md", report.as_markdown()), ("doctor.json", report.as_json())):
        (settings.home / name).write_text(text, encoding="utf-8")
    counted = Counter(one.verdict for one in report.findings)
    print()
    fact("doctor", ", ".join(f"{counted[verdict]} {verdict}" for verdict in VERDICTS if counted[verdict]))
    fact("report", f"{settings.home / 'doctor.md'} and doctor.json: nothing secret is in them")
    return report.is_well


def examine(patient: Patient, steps: tuple[Step, ...] = STEPS) -> Report:
    """All steps, each shown as it is done."""
    try:
        findings = asyncio.run(take_all(steps, patient, show=lambda one: _show(one, patient)))
    except KeyboardInterrupt:
        with contextlib.suppress(Exception):  # who interrupts it may have taken away what it needs
            asyncio.run(cleaning.rows(patient))
        raise
    about = {
        "stack": patient.target.stack_name,
        "place": f"AWS, {patient.outputs.get('Region', '?')}"
        if patient.on_aws and _is_there(findings)
        else _place(patient),
        "version": f"{VERSION} ({_commit()})",
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "run": patient.run,
    }
    return Report(about, findings, frozenset(patient.secrets))


def _is_there(findings: list[Finding]) -> bool:
    return findings[0].verdict != FAILED


def _place(patient: Patient) -> str:
    return "AWS" if patient.on_aws else "this machine"


def _show(finding: Finding, patient: Patient) -> None:
    print(f"  {finding.verdict:<8} {finding.title:<46} {finding.seconds:6.1f} s  {safe(finding.said, patient.secrets)}")
    if finding.cause:
        print(f"{'':11}cause:  {safe(finding.cause, patient.secrets)}")
    if finding.remedy:
        print(f"{'':11}remedy: {safe(finding.remedy, patient.secrets)}")


def _patient(settings: Settings, options: Options, *, on_aws: bool) -> Patient:
    run = run_of(options.tokens) if options.tokens else secrets.token_hex(4)
    if on_aws:
        return Patient(target.in_aws(), run, options)
    place = target.on_this_machine(settings)
    if server.find(settings) is None:
        raise CommandError("The stack is not running", "Start it with: make up")
    pushes = local_stack.read(settings.stack_file).pushes_url
    return Patient(place, run, options, log=settings.log("functions"), pushes_url=pushes)


def _commit() -> str:
    """The commit that the commands are of, where they are in a clone."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
