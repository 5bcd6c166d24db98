"""Where the version is written besides shared/version.py, and how it comes to be the same everywhere.

A version is three numbers: Python and npm agree on those, and on nothing that may follow them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from release.errors import ReleaseError

SOURCE: Final = "shared/version.py"
CHANGES: Final = "CHANGELOG.md"
FORM: Final = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
_V: Final = r"(?P<version>\d+\.\d+\.\d+)"
_PYTHON: Final = rf'^version = "{_V}"$'
_OWN: Final = rf'"version": "{_V}"'
_NEEDS: Final = rf'"@parley/(?:client|react)": "{_V}"'
_TARBALL: Final = rf"\bparley-(?:client|react)-{_V}\.tgz"
_LOCKED: Final = rf'^name = "parley(?:-client|-emulator)?"\nversion = "{_V}"$'

# File → what stands before and after each of its mentions. Each pattern has to be found.
PLACES: Final = {
    SOURCE: (rf'^VERSION: Final = "{_V}"$',),
    "pyproject.toml": (_PYTHON,),
    "uv.lock": (_LOCKED,),
    "local/emulator/pyproject.toml": (_PYTHON,),
    "local/emulator/uv.lock": (_LOCKED,),
    "clients/python/pyproject.toml": (_PYTHON,),
    "clients/js/package.json": (_OWN,),
    "clients/js/react/package.json": (_OWN, _NEEDS),
    "web/package.json": (_OWN, _NEEDS),
    "package-lock.json": (rf'"name": "@parley/\w+",\n +{_OWN}', _NEEDS),
    "docs/asyncapi.yaml": (rf"^  version: {_V}$",),
    "docs/protocol.md": (_OWN,),
    "README.md": (rf"^\*\*Version {_V}\.\*\*",),
    "clients/js/README.md": (_TARBALL,),
    "clients/js/react/README.md": (_TARBALL,),
    "docs/guides/browser.md": (_TARBALL,),
    "docs/guides/node.md": (_TARBALL,),
    "docs/guides/react.md": (_TARBALL,),
}


def current(root: Path) -> str:
    """The version, from where it stands."""
    found = re.search(PLACES[SOURCE][0], _read(root / SOURCE), flags=re.MULTILINE)
    if found is None:
        raise ReleaseError(f"{SOURCE} says no version")
    return found["version"]


def mentions(root: Path) -> Iterator[tuple[str, str]]:
    """Each place and the version that it has. Raises ReleaseError for one that has none where it should."""
    for name, patterns in PLACES.items():
        text = _read(root / name)
        for pattern in patterns:
            found = [match["version"] for match in re.finditer(pattern, text, flags=re.MULTILINE)]
            if not found:
                raise ReleaseError(f"{name} says no version where it should", "release/places.py knows where")
            yield from ((name, version) for version in found)


def check(root: Path) -> str:
    """The version, which stands everywhere. Raises ReleaseError, naming a place that has another one."""
    version = current(root)
    for name, said in mentions(root):
        if said != version:
            raise ReleaseError(f"{name} says {said}, {SOURCE} {version}", f"Run: make version V={version}")
    return version


def change(root: Path, version: str) -> list[str]:
    """Write this version everywhere, and its section into the changelog where it has none. The files that changed."""
    if not FORM.fullmatch(version):
        raise ReleaseError(f"{version!r} is no version", "One is three numbers: make version V=0.2.0")
    changed = []
    for name, patterns in PLACES.items():
        text = before = _read(root / name)
        for pattern in patterns:
            text = re.sub(pattern, lambda match: _with(match, version), text, flags=re.MULTILINE)
        if text != before:
            changed.append(name)
            (root / name).write_text(text, encoding="utf-8")
    if section(_read(root / CHANGES), version) is None:
        changed.append(CHANGES)
        _begin(root / CHANGES, version)
    return changed


def section(changelog: str, version: str) -> str | None:
    """What the changelog has on a version: its heading's rest and its text; None where there is none."""
    found = re.search(rf"^## {re.escape(version)}(?![\d.])(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() if found else None


def _with(match: re.Match[str], version: str) -> str:
    start, end = match.start("version") - match.start(), match.end("version") - match.start()
    return f"{match[0][:start]}{version}{match[0][end:]}"


def _begin(path: Path, version: str) -> None:
    """A section for what is to come, above the others."""
    before, heading, after = _read(path).partition("\n## ")
    path.write_text(f"{before}\n## {version} (unreleased)\n{heading}{after}", encoding="utf-8")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReleaseError(f"{path.name} is not there") from None
