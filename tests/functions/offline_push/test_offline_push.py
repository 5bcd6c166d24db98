"""The stream's consumer and that of the queues: partial answers, poison, and no content anywhere."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from functions.offline_push.handler import handler, look_at, withdraw, work
from functions.offline_push.wiring import SqsShardQueue
from functions.offline_push.wiring import Wiring as Wired
from shared.adapters.aws.push_queues import (
    SqsDeliveryCheckQueue,
    SqsPushQueue,
    SqsSweepQueue,
    job_body,
    job_from,
    look_bodies,
    reminder_body,
    sweep_from,
)
from shared.domain.connections import PostOutcome
from shared.domain.devices import FCM, Platform, PushTarget
from shared.domain.entries import Draft
from shared.domain.fan_out import Shard
from shared.domain.notifications import AboutMessage, AboutNotification, DeliveryCheck, Reminder
from shared.domain.pushes import Busy, Misconfigured, PushJob, SweepPart
from shared.domain.users import User
from shared.observability import FunctionObserver, make_logger
from tests.fakes import DM
from tests.functions.events import NOW, stream_record
from tests.harness import Harness
from tests.stores import MEMBERS, Simulated, simulated

GROUP = "group:0123456789abcdef"


MEMBERS_OF_GROUP = tuple(f"user{number:03}" for number in range(250))


class Observed(FunctionObserver):
    """Logs as the real one does, and counts in memory."""

    def __init__(self, logger: Logger, counts: Counter[str]) -> None:
        super().__init__("offline-push", logger)
        self._counts = counts

    def count(self, name: str, value: int = 1) -> None:
        self._counts[name] += value


@cache
def furnished() -> Simulated:
    """What every test begins with, to be copied."""
    stores = simulated()
    creation = stores.found(GROUP, *MEMBERS_OF_GROUP, name="many", at=NOW)
    stores.log.put(Draft(GROUP, "user000", "the canary text", "n", fan_out=True).following(creation, NOW))
    first = Draft(DM, "alice", "the canary text", "n").following(None, NOW)
    stores.log.put(first, new_members=("alice", "bob"))
    for user in ("alice", "bob", *MEMBERS_OF_GROUP):
        stores.device(user, "phone", PushTarget(FCM, f"token of {user}"))
    return stores


@dataclass
class OfflinePushHarness(Harness):
    """A group of 250 whose first message is entry 2, left to the stream side; everybody has a phone."""

    stores: Simulated = field(default_factory=lambda: simulated(furnished()))
    counts: Counter[str] = field(default_factory=Counter)
    pauses: list[int] = field(default_factory=list)
    logger: str = "offline-push-test"
    members: tuple[str, ...] = MEMBERS_OF_GROUP

    def wired(self, rate: int = 500, **limits: Any) -> Wired:
        observer = Observed(make_logger(self.logger, "INFO"), self.counts)
        return replace(self.wiring, observer=observer).push(
            provider=self.provider,
            push_queue=self.pushes,
            delivery_checks=self.delivery_checks,
            shard_queue=self.shards,
            sweep_queue=self.sweeps,
            wait_ms=self.pauses.append,
            fan_out_rate=rate,
            **limits,
        )

    @property
    def woken(self) -> list[tuple[str, object]]:
        return [(job.user_id, job.about) for job in self.pushes.jobs]


def failed(*records: dict[str, Any]) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in records]}


def group_record(
    seq: int, *, kind: str = "message", fan_out: bool = True, roster_seq: int | None = None
) -> dict[str, Any]:
    record = stream_record(seq, sender_id="user000")
    image = record["dynamodb"]["NewImage"]
    image |= {"conversation_id": {"S": GROUP}, "kind": {"S": kind}}
    if roster_seq is not None:
        image["roster_seq"] = {"N": str(roster_seq)}
    if fan_out:
        image["fan_out"] = {"BOOL": True}
    return record


def shard_record(
    users: Sequence[str], seq: int = 2, conversation_id: str = GROUP, *, queued_at: int | None = None
) -> dict[str, Any]:
    body = {"kind": "shard", "conversation_id": conversation_id, "seq": seq, "users": list(users)}
    return sqs_record(body if queued_at is None else {**body, "queued_at": queued_at})


def sqs_record(body: object, message_id: str = "m1") -> dict[str, Any]:
    return {"messageId": message_id, "body": json.dumps(body), "eventSource": "aws:sqs"}


@pytest.fixture
def harness() -> OfflinePushHarness:
    return OfflinePushHarness()


def noted_record(user: str = "bob", *, read_seq: int | None = 1, sequence: str = "7") -> dict[str, Any]:
    """A membership of which a push is noted, and what the user's reading makes of it."""
    image = {
        "pk": {"S": f"user#{user}"},
        "sk": {"S": f"conversation#{DM}"},
        "conversation_id": {"S": DM},
        "user_id": {"S": user},
        "joined_at": {"N": "1"},
        "pushed_seq": {"N": "1"},
    }
    new = {**image, **({} if read_seq is None else {"read_seq": {"N": str(read_seq)}})}
    images = {"OldImage": image, "NewImage": new}
    return {
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {}, "SequenceNumber": sequence, **images},
    }


