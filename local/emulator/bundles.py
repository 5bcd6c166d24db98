"""A function's bundle is unpacked once, and every worker of the function runs from there.

On its own MiniStack unpacks it for each worker that it starts, some thousand files at times, and deletes them with it.
"""

import hashlib
import os
import tempfile
import threading
import types
import zipfile
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

_lock = threading.Lock()


class SharedZip(zipfile.ZipFile):
    """Unpacks to one place for the same content; where it was asked to unpack there is a link."""

    def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
        with _lock:
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


def install() -> None:
    """Take the unpacking over. To be called before the emulator starts serving."""
    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedZip})
