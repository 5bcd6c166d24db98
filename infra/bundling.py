"""Builds each function's bundle without Docker: its source, what it imports of shared/, only its own dependencies.

The same input gives the same digest on any machine and in any folder. Finished bundles stay in `.build/`, so that an
unchanged one costs nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.bytecode import BundleError, Interpreter, compile_trees
from infra.imports import source_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

# Part of every digest: raise it when this file or bytecode.py builds something else from the same input.
_BUILDER: Final = "1"
_EPOCH: Final = 315_532_800  # 1980-01-01, the first day that a zip file can hold
_KEPT_METADATA: Final = {"METADATA", "entry_points.txt"}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder ready to be zipped, and the digest of what is in it."""

    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class _Dependencies:
    path: Path
    digest: str


class Bundler:
    """Builds the bundles of one interpreter."""

    def __init__(self, root: Path, interpreter: Interpreter, *, build_folder: Path | None = None) -> None:
        self._root = root
        self._interpreter = interpreter
        self._build = (build_folder or root / ".build") / interpreter.key

    def build(self, functions: Mapping[str, Sequence[str]]) -> dict[str, Bundle]:
        """Build one bundle for each function folder from its dependency groups.

        All of them at once, since the compiler for a foreign interpreter takes seconds to start. Raises BundleError.
        """
        requirements = {name: self._requirements(groups) for name, groups in functions.items()}
        dependencies = self._dependencies(set(requirements.values()))
        wanted = {name: self._plan(name, dependencies[requirements[name]]) for name in functions}
        missing = {
            bundle.path: self._assembly(name, dependencies[requirements[name]].path)
            for name, bundle in wanted.items()
            if not bundle.path.is_dir()
        }
        self._make(missing)
        return wanted

    def _plan(self, name: str, dependencies: _Dependencies) -> Bundle:
        digest = hashlib.sha256()
        digest.update(f"{_BUILDER}\n{self._interpreter.key}\n{dependencies.digest}\n".encode())
        for path in source_files(self._root, name):
            _feed(digest, path.as_posix(), (self._root / path).read_bytes())
        return Bundle(self._build / "bundles" / f"{name}-{digest.hexdigest()[:20]}", digest.hexdigest())

    def _assembly(self, name: str, dependencies: Path) -> Callable[[Path], None]:
        def assemble(place: Path) -> None:
            shutil.copytree(dependencies, place, dirs_exist_ok=True)
            for path in source_files(self._root, name):
                (place / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self._root / path, place / path)

        return assemble

    def _requirements(self, groups: Sequence[str]) -> str:
        """The locked dependencies of the groups, with hashes."""
        selected = [argument for group in groups for argument in ("--only-group", group)]
        return self._uv("export", "--frozen", "--no-header", "--no-annotate", "--no-emit-project", *selected)

    def _dependencies(self, requirements: set[str]) -> dict[str, _Dependencies]:
        """One pruned and compiled folder for each set of requirements."""
        keys = {
            text: hashlib.sha256(f"{_BUILDER}\n{self._interpreter.key}\n{text}".encode()).hexdigest()[:20]
            for text in requirements
        }
        places = {text: self._build / "dependencies" / key for text, key in keys.items()}
        self._make({place: self._installation(text) for text, place in places.items() if not place.is_dir()})
        return {text: _Dependencies(place, _tree_digest(place)) for text, place in places.items()}

    def _installation(self, requirements: str) -> Callable[[Path], None]:
        def install(place: Path) -> None:
            with tempfile.TemporaryDirectory() as folder:
                listed = Path(folder) / "requirements.txt"
                listed.write_text(requirements, encoding="utf-8")
                self._uv(
                    *("pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
                    *("--python", sys.executable, "--link-mode", "copy", "--target", str(place)),
                    *self._foreign_platform(),
                    *("--requirements", str(listed)),
                )
            _prune(place)

        return install

    def _foreign_platform(self) -> tuple[str, ...]:
        if self._interpreter.is_host:
            return ()
        return ("--python-version", self._interpreter.version, "--python-platform", self._interpreter.platform)

    def _make(self, recipes: Mapping[Path, Callable[[Path], None]]) -> None:
        """Fill and compile each folder beside its final place, then move it there: it is whole or absent."""
        places = {final: final.with_name(f"{final.name}.{os.getpid()}.part") for final in recipes}
        try:
            for final, recipe in recipes.items():
                places[final].mkdir(parents=True)
                recipe(places[final])
            compile_trees([*places.values()], self._interpreter)
            for final, place in places.items():
                _normalise(place)
                _move(place, final)
        finally:
            for place in places.values():
                shutil.rmtree(place, ignore_errors=True)

    def _uv(self, *arguments: str) -> str:
        done = subprocess.run(
            [_uv_program(self._root), *arguments], cwd=self._root, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            raise BundleError(f"uv {arguments[0]} failed: {' '.join(lines) or 'no output'}")
        return done.stdout


def _uv_program(root: Path) -> str:
    own = root / ".tools" / "uv" / "bin" / "uv"
    found = str(own) if own.is_file() else shutil.which("uv")
    if found is None:
        raise BundleError("uv is missing: run 'make setup'")
    return found


def _prune(place: Path) -> None:
    """Drop what never runs: programs, tests, stubs, and all of dist-info but what importlib.metadata reads."""
    shutil.rmtree(place / "bin", ignore_errors=True)
    for folder in [*place.rglob("__pycache__"), *place.glob("*/tests"), *place.glob("*/test")]:
        shutil.rmtree(folder)
    for info in place.glob("*.dist-info"):
        for path in [path for path in info.rglob("*") if path.is_file()]:
            if path.name not in _KEPT_METADATA and "licen" not in path.as_posix().removeprefix(str(place)).lower():
                path.unlink()
    for pattern in ("*.pyi", "py.typed", "*.pth", ".lock"):
        for path in place.rglob(pattern):
            path.unlink()


def _normalise(place: Path) -> None:
    """Give every file the same time and mode, whoever built it."""
    for path in [place, *place.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_EPOCH, _EPOCH))


def _move(place: Path, final: Path) -> None:
    try:
        place.rename(final)
    except OSError:
        if not final.is_dir():  # otherwise another process was quicker, with the same content
            raise


def _tree_digest(place: Path) -> str:
    """What is in a folder, but for bytecode: that follows from the sources, and not bit by bit."""
    digest = hashlib.sha256()
    for path in _content(place):
        _feed(digest, path.relative_to(place).as_posix(), path.read_bytes())
    return digest.hexdigest()


def _content(place: Path) -> Iterator[Path]:
    yield from sorted(path for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc")


def _feed(digest: hashlib._Hash, name: str, content: bytes) -> None:
    """Lengths first, so that no two trees look alike."""
    digest.update(f"{len(name)} {name} {len(content)}\n".encode())
    digest.update(content)