def test_what_was_read_where_a_push_is_noted_is_taken_off_and_what_is_unreadable_reported(
    harness: OfflinePushHarness,
) -> None:
    harness.stores.claims.claim("bob", "phone", AboutMessage(DM, 1), tries=0, now=harness.clock())
    poison = noted_record(sequence="8")
    poison["dynamodb"]["OldImage"]["pushed_seq"] = {"B": "AA=="}
    records = [noted_record(), poison, noted_record("alice", sequence="9"), noted_record(read_seq=None, sequence="10")]
    wired = harness.wired(withdrawals=(FCM,))
    assert withdraw(records, wired) == {"batchItemFailures": [{"itemIdentifier": "8"}]}
    (job,) = harness.pushes.jobs
    assert (job.user_id, job.about, job.withdraws) == ("bob", AboutMessage(DM, 1), True)
    harness.stores.memberships.move_read(harness.stores.member("bob").with_read(1, 1))
    message = sqs_record(job_body(job))
    assert work([message, message], wired) == {"batchItemFailures": []}
    assert [push.withdraws for push in harness.provider.pushes] == [True]


def test_what_a_deleted_message_had_pushed_is_taken_off_by_its_record(harness: OfflinePushHarness) -> None:
    about = AboutMessage(DM, 1)
    harness.stores.claims.claim("bob", "phone", about, tries=0, now=harness.clock())
    assert harness.stores.shown.note("bob", about)
    record = stream_record(2)
    record["dynamodb"]["NewImage"] |= {"kind": {"S": "message_deleted"}, "target": {"N": "1"}}
    assert look_at([record], harness.wired(withdrawals=(FCM,))) == {"batchItemFailures": []}
    assert [(job.user_id, job.about, job.withdraws) for job in harness.pushes.jobs] == [("bob", about, True)]


def test_what_can_not_be_looked_at_comes_again(harness: OfflinePushHarness) -> None:
    harness.stores.calls.fail(MEMBERS)
    record = noted_record()
    assert withdraw([record], harness.wired(withdrawals=(FCM,))) == failed(record)


def test_versions_before_fail_over_a_withdrawal_so_that_it_comes_again(harness: OfflinePushHarness) -> None:
    job = PushJob(FCM, "bob", AboutMessage(DM, 1), since=1, withdraws=True)
    assert (job_body(job)["kind"], job_from(job_body(job))) == ("withdrawal", job)
    plain = replace(job, withdraws=False)
    assert (job_body(plain)["kind"], job_from(job_body(plain))) == ("push", plain)
    assert "withdraws" not in job_body(plain)


def test_a_batch_is_looked_at_and_nothing_reported(harness: OfflinePushHarness) -> None:
    records = [stream_record(1), stream_record(2, sender_id="bob")]
    assert look_at(records, harness.wired()) == {"batchItemFailures": []}
    assert harness.woken == [("bob", AboutMessage(DM, 1)), ("alice", AboutMessage(DM, 2))]


