"""An erasure takes away all that is a user's, tells everybody, leaves logs without a gap, and says what is left."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from shared.adapters.dynamodb.schema import PK
from shared.adapters.dynamodb.screening import DynamoDbVerdicts
from shared.domain.changes import OPEN, Deleted, Edited, OwnChanged, Reacted, Updated, as_json
from shared.domain.devices import FCM, PushTarget
from shared.domain.entries import Draft
from shared.domain.holds import Hold
from shared.domain.jobs import DONE, ERASURE, EXPORT, STOPPED, Job
from shared.domain.joining import JoinRequest
from shared.domain.notifications import Notification, Reminder
from shared.domain.reports import Report
from shared.domain.screening import Verdict, held_message, named
from shared.domain.shadows import ShadowBan
from shared.domain.users import User
from shared.errors import Unavailable
from shared.operations.channels import NewChannel, create_channel, join, set_writer
from shared.operations.contacts import block_user, request_contact
from shared.operations.forgetting import forget_record
from shared.operations.groups import SetRole
from shared.operations.jobs import begin_job
from shared.operations.users import put_user, update_own
from tests.fakes import DM
from tests.harness import Harness
from tests.stores import LOG, MEMBERS, SESSIONS
from tests.wiring import make_context

GROUP = "group:aaaaaaaaaaaaaaaa"
LEFT = "group:bbbbbbbbbbbbbbbb"
ALONE = "group:cccccccccccccccc"
MARK = "marked7"


def furnished() -> Harness:
    """Bob has left his mark wherever users leave something."""
    harness = Harness()
    stores = harness.stores
    for number in range(3):
        stores.ready_file(f"file{number}", "bob", name=f"{MARK}.png")
        harness.objects.kept[f"file{number}"] = MARK.encode()
    harness.objects.thumbnails["file0"] = MARK.encode()
    stores.write("alice", "alices words", mentions=("bob", "carol"))
    stores.write("bob", f"{MARK} one", file_id="file0", message_type="image", data=f'{{"x": "{MARK}"}}')
    stores.write("bob", f"{MARK} edited")
    stores.change(Edited(3, f"{MARK} again"), by="bob")
    stores.change(Reacted(1, "👍", removed=False), by="bob")
    stores.found(GROUP, "bob", "alice", "carol", name="bobs group")
    stores.write("bob", f"{MARK} in the group", conversation_id=GROUP, file_id="file1", message_type="image")
    stores.write("alice", "hers", conversation_id=GROUP)
    stores.change(Reacted(3, "🎈", removed=False), place=GROUP, by="bob")
    stores.change(Updated(as_json({"members": {"bob": {"data": {"x": MARK}}}})), place=GROUP, by="alice")
    stores.change(Updated(as_json({"members": {"bob": {"data": {"y": MARK}}}})), by="bob")
    stores.change(Updated(as_json({"data": {"first": MARK}})), by="bob")
    stores.change(Updated(as_json({"data": {"x": MARK}})), by="bob")
    stores.found(LEFT, "alice", name="another")
    stores.write("bob", f"{MARK} from before he left", conversation_id=LEFT)
    stores.found(ALONE, "bob", name="his alone")
    put_user("bob", {"name": MARK, "data": {"x": MARK}, "role": MARK}, **harness.whole)
    stores.know("bob", "carol")
    stores.blocks.put("bob", "dave", now=1)
    stores.blocks.put("erin", "bob", now=1)
    name_own(harness)
    stores.device("bob", "phone", PushTarget(FCM, MARK))
    stores.notifications.put([Notification("n1", "bob", "system", 1, harness.clock() + 1_000, MARK, MARK)])
    stores.reminders.put(Reminder("r1", "bob", DM, 1, harness.clock() + 1_000, 1))
    stores.connect("bob", f"{MARK}bob", at=harness.clock())
    stores.watches.replace("alice", "a1", ["bob"], expires_at=harness.clock() + 1_000_000)
    stores.reports.put(Report("1" * 32, "alice", "bob", "spam", f"says {MARK}", 1, DM, 2, f'{{"content": "{MARK}"}}'))
    stores.reports.put(Report("2" * 32, "bob", "dave", "spam", MARK, 1))
    held = held_message(Draft(DM, "bob", f"{MARK} held", "n", client_message_id="h"), at=1, base_seq=1)
    stores.held.put(held)
    verdicts = DynamoDbVerdicts(stores.calls, members_table=MEMBERS)
    verdicts.claim(named(DM, "bob", "c1"), digest="d", nonce="n", until=1, now=1)
    verdicts.settle(named(DM, "bob", "c1"), Verdict("rewrite", content=MARK), nonce="n")
    stores.joins.request(JoinRequest(LEFT, "bob", 1))
    stores.shadow_bans.put(ShadowBan("bob", 1, "root", MARK[:-1]))
    harness.connect("alice")
    return harness


def name_own(harness: Harness) -> None:
    """Something in bob's own log, and something of bob in carol's."""
    update_own("bob", {"display_name": MARK, "groups_from": "contacts"}, **harness.whole)
    block_user("carol", "bob", **harness.whole)


def begin(harness: Harness) -> Job:
    return begin_job(ERASURE, "bob", by="root", **harness.whole)


def run(harness: Harness) -> Job:
    harness.carry_out_all()
    return harness.job_of(ERASURE)


def erased() -> Harness:
    harness = furnished()
    begin(harness)
    assert run(harness).status == DONE
    return harness


def everything(harness: Harness) -> str:
    stored = {table: harness.stores.tables.items(table) for table in (LOG, MEMBERS, SESSIONS)}
    return json.dumps([stored, str(harness.objects), str(harness.archive)], default=sorted)


def test_no_trace_is_left_of_what_the_user_said_set_and_uploaded() -> None:
    assert MARK in everything(furnished())
    harness = erased()
    found = everything(harness)
    at = found.find(MARK)
    assert at < 0, found[max(0, at - 300) : at + 50]
    assert harness.objects.kept == {}


def test_the_pin_of_a_message_goes_with_it() -> None:
    harness = furnished()
    harness.stores.change(Updated.of_pin(2, removed=False), by="alice")
    assert [one.seq for one in harness.stores.log.pins(DM)] == [2]
    begin(harness)
    run(harness)
    assert harness.stores.log.pins(DM) == []


@pytest.mark.parametrize("place", [DM, GROUP, LEFT])
def test_what_others_wrote_stays_and_logs_have_no_gap(place: str) -> None:
    before, after = furnished().stores.entries(place), erased().stores.entries(place)
    assert [entry.seq for entry in after] == list(range(1, len(after) + 1))
    kept = [entry.content for entry in before if entry.sender_id == "alice" and entry.content]
    assert [entry.content for entry in after if entry.content] == kept
    deleted = {entry.change.target for entry in after if isinstance(entry.change, Deleted)}
    assert deleted == {entry.seq for entry in before if entry.sender_id == "bob" and entry.is_message}


def test_the_other_member_is_told_at_once_and_large_and_small_groups_by_the_stream() -> None:
    harness = erased()
    told = [event for event in harness.events("alice1") if event["type"] == "message_deleted"]
    deleted = [entry.seq for entry in harness.stores.entries(DM) if isinstance(entry.change, Deleted)]
    assert [event["seq"] for event in told if event["conversation_id"] == DM] == deleted
    changes = [entry for entry in harness.stores.entries(GROUP) if isinstance(entry.change, Deleted | Reacted)]
    assert all(entry.fan_out for entry in changes[1:])


def test_reactions_and_mentions_of_the_user_go_from_others_messages() -> None:
    harness = erased()
    first = harness.stores.entries(DM)[0]
    assert (first.reactions, first.mentions) == (frozenset(), ("carol",))
    assert harness.stores.entries(GROUP)[2].reactions == frozenset()


def test_what_hangs_on_a_private_conversation_goes_if_the_user_hung_it_there() -> None:
    harness = erased()
    assert harness.stores.member("alice").about is None
    told = [event for event in harness.events("alice1") if event["type"] == "conversation_updated"]
    assert [event["changes"] for event in told if event["conversation_id"] == DM] == [{"data": None}]
    hers = furnished()
    hers.stores.change(Updated(as_json({"data": {"her": "own"}})), by="alice")
    begin(hers)
    run(hers)
    assert hers.stores.member("alice").about == '{"her":"own"}'


def test_what_was_hung_on_the_user_while_it_ran_is_found_by_the_last_look() -> None:
    harness = furnished()
    begin(harness)
    while not harness.job_of(ERASURE).phase.startswith("looking"):
        harness.carry_out(harness.jobs.steps.pop(0))
    entry = harness.stores.entries(GROUP)[0]
    late = Updated(as_json({"members": {"bob": {"data": {"x": MARK}}}}))
    harness.stores.overwrite(replace(entry, change=late))
    assert run(harness).counts["rounds"] == 2
    assert MARK not in everything(harness)


def test_the_user_is_in_no_group_and_the_last_owner_has_an_heir() -> None:
    harness = erased()
    assert harness.stores.memberships.of_user("bob") == []
    roster = harness.stores.memberships.roster(GROUP)
    assert roster is not None
    assert {user: seat.role for user, seat in roster.seats.items()} == {"alice": "owner", "carol": "member"}


@pytest.mark.parametrize(
    ("writers", "then"),
    [
        ({"bob": "owner", "dave": "admin", "carol": "admin"}, {"dave": "admin", "carol": "owner"}),
        ({"bob": "owner", "dave": "owner"}, {"dave": "owner"}),
        ({"bob": "owner"}, {}),
    ],
)
def test_of_a_channel_the_last_owners_place_goes_to_an_admin(writers: dict[str, str], then: dict[str, str]) -> None:
    harness = furnished()
    named = replace(harness.context, new_secret=lambda: "d" * 16)
    made = create_channel(NewChannel("bob", "News", OPEN), **{**harness.whole, "context": named})
    for user in ("carol", "dave"):
        join(made.conversation_id, user, by=user, stores=harness.stores, context=harness.context)
    for user, role in writers.items():
        if user != "bob":
            set_writer(SetRole(made.conversation_id, user, role, by="bob"), **harness.whole)  # type: ignore[arg-type]
    begin(harness)
    assert run(harness).status == DONE
    roster = harness.stores.memberships.roster(made.conversation_id)
    assert {user: seat.role for user, seat in (roster.seats if roster else {}).items()} == then
    assert harness.stores.memberships.get(made.conversation_id, "bob") is None


def test_devices_of_those_who_had_them_in_a_list_are_told_that_they_have_not() -> None:
    harness = acquainted()
    asked, blocks = "asked", "blocks"
    harness.stores.blocks.put("bob", asked, now=1)
    request_contact(asked, "bob", **harness.whole)  # on that side alone
    block_user(blocks, "bob", **harness.whole)
    begin(harness)
    assert run(harness).status == DONE
    told = {user: own_values(harness, user)[-1] for user in ("contact", asked, blocks)}
    assert told == {
        "contact": {"user_id": "bob", "contact": None},
        asked: {"user_id": "bob", "contact": None},
        blocks: {"user_id": "bob", "blocked": False},
    }
    assert [one["value"] for one in harness.events("contact1") if one["type"] == "user_changed"] == [told["contact"]]
    assert harness.stores.contacts.of("contact") == []
    assert harness.stores.blocks.of(blocks) == []
    assert "undone" not in harness.job_of(ERASURE).left


def own_values(harness: Harness, user: str) -> list[dict[str, Any]]:
    notes = [entry.change for entry in harness.stores.entries(f"user:{user}")]
    return [json.loads(note.value) for note in notes if isinstance(note, OwnChanged)]


def test_the_report_counts_every_row_in_which_the_id_stands() -> None:
    harness = erased()
    job = harness.job_of(ERASURE)
    assert "undone" not in job.left
    assert "other" not in job.left
    named = sum(
        "bob" in json.dumps(row, default=sorted) for table in (LOG, MEMBERS, SESSIONS) for row in rows(harness, table)
    )
    assert sum(job.left.values()) == named


def rows(harness: Harness, table: str) -> list[dict[str, Any]]:
    return harness.stores.tables.items(table)


def test_what_came_while_it_ran_is_taken_away_in_another_round() -> None:
    harness = furnished()
    begin(harness)
    while not harness.job_of(ERASURE).phase.startswith("looking"):
        harness.carry_out(harness.jobs.steps.pop(0))
    harness.stores.write("bob", f"{MARK} late")
    assert run(harness).status == DONE
    assert MARK not in everything(harness)


@pytest.mark.parametrize("every", [11, 23, 60])
def test_every_step_may_come_twice_and_die_anywhere(every: int) -> None:
    harness = furnished()
    begin(harness)
    made = count(1)
    failures = 0

    def before(_operation: str, _request: Any) -> None:
        if next(made) % every == 0:
            raise Unavailable

    while harness.jobs.steps:
        task = harness.jobs.steps.pop(0)
        harness.stores.calls.before = before
        for _ in range(2):
            try:
                harness.carry_out(task)
            except Unavailable:
                failures += 1
                harness.jobs.steps.append(task)
        harness.stores.calls.let_through()
        harness.jobs.steps[:] = list(dict.fromkeys(harness.jobs.steps))
    assert failures
    assert harness.job_of(ERASURE).status == DONE
    assert MARK not in everything(harness)
    for place in (DM, GROUP, LEFT):
        entries = harness.stores.entries(place)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


def test_a_hold_that_comes_meanwhile_stops_it_and_afterwards_it_can_be_begun_anew() -> None:
    harness = furnished()
    first = begin(harness)
    harness.carry_out(harness.jobs.steps.pop(0))
    harness.stores.holds.put(Hold("bob", "a trial", 1, "root"))
    assert run(harness).status == STOPPED
    assert f"{MARK} one" in {entry.content for entry in harness.stores.entries(DM)}
    harness.stores.holds.remove("bob")
    assert begin(harness).job_id != first.job_id
    assert run(harness).status == DONE


def test_an_export_that_was_made_before_stays_until_its_end() -> None:
    harness = furnished()
    harness.archive.objects = harness.objects
    begin_job(EXPORT, "bob", by="root", **harness.whole)
    harness.carry_out_all()
    begin(harness)
    assert run(harness).status == DONE
    assert MARK.encode() in b"".join(harness.archive.stored.values())


def test_a_hidden_message_that_was_deleted_loses_its_id_too() -> None:
    harness = furnished()
    (hidden,) = harness.stores.write("bob", MARK, shadow=True)
    harness.stores.log.empty_hidden(DM, hidden.seq)
    begin(harness)
    run(harness)
    assert harness.stores.entries(DM)[hidden.seq - 1].client_message_id is None


def test_what_was_held_leaves_no_place_among_those_that_wait() -> None:
    assert [row for row in erased().stores.rows(MEMBERS) if row[PK] == "holding"] == []


def acquainted() -> Harness:
    """Bob has a contact, a private conversation, a fellow, and somebody who watches him; each is there."""
    harness = Harness()
    put_user("bob", {"name": MARK, "avatar": "https://x.example.com/b.png"}, **harness.whole)
    harness.stores.know("bob", "contact")
    harness.stores.join("dm:bob:private", "bob", "private")
    harness.stores.found(GROUP, "fellow", "bob", "blocked")
    harness.stores.blocks.put("bob", "blocked", now=1)
    harness.connect("contact", "private", "fellow", "blocked", "stranger")
    return harness


def updates(harness: Harness) -> dict[str, list[dict[str, Any]]]:
    """What was told of bob's record, by connection."""
    there = ("contact1", "private1", "fellow1", "blocked1", "stranger1")
    found = {name: [one for one in harness.events(name) if one["type"] == "user_updated"] for name in there}
    return {name: told for name, told in found.items() if told}


