"""Whatever the network does: the application sees each entry once and in order, and each message is stored once."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parley_client.events import Ack, Entry, LogEntry, Message
from parley_client.settings import Settings

from tests.client.model import Model
from tests.client.simulated import ME, PEERS, Simulated

Step = tuple[str, int]

STEPS = (
    *["serve"] * 6,
    *["deliver"] * 6,
    *["send"] * 3,
    *["other"] * 3,
    *["take"] * 3,
    *["wait"] * 2,
    "serve_unanswered",
    "busy",
    "died_after_storing",
    "never_arrives",
    "deliver_twice",
    "lose",
    "change",
    "receipt",
    "deadline",
    "cut",
    "restart",
)
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=80)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def play(scenario: Simulated, script: list[Step]) -> None:
    for name, number in script:
        if name in ("serve", "serve_unanswered", "busy", "died_after_storing", "never_arrives"):
            at_server(scenario, name, number)
        elif name in ("deliver", "deliver_twice", "lose"):
            on_the_way_back(scenario, name, number)
        else:
            ACTIONS[name](scenario, number)


def at_server(scenario: Simulated, name: str, number: int) -> None:
    if not scenario.to_server:
        return
    index = number % len(scenario.to_server)
    if name == "serve":
        scenario.serve(index)
    elif name == "serve_unanswered":
        scenario.serve(index, reply=False)
    elif name == "never_arrives":
        scenario.to_server.pop(index)
    else:
        scenario.refuse(index, "unavailable" if name == "busy" else "internal", stored=name == "died_after_storing")


def on_the_way_back(scenario: Simulated, name: str, number: int) -> None:
    if not scenario.to_client:
        return
    index = number % len(scenario.to_client)
    if name == "lose":
        scenario.to_client.pop(index)
    else:
        scenario.deliver(index, keep=name == "deliver_twice")


def other(scenario: Simulated, number: int) -> None:
    sender = PEERS[number % len(PEERS)]
    count = sum(len(log) for log in scenario.model.logs.values())
    scenario.post(ME, scenario.model.post(sender, ME, f"from {sender} {count}"))


def change(scenario: Simulated, number: int) -> None:
    where = scenario.model.dm(ME, PEERS[number % len(PEERS)])
    if scenario.model.logs[where]:
        scenario.post(ME, scenario.model.change(where, "from_the_future"))


def receipt(scenario: Simulated, number: int) -> None:
    where = scenario.model.dm(ME, PEERS[number % len(PEERS)])
    scenario.post(ME, {"type": "read", "conversation_id": where, "user_id": "bob", "seq": number + 1})


ACTIONS: dict[str, Callable[[Simulated, int], Any]] = {
    "send": lambda scenario, number: scenario.send(PEERS[number % len(PEERS)]),
    "take": lambda scenario, _: scenario.take(),
    "wait": lambda scenario, number: scenario.wait(0.25 * 4**number),
    "deadline": lambda scenario, _: scenario.wait_for_deadline(),
    "cut": lambda scenario, _: scenario.cut(),
    "restart": lambda scenario, _: scenario.restart(scenario.snapshot()),
    "other": other,
    "change": change,
    "receipt": receipt,
}


def check_stream(scenario: Simulated) -> None:
    """The application saw the end of each log from its start on: every entry once, in order, as it is stored."""
    for where, log in scenario.model.logs.items():
        seen = scenario.taken.get(where, [])
        start = len(log) - len(seen)
        assert start >= 0
        for entry, event in zip(log[start:], seen, strict=True):
            assert isinstance(event, Entry)
            assert event.seq == entry["seq"]
            if isinstance(event, Message):
                stored = entry["message"]
                assert (event.content, event.sender_id) == (stored["content"], stored["sender_id"])
                assert (event.id, event.created_at) == (stored["id"], stored["created_at"])
            else:
                assert isinstance(event, LogEntry)
                assert event.type == entry["type"]


def stored(scenario: Simulated) -> dict[str, list[tuple[str, int]]]:
    """Where each of the client's own messages stands."""
    places: dict[str, list[tuple[str, int]]] = {}
    for where, log in scenario.model.logs.items():
        for entry in log:
            if entry.get("message", {}).get("sender_id") == ME:
                places.setdefault(entry["message"]["content"], []).append((where, entry["seq"]))
    return places


