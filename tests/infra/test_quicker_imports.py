from __future__ import annotations

import ast
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.quicker_imports import QUICKER, prefer_typing, wait_for_names

if TYPE_CHECKING:
    from collections.abc import Callable

INIT = '''"""What it is for."""

from __future__ import annotations

from package.parts import first, second as other
from .parts import third
from .own import own
from .parts import used
from .parts import *
import sys

__all__ = ["first", "other", "third", "own"]
SIZE = used() + 1


def of_its_own():
    return SIZE
'''
PARTS = 'print("parts")\n\ndef first(): return 1\ndef second(): return 2\ndef third(): return 3\ndef used(): return 4\n'
OWN = "def own(): return 5\n"


@pytest.fixture
def run(tmp_path: Path) -> Callable[[str, str], str]:
    def run(init: str, code: str) -> str:
        (tmp_path / "package").mkdir(exist_ok=True)
        (tmp_path / "package" / "__init__.py").write_text(ast.unparse(wait_for_names(ast.parse(init))))
        (tmp_path / "package" / "parts.py").write_text(PARTS)
        (tmp_path / "package" / "own.py").write_text(OWN)
        text = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{textwrap.dedent(code)}"
        done = subprocess.run([sys.executable, "-I", "-B", "-c", text], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_names_are_all_there_when_they_are_asked_for(run: Callable[[str, str], str]) -> None:
    code = """
        import package
        from package import first, other, third, own
        assert (first(), other(), third(), own(), package.of_its_own(), package.SIZE) == (1, 2, 3, 5, 5, 5)
        assert package.first is first and package.own is own
        from package import *
        assert package.__doc__ == "What it is for."
    """
    run(INIT, code)


def test_what_is_not_asked_for_is_not_imported(run: Callable[[str, str], str]) -> None:
    lazy = "from .parts import first\nfrom package.parts import second\n"
    assert run(lazy, "import package; print('made')\nassert package.first() == 1 and package.second() == 2") == (
        "made\nparts\n"
    )


def test_what_is_not_there_is_an_attribute_error(run: Callable[[str, str], str]) -> None:
    code = """
        import package
        try:
            package.fourth
        except AttributeError as exc:
            print(exc)
        try:
            from package import fourth
        except ImportError as exc:
            print("cannot import name 'fourth'" in str(exc))
        from package import own  # a submodule
        assert own.own() == 5
    """
    assert run("from .parts import first\n", code) == "module 'package' has no attribute 'fourth'\nTrue\n"


def test_a_name_that_a_submodule_has_too_is_the_one_that_the_package_says(run: Callable[[str, str], str]) -> None:
    run("from .own import own\n", "import package.own\nfrom package import own\nassert own() == 5")


def test_lines_stay_as_they_are() -> None:
    tree = wait_for_names(ast.parse(INIT))
    (function,) = [one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == "of_its_own"]
    assert INIT.splitlines()[function.lineno - 1] == "def of_its_own():"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("from typing_extensions import NotRequired, Required", "from typing import NotRequired, Required"),
        ("def f():\n    from typing_extensions import get_type_hints as hints", None),
        ("from typing_extensions import Sentinel_of_tomorrow", "from typing_extensions import Sentinel_of_tomorrow"),
        ("from typing import Any", "from typing import Any"),
    ],
)
def test_typing_is_preferred_where_it_has_the_names(text: str, taken: str | None) -> None:
    expected = text.replace("typing_extensions", "typing") if taken is None else taken
    assert ast.unparse(prefer_typing(ast.parse(text))) == expected


def test_each_is_a_file_that_is_installed_and_changes() -> None:
    """A library that was moved or tidied up would be quick no more, without a word."""
    for place, change in QUICKER.items():
        text = (Path(sysconfig.get_path("purelib")) / place).read_text(encoding="utf-8")
        changed = ast.unparse(change(ast.parse(text)))
        assert changed != ast.unparse(ast.parse(text)), place
        assert "_places_ = {}" not in changed, place