def test_what_is_no_new_entry_is_passed_over(harness: OfflinePushHarness) -> None:
    assert look_at([{**stream_record(1), "eventName": "MODIFY"}], harness.wired()) == {"batchItemFailures": []}
    assert harness.pushes.jobs == []


def test_a_small_groups_absent_members_are_pushed(harness: OfflinePushHarness) -> None:
    harness.stores.connect("user001", "u1=", at=NOW)
    look_at([group_record(2, fan_out=False)], harness.wired())
    assert {user for user, _ in harness.woken} == set(harness.members) - {"user000", "user001"}
    assert harness.delivery_checks.looks == [DeliveryCheck(AboutMessage(GROUP, 2), ("user001",))]
    assert harness.shards.shards == []


@pytest.mark.parametrize("kind", ["message", "member_added", "reaction"])
def test_a_large_groups_entries_go_out_in_shards_of_a_hundred(harness: OfflinePushHarness, kind: str) -> None:
    assert look_at([group_record(2, kind=kind)], harness.wired()) == {"batchItemFailures": []}
    assert [len(shard.users) for shard in harness.shards.shards] == [100, 100, 50]
    assert {user for shard in harness.shards.shards for user in shard.users} == set(harness.members)
    assert harness.pushes.jobs == []


def test_what_can_not_be_queued_comes_again_and_nothing_else(harness: OfflinePushHarness) -> None:
    harness.shards.refuses = True
    large = group_record(2)
    assert look_at([stream_record(1), large, stream_record(3)], harness.wired()) == failed(large)
    assert {about for _, about in harness.woken} == {AboutMessage(DM, 1), AboutMessage(DM, 3)}


def test_a_group_that_can_not_be_read_holds_up_nobody_elses_push(harness: OfflinePushHarness) -> None:
    records = [group_record(2, fan_out=False), stream_record(1), group_record(3), stream_record(2)]
    harness.stores.calls.fail(f"conversation#{GROUP}")
    assert look_at(records, harness.wired()) == failed(records[0], records[2])
    assert harness.woken == [("bob", AboutMessage(DM, 1)), ("bob", AboutMessage(DM, 2))]


def test_sessions_that_can_not_be_read_together_are_read_by_conversation(harness: OfflinePushHarness) -> None:
    """One user's item is throttled: those who wait for that are the members of that user's conversations."""
    small = group_record(2, fan_out=False)
    harness.stores.calls.fail("user007")
    assert look_at([small, stream_record(1)], harness.wired()) == failed(small)
    assert harness.woken == [("bob", AboutMessage(DM, 1))]


def test_a_group_whose_roster_has_not_changed_is_read_once(harness: OfflinePushHarness) -> None:
    wired = harness.wired()
    harness.clock.ms += 60_000
    for user in MEMBERS_OF_GROUP:
        harness.stores.attendance.mark_listed(GROUP, user)
    harness.stores.calls.made.clear()
    for seq in (2, 3, 4):
        assert look_at([group_record(seq, roster_seq=1)], wired) == {"batchItemFailures": []}
    assert harness.stores.calls.made.count("Query members") == 1 + 3  # the roster, and each time who is there
    look_at([group_record(6, roster_seq=5)], wired)
    assert harness.stores.calls.made.count("Query members") == 2 + 4


def test_a_kept_roster_is_read_again_as_long_as_somebody_in_it_is_not_listed(harness: OfflinePushHarness) -> None:
    wired = harness.wired()
    harness.clock.ms += 60_000
    for user in MEMBERS_OF_GROUP[1:]:
        harness.stores.attendance.mark_listed(GROUP, user)
    look_at([group_record(2, roster_seq=1)], wired)
    assert [shard.users for shard in harness.shards.shards] == [(MEMBERS_OF_GROUP[0],)]
    harness.stores.attendance.mark_listed(GROUP, MEMBERS_OF_GROUP[0])
    look_at([group_record(3, roster_seq=1)], wired)
    assert len(harness.shards.shards) == 1


