"""A sync that is played to its end brings everything, each entry once, and comes to its end."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.judge.case import Case
from tests.simulation.judge.counts import is_hidden
from tests.simulation.rounds import Round


def rounds_bring_everything(case: Case) -> Iterator[str]:
    end = case.past.at(case.scenario.hub.now)
    for one in case.scenario.rounds:
        user = one.client.user
        members = {member.conversation_id: member for member in end.conversations(user)}
        asked = [operation for operation in case.operations("sync") if operation.client == one.client.name]
        if any(operation.outcome != "ok" for operation in asked):
            continue  # its token has ended, or its connection
        if not one.is_over:
            yield f"{one.client.name} synced {one.held}, and came to no end"
        if one.refused != one.held.keys() - members.keys():
            yield f"{one.client.name} synced {one.held}, and was refused {one.refused}"
        yield from _entries(one, {name: (member.visible_from, len(end.log(name))) for name, member in members.items()})
        inbox = {name for name, member in members.items() if not is_hidden(member, end.log(name))}
        if sorted(one.heads) != sorted(inbox - one.held.keys()):
            yield f"{one.client.name} synced {one.held}, and learned of {one.heads}, of {inbox}"


def _entries(one: Round, spans: dict[str, tuple[int, int]]) -> Iterator[str]:
    """`spans` are where each conversation begins for the user, and its head."""
    for name in sorted(one.held.keys() & spans.keys()):
        begins, head = spans[name]
        if one.got.get(name, []) != list(range(max(one.held[name] + 1, begins), head + 1)):
            yield f"{one.client.name} held {one.held[name]} of {name}, and got {one.got.get(name)}, up to {head}"


RULES = (rounds_bring_everything,)
