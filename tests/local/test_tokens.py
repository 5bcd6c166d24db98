from dataclasses import replace
from pathlib import Path

import jwt
import pytest

from local import tokens
from local.errors import CommandError
from local.stack import Stack, Tables

SECRET = "s" * 64


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    (tmp_path / "secret").write_text(SECRET)
    tables = Tables("log", "members", "sessions", "tickets")
    return Stack("ws://x", "http://x", "us-east-1", "http://x", tables, "files", str(tmp_path / "secret"))


def test_a_token_names_its_user_and_its_time(stack: Stack) -> None:
    token = tokens.mint(stack, "alice", ttl=60, now=1_000)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False})
    assert claims == {"sub": "alice", "iat": 1_000, "exp": 1_060}


def test_issuer_and_audience_are_in_it_where_the_stack_checks_them(stack: Stack) -> None:
    token = tokens.mint(replace(stack, iss="us", aud="chat"), "alice")
    assert jwt.decode(token, SECRET, algorithms=["HS256"], issuer="us", audience="chat")["sub"] == "alice"


@pytest.mark.parametrize("user", ["", "a b", "ä", "x" * 129, "a/b", ".", ".."])
def test_a_user_that_cannot_be_is_refused(stack: Stack, user: str) -> None:
    with pytest.raises(CommandError, match="is no user id"):
        tokens.mint(stack, user)
