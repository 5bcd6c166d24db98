"""A user with 5,000 conversations: the Python client's core learns of all of them from the real handler."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from parley_client.core import Core
from parley_client.effects import Connect, Transmit
from parley_client.events import MembershipLost, Message
from parley_client.settings import Settings

from functions.message.handler import respond
from shared.operations.sync import MAX_HEADS
from tests.functions.events import frame_event
from tests.functions.message.harness import MessageHarness
from tests.stores import LOG, MEMBERS

MANY = 5_000
BY_ONE_FRAME = 130
IDS = [f"dm:alice:user{number:04}" for number in range(MANY)]


@dataclass
class Client:
    """The core, talking to the handler, with every frame looked at."""

    harness: MessageHarness
    state: dict[str, Any] | None = None
    frames: list[dict[str, Any]] = field(default_factory=list)
    most_reads: int = 0
    now: float = 0.0

    def __post_init__(self) -> None:
        names = count()
        self.core = Core(
            new_id=lambda: f"id{next(names)}",
            random=lambda: 0.5,
            settings=Settings(auto_delivered=False),
            user_id="alice",
            state=self.state,
        )

    def connect(self) -> list[Any]:
        self.core.start()
        return self.settle()

    def settle(self) -> list[Any]:
        """Do what the core says until it says nothing more. Returns what the application got."""
        events: list[Any] = []
        while effects := self.core.effects():
            for effect in effects:
                if isinstance(effect, Connect):
                    self.core.connected(self.now)
                elif isinstance(effect, Transmit):
                    self._say(effect.frame)
            while (event := self.core.next_event(self.now)) is not None:
                events.append(event)
        return events

    def _say(self, frame: dict[str, Any]) -> None:
        self.frames.append(frame)
        before = self._reads()
        self.harness.clock.ms += 1_000
        self.now += 1
        answer = respond(frame_event(frame), self.harness.wired, self.harness.guard)
        self.most_reads = max(self.most_reads, self._reads() - before)
        assert len(answer["body"].encode()) <= 31_000
        self.core.receive(json.loads(answer["body"]), self.now)

    def _reads(self) -> int:
        calls = self.harness.stores.calls
        return calls.reads(LOG) + calls.reads(MEMBERS)

    @property
    def held(self) -> dict[str, int]:
        held: dict[str, int] = self.core.state()["conversations"]
        return held


@pytest.fixture(scope="module")
def crowded() -> MessageHarness:
    harness = MessageHarness()
    for number, one in enumerate(IDS):
        harness.stores.write(f"user{number:04}", "x", conversation_id=one)
    return harness


def test_all_are_known_after_the_first_sync_and_what_is_new_comes_in_any_of_them(crowded: MessageHarness) -> None:
    client = Client(crowded)
    client.connect()
    heads = {one: len(crowded.stores.entries(one)) for one in IDS}
    assert client.held == heads
    assert len(client.frames) <= MANY // BY_ONE_FRAME
    assert client.most_reads <= 2 * MAX_HEADS + 20
    lagging = IDS[::97]
    for one in lagging:
        crowded.stores.write(one.removeprefix("dm:alice:"), "new", conversation_id=one)
    frames = len(client.frames)
    client.core.sync(client.now)
    got = [event for event in client.settle() if isinstance(event, Message)]
    assert sorted((event.conversation_id, event.seq, event.content) for event in got) == [
        (one, heads[one] + 1, "new") for one in lagging
    ]
    assert len(client.frames) - frames <= MANY // BY_ONE_FRAME + 3


def test_who_comes_back_after_a_while_gets_what_was_missed_and_hears_what_is_over(crowded: MessageHarness) -> None:
    first = Client(crowded)
    first.connect()
    state = {**first.core.state(), "conversations": {**first.held, "group:0123456789abcdef": 7}}
    heads = first.held
    lagging = IDS[3::251]
    for one in lagging:
        crowded.stores.write(one.removeprefix("dm:alice:"), "a", "b", conversation_id=one)
    again = Client(crowded, state)
    events = again.connect()
    got = [(event.conversation_id, event.seq) for event in events if isinstance(event, Message)]
    assert sorted(got) == sorted((one, heads[one] + more) for one in lagging for more in (1, 2))
    assert [event.conversation_id for event in events if isinstance(event, MembershipLost)] == [
        "group:0123456789abcdef"
    ]
    assert len(again.frames) <= MANY // BY_ONE_FRAME + 4
    assert all(len(frame["conversations"]) <= 500 for frame in again.frames)
