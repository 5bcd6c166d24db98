"""What the team's backend is told about users: every change once it is answered, numbered, the last word last."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.aws.event_queues import errand_from
from shared.domain.bans import FOREVER, Ban
from shared.domain.files import READY
from shared.domain.reports import Decision
from shared.domain.shadows import ShadowBan
from shared.domain.text import about_log_id, receipts_id, told_about
from shared.domain.webhooks import EVENT_TYPES, Cursor, Webhook, kind_of, type_of
from shared.operations.about import tells_of_files
from shared.operations.bans import ban_user, revoke_tokens, unban_user
from shared.operations.dispatching import run_errand
from shared.operations.events_out import announce
from shared.operations.files import check_upload, release
from shared.operations.filters import lift_shadow_ban, shadow_ban
from shared.operations.receipts import MoveCursor, move_cursor
from shared.operations.reports import NewReport, decide_report, make_report
from shared.operations.users import delete_user, put_user, put_users
from shared.ports.jobs import LOG, MEMBERS
from shared.ports.webhooks import EventServices, EventStores
from shared.wire.outgoing import outgoing, trial_event
from tests.fakes import DM, FakeClock, FakeNonces, FakeObjects, FakeObserver
from tests.fakes.webhooks import FakeErrands, FakeGivenUp, FakeReceiver, KilledError, Killer
from tests.metering import Meter
from tests.stores import Simulated, adapters, simulated
from tests.wiring import make_context, rest_services

NOW = FakeClock()()


def given(stores: Any, events: str = "both", **others: Any) -> dict[str, Any]:
    """What operations take, where the team's backend is told."""
    context = make_context(FakeClock(), FakeNonces(), events=events)
    return {"stores": stores, "services": rest_services(objects=FakeObjects()), "context": context, **others}


def without(parts: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if name not in names}


def report(reporter: str, parts: Mapping[str, Any]) -> str:
    command = NewReport(reporter, "spam", "he writes nonsense", user_id="bob")
    shown, admit = (lambda _: "{}"), (lambda _: None)
    made, _ = make_report(command, admit=admit, shown=shown, **without(parts, "services"))
    return made.report_id


def dropped(parts: Mapping[str, Any]) -> None:
    tell = tells_of_files(parts["stores"].log, parts["context"])
    release("f1", files=parts["stores"].files, objects=parts["services"].objects, tell=tell)


def ban(parts: Mapping[str, Any], until: int = FOREVER) -> None:
    ban_user("bob", Ban(until, "spam", NOW, "root"), **parts)


def unban(parts: Mapping[str, Any]) -> None:
    unban_user("bob", **without(parts, "services"))


def lift(parts: Mapping[str, Any]) -> None:
    lift_shadow_ban("bob", **without(parts, "services"))


CHANGES: dict[str, Callable[[Mapping[str, Any]], object]] = {
    "user_updated": lambda parts: put_user("bob", {"name": "Bob", "data": {"plan": "gold"}}, **parts),
    "user_updated again": lambda parts: put_users([("bob", {"name": "Bobby"})], **parts),
    "user_deactivated": lambda parts: put_user("bob", {"deactivated": True}, **parts),
    "user_deleted": lambda parts: delete_user("bob", **parts),
    "user_banned": ban,
    "user_unbanned": unban,
    "tokens_revoked": lambda parts: revoke_tokens("bob", NOW, **parts),
    "user_shadow_banned": lambda parts: shadow_ban(ShadowBan("bob", NOW, "root", "spam"), **without(parts, "services")),
    "user_shadow_unbanned": lift,
    "file_deleted": dropped,
    "report_made": lambda parts: report("alice", parts),
    "report_decided": lambda parts: decide_report(report("alice", parts), Decision("dismiss", "root", NOW), **parts),
}


def told(stores: Simulated, user_id: str = "bob") -> list[dict[str, Any]]:
    return [json.loads(outgoing(entry).body) for entry in stores.entries(about_log_id(user_id))]


def furnished() -> Simulated:
    stores = simulated()
    stores.ready_file("f1", "bob", name="secret plans.png")
    return stores