def test_a_shard_is_posted_to_who_is_there_and_wakes_who_is_not(harness: OfflinePushHarness) -> None:
    harness.stores.connect("user001", "u1=", at=NOW)
    harness.stores.connect("user000", "sender=", at=NOW)
    assert work([shard_record(harness.members[:4])], harness.wired()) == {"batchItemFailures": []}
    (event,) = [json.loads(data) for data in harness.gateway.received("u1=")]
    assert (event["type"], event["seq"]) == ("new_message", 2)
    assert harness.woken == [("user002", AboutMessage(GROUP, 2)), ("user003", AboutMessage(GROUP, 2))]
    assert harness.delivery_checks.puts == [(DeliveryCheck(AboutMessage(GROUP, 2), ("user001",), until=2), 5)]


def test_a_shard_keeps_to_its_rate(harness: OfflinePushHarness) -> None:
    for user in harness.members[:30]:
        harness.stores.connect(user, f"{user}=", at=NOW)
    work([shard_record(harness.members[:30])], harness.wired(rate=100))
    assert len(harness.gateway.posts) == 30
    assert harness.pauses == [100, 100]  # ten posts, a tenth of a second, twice; nothing follows the last ten


def test_a_change_is_delivered_and_never_pushed(harness: OfflinePushHarness) -> None:
    work([shard_record(harness.members[:4], seq=1)], harness.wired())
    assert harness.pushes.jobs == []


def test_dead_connections_of_a_shard_are_forgotten_and_reported(harness: OfflinePushHarness) -> None:
    harness.stores.connect("user001", "u1=", at=NOW - 60_000)
    harness.gateway.outcomes["u1="] = PostOutcome.GONE
    work([shard_record(["user001"])], harness.wired())
    assert [gone.user_id for gone in harness.checks.scheduled] == ["user001"]
    assert harness.stores.connections("user001") == {}


def test_a_shard_that_fails_comes_again_and_holds_up_no_other(harness: OfflinePushHarness) -> None:
    harness.stores.connect("user001", "u1=", at=NOW)
    bad = {"messageId": "bad", "body": "{}", "eventSource": "aws:sqs"}
    assert work([bad, shard_record(["user001"])], harness.wired()) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert len(harness.gateway.received("u1=")) == 1


def test_the_handler_tells_the_queue_from_the_stream() -> None:
    assert handler({"Records": [{"messageId": "bad", "body": "{}", "eventSource": "aws:sqs"}]}) == {
        "batchItemFailures": [{"itemIdentifier": "bad"}]
    }
    assert handler({"Records": []}) == {"batchItemFailures": []}


@pytest.mark.parametrize("image", [{}, {"seq": {"N": "x"}}, None, {"conversation_id": {"B": "AA=="}}])
def test_a_poison_record_is_reported_and_holds_up_nothing_before_or_behind_it(
    harness: OfflinePushHarness, image: object
) -> None:
    poison = stream_record(2)
    poison["dynamodb"]["NewImage"] = image
    worse = stream_record(4)
    del worse["dynamodb"]["NewImage"]
    answer = look_at([stream_record(1), poison, stream_record(3), worse], harness.wired())
    assert answer == failed(poison, worse)
    assert harness.woken == [("bob", AboutMessage(DM, 1)), ("bob", AboutMessage(DM, 3))]


def test_history_from_elsewhere_wakes_nobody(harness: OfflinePushHarness) -> None:
    imported = stream_record(2)
    imported["dynamodb"]["NewImage"]["imported"] = {"BOOL": True}
    assert look_at([stream_record(1), imported], harness.wired()) == failed()
    assert harness.woken == [("bob", AboutMessage(DM, 1))]


def look_record(about: dict[str, Any], users: Sequence[str], message_id: str = "m1") -> dict[str, Any]:
    return sqs_record({"kind": "look", "about": about, "users": list(users)}, message_id)


def push_record(
    user: str, seq: int = 1, message_id: str = "m1", *, since: Any = NOW, platform: Platform = FCM
) -> dict[str, Any]:
    about = {"conversation_id": DM, "seq": seq}
    job = {"platform": platform, "user_id": user, "about": about, "since": since}
    return sqs_record({"kind": "push", **job, "tries": 0, "device_id": None, "not_before": 0}, message_id)


