"""What is pinned is known once it was asked for, follows the log as far as the application has it, and survives."""

from __future__ import annotations

from typing import Any

import pytest
from parley_client import ConversationUpdated, ParleyClient, Pin
from parley_client.calls import Calls
from parley_client.core import Core
from parley_client.events import Message
from parley_client.groups import GroupOperations

from tests.client.fake_server import FakeServer, token_of

DM = "dm:alice:bob"


def pin(seq: int) -> Pin:
    return Pin(seq, "bob", 1, Message(DM, seq, "bob", f"m{seq}"))


def changed(seq: int, **changes: object) -> dict[str, Any]:
    about = {"conversation_id": DM, "seq": seq, "user_id": "bob", "timestamp": 5}
    return {"type": "conversation_updated", **about, "changes": changes}


async def _next(alice: ParleyClient, seq: int) -> None:
    """Until the application has this entry."""
    async for event in alice.events():
        if getattr(event, "seq", None) == seq:
            return


async def test_it_follows_from_the_first_answer_on_and_over_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    async def pins(_self: Calls, _conversation_id: str) -> tuple[Pin, ...]:
        return (pin(1),)

    monkeypatch.setattr(GroupOperations, "pins", pins)
    async with FakeServer() as server:
        alice = ParleyClient(server.url, token=server.admit("alice"), http_url=server.http_url)
        async with alice:
            await alice.connected()
            await server.post("bob", "alice", "m1")
            await _next(alice, 1)
            assert alice.pinned(DM) is None
            assert await alice.pins(DM) == (pin(1),)
            assert alice.pinned(DM) == (1,)
            await server.tell("alice", changed(2, pinned=3))
            await _next(alice, 2)
            assert alice.pinned(DM) == (3, 1)
            state = alice.state()
        again = ParleyClient(server.url, token=token_of("alice"), http_url=server.http_url, state=state)
        assert again.pinned(DM) == (3, 1)


async def test_what_changes_while_it_is_asked_for_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    async with FakeServer() as server:
        alice = ParleyClient(server.url, token=server.admit("alice"), http_url=server.http_url)

        async def pins(_self: Calls, _conversation_id: str) -> tuple[Pin, ...]:
            nonlocal asked
            asked += 1
            if asked > 1:
                return pin(3), pin(1)
            await server.tell("alice", changed(2, pinned=3))
            await _next(alice, 2)
            return (pin(1),)

        monkeypatch.setattr(GroupOperations, "pins", pins)
        async with alice:
            await alice.connected()
            await server.post("bob", "alice", "m1")
            await _next(alice, 1)
            assert await alice.pins(DM) == (pin(3), pin(1))
            assert (asked, alice.pinned(DM)) == (2, (3, 1))


def test_a_state_without_pins_is_one_of_before_and_one_with_them_goes_into_an_older_client() -> None:
    made = Core(new_id=str, random=lambda: 0.5, user_id="alice")
    state = made.state()
    assert state.pop("pins") == {}
    assert Core(new_id=str, random=lambda: 0.5, user_id="alice", state=state).pinned(DM) is None


@pytest.mark.parametrize(
    ("changes", "pinned", "unpinned"),
    [
        ({"pinned": 7}, 7, None),
        ({"unpinned": 7}, None, 7),
        ({"pinned": True}, None, None),
        ({"pinned": "7"}, None, None),
    ],
)
def test_an_entry_says_which_message(changes: dict[str, Any], pinned: int | None, unpinned: int | None) -> None:
    entry = ConversationUpdated(DM, 9, "bob", raw=changed(9, **changes))
    assert (entry.pinned, entry.unpinned) == (pinned, unpinned)
