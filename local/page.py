"""The chat page's build: made where its sources have changed, and left where it is otherwise."""

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from local import causes, interrupts
from local.console import step
from local.errors import CommandError
from local.settings import Settings

SOURCES = ("web", "clients/js/src", "clients/js/package.json", "clients/js/react/src", "clients/js/react/package.json")
LOCK = "package-lock.json"
_NOT_SOURCES = {"dist", "node_modules"}
_STAMP = ".built"


def folder(root: Path) -> Path:
    """Where the built page is."""
    return root / "web/dist"


def build(settings: Settings) -> None:
    """Build the page, if anything that it is made of has changed.

    Raises:
        CommandError: it could not be built.

    """
    wanted = _digest(settings.root)
    stamp = folder(settings.root) / _STAMP
    with step("page") as line:
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            line.result = "nothing has changed"
            return
        _run(settings)
        stamp.write_text(wanted, encoding="utf-8")
        line.result = "built"


def _run(settings: Settings) -> None:
    log = settings.log("page")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        code = interrupts.run(
            [str(settings.root / "node_modules/.bin/vite"), "build", "--logLevel", "warn"],
            cwd=settings.root / "web",
            env={**os.environ, "CI": "true", "NODE_ENV": "production"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if code:
        words = log.read_text(encoding="utf-8", errors="replace")
        raise CommandError(
            "The chat page could not be built", causes.remedy_by_words(f"See {settings.show(log)}", words)
        )


def _digest(root: Path) -> str:
    digest = hashlib.sha256()
    for path in _files(root):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for source in (*SOURCES, LOCK):
        start = root / source
        found = sorted(start.rglob("*")) if start.is_dir() else [start]
        yield from (one for one in found if one.is_file() and not _NOT_SOURCES & set(one.relative_to(root).parts))
