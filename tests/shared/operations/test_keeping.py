"""A conversation's own rule for how long it is kept: for what is sent from then on, and for all that is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.dynamodb.jobs import DynamoDbJobs
from shared.clock import DAY_MS, SECOND_MS
from shared.domain.changes import Edited, Updated
from shared.domain.jobs import DONE, KEEPING, Job
from shared.domain.retention import Retention, Trimming
from shared.errors import Forbidden, NotAMember, NotFound, SyncRequired
from shared.operations import keeping
from shared.operations.channels import NewChannel, create_channel, join
from shared.operations.conversations import summary_of
from shared.operations.descriptions import Update, update
from shared.operations.files import file_for, sweep
from shared.operations.history import Span, history, read_message
from shared.operations.imports import Line, MessageLine, import_lines
from shared.operations.jobs import advance
from shared.operations.sync import Catching, is_behind, sync
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, found_group
from tests.shared.operations.test_retention import Trimmed, trimmed
from tests.stores import LOG, MEMBERS, simulated

PLACES = [DM, GROUP]


class Kept(Trimmed):
    def rule(self, days: int | None, place: str = DM, *, by: str = "alice") -> None:
        update(Update(place, {"retention_days": days}, by, is_server=True), **self.whole)

    def rows(self, place: str = DM) -> list[dict[str, Any]]:
        return [dict(row) for row in self.stores.rows(LOG, conversation_id=place)]

    def shown(self, place: str = DM) -> tuple[list[int], int]:
        page = self.page(place=place)
        return [entry.seq for entry in page.messages][::-1], page.trimmed_below


def kept(**days: int) -> Kept:
    made = trimmed(**{"private_days": 0, "group_days": 0, "channel_days": 0, **days})
    return Kept(stores=made.stores, clock=made.clock)


def written(place: str = DM, **days: int) -> Kept:
    """Messages of days 0 to 4: 1 to 5 of a private conversation, 2 to 6 of a group."""
    made = kept(**days)
    if place == GROUP:
        found_group(made.stores, "alice", "bob")
    made.written(0, 1, 1, 1, 1, place=place)
    return made


@pytest.mark.parametrize("place", PLACES)
def test_a_rule_counts_for_what_is_there_and_for_what_comes(place: str) -> None:
    made = written(place)
    first = made.entries(place)[-5].seq
    made.rule(3, place)
    made.settle(place)
    assert made.shown(place)[0] == list(range(first + 2, first + 5))
    made.pass_days(2)
    assert made.shown(place)[0] == [first + 4]
    made.written(0.5, place=place)  # type: ignore[arg-type]
    made.pass_days(2.9)
    assert made.shown(place) == ([first + 6], first + 6)
    assert summary_of(place, user_id="bob", stores=made.stores).retention_days == 3


@pytest.mark.parametrize("is_reaped", [False, True])
def test_rows_go_some_days_later_and_no_reader_finds_a_gap(is_reaped: bool) -> None:
    made = written()
    made.move("read", 2)
    made.move("read", 2, "alice")
    made.rule(3)
    made.settle()
    assert not any(row.get("ttl", made.clock.ms) * SECOND_MS < made.clock.ms + DAY_MS for row in made.rows())
    made.pass_days(3.5)
    if is_reaped:
        made.reap()
        assert [row["seq"] for row in made.rows()] == [1, 5, 6]
    for held in (0, 1, 2, 3):
        one = made.synced(held)
        assert ([entry.seq for entry in one.entries], one.trimmed_below) == ([6], 6)
    assert made.synced(5).trimmed_below == 0
    with pytest.raises(SyncRequired):
        made.send("late", after=2, client_message_id="late")
    assert made.move("read", 3) == (2 if is_reaped else 3)
    with pytest.raises(NotFound):
        read_message(DM, 3, user_id="bob", stores=made.stores)


def test_many_that_were_away_hear_what_is_new_though_what_they_held_is_gone() -> None:
    made = kept()
    others = [f"user{number:02}" for number in range(12)]
    places = [":".join(["dm", *sorted(["alice", other])]) for other in others]
    for other, place in zip(others, places, strict=True):
        for _ in range(4):
            made.send("hi", sender_id="alice", to=other)
        made.settle(place)
        made.move("read", 2, "alice", place=place)
        made.rule(1, place)
    made.pass_days(5)
    for number, place in enumerate(places):
        made.reap(place=place)
        if number % 2:
            made.send("new", sender_id="alice", conversation_id=place)
    held = dict.fromkeys(places, 2)
    found = sync(Catching("alice", held), size=lambda _: 20, stores=made.stores, services=made.services)
    assert {one.conversation_id: one.head for one in found.conversations} == {
        place: 6 if number % 2 else 5 for number, place in enumerate(places)
    }
    heads = sync(Catching("alice", {}), size=lambda _: 20, stores=made.stores, services=made.services)
    assert {one.conversation_id: one.head for one in heads.conversations} == {
        place: 6 if number % 2 else 5 for number, place in enumerate(places)
    }


def test_more_days_keep_what_has_not_ended_and_bring_nothing_back() -> None:
    made = written()
    made.rule(3)
    made.settle()
    assert made.shown() == ([3, 4, 5], 3)
    made.rule(100)
    made.settle()
    made.pass_days(50)
    made.reap()
    assert made.shown() == ([3, 4, 5], 3)
    made.rule(None)
    made.settle()
    made.pass_days(500)
    made.reap()
    assert made.shown() == ([3, 4, 5], 3)
    assert summary_of(DM, user_id="bob", stores=made.stores).retention_days is None
    assert made.send("again").entry.seq == 9


@pytest.mark.parametrize("off_ms", [0, 1, 500, 999])
def test_what_has_ended_in_this_second_stays_so_with_more_days(off_ms: int) -> None:
    made = kept(private_days=1)
    made.clock.ms = made.clock.ms // SECOND_MS * SECOND_MS + 250
    for text in ("one", "two"):
        made.send(text)
    made.clock.ms += DAY_MS + off_ms
    assert made.shown()[0] == []
    made.rule(2)
    made.rule(100)
    assert made.shown() == ([], 3)


def test_taken_away_the_rule_of_the_kind_holds_again() -> None:
    made = written(private_days=30)
    made.rule(100)
    made.settle()
    made.pass_days(40)
    assert made.shown()[0] == [1, 2, 3, 4, 5]
    made.rule(None)
    made.settle()
    assert made.shown() == ([], 7)
    made.written(0, 10)
    made.pass_days(25)
    assert made.shown() == ([9], 9)


@pytest.mark.parametrize("days", [20, 60])
def test_a_rule_of_its_own_counts_whatever_its_kind_has(days: int) -> None:
    made = written(private_days=30)
    made.rule(days)
    made.settle()
    made.pass_days(days - 2.5)
    assert made.shown()[0] == [3, 4, 5]


@pytest.mark.parametrize("died", range(1, 12))
@pytest.mark.parametrize("first", [2, 100])
def test_whatever_dies_in_between_what_has_ended_is_the_beginning(
    died: int, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step ends after so many rows; then the other rule comes, and nobody sees a gap at any time."""
    monkeypatch.setattr(keeping, "MAX_KEPT", 2)
    made = written()
    made.rule(10)
    made.settle()
    rule = first
    made.clock.ms += 1
    monkeypatch.setattr(keeping, "_AT_ONCE", 0)
    made.rule(rule)
    job = Job(KEEPING, DM, "j", "", 0, 0)
    for _ in range(died):
        job = keeping.keeping_step(job, stores=made.stores, context=made.context)
        shown, below = made.shown()
        assert shown == list(range(shown[0], 6)) if shown else True
        assert below in {0, shown[0] if shown else 6}
    made.rule(102 - first)
    for _ in range(20):
        job = keeping.keeping_step(job, stores=made.stores, context=made.context)
    assert job.status == DONE
    rows = made.rows()
    assert {row.get("keep_seq") for row in rows} == {7 if len(rows) == 7 else 8}
    assert {row.get("keep_days") for row in rows} == {102 - first}


