import json
import os
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from local import stack
from local.settings import ROOT
from local.stack import Stack, Tables

SECRET = "s" * 64


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text(SECRET)
    tables = Tables("log", "members", "sessions", "tickets")
    secret_file = str(tmp_path / "secret")
    stack.write(
        tmp_path / "stack.json", Stack("ws://x", "http://x", "us-east-1", "http://x", tables, "files", secret_file)
    )
    return tmp_path


def local(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | {"PARLEY_HOME": str(home)}
    command = [sys.executable, "-m", "local", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_token_prints_the_token_and_nothing_else(home: Path) -> None:
    done = local(home, "token", "--user", "alice")
    assert jwt.decode(done.stdout.removesuffix("\n"), SECRET, algorithms=["HS256"])["sub"] == "alice"
    assert done.stderr == ""


def test_a_failure_is_two_lines_on_stderr_and_exit_code_1(tmp_path: Path) -> None:
    done = local(tmp_path, "token", "--user", "alice")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: There is no stack yet\n  Start one with: make up\n"


def test_stack_prints_the_file_for_scripts(home: Path) -> None:
    assert json.loads(local(home, "stack").stdout)["bucket"] == "files"


def test_status_without_an_emulator_says_how_to_start_one(home: Path) -> None:
    done = local(home, "status")
    assert done.returncode == 1
    assert "not running; start it with: make up" in done.stdout


def test_chat_without_an_emulator_says_how_to_start_one(home: Path) -> None:
    done = local(home, "chat", "--user", "alice")
    assert done.stderr.startswith("error: The stack is not running")


def test_logs_shows_what_the_functions_printed(home: Path) -> None:
    (home / "logs").mkdir()
    entry = {"time": "2026-11-23T17:06:44+00:00", "function": "Rest", "line": "hello"}
    (home / "logs/functions.log").write_text(json.dumps(entry) + "\n")
    assert local(home, "logs").stdout.endswith("Rest         hello\n")


def test_logs_before_anything_was_printed_says_so(home: Path) -> None:
    done = local(home, "logs")
    assert (done.stdout, done.stderr) == ("", "The functions have printed nothing yet\n")


def test_make_without_a_target_explains_itself() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in [
        "up",
        "chat",
        "logs",
        "pushes",
        "mails",
        "status",
        "token",
        "down",
        "reset",
        "deploy",
        "destroy",
        "test",
    ]:
        assert f"make {target}" in shown


def test_make_token_wants_a_user_and_does_not_take_the_login_name() -> None:
    environment = dict(os.environ) | {"USER": "root"}
    command = ["make", "--silent", "token"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "Say who: make token USER=alice" in done.stderr


def make(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) | {"PARLEY_HOME": str(home)}
    command = ["make", "--silent", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_make_takes_what_it_is_given_as_it_is(home: Path) -> None:
    odd = """it's "b;\\' & c"""
    assert f"error: {odd!r} is no user id" in make(home, "token", f"USER={odd}").stderr


def test_no_lines_of_the_log_are_asked_for(home: Path) -> None:
    assert (local(home, "logs", "--last", "0").stderr) == ""


def test_make_status_fails_where_nothing_runs(home: Path) -> None:
    done = make(home, "status")
    assert done.returncode == 2  # as make does after any failure
    assert "not running; start it with: make up" in done.stdout


def test_make_reset_asks_and_with_yes_does_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    assert "Run: make reset YES=1" in make(home, "reset").stderr
    assert (home / "logs").exists()
    assert make(home, "reset", "YES=1").returncode == 0
    assert not (home / "logs").exists()
