"""Compiles one tree of sources, in this Python or in Pyodide: it imports the standard library and its neighbour."""

from __future__ import annotations

import ast
import marshal
import py_compile
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.dataclass_writer import write_out
from infra.quicker_imports import QUICKER

if TYPE_CHECKING:
    from collections.abc import Callable

TASK_ROOT: Final = "/var/task"  # where Lambda unpacks a bundle
_OURS: Final = frozenset({"functions", "shared"})
_UNCHECKED_HASH: Final = (0b01).to_bytes(4, "little")


def compile_tree(root: Path) -> str:
    """Compile every source below a root that has no bytecode yet. What is wrong with one that can't be; else nothing.

    A traceback names the file as Lambda has it, and its lines: bytecode stands for the source beside it, which is as it
    was written, where the bytecode is of something that does the same and is imported sooner.
    """
    for source in sorted(root.rglob("*.py")):
        place = source.relative_to(root)
        target = Path(cache_from_source(str(source)))
        if target.exists():
            continue
        try:
            name = f"{TASK_ROOT}/{place.as_posix()}"
            if place.parts[0] in _OURS:
                _compile_as(write_out, source, target, name)
            elif quicker := QUICKER.get(place.as_posix()):
                _compile_as(quicker, source, target, name)
            else:
                _compile_as_is(source, target, name)
        except py_compile.PyCompileError as exc:
            return f"{place} can't be compiled: {exc.msg}"
        except SyntaxError as exc:
            return f"{place} can't be compiled: line {exc.lineno}: {exc.msg}"
    return ""


def _compile_as_is(source: Path, target: Path, name: str) -> None:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(target), dfile=name, doraise=True, invalidation_mode=mode)


def _compile_as(change: Callable[[ast.Module], ast.Module], source: Path, target: Path, name: str) -> None:
    content = source.read_bytes()
    code = compile(change(ast.parse(content, name)), name, "exec", dont_inherit=True)
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(MAGIC_NUMBER + _UNCHECKED_HASH + source_hash(content) + marshal.dumps(code))
