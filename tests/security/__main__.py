"""`make audit`: tries everything there is against this project, and says what came of it."""

# ruff: noqa: T201  # it prints for people

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from local import interrupts, processes
from tests.security import advisories
from tests.security.summary import SECTIONS, Tally, conclusion, lines

# No stack is deployed for these.
_WITHOUT_STACK = [title for title in SECTIONS if title != "Deployed stack"]


def main() -> int:
    options = _options()
    sections = _WITHOUT_STACK if options.without_stack else list(SECTIONS)
    started = time.monotonic()
    print("Security audit: attacks on what is here, one after the other. This takes a minute or two.", flush=True)
    tally = _attack(sections)
    verdicts = [] if options.offline else advisories.ask()
    code, last = conclusion(tally, sections, verdicts)
    print(*lines(tally, sections, verdicts), "", last, f"{time.monotonic() - started:.0f} s", sep="\n")
    if options.offline and not code:
        print("Advisory databases were not asked, as you wished.")
    return code


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument("--offline", action="store_true", help="do not ask advisory databases")
    parser.add_argument("--without-stack", action="store_true", help="deploy no stack to attack")
    return parser.parse_args()


def _attack(sections: list[str]) -> Tally:
    """Run the tests of these sections, both cores busy; what they print is shown for a failing test alone."""
    tally = Tally()
    files = [place for title in sections for place in SECTIONS[title]]
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    with tempfile.TemporaryDirectory(prefix="parley-audit-", ignore_cleanup_errors=True) as folder:
        _end_in_order(Path(folder))
        options = ["-q", "-n", "2", "--dist", "loadgroup", "--basetemp", f"{folder}/tests"]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = pytest.main([*options, *files], plugins=[tally])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        print(printed.getvalue(), file=sys.stderr)  # it did not get as far as a result for each test
    return tally


def _end_in_order(folder: Path) -> None:
    """Have a signal end all that the tests have started, with what they keep in the folder.

    pytest-xdist would kill its workers before their tests have cleaned up: a `make up` would go on without them.
    """
    terminal = os.fdopen(os.dup(2), "w")  # pytest takes stderr away

    def end(number: int, _frame: object) -> None:
        for ending in interrupts.ENDING:
            signal.signal(ending, signal.SIG_IGN)
        workers = processes.children(os.getpid())
        for worker in workers:
            os.kill(worker.pid, signal.SIGSTOP)  # it starts nothing more
        started = [child for worker in workers for child in processes.children(worker.pid)]
        for worker in workers:
            os.kill(worker.pid, signal.SIGKILL)
        processes.stop_all(started, grace=interrupts.GRACE_SECONDS + 5)  # a command ends what it has started itself
        processes.stop_all(processes.running_below(folder), grace=interrupts.GRACE_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)
        print(f"Interrupted ({signal.Signals(number).name})", file=terminal, flush=True)
        os._exit(128 + number)

    for ending in interrupts.ENDING:
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, end)


if __name__ == "__main__":
    sys.exit(main())
