"""Several clients, devices and groups over a bad network: all end with the same picture, whatever they missed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parley_client.events import Entry, MembersAdded, MembershipLost, MembersRemoved
from parley_client.parsing import as_message
from parley_client.settings import Settings
from parley_client.view import ConversationView

from tests.client.model import Model, Posts, Refusal
from tests.client.simulated import Simulated

USERS = ("alice", "alice", "bob", "carol", "dan")  # alice has two devices; carol and dan come and go
EMOJI = ("👍", "🎉", "👩‍💻")

STEPS = (
    *["serve"] * 8,
    *["deliver"] * 8,
    *["take"] * 5,
    *["send"] * 3,
    *["edit", "delete", "react"] * 2,
    *["wait"] * 2,
    *["come_or_go"] * 3,
    "lose",
    "never_arrives",
    "serve_unanswered",
    "died_after_storing",
    "busy",
    "deliver_twice",
    "rename",
    "role",
    "cut",
    "restart",
    "read",
)
Step = tuple[str, int, int]
steps = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 4), st.integers(0, 11)), max_size=120)


@dataclass
class Scenario:
    model: Model
    room: int = 1_000
    clients: list[Simulated] = field(default_factory=list)

    def __post_init__(self) -> None:
        chosen = Settings(history="all", max_events=self.room, max_attempts=1_000)
        for user in USERS:
            Simulated(chosen, self.model, user=user, network=self.clients)
        posts: Posts = []
        self.group = self.model.create_group("alice", "team", ["bob", "dan"], posts)
        self.clients[0].spread(posts)

    def play(self, script: list[Step]) -> None:
        for name, who, number in script:
            client = self.clients[who % len(self.clients)]
            if name in ("serve", "serve_unanswered", "died_after_storing", "busy", "never_arrives"):
                _at_server(client, name, number)
            elif name in ("deliver", "deliver_twice", "lose"):
                _on_the_way_back(client, name, number)
            elif name in ("come_or_go", "rename", "role"):
                self.manage(name, number)
            else:
                ACTIONS[name](self, client, number)

    def manage(self, name: str, number: int) -> None:
        """What goes over HTTP: at once, or not at all."""
        posts: Posts = []
        whom = ("carol", "dan")[number % 2]
        try:
            if name == "rename":
                self.model.rename("alice", self.group, f"team {number}", posts)
            elif name == "role":
                self.model.set_role("alice", self.group, "bob", ("admin", "member")[number % 2], posts)
            elif whom not in self.model.members[self.group]:
                self.model.add_members("alice", self.group, [whom], posts)
            else:
                self.model.remove_member(whom if number % 3 else "alice", self.group, whom, posts)
        except Refusal:
            return
        self.clients[0].spread(posts)

    def target(self, number: int) -> tuple[str, int]:
        """Some message, if there is one that far."""
        where = self.group if number % 3 else self.model.dm("alice", "bob")
        seqs = [each["seq"] for each in self.model.messages(where)]
        return where, seqs[-1 - number % len(seqs)] if seqs else 1


def _at_server(client: Simulated, name: str, number: int) -> None:
    if not client.to_server:
        return
    index = number % len(client.to_server)
    if name == "never_arrives":
        client.to_server.pop(index)
    elif name in ("serve", "serve_unanswered"):
        client.serve(index, reply=name == "serve")
    else:
        client.refuse(index, "unavailable" if name == "busy" else "internal", stored=name == "died_after_storing")


def _on_the_way_back(client: Simulated, name: str, number: int) -> None:
    if not client.to_client:
        return
    index = number % len(client.to_client)
    if name == "lose":
        client.to_client.pop(index)
    else:
        client.deliver(index, keep=name == "deliver_twice")


def _send(scenario: Scenario, client: Simulated, number: int) -> None:
    client.send(scenario.group if number % 3 else ("bob" if client.user == "alice" else "alice"))


def _react(scenario: Scenario, client: Simulated, number: int) -> None:
    client.change("react", *scenario.target(number), emoji=EMOJI[number % 3], remove=number % 4 == 3)


def _read(scenario: Scenario, client: Simulated, number: int) -> None:
    held = client.core.held(scenario.group)
    if held:
        client.core.mark("read", scenario.group, max(1, held - number), client.now)
        client._perform()


ACTIONS: dict[str, Callable[[Scenario, Simulated, int], Any]] = {
    "send": _send,
    "edit": lambda scenario, client, number: client.change(
        "edit", *scenario.target(number), content=f"edited {number}"
    ),
    "delete": lambda scenario, client, number: client.change("delete", *scenario.target(number)),
    "react": _react,
    "read": _read,
    "take": lambda _, client, __: client.take(),
    "wait": lambda _, client, number: client.wait(0.25 * 2**number),
    "cut": lambda _, client, __: client.cut(),
    "restart": lambda _, client, __: client.restart(client.snapshot()),
}


def view_of(client: Simulated, where: str) -> ConversationView:
    view = ConversationView(where)
    for event in client.taken.get(where, ()):
        view.apply(event)
    again = copy.deepcopy(view)
    for event in client.taken.get(where, ()):
        assert not again.apply(event)
    assert again == view
    return view


def check_order(client: Simulated) -> None:
    """Each entry once, in order and without a gap but where the user was not a member, and from their joining on."""
    for entries in client.taken.values():
        assert all(isinstance(entry, Entry) for entry in entries)
        last: Any = None
        for entry in entries:
            assert isinstance(entry, Entry)
            joins = isinstance(entry, MembersAdded) and client.user in entry.users
            if last is None:
                assert joins or entry.seq == 1
            else:
                assert entry.seq == last.seq + 1 or (joins and entry.seq > last.seq)
                assert joins or not (isinstance(last, MembersRemoved) and client.user in last.users)
            last = entry


def check_goodbyes(client: Simulated, where: str) -> None:
    """The end of a membership is said at most once, and nothing comes after it but a new one."""
    over = False
    for event in client.stream:
        if getattr(event, "conversation_id", None) != where or not isinstance(event, Entry | MembershipLost):
            continue
        assert not over or (isinstance(event, MembersAdded) and client.user in event.users)
        over = isinstance(event, MembershipLost)


def check(scenario: Scenario) -> None:
    model, group, dm = scenario.model, scenario.group, scenario.model.dm("alice", "bob")
    views = [[view_of(client, where) for where in (group, dm)] for client in scenario.clients[:3]]
    assert views[0] == views[1]  # alice's two devices
    for client, (of_group, of_dm) in zip(scenario.clients, views, strict=False):
        assert of_group.messages == {each["seq"]: as_message(each) for each in shown(model, group)}
        assert of_dm.messages == {each["seq"]: as_message(each) for each in shown(model, dm)}
        assert (of_group.members, of_group.name) == (model.roles[group], model.names[group])
        of_group.mark_read(client.user, model.cursors.get(("read", group, client.user), 0))
        assert of_group.unread(client.user) == model.unread(group, client.user)
    for client in scenario.clients:
        check_order(client)
        check_goodbyes(client, group)
        joined = model.joined_seq(group, client.user)
        if joined:
            found = view_of(client, group).messages
            since = {each["seq"]: as_message(each) for each in shown(model, group) if each["seq"] > joined}
            assert {seq: message for seq, message in found.items() if seq > joined} == since


def shown(model: Model, where: str) -> list[dict[str, Any]]:
    """The history, as a view normalises it: a deleted message keeps nothing but its place."""
    kept = ("id", "conversation_id", "seq", "sender_id", "type", "created_at", "deleted_at")
    return [{name: each[name] for name in kept} if "deleted_at" in each else each for each in model.messages(where)]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=steps, small=st.booleans(), clamps=st.booleans(), room=st.sampled_from([4, 1_000]))
def test_whoever_missed_something_ends_with_the_same_view(
    script: list[Step], small: bool, clamps: bool, room: int
) -> None:
    limits: dict[str, Any] = {"max_examined": 3, "page": 2, "reply_room": 4} if small else {}
    scenario = Scenario(Model(clamps=clamps, **limits), room)
    scenario.play(script)
    scenario.clients[0].heal()
    check(scenario)


@pytest.mark.parametrize("seed", range(30))
def test_the_same_over_long_random_runs(seed: int) -> None:
    draw = random.Random(seed)
    limits: dict[str, Any] = draw.choice([{}, {"max_examined": 3, "page": 2, "reply_room": 4}])
    scenario = Scenario(Model(clamps=draw.choice([False, True]), **limits), draw.choice([4, 12, 1_000]))
    scenario.play([(draw.choice(STEPS), draw.randrange(5), draw.randrange(12)) for _ in range(500)])
    scenario.clients[0].heal()
    check(scenario)
