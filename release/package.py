"""A package that a lock names, and the name by which scanners know it (https://github.com/package-url/purl-spec)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import quote

Scope = Literal["required", "optional", "excluded"]
_RANK: Final[dict[Scope, int]] = {"required": 0, "optional": 1, "excluded": 2}


@dataclass(frozen=True)
class Package:
    """A package of a lock. `needs` are the purls of others; `used_by` says what for."""

    purl: str
    name: str
    version: str
    scope: Scope
    needs: frozenset[str] = frozenset()
    used_by: frozenset[str] = frozenset()
    group: str = ""
    licence: str = ""
    sha512: str = ""
    files: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # address, SHA-256

    def merged(self, other: Package) -> Package:
        """The same package of two locks: what either needs, and the nearer scope."""
        scope = min(self.scope, other.scope, key=_RANK.__getitem__)
        needs, used_by = self.needs | other.needs, self.used_by | other.used_by
        return Package(
            *(self.purl, self.name, self.version, scope, needs, used_by, self.group),
            *(self.licence or other.licence, self.sha512 or other.sha512, self.files or other.files),
        )


def python_purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{quote(version)}"


def node_purl(name: str, version: str) -> str:
    return f"pkg:npm/{quote(name, safe='/')}@{quote(version)}"