def check_outbox(scenario: Simulated) -> None:
    """Each message stands in the log once, in the order of writing; each call ended once, with that place."""
    places = stored(scenario)
    assert {content: [where for where, _ in found] for content, found in places.items()} == {
        content: [where] for content, where in scenario.composed.items()
    }
    for peer in PEERS:
        where = scenario.model.dm(ME, peer)
        seqs = [places[content][0][1] for content, own in scenario.composed.items() if own == where]
        assert seqs == sorted(seqs)
    for content, outcomes in scenario.outcomes.items():
        [ack] = outcomes
        assert isinstance(ack, Ack)
        assert [(ack.conversation_id, ack.seq)] == places[content]


@relaxed
@given(script=steps, history=st.sampled_from(["new", "all"]), small=st.booleans(), room=st.sampled_from([4, 1_000]))
def test_each_entry_is_seen_once_in_order_and_each_message_stored_once(
    script: list[Step], history: Any, small: bool, room: int
) -> None:
    model = Model(max_examined=3, page=2, reply_room=4) if small else Model()
    for peer in ("bob", "carol"):
        for number in range(3):
            model.post(peer, ME, f"before {peer} {number}")
    scenario = Simulated(Settings(history=history, max_events=room, max_attempts=1_000), model)

    play(scenario, script)
    scenario.heal()

    check_stream(scenario)
    check_outbox(scenario)
    if history == "all":
        assert {where: len(seen) for where, seen in scenario.taken.items()} == {
            where: len(log) for where, log in model.logs.items() if log
        }


@pytest.mark.parametrize("seed", range(40))
def test_the_same_over_long_random_runs(seed: int) -> None:
    draw = random.Random(seed)
    small = Model(max_examined=3, page=2, reply_room=4)
    model = draw.choice([small, Model()])
    for peer in draw.sample(PEERS, 2):
        model.post(peer, ME, f"before {peer}")
    room = draw.choice([4, 12, 1_000])
    history: Any = draw.choice(["new", "all"])
    scenario = Simulated(Settings(history=history, max_events=room, max_attempts=1_000), model)

    play(scenario, [(draw.choice(STEPS), draw.randrange(6)) for _ in range(400)])
    scenario.heal()

    check_stream(scenario)
    check_outbox(scenario)


@relaxed
@given(before=steps, between=steps, after=steps, small=st.booleans())
def test_an_outdated_snapshot_repeats_entries_but_stores_nothing_twice(
    before: list[Step], between: list[Step], after: list[Step], small: bool
) -> None:
    model = Model(max_examined=3, page=2, reply_room=4) if small else Model()
    scenario = Simulated(Settings(history="all", max_attempts=1_000), model)
    play(scenario, before)
    snapshot = scenario.snapshot()
    kept = {item.body["content"] for item in scenario.core.unacked}
    acked_before = set(scenario.outcomes)
    play(scenario, between)
    scenario.restart(snapshot)
    scenario.taken.clear()
    play(scenario, after)
    scenario.heal()

    places = stored(scenario)
    assert all(len(found) == 1 for found in places.values())
    assert kept | acked_before <= places.keys()
    check_stream(scenario)


@pytest.mark.parametrize("history", ["new", "all"])
def test_the_simulation_itself_comes_to_rest_without_faults(history: Any) -> None:
    scenario = Simulated(Settings(history=history))
    for peer in PEERS:
        scenario.send(peer)
    scenario.heal()

    check_stream(scenario)
    check_outbox(scenario)
    assert len(scenario.outcomes) == len(PEERS)
