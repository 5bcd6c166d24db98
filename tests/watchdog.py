"""`python -m tests.watchdog FOLDER PID`: waits for the end of a test run, and ends what the run has left running.

An emulator and its push servers are detached, as `make up` needs them; a run that is interrupted or killed, with its
workers, comes to no fixture's end. The watchdog holds one end of a pipe, and the run the other, which closes with the
run however that ends. What is below the run's temporary folder belongs to that run alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.settings import ROOT

GRACE_S = 15.0


@pytest.fixture(scope="session")
def watchdog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What was started below the temporary folder ends with this process. A fixture that starts a stack asks for it."""
    folder = tmp_path_factory.getbasetemp()
    command = [sys.executable, "-m", "tests.watchdog", str(folder), str(os.getpid())]
    # In a session of its own: Ctrl-C is not for the watchdog.
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True):
        yield


def main(folder: Path, run: int) -> None:
    sys.stdin.buffer.read()
    left = [process for process in processes.running_below(folder) if process.pid != run]
    processes.stop_all(left, grace=GRACE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