def test_each_change_is_an_event_and_the_places_have_no_gap() -> None:
    stores = furnished()
    for name, change in CHANGES.items():
        change(given(stores))
        if name != "report_decided":  # after that the same is another report
            change(given(stores))  # a repetition is no other event
    events = told(stores)
    assert [event["type"] for event in events] == [name.removesuffix(" again") for name in CHANGES]
    assert [event["id"] for event in events] == [f"about:bob/{seq}" for seq in range(1, len(CHANGES) + 1)]
    for event in events:
        assert event["conversation_id"] == "about:bob"
        assert event["data"]["type"] == event["type"]
        assert event["data"]["user_id"] == "bob"
        assert event["type"] in EVENT_TYPES
    by_type = {event["type"]: event["data"] for event in events}
    assert by_type["user_deactivated"]["name"] == "Bobby"
    assert by_type["user_deactivated"]["data"] == {"plan": "gold"}
    assert (by_type["user_banned"]["until"], by_type["user_banned"]["by"]) == (None, "root")
    assert by_type["report_decided"]["decision"] == "dismiss"
    text = json.dumps(events)
    assert not [secret for secret in ("secret plans", "he writes nonsense", "alice") if secret in text]


def test_a_filter_knows_them_by_their_types_and_their_kind() -> None:
    stores = simulated()
    CHANGES["user_banned"](given(stores))
    [entry] = stores.entries(about_log_id("bob"))
    assert (kind_of(entry.conversation_id), type_of(entry)) == ("about", "user_banned")

    def wants(events: tuple[str, ...] = (), conversations: tuple[str, ...] = ()) -> bool:
        return Webhook("crm", "https://x.example.com", 1, ("s",), events, conversations).wants(entry)

    assert wants()
    assert wants(("user_banned",), ("about",))
    assert not wants(("user_changed",))
    assert not wants((), ("user", "group"))


@pytest.mark.parametrize("name", CHANGES)
def test_where_a_deployment_has_no_events_nothing_is_written_and_no_call_is_made(name: str) -> None:
    made = {}
    for events in ("off", "both"):
        stores = furnished()
        meter = Meter(stores.tables)
        CHANGES[name](given(adapters(meter), events))
        made[events] = list(meter.made)
        assert bool(told(stores)) == (events == "both")
    assert len(made["off"]) < len(made["both"])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", CHANGES)
def test_killed_at_any_call_and_repeated_it_is_told(name: str, after: bool) -> None:
    at, is_spent = 0, True
    while is_spent:
        at += 1
        stores, killer = furnished(), Killer(at, after=after)
        calls = killer.around(stores.tables, "call")
        try:
            CHANGES[name](given(adapters(calls)))
        except KilledError:
            CHANGES[name](given(adapters(calls)))
        is_spent = killer.is_spent
        events = told(stores)
        assert events[-1]["type"] == name.removesuffix(" again")
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert at > 2


@pytest.mark.parametrize("overtaken", ["read_back", "put"])
def test_of_two_at_once_the_last_word_is_what_is_stored(overtaken: str) -> None:
    """Bob is let off again while his ban is noted, at either of the two calls."""
    stores = simulated()
    stepped = Overtaken(stores.log, overtaken, lambda: lift(given(stores)))
    shadow_ban(
        ShadowBan("bob", NOW, "root", "spam"),
        stores=replace(stores, log=stepped),
        context=given(stores)["context"],
    )
    assert stores.shadow_bans.all() == []
    assert told(stores)[-1]["type"] == "user_shadow_unbanned"
    assert [event["seq"] for event in told(stores)] == list(range(1, len(told(stores)) + 1))


def test_what_is_changed_back_while_the_change_is_noted_is_told_as_well() -> None:
    """The second ban finds the first one as the last word, and notes nothing."""
    stores = simulated()
    shadow = ShadowBan("bob", NOW, "root", "spam")

    def again() -> None:
        shadow_ban(shadow, stores=stores, context=given(stores)["context"])

    again()
    stepped = Overtaken(stores.log, "put", again)
    lift_shadow_ban("bob", stores=replace(stores, log=stepped), context=given(stores)["context"])
    assert stores.shadow_bans.all() != []
    assert told(stores)[-1]["type"] == "user_shadow_banned"


class Overtaken:
    """A log before one of whose calls something else happens, once."""

    def __init__(self, log: Any, name: str, other: Callable[[], object]) -> None:
        self._log, self._name, self._other = log, name, other

    def __getattr__(self, name: str) -> Any:
        if name == self._name:
            self._name = ""
            self._other()
        return getattr(self._log, name)


def test_what_became_of_an_upload_is_told_again_where_its_check_had_died() -> None:
    stores, objects = simulated(), FakeObjects()
    file = stores.ready_file("f1", "bob")
    assert file.status == READY
    tell = tells_of_files(stores.log, given(stores)["context"])
    for _ in range(2):
        check_upload("f1", files=stores.files, objects=objects, inspect=lambda *_: pytest.fail("settled"), tell=tell)
    [event] = told(stores)
    assert (event["type"], event["data"]["file_id"], event["data"]["size"]) == ("file_ready", "f1", 3)


