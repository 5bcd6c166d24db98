"""Install what the project needs into its own folder: it takes only Python and Node, and does nothing twice.

It runs on whatever Python there is, before anything is installed: standard library only, syntax of Python 3.7.
"""

from __future__ import annotations

import signal

if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # until `interrupts` listens, Ctrl-C ends it without a word
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])  # the Makefile has it wait until here

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # it is run as a script

from local import causes, interrupts  # noqa: E402  # see above

TOOLS = ROOT / ".tools"
UV = TOOLS / "uv" / "bin" / "uv"
UV_VERSION = "0.13.9"
OLDEST_PYTHON, PYTHON_LIMIT = (3, 11), (3, 15)
OLDEST_NODE = 20
LABEL = 14


class SetupError(Exception):
    """Ends the set-up with what is wrong and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class Setup:
    """Runs the steps that are not done yet, their output in a log."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def run(self) -> None:
        """Do everything that is missing.

        Raises:
            SetupError: a tool is missing or too old, or a registry cannot be reached.

        """
        check_python(sys.version_info[:2])
        check_node(_version_of("node"))
        TOOLS.mkdir(exist_ok=True)
        with (TOOLS / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # of two `make` at once, the second finds the work done
            self._uv()
            self._python_packages()
            self._emulator()
            self._runtime()
            self._node_packages()

    def _uv(self) -> None:
        if _version_of(str(UV)) == UV_VERSION:
            return
        with _shown("uv"):
            hint = "On Debian and Ubuntu: apt install python3-venv"
            self._call(
                "Python cannot make a virtual environment",
                hint,
                sys.executable,
                "-m",
                "venv",
                "--clear",
                UV.parent.parent,
            )
            python = UV.with_name("python")
            self._install(
                "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"uv=={UV_VERSION}", program=python
            )

    def _python_packages(self) -> None:
        inputs = ["pyproject.toml", "uv.lock", "clients/python/pyproject.toml"]
        with _step("python", inputs, ROOT / ".venv/bin/python") as needed:
            if needed:
                self._install("sync", "--frozen", "--quiet")

    def _emulator(self) -> None:
        folder = ROOT / "local/emulator"
        inputs = ["local/emulator/pyproject.toml", "local/emulator/uv.lock"]
        with _step("emulator", inputs, TOOLS / "emulator/bin/python") as needed:
            if needed:
                place = TOOLS / "emulator"
                self._install("sync", "--frozen", "--quiet", "--project", folder, UV_PROJECT_ENVIRONMENT=place)

    def _runtime(self) -> None:
        """The Python that runs the functions: nothing is installed there, so that they see their bundle alone."""
        with _step("runtime", [], TOOLS / "runtime/bin/python") as needed:
            if needed:
                self._install("venv", "--quiet", "--clear", "--no-project", TOOLS / "runtime")

    def _node_packages(self) -> None:
        manifests = [f"{folder}package.json" for folder in ("", "clients/js/", "clients/js/react/", "web/")]
        with _step("node", [*manifests, "package-lock.json"], ROOT / "node_modules/.bin/cdk") as needed:
            if needed:
                if shutil.which("npm") is None:
                    raise SetupError("npm is not installed", "It comes with Node: https://nodejs.org")
                self._install("ci", "--no-audit", "--no-fund", "--loglevel=error", program=Path("npm"))

    def _install(self, *arguments: object, program: Path = UV, **environment: object) -> None:
        what = f"{program.name} could not install what the project needs"
        self._call(what, "Is the package registry reachable from here?", program, *arguments, **environment)

    def _call(self, what: str, hint: str, *command: object, **environment: object) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a") as log:
            print("$", *command, file=log, flush=True)
            code = interrupts.run(
                [str(part) for part in command],
                cwd=str(ROOT),
                env=_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if code:
            words = self._log.read_text(encoding="utf-8", errors="replace")
            raise SetupError(what, causes.remedy_by_words(f"{hint} Details: {_short(self._log)}", words))


def check_python(version: tuple[int, ...]) -> None:
    if not OLDEST_PYTHON <= version < PYTHON_LIMIT:
        found = ".".join(map(str, version))
        raise SetupError(
            f"This is Python {found}; Parley needs 3.11 to 3.14", "Name one: make up PYTHON=/path/to/python3"
        )


def check_node(version: str | None) -> None:
    if version is None:
        raise SetupError("Node is not installed", f"Install Node {OLDEST_NODE} or newer, with npm: https://nodejs.org")
    if int(version.split(".")[0]) < OLDEST_NODE:
        raise SetupError(f"This is Node {version}; the AWS CDK needs {OLDEST_NODE} or newer", "See https://nodejs.org")


def _version_of(program: str) -> str | None:
    try:
        output = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"\d+(\.\d+)+", output)
    return found.group() if found else None


class _shown:  # noqa: N801  # used like a function
    """Say what is being installed, and how long it took; on stderr, for stdout belongs to the command that follows."""

    def __init__(self, label: str) -> None:
        self._label = label

    def __enter__(self) -> None:
        self._started = time.monotonic()
        print(f"  {self._label:<{LABEL}}", end="", file=sys.stderr, flush=True)

    def __exit__(self, kind: object, *_: object) -> None:
        result = "installed" if kind is None else "failed"
        print(f"{result} ({time.monotonic() - self._started:.1f} s)", file=sys.stderr, flush=True)


class _step:  # noqa: N801  # used like a function
    """Whether a step is needed: its inputs, the Python or the project's place have changed, or its result is gone."""

    def __init__(self, name: str, inputs: list[str], result: Path) -> None:
        self._stamp = TOOLS / "stamps" / name
        self._key = _digest(inputs)
        self._needed = not result.exists() or not self._stamp.exists() or self._stamp.read_text() != self._key
        self._line = _shown(name)

    def __enter__(self) -> bool:
        if self._needed:
            self._line.__enter__()
            if self._stamp.exists():
                self._stamp.unlink()
        return self._needed

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._needed:
            return
        if kind is None:
            self._stamp.parent.mkdir(exist_ok=True)
            self._stamp.write_text(self._key)
        self._line.__exit__(kind)


def _digest(inputs: list[str]) -> str:
    digest = hashlib.sha256(f"{ROOT} {sys.executable} {sys.version}".encode())
    for name in inputs:
        path = ROOT / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def _environment(extra: dict[str, object]) -> dict[str, str]:
    # An active virtual environment is the user's own; and uv takes the Python we are, not one that it would download.
    kept = {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH")
    }
    kept.update({"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never"})
    kept.update({name: str(value) for name, value in extra.items()})
    return kept


def _short(path: Path) -> str:
    return os.path.relpath(str(path))


def remember(python: str) -> None:
    """Every later command takes this Python, until another one is named (local/setup.sh)."""
    file = TOOLS / "python"
    if not file.exists() or file.read_text(encoding="utf-8", errors="replace") != f"{python}\n":
        aside = file.with_name("python.tmp")
        aside.write_text(f"{python}\n", encoding="utf-8")
        aside.replace(file)


def main() -> int:
    """Install what is missing; `--remember PYTHON` keeps that name for the commands to come."""
    place = causes.Place(ROOT / os.path.expanduser(os.environ.get("PARLEY_HOME") or ".parley"), ROOT)  # noqa: PTH111
    interrupts.listen()
    try:
        Setup(place.home / "logs" / "setup.log").run()
        if sys.argv[1:2] == ["--remember"]:
            remember(sys.argv[2])
    except SetupError as error:
        print(f"error: {error}\n  {causes.remedy(error.hint, place)}", file=sys.stderr)
        return 1
    except Exception as error:  # noqa: BLE001  # a person gets a line, whatever it was, and the log the traceback
        cause = causes.report(error, place)
        print(f"error: {cause.message}\n  {cause.hint}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interruption:
        number = getattr(interruption, "number", signal.SIGINT)
        interrupts.end_children()
        print(f"Interrupted ({number.name}); run it again to go on", file=sys.stderr)
        return interrupts.EXIT_CODES[number]
    return 0


if __name__ == "__main__":
    sys.exit(main())
