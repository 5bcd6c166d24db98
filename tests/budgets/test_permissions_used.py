"""What the adapters ask of the tables is what the roles allow: nothing is missing in AWS, and nothing is spare.

Neither moto nor the emulator checks permissions; this is what finds a missing one before AWS does.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.disconnect.handler import disconnect
from functions.files.handler import Wiring as FilesWiring
from functions.files.handler import check, release_files, sweep_files
from functions.offline_push.handler import look_at, work
from functions.offline_push.wiring import Wiring as PushWiring
from functions.presence.handler import look
from functions.rest.api import make_api, respond
from functions.rest.wiring import Wiring as RestWiring
from shared.adapters.aws.calls import JsonService
from shared.adapters.aws.push_queues import reminder_body
from shared.adapters.dynamodb.buckets import DynamoDbBuckets
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.adapters.dynamodb.presence_stores import with_transitions
from shared.adapters.dynamodb.schema import Tables
from shared.adapters.dynamodb.sessions import DynamoDbSessions, DynamoDbTickets
from shared.auth.tokens import SecretKey, TokenVerifier
from shared.domain.broadcasts import SEGMENTS, Broadcast, fresh_segments
from shared.domain.connections import Identity, PostOutcome
from shared.domain.contacts import ACCEPTED, Contact
from shared.domain.devices import APNS, FCM, Device, PushTarget
from shared.domain.entries import Draft
from shared.domain.files import READY, Checked, File
from shared.domain.jobs import KINDS, Job, JobKind
from shared.domain.notifications import Reminder
from shared.domain.pushes import BadTarget, PushResult, Sent, Unregistered
from shared.domain.reports import report_id
from shared.domain.screening import held_message, named
from shared.domain.text import named_channel_id
from shared.operations.files import KEPT_UNSENT_MS
from shared.operations.tickets import issue_ticket, redeem_ticket
from shared.operations.users import update_own
from shared.ports.files import NEVER
from shared.ports.stores import SessionStores
from tests.budgets.conftest import BudgetHarness
from tests.budgets.pushes import push_wiring
from tests.budgets.test_budgets import has_file, in_group, make_group
from tests.fakes import (
    DM,
    FakeDeliveryCheckQueue,
    FakeGateway,
    FakeObjects,
    FakePresenceChecks,
    FakePushGateway,
    FakeReminderScheduler,
)
from tests.functions.events import HOUR, NOW, authorizer_of, http_event, stream_record, websocket_event
from tests.functions.files.test_handler import created, deleted
from tests.functions.offline_push.test_offline_push import look_record, push_record, shard_record, sqs_record
from tests.functions.rest.harness import SECRET, now, token
from tests.functions.rest.table import HISTORY
from tests.metering import Meter
from tests.permissions import DYNAMODB
from tests.wiring import at_once

SCOPES = "admin notifications:send"
TABLES = Tables(members="members", sessions="sessions", log="log", tickets="tickets")


@pytest.fixture
def meter(tables: JsonService) -> Meter:
    return Meter(tables)


def test_the_message_function(harness: BudgetHarness, buckets: DynamoDbBuckets) -> None:
    group = make_group(harness, 4)
    has_file(harness)
    harness.meter.used.clear()
    harness.limit(buckets)
    harness.say({"type": "message", "to": "carol", "content": "a first one"})
    harness.say({"type": "message", "to": "bob", "content": "to the tail"})
    harness.say({"type": "message", "conversation_id": DM, "content": "by id"})
    harness.say({"type": "message", "to": "bob", "content": "late", "after": 1, "client_message_id": "late"})
    with_file = harness.say({"type": "message", "to": "bob", "message_type": "image", "file_id": "cat"})
    harness.say({"type": "delete", "conversation_id": DM, "seq": with_file["seq"]})
    harness.say(in_group(group, 2))
    for kind in ("read", "delivered"):
        harness.say({"type": kind, "conversation_id": DM, "seq": 2}, user_id="bob")
    harness.say({"type": "edit", "conversation_id": DM, "seq": 3, "content": "better"})
    harness.say({"type": "react", "conversation_id": DM, "seq": 3, "emoji": "x"})
    harness.say({"type": "delete", "conversation_id": DM, "seq": 3})
    harness.say({"type": "typing", "conversation_id": DM})
    for users in (["bob", "carol"], ["stranger"], []):
        harness.say({"type": "presence", "users": users})
    harness.say({"type": "sync", "conversations": {DM: 0}})
    harness.say({"type": "ping", "conversation_id": DM, "seq": 2})
    harness.say({"type": "auth", "token": "fresh"})
    watched(harness)
    harness.wired.stores.sessions.show_offline("alice", harness.wired.stores.sessions.whole(["alice"])["alice"])
    harness.say({"type": "ping"})  # which registers the connection again, and finds the watcher's dead
    assert harness.meter.used == DYNAMODB["Message"]


def test_the_http_api(harness: BudgetHarness, buckets: DynamoDbBuckets) -> None:
    """Every operation once, as its users would go through them."""
    group = make_group(harness, 4)
    has_file(harness)
    watched(harness)
    harness.connect("alice", "a9=")
    harness.meter.used.clear()
    members = f"/v1/conversations/{group}/members"
    message = f"/v1/conversations/{group}/messages/2"
    requests: list[tuple[str, str, Any]] = [
        ("POST", "/v1/tickets", None),
        ("PUT", "/v1/me", {"hide_presence": True}),
        ("PUT", "/v1/me", {"hide_presence": False}),
        ("GET", "/v1/me", None),
        ("POST", "/v1/conversations", {"type": "private", "with": "dave"}),
        ("POST", "/v1/conversations", {"type": "group", "name": "x", "members": [], "client_conversation_id": "1"}),
        ("POST", "/v1/conversations", {"type": "channel", "name": "x", "client_conversation_id": "news"}),
        ("PUT", f"/v1/conversations/{named_channel_id('alice', 'news')}/members/alice", None),
        ("GET", f"/v1/conversations/{named_channel_id('alice', 'news')}", None),
        ("GET", f"/v1/conversations/{named_channel_id('alice', 'news')}/members", None),
        ("GET", "/v1/conversations", None),
        ("GET", f"/v1/conversations/{group}", None),
        ("PATCH", f"/v1/conversations/{group}", {"name": "renamed"}),
        ("PATCH", f"/v1/conversations/{group}/settings", {"pinned": True}),
        ("POST", members, {"users": ["dave"]}),
        ("PATCH", f"{members}/dave", {"role": "admin"}),
        ("GET", members, None),
        ("DELETE", f"{members}/dave", None),
        *(("POST", f"/v1/conversations/{group}/messages", {"content": f"{number}"}) for number in range(5)),
        ("GET", f"/v1/conversations/{group}/messages", None),
        ("GET", message, None),
        ("PATCH", message, {"content": "better"}),
        ("PUT", f"{message}/reactions/x", None),
        ("DELETE", f"{message}/reactions/x", None),
        ("POST", f"{message}/reminders", {"at": harness.clock() + HOUR}),
        ("GET", "/v1/reminders", None),
        ("DELETE", message, None),
        ("POST", f"/v1/conversations/{group}/read", {"seq": 2}),
        ("DELETE", f"/v1/conversations/{DM}", None),
        ("POST", "/v1/files", {"name": "cat.png", "content_type": "image/png", "size": 5}),
        ("POST", f"/v1/conversations/{group}/messages", {"message_type": "image", "file_id": "cat"}),
        ("GET", "/v1/files/cat", None),
        ("POST", "/v1/contacts", {"user_id": "carol"}),
        ("GET", "/v1/contacts", None),
        ("PATCH", "/v1/contacts/carol", {"alias": "C"}),
        ("DELETE", "/v1/contacts/carol", None),
        ("PUT", "/v1/blocks/mallory", None),
        ("GET", "/v1/blocks", None),
        ("DELETE", "/v1/blocks/mallory", None),
        ("GET", "/v1/presence?users=bob", None),
        *(("PUT", f"/v1/devices/{name}", {"platform": "fcm", "token": name}) for name in ("one", "two")),
        ("GET", "/v1/devices", None),
        ("DELETE", "/v1/devices/two", None),
        ("POST", "/v1/notifications", {"users": ["alice", "bob"], "title": "Hello", "notification_id": "n"}),
        ("GET", "/v1/notifications", None),
        ("DELETE", "/v1/notifications/n", None),
        ("POST", "/v1/broadcasts", {"title": "Hello", "broadcast_id": "b"}),
        ("GET", "/v1/broadcasts", None),
        ("GET", "/v1/broadcasts/b", None),
        *(("POST", f"/v1/broadcasts/b/{how}", None) for how in ("pause", "resume", "cancel")),
        ("PUT", "/v1/users/bob", {"name": "Bob", "data": {"team": 7}}),
        ("POST", "/v1/users", {"users": [{"user_id": "bob", "name": "Robert"}, {"user_id": "carol"}]}),
        ("GET", "/v1/users?prefix=rob", None),
        ("GET", "/v1/users/bob", None),
        ("DELETE", "/v1/users/bob", None),
        ("GET", "/v1/users/alice/connections", None),
        ("DELETE", "/v1/users/alice/connections", None),
        ("PUT", "/v1/users/bob/ban", {"reason": "spam"}),
        ("GET", "/v1/users/bob/ban", None),
        ("DELETE", "/v1/users/bob/ban", None),
        ("PUT", "/v1/webhooks/crm", {"url": "https://crm.example.com"}),
        ("GET", "/v1/webhooks", None),
        ("POST", "/v1/webhooks/crm/rotate", None),
        ("POST", "/v1/webhooks/crm/replay", {"conversation_id": DM, "seq": 1}),
        ("POST", "/v1/webhooks/crm/test", None),
        ("DELETE", "/v1/webhooks/crm", None),
        ("POST", "/v1/users/bob/revoke", {"issued_before": 1}),
        ("POST", "/v1/reports", {"user_id": "bob", "reason": "spam"}),
        ("GET", "/v1/reports", None),
        ("GET", f"/v1/reports/{report_id('alice', '@bob', 0)}", None),
        ("POST", f"/v1/reports/{report_id('alice', '@bob', 0)}/decision", {"decision": "dismiss"}),
        ("POST", "/v1/me/export", None),
        ("GET", "/v1/me/export", None),
        ("POST", "/v1/users/bob/export", None),
        ("GET", "/v1/users/bob/export", None),
        ("POST", "/v1/imports", HISTORY),
        ("PUT", "/v1/users/bob/hold", {"reason": "a trial"}),
        ("GET", "/v1/users/bob/hold", None),
        ("DELETE", "/v1/users/bob/hold", None),
        ("PUT", f"/v1/conversations/{DM}/hold", {"reason": "a trial"}),
        ("GET", f"/v1/conversations/{DM}/hold", None),
        ("DELETE", f"/v1/conversations/{DM}/hold", None),
        ("POST", "/v1/users/bob/erasure", None),
        ("GET", "/v1/users/bob/erasure", None),
        ("POST", "/v1/users/bob/removal", None),
        ("GET", "/v1/users/bob/removal", None),
        ("PUT", "/v1/users/bob/shadow-ban", {"reason": "spam"}),
        ("GET", "/v1/users/bob/shadow-ban", None),
        ("DELETE", "/v1/users/bob/shadow-ban", None),
        ("GET", "/v1/held", None),
        ("GET", f"/v1/held/{named(DM, 'alice', 'held')}", None),
        ("POST", f"/v1/held/{named(DM, 'alice', 'held')}/decision", {"decision": "approve"}),
        ("PUT", "/v1/word-lists/rude", {"action": "mask", "words": ["x"]}),
        ("GET", "/v1/word-lists", None),
        ("DELETE", "/v1/word-lists/rude", None),
        ("GET", "/v1/audit", None),
    ]
    draft = Draft(DM, "alice", "held", "n", client_message_id="held")
    wired = rest_wiring(harness, buckets)
    object.__setattr__(wired, "has_shadow_bans", True)
    wired.stores.held.put(held_message(draft, at=NOW, base_seq=1))
    harness.meter.used.clear()
    api = make_api(wired, unexpected=_fail)
    for method, path, body in requests:
        place, _, query = path.partition("?")
        pairs = dict([query.split("=")]) if query else None
        event = http_event(method, place, token=token(scope=SCOPES), body=body, query=pairs)
        answer = respond(event, api)
        assert answer["statusCode"] < 300, (method, path, answer)
    assert harness.meter.used == DYNAMODB["Rest"]


def test_a_reminder_that_is_cancelled(harness: BudgetHarness, buckets: DynamoDbBuckets) -> None:
    wired = rest_wiring(harness, buckets)
    wired.stores.reminders.put(Reminder("r1", "alice", DM, 1, at=NOW + HOUR, created_at=NOW))
    harness.meter.used.clear()
    answer = respond(http_event("DELETE", "/v1/reminders/r1", token=token()), make_api(wired, unexpected=_fail))
    assert answer["statusCode"] == 204
    assert harness.meter.used == {("BatchGetItem", "Sessions"), ("GetItem", "Members"), ("DeleteItem", "Members")}


def _fail(error: Exception) -> None:
    raise error


def rest_wiring(harness: BudgetHarness, buckets: DynamoDbBuckets) -> RestWiring:
    return harness.wiring.rest(
        verifier=TokenVerifier(SecretKey(lambda: SECRET), now=now),
        objects=FakeObjects(),
        scheduler=FakeReminderScheduler(),
        delivery_checks=FakeDeliveryCheckQueue(),
        new_secret=lambda: "another0secret0for0a0group",
        limiter=harness.wiring.limiter(buckets=buckets),
        device_limit=1,
        reminder_limit=1,
    )


def test_the_authorizer(meter: Meter) -> None:
    tickets = DynamoDbTickets(meter, tickets_table="tickets")
    ticket = issue_ticket(Identity("alice", NOW + HOUR), tickets=tickets, now=NOW, new_secret=lambda: "t")
    meter.used.clear()
    redeem_ticket(ticket.ticket, tickets=tickets, now=NOW)
    assert meter.used == DYNAMODB["Authorizer"]


def watched(harness: BudgetHarness) -> None:
    """Alice is away. Bob's connection, which is dead, watches her, and so does Carol's, whom she has not written to."""
    contacts = harness.wiring.stores.contacts
    alice, bob = (Contact(user, ACCEPTED, NOW) for user in ("alice", "bob"))
    contacts.change("alice", "bob", was=contacts.pair("alice", "bob"), mine=bob, theirs=alice)
    harness.wired.stores.memberships.create("dm:alice:carol", ["alice"], joined_at=NOW)
    harness.wired.stores.watches.replace("carol", "c1=", ["alice"], expires_at=NOW + HOUR)
    harness.wired.stores.sessions.remove("alice", "a1=", now=NOW)
    harness.wired.stores.watches.replace("bob", "b1=", ["alice"], expires_at=NOW + HOUR)
    harness.gateway.outcomes["b1="] = PostOutcome.GONE


def test_connecting_at_the_limit(harness: BudgetHarness) -> None:
    watched(harness)
    assert harness.wired.stores.sessions.list_in("alice", "group:fedcba9876543210", now=NOW) is not None
    assert harness.wired.stores.sessions.show_offline("alice", harness.wired.stores.sessions.whole(["alice"])["alice"])
    harness.meter.used.clear()
    for number in range(4):
        harness.connect("alice", f"c{number}")
    assert harness.gateway.closed
    assert harness.meter.used == DYNAMODB["Connect"]


def test_a_delayed_look_at_who_is_gone(harness: BudgetHarness) -> None:
    watched(harness)
    harness.meter.used.clear()
    record = {"messageId": "m", "body": f'{{"user_id": "alice", "at": {NOW}}}'}
    assert look([record], harness.wiring.presence, now=lambda: NOW) == {"batchItemFailures": []}
    assert harness.meter.used == DYNAMODB["Presence"]


def test_who_comes_and_goes_where_that_is_an_event(harness: BudgetHarness) -> None:
    wiring = replace(harness.wiring, stores=with_transitions(harness.wiring.stores, harness.meter, TABLES))
    harness.wiring = wiring
    harness.wired.stores.sessions.remove("alice", "a1=", now=NOW)
    body = f'{{"user_id": "alice", "at": {NOW}}}'
    told = {("Query", "Log"), ("PutItem", "Log"), ("BatchGetItem", "Sessions")}
    harness.meter.used.clear()
    assert look([{"messageId": "m", "body": body}], wiring.presence, now=lambda: NOW) == {"batchItemFailures": []}
    assert told <= harness.meter.used <= DYNAMODB["Presence"] | told
    harness.meter.used.clear()
    harness.connect("alice", "a2=")
    assert told <= harness.meter.used <= DYNAMODB["Connect"] | told


def test_disconnecting(meter: Meter) -> None:
    sessions = DynamoDbSessions(meter, sessions_table="sessions")
    event = websocket_event("DISCONNECT", "$disconnect", connection_id="c3", authorizer=authorizer_of("alice"))
    disconnect(event, stores=SessionStores(sessions), checks=FakePresenceChecks(), now=NOW)
    assert meter.used == DYNAMODB["Disconnect"]


def test_offline_push(harness: BudgetHarness) -> None:
    group = make_group(harness, 4)
    harness.clock.advance(60_000)
    answers: list[PushResult] = [Unregistered("UNREGISTERED"), Sent(), BadTarget("BadDeviceToken")]
    wired = push_wiring(
        harness, FakePushGateway(answer=lambda _: answers.pop()), FakeGateway(outcomes={"b1=": PostOutcome.GONE})
    )
    for device_id, target in (("a", PushTarget(FCM, "f")), ("b", PushTarget(APNS, "0a" * 32, app_id="app"))):
        wired.stores.devices.register("bob", Device(device_id, target, NOW), limit=10)
    wired.stores.reminders.put(Reminder("r", "bob", DM, 1, NOW, NOW))
    update_own("alice", {"previews": False}, stores=wired.stores, services=wired.services, context=wired.context)
    harness.meter.used.clear()
    record = stream_record(1)
    record["dynamodb"]["NewImage"]["conversation_id"] = {"S": group}
    done: dict[str, list[object]] = {"batchItemFailures": []}
    assert look_at([record, stream_record(2)], wired) == done
    assert work([shard_record(["alice", "bob"], seq=2, conversation_id=group)], wired) == done
    assert work([look_record({"conversation_id": DM, "seq": 1}, ["bob"])], wired) == done
    assert work([sqs_record(reminder_body("bob", "r"))], wired) == done
    assert work([look_record({"notice_id": "r"}, ["bob"])], wired) == done
    jobs = [push_record("bob", 1, platform=platform) for platform in (APNS, FCM)]
    assert [work([job], wired) for job in jobs] == [done, done]
    assert answers == []
    started = Broadcast("b", "Hello", "", True, "shop", NOW, NOW, fresh_segments(is_stored=True))
    assert wired.stores.broadcasts.start(started, limit=1)
    for segment in range(2 * SEGMENTS):
        page = {"kind": "broadcast", "broadcast_id": "b", "segment": segment, "step": 0, "nonce": "n"}
        assert work([sqs_record(page)], wired) == done
    assert work([sqs_record({"kind": "sweep", "since": 0, "until": NOW + HOUR, "after": None})], wired) == done
    for kind in KINDS:
        carry_out_job(kind, wired)
    assert harness.meter.used == DYNAMODB["OfflinePush"]


def carry_out_job(kind: JobKind, wired: PushWiring) -> None:
    """All steps of one."""
    job = Job(kind, "alice", "j", "root", NOW, NOW)
    assert wired.stores.jobs.begin(job)
    steps = wired.services.job_queue.steps  # type: ignore[attr-defined]  # a fake
    steps.append(job.next)
    while steps:
        step = steps.pop(0)
        body = {**asdict(step), "job": step.kind, "kind": "job"}
        assert work([sqs_record(body)], wired) == {"batchItemFailures": []}


def test_the_files_function(meter: Meter) -> None:
    files = DynamoDbFiles(meter, members_table="members")
    objects = FakeObjects(uploads={"cat": b"bytes"})
    wired = FilesWiring(files, objects, lambda _file, _head: Checked(), at_once)
    files.create(File("cat", "alice", "image", "cat.png", "image/png", 5, created_at=NOW, expires_at=NOW + HOUR))
    meter.used.clear()
    check(created("cat"), wired)
    assert objects.kept
    assert release_files([deleted("cat")], wired) == {"batchItemFailures": []}
    assert not objects.kept
    dog = File("dog", "alice", "image", "dog.png", "image/png", 5, created_at=NOW, expires_at=NOW)
    assert files.create(dog, due=NOW)
    assert files.settle(replace(dog, status=READY))
    sweep_files(replace(wired, now=lambda: NOW))
    sweep_files(replace(wired, now=lambda: NOW + KEPT_UNSENT_MS))
    assert [one.file_id for one in files.due(NEVER, limit=9)] == ["cat"]
    assert meter.used == DYNAMODB["Files"]
