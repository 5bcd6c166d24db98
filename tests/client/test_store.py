"""A client that keeps its state by itself: what it tells is on disk before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from parley_client import Message, ParleyError, SendFailed, StateFile

from tests.client.fake_server import FakeServer
from tests.client.model import Refusal
from tests.client.test_client import DM, client_of, messages, next_of


def in_file(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


async def test_what_is_told_is_saved_before(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    async with FakeServer() as server, client_of(server, store=StateFile(path)) as alice:
        await alice.sync()
        assert in_file(path)["synced"]
        await server.post("bob", "alice", "hi")
        [message] = await messages(alice, 1)
        assert in_file(path)["conversations"] == {DM: message.seq}
        ack = await alice.send("hello", to="bob")
        assert in_file(path)["outbox"] == []
        server.on_frame = lambda _, frame: Refusal("blocked") if frame["type"] == "message" else None
        with pytest.raises(ParleyError, match="blocked"):
            await alice.send("no", to="bob")
        assert in_file(path)["outbox"] == []
        await messages(alice, 1)

    assert in_file(path)["conversations"] == {DM: ack.seq}
    assert in_file(path)["refused"] == []
    assert path.stat().st_mode & 0o077 == 0


async def test_the_next_client_goes_on_from_what_was_saved(tmp_path: Path) -> None:
    store = StateFile(tmp_path / "state.json")
    async with FakeServer() as server:
        async with client_of(server, store=store) as alice:
            await alice.sync()
        await server.post("bob", "alice", "missed")
        async with client_of(server, store=store) as alice:
            [message] = await messages(alice, 1)

    assert message.content == "missed"


async def test_a_refusal_that_a_dead_process_did_not_tell_is_told_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "state.json"

    class Dying(StateFile):
        """The process dies right after the refusal was saved."""

        def save(self, state: Mapping[str, Any]) -> None:
            if not path.exists() or not in_file(path)["refused"]:
                super().save(state)

    async with FakeServer() as server:
        server.on_frame = lambda _, frame: Refusal("blocked") if frame["type"] == "message" else None
        async with client_of(server, store=Dying(path)) as alice:
            with pytest.raises(ParleyError, match="blocked"):
                await alice.send("no", to="bob")
        async with client_of(server, store=StateFile(path)) as alice:
            failed = await next_of(alice, SendFailed)

    assert (failed.content, failed.code) == ("no", "blocked")
    assert len(server.sent("message")) == 1


async def test_where_the_state_can_not_be_saved_nothing_is_told_and_the_client_stops(tmp_path: Path) -> None:
    class Full(StateFile):
        full = False

        def save(self, state: Mapping[str, Any]) -> None:
            if self.full:
                raise OSError(28, "No space left on device")
            super().save(state)

    store = Full(tmp_path / "state.json")
    async with FakeServer() as server, client_of(server, store=store) as alice:
        await alice.sync()
        store.full = True
        with pytest.raises(ParleyError, match=r"No space left.*not_saved"):
            await alice.send("hi", to="bob")
        with pytest.raises(ParleyError, match="not_saved"):
            await next_of(alice, Message)
        with pytest.raises(ParleyError, match="not_saved"):
            await alice.send("hi", to="bob")

    assert server.sent("message") == []


def test_what_was_saved_about_another_server_counts_as_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    StateFile(path, of="one").save({"version": 1})
    assert StateFile(path, of="one").load() == {"version": 1}
    assert StateFile(path, of="another").load() is None
    assert StateFile(path).load() == {"version": 1}
    assert StateFile(tmp_path / "missing.json").load() is None


@pytest.mark.parametrize("content", ["{", "[]", '"text"'])
def test_a_file_without_a_state_is_no_state(content: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"."):
        StateFile(path).load()
