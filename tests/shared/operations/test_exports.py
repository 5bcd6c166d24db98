"""An export has all that is the user's, and nothing that is others' or secret; it survives whatever comes twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from shared.clock import DAY_MS
from shared.domain.changes import Edited, Reacted, Updated, as_json
from shared.domain.devices import FCM, PushTarget
from shared.domain.entries import Draft
from shared.domain.jobs import DONE, EXPORT, OWN_EXPORT, RUNNING, Job
from shared.domain.notifications import Notification, Reminder
from shared.domain.screening import held_message
from shared.errors import Forbidden, NotFound, RateLimited, Unavailable
from shared.operations.jobs import begin_job
from shared.operations.reports import NewReport, make_report
from shared.operations.rights import STUCK_MS, begin_own_export, own_export_of
from shared.operations.users import put_user
from shared.ports.jobs import MEMBERS
from tests.fakes import DM
from tests.harness import Harness
from tests.wiring import make_context

GROUP = "group:aaaaaaaaaaaaaaaa"
LEFT = "group:bbbbbbbbbbbbbbbb"


def furnished() -> Harness:
    """Bob in every store, and others beside him."""
    harness = Harness()
    harness.archive.objects = harness.objects
    stores = harness.stores
    stores.ready_file("cat", "bob")
    stores.ready_file("dog", "alice")
    harness.objects.kept |= {"cat": b"meow", "dog": b"woof"}
    stores.write("alice", "alices words")
    stores.write("bob", "bobs words", file_id="cat", message_type="image", data='{"order": 7}')
    stores.found(GROUP, "alice", "bob", name="alices group")
    stores.write("bob", "in the group", conversation_id=GROUP)
    stores.change(Reacted(1, "👍", removed=False), by="bob")
    stores.found(LEFT, "alice", name="another")
    stores.write("bob", "from before he left", conversation_id=LEFT)
    put_user("bob", {"name": "Bob Builder", "data": {"team": 7}}, **harness.whole)
    stores.know("bob", "carol")
    stores.blocks.put("bob", "dave", now=1)
    stores.device("bob", "phone", PushTarget(FCM, "bobs secret token"))
    stores.notifications.put([Notification("n1", "bob", "system", 1, harness.clock() + 1_000, "told to bob", "body")])
    stores.reminders.put(Reminder("r1", "bob", DM, 1, harness.clock() + 1_000, 1))
    stores.connect("bob", "bob1", at=1)
    return harness


def begin(harness: Harness) -> Job:
    return begin_job(EXPORT, "bob", by="root", **harness.whole)


def run(harness: Harness, user_id: str = "bob") -> Job:
    harness.carry_out_all()
    return harness.job_of(EXPORT, user_id)


def lines(harness: Harness) -> list[dict[str, Any]]:
    parts = sorted((name, data) for (_, name), data in harness.archive.stored.items() if name.startswith("part-"))
    return [json.loads(line) for _, data in parts for line in data.decode().splitlines()]


def of_kind(found: Iterable[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [line for line in found if line["type"] == kind]


def test_all_that_is_the_users_is_in_it() -> None:
    harness = furnished()
    begin(harness)
    assert run(harness).status == DONE
    found = lines(harness)
    assert Counter(line["type"] for line in found) == {
        **dict.fromkeys(("export", "record", "profile", "contact", "block", "devices", "notification"), 1),
        **dict.fromkeys(("reminder", "usage", "file", "session", "end"), 1),
        "membership": 2,
        "message": 3,
        "change": 1,
        "own_change": 1,
    }
    assert found[0]["type"] == "export"
    assert found[-1] == {"type": "end", "lines": len(found), "files": 1}
    assert {line["content"] for line in of_kind(found, "message")} == {
        "bobs words",
        "in the group",
        "from before he left",
    }
    (file,) = of_kind(found, "file")
    (kept,) = [data for (_, name), data in harness.archive.stored.items() if name == file["object"]]
    assert (file["file_id"], kept) == ("cat", b"meow")
    (with_data,) = [line for line in of_kind(found, "message") if "data" in line]
    assert with_data["data"] == {"order": 7}


@pytest.mark.parametrize("foreign", ["alices words", "secret token", "woof", "dog"])
def test_nothing_is_in_it_that_is_others_or_secret(foreign: str) -> None:
    harness = furnished()
    begin(harness)
    run(harness)
    assert foreign.encode() not in b"".join(harness.archive.stored.values())


def test_a_step_that_comes_twice_changes_nothing() -> None:
    once, twice = furnished(), furnished()
    begin(once)
    run(once)
    begin(twice)
    while twice.jobs.steps:
        task = twice.jobs.steps.pop(0)
        twice.carry_out(task)
        twice.carry_out(task)
        twice.jobs.steps[:] = list(dict.fromkeys(twice.jobs.steps))
    assert lines(twice) == lines(once)


def test_a_step_that_died_before_it_was_stored_is_taken_again() -> None:
    harness = furnished()
    begin(harness)
    (task,) = harness.jobs.steps
    harness.jobs.steps.clear()
    harness.stores.calls.fail("'step'")
    with pytest.raises(Unavailable):
        harness.carry_out(task)
    harness.stores.calls.let_through()
    harness.jobs.steps.append(task)
    run(harness)
    assert lines(harness)[-1]["lines"] == len(lines(harness))


def test_while_one_is_made_another_request_resumes_it_and_afterwards_it_begins_anew() -> None:
    harness = furnished()
    first = begin(harness)
    harness.jobs.steps.clear()  # lost
    assert begin(harness).job_id == first.job_id
    assert run(harness).status == DONE
    again = begin(harness)
    assert again.job_id != first.job_id
    harness.carry_out(first.next)  # an old step
    assert harness.stores.jobs.get(EXPORT, "bob") == again


def test_two_requests_at_once_begin_one() -> None:
    harness = furnished()
    jobs: list[Job] = []

    def other_is_quicker() -> str:
        if not jobs:
            jobs.append(Job(EXPORT, "bob", "quicker", "root", created_at=1, updated_at=1))
            assert harness.stores.jobs.begin(jobs[0])
        return "slower"

    context = replace(make_context(harness.clock, harness.nonces), new_secret=other_is_quicker)
    job = begin_job(EXPORT, "bob", by="root", **{**harness.whole, "context": context})
    assert job == jobs[0]
    assert run(harness).status == DONE


def test_a_user_of_whom_nothing_is_known_has_two_lines() -> None:
    harness = furnished()
    begin_job(EXPORT, "nobody", by="root", **harness.whole)
    run(harness, "nobody")
    assert [line["type"] for line in lines(harness)] == ["export", "end"]


@pytest.mark.parametrize("user", ["user", "message", "dm", "group", "conversation", "text", "profile", "1"])
def test_ids_that_are_words_of_ours_find_nothing_of_others(user: str) -> None:
    harness = furnished()
    begin_job(EXPORT, user, by="root", **harness.whole)
    run(harness, user)
    assert [line["type"] for line in lines(harness)] == ["export", "end"]


def test_a_walk_finds_rows_of_kinds_that_it_does_not_know() -> None:
    harness = furnished()
    harness.stores.edit("members", {"pk": "novelty#7", "sk": "row"}, whose=["bob"])
    harness.stores.edit("members", {"pk": "user#bob", "sk": "novelty"}, text="kept of bob")
    begin(harness)
    run(harness)
    page = harness.stores.walks.page(MEMBERS, "bob", after=None)
    assert {"pk": "novelty#7", "sk": "row"} in [one.key for one in page.found]
    assert of_kind(lines(harness), "other") == [{"type": "other", "row": "novelty", "text": "kept of bob"}]


def begin_own(harness: Harness, user_id: str = "bob") -> Job:
    return begin_own_export(user_id, admit=lambda: None, **harness.whole)


def test_a_user_exports_their_own_as_an_administrator_would() -> None:
    by_admin, own = furnished(), furnished()
    begin(by_admin)
    run(by_admin)
    begin_own(own)
    own.carry_out_all()
    assert own_export_of("bob", stores=own.stores).status == DONE
    assert lines(own)[1:] == lines(by_admin)[1:]


def test_one_of_their_own_at_a_time_and_one_a_day() -> None:
    harness = furnished()
    first = begin_own(harness)
    assert begin_own(harness) == first
    assert len(harness.jobs.steps) == 1
    harness.carry_out_all()
    harness.clock.advance(DAY_MS - 1_000)
    with pytest.raises(RateLimited) as refused:
        begin_own(harness)
    assert 0 < (refused.value.retry_after_ms or 0) <= 1_000
    harness.clock.advance(1_000)
    assert begin_own(harness).job_id != first.job_id


def test_one_that_is_stuck_is_resumed_once_however_often_they_ask() -> None:
    harness = furnished()
    begin_own(harness)
    harness.jobs.steps.clear()  # lost
    harness.clock.advance(STUCK_MS)
    for _ in range(3):
        assert begin_own(harness).status == RUNNING
    assert len(harness.jobs.steps) == 1
    harness.carry_out_all()
    assert own_export_of("bob", stores=harness.stores).status == DONE


def test_two_of_their_requests_at_once_begin_one() -> None:
    harness = furnished()
    jobs = []
    other = begin_own_export("bob", admit=lambda: jobs.append(begin_own(harness)), **harness.whole)
    assert jobs == [other]
    assert len(harness.jobs.steps) == 1


def test_those_of_administrators_are_another_matter() -> None:
    harness = furnished()
    begin(harness)
    with pytest.raises(NotFound):
        own_export_of("bob", stores=harness.stores)
    assert begin_own(harness).job_id != harness.job_of(EXPORT, "bob").job_id
    assert harness.stores.jobs.get(OWN_EXPORT, "alice") is None


def test_what_is_not_admitted_is_not_begun() -> None:
    harness = furnished()

    def refuse() -> None:
        raise RateLimited

    with pytest.raises(RateLimited):
        begin_own_export("bob", admit=refuse, **harness.whole)
    assert harness.stores.jobs.get(OWN_EXPORT, "bob") is None


def test_who_is_deactivated_exports_nothing() -> None:
    harness = furnished()
    begin_own(harness)
    put_user("bob", {"deactivated": True}, **harness.whole)
    with pytest.raises(Forbidden):
        begin_own(harness)
    with pytest.raises(Forbidden):
        own_export_of("bob", stores=harness.stores)


def test_what_they_reported_and_what_waits_for_a_moderator_is_in_it() -> None:
    harness = furnished()
    report = NewReport(reporter="bob", reason="spam", comment="again", user_id="alice")
    make_report(report, admit=lambda _: None, shown=str, stores=harness.stores, context=harness.context)
    draft = Draft(DM, "bob", "waits", "n", client_message_id="h", data='{"x": 1}', shadow=True)
    harness.stores.held.put(held_message(draft, at=5, base_seq=1))
    begin_own(harness)
    harness.carry_out_all()
    (made,), (held,) = of_kind(lines(harness), "report"), of_kind(lines(harness), "held_message")
    assert (made["user_id"], made["reason"], made["comment"]) == ("alice", "spam", "again")
    assert (held["conversation_id"], held["content"], held["created_at"], held["data"]) == (DM, "waits", 5, {"x": 1})
    assert "shadow" not in held
    assert of_kind(lines(harness), "other") == []


def test_what_is_an_object_is_one_in_it() -> None:
    harness = furnished()
    harness.stores.change(Updated(as_json({"data": {"room": 1}})), by="bob")
    harness.stores.change(Edited(2, "now", data='{"order": 8}'), by="bob")
    begin_own(harness)
    harness.carry_out_all()
    found = lines(harness)
    (record,), (own,) = of_kind(found, "record"), of_kind(found, "own_change")
    assert record["data"] == {"team": 7}
    assert own["value"] == {"display_name": "Bob Builder", "data": {"team": 7}}
    (described,) = [line for line in of_kind(found, "change") if line["kind"] == "conversation_updated"]
    assert described["said"] == {"data": {"room": 1}}
    (edited,) = [line for line in of_kind(found, "change") if line["kind"] == "message_edited"]
    assert edited["data"] == {"order": 8}


def test_that_others_have_reported_them_is_not_in_it() -> None:
    harness = furnished()
    report = NewReport(reporter="alice", reason="spam", user_id="bob")
    make_report(report, admit=lambda _: None, shown=str, stores=harness.stores, context=harness.context)
    begin_own(harness)
    harness.carry_out_all()
    assert b"report" not in b"".join(harness.archive.stored.values())
