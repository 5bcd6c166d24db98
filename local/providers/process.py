"""The local providers as a detached process beside the emulator: started once, found again later, ended in order."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from local import interrupts, processes
from local.errors import CommandError
from local.processes import Process
from local.providers.ports import Ports
from local.settings import Settings
from local.stack import replace_file

READY_SECONDS = 30.0
STOP_SECONDS = 5.0
PORT_SECONDS = 2.0
FLAGS = " ".join(rf"--{field.name} (?P<{field.name}>\d+)" for field in fields(Ports))


@dataclass(frozen=True)
class Running:
    """Providers that run, and where."""

    process: Process
    ports: Ports


@dataclass(frozen=True)
class _Record:
    """What is written down: the ports, the process that has them, if any, and of which code it is."""

    ports: Ports
    process: Process | None
    code: str = ""


def find(settings: Settings) -> Running | None:
    """The providers of this stack, if they run."""
    record = _read(settings)
    if record is not None and record.process is not None and record.process.alive:
        return Running(record.process, record.ports)
    # One whose record was lost in a kill.
    found = processes.find(re.compile(rf"-m local\.providers --folder {re.escape(str(settings.providers))} {FLAGS}$"))
    return (
        Running(found[0], Ports(**{name: int(port) for name, port in found[1].groupdict().items()})) if found else None
    )


def is_current(settings: Settings) -> bool:
    """Whether those that run are of the code that is here now: an update may have come since they were started."""
    record = _read(settings)
    return record is not None and record.code == _code()


def remembered(settings: Settings) -> Ports | None:
    """Where they listened last, also if they don't run."""
    record = _read(settings)
    return record.ports if record else None


def start(settings: Settings) -> Running:
    """Start the providers beside the stack's port, or wherever there is room, and return once they serve.

    Raises:
        CommandError: they do not come up.

    """
    ports = _choose(settings)
    log_path = settings.log("providers")
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        child = interrupts.start(
            _command(settings, ports),
            cwd=settings.root,
            env={name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TZ") if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    running = Running(Process(child.pid, processes.start_time(child.pid) or ""), ports)
    _write(settings, _Record(ports, running.process, _code()))
    if not processes.wait_until(lambda: child.poll() is not None or is_ready(ports), READY_SECONDS):
        processes.stop(running.process, grace=STOP_SECONDS)
        child.wait(timeout=STOP_SECONDS)
    if child.poll() is not None:
        interrupts.let_go(child)
        settings.providers_file.unlink(missing_ok=True)
        words = log_path.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["they said nothing"]
        raise CommandError(f"The push servers did not start: {words[-1]}", f"See {settings.show(log_path)}")
    child.returncode = 0  # it lives on by design: no warning about a child that was not waited for
    return running


def stop(settings: Settings) -> bool:
    """End the providers; their keys and ports stay. Tells whether there was a process to end."""
    running, record = find(settings), _read(settings)
    if running is not None:
        processes.stop(running.process, grace=STOP_SECONDS)
    if record is not None:
        _write(settings, replace(record, process=None))  # its id will be another process's
    return running is not None


def remember(settings: Settings, running: Running) -> None:
    """Write down which process they are, and where."""
    record = _read(settings)
    _write(settings, _Record(running.ports, running.process, record.code if record else ""))


def is_ready(ports: Ports) -> bool:
    """Whether they answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports.inspection}/", timeout=2) as reply:
            return bool(reply.status == 200)  # noqa: PLR2004
    except (urllib.error.URLError, OSError):
        return False


def _choose(settings: Settings) -> Ports:
    """The ports beside the stack's own; where they are taken, others, and the same ones the next time."""
    beside, last = Ports.beside(settings.port), remembered(settings)
    # A process that has just been killed may hold its sockets a moment longer than its name.
    patience = PORT_SECONDS if last in (None, beside) else 0.0
    if processes.wait_until(lambda: beside.are_free, patience):
        return beside
    return last if last is not None and last.are_free else Ports.anywhere()


def _command(settings: Settings, ports: Ports) -> list[str]:
    command = [sys.executable, "-m", "local.providers", "--folder", str(settings.providers)]
    for name, port in asdict(ports).items():
        command += [f"--{name}", str(port)]
    return command


def _read(settings: Settings) -> _Record | None:
    try:
        record = json.loads(settings.providers_file.read_text(encoding="utf-8"))
        process = Process(**record["process"]) if record["process"] else None
        return _Record(Ports(**record["ports"]), process, str(record.get("code", "")))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write(settings: Settings, record: _Record) -> None:
    replace_file(settings.providers_file, json.dumps(asdict(record)) + "\n")


def _code() -> str:
    """A digest of these servers' sources."""
    files = [path for path in sorted(Path(__file__).parent.iterdir()) if path.is_file()]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
