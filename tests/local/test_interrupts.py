"""A signal at any moment: one line, the signal's exit code, and nothing that the command has started goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import processes, server
from local.processes import wait_until
from local.settings import ROOT, Settings

WAIT = 60.0
# A command whose work is the script that follows; `where` is a stack whose tools are made up.
DRIVER = """
import sys
from pathlib import Path
import local.__main__ as commands
from local import cdk, interrupts, program, server
from local.providers import process
from local.settings import Settings
where = Settings(home=Path(sys.argv.pop()), port=int(sys.argv.pop()), root=Path(sys.argv.pop()))
sys.argv[1:] = ["down"]
def run(*_):
    {script}
    return 0
commands._run = run
sys.exit(program.guarded(commands.main))
"""
CDK = "cdk.run(where, 'deploy', environment=dict(commands.os.environ), log=where.log('x'))"
EMULATOR = "server.start(where)"
SCRIPTS = [CDK, EMULATOR]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose CDK and emulator take for ever, and have a child each."""
    for name in ("node_modules/.bin/cdk", ".tools/emulator/bin/python"):
        program = tmp_path / "project" / name
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\nsleep 1000 &\ntouch {tmp_path}/started\nwait\nsleep 1000\n")
        program.chmod(0o755)
    return tmp_path / "project"


@pytest.fixture
def free(tmp_path: Path, watchdog: None) -> Iterator[int]:
    from local.ports import free_port

    yield free_port()
    for left in processes.running_below(tmp_path):
        processes.stop(left, grace=1.0)


def start(root: Path, port: int, home: Path, script: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER.format(script=script), str(root), str(port), str(home)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True, process_group=0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("script", SCRIPTS, ids=["cdk", "emulator"])
def test_a_signal_ends_the_command_and_all_that_it_started(
    root: Path, free: int, tmp_path: Path, script: str, number: signal.Signals
) -> None:
    home = tmp_path / "home"
    command = start(root, free, home, script)
    assert wait_until((tmp_path / "started").exists, WAIT)
    command.send_signal(number)
    output, said = command.communicate(timeout=WAIT)
    assert command.returncode == 128 + number
    assert said == f"Interrupted ({number.name}); what it had started is stopped\n"
    assert "Traceback" not in output
    assert [left for left in processes.running_below(root) if left.pid != command.pid] == []
    assert server.find(Settings(home=home, port=free, root=root)) is None


def test_a_child_that_ends_by_nothing_else_is_killed(
    root: Path, free: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = root / "node_modules/.bin/cdk"
    program.write_text(f"#!/bin/sh\ntrap '' TERM\ntouch {tmp_path}/started\nwhile true; do sleep 0.1; done\n")
    command = start(root, free, tmp_path / "home", f"interrupts.GRACE_SECONDS = 0.5; {CDK}")
    assert wait_until((tmp_path / "started").exists, WAIT)
    command.send_signal(signal.SIGINT)
    command.send_signal(signal.SIGINT)  # impatience changes nothing
    _, said = command.communicate(timeout=WAIT)
    assert (command.returncode, len(said.splitlines())) == (130, 1)
    assert processes.running_below(root) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_a_command_that_only_shows_something(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/functions.log").write_text("a line\n")
    command = subprocess.Popen(
        [sys.executable, "-m", "local", "logs", "--follow"],
        cwd=ROOT, env=os.environ | {"PARLEY_HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert command.stdout is not None
    assert command.stdout.readline() == "a line\n"
    command.send_signal(number)
    output, said = command.communicate(timeout=WAIT)
    assert (command.returncode, output, len(said.splitlines())) == (128 + number, "", 1)


def test_while_python_starts_no_traceback_is_shown(tmp_path: Path) -> None:
    """What a machine has each Python load can take longer than the command itself."""
    marker = tmp_path / "loading"
    (tmp_path / "sitecustomize.py").write_text(f"open({str(marker)!r}, 'w').close()\nimport time\ntime.sleep(1000)\n")
    command = subprocess.Popen(
        ["make", "--silent", "token", "USER=alice"],
        cwd=ROOT, env=os.environ | {"PARLEY_HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, process_group=0,
    )  # fmt: skip
    assert wait_until(marker.exists, WAIT)
    os.killpg(command.pid, signal.SIGINT)
    output, _ = command.communicate(timeout=WAIT)
    assert command.returncode
    assert "Traceback" not in output


def test_what_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    """As `nohup make up` has it."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/functions.log").write_text("a line\n")
    command = subprocess.Popen(
        ["sh", "-c", f"trap '' HUP; exec {sys.executable} -m local logs --follow"],
        cwd=ROOT, env=os.environ | {"PARLEY_HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert command.stdout is not None
    assert command.stdout.readline() == "a line\n"
    command.send_signal(signal.SIGHUP)
    command.send_signal(signal.SIGTERM)
    command.communicate(timeout=WAIT)
    assert command.returncode == 128 + signal.SIGTERM


def test_an_emulator_whose_record_was_lost_in_a_kill_is_found_again(root: Path, free: int, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", port=free, root=root)
    command = start(root, free, settings.home, EMULATOR)
    assert wait_until((tmp_path / "started").exists, WAIT)
    assert wait_until(settings.process_file.exists, WAIT)
    command.kill()
    command.communicate()
    for damage in ("", "{", "[]", '{"pid": 1, "started": "then", "port": 5}', None):
        settings.process_file.unlink() if damage is None else settings.process_file.write_text(damage)
        found = server.find(settings)
        assert found is not None
        assert found.port == free
    assert server.stop(settings)
    assert server.find(settings) is None


def test_a_killed_command_leaves_the_lock_to_the_cdk_that_it_had_started(root: Path, free: int, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = start(root, free, home, f"from local.up import alone\n    with alone(where): {CDK}")
    assert wait_until((tmp_path / "started").exists, WAIT)
    command.kill()
    command.communicate()
    down = subprocess.run(
        [sys.executable, "-m", "local", "down"],
        cwd=ROOT, env=os.environ | {"PARLEY_HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert down.returncode == 1
    assert "Another make up, down or reset is at work" in down.stderr


TOOL = """
import asyncio, sys, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

def work(name):
    Path(name).touch()
    time.sleep(1000)

def main():
    if sys.argv[2:] == ["alone"]:
        Path(sys.argv[1]).touch()
        asyncio.run(asyncio.sleep(1000))
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(work, [sys.argv[1]] * 20))
    return 0
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("how", [[], ["alone"]], ids=["workers", "asyncio"])
def test_a_signal_ends_a_developers_tool_with_its_workers(
    tmp_path: Path, how: list[str], number: signal.Signals
) -> None:
    (tmp_path / "forever").mkdir()
    (tmp_path / "forever/__main__.py").write_text(TOOL)
    started = tmp_path / "started"
    command = subprocess.Popen(
        [sys.executable, "-m", "local.tool", "forever", str(started), *how],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)}, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert wait_until(started.exists, WAIT)
    os.killpg(command.pid, number)  # as a terminal does
    output, said = command.communicate(timeout=WAIT)
    assert (command.returncode, output, said) == (128 + number, "", f"Interrupted ({number.name})\n")
    assert wait_until(lambda: processes.running_below(tmp_path) == [], WAIT)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise OSError(28, 'No space left on device', '/x')", "error: The disk is full: /x can't be written"),
        ("raise ZeroDivisionError('odd')", "error: Unforeseen: ZeroDivisionError: odd"),
        (
            "from local.errors import CommandError; raise CommandError('There is no stack yet', 'Start one')",
            "error: There is",
        ),
    ],
)
def test_a_tool_shows_a_line_instead_of_a_traceback(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "fails").mkdir()
    (tmp_path / "fails/__main__.py").write_text(f"def main():\n    {body}\n")
    done = subprocess.run(
        [sys.executable, "-m", "local.tool", "fails"],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path), "PARLEY_HOME": str(tmp_path / "home")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert "Traceback" not in done.stderr
