"""What a built page links to, loads, and can be linked to."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

_LOADS = {
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("source", "srcset"),
    ("video", "src"),
    ("audio", "src"),
}


@dataclass
class Page:
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.page.ids.add(given["id"])
        if tag == "a" and "href" in given:
            self.page.links.append(given["href"])
        if tag == "link":
            self.page.loads.append(given["href"])
        self.page.loads += [given[name] for of, name in _LOADS if of == tag and name in given]


def read(path: Path) -> Page:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page


def files(site: Path) -> dict[str, Page]:
    """Path on the site → what is in the page, also in the one that is served as it is (the calculator)."""
    return {path.relative_to(site).as_posix(): read(path) for path in sorted(site.rglob("*.html"))}


def pages(site: Path) -> dict[str, Page]:
    """Path on the site → what is in the page. What is served as it is (the calculator) is no page of the site."""
    return {name: page for name, page in files(site).items() if name != "calculator.html"}
