"""A class that the bundler writes out does what the decorator's does: each of ours, and all forms that there are."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import textwrap
import types
from functools import cache
from typing import Any

import pytest

from infra.dataclass_writer import write_out
from tests.functions.environment import VARIABLES
from tests.infra.dataclass_facts import ROOT, classes_of, facts


@cache
def _ours(*arguments: str) -> dict[str, dict[str, Any]]:
    # Sets of two processes show what is in them in one order.
    environ = {**VARIABLES, "PATH": os.environ["PATH"], "AWS_REGION": "eu-west-1", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-B", "-W", "error", "-m", "tests.infra.dataclass_facts", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def test_all_of_ours_are_written_out() -> None:
    """A class that is too unusual keeps its decorator, which costs half a millisecond: it would be named here."""
    assert len(_ours("written")) > 100
    assert [name for name, said in _ours("written").items() if not said.pop("is written out")] == []


def test_each_of_ours_does_what_it_does_with_the_decorator() -> None:
    real, written = _ours(), _ours("written")
    assert real.keys() == written.keys()
    for name, said in real.items():
        for what, value in said.items():
            if what != "is written out":
                assert written[name][what] == value, (name, what)


HEAD = """\
from __future__ import annotations
from dataclasses import KW_ONLY, InitVar, dataclass, field, replace
from typing import Any, ClassVar, Generic, Protocol, TypeVar
T = TypeVar("T")
"""

WRITTEN = {
    "bare": """
@dataclass
class A:
    x: int
    y: str = "y"
""",
    "called": """
@dataclass()
class A:
    x: int
""",
    "empty": """
@dataclass(frozen=True, slots=True)
class A:
    pass
""",
    "frozen": """
@dataclass(frozen=True)
class A:
    x: int
    y: tuple[int, ...] = ()
""",
    "slots": """
@dataclass(slots=True)
class A:
    x: int
    y: int = 1
""",
    "both": """
@dataclass(frozen=True, slots=True)
class A:
    "Said."
    x: int
    y: int = 1
    def z(self) -> int:
        return self.x
""",
    "only by name": """
@dataclass(frozen=True, slots=True, kw_only=True)
class A:
    y: int = 1
    x: int
""",
    "factories": """
@dataclass(slots=True)
class A:
    x: list[int] = field(default_factory=list)
    y: dict[str, int] = field(default_factory=dict)
    z: int = field(default_factory=lambda: 7)
""",
    "factories without slots": """
@dataclass
class A:
    x: list[int] = field(default_factory=list)
    y: int = field(default=3)
""",
    "not shown, not compared": """
@dataclass(frozen=True, slots=True)
class A:
    x: int
    y: int = field(repr=False)
    z: int = field(default=3, compare=False)
    w: int = field(default_factory=int, repr=False, compare=False)
""",
    "neither equal nor shown": """
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class A:
    x: int
    y: int = 2
""",
    "said to be as usual": """
@dataclass(frozen=False, slots=False, eq=True, repr=True, kw_only=False)
class A:
    x: int
""",
    "after the making": """
@dataclass(frozen=True, slots=True)
class A:
    x: int
    y: int = 0
    def __post_init__(self) -> None:
        object.__setattr__(self, "y", self.x * 2)
""",
    "an own repr": """
@dataclass(frozen=True, slots=True)
class A:
    x: int
    def __repr__(self) -> str:
        return "own"
""",
    "heirs": """
@dataclass(frozen=True, slots=True)
class A:
    x: int
@dataclass(frozen=True, slots=True)
class B(A):
    y: int = 1
@dataclass(frozen=True, slots=True)
class C(A):
    x: str
    z: int
""",
    "within a class": """
class Outer:
    @dataclass(frozen=True, slots=True)
    class A:
        x: int
@dataclass(slots=True)
class A:
    y: int
    @dataclass
    class B:
        z: int
""",
    "defaults that need the class": """
@dataclass(frozen=True, slots=True)
class A:
    @staticmethod
    def most() -> int:
        return 3
    x: int = most.__func__()
""",
    "names like its own words": """
@dataclass(frozen=True, slots=True)
class A:
    other: int
    name: int
    value: int = 1
    object: int = 2
    field: int = 3
    hash: int = 4
""",
    "conditional": """
if True:
    @dataclass(frozen=True, slots=True)
    class A:
        x: int
""",
}
KEPT = {
    "ordered": """
@dataclass(order=True)
class A:
    x: int
""",
    "hashed": """
@dataclass(unsafe_hash=True)
class A:
    x: int
""",
    "without init": """
@dataclass(frozen=True, match_args=False)
class A:
    x: int
""",
    "weak": """
@dataclass(slots=True, weakref_slot=True)
class A:
    x: int
""",
    "class variables": """
@dataclass
class A:
    x: int
    y: ClassVar[int] = 3
""",
    "by name from here": """
@dataclass
class A:
    x: int
    _: KW_ONLY
    y: int = 3
""",
    "a field by name": """
@dataclass
class A:
    y: int = field(default=1, kw_only=True)
    x: int = 2
""",
    "not in the hash": """
