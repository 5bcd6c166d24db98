"""What the page weighs, what it may load, and that it is laid out for either direction of writing."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# ADR 0055 says what for.
MOST_SCRIPT_BYTES = 190_000
# A side of a box that is left or right whatever the direction of the text is.
PHYSICAL = re.compile(
    r"\b(margin|padding|border|inset|scroll-margin)-(left|right)\b|^\s*(left|right)\s*:|text-align:\s*(left|right)"
)


# Four sides of a box at once, of which the left and the right one are not the same.
SIDES = re.compile(
    r"\b(?:margin|padding|inset|border-width):\s*(?P<top>\S+) (?P<right>\S+) (?P<bottom>\S+) (?P<left>[^\s;]+)\s*;"
)
CORNERS = re.compile(r"border-radius:\s*[^\s;]+ [^;]+;")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    vite = str(ROOT / "node_modules/.bin/vite")
    command = [vite, "build", "--logLevel", "error", "--outDir", str(folder), "--emptyOutDir"]
    subprocess.run(command, cwd=ROOT / "web", check=True)
    return folder


def test_its_scripts_are_small(built: Path) -> None:
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in built.rglob("*.js")}
    assert sizes
    assert sum(sizes.values()) <= MOST_SCRIPT_BYTES, sizes


def test_it_has_no_script_and_no_style_in_its_markup(built: Path) -> None:
    markup = (built / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)", markup)
    assert "<style" not in markup
    assert not re.search(r"\sstyle=|\son\w+=", markup)


def test_it_loads_nothing_from_elsewhere(built: Path) -> None:
    markup = (built / "index.html").read_text(encoding="utf-8")
    assert all(name.startswith("./") for name in re.findall(r'(?:src|href)="([^"]+)"', markup))
    for sheet in built.rglob("*.css"):
        assert "http" not in sheet.read_text(encoding="utf-8")


def test_the_emoji_picker_finds_its_data_beside_the_page(built: Path) -> None:
    for language in ("en", "de", "zh"):
        assert {path.name for path in (built / "emoji" / language).iterdir()} == {"data.json", "messages.json"}


def test_its_styles_know_no_left_and_right() -> None:
    for sheet in (ROOT / "web/src/styles").glob("*.css"):
        for number, line in enumerate(sheet.read_text(encoding="utf-8").splitlines(), start=1):
            where = f"{sheet.name}:{number}: {line.strip()}"
            assert not PHYSICAL.search(line), where
            assert not CORNERS.search(line), where
            sides = SIDES.search(line)
            assert sides is None or sides["left"] == sides["right"], where


def test_its_files_are_short() -> None:
    for path in [*(ROOT / "web/src").rglob("*.tsx"), *(ROOT / "web/src/lib").rglob("*.ts")]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 200, path.name
