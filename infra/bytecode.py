"""Bytecode that the runtime takes without a look at the source.

Timestamps don't survive packaging, and a timestamped `.pyc` with another time than its source is void: every cold start
compiles again. So the bytecode is `unchecked-hash`, for the exact minor version that will run it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra.compiler import compile_tree

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMPILER: Final = Path(__file__).with_name("compile.mjs")


class BundleError(Exception):
    """A bundle can't be built. The text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python that will run a bundle."""

    version: str
    platform: str
    """As `uv pip install --python-platform` has it; empty for this very machine and interpreter."""

    @property
    def key(self) -> str:
        return f"{self.version}-{self.platform or f'host-{sys.implementation.name}-{sysconfig.get_platform()}'}"

    @property
    def is_host(self) -> bool:
        return not self.platform


HOST: Final = Interpreter(version=f"{sys.version_info.major}.{sys.version_info.minor}", platform="")
# python3.13 runs on Amazon Linux 2023, whose glibc is 2.34.
LAMBDA: Final = Interpreter(version="3.13", platform="aarch64-manylinux_2_28")


def compile_trees(roots: Sequence[Path], interpreter: Interpreter) -> None:
    """Compile every source below each root that has no bytecode yet. Raises BundleError where one can't be compiled."""
    if not roots:
        return
    if interpreter.is_host:
        for root in roots:
            if problem := compile_tree(root):
                raise BundleError(problem)
    else:
        _compile_with_node(roots, interpreter)


def _compile_with_node(roots: Sequence[Path], interpreter: Interpreter) -> None:
    """CPython as WebAssembly, from npm: the same bytecode on every machine, and no Python 3.13 to install."""
    node = shutil.which("node")
    if node is None:
        raise BundleError("node is not on the PATH: install Node.js 20 or newer")
    if not (_COMPILER.parent.parent / "node_modules" / "pyodide").is_dir():
        raise BundleError("node_modules/pyodide is missing: run 'npm ci'")
    command = [node, str(_COMPILER), interpreter.version, *(str(root.resolve()) for root in roots)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise BundleError(f"compiling for Python {interpreter.version} failed: {lines[-1] if lines else 'no output'}")
