"""Everything around the commands is broken in turn: what a person sees is a line with the cause, and what to do."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local import stack
from local.settings import ROOT
from local.stack import Stack, Tables

PR_CAPBSET_DROP, CAPABILITIES = 24, 41


@dataclass(frozen=True)
class Broken:
    """One thing that is wrong. `prepare` gets the home's path and may return another one for PARLEY_HOME."""

    name: str
    command: tuple[str, ...]
    message: str
    hint: str
    prepare: Callable[[Path], Any] = lambda home: home
    environment: dict[str, str] = field(default_factory=dict)
    code: int = 1
    limit: Callable[[], object] | None = None
    python: tuple[str, ...] = ()
    stdout: str | None = None

    @property
    def package(self) -> str:
        return "ops" if self.command[0] in {"deploy", "destroy", "replay"} else "local"


def without_privileges() -> None:
    """As root the tests obey no permissions; without these capabilities even root does."""
    prctl = ctypes.CDLL(None).prctl
    for capability in range(CAPABILITIES):
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def without_room() -> None:
    """No file may grow: what a full disk says, but for its number."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def a_file(home: Path) -> None:
    home.parent.mkdir(exist_ok=True)
    home.touch()


def below_a_file(home: Path) -> Path:
    a_file(home)
    return home / "deeper" / "still"


def unwritable(home: Path) -> Path:
    home.mkdir(mode=0o555)
    return home / "below"


def unreadable(home: Path) -> None:
    deployed(home)
    (home / "stack.json").chmod(0)


def with_other_things(home: Path) -> None:
    home.mkdir()
    (home / "photos").mkdir()


def deployed(home: Path) -> None:
    home.mkdir()
    (home / "jwt-secret").write_text("s" * 64)
    tables = Tables("log", "members", "sessions", "tickets")
    secret = str(home / "jwt-secret")
    stack.write(home / "stack.json", Stack("ws://x", "http://x", "us-east-1", "http://x", tables, "files", secret))


def written(name: str, text: str) -> Callable[[Path], None]:
    def prepare(home: Path) -> None:
        deployed(home)
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)

    return prepare


def no_text(home: Path) -> None:
    deployed(home)
    (home / "stack.json").write_bytes(b"\xff\xfe")


TOKEN = ("token", "--user", "alice")
NO_AWS = {
    **dict.fromkeys(("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ""),
    **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull),
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": "eu-central-1",
}
KEYS = {**NO_AWS, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}
CLOSED = {"AWS_ENDPOINT_URL_STS": "https://sts.invalid:9", "HTTPS_PROXY": "", "HTTP_PROXY": ""}

TABLE = [
    # -- AWS
    Broken(
        "profile",
        ("deploy",),
        "The config profile (work) could not be found",
        "AWS_PROFILE=",
        environment=NO_AWS | {"AWS_PROFILE": "work"},
    ),
    Broken(
        "profile, replay",
        ("replay", "--aws"),
        "profile (work)",
        "AWS_PROFILE=",
        environment=NO_AWS | {"AWS_PROFILE": "work"},
    ),
    Broken(
        "profile, destroy",
        ("destroy", "--yes"),
        "profile (work)",
        "AWS_PROFILE=",
        environment=NO_AWS | {"AWS_PROFILE": "work"},
    ),
    Broken("credentials", ("deploy",), "Unable to locate credentials", "AWS_PROFILE", environment=NO_AWS),
    Broken(
        "half of the credentials",
        ("deploy",),
        "Partial credentials",
        "AWS_PROFILE",
        environment=NO_AWS | {"AWS_ACCESS_KEY_ID": "x"},
    ),
    Broken("region", ("deploy",), "No AWS region is set", "AWS_REGION=eu", environment=KEYS | {"AWS_REGION": ""}),
    Broken(
        "region that is none", ("deploy",), "no region", "AWS_REGION=eu", environment=KEYS | {"AWS_REGION": "no region"}
    ),
    Broken(
        "config file",
        ("deploy",),
        "README.md",
        "AWS_CONFIG_FILE=",
        environment=KEYS | {"AWS_CONFIG_FILE": str(ROOT / "README.md")},
    ),
    Broken("network", ("deploy",), "sts.invalid", "Is the network up", environment=KEYS | CLOSED),
    Broken("network, replay", ("replay", "--aws"), "sts.invalid", "Is the network up", environment=KEYS | CLOSED),
    # -- the stack's home
    Broken("home is a file", ("up",), "home is in the way", "PARLEY_HOME=", a_file),
    Broken("home is a file, token", TOKEN, "home is in the way", "PARLEY_HOME=", a_file),
    Broken("home is below a file", ("up",), "home is in the way", "PARLEY_HOME=", below_a_file),
    Broken("home is below a file, logs", ("logs",), "home is in the way", "PARLEY_HOME=", below_a_file),
    Broken(
        "home cannot be made",
        ("up",),
        "can't be used (Permission denied)",
        "PARLEY_HOME=",
        unwritable,
        limit=without_privileges,
    ),
    Broken(
        "home of another user", TOKEN, "stack.json can't be used", "PARLEY_HOME=", unreadable, limit=without_privileges
    ),
    Broken("home holds other things", ("up",), "holds other things, such as photos", "PARLEY_HOME=", with_other_things),
    Broken(
        "home holds other things, reset", ("reset", "--yes"), "holds other things", "PARLEY_HOME=", with_other_things
    ),
    Broken("home with a name too long", ("up",), "A path is too long", "PARLEY_HOME", lambda home: home / ("x" * 300)),
    Broken("home with a comma", ("up",), "PARLEY_HOME can't be", "without commas", lambda home: f"{home},x"),
    Broken(
        "home with a line break", ("status",), "PARLEY_HOME can't be", "control characters", lambda home: f"{home}\n"
    ),
    Broken(
        "home that is no text",
        ("status",),
        "PARLEY_HOME can't be",
        "control characters",
        lambda home: os.fsdecode(os.fsencode(home) + b"\xff"),
    ),
    Broken("home of nobody", ("status",), "there is no such user", "by its path", lambda _: "~no-such-user-as-this/x"),
    # -- no room
    Broken("full disk, up", ("up",), "The disk is full", "Free some space", limit=without_room),
    Broken("full disk, replay", ("up",), "The disk is full", "Free some space", deployed, limit=without_room),
    Broken("full output", ("stack",), "The disk is full", "Free some space", deployed, stdout="/dev/full"),
    Broken(
        "full output, logs",
        ("logs",),
        "The disk is full",
        "Free some space",
        written("logs/functions.log", "x\n"),
        stdout="/dev/full",
    ),
    # -- state
    Broken("nothing yet", TOKEN, "There is no stack yet", "make up"),
    Broken("stack.json is half", TOKEN, "stack.json is damaged", "make up", written("stack.json", '{"ws_url": "')),
    Broken("stack.json is a list", TOKEN, "stack.json is damaged", "make up", written("stack.json", "[]")),
    Broken("stack.json is no text", ("stack",), "stack.json is damaged", "make up", no_text),
    Broken("secret is empty", TOKEN, "jwt-secret is gone", "make up", written("jwt-secret", "")),
    Broken(
        "emulator.json is half",
        ("chat", "--user", "a"),
        "The stack is not running",
        "make up",
        written("emulator.json", '{"pid":'),
    ),
    Broken(
        "emulator.json is another",
        ("replay",),
        "The stack is not running",
        "make up",
        written("emulator.json", '{"pid": null}'),
    ),
    Broken(
        "providers.json is half",
        ("pushes",),
        "The push servers are not running",
        "make up",
        written("providers.json", '{"process": 7}'),
    ),
    # -- what is given
    *(
        Broken(
            f"port {port!r}",
            ("up",),
            "PARLEY_PORT must be a number from 1024 to 65535",
            "make up",
            environment={"PARLEY_PORT": port},
        )
        for port in ("abc", "80", "65536", "-1", "4577 ", "9" * 5_000, "\u0664\u0665")
    ),
    *(
        Broken(
            f"misspelt, {command[0]}",
            command,
            "PARLEY_STGAE: no such key; did you mean PARLEY_STAGE?",
            "docs/configuration.md",
            environment={"PARLEY_STGAE": "dev"},
        )
        for command in [
            ("up",),
            ("down",),
            ("reset", "--yes"),
            ("status",),
            ("logs",),
            ("pushes",),
            TOKEN,
            ("stack",),
            ("replay",),
            ("deploy",),
            ("destroy", "--yes"),
            ("chat", "--user", "a"),
        ]
    ),
    Broken("user that is none", ("token", "--user", "a b"), "is no user id", "A-Z", deployed),
    *(
        Broken(f"{option} {value}", (*command, option, value), "is no whole number", "usage:", code=2)
        for command, option in [(("logs",), "--last"), (TOKEN, "--ttl")]
        for value in ("-1", "x", "1e9", "9" * 40, "\u0664")
    ),
    Broken("reset without a terminal", ("reset",), "Nothing was wiped", "make reset YES=1", deployed),
    Broken(
        "destroy without a terminal", ("destroy",), "Unable to locate credentials", "AWS_PROFILE", environment=NO_AWS
    ),
    # -- the installation
    Broken("packages", TOKEN, "A package is missing", "make setup", deployed, python=("-S",)),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(home: Any, broken: Broken) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PARLEY_", "AWS_"))}
    environment = kept | {"PARLEY_HOME": str(home)} | {k: v for k, v in broken.environment.items() if v}
    with Path(broken.stdout or os.devnull).open("w") as output:
        return subprocess.run(
            [sys.executable, *broken.python, "-m", broken.package, *broken.command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output if broken.stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            preexec_fn=broken.limit,
        )


@pytest.mark.parametrize("broken", TABLE, ids=lambda broken: broken.name[:60])
def test_what_is_broken_outside_is_a_line_and_a_remedy(home: Path, broken: Broken) -> None:
    done = run(broken.prepare(home) or home, broken)
    said = (done.stdout or "") + done.stderr
    assert "Traceback" not in said
    assert done.returncode == broken.code
    assert broken.message in done.stderr
    assert broken.hint in done.stderr
    assert len(done.stderr.splitlines()) <= (2 if broken.code == 1 else 3)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_that_is_taken_is_named_with_another_one(home: Path, taken: int) -> None:
    port = {"PARLEY_PORT": str(taken)}
    done = run(home, Broken("port", ("up",), "", "", environment=port))
    assert done.returncode == 1
    assert f"Port {taken} is taken by another program" in done.stderr
    assert "PARLEY_PORT=" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_has_seen_enough(home: Path) -> None:
    written("logs/functions.log", (json.dumps({"time": "x", "function": "y", "line": "z" * 99}) + "\n") * 5_000)(home)
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m local logs --last 5000 | head -1; exit ${{PIPESTATUS:-0}}"],
        cwd=ROOT, env=os.environ | {"PARLEY_HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-", "0<&-", "0<&- 1>&- 2>&-"])
def test_closed_streams_spoil_nothing(home: Path, closed: str) -> None:
    deployed(home)
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m local token --user alice {closed}"],
        cwd=ROOT, env=os.environ | {"PARLEY_HOME": str(home)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
