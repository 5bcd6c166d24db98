"""What git says of the commit that is released, and its files as they stand there."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from release.errors import ReleaseError

_SECONDS: Final = 120


class Repository:
    """A clone. Only what is committed is released."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def check_clean(self) -> None:
        """Raises ReleaseError where a file is changed, or is there and neither committed nor ignored."""
        if lines := self._git("status", "--porcelain").decode().splitlines():
            shown = ", ".join(line[3:] for line in lines[:3]) + (" …" if len(lines) > 3 else "")  # noqa: PLR2004
            raise ReleaseError(f"Not committed: {shown}", "A release is made of a commit: commit it, or stash it")

    def commit(self) -> str:
        return self._git("rev-parse", "HEAD").decode().strip()

    def committed_at(self) -> int:
        """Seconds since the epoch: the time that everything in the release bears."""
        return int(self._git("log", "-1", "--format=%ct"))

    def archive(self, prefix: str) -> bytes:
        """The commit's files below a folder, as a tar."""
        return self._git("archive", "--format=tar", f"--prefix={prefix}/", "HEAD")

    def unpack(self, archive: bytes, folder: Path) -> None:
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")

    def _git(self, *arguments: str) -> bytes:
        try:
            done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=True, timeout=_SECONDS)
        except FileNotFoundError:
            raise ReleaseError("git is not installed", "A release is made of a commit") from None
        except subprocess.CalledProcessError as error:
            said = error.stderr.decode(errors="replace").strip().splitlines() or ["no output"]
            raise ReleaseError(f"git {arguments[0]}: {said[-1]}", "A release is made in a clone") from None
        return done.stdout
