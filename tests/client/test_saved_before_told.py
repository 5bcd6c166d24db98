"""What an application was told outlives a process that is killed at any point: nothing is undone, or done again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parley_client.events import Entry
from parley_client.settings import Settings

from tests.client.model import Model, Posts
from tests.client.mortal import Mortal
from tests.client.simulated import ME, PEERS

Step = tuple[str, int]
STEPS = (
    *["serve", "deliver", "take"] * 4,
    *["send", "other", "refuse"] * 2,
    "serve_unanswered",
    "come_or_go",
    "say_in_group",
    "wait",
    "deadline",
    "cut",
    "read",
)
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=60)
lives = st.lists(st.integers(0, 12), max_size=8)


def world_of(lives: list[int]) -> tuple[Mortal, str]:
    model = Model()
    group = model.create_group("bob", "team", ["carol"], [])
    return Mortal(Settings(history="all", max_attempts=1_000), model, lives=lives), group


def play(world: Mortal, group: str, script: list[Step]) -> None:
    for name, number in script:
        action = ACTIONS[name]
        world.attempt(lambda action=action, number=number: action(world, group, number))


def come_or_go(world: Mortal, group: str, _: int) -> None:
    posts: Posts = []
    if ME in world.model.members[group]:
        world.model.remove_member("bob", group, ME, posts)
    else:
        world.model.add_members("bob", group, [ME], posts)
    world.spread(posts)


def say_in_group(world: Mortal, group: str, _: int) -> None:
    frame = {"type": "message", "conversation_id": group, "content": f"all {len(world.model.logs[group])}"}
    world.spread(world.model.handle("bob", frame)[1])


def other(world: Mortal, _: str, number: int) -> None:
    sender = PEERS[number % len(PEERS)]
    count = sum(len(log) for log in world.model.logs.values())
    world.post(ME, world.model.post(sender, ME, f"from {sender} {count}"))


def at(waiting: list[Any], number: int, do: Callable[[int], None]) -> None:
    if waiting:
        do(number % len(waiting))


def read(world: Mortal, _: str, number: int) -> None:
    where = world.model.dm(ME, PEERS[number % len(PEERS)])
    if held := world.core.held(where):
        world.core.mark("read", where, held, world.now)
        world._perform()


ACTIONS: dict[str, Callable[[Mortal, str, int], Any]] = {
    "serve": lambda world, _, number: at(world.to_server, number, world.serve),
    "serve_unanswered": lambda world, _, number: at(world.to_server, number, lambda n: world.serve(n, reply=False)),
    "refuse": lambda world, _, number: at(world.to_server, number, world.refuse_for_good),
    "deliver": lambda world, _, number: at(world.to_client, number, world.deliver),
    "take": lambda world, _, __: world.take(),
    "send": lambda world, _, number: world.send(PEERS[number % len(PEERS)]),
    "wait": lambda world, _, number: world.wait(0.25 * 4**number),
    "deadline": lambda world, _, __: world.wait_for_deadline(),
    "cut": lambda world, _, __: world.cut(),
    "other": other,
    "come_or_go": come_or_go,
    "say_in_group": say_in_group,
    "read": read,
}


def check(world: Mortal, group: str) -> None:
    log = {where: [entry["seq"] for entry in entries] for where, entries in world.model.logs.items()}
    entries = [entry for entries in world.model.logs.values() for entry in entries]
    contents = [entry["message"]["content"] for entry in entries if "message" in entry]
    for where, seqs in log.items():
        seen = [entry.seq for entry in world.taken.get(where, []) if isinstance(entry, Entry)]
        assert seen == sorted(set(seen)), "an entry was shown twice, or late"
        if where != group:
            unseen = {entry.seq for entry in world.lost if entry.conversation_id == where}
            assert {*seen, *unseen} == set(seqs)
    assert len(world.lost) <= world.deaths
    for content in world.accepted:
        assert contents.count(content) + (content in world.refused) == 1, f"{content}: lost, or stored and refused"
    assert world.stored <= set(contents)
    assert not world.refused & set(contents)
    removals = [entry for entry in world.model.logs[group] if entry["type"] == "member_removed"]
    assert len(world.ends) <= len(removals), "an end of the membership was shown twice"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=steps, lives=lives)
def test_what_was_told_outlives_the_process(script: list[Step], lives: list[int]) -> None:
    world, group = world_of(lives)
    world.attempt(world.begin)
    play(world, group, script)
    world.lives.clear()
    world.heal()

    check(world, group)


SCRIPT: list[Step] = [
    *[("serve", 0), ("deliver", 0)] * 2,
    *[("take", 0)] * 3,
    *[("send", 0), ("send", 0), ("refuse", 0), ("deliver", 0), ("serve", 0), ("deliver", 0)],
    *[("other", 0), ("deliver", 0), ("take", 0), ("take", 0), ("read", 0), ("send", 0), ("refuse", 1)],
    *[("come_or_go", 0), ("deliver", 0), ("deliver", 0), ("serve", 0), ("deliver", 0), ("say_in_group", 0)],
    *[("deliver", 0), ("deliver", 0), ("take", 0), ("take", 0), ("come_or_go", 0), ("deliver", 0), ("deliver", 0)],
    *[("take", 0)] * 4,
]


@pytest.mark.parametrize("second", [None, 0, 1, 3])
def test_at_every_point_of_a_session(second: int | None) -> None:
    """Killed once before each of its effects, and the process after it once more."""
    for first in range(200):
        again = [] if second is None else [second]
        world, group = world_of([first, *again])
        world.attempt(world.begin)
        play(world, group, SCRIPT)
        died = world.deaths
        world.lives.clear()
        world.heal()
        check(world, group)
        if not died:
            return
    raise AssertionError("the session has no end")
