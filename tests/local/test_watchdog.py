"""A test run that ends before its fixtures do leaves nothing running that it had started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from local import processes
from local.settings import ROOT

WAIT = 60.0
# A test with a detached process below the run's temporary folder, as an emulator is one.
FOR_EVER = """
import subprocess, sys, time
from pathlib import Path
from tests.watchdog import watchdog

def test_for_ever(tmp_path, watchdog):
    stack = tmp_path / "emulator.py"
    stack.write_text("import time; time.sleep(1000)")
    subprocess.Popen([sys.executable, str(stack)], start_new_session=True).returncode = 0
    (Path(__file__).parent / "started").touch()
    {then}
"""


# What a script runs in the background ignores interrupts, and so does what that starts: a terminal's runs do not.
AS_AT_A_TERMINAL = """
import signal, sys, pytest
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(pytest.main(sys.argv[1:]))
"""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run of `test_for_ever.py`, in two processes, as `make test` has them."""
    (tmp_path / "test_for_ever.py").write_text(FOR_EVER.format(then="time.sleep(1000)"))
    with subprocess.Popen(command(tmp_path), cwd=ROOT, stdout=subprocess.DEVNULL, process_group=0) as made:
        assert processes.wait_until((tmp_path / "started").exists, WAIT)
        yield made
        made.kill()


def command(folder: Path) -> list[str]:
    options = ["--override-ini=addopts=", "--import-mode=importlib", "-pno:cacheprovider", "-n1"]
    return [
        sys.executable,
        "-c",
        AS_AT_A_TERMINAL,
        *options,
        f"--basetemp={folder / 'run'}",
        str(folder / "test_for_ever.py"),
    ]


def test_a_run_that_is_interrupted_ends_what_it_started(run: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """Who sits at the terminal interrupts again where it seems not to hear."""
    for _ in range(4):
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        if processes.wait_until(lambda: processes.running_below(tmp_path / "run") == [], WAIT / 2):
            return
    pytest.fail("it has not ended what it started")


def test_a_run_that_is_killed_ends_what_it_started(run: subprocess.Popen[bytes], tmp_path: Path) -> None:
    os.killpg(run.pid, signal.SIGKILL)
    assert processes.wait_until(lambda: processes.running_below(tmp_path / "run") == [], WAIT)


def test_a_run_that_ends_by_itself_has_ended_what_it_started(tmp_path: Path) -> None:
    (tmp_path / "test_for_ever.py").write_text(FOR_EVER.format(then=""))
    subprocess.run(command(tmp_path), cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    assert processes.running_below(tmp_path / "run") == []
