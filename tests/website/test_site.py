"""The docs site as it is built: every link and anchor leads somewhere, and nothing is fetched from elsewhere."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from local.settings import ROOT
from tests.web.player import install
from tests.website.built import files, pages
from tests.website.serving import served
from website import staging
from website.__main__ import HERE

MOST_SECONDS = 600


def place(site: Path, name: str, link: str) -> tuple[str, str]:
    """The file that a link of a page leads to, and the anchor in it."""
    path, _, anchor = link.partition("#")
    path = unquote(path.partition("?")[0])
    if not path:
        return name, unquote(anchor)
    file = site / path.removeprefix("/") if path.startswith("/") else (site / name).parent / path
    inside = file.resolve().relative_to(site.resolve()).as_posix()
    return ("index.html" if inside == "." else f"{inside}/index.html" if file.is_dir() else inside), unquote(anchor)


def broken(site: Path) -> Iterator[str]:
    """Each link that leads to no file, or to an anchor that the page does not have."""
    found = files(site)
    for name, page in found.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            target, anchor = place(site, name, link)
            if not (site / target).is_file():
                yield f"{name}: {link} leads to no file"
            elif anchor and target in found and anchor not in found[target].ids:
                yield f"{name}: {link} names no heading"


def test_every_page_of_the_repository_is_on_the_site(site: Path) -> None:
    addresses = staging.addresses()
    assert set(addresses) > {f"docs/{each.name}" for each in (ROOT / "docs").glob("*.md")}
    for name, address in addresses.items():
        assert (site / address).with_suffix(".html").is_file(), name
    for name in ("asyncapi.yaml", "calculator.html", "benchmarks.json", "icon.svg"):
        assert (site / name).is_file(), name


def test_every_link_and_anchor_leads_somewhere(site: Path) -> None:
    assert list(broken(site)) == []


def test_a_broken_link_or_anchor_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="b.html#there">1</a><a href="./b.html#gone">2</a><a href="/c.html">3</a>')
    (tmp_path / "b.html").write_text('<h2 id="there"></h2>')
    assert list(broken(tmp_path)) == [
        "a.html: ./b.html#gone names no heading",
        "a.html: /c.html leads to no file",
    ]


def test_a_link_to_no_page_ends_the_build(site: Path, tmp_path: Path) -> None:
    """Vitepress says so by itself; what it would not say, an anchor, is looked at above."""
    source = tmp_path / "pages"
    source.mkdir()
    (source / "index.md").write_text("[gone](gone.md)\n")
    (tmp_path / ".vitepress").mkdir()
    (tmp_path / ".vitepress/config.mjs").write_text('export default { srcDir: "pages" };\n')
    command = [str(HERE / "node_modules/.bin/vitepress"), "build", str(tmp_path)]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "dead link" in done.stdout + done.stderr


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for name, page in pages(site).items():
        for loaded in page.loads:
            assert not re.match(r"[a-z]+:|//", loaded) or loaded.startswith("data:"), f"{name} loads {loaded}"
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_every_request_of_the_http_api_has_its_place(site: Path) -> None:
    from tests.functions.rest.document import document

    found = pages(site)
    for methods in document()["paths"].values():
        for operation in methods.values():
            assert operation["operationId"] in found[f"reference/http/{operation['tags'][0]}.html"].ids
    assert set(document()["components"]["schemas"]) <= found["reference/http/shapes.html"].ids


def test_every_frame_reply_and_event_has_its_place(site: Path) -> None:
    import yaml  # type: ignore[import-untyped]

    document: dict[str, Any] = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8"))
    assert set(document["components"]["messages"]) <= pages(site)["reference/frames.html"].ids


def test_people_read_it_in_a_browser(site: Path) -> None:
    """Every page, on a phone in the dark and on a desktop: nothing is wider than the screen or asked for elsewhere."""
    install()
    with served(site) as address:
        done = subprocess.run(
            ["node", str(Path(__file__).with_name("read.mjs"))],
            input=json.dumps({"url": address, "pages": sorted(pages(site))}),
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4_000:]
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["problems"] == []
    assert seen["read"] == 2 * len(pages(site))
