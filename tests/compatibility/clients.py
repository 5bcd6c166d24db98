"""Both clients of the previous release, as they were handed out, and today's, and the chat that each of them has.

`previous/` has that release's wheel and tarball, built from the commit in tests/e2e/RELEASED; so no history is needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.settings import ROOT
from local.stack import Stack
from local.tokens import mint
from tests.e2e.raw_client import new_users

HERE = Path(__file__).parent
PREVIOUS = HERE / "previous"
SECONDS = 300


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def the_one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


@dataclass(frozen=True)
class Client:
    """How a program gets at a client: what it runs, where the package has to be found, and what is told of that."""

    command: tuple[str, ...]
    place: str
    told: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT

    def start(self, stack: Stack, users: Sequence[str], mode: str, **more: str) -> subprocess.Popen[str]:
        names = dict(zip("abc", users, strict=True))
        given = {
            "mode": mode,
            "url": stack.ws_url,
            "http_url": stack.http_url,
            "names": names,
            "tokens": {name: mint(stack, user) for name, user in names.items()},
        }
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.Popen(
            [*self.command, json.dumps({**given, **self.told, **more})],
            cwd=self.folder,
            env=kept | dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def chat(self, stack: Stack) -> tuple[dict[str, Any], list[str]]:
        """What came of a chat of three users of its own, and who they are."""
        users = new_users(3)
        return finished(self.start(stack, users, "chat")), users


def finished(program: subprocess.Popen[str]) -> dict[str, Any]:
    """What a program reports at its end."""
    try:
        out, err = program.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        out, err = program.communicate()
    assert program.returncode == 0, f"{out[-2_000:]}\n{err[-6_000:]}"
    report: dict[str, Any] = json.loads(out.splitlines()[-1])
    return report


def python_client(folder: Path, wheel: Path) -> Client:
    """The client in a wheel, before the one that is installed here."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return Client((sys.executable, str(HERE / "chat.py")), str(folder), environment={"PYTHONPATH": str(folder)})


def javascript_client(folder: Path, tarball: Path) -> Client:
    """The client in a tarball."""
    with tarfile.open(tarball) as archive:
        archive.extractall(folder, filter="data")
    return _of_module(folder / "package/dist")


def todays_python_client() -> Client:
    return Client((sys.executable, str(HERE / "chat.py")), str(ROOT / "clients/python"))


def todays_javascript_client(folder: Path) -> Client:
    arguments = ["build", "--outDir", str(folder), "--emptyOutDir", "false", "--logLevel", "error"]
    subprocess.run([ROOT / "node_modules/.bin/vite", *arguments], cwd=ROOT / "clients/js", check=True)
    (folder / "package.json").write_text(json.dumps({"type": "module"}), encoding="utf-8")
    return _of_module(folder)


def _of_module(folder: Path) -> Client:
    modules = {"module": (folder / "index.js").as_uri(), "stores": (folder / "node.js").as_uri()}
    return Client(("node", str(HERE / "chat.mjs")), modules["module"], modules)


def check_chat(report: Mapping[str, Any], users: Sequence[str], client: Client) -> None:
    """All that was said came to whom it was meant for, whichever client and stack it was."""
    a, b, c = users
    assert str(report["client"]).startswith(client.place)
    private, group, file, sync = (report[part] for part in ("private", "group", "file", "sync"))
    assert (private["conversation"], private["heard"], private["read"]) == (f"dm:{a}:{b}", [1, "hello"], 1)
    assert private.get("twice", [[2, False], [2, True]]) == [[2, False], [2, True]]
    assert (private["edited"], private["reaction"]) == ([1, "hello there"], [1, "👍"])
    assert private["deleted"] in (2, True)
    assert (group["added"], group["renamed"], group["heard"]) == ([c], "Tea at four", "milk?")
    assert group["roles"] == ["owner", None, "admin"]
    assert file == {"type": "file", "bytes": "two spoons of sugar"}
    missed = ["missed 0", "missed 1", "missed 2"]
    assert (sync["told"], sync["history"], sync["unread"]) == (missed, missed, 3), sync
    assert sync.get("whole", True) is True
