"""The programs of the page about tokens: what they print gets in, wherever the machine has the language."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.auth.tokens import SecretKey, TokenVerifier
from shared.errors import Unauthenticated
from tests.e2e.examples import programs

PAGE = "docs/guides/tokens.md"
SECRET = "a secret of the tests, with ü and at least 32 bytes"
COMMANDS = {
    "mint.py": [sys.executable],
    "mint.mjs": ["node"],
    "mint.go": ["go", "run"],
    "mint.php": ["php"],
    "Mint.java": ["java"],
}
HERE = {name for name, command in COMMANDS.items() if shutil.which(command[0])}
PATIENCE_S = 300


def test_each_language_has_one_program_and_these_two_are_always_run() -> None:
    assert set(programs(PAGE)) == set(COMMANDS)
    assert {"mint.py", "mint.mjs"} <= HERE


@pytest.mark.parametrize("name", sorted(HERE))
def test_what_it_prints_is_a_token_of_that_user_for_an_hour(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(programs(PAGE)[name], encoding="utf-8")
    variables = {"PARLEY_JWT_SECRET": SECRET, "GOCACHE": str(tmp_path / "go"), "GO111MODULE": "off"}
    before = int(time.time())
    printed = subprocess.run(
        [*COMMANDS[name], name, "user-7@example.com"],
        cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    ).stdout.strip()  # fmt: skip
    after = int(time.time())
    identity = TokenVerifier(SecretKey(lambda: SECRET), now=lambda: after * 1_000).verify(printed)
    assert identity.user_id == "user-7@example.com"
    assert identity.scopes == frozenset()
    assert before <= identity.issued_at // 1_000 <= after
    assert identity.expires_at - identity.issued_at == 3_600_000
    with pytest.raises(Unauthenticated):
        TokenVerifier(SecretKey(lambda: SECRET + "!"), now=lambda: after * 1_000).verify(printed)