def test_a_delivery_check_posts_again_to_who_has_not_acknowledged_and_wakes_them(harness: OfflinePushHarness) -> None:
    harness.stores.connect("bob", "b1=", at=NOW)
    assert work([look_record({"conversation_id": DM, "seq": 1}, ["bob"])], harness.wired()) == {"batchItemFailures": []}
    assert len(harness.gateway.received("b1=")) == 1
    assert harness.woken == [("bob", AboutMessage(DM, 1))]


def test_checks_that_share_a_message_are_all_carried_out_and_fail_it_together(harness: OfflinePushHarness) -> None:
    harness.stores.connect("bob", "b1=", at=NOW)
    both = [DeliveryCheck(AboutMessage(DM, 1), ("bob",)), DeliveryCheck(AboutMessage(GROUP, 2), ("user001",))]
    (body,) = look_bodies(both)
    other = look_record({"conversation_id": GROUP, "seq": 2}, ["user002"], "m2")
    assert work([sqs_record(body), other], harness.wired()) == {"batchItemFailures": []}
    told = [("bob", AboutMessage(DM, 1)), ("user001", AboutMessage(GROUP, 2)), ("user002", AboutMessage(GROUP, 2))]
    assert harness.woken == told
    harness.stores.calls.fail(DM)
    answer = work([sqs_record(body), other, sqs_record({"kind": "looks"}, "m3")], harness.wired())
    assert {failure["itemIdentifier"] for failure in answer["batchItemFailures"]} == {"m1", "m3"}
    assert harness.woken == [*told, *told[1:]]


def test_pushes_of_a_batch_are_carried_out_together(harness: OfflinePushHarness) -> None:
    assert work([push_record("bob"), push_record("bob", message_id="m2")], harness.wired()) == {"batchItemFailures": []}
    assert [push.target.token for push in harness.provider.pushes] == ["token of bob"]


def test_a_push_that_fails_comes_again_and_takes_no_other_with_it(harness: OfflinePushHarness) -> None:
    bad = push_record("bob", message_id="bad", since="x")
    worse = sqs_record({"kind": "push"}, "worse")

    harness.stores.calls.fail("{'N': '7'}")
    answer = work([bad, push_record("bob", 7, "m7"), push_record("bob", 1, "m1"), worse], harness.wired())
    assert {failure["itemIdentifier"] for failure in answer["batchItemFailures"]} == {"bad", "worse", "m7"}
    assert len(harness.provider.pushes) == 1


def test_a_busy_provider_fails_nothing_here(harness: OfflinePushHarness) -> None:
    harness.provider.answer = lambda _: Busy("UNAVAILABLE", 1_000)
    assert work([push_record("bob")], harness.wired()) == {"batchItemFailures": []}
    assert [job.tries for job in harness.pushes.jobs] == [1]


def test_a_reminder_that_is_due_becomes_a_notification_and_is_checked_right_away(harness: OfflinePushHarness) -> None:
    harness.stores.reminders.put(Reminder("r1", "bob", DM, 1, NOW, NOW - 1))
    assert work([sqs_record(reminder_body("bob", "r1"))], harness.wired()) == {"batchItemFailures": []}
    assert harness.delivery_checks.puts == [(DeliveryCheck(AboutNotification("r1"), ("bob",)), 0)]
    assert harness.stores.reminders.of("bob") == []
    assert work([look_record({"notice_id": "r1"}, ["bob"])], harness.wired()) == {"batchItemFailures": []}
    assert harness.woken == [("bob", AboutNotification("r1"))]


def test_work_of_no_known_kind_comes_again() -> None:
    assert work([sqs_record({"kind": "tea"}), sqs_record([], "m2")], OfflinePushHarness().wired()) == {
        "batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m2"}]
    }


def test_no_line_of_the_log_has_content_or_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    harness = OfflinePushHarness(logger="offline-push-lines")  # a logger keeps the output that it was made with
    harness.provider.answer = lambda _: Misconfigured("THIRD_PARTY_AUTH_ERROR")
    look_at([stream_record(1)], harness.wired())
    work([shard_record(harness.members[:4]), push_record("bob", message_id="m2")], harness.wired())
    written = capsys.readouterr().out
    assert ("THIRD_PARTY_AUTH_ERROR" in written, '"bob"' in written) == (True, True)
    assert ("canary" in written, "token of" in written) == (False, False)


