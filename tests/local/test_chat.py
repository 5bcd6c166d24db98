"""Where `make chat` goes in: the stack that there is now, and the saved state that is about it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from parley_client.tokens import user_of

from local.chat import Doors
from local.settings import Settings

STACK = {
    "region": "us-east-1",
    "endpoint_url": "http://localhost:1",
    "tables": {"log": "l", "members": "m", "sessions": "s", "tickets": "t"},
    "bucket": "b",
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, port=4_600)


def make(settings: Settings, number: int) -> None:
    """A stack, as `make up` leaves it."""
    settings.secret_file.write_text(f"secret {number} {'x' * 32}", encoding="ascii")
    urls = {"ws_url": f"ws://localhost:{number}", "http_url": f"http://localhost:{number}"}
    settings.stack_file.write_text(json.dumps({**STACK, **urls, "jwt_secret_file": str(settings.secret_file)}))


def test_the_door_is_the_stack_s_and_stays_the_same_while_that_does(settings: Settings) -> None:
    make(settings, 1)
    doors = Doors(settings, "carol")
    door = doors()
    assert door is not None
    assert (door.ws_url, door.http_url, door.partner) == ("ws://localhost:1", "http://localhost:1", "alice")
    assert callable(door.token)
    assert user_of(str(door.token())) == "carol"
    assert doors() is door


def test_after_a_reset_there_is_none_and_the_next_one_has_another_name(settings: Settings) -> None:
    make(settings, 1)
    doors = Doors(settings, "alice")
    before = doors()
    settings.stack_file.unlink()
    assert doors() is None
    make(settings, 1)
    settings.secret_file.write_text("another " * 8, encoding="ascii")
    after = doors()
    assert before is not None
    assert after is not None
    assert before.of != after.of
    assert before.state == after.state == settings.chats / "alice.json"


def test_of_two_terminals_of_a_user_the_first_has_the_state(settings: Settings) -> None:
    make(settings, 1)
    first, second, other = Doors(settings, "alice"), Doors(settings, "alice"), Doors(settings, "bob")
    doors = [first(), second(), other()]
    assert [door.state.name if door and door.state else None for door in doors] == ["alice.json", None, "bob.json"]
