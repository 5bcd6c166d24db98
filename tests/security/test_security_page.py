"""SECURITY.md: what it names is there, and nothing that the audit tries is left out of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.security.summary import SECTIONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests|shared|functions|infra|docs|local|clients)/[\w./-]+)`", PAGE)))


@pytest.mark.parametrize("place", NAMED)
def test_every_place_that_is_named_exists(place: str) -> None:
    assert (ROOT / place).exists()


def test_every_test_of_the_audit_is_named() -> None:
    tried = [place for title, places in SECTIONS.items() if title != "This audit" for place in places]
    assert {place.partition("::")[0] for place in tried} <= {*NAMED}


@pytest.mark.parametrize(
    "heading",
    ["Reporting a vulnerability", "Supported versions", "Threat model", "What meets each attack", "Residual risks"],
)
def test_what_somebody_looks_for_has_its_heading(heading: str) -> None:
    assert re.search(rf"^##+ {heading}$", PAGE, flags=re.MULTILINE)


def test_every_row_of_the_attacks_names_the_test_that_tries_it() -> None:
    table = PAGE.partition("## What meets each attack")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 20
    for row in rows:
        assert "`tests/" in row, row
