"""The doctor's report: verdicts, causes and remedies, and nothing in it that others may not see."""

from __future__ import annotations

import json

import jwt
import pytest

from ops.doctor.report import FAILED, OK, SKIPPED, WARNED, Finding, Report, safe

TOKEN = jwt.encode({"sub": "alice"}, "x" * 40, algorithm="HS256")
PEM = "-----BEGIN PRIVATE KEY-----\nMIGH\nabc\n-----END PRIVATE KEY-----"
LINK = "https://bucket.s3.amazonaws.com/files/1?X-Amz-Credential=AKIAABCDEFGHIJKLMNOP%2F20260101&X-Amz-Signature=abc123"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (f"refused: {TOKEN}", TOKEN.split(".")[1]),
        (f"the key {PEM} is wrong", "MIGH"),
        ("arn:aws:sqs:eu-west-1:123456789012:queue", "123456789012"),
        (LINK, "abc123"),
        (LINK, "AKIAABCDEFGHIJKLMNOP"),
        ("wss://host/prod?ticket=s3cr3t-ticket&device_id=x", "s3cr3t-ticket"),
        ("the secret of this run: hunter2hunter2", "hunter2hunter2"),
    ],
)
def test_what_is_secret_does_not_get_into_it(text: str, hidden: str) -> None:
    report = Report({"stack": text}, [Finding("a", "A", FAILED, text, text, text)], {"hunter2hunter2"})
    assert hidden in text
    for written in (report.as_json(), report.as_markdown(), safe(text, {"hunter2hunter2"})):
        assert hidden not in written


def test_ids_times_and_numbers_stay_readable() -> None:
    text = "dm:doctor-1a2b3c4d-alice:doctor-1a2b3c4d-bob 17 after 1.25 s, 1795431200000"
    assert safe(text) == text


def test_it_is_a_table_that_no_text_breaks() -> None:
    findings = [
        Finding("a", "First", OK, "well", seconds=1.23),
        Finding("b", "Second", FAILED, "a | b\nc", "a cause", "a remedy"),
        Finding("c", "Third", SKIPPED, "no domain"),
        Finding("d", "Fourth", WARNED, "<b>"),
    ]
    report = Report({"stack": "Parley-prod"}, findings)
    rows = [line for line in report.as_markdown().splitlines() if line.startswith("| ")]
    assert rows[1:] == [
        "| First (`a`) | ok | 1.2 | well |",
        "| Second (`b`) | failed | 0.0 | a \\| b c **Cause:** a cause **Remedy:** a remedy |",
        "| Third (`c`) | skipped | 0.0 | no domain |",
        "| Fourth (`d`) | warned | 0.0 | &lt;b> |",
    ]
    found = json.loads(report.as_json())
    assert found["verdicts"] == {"ok": 1, "warned": 1, "failed": 1, "skipped": 1}
    assert found["steps"][1]["cause"] == "a cause"


@pytest.mark.parametrize(("verdict", "well"), [(OK, True), (WARNED, True), (SKIPPED, True), (FAILED, False)])
def test_a_failure_alone_makes_it_unwell(verdict: str, well: bool) -> None:
    assert Report({}, [Finding("a", "A", verdict)]).is_well is well  # type: ignore[arg-type]
