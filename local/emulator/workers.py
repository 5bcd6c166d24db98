"""Lambda workers that see their bundle and nothing else, and whose output is written down line by line as it comes.

MiniStack runs functions in its own environment (they could import its packages), keeps what they print in memory, a log
stream per invocation, and waits up to 50 ms after every invocation for output that may not come. It unpacks a bundle,
some thousand files at times, for each worker that it starts, which takes a busy disk seconds; here that is done once.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import hashlib
import json
import os
import tempfile
import threading
import types
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from local.emulator import turns


class FunctionLog:
    """One file for the output of all functions: for each line that they print, JSON with time, function and line."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, function: str, text: str) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        for line in filter(str.strip, text.splitlines()):
            with self._lock:
                self._file.write(json.dumps({"time": time, "function": function, "line": line}) + "\n")


class SharedZip(zipfile.ZipFile):
    """Unpacks to one place for the same content; where it was asked to unpack there is a link."""

    _unpacking = threading.Lock()

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        with self._unpacking:
            shared = self._unpacked(members, pwd)
        place = Path(path)
        place.rmdir()
        place.symlink_to(shared, target_is_directory=True)

    def _unpacked(self, members: Any, pwd: bytes | None) -> Path:
        content = Path(os.fspath(self.filename or "")).read_bytes()
        shared = Path(tempfile.gettempdir()) / f"bundle-{hashlib.sha256(content).hexdigest()}"
        if not shared.exists():
            aside = shared.with_suffix(".tmp")
            super().extractall(aside, members, pwd)
            aside.rename(shared)
        return shared


def install(log: FunctionLog, python: Path) -> None:
    """Run Python functions with `python` (an environment without packages) and send what they print to `log`.

    To be called before the emulator starts serving.
    """
    detect = lambda_runtime._detect_runtime_binary
    execute = lambda_svc._execute_function_warm
    requests = turns.of_this_machine()

    def detect_binary(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (str(python) if runtime.startswith("python") else binary), script

    def read_stderr(worker: Any) -> None:
        for line in worker._proc.stderr:
            log.write(worker.func_name, line)

    def execute_warm(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        with requests.of(func["config"]["FunctionName"], event):
            result: dict[str, Any] = execute(func, event, request_id)
        if result.get("error"):
            body = result.get("body") or {}
            log.write(
                func["config"]["FunctionName"], f"{body.get('errorMessage')} ({request_id})\n{result.get('log', '')}"
            )
        return result

    lambda_runtime._detect_runtime_binary = detect_binary
    lambda_runtime.Worker._read_stderr = read_stderr
    lambda_runtime.Worker._drain_stderr_bounded = lambda _worker: ""
    lambda_svc._execute_function_warm = execute_warm
    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedZip})
    lambda_svc._emit_lambda_logs = lambda *_args, **_kwargs: None