@dataclass(frozen=True)
class A:
    x: int = field(hash=False)
    y: int = 3
""",
    "own equality": """
@dataclass(frozen=True)
class A:
    x: int
    def __eq__(self, other: object) -> bool:
        return True
    def __hash__(self) -> int:
        return 3
""",
    "own init": """
@dataclass(frozen=True)
class A:
    x: str
    def __init__(self, **given: str) -> None:
        object.__setattr__(self, "x", given.get("x", "-"))
""",
    "inherited defaults": """
@dataclass(frozen=True)
class B:
    x: int = 1
@dataclass(frozen=True)
class A(B):
    y: int = 2
""",
    "a base that is none": """
class B:
    pass
@dataclass(frozen=True, slots=True)
class A(B):
    x: int
""",
    "generic": """
@dataclass(frozen=True)
class A(Generic[T]):
    x: T
""",
    "two decorators": """
def same(kind):
    return kind
@same
@dataclass
class A:
    x: int
""",
    "under its full name": """
import dataclasses
@dataclasses.dataclass
class A:
    x: int
""",
}


TWO_OF_A_NAME = """
@dataclass(frozen=True)
class A:
    x: int
class A:
    pass
@dataclass(frozen=True)
class B(A):
    y: int
"""


def _run(text: str, *, written: bool) -> types.ModuleType:
    tree = ast.parse(text)
    module = types.ModuleType("snippet")
    sys.modules["snippet"] = module
    exec(compile(write_out(tree) if written else tree, "snippet.py", "exec", dont_inherit=True), vars(module))
    return module


@pytest.mark.parametrize("form", [*WRITTEN, *KEPT])
def test_every_form_does_what_it_does_with_the_decorator(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "snippet", types.ModuleType("snippet"))
    text = HEAD + (WRITTEN | KEPT)[form]
    real, written = (
        {kind.__qualname__: facts(kind) for kind in classes_of(_run(text, written=each))} for each in (False, True)
    )
    assert real.keys() == written.keys() != set()
    for name, said in real.items():
        for what, value in said.items():
            assert written[name][what] == value, (name, what)


@pytest.mark.parametrize("form", [*WRITTEN, *KEPT])
def test_what_is_out_of_the_ordinary_keeps_the_decorator(form: str) -> None:
    text = HEAD + (WRITTEN | KEPT)[form]
    tree = write_out(ast.parse(text))
    kept = [one.name for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.decorator_list]
    assert ("A" in kept) == (form in KEPT)


def test_fields_are_not_inherited_from_an_other_class_of_the_same_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "snippet", types.ModuleType("snippet"))
    module = _run(HEAD + TWO_OF_A_NAME, written=True)
    assert module.B(1).y == 1


def test_what_replaces_and_lists_fields_is_not_the_library_until_it_has_to_be() -> None:
    code = textwrap.dedent("""
        import sys
        import tests.infra.dataclass_facts as facts
        facts.write_out_imports()
        for name in [name for name in sys.modules if name in ("dataclasses", "inspect")]:
            del sys.modules[name]
        import shared.domain.connections as connections
        import shared.dataclass_support as support
        one = connections.Identity("u", 1)
        assert support.replace(one, expires_at=2) == connections.Identity("u", 2)
        assert "dataclasses" not in sys.modules
        assert [field.name for field in support.fields(one)][:1] == ["user_id"]
        assert support.asdict(one)["expires_at"] == 1
        assert "dataclasses" in sys.modules
    """)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-B", "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_lines_stay_as_they_are() -> None:
    """A traceback out of a bundle shows the source beside it."""
    text = HEAD + WRITTEN["both"] + "\n\ndef fails() -> None:\n    raise ValueError\n"
    tree = write_out(ast.parse(text))
    (function,) = [one for one in tree.body if isinstance(one, ast.FunctionDef)]
    assert text.splitlines()[function.lineno - 1] == "def fails() -> None:"
    written = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef) and one.name == "__init__"]
    assert [text.splitlines()[one.lineno - 1] for one in written] == ["@dataclass(frozen=True, slots=True)"]


def test_a_module_without_dataclasses_stays_as_it_is() -> None:
    text = "x = 1\n\n\nclass A:\n    y: int = 2\n"
    assert ast.dump(write_out(ast.parse(text))) == ast.dump(ast.parse(text))


def test_another_librarys_field_is_left_alone() -> None:
    text = """
from dataclasses import dataclass
from elsewhere import field
@dataclass
class A:
    x: int = field(default=3)
"""
    assert ast.dump(write_out(ast.parse(text))) == ast.dump(ast.parse(text))


def test_what_is_only_used_of_the_library_is_not_imported_from_it_either() -> None:
    """`dataclasses` imports `inspect`, which takes as long as fifteen classes."""
    first, second = "from dataclasses import replace\n", "from dataclasses import fields, astuple as flat\n"
    text = f"{first}{second}x = replace, fields, flat\n"
    assert ast.unparse(write_out(ast.parse(text))).splitlines()[-3:] == [
        "from shared.dataclass_support import replace, fields",
        "from dataclasses import astuple as flat",
        "x = (replace, fields, flat)",
    ]
