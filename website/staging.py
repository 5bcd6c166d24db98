"""Lays out what the site is built from: the pages of the repository under the addresses that they have on the site.

A page stays as it is but for its links. One to another page leads to that page's address; one to any other file leads
to a copy of that file, which is served as text; so no link depends on where the repository is published.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
STAGED: Final = ROOT / "website/.staged"
PAGES: Final = STAGED / "pages"
# Served as they are, beside the pages.
_ASSETS: Final = ("docs/asyncapi.yaml", "docs/calculator.html", "docs/benchmarks.json")
_BESIDE_DOCS: Final = {
    "website/home.md": "index.md",
    "README.md": "project/readme.md",
    "CHANGELOG.md": "project/changes.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "project/measuring.md",
    "clients/js/README.md": "clients/javascript.md",
    "clients/js/react/README.md": "clients/react.md",
    "clients/python/README.md": "clients/python.md",
    "clients/vectors/README.md": "clients/vectors.md",
}
# What is no prose: blocks and spans of code.
_CODE: Final = re.compile(r"(^ *```.*?^ *```|`[^`\n]*`)", flags=re.DOTALL | re.MULTILINE)
_TARGET: Final = re.compile(r"(!?)(\[[^\]]*\]|\])\(([^)\s]+)\)")


def addresses() -> dict[str, str]:
    """Each page's path in the repository → its path on the site."""
    found = {}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        name = path.relative_to(ROOT).as_posix()
        inside = name.removeprefix("docs/")
        found[name] = re.sub(r"(^|/)README\.md$", r"\1index.md", inside)
    found |= _BESIDE_DOCS
    for path in sorted([ROOT / "examples/README.md", *(ROOT / "examples").glob("*/README.md")]):
        name = path.relative_to(ROOT).as_posix()
        found[name] = re.sub(r"/?README\.md$", "", name).removesuffix("/") + ".md"
    return found


def stage() -> None:
    """Makes the folder of pages anew."""
    shutil.rmtree(STAGED, ignore_errors=True)
    pages = addresses()
    for name, address in pages.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        write(address, rewritten(text, name, pages))
    shutil.copytree(ROOT / "docs/images", PAGES / "images")
    for name in _ASSETS:
        _copy(name, Path(name).name)
    _lead_to_pages(PAGES / "public/calculator.html")
    _copy("web/public/icon.svg", "icon.svg")
    _copy("docs/images/hero.webp", "images/hero.webp")


def write(address: str, text: str) -> None:
    place = PAGES / address
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")


def rewritten(text: str, name: str, pages: dict[str, str]) -> str:
    """The page `name` with its links as the site needs them; files that it links to are copied."""

    def lead(match: re.Match[str]) -> str:
        image, label, target = match.groups()
        if not _is_local(target):
            return match[0]
        leads = _target(target, name, pages, image=bool(image))
        # What is no page of the site is loaded by the browser, not by the site's own router.
        beside = "" if image or ".md" in leads else '{target="_self"}'
        return f"{image}{label}({leads}){beside}"

    parts = _CODE.split(text)
    return "".join(part if at % 2 else _TARGET.sub(lead, part) for at, part in enumerate(parts))


def _is_local(target: str) -> bool:
    return not re.match(r"[a-z]+:|#|/", target)


def _target(target: str, name: str, pages: dict[str, str], *, image: bool) -> str:
    path, sharp, anchor = target.partition("#")
    meant = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    here = posixpath.dirname(pages[name])
    if (ROOT / meant).is_dir():
        meant = posixpath.join(meant, "README.md")
    if meant in pages:
        return f"{posixpath.relpath(pages[meant], here or '.')}{sharp}{anchor}"
    if image:
        return f"/{meant.removeprefix('docs/')}"
    served = Path(meant).name if meant in _ASSETS else _copy(meant, _served(meant))
    return posixpath.relpath(served, here or ".")


def _served(name: str) -> str:
    """Where a file is served that is no page: pictures as they are, all else as text."""
    return name.removeprefix("docs/") if name.startswith("docs/images/") else f"source/{name}.txt"


def _copy(name: str, served: str) -> str:
    place = PAGES / "public" / served
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(ROOT / name, place)
    return served


def _lead_to_pages(place: Path) -> None:
    """A page that is served as it is links to the site's pages, where in docs/ it links to what they are made of."""
    text = place.read_text(encoding="utf-8")
    place.write_text(re.sub(r'href="([\w-]+)\.md(?=["#])', r'href="\1.html', text), encoding="utf-8")


def titles() -> dict[str, str]:
    """The address of each page that is laid out → its first heading."""
    found = {}
    for path in sorted(PAGES.rglob("*.md")):
        address = path.relative_to(PAGES).as_posix()
        heading = re.search(r"^# +(.+?)(?: \{#.*\})?$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        found[address] = heading[1].replace("`", "") if heading else address
    return found
