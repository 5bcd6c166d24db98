"""All messages of a user taken away: everywhere, page by page, and once, however often a step comes."""

from __future__ import annotations

import pytest

import shared.operations.removals as module
from shared.adapters.dynamodb.schema import SK
from shared.domain.entries import Draft
from shared.domain.holds import Hold
from shared.domain.jobs import DONE, REMOVAL, STOPPED, Job
from shared.domain.screening import HeldPosition, Review, held_message
from shared.operations.jobs import begin_job
from tests.fakes import DM
from tests.harness import Harness
from tests.stores import MEMBERS

GROUP = "group:aaaaaaaaaaaaaaaa"


@pytest.fixture
def harness() -> Harness:
    """Bob has written five messages in two conversations, and has left one of these; alice three."""
    harness = Harness()
    stores = harness.stores
    stores.write("alice", "hers", "hers too")
    stores.write("bob", "one", "two", "three")
    stores.found(GROUP, "alice", "carol", name="a group that he has left")
    stores.write("bob", "four", "five", conversation_id=GROUP)
    stores.write("alice", "hers", conversation_id=GROUP)
    return harness


def begin(harness: Harness) -> Job:
    return begin_job(REMOVAL, "bob", by="mod", **harness.whole)


def latest(harness: Harness) -> Job:
    return harness.job_of(REMOVAL)


def work_off(harness: Harness) -> int:
    """Every step, each of them twice."""
    steps = 0
    while latest(harness).status not in {DONE, STOPPED}:
        task = latest(harness).next
        harness.carry_out(task)
        harness.carry_out(task)
        steps += 1
    return steps


def left_of(harness: Harness, user: str) -> int:
    entries = [*harness.stores.entries(DM), *harness.stores.entries(GROUP)]
    return sum(one.sender_id == user and one.is_readable for one in entries)


@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_all_are_taken_away_by_entries_and_nobody_elses(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(module, "MAX_REMOVED", at_once)
    begin(harness)
    steps = work_off(harness)
    assert (left_of(harness, "bob"), left_of(harness, "alice")) == (0, 3)
    assert latest(harness).counts["messages"] == 5
    assert steps >= 5 // at_once
    for place, deleted in ((DM, 3), (GROUP, 2)):
        entries = harness.stores.entries(place)
        assert [one.seq for one in entries] == list(range(1, len(entries) + 1))
        assert [one.sender_id for one in entries if one.kind == "message_deleted"] == ["mod"] * deleted


def test_once_more_finds_nothing_and_a_legal_hold_stops_it(harness: Harness) -> None:
    begin(harness)
    work_off(harness)
    begin(harness)
    work_off(harness)
    assert latest(harness).counts.get("messages", 0) == 0
    harness.stores.write("bob", "again")
    begin(harness)
    harness.stores.holds.put(Hold("bob", "a trial", 1, "root"))
    work_off(harness)
    assert (latest(harness).status, left_of(harness, "bob")) == (STOPPED, 1)


def test_hidden_messages_lose_what_they_say_without_an_entry(harness: Harness) -> None:
    (hidden,) = harness.stores.write("bob", "canaries", shadow=True)
    (hers,) = harness.stores.write("alice", "parrots", shadow=True)
    begin(harness)
    work_off(harness)
    entries = harness.stores.entries(DM)
    assert latest(harness).counts["messages"] == 6
    assert "canaries" not in str(entries[hidden.seq - 1])
    assert not entries[hidden.seq - 1].seen_by("bob").is_readable
    assert entries[hers.seq - 1].seen_by("alice").content == "parrots"
    assert sum(one.kind == "message_deleted" for one in entries) == 3


def test_what_is_held_goes_too_be_it_decided_or_not(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REMOVED", 2)
    waiting = [held_message(Draft(DM, user, "x", f"n{at}"), at=at, base_seq=1) for at, user in enumerate(("bob",) * 5)]
    hers = held_message(Draft(DM, "alice", "hers", "n9"), at=9, base_seq=1)
    for one in (*waiting, hers):
        harness.stores.held.put(one)
    harness.stores.held.decide(waiting[0].held_id, Review("reject", "mod", 5))
    begin(harness)
    work_off(harness)
    assert latest(harness).counts["messages"] == 5 + 5
    assert [harness.stores.held.get(one.held_id) for one in waiting] == [None] * 5
    assert harness.stores.held.waiting(after=HeldPosition(0), limit=10) == [hers]
    listed = sorted(row[SK] for row in harness.stores.rows(MEMBERS) if "held_id" in row and SK in row)
    assert listed == sorted([f"{9:016}#{hers.held_id}", "held", f"held#{9:016}#{hers.held_id}"])
