import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes
from local.processes import Process

WAIT_FOR_INPUT = "import sys; sys.stdin.read()"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", WAIT_FOR_INPUT], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def identify(child: subprocess.Popen[bytes]) -> Process:
    return Process(child.pid, processes.start_time(child.pid) or "")


def test_a_running_process_is_alive_under_its_own_start_time(child: subprocess.Popen[bytes]) -> None:
    assert identify(child).alive


def test_the_same_id_with_another_start_time_is_somebody_else(child: subprocess.Popen[bytes]) -> None:
    assert not Process(child.pid, "long ago").alive


def test_stopping_somebody_elses_process_leaves_it_alone(child: subprocess.Popen[bytes]) -> None:
    processes.stop(Process(child.pid, "long ago"), grace=0.1)
    assert child.poll() is None


def test_stopping_ends_the_process(child: subprocess.Popen[bytes]) -> None:
    process = identify(child)
    assert processes.stop(process, grace=10)
    assert not process.alive


def test_a_process_that_ignores_the_request_is_killed() -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); " + WAIT_FOR_INPUT
    arguments = [sys.executable, "-c", deaf]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert not processes.stop(identify(child), grace=0.2)
        assert child.wait(timeout=10) < 0


def test_a_process_that_ended_and_was_not_collected_is_not_alive(child: subprocess.Popen[bytes]) -> None:
    process = identify(child)
    child.kill()
    assert processes.wait_until(lambda: not process.alive, 10)


def test_only_processes_that_run_a_file_below_the_folder_are_found(tmp_path: Path) -> None:
    script = tmp_path / "worker" / "run.py"
    script.parent.mkdir()
    script.write_text("print(flush=True)\n" + WAIT_FOR_INPUT)
    arguments = [sys.executable, str(script)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert processes.running_below(tmp_path / "worker") == [identify(child)]
        assert processes.running_below(tmp_path / "work") == []
        child.kill()


def test_the_ps_fallback_agrees_about_who_is_alive(
    child: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On systems without /proc, such as macOS."""
    answers = {str(child.pid): "S    Mon Nov 23 16:20:00 2026\n"}
    monkeypatch.setattr(processes, "PROC", tmp_path / "none")
    monkeypatch.setattr(processes, "_ps", lambda *arguments: answers.get(arguments[-1], ""))
    assert Process(child.pid, "Mon Nov 23 16:20:00 2026").alive
    assert not Process(os.getpid(), "Mon Nov 23 16:20:00 2026").alive


def test_the_ps_fallback_finds_commands_below_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake_ps(*arguments: str) -> str:
        return "  12 python /stack/tmp/worker.py\n  13 vim /stack/notes\n" if "-A" in arguments else "S  noon\n"

    monkeypatch.setattr(processes, "PROC", tmp_path / "none")
    monkeypatch.setattr(processes, "_ps", fake_ps)
    assert processes.running_below(Path("/stack/tmp")) == [Process(12, "noon")]