def test_a_job_does_what_the_request_did_not_and_does_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MAX_KEPT", 2)
    monkeypatch.setattr(keeping, "_AT_ONCE", 1)
    made = written()
    made.rule(3)
    assert made.shown()[0] == [3, 4, 5]
    assert [row.get("keep_days") for row in made.rows()] == [3, 3, None, None, None, 3]
    parts: dict[str, Any] = {"stores": made.stores, "services": made.push_services, "context": made.context}
    keeping.begin_keeping(DM, **parts)
    for step in made.jobs.steps:  # grows as it goes
        advance(step, **parts)
    job = made.stores.jobs.get(KEEPING, DM)
    assert job is not None
    assert (job.status, job.counts["rows"]) == (DONE, 10)
    assert {row.get("keep_days") for row in made.rows()} == {3}
    assert all(row["may_end"] for row in made.stores.rows(MEMBERS) if row["sk"] == f"conversation#{DM}")


def test_a_job_that_begins_anew_ends_the_one_before() -> None:
    made = written()
    parts: dict[str, Any] = {"stores": made.stores, "services": made.push_services, "context": made.context}
    keeping.begin_keeping(DM, **parts)
    keeping.begin_keeping(DM, **replace_secret(parts))
    first, second = made.jobs.steps
    advance(first, **parts)
    assert len(made.jobs.steps) == 2
    advance(second, **parts)
    assert len(made.jobs.steps) == 3


