"""Builds each function's bundle without Docker: its source, what it imports of shared/, only its own dependencies.

The same input gives the same digest on any machine and in any folder. Finished bundles stay in `.build/`, so that an
unchanged one costs nothing.
"""

from __future__ import annotations

import hashlib
import json
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
    from collections.abc import Callable, Iterable, Mapping, Sequence

# Part of every digest: raise it when this file builds something else from the same input.
_BUILDER: Final = "4"
# So is what makes the bytecode.
_COMPILERS: Final = b"".join(
    Path(__file__).with_name(name).read_bytes() for name in ("compiler.py", "dataclass_writer.py", "quicker_imports.py")
)
# What written-out dataclasses share, which no source imports.
_SUPPORT: Final = Path("shared/dataclass_support.py")
_EPOCH: Final = 315_532_800  # 1980-01-01, the first day that a zip file can hold
_KEPT_METADATA: Final = {"METADATA", "entry_points.txt"}
# cryptography is built with them; what comes of that needs cffi's compiled module alone.
_BUILD_TOOLS: Final = ("cffi", "pycparser", "pycparser-*.dist-info")
# What functions call by boto3, whose bundles describe these services and no others: 1.5 of botocore's 26 MB.
SDK_SERVICES: Final = ("s3", "scheduler", "sesv2")
_SDK_DATA: Final = frozenset(
    {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json", *SDK_SERVICES}
)
# An interface above boto3's clients, and what its documentation shows.
_SDK_UNUSED: Final = ("boto3/data", "boto3/examples", "botocore/data/*/*/examples-1.json")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A folder ready to be zipped, and the digest of what is in it."""

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
        bundles, missing = {}, {}
        for name in functions:
            sources = self._sources(name)
            installed = dependencies[requirements[name]]
            bundles[name] = bundle = self._plan(name, installed, sources)
            if not bundle.path.is_dir():
                missing[bundle.path] = _assembly(installed, sources)
        self._make(missing)
        return bundles

    def _sources(self, name: str) -> dict[Path, bytes]:
        try:
            found = sorted({*source_files(self._root, name), _SUPPORT})
        except SyntaxError as exc:
            raise BundleError(f"{exc.filename}, line {exc.lineno}: {exc.msg}") from exc
        return {path: (self._root / path).read_bytes() for path in found}

    def _plan(self, name: str, dependencies: Bundle, sources: Mapping[Path, bytes]) -> Bundle:
        digest = hashlib.sha256(f"{_BUILDER}\n{self._interpreter.key}\n{dependencies.digest}\n".encode() + _COMPILERS)
        for path, content in sources.items():
            _feed(digest, path, content)
        return Bundle(self._build / "bundles" / f"{name}-{digest.hexdigest()[:20]}", digest.hexdigest())

    def _requirements(self, groups: Sequence[str]) -> str:
        """The locked dependencies of the groups, with hashes."""
        selected = [argument for group in groups for argument in ("--only-group", group)]
        return self._uv("export", "--frozen", "--no-header", "--no-annotate", "--no-emit-project", *selected)

    def _dependencies(self, requirements: set[str]) -> dict[str, Bundle]:
        """One pruned and compiled folder for each set of requirements."""
        builder = f"{_BUILDER}\n{SDK_SERVICES}\n{self._interpreter.key}"
        keys = {
            text: hashlib.sha256(f"{builder}\n{text}".encode() + _COMPILERS).hexdigest()[:20] for text in requirements
        }
        places = {text: self._build / "dependencies" / key for text, key in keys.items()}
        self._make({place: self._installation(text) for text, place in places.items() if not place.is_dir()})
        return {text: Bundle(place, _tree_digest(place)) for text, place in places.items()}

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


def _assembly(dependencies: Bundle, sources: Mapping[Path, bytes]) -> Callable[[Path], None]:
    def assemble(place: Path) -> None:
        shutil.copytree(dependencies.path, place, dirs_exist_ok=True)
        for path, content in sources.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)

    return assemble


def _uv_program(root: Path) -> str:
    own = root / ".tools" / "uv" / "bin" / "uv"
    found = str(own) if own.is_file() else shutil.which("uv")
    if found is None:
        raise BundleError("uv is missing: run 'make setup'")
    return found


def _prune(place: Path) -> None:
    """Drop what never runs: programs, build tools, tests, stubs, dist-info but licences and what importlib reads."""
    never_run = ("bin", *_BUILD_TOOLS, *_SDK_UNUSED, "*/tests", "*/test", "**/__pycache__")
    _remove([path for pattern in never_run for path in place.glob(pattern)])
    _trim_sdk(place / "botocore" / "data")
    for path in [path for path in place.rglob("*") if path.is_file() and _is_ballast(path.relative_to(place))]:
        path.unlink()
    for folder in sorted((path for path in place.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _trim_sdk(data: Path) -> None:
    """Leave the descriptions of SDK_SERVICES, in every partition. Nothing to do where botocore is not there."""
    _remove([path for path in data.glob("*") if path.name not in _SDK_DATA])
    for listed in data.glob("endpoints.json"):
        endpoints = json.loads(listed.read_bytes())
        for partition in endpoints["partitions"]:
            kept = {name: one for name, one in partition["services"].items() if name in SDK_SERVICES}
            partition["services"] = kept
        listed.write_text(json.dumps(endpoints), encoding="utf-8")


def _is_ballast(path: Path) -> bool:
    if path.parts[0].endswith(".dist-info"):
        return path.name not in _KEPT_METADATA and "licen" not in "/".join(path.parts[1:]).lower()
    return path.suffix in {".pyi", ".pth"} or path.name in {"py.typed", ".lock"}


def _normalise(place: Path) -> None:
    """Give every file the same time and mode, wherever it was built."""
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
    for path in sorted(path for path in place.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        _feed(digest, path.relative_to(place), path.read_bytes())
    return digest.hexdigest()


def _feed(digest: hashlib._Hash, path: Path, content: bytes) -> None:
    """Lengths first, so that no two trees look alike."""
    name = path.as_posix()
    digest.update(f"{len(name)} {name} {len(content)}\n".encode())
    digest.update(content)
