"""What the Node locks name: the clients and the page, the docs site, and the page's test browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from release.package import Package, Scope, node_purl

# What each is for, beside that of the workspaces: they build, test and show.
_OTHERS: Final = {
    "website/package-lock.json": "the docs site",
    "tests/web/package-lock.json": "tests",
    "examples/*/package-lock.json": "the examples",
}
_INSIDE: Final = "node_modules/"
_KINDS: Final = ("dependencies", "optionalDependencies", "peerDependencies")


def packages(root: Path) -> list[Package]:
    found = [(root / "package-lock.json", "")]
    found += [(path, use) for place, use in _OTHERS.items() for path in sorted(root.glob(place))]
    return [package for path, use in found for package in _of(path, use)]


def _of(path: Path, use: str) -> list[Package]:
    locked: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["packages"]
    ours = {place: one for place, one in locked.items() if not place.startswith(_INSIDE) and place and "name" in one}
    used = {place: one["name"] for place, one in ours.items()}
    made = []
    for place, one in locked.items():
        if not place or one.get("link"):
            continue
        name = one.get("name") or place.rpartition(_INSIDE)[2]
        group, _, short = name.rpartition("/")
        needs = {where for kind in _KINDS for need in one.get(kind, ()) if (where := _found(locked, place, need))}
        uses = {mine for mine_at, mine in used.items() if place in _direct(locked, mine_at)}
        made.append(
            Package(
                *(node_purl(name, one["version"]), short, one["version"], _scope(one, use, place in ours)),
                frozenset(node_purl(_name(locked, where), locked[where]["version"]) for where in needs),
                frozenset(uses | ({use} if use and place in _direct(locked, "") else set())),
                *(group, one.get("license", "").replace(" or ", " OR "), _sha512(one.get("integrity", ""))),
            )
        )
    return made


def _scope(package: Mapping[str, Any], use: str, is_ours: bool) -> Scope:
    if is_ours:
        return "required"
    if use or package.get("dev") or package.get("devOptional"):
        return "excluded"
    return "optional" if package.get("optional") else "required"


def _direct(locked: Mapping[str, Mapping[str, Any]], place: str) -> set[str]:
    """Where that is which a workspace asks for by name, to run (of the root's own: to build)."""
    asked = {**locked[place].get("dependencies", {}), **(locked[place].get("devDependencies", {}) if not place else {})}
    return {where for need in asked if (where := _found(locked, place, need))}


def _found(locked: Mapping[str, Mapping[str, Any]], place: str, need: str) -> str | None:
    """Where Node finds it from there: beside, or in a folder above. None where an optional one is not locked."""
    while True:
        where = f"{place}/{_INSIDE}{need}" if place else f"{_INSIDE}{need}"
        if where in locked:
            return str(locked[where].get("resolved", where)) if locked[where].get("link") else where
        if not place:
            return None
        at = place.rfind(f"/{_INSIDE}")
        place = place[:at] if at >= 0 else ("" if place.startswith(_INSIDE) else place.rpartition("/")[0])


def _name(locked: Mapping[str, Mapping[str, Any]], place: str) -> str:
    return str(locked[place].get("name") or place.rpartition(_INSIDE)[2])


def _sha512(integrity: str) -> str:
    return base64.b64decode(integrity.removeprefix("sha512-")).hex() if integrity.startswith("sha512-") else ""