def test_who_knows_the_user_is_told_to_forget_them_and_nothing_is_there_to_ask_for_by_then() -> None:
    harness = acquainted()
    begin_job(ERASURE, "bob", by="root", **harness.whole)
    (first,) = harness.jobs.steps
    harness.jobs.steps.clear()
    harness.carry_out(first)
    assert harness.stores.users.of(["bob"])["bob"] == User("bob")
    told = updates(harness)
    assert set(told) == {"contact1", "private1", "fellow1"}
    assert all(
        [(one["user_id"], one["version"], one["user"]["name"]) for one in each] == [("bob", 0, None)]
        for each in told.values()
    )
    harness.carry_out_all()
    assert harness.job_of(ERASURE, "bob").status == DONE


def test_who_watches_them_is_told_once() -> None:
    harness = acquainted()
    harness.stores.watches.replace("contact", "contact1", ["bob"], expires_at=harness.clock() + 1_000_000)
    begin_job(ERASURE, "bob", by="root", **harness.whole)
    harness.carry_out_all()
    assert len(updates(harness)["contact1"]) == 1


def test_a_step_that_died_in_between_tells_when_it_comes_again() -> None:
    harness = acquainted()
    begin_job(ERASURE, "bob", by="root", **harness.whole)
    (first,) = harness.jobs.steps
    harness.stores.calls.fail("'step'")
    with pytest.raises(Unavailable):
        harness.carry_out(first)
    harness.stores.calls.let_through()
    harness.carry_out_all()
    assert len(updates(harness)["contact1"]) == 2


def test_where_nobody_may_read_of_users_nothing_is_told_of_them() -> None:
    harness = acquainted()
    forget_record(
        "bob",
        stores=harness.stores,
        services=harness.push_services,
        context=make_context(harness.clock, harness.nonces, users_visible="nobody"),
    )
    assert harness.stores.users.of(["bob"])["bob"] == User("bob")
    assert updates(harness) == {}