def test_a_job_goes_on_though_the_answer_to_its_step_was_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The call is made again by itself, and finds as stored what it has stored."""
    made = written()
    parts: dict[str, Any] = {"stores": made.stores, "services": made.push_services, "context": made.context}
    keeping.begin_keeping(DM, **parts)
    save = DynamoDbJobs.save
    monkeypatch.setattr(DynamoDbJobs, "save", lambda self, job: save(self, job) and save(self, job))
    advance(made.jobs.steps[0], **parts)
    assert [one.step for one in made.jobs.steps] == [0, 1]


def replace_secret(parts: dict[str, Any]) -> dict[str, Any]:
    return {**parts, "context": replace(parts["context"], new_secret=lambda: "another")}


def test_of_an_empty_conversation_nothing_is_kept_anew() -> None:
    made = kept()
    job = keeping.keeping_step(Job(KEEPING, DM, "j", "", 0, 0), stores=made.stores, context=made.context)
    assert job.status == DONE


def test_who_may_set_it() -> None:
    made = written(GROUP)
    made.add("carol")
    for days in (3, None):
        with pytest.raises(Forbidden):
            update(Update(GROUP, {"retention_days": days}, "bob"), **made.whole)
    with pytest.raises(NotAMember):
        update(Update(GROUP, {"retention_days": 3}, "mallory", is_server=True), **made.whole)
    update(Update(GROUP, {"retention_days": 3}, "bob", is_server=True), **made.whole)
    with pytest.raises(Forbidden):  # an administrator's right to this is none to the rest
        update(Update(GROUP, {"retention_days": 4, "name": "ours"}, "bob", is_server=True), **made.whole)
    update(Update(GROUP, {"retention_days": 4}, "alice"), **made.whole)
    private = written()
    with pytest.raises(Forbidden):
        update(Update(DM, {"retention_days": 3}, "alice"), **private.whole)
    update(Update(DM, {"retention_days": 3, "data": {"a": 1}}, "alice", is_server=True), **private.whole)
    assert private.at(6).change == Updated('{"data":{"a":1}}', None, 3)


def test_it_is_an_entry_of_the_log_and_once_only() -> None:
    made = written(GROUP)
    made.connect("alice", "bob")
    made.rule(3, GROUP)
    made.rule(3, GROUP)
    made.rule(None, GROUP)
    made.rule(None, GROUP)
    changes = [entry.change for entry in made.entries(GROUP) if isinstance(entry.change, Updated)]
    assert changes == [Updated("{}", None, 3), Updated("{}", None, 0)]
    posted = [event["changes"] for event in made.events("bob1") if event["type"] == "conversation_updated"]
    assert posted == [{"retention_days": 3}, {"retention_days": None}]


def test_it_may_be_the_first_entry_of_a_private_conversation() -> None:
    made = kept()
    made.stores.memberships.create(DM, ["alice"], joined_at=1)
    made.rule(1)
    assert made.send("hi").entry.seq == 2
    made.send("hi")
    made.settle()
    made.pass_days(3)
    made.reap()
    made.written(0, 0)
    assert made.synced(1).trimmed_below == 4
    assert all(row["may_end"] for row in made.stores.rows(MEMBERS) if row["sk"] == f"conversation#{DM}")


def test_an_edit_from_before_the_rule_shows_nothing_of_a_message_that_has_ended() -> None:
    made = kept()
    made.send("one")
    made.pass_days(5)
    made.edit(1, "secret")
    made.rule(3)
    (edit,) = [entry for entry in made.synced(1).entries if isinstance(entry.change, Edited)]
    assert isinstance(edit.change, Edited)
    assert edit.change.content is None


def test_history_from_elsewhere_ends_by_its_own_times_and_its_rows_stay_for_a_day() -> None:
    made = kept()
    made.send("hi")
    made.rule(30)
    start = made.clock.ms
    made.clock.ms += 100 * DAY_MS
    other = "dm:alice:carol"
    lines: list[Line] = [
        MessageLine(f"m{day}", "carol", start + day * DAY_MS, "old", conversation_id=other) for day in range(5)
    ]
    import_lines(lines, stores=made.stores, context=made.context)
    made.settle(other)
    made.rule(99, other)
    made.settle(other)
    page = history(other, Span(50), user_id="alice", stores=made.stores)
    assert ([entry.seq for entry in page.messages], page.trimmed_below) == ([5, 4, 3], 3)
    assert all(
        row.get("ttl", made.clock.ms) * SECOND_MS >= made.clock.ms + DAY_MS
        for row in made.rows(other)
        if row["seq"] < 3 and "ttl" in row
    )
    lines = [MessageLine(f"n{day}", "carol", start + day * DAY_MS, "old", conversation_id=DM) for day in range(3)]
    import_lines(lines, stores=made.stores, context=made.context)
    made.settle()
    assert made.shown()[0] == []  # behind what is younger, but that has ended as well


def test_files_of_what_has_ended_are_let_go_and_kept_again() -> None:
    made = kept()
    made.stores.ready_file("f1", "alice")
    made.send("", file_id="f1", message_type="image")
    made.send("next")
    made.settle()
    made.rule(3)
    made.rule(30)
    made.pass_days(10)
    due = made.stores.files.due(made.clock.ms, limit=10)
    assert due
    assert not any(sweep(one, files=made.stores.files, objects=made.objects, now=made.clock.ms) for one in due)
    assert file_for("bob", "f1", stores=made.stores).file_id == "f1"
    made.pass_days(20)
    with pytest.raises(NotFound):
        file_for("bob", "f1", stores=made.stores)
    made.pass_days(2)
    due = made.stores.files.due(made.clock.ms, limit=10)
    assert all(sweep(one, files=made.stores.files, objects=made.objects, now=made.clock.ms) for one in due)
    assert [row["sk"] for row in made.stores.rows(MEMBERS, pk="file#f1")] == ["file"]


def test_a_file_of_the_last_message_ends_with_it() -> None:
    made = kept()
    made.send("hi")
    made.rule(3)
    made.stores.ready_file("f1", "alice")
    made.send("", file_id="f1", message_type="image")
    made.settle()
    made.pass_days(4)
    with pytest.raises(NotFound):
        file_for("bob", "f1", stores=made.stores)


def test_a_resend_is_told_though_its_row_is_gone() -> None:
    made = kept()
    first = made.send("one", client_message_id="m")
    made.send("two")
    made.send("three")
    made.rule(1)
    made.settle()
    made.pass_days(3)
    made.reap()
    assert (made.send("one", client_message_id="m").entry.seq, first.entry.seq) == (1, 1)
    second = made.send("x", client_message_id="n")
    made.send("y")
    made.settle()
    made.pass_days(3)
    made.reap()
    again = made.send("x", client_message_id="n")
    assert (again.duplicate, again.entry.seq) == (True, second.entry.seq)


def test_members_of_channels_and_of_groups_know_that_entries_may_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MAX_KEPT", 2)
    monkeypatch.setattr(keeping, "_AT_ONCE", 100)
    made = kept()
    channel = create_channel(NewChannel("alice", "news", "open"), **made.whole).conversation_id
    group = found_group(made.stores, "alice", *(f"m{number}" for number in range(5)))
    readers = [f"user{number}" for number in range(30)]
    for user in readers:
        join(channel, user, by=user, stores=made.stores, context=made.context)
    for place in (channel, group):
        made.rule(2, place)
    join(channel, "late", by="late", stores=made.stores, context=made.context)
    made.add("late", place=group)
    rows = [
        row for row in made.stores.rows(MEMBERS) if row["sk"] in {f"conversation#{channel}", f"conversation#{group}"}
    ]
    assert len(rows) == 32 + 7
    assert all(row["may_end"] for row in rows)


def test_ping_finds_what_is_behind_what_is_gone() -> None:
    made = written(GROUP)
    made.rule(1, GROUP)
    made.pass_days(3)
    made.settle(GROUP)
    made.written(0, 0, place=GROUP)
    made.reap(place=GROUP)
    assert is_behind(GROUP, 3, user_id="bob", stores=made.stores)


def test_a_deployment_that_takes_its_rules_away_leaves_conversations_theirs() -> None:
    made = written(private_days=10)
    made.rule(3)
    made.settle()
    log = simulated(made.stores, trimming=Trimming(Retention(), lambda: made.clock.ms)).log
    made.stores = replace(made.stores, log=log)
    assert made.shown() == ([3, 4, 5], 3)


def test_where_there_is_no_rule_no_row_says_anything_of_it() -> None:
    made = written()
    marks = {"keep_days", "keep_seq", "may_end", "ends", "ttl"}
    rows = [*made.stores.rows(LOG), *made.stores.rows(MEMBERS)]
    assert not [row for row in rows if marks & row.keys() and not str(row.get("pk")).startswith(("sent", "turn"))]
