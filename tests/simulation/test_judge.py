"""The judges can fail: whatever an answer or a row of a right history is turned into, one of them objects."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from shared.adapters.dynamodb.client import to_item
from tests.dynamodb import Written
from tests.simulation.history import Operation
from tests.simulation.judge import inspect
from tests.simulation.judge.case import Case
from tests.simulation.limits import Limits
from tests.simulation.operations import ACTIONS
from tests.simulation.plan import Action, Plan
from tests.simulation.runs import run
from tests.simulation.scenario import Scenario, beginning

_ENDING = frozenset({"cut", "half_open", "restart", "leave", "quit", "remove", "revoke", "ban", "revoke_tokens"})
_NOT_HERE = frozenset({"crowd_in", "reap", "keep_for", "hold", "release"})
_LISTS = 6
_DEVICES = (("alice-1", "alice"), ("bob-1", "bob"), ("carol-1", "carol"))


@cache
def _scenario() -> Scenario:
    """Everything is done a few times, by everybody, and nothing goes wrong."""
    # A crowd's message is one like others, and nothing ends here.
    names = [name for name in ACTIONS if name not in _ENDING | _NOT_HERE]
    actions = [
        Action(20.0 * (number * len(names) + place), number % 3, name, number * 7 + place)
        for number in range(3)
        for place, name in enumerate(names)
    ]
    # Each of the lists is asked for, whatever their numbers come to above.
    actions += [Action(actions[-1].at + 20.0 * (1 + which), 1, "list", which) for which in range(_LISTS)]
    nothing: frozenset[int] = frozenset()
    outcome = run(
        Plan(
            seed=1,
            schedule=1,
            devices=_DEVICES,
            asleep=nothing,
            fresh=nothing,
            browsers=nothing,
            actions=tuple(actions),
            limits=Limits(page=100),
            ends=actions[-1].at + 100.0,
            latency=3.0,
        )
    )
    assert outcome.findings == []
    return outcome.scenario


def _findings(scenario: Scenario) -> list[str]:
    return inspect(Case(scenario, beginning()))


def _answered(scenario: Scenario, kind: str, holds: Callable[[Any], object] = lambda _: True) -> Operation:
    return next(one for one in scenario.operations if one.kind == kind and one.outcome == "ok" and holds(one.value))


@contextmanager
def _changed(operation: Operation, **fields: Any) -> Iterator[None]:
    before = {name: getattr(operation, name) for name in fields}
    for name, value in fields.items():
        setattr(operation, name, value)
    yield
    for name, value in before.items():
        setattr(operation, name, value)


def _inbox(value: Any, **fields: Any) -> Any:
    changed = copy.deepcopy(value)
    changed["conversations"][0].update(fields)
    return changed


_FALSE: dict[str, tuple[str, Callable[[Any], object], Callable[[Any], Any]]] = {
    "an unread count": ("inbox", lambda body: body["conversations"], lambda body: _inbox(body, unread=77)),
    "a read cursor": ("inbox", lambda body: body["conversations"], lambda body: _inbox(body, read_seq=77)),
    "a head": ("inbox", lambda body: body["conversations"], lambda body: _inbox(body, head=77)),
    "a preference": ("inbox", lambda body: body["conversations"], lambda body: _inbox(body, notify="loud")),
    "a size": ("inbox", lambda body: body["conversations"], lambda body: _inbox(body, member_count=77)),
    "a last message": ("inbox", lambda body: body["conversations"], lambda body: _inbox(body, last_message=None)),
    "a conversation that is left out": (
        "inbox",
        lambda body: len(body["conversations"]) > 1 and body["next_cursor"] is None,
        lambda body: {**body, "conversations": body["conversations"][1:]},
    ),
    "more that is not there": ("page", lambda body: not body["has_more"], lambda body: {**body, "has_more": True}),
    "a message that is left out": (
        "page",
        lambda body: len(body["messages"]) > 1,
        lambda body: {**body, "messages": body["messages"][1:]},
    ),
    "other words": ("message", lambda _: True, lambda body: {**body, "content": "something else"}),
    "reactions": ("message", lambda _: True, lambda body: {**body, "reactions": {"x": ["mallory"]}}),
    "a role": (
        "members",
        lambda body: body["members"],
        lambda body: {"members": [{**body["members"][0], "role": "king"}, *body["members"][1:]]},
    ),
    "a block": ("get_blocks", lambda _: True, lambda _: {"blocks": ["mallory"]}),
    "a presence": (
        "presence",
        lambda body: body["users"],
        lambda body: {"users": [{**one, "status": "elsewhere"} for one in body["users"]]},
    ),
    "a file's status": ("get_file", lambda _: True, lambda body: {**body, "status": "lost"}),
}


@pytest.mark.parametrize("what", list(_FALSE))
def test_a_false_answer_is_objected_to(what: str) -> None:
    kind, holds, becomes = _FALSE[what]
    scenario = _scenario()
    operation = _answered(scenario, kind, holds)
    with _changed(operation, value=becomes(operation.value)):
        assert _findings(scenario)
    assert _findings(scenario) == []


@pytest.mark.parametrize("kind", ["edit", "react", "read", "rename", "block", "hide", "prefer", "remind", "register"])
def test_a_refusal_without_a_reason_is_objected_to(kind: str) -> None:
    operation = _answered(_scenario(), kind)
    with _changed(operation, outcome="fail", code="not_found", value=None):
        assert any("without a reason" in finding for finding in _findings(_scenario()))


@pytest.mark.parametrize("kind", ["block", "rename", "prefer", "register", "notify", "remind", "upload", "hide"])
def test_what_was_acked_and_is_not_stored_is_objected_to(kind: str) -> None:
    """As if it had been asked for before anything was."""
    operation = _answered(_scenario(), kind)
    with _changed(operation, began=-0.5, ended=-0.4):
        assert _findings(_scenario())


def test_a_change_that_nobody_has_asked_for_is_objected_to() -> None:
    scenario = _scenario()
    item = to_item({"pk": "user#carol", "sk": "block#dave", "since": 1})
    scenario.observed.writes.append((scenario.hub.now - 1.0, Written("members", item, None, item)))
    try:
        assert any("nobody asked for" in finding for finding in _findings(scenario))
    finally:
        scenario.observed.writes.pop()


def test_who_was_not_told_is_objected_to() -> None:
    """As if an invocation had answered without having posted."""
    scenario = _scenario()
    processes = [one.process for one in scenario.deployment.gateway.exchanges if one.frame["type"] == "message"]
    process = next(one for one in processes if one is not None and one.posted)
    before, process.posted = process.posted, []
    try:
        assert any("was not told" in finding for finding in _findings(scenario))
    finally:
        process.posted = before


def test_a_false_reply_is_objected_to() -> None:
    scenario = _scenario()
    replies = [
        one.reply for one in scenario.deployment.gateway.exchanges if one.is_done and one.frame["type"] == "message"
    ]
    data = next(reply["data"] for reply in replies if reply is not None)
    data["duplicate"] = not data["duplicate"]
    try:
        assert any("was acked with" in finding for finding in _findings(scenario))
    finally:
        data["duplicate"] = not data["duplicate"]


def test_an_event_that_leaves_something_out_is_objected_to() -> None:
    scenario = _scenario()
    events = [post.event for post in scenario.deployment.gateway.posts if post.event["type"] == "new_message"]
    message = next(event["message"] for event in events if event["message"].get("client_message_id"))
    name = message.pop("client_message_id")
    try:
        assert any("never was so" in finding for finding in _findings(scenario))
    finally:
        message["client_message_id"] = name


def test_a_sync_that_leaves_something_out_is_objected_to() -> None:
    scenario = _scenario()
    got = next(seqs for one in scenario.rounds for seqs in one.got.values() if seqs)
    last = got.pop()
    try:
        assert any("and got" in finding for finding in _findings(scenario))
    finally:
        got.append(last)
