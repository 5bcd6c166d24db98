"""What the Python locks name: for each package what it needs, and which functions' bundles it gets into."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from release.package import Package, Scope, python_purl

LOCKS: Final = ("uv.lock", "local/emulator/uv.lock")
# Groups of pyproject.toml that no function and no client has.
_BUILDS: Final = frozenset({"dev", "infra", "test-runner"})
# The file that a bundle takes: pure, or for Lambda's Python and processor (infra/bytecode.py).
_TAKEN: Final = re.compile(r"-(py3|py2\.py3|cp313|cp3\d+)-(none|cp313|abi3)-(any|\S*manylinux\S*_aarch64\S*)\.whl$")

Key = tuple[str, str]
Need = Mapping[str, Any]


class _Lock:
    def __init__(self, path: Path) -> None:
        listed = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
        self.packages: dict[Key, dict[str, Any]] = {(one["name"], one["version"]): one for one in listed}
        self._named: dict[str, list[Key]] = {}
        for key in self.packages:
            self._named.setdefault(key[0], []).append(key)

    def meant(self, need: Need) -> list[Key]:
        """One, but where the lock has several versions for several Pythons and says which."""
        return [key for key in self._named[need["name"]] if need.get("version", key[1]) == key[1]]

    def needs(self, key: Key, extras: Iterable[str] = ()) -> list[Need]:
        package = self.packages[key]
        more = [package.get("optional-dependencies", {}).get(extra, []) for extra in extras]
        return [*package.get("dependencies", []), *(need for needs in more for need in needs)]

    def closure(self, needs: Iterable[Need]) -> set[Key]:
        """All that these need, themselves too."""
        found: set[tuple[Key, tuple[str, ...]]] = set()
        ahead = [(key, tuple(need.get("extra", ()))) for need in needs for key in self.meant(need)]
        while ahead:
            if (one := ahead.pop()) not in found:
                found.add(one)
                ahead += [(key, tuple(need.get("extra", ()))) for need in self.needs(*one) for key in self.meant(need)]
        return {key for key, _ in found}


def packages(root: Path) -> list[Package]:
    return [package for lock in LOCKS for package in _of(_Lock(root / lock), lock)]


def _of(lock: _Lock, name: str) -> list[Package]:
    used: dict[Key, set[str]] = {}
    wanted: dict[Key, set[Key]] = {}
    for key, package in lock.packages.items():
        for group, needs in package.get("dev-dependencies", {}).items():
            for each in lock.closure(needs) if group not in _BUILDS else ():
                used.setdefault(each, set()).add(group)
        extras = package.get("optional-dependencies", {})
        wanted[key] = {each for need in lock.needs(key, extras) for each in lock.meant(need)}
    made = []
    for key, package in lock.packages.items():
        if "virtual" in package["source"]:
            continue  # the project itself, which is the document's subject
        uses = frozenset(used.get(key, ())) or frozenset({name} if name != LOCKS[0] else ())
        scope: Scope = "required" if used.get(key) else "excluded"
        needs_ = frozenset(python_purl(*each) for each in wanted[key])
        made.append(Package(python_purl(*key), *key, scope, needs_, uses, files=_files(package)))
    return made


def _files(package: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    taken = [file for file in package.get("wheels", []) if _TAKEN.search(file["url"])]
    return tuple(sorted((file["url"], file["hash"].removeprefix("sha256:")) for file in taken))
