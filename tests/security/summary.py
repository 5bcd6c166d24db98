"""What an audit has tried, section by section, as lines for a terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import pytest

from tests.security.advisories import Verdict

# Title → where it is tried: files, or single tests of one.
SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Tokens": ("tests/security/test_tokens.py", "tests/shared/auth/test_tokens.py", "tests/shared/auth/test_jwks.py"),
    "Tickets": ("tests/security/test_tickets.py", "tests/shared/operations/test_tickets.py"),
    "Origins": ("tests/security/test_origins.py", "tests/shared/auth/test_origins.py"),
    "Access by frames": ("tests/security/test_access_by_frames.py",),
    "Access by HTTP": ("tests/security/test_access_by_http.py",),
    "Access by table": ("tests/security/test_access_by_table.py",),
    "Canaries": (
        "tests/security/test_canaries.py",
        "tests/functions/offline_push/test_apns.py::test_no_token_no_text_and_no_secret_in_logs_and_results",
        "tests/functions/offline_push/test_fcm.py::test_no_token_no_text_and_no_secret_in_logs_and_results",
    ),
    "Dependencies": (
        "tests/security/test_dependencies.py",
        "tests/infra/test_bundling.py::test_a_bundle_holds_its_function_its_dependencies_and_no_other",
        "tests/infra/test_bundling.py::test_no_bundle_carries_the_sdk_and_only_the_pushes_cryptography",
    ),
    "Permissions": ("tests/infra/test_permissions.py", "tests/infra/test_attack_surface.py"),
    "Configuration": (
        *("tests/infra/test_gateways.py", "tests/infra/test_storage.py", "tests/infra/test_queues.py"),
        *("tests/infra/test_functions.py", "tests/infra/test_reminders.py", "tests/infra/test_checks.py"),
    ),
    "Deployed stack": ("tests/e2e/test_attacks.py", "tests/e2e/test_canaries.py", "tests/e2e/test_edges.py"),
    "This audit": ("tests/security/test_audit.py", "tests/security/test_security_page.py"),
}
ALL_HELD, FAILED, NOT_ASKED = 0, 1, 3
_WIDTH: Final = max(map(len, SECTIONS)) + 2


def section_of(nodeid: str) -> str:
    """The section that a test belongs to."""
    # Behind a test's name come its parameters, and its group where tests run side by side.
    names = {nodeid.partition("::")[0], nodeid.partition("[")[0].partition("@")[0]}
    return next(title for title, places in SECTIONS.items() if names & {*places})


@dataclass
class Tally:
    """A pytest plugin that counts: tests by section, and what each says that it has tried (one, if nothing)."""

    tests: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    tried: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    failed: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        title = section_of(report.nodeid)
        if report.failed:
            self.failed[title].append(f"{report.nodeid.rpartition('/')[2]} ({report.when})")
        if report.when == "teardown":
            self.tests[title] += 1
            self.tried[title] += next((int(str(n)) for name, n in report.user_properties if name == "tried"), 1)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed["This audit"].append(f"{report.nodeid} could not be collected")


def lines(tally: Tally, sections: Iterable[str], verdicts: Sequence[Verdict]) -> list[str]:
    """The whole report."""
    told = [_line(title, tally) for title in sections]
    told += [f"    {failed}" for title in sections for failed in tally.failed[title]]
    for verdict in verdicts:
        told.append(f"{'Advisories':<{_WIDTH}}{verdict.what}: {_words(verdict)}")
        told += [f"    {line}" for line in verdict.detail.splitlines() if verdict.state == "found"]
    return told


def _line(title: str, tally: Tally) -> str:
    tests, failed = tally.tests[title], len(tally.failed[title])
    verdict = f"{failed} FAILED" if failed else "held" if tests else "NOTHING WAS TRIED"
    return f"{title:<{_WIDTH}}{tally.tried[title]:>7,} tried in {tests:>5,} tests   {verdict}"


def _words(verdict: Verdict) -> str:
    words = {"clean": "none is known", "found": "KNOWN VULNERABILITIES"}
    return words.get(verdict.state, f"NOT ASKED ({verdict.detail})")


def conclusion(tally: Tally, sections: Sequence[str], verdicts: Sequence[Verdict]) -> tuple[int, str]:
    """The exit code, and the last line."""
    broken = [title for title in sections if tally.failed[title] or not tally.tests[title]]
    if broken or any(verdict.state == "found" for verdict in verdicts):
        return FAILED, "The audit has FAILED."
    total = sum(tally.tried[title] for title in sections)
    if any(verdict.state == "not asked" for verdict in verdicts):
        return NOT_ASKED, (
            f"All {total:,} attempts were held, but the advisory databases could NOT be asked: whether a known "
            "vulnerability is among the dependencies is open. Ask again with a connection to them; "
            "`make audit OFFLINE=1` leaves that question out."
        )
    return ALL_HELD, f"All {total:,} attempts were held."