def test_such_a_log_is_no_conversation_and_no_users_own() -> None:
    assert told_about(about_log_id("a.b@c")) == "a.b@c"
    assert told_about("user:alice") is None
    assert told_about("dm:alice:bob") is None


def moved(stores: Any, receipt_events: str, kind: str = "read", seq: int = 2) -> None:
    context = make_context(FakeClock(), FakeNonces(), receipt_events=receipt_events)
    move_cursor(MoveCursor(kind, "bob", DM, seq), stores=stores, services=rest_services(), context=context)


def chatting() -> Simulated:
    stores = simulated()
    stores.join(DM, "alice", "bob")
    stores.write("alice", "one", "two", "three")
    return stores


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_a_receipt_is_an_event_whose_place_is_how_far_it_has_come(kind: str) -> None:
    stores = chatting()
    for seq in (2, 2, 3, 1):
        moved(stores, "on", kind, seq)
    events = [json.loads(outgoing(entry).body) for entry in stores.entries(receipts_id(kind, "bob", DM))]
    assert [event["id"] for event in events] == [f"receipts:{kind}:bob:{DM}/{seq}" for seq in (2, 3)]
    assert [event["type"] for event in events] == [kind, kind]
    wanted = {"type": kind, "conversation_id": DM, "user_id": "bob", "seq": 2, "timestamp": NOW}
    assert events[0]["data"] == wanted
    assert kind_of(receipts_id(kind, "bob", DM)) == "receipts"


def test_a_receipt_is_one_put_more_and_none_where_it_is_no_event() -> None:
    made = {}
    for receipt_events in ("off", "on"):
        meter = Meter(chatting().tables)
        moved(adapters(meter), receipt_events)
        made[receipt_events] = sorted(meter.made)
    assert made["on"] == sorted([*made["off"], "PutItem"])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_receipt_that_is_repeated_after_a_death_anywhere_is_told(after: bool) -> None:
    at, is_spent = 0, True
    while is_spent:
        at += 1
        stores, killer = chatting(), Killer(at, after=after)
        calls = killer.around(stores.tables, "call")
        try:
            moved(adapters(calls), "on")
        except KilledError:
            moved(adapters(calls), "on")
        is_spent = killer.is_spent
        assert [entry.seq for entry in stores.entries(receipts_id("read", "bob", DM))] == [2]
    assert at > 2


def test_a_webhook_is_told_of_receipts_as_they_grow() -> None:
    stores, clock, receiver = chatting(), FakeClock(), FakeReceiver()
    errands = FakeErrands(clock)
    out = EventStores(stores.log, stores.webhooks, stores.cursors)
    services = EventServices(errands, FakeGivenUp(), receiver, outgoing, trial_event, FakeObserver())
    stores.webhooks.make(Webhook("crm", "https://x.example.com", 1, ("whsec_c2VjcmV0",)))
    place = receipts_id("read", "bob", DM)
    for seq in (1, 3):
        moved(stores, "on", seq=seq)
        announce({place: seq}, stores=out, errands=errands)
        while (body := errands.due()) is not None:
            errand = errand_from(json.loads(body))
            run_errand(errand, stores=out, services=services, context=make_context(clock, FakeNonces()))
    assert receiver.ids == [f"{place}/1", f"{place}/3"]


def test_an_erasure_finds_what_is_told_about_a_user_and_how_far_it_is_told() -> None:
    stores = chatting()
    ban(given(stores))
    moved(stores, "on")
    for place in (about_log_id("bob"), receipts_id("read", "bob", DM), about_log_id("carol")):
        stores.cursors.rewind(Cursor("crm", place, 1, 1))
    walked = {table: stores.walks.page(table, "bob", after=None).found for table in (LOG, MEMBERS)}
    theirs = [one.key["conversation_id"] for one in walked[LOG] if one.is_theirs]
    assert sorted(theirs) == [about_log_id("bob"), receipts_id("read", "bob", DM)]
    assert not [one for one in walked[LOG] if one.is_theirs and one.line]
    cursors = [one.key["sk"] for one in walked[MEMBERS] if str(one.key["pk"]).startswith("webhook#") and one.is_theirs]
    assert sorted(cursors) == [about_log_id("bob"), receipts_id("read", "bob", DM)]
