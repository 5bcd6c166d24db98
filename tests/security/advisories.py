"""Known vulnerabilities of what is locked, asked of the databases that uv and npm know. This needs the network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 60
State = Literal["clean", "found", "not asked"]
Run = Callable[[Sequence[str], Path], "subprocess.CompletedProcess[str]"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`detail` is what was found, or why no service could be asked."""

    what: str
    state: State
    detail: str = ""


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=SECONDS)


def ask(run: Run = run) -> list[Verdict]:
    """Of each lock there is."""
    uv = str(ROOT / ".tools" / "uv" / "bin" / "uv")
    audit = (uv, "audit", "--frozen", "--preview-features", "audit-command")
    npm = ("npm", "audit", "--json", "--package-lock-only")  # the site's packages are there only where it was built
    return [
        _verdict("Python packages", audit, ROOT, run, _of_uv),
        _verdict("the emulator's packages", audit, ROOT / "local" / "emulator", run, _of_uv),
        _verdict("Node packages", npm, ROOT, run, _of_npm),
        _verdict("the docs site's Node packages", npm, ROOT / "website", run, _of_npm),
        _verdict("the page's test browser", npm, ROOT / "tests" / "web", run, _of_npm),
        *(_verdict(f"the example {one.name}", npm, one, run, _of_npm) for one in examples()),
    ]


def examples() -> list[Path]:
    """The folders of those examples that have packages of their own."""
    return sorted(lock.parent for lock in (ROOT / "examples").glob("*/package-lock.json"))


def _verdict(
    what: str,
    command: Sequence[str],
    folder: Path,
    run: Run,
    read: Callable[[subprocess.CompletedProcess[str]], tuple[State, str]],
) -> Verdict:
    try:
        state, detail = read(run(command, folder))
    except (OSError, subprocess.TimeoutExpired) as error:
        return Verdict(what, "not asked", f"{command[0].rpartition('/')[2]}: {type(error).__name__}")
    return Verdict(what, state, detail)


def _of_uv(done: subprocess.CompletedProcess[str]) -> tuple[State, str]:
    """0: nothing is known; 1: something is; anything else: it could not ask."""
    if done.returncode == 0:
        return "clean", ""
    if done.returncode == 1:
        return "found", done.stdout.strip() or done.stderr.strip()
    causes = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return "not asked", causes[-1].removeprefix("cause: ") if causes else "uv audit failed"


def _of_npm(done: subprocess.CompletedProcess[str]) -> tuple[State, str]:
    """Its exit code is the same for a finding and for a registry that answers no such questions: the report tells."""
    try:
        report = json.loads(done.stdout)
    except ValueError:
        report = None
    if not isinstance(report, dict) or not isinstance(report.get("vulnerabilities"), dict):
        status = report.get("statusCode") if isinstance(report, dict) else None
        return "not asked", f"the registry answers {status}" if status else "npm audit gives no report"
    named = [f"{name}: {one.get('severity', 'unrated')}" for name, one in sorted(report["vulnerabilities"].items())]
    return ("found", "\n".join(named)) if named else ("clean", "")
