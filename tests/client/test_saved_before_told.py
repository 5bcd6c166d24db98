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


def scenario_of(lives: list[int]) -> tuple[Mortal, str]:
    model = Model()
    group = model.create_group("bob", "team", ["carol"], [])
    return Mortal(Settings(history="all", max_attempts=1_000), model, lives=lives), group


def play(scenario: Mortal, group: str, script: list[Step]) -> None:
    for name, number in script:
        action = ACTIONS[name]
        scenario.attempt(lambda action=action, number=number: action(scenario, group, number))


def come_or_go(scenario: Mortal, group: str, _: int) -> None:
    posts: Posts = []
    if ME in scenario.model.members[group]:
        scenario.model.remove_member("bob", group, ME, posts)
    else:
        scenario.model.add_members("bob", group, [ME], posts)
    scenario.spread(posts)


def say_in_group(scenario: Mortal, group: str, _: int) -> None:
    frame = {"type": "message", "conversation_id": group, "content": f"all {len(scenario.model.logs[group])}"}
    scenario.spread(scenario.model.handle("bob", frame)[1])


def other(scenario: Mortal, _: str, number: int) -> None:
    sender = PEERS[number % len(PEERS)]
    count = sum(len(log) for log in scenario.model.logs.values())
    scenario.post(ME, scenario.model.post(sender, ME, f"from {sender} {count}"))


def at(waiting: list[Any], number: int, do: Callable[[int], None]) -> None:
    if waiting:
        do(number % len(waiting))


def read(scenario: Mortal, _: str, number: int) -> None:
    where = scenario.model.dm(ME, PEERS[number % len(PEERS)])
    if held := scenario.core.held(where):
        scenario.core.mark("read", where, held, scenario.now)
        scenario._perform()


ACTIONS: dict[str, Callable[[Mortal, str, int], Any]] = {
    "serve": lambda scenario, _, number: at(scenario.to_server, number, scenario.serve),
    "serve_unanswered": lambda scenario, _, number: at(
        scenario.to_server, number, lambda n: scenario.serve(n, reply=False)
    ),
    "refuse": lambda scenario, _, number: at(scenario.to_server, number, scenario.refuse_for_good),
    "deliver": lambda scenario, _, number: at(scenario.to_client, number, scenario.deliver),
    "take": lambda scenario, _, __: scenario.take(),
    "send": lambda scenario, _, number: scenario.send(PEERS[number % len(PEERS)]),
    "wait": lambda scenario, _, number: scenario.wait(0.25 * 4**number),
    "deadline": lambda scenario, _, __: scenario.wait_for_deadline(),
    "cut": lambda scenario, _, __: scenario.cut(),
    "other": other,
    "come_or_go": come_or_go,
    "say_in_group": say_in_group,
    "read": read,
}


def check(scenario: Mortal, group: str) -> None:
    log = {where: [entry["seq"] for entry in entries] for where, entries in scenario.model.logs.items()}
    entries = [entry for entries in scenario.model.logs.values() for entry in entries]
    contents = [entry["message"]["content"] for entry in entries if "message" in entry]
    for where, seqs in log.items():
        seen = [entry.seq for entry in scenario.taken.get(where, []) if isinstance(entry, Entry)]
        assert seen == sorted(set(seen)), "an entry was shown twice, or late"
        if where != group:
            unseen = {entry.seq for entry in scenario.lost if entry.conversation_id == where}
            assert {*seen, *unseen} == set(seqs)
    assert len(scenario.lost) <= scenario.deaths
    for content in scenario.accepted:
        assert contents.count(content) + (content in scenario.refused) == 1, f"{content}: lost, or stored and refused"
    assert scenario.stored <= set(contents)
    assert not scenario.refused & set(contents)
    removals = [entry for entry in scenario.model.logs[group] if entry["type"] == "member_removed"]
    assert len(scenario.ends) <= len(removals), "an end of the membership was shown twice"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=steps, lives=lives)
def test_what_was_told_outlives_the_process(script: list[Step], lives: list[int]) -> None:
    scenario, group = scenario_of(lives)
    scenario.attempt(scenario.begin)
    play(scenario, group, script)
    scenario.lives.clear()
    scenario.heal()

    check(scenario, group)


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
        scenario, group = scenario_of([first, *again])
        scenario.attempt(scenario.begin)
        play(scenario, group, SCRIPT)
        died = scenario.deaths
        scenario.lives.clear()
        scenario.heal()
        check(scenario, group)
        if not died:
            return
    raise AssertionError("the session has no end")
