import json
import stat
from pathlib import Path

import pytest

from local import stack
from local.errors import CommandError
from local.stack import Stack, Tables


def example(**changes: str | None) -> Stack:
    values: dict[str, str | None] = {
        "ws_url": "ws://localhost:4577/ws",
        "http_url": "http://localhost:4577/http",
        "region": "us-east-1",
        "endpoint_url": "http://localhost:4577",
        "bucket": "files",
        "jwt_secret_file": "/home/secret",
    }
    return Stack(tables=Tables("log", "members", "sessions", "tickets"), **(values | changes))  # type: ignore[arg-type]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    stack.write(tmp_path / "stack.json", example(iss="us"))
    assert stack.read(tmp_path / "stack.json") == example(iss="us")


def test_what_is_not_set_is_left_out(tmp_path: Path) -> None:
    stack.write(tmp_path / "stack.json", example(jwt_secret_file=None))
    written = json.loads((tmp_path / "stack.json").read_text())
    assert not {"iss", "aud", "jwt_secret_file"} & set(written)
    assert written["tables"]["log"] == "log"


def test_a_newer_file_with_more_in_it_can_be_read(tmp_path: Path) -> None:
    stack.write(tmp_path / "stack.json", example())
    more = json.loads((tmp_path / "stack.json").read_text()) | {"web_url": "http://localhost:1"}
    (tmp_path / "stack.json").write_text(json.dumps(more))
    assert stack.read(tmp_path / "stack.json") == example()


def test_without_a_stack_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no stack yet") as caught:
        stack.read(tmp_path / "stack.json")
    assert caught.value.hint == "Start one with: make up"


def test_a_stack_that_checks_with_a_jwks_url_has_no_secret() -> None:
    with pytest.raises(CommandError, match="JWKS"):
        example(jwt_secret_file=None).jwt_secret  # noqa: B018


def test_a_secret_file_is_private_also_when_it_replaces_a_public_one(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("old")
    secret.chmod(0o644)
    stack.replace_file(secret, "new", mode=0o600)
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == ("new", 0o600)
