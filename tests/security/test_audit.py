"""The audit's own summary: it fails where a test failed or was not tried, and never calls open what was not asked."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from local import processes
from tests.security.advisories import Verdict, ask
from tests.security.summary import ALL_HELD, FAILED, NOT_ASKED, SECTIONS, Tally, conclusion, lines, section_of
from tests.security.test_dependencies import LOCKS, NODE_LOCKS

ROOT = Path(__file__).parents[2]
CLEAN = [Verdict("Python packages", "clean"), Verdict("Node packages", "clean")]
BOTH = ("Tokens", "Tickets")


def tally(*failed: str, only: Sequence[str] = BOTH) -> Tally:
    made = Tally()
    for title in only:
        made.tests[title], made.tried[title] = 2, 1_500
    for title in failed:
        made.failed[title].append("test_something (call)")
    return made


def test_when_everything_held_it_says_how_much_was_tried() -> None:
    assert conclusion(tally(), BOTH, CLEAN) == (ALL_HELD, "All 3,000 attempts were held.")
    assert conclusion(tally(), BOTH, []) == (ALL_HELD, "All 3,000 attempts were held.")


def test_one_failure_fails_it_and_is_named() -> None:
    assert conclusion(tally("Tickets"), BOTH, CLEAN)[0] == FAILED
    assert "    test_something (call)" in lines(tally("Tickets"), BOTH, CLEAN)
    assert any("1 FAILED" in line for line in lines(tally("Tickets"), BOTH, CLEAN))


def test_a_section_in_which_nothing_was_tried_fails_it() -> None:
    half = tally(only=("Tokens",))
    assert conclusion(half, BOTH, CLEAN)[0] == FAILED
    assert any("NOTHING WAS TRIED" in line for line in lines(half, BOTH, CLEAN))


def test_a_known_vulnerability_fails_it_and_is_shown() -> None:
    verdicts = [*CLEAN, Verdict("x", "found", "jinja2 3.1.0: GHSA-1\nws: high")]
    assert conclusion(tally(), BOTH, verdicts)[0] == FAILED
    assert "    ws: high" in lines(tally(), BOTH, verdicts)


def test_databases_that_could_not_be_asked_are_no_good_news() -> None:
    verdicts = [*CLEAN, Verdict("x", "not asked", "name not known")]
    code, last = conclusion(tally(), BOTH, verdicts)
    assert (code, "could NOT be asked" in last) == (NOT_ASKED, True)
    assert "NOT ASKED (name not known)" in lines(tally(), BOTH, verdicts)[-1]
    assert conclusion(tally("Tokens"), BOTH, verdicts)[0] == FAILED


def answers(uv: tuple[int, str, str], npm: tuple[int, str]) -> list[tuple[str, str]]:
    """(state, detail) for these exit codes and outputs."""

    def run(command: Sequence[str], _: Path) -> subprocess.CompletedProcess[str]:
        code, out, err = (npm[0], npm[1], "") if command[0] == "npm" else uv
        return subprocess.CompletedProcess(list(command), code, out, err)

    python, emulator, *nodes = ask(run)
    assert (python.state, python.detail) == (emulator.state, emulator.detail)
    (node,) = {(one.state, one.detail) for one in nodes}
    return [(python.state, python.detail), node]


def test_every_lock_there_is_is_asked_about() -> None:
    asked: list[tuple[str, Path]] = []

    def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
        asked.append(("package-lock.json" if command[0] == "npm" else "uv.lock", folder))
        return subprocess.CompletedProcess(list(command), 0, json.dumps(REPORT), "")

    assert {verdict.state for verdict in ask(run)} == {"clean"}
    assert {folder / lock for lock, folder in asked} == {ROOT / name for name in (*LOCKS, *NODE_LOCKS)}
    assert len(asked) == len(LOCKS) + len(NODE_LOCKS)


REPORT = {"auditReportVersion": 2, "vulnerabilities": {}}


def test_clean_answers() -> None:
    assert answers((0, "", ""), (0, json.dumps(REPORT))) == [("clean", ""), ("clean", "")]


def test_findings() -> None:
    report = json.dumps({**REPORT, "vulnerabilities": {"ws": {"severity": "high"}}})
    assert answers((1, "pyjwt: GHSA-1\n", ""), (1, report)) == [("found", "pyjwt: GHSA-1"), ("found", "ws: high")]


@pytest.mark.parametrize(
    ("npm", "said"),
    [
        ("", "npm audit gives no report"),
        ("null", "npm audit gives no report"),
        ('{"error": {}}', "npm audit gives no report"),
        ('{"statusCode": 405, "error": {}}', "the registry answers 405"),
    ],
)
def test_a_service_that_cannot_be_reached_is_no_clean_answer(npm: str, said: str) -> None:
    error = "error: Request failed after 3 retries\n  cause: dns error\n"
    assert answers((2, "", error), (1, npm)) == [("not asked", "dns error"), ("not asked", said)]
    assert answers((2, "", ""), (0, npm))[0] == ("not asked", "uv audit failed")


@pytest.mark.parametrize("error", [FileNotFoundError("no uv"), subprocess.TimeoutExpired("uv", 60)], ids=type)
def test_a_tool_that_is_missing_or_hangs_is_no_clean_answer(error: Exception) -> None:
    def run(_: Sequence[str], __: Path) -> subprocess.CompletedProcess[str]:
        raise error

    assert {(verdict.state, verdict.detail) for verdict in ask(run)} == {
        ("not asked", f"uv: {type(error).__name__}"),
        ("not asked", f"npm: {type(error).__name__}"),
    }


FOR_EVER = """
import subprocess, sys
from pathlib import Path

HERE = Path(__file__).parent

def test_for_ever(tmp_path_factory):
    stack = tmp_path_factory.mktemp("stack") / "emulator.py"
    stack.write_text("import time; time.sleep(1000)")
    subprocess.Popen([sys.executable, str(stack)], start_new_session=True)
    (HERE / "folder").write_text(str(stack.parent))
    subprocess.run([sys.executable, str(HERE / "command.py")])
"""
COMMAND = "import time; open(__file__ + '.started', 'w').close(); time.sleep(1000)"
DRIVER = """
import sys
from local import tool
from tests.security import __main__ as audit, summary
audit.SECTIONS = {{"Tokens": [{file!r}]}}
summary.section_of = lambda _: "Tokens"
del sys.argv[1:]
sys.exit(tool.main("tests.security"))
"""


def test_an_audit_that_is_interrupted_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "test_for_ever.py").write_text(FOR_EVER)
    (tmp_path / "command.py").write_text(COMMAND)
    driver = DRIVER.format(file=str(tmp_path / "test_for_ever.py"))
    audit = subprocess.Popen(
        [sys.executable, "-c", driver], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert processes.wait_until((tmp_path / "command.py.started").exists, 180)
    audit.send_signal(signal.SIGTERM)
    _, said = audit.communicate(timeout=60)
    assert (audit.returncode, said) == (143, "Interrupted (SIGTERM)\n")
    stack = Path((tmp_path / "folder").read_text())
    assert not stack.exists()
    assert processes.running_below(stack) == processes.running_below(tmp_path) == []


def test_every_file_of_the_audit_is_in_one_section_and_is_there() -> None:
    listed = [place for places in SECTIONS.values() for place in places]
    assert len(listed) == len({*listed})
    assert all((ROOT / place.partition("::")[0]).is_file() for place in listed)
    assert {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests/security").glob("test_*.py")} <= {*listed}
    assert {
        section_of(f"{place}[y]" if "::" in place else f"{place}::test_x[y]") for place in listed
    } == SECTIONS.keys()
