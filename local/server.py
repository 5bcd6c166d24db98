"""The emulator as a detached process: started once, found again later, ended in order."""

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from local import interrupts, page, ports, processes
from local.errors import CommandError
from local.processes import Process
from local.settings import ACCOUNT, REGION, Settings
from local.stack import replace_file

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
PORT_SECONDS = 2.0
# Larger logs are renamed at the next start; the emulator's always is, so that its last line is about this run.
LOG_LIMIT = 10 * 1024 * 1024
MODULE = "local.emulator.run"
NO_FILE = "/dev/null"


@dataclass(frozen=True)
class Server:
    """A running emulator."""

    process: Process
    port: int


def find(settings: Settings) -> Server | None:
    """The emulator of this stack, if it runs: the one that is written down, or one whose record was lost in a kill."""
    try:
        record = json.loads(settings.process_file.read_text(encoding="utf-8"))
        server = Server(Process(int(record["pid"]), record["started"]), int(record["port"]))
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        server = None
    if server is not None and server.process.alive:
        return server
    found = processes.find(re.compile(rf"-m {MODULE} {re.escape(str(settings.state))} (\d+)$"))
    return Server(found[0], int(found[1][1])) if found else None


def other_port(server: Server, settings: Settings) -> str:
    """What helps where a stack runs on another port than the command was told."""
    here, there = settings.port, server.port
    return f"For the stack as it runs: PARLEY_PORT={there}. To move it: make down, and then PARLEY_PORT={here} make up"


def remember(settings: Settings, server: Server) -> None:
    """Write down which process it is."""
    record = {"pid": server.process.pid, "started": server.process.started, "port": server.port}
    replace_file(settings.process_file, json.dumps(record) + "\n")


def start(settings: Settings) -> Server:
    """Start the emulator on its kept state, and return once it serves.

    Raises:
        CommandError: the port is taken, or it does not come up.

    """
    # A process that has just been killed may hold its sockets a moment longer than its name.
    if not processes.wait_until(lambda: ports.is_free(settings.port), PORT_SECONDS):
        raise CommandError(
            f"Port {settings.port} is taken by another program",
            f"Stop it, or choose another port: PARLEY_PORT={settings.port + 10} make up",
        )
    reap(settings)
    _fresh_folders(settings)
    log_path = settings.log("emulator")
    with log_path.open("wb") as log:
        child = interrupts.start(
            # It takes no arguments: they tell whose it is, should its record be lost.
            [str(settings.tools / "emulator/bin/python"), "-m", MODULE, str(settings.state), str(settings.port)],
            after=lambda: reap(settings),
            cwd=settings.root,
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    started = processes.start_time(child.pid) or ""
    server = Server(Process(child.pid, started), settings.port)
    remember(settings, server)
    if not processes.wait_until(lambda: child.poll() is not None or is_ready(settings), READY_SECONDS):
        processes.stop(server.process, grace=STOP_SECONDS)
        child.wait(timeout=STOP_SECONDS)
    if child.poll() is not None:
        interrupts.let_go(child)
        settings.process_file.unlink(missing_ok=True)
        hint = f"See {settings.show(log_path)}. If its state is damaged, `make reset` wipes it"
        raise CommandError(f"The emulator did not start: {_last_line(log_path)}", hint)
    child.returncode = 0  # it lives on by design: no warning about a child that was not waited for
    return server


def stop(settings: Settings) -> bool:
    """End the emulator, with its state saved. Tells whether there was one to end."""
    server = find(settings)
    if server is not None:
        processes.stop(server.process, grace=STOP_SECONDS)
    reap(settings)
    settings.process_file.unlink(missing_ok=True)
    return server is not None


def reap(settings: Settings) -> None:
    """End Lambda workers that outlived their emulator: an idle one ends by itself, but one may be stuck in a call."""
    for worker in processes.running_below(settings.temp):
        processes.stop(worker, grace=1.0)


def is_ready(settings: Settings) -> bool:
    """Whether an emulator answers on the port."""
    try:
        with urllib.request.urlopen(f"{settings.address}/_ministack/ready", timeout=2) as reply:
            return bool(reply.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def wait_until_ready(settings: Settings) -> bool:
    """Whether the running emulator answers within the time that it may take to start: it may just have been started."""
    return processes.wait_until(lambda: is_ready(settings), READY_SECONDS)


def checkpoint(settings: Settings) -> None:
    """Have the emulator write down all of its state, so that what was just deployed survives even a kill.

    Raises:
        CommandError: it could not.

    """
    request = urllib.request.Request(f"{settings.address}/_parley/checkpoint", method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60):
            return
    except OSError as error:
        hint = f"Is the disk full? See {settings.show(settings.log('emulator'))}"
        raise CommandError(f"The emulator could not save its state: {error}", hint) from error


def _fresh_folders(settings: Settings) -> None:
    shutil.rmtree(settings.temp, ignore_errors=True)
    for folder in (settings.temp, settings.objects, settings.log("emulator").parent):
        folder.mkdir(parents=True, exist_ok=True)
    for log, limit in (("emulator", 0), ("functions", LOG_LIMIT)):
        path = settings.log(log)
        if path.exists() and path.stat().st_size > limit:
            path.replace(path.with_suffix(".old.log"))


def _environment(settings: Settings) -> dict[str, str]:
    """What the emulator and, through it, the functions see: nothing of the user's AWS set-up, and no network."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return kept | {
        "HOME": str(settings.temp),
        "TMPDIR": str(settings.temp),
        "PYTHONUNBUFFERED": "1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_CONFIG_FILE": NO_FILE,
        "AWS_SHARED_CREDENTIALS_FILE": NO_FILE,
        "AWS_EC2_METADATA_DISABLED": "true",
        "GATEWAY_PORT": str(settings.port),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        "LAMBDA_EXECUTOR": "local",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(settings.home / "emulator"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(settings.objects),
        # No listeners but the one, no look at a Docker daemon.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "DOCKER_HOST": "unix:///nonexistent/docker.sock",
        "PARLEY_STATE": str(settings.state),
        "PARLEY_PAGE": str(page.folder(settings.root)),
        "PARLEY_CALLS": str(settings.calls_file) if settings.records else "",
        "PARLEY_FUNCTION_LOG": str(settings.log("functions")),
        "PARLEY_RUNTIME": str(settings.tools / "runtime/bin/python"),
    }


def _last_line(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as log:
        lines = deque((line.strip() for line in log if line.strip()), maxlen=1)
    return lines[0] if lines else "it said nothing"
