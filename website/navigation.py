"""The site's navigation: the sections of navigation.json, with each page's title as it stands in the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

SECTIONS: Final = Path(__file__).with_name("navigation.json")
# Sections of which a reader wants one page, not the list.
_FOLDED: Final = frozenset({"Decisions"})


def navigation(titles: Mapping[str, str]) -> dict[str, Any]:
    """What the theme takes: `nav`, a link for each section, and `sidebar`, all pages. `titles` is by address.

    An entry that ends with `/` stands for all pages of that folder that no section names; a page that nothing
    stands for is in the section that has the rest.
    """
    sections = json.loads(SECTIONS.read_text(encoding="utf-8"))
    entries = [entry if isinstance(entry, dict) else {"page": entry} for each in sections for entry in each["pages"]]
    titles = {**titles, **{entry["page"]: entry["text"] for entry in entries if "text" in entry}}
    named = {entry["page"] for entry in entries}
    left = [address for address in sorted(titles) if address not in named and address != "index.md"]
    sidebar = []
    for section in sections:
        items: list[dict[str, Any]] = []
        for entry in section["pages"]:
            page = entry["page"] if isinstance(entry, dict) else entry
            inside = [address for address in left if page.endswith("/") and address.startswith(page)]
            left = [address for address in left if address not in inside]
            items += _folder(page, inside, titles) if page.endswith("/") else [_item(page, titles)]
        sidebar.append({"text": section["text"], "items": items, "collapsed": section["text"] in _FOLDED})
    rest = next(at for at, section in enumerate(sections) if section.get("rest"))
    sidebar[rest]["items"] += [_item(address, titles) for address in left]
    nav = [{"text": each["text"], "link": each["items"][0]["link"]} for each in sidebar]
    return {"nav": nav, "sidebar": sidebar}


def _folder(entry: str, inside: Iterable[str], titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """The pages of a folder; those of one with an index are under that, folded."""
    items = [_item(address, titles) for address in inside if address != f"{entry}index.md"]
    if f"{entry}index.md" not in inside:
        return items
    return [{**_item(f"{entry}index.md", titles), "items": items, "collapsed": True}]


def _item(address: str, titles: Mapping[str, str]) -> dict[str, Any]:
    link = "/" + address.removesuffix(".md").removesuffix("index")
    return {"text": titles[address], "link": link}
