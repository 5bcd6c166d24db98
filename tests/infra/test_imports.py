from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from infra.imports import source_files
from tests.infra.templates import FUNCTION_FOLDERS, ROOT

if TYPE_CHECKING:
    from pathlib import Path


def project(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8")
    return root


def reached(root: Path, handler: str, shared: dict[str, str]) -> set[str]:
    files = {"functions/f/handler.py": handler, **{f"shared/{name}": content for name, content in shared.items()}}
    found = {path.as_posix() for path in source_files(project(root, files), "f")}
    assert "functions/f/handler.py" in found
    return {name.removeprefix("shared/") for name in found if name.startswith("shared/")}


@pytest.mark.parametrize(
    "statement",
    [
        "import shared.a.b",
        "import shared.a.b as other",
        "from shared.a import b",
        "from shared.a.b import thing",
        "def late():\n    from shared.a import b",
        "try:\n    import shared.a.b\nexcept ImportError:\n    pass",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import x\nelse:\n    import shared.a.b",
    ],
)
def test_every_way_to_import_a_module_brings_it_along(statement: str, tmp_path: Path) -> None:
    assert reached(tmp_path, statement, {"a/b.py": "", "a/c.py": "", "other.py": ""}) == {"a/b.py"}


def test_imports_are_followed_to_the_end_also_relative_ones_and_circles(tmp_path: Path) -> None:
    shared = {"a/b.py": "from .c import x", "a/c.py": "from ..d import y", "d.py": "from shared.a import b", "e.py": ""}
    assert reached(tmp_path, "import shared.a.b", shared) == {"a/b.py", "a/c.py", "d.py"}


def test_packages_above_a_module_come_with_what_they_import(tmp_path: Path) -> None:
    shared = {"__init__.py": "", "a/__init__.py": "from shared import e", "a/b.py": "", "e.py": "", "f.py": ""}
    assert reached(tmp_path, "import shared.a.b", shared) == {"__init__.py", "a/__init__.py", "a/b.py", "e.py"}


@pytest.mark.parametrize("guard", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_imports_for_type_checkers_are_left_out(guard: str, tmp_path: Path) -> None:
    assert reached(tmp_path, f"if {guard}:\n    import shared.a", {"a.py": ""}) == set()


def test_a_function_brings_all_of_its_folder_and_nothing_of_another(tmp_path: Path) -> None:
    files = {"functions/f/handler.py": "", "functions/f/parts/x.py": "", "functions/g/handler.py": ""}
    assert [path.as_posix() for path in source_files(project(tmp_path, files), "f")] == [
        "functions/f/handler.py",
        "functions/f/parts/x.py",
    ]


@pytest.mark.parametrize("function", FUNCTION_FOLDERS)
def test_no_bundle_of_ours_holds_all_of_shared(function: str) -> None:
    everything = {path.relative_to(ROOT) for path in (ROOT / "shared").rglob("*.py")}
    assert set(source_files(ROOT, function)) & everything < everything
