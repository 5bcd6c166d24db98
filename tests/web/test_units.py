"""The page's own tests, run by Vitest, and what only Python can say of what the page decides by itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared.domain import text

ROOT = Path(__file__).parents[2]
TESTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "web/tests").glob("*.test.ts*"))
COUNT = """
const [, source] = process.argv;
const pattern = new RegExp(source, "u");
const found = [];
for (let code = 0; code <= 0x10ffff; code++) if (pattern.test(String.fromCodePoint(code))) found.push(code);
console.log(JSON.stringify(found));
"""


def node(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout[-6_000:]}\n{done.stderr[-6_000:]}"
    return done.stdout


def test_its_own_tests_pass() -> None:
    assert TESTS
    node("node_modules/.bin/vitest", "run", "--silent=passed-only", *TESTS)


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("SHOWS", lambda char: not text.is_blank(char)),
        ("NO_LABEL", lambda char: not text.is_blank(f"x{char}") and not text.is_label(f"x{char}")),
    ],
)
def test_it_takes_for_nothing_what_the_server_does(name: str, holds: object) -> None:
    source = (ROOT / "web/src/lib/text.ts").read_text(encoding="utf-8")
    match = re.search(rf"const {name} =\s*(?://.*\s*)?/(.*)/u;", source)
    assert match is not None
    found = set(json.loads(node("node", "-e", COUNT, match[1])))
    assert callable(holds)
    assert found == {code for code in range(sys.maxunicode + 1) if holds(chr(code))}