def test_what_the_queues_carry_is_read_back_as_it_was_put() -> None:
    sent: list[Any] = []

    class Queue:
        def send_all(self, bodies: Any, *, delay_s: int = 0, fair_by: str = "") -> None:
            sent.extend(bodies)

    harness = OfflinePushHarness()
    queue: Any = Queue()
    SqsShardQueue(queue).put([Shard(GROUP, 2, ("user001",))])
    SqsDeliveryCheckQueue(queue).put([DeliveryCheck(AboutMessage(DM, 1), ("bob",))], delay_s=5)
    job = PushJob(FCM, "bob", AboutMessage(DM, 1), since=NOW)
    later = replace(job, tries=1, device_id="tablet", not_before=NOW + 1_000)
    SqsPushQueue({FCM: queue}).put([job, later, replace(job, platform="apns")])
    part = SweepPart(1, 2, ("user#a", "devices"))
    SqsSweepQueue(queue).put(part)
    assert sweep_from(sent.pop()) == part
    assert len(sent) == 4
    records = [sqs_record(body, str(number)) for number, body in enumerate(sent)]
    assert work(records, harness.wired()) == {"batchItemFailures": []}
    assert [(one, delay) for one, delay in harness.pushes.puts if one.tries] == [(later, 1)]
    assert "canary" not in repr(sent)
    assert "token" not in repr(sent)


SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def test_the_schedule_has_looked_at_who_missed_a_push_part_after_part(harness: OfflinePushHarness) -> None:
    wired = harness.wired()
    assert work([sqs_record(SCHEDULED)], wired) == {"batchItemFailures": []}
    assert harness.pushes.jobs == []  # it is on its way by itself
    part = {"kind": "sweep", "since": 0, "until": NOW + 1, "after": ["user#alice", "devices"]}
    assert work([sqs_record(part)], wired) == {"batchItemFailures": []}
    assert ("bob", AboutMessage(DM, 1)) in harness.woken
    [following] = harness.sweeps.parts
    assert following.after is not None
    assert following.after > ("user#bob", "devices")


@pytest.mark.parametrize("part", [{}, {"since": 1, "until": 2}, {"since": 1, "until": 2, "after": ["user#a"]}])
def test_a_part_that_cannot_be_read_is_reported(harness: OfflinePushHarness, part: dict[str, Any]) -> None:
    answer = work([sqs_record({"kind": "sweep", **part})], harness.wired())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


STOP = {"kind": "mail_stop", "reason": "bounce", "tags": {"parley-user": ["Ym9i"]}, "to": ["bob@example.com"]}


def test_what_ses_tells_of_a_mail_ends_those_to_its_address_once(harness: OfflinePushHarness) -> None:
    was = User("bob")
    assert harness.stores.users.change(was, replace(was, email="bob@example.com", version=1))
    for _ in range(2):
        assert work([sqs_record(STOP)], harness.wired()) == {"batchItemFailures": []}
    assert harness.stores.users.of(["bob"])["bob"].mail_stopped == "bounce"
    assert harness.counts["MailBounced"] == 1


@pytest.mark.parametrize("tags", [{}, {"other": ["x"]}, {"parley-user": ["="]}, {"parley-user": ["_w"]}])
def test_what_it_tells_of_a_mail_that_is_none_of_ours_is_nothing(
    harness: OfflinePushHarness, tags: dict[str, Any]
) -> None:
    assert work([sqs_record({**STOP, "tags": tags})], harness.wired()) == {"batchItemFailures": []}
    assert not harness.counts


@pytest.mark.parametrize("odd", [{"reason": "delivery"}, {"to": []}, {"tags": None}, {"tags": {"parley-user": []}}])
def test_what_cannot_be_read_of_it_is_reported(harness: OfflinePushHarness, odd: dict[str, Any]) -> None:
    answer = work([sqs_record({**STOP, **odd})], harness.wired())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
