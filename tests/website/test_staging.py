"""How pages are laid out for the site: their links, their place in the navigation, and the generator itself."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from local.settings import ROOT
from tests.security.test_dependencies import PERMISSIVE
from website import staging
from website.navigation import SECTIONS, navigation

PAGES = {"docs/a.md": "a.md", "docs/adr/README.md": "adr/index.md", "SECURITY.md": "security.md"}


@pytest.mark.parametrize(
    ("name", "written", "laid_out"),
    [
        ("docs/a.md", "[x](adr/README.md#why)", "[x](adr/index.md#why)"),
        ("docs/a.md", "[x](../SECURITY.md)", "[x](security.md)"),
        ("docs/adr/README.md", "[x](../../SECURITY.md)", "[x](../security.md)"),
        ("SECURITY.md", "[x](docs/a.md#b)", "[x](a.md#b)"),
        ("docs/a.md", "[x](adr)", "[x](adr/index.md)"),
        ("docs/a.md", "[x](#here), [y](https://example.com/a.md)", "[x](#here), [y](https://example.com/a.md)"),
        ("docs/a.md", "`[x](adr/README.md)`", "`[x](adr/README.md)`"),
        ("docs/a.md", "```md\n[x](adr/README.md)\n```\n", "```md\n[x](adr/README.md)\n```\n"),
        ("docs/a.md", "![x](images/web.png)", "![x](/images/web.png)"),
    ],
)
def test_a_link_leads_to_the_pages_address(name: str, written: str, laid_out: str) -> None:
    assert staging.rewritten(written, name, PAGES) == laid_out


def test_a_link_to_what_is_no_page_leads_to_a_copy_that_the_browser_loads(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "PAGES", tmp_path)
    made = staging.rewritten("[x](../../clients/js/src/index.ts)", "docs/adr/README.md", PAGES)
    assert made == '[x](../source/clients/js/src/index.ts.txt){target="_self"}'
    copy = tmp_path / "public/source/clients/js/src/index.ts.txt"
    assert copy.read_bytes() == (ROOT / "clients/js/src/index.ts").read_bytes()


def links(items: list[dict[str, Any]]) -> list[str]:
    return [
        link for item in items for link in [*([item["link"]] if "link" in item else []), *links(item.get("items", []))]
    ]


def test_every_page_stands_in_the_navigation_once() -> None:
    """Also one that no section names: it is at the end of the section that has the rest."""
    entries = [entry for section in json.loads(SECTIONS.read_text(encoding="utf-8")) for entry in section["pages"]]
    named = [entry["page"] if isinstance(entry, dict) else entry for entry in entries]
    made = ["reference/http/index.md", "reference/http/messages.md"]
    titles = {address: address for address in [*(name for name in named if name.endswith(".md")), *made, "new.md"]}
    shown = links(navigation(titles)["sidebar"])
    assert sorted(shown) == sorted("/" + each.removesuffix(".md").removesuffix("index") for each in titles)


def test_the_home_pages_figures_are_those_of_the_page_about_costs() -> None:
    home = (ROOT / "website/home.md").read_text(encoding="utf-8")
    costs = (ROOT / "docs/costs.md").read_text(encoding="utf-8") + (ROOT / "README.md").read_text(encoding="utf-8")
    figures = set(re.findall(r"\$\d+\.\d\d", home))
    assert figures
    assert figures <= set(re.findall(r"\$\d+\.\d\d", costs))


def test_the_generator_is_locked_with_digests_and_its_licences_are_permissive() -> None:
    lock = json.loads((ROOT / "website/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    for name, one in packages.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", one["integrity"]), name
        assert one.get("resolved", "https://").startswith("https://"), name
        assert set(one["license"].lower().strip("()").split(" or ")) & (PERMISSIVE | {"cc0-1.0"}), name
    # Nothing of it is run: `npm ci --ignore-scripts` installs it.
    assert {name for name, one in packages.items() if one.get("hasInstallScript")} <= {
        "node_modules/esbuild",
        "node_modules/fsevents",
    }
    assert "--ignore-scripts" in (ROOT / "website/__main__.py").read_text(encoding="utf-8")
