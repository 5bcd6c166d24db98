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


def play(world: Simulated, script: list[Step]) -> None:
    for name, number in script:
        if name in ("serve", "serve_unanswered", "busy", "died_after_storing", "never_arrives"):
            at_server(world, name, number)
        elif name in ("deliver", "deliver_twice", "lose"):
            on_the_way_back(world, name, number)
        else:
            ACTIONS[name](world, number)


def at_server(world: Simulated, name: str, number: int) -> None:
    if not world.to_server:
        return
    index = number % len(world.to_server)
    if name == "serve":
        world.serve(index)
    elif name == "serve_unanswered":
        world.serve(index, reply=False)
    elif name == "never_arrives":
        world.to_server.pop(index)
    else:
        world.refuse(index, "unavailable" if name == "busy" else "internal", stored=name == "died_after_storing")


def on_the_way_back(world: Simulated, name: str, number: int) -> None:
    if not world.to_client:
        return
    index = number % len(world.to_client)
    if name == "lose":
        world.to_client.pop(index)
    else:
        world.deliver(index, keep=name == "deliver_twice")


def other(world: Simulated, number: int) -> None:
    sender = PEERS[number % len(PEERS)]
    count = sum(len(log) for log in world.model.logs.values())
    world.post(ME, world.model.post(sender, ME, f"from {sender} {count}"))


def change(world: Simulated, number: int) -> None:
    where = world.model.dm(ME, PEERS[number % len(PEERS)])
    if world.model.logs[where]:
        world.post(ME, world.model.change(where, "from_the_future"))


def receipt(world: Simulated, number: int) -> None:
    where = world.model.dm(ME, PEERS[number % len(PEERS)])
    world.post(ME, {"type": "read", "conversation_id": where, "user_id": "bob", "seq": number + 1})


ACTIONS: dict[str, Callable[[Simulated, int], Any]] = {
    "send": lambda world, number: world.send(PEERS[number % len(PEERS)]),
    "take": lambda world, _: world.take(),
    "wait": lambda world, number: world.wait(0.25 * 4**number),
    "deadline": lambda world, _: world.wait_for_deadline(),
    "cut": lambda world, _: world.cut(),
    "restart": lambda world, _: world.restart(world.snapshot()),
    "other": other,
    "change": change,
    "receipt": receipt,
}


def check_stream(world: Simulated) -> None:
    """The application saw the end of each log from its start on: every entry once, in order, as it is stored."""
    for where, log in world.model.logs.items():
        seen = world.taken.get(where, [])
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


def stored(world: Simulated) -> dict[str, list[tuple[str, int]]]:
    """Where each of the client's own messages stands."""
    places: dict[str, list[tuple[str, int]]] = {}
    for where, log in world.model.logs.items():
        for entry in log:
            if entry.get("message", {}).get("sender_id") == ME:
                places.setdefault(entry["message"]["content"], []).append((where, entry["seq"]))
    return places


def check_outbox(world: Simulated) -> None:
    """Each message stands in the log once, in the order of writing; each call ended once, with that place."""
    places = stored(world)
    assert {content: [where for where, _ in found] for content, found in places.items()} == {
        content: [where] for content, where in world.composed.items()
    }
    for peer in PEERS:
        where = world.model.dm(ME, peer)
        seqs = [places[content][0][1] for content, own in world.composed.items() if own == where]
        assert seqs == sorted(seqs)
    for content, outcomes in world.outcomes.items():
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
    world = Simulated(Settings(history=history, max_events=room, max_attempts=1_000), model)

    play(world, script)
    world.heal()

    check_stream(world)
    check_outbox(world)
    if history == "all":
        assert {where: len(seen) for where, seen in world.taken.items()} == {
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
    world = Simulated(Settings(history=history, max_events=room, max_attempts=1_000), model)

    play(world, [(draw.choice(STEPS), draw.randrange(6)) for _ in range(400)])
    world.heal()

    check_stream(world)
    check_outbox(world)


@relaxed
@given(before=steps, between=steps, after=steps, small=st.booleans())
def test_an_outdated_snapshot_repeats_entries_but_stores_nothing_twice(
    before: list[Step], between: list[Step], after: list[Step], small: bool
) -> None:
    model = Model(max_examined=3, page=2, reply_room=4) if small else Model()
    world = Simulated(Settings(history="all", max_attempts=1_000), model)
    play(world, before)
    snapshot = world.snapshot()
    kept = {item.body["content"] for item in world.core.unacked}
    acked_before = set(world.outcomes)
    play(world, between)
    world.restart(snapshot)
    world.taken.clear()
    play(world, after)
    world.heal()

    places = stored(world)
    assert all(len(found) == 1 for found in places.values())
    assert kept | acked_before <= places.keys()
    check_stream(world)


@pytest.mark.parametrize("history", ["new", "all"])
def test_the_simulation_itself_comes_to_rest_without_faults(history: Any) -> None:
    world = Simulated(Settings(history=history))
    for peer in PEERS:
        world.send(peer)
    world.heal()

    check_stream(world)
    check_outbox(world)
    assert len(world.outcomes) == len(PEERS)
