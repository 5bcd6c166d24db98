"""Which of the project's own modules a function needs: what its source files import, followed to the end."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHARED = "shared"


def source_files(root: Path, function: str) -> list[Path]:
    """The function's own files and the modules of shared/ that they reach, as sorted paths relative to `root`.

    Imports inside functions count. Imports under `if TYPE_CHECKING:` don't: they never run. An import by a computed
    name isn't seen.
    """
    folder = root / "functions" / function
    waiting = sorted(folder.rglob("*.py"))
    found = {path for path in (root / "functions" / "__init__.py",) if path.is_file()}
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for module in _imported(path, root):
            waiting.extend(_files_of(module, root))
    return sorted(path.relative_to(root) for path in found)


def _files_of(module: str, root: Path) -> Iterator[Path]:
    """The file of a module and the `__init__.py` of every package above it; nothing for what is not a module."""
    parts = module.split(".")
    if parts[0] != _SHARED:
        return
    for end in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:end])
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file():
                yield candidate


def _imported(path: Path, root: Path) -> Iterator[str]:
    """The absolute names of every module that the file's code imports, or might: `from a import b` may mean a.b."""
    package = list(path.relative_to(root).parent.parts)
    for node in _running(ast.parse(path.read_bytes(), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _running(node: ast.AST) -> Iterator[ast.AST]:
    """Every node but those under `if TYPE_CHECKING:`."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and _is_type_checking(child.test):
            for other in child.orelse:
                yield from _running(other)
        else:
            yield from _running(child)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )
