"""The stream's consumer and the shards of large groups: partial answers, poison records, and no content anywhere."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from functions.offline_push.handler import Ports, fan_out, handler, look_at
from functions.offline_push.log_gateway import LogPushGateway
from functions.offline_push.shard_queue import SqsShardQueue
from shared.chat.changes import OWNER, Added
from shared.chat.delivery import Delivered
from shared.chat.fan_out import Shard
from shared.chat.models import Draft, change_entry
from shared.connection.ports import PostOutcome
from shared.errors import Unavailable
from shared.notification.models import Push, StoredEntry
from shared.notification.ports import PushGateway
from shared.observability import make_logger
from tests.fakes import DM, FakeClock, FakeGateway, FakeLog, FakePushGateway, FakeSessions
from tests.functions.events import NOW, stream_record

GROUP = "group:0123456789abcdef"


@dataclass
class Shards:
    put_: list[Shard] = field(default_factory=list)
    refuse: bool = False

    def put(self, shards: Sequence[Shard]) -> None:
        if self.refuse:
            raise Unavailable
        self.put_ += shards


@dataclass
class House:
    """A group of 250 whose first message is entry 2, left to the stream side."""

    log: FakeLog = field(default_factory=FakeLog)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    pushes: FakePushGateway = field(default_factory=FakePushGateway)
    shards: Shards = field(default_factory=Shards)
    reports: list[Delivered] = field(default_factory=list)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    pauses: list[int] = field(default_factory=list)
    members: tuple[str, ...] = tuple(f"user{number:03}" for number in range(250))

    def __post_init__(self) -> None:
        creation = change_entry(
            Added(self.members, size=250, roles={"user000": OWNER}, name="many"),
            base=None,
            conversation_id=GROUP,
            sender_id="user000",
            created_at=NOW,
            nonce="g",
            fan_out=False,
        )
        self.log.put(creation)
        self.log.put(Draft(GROUP, "user000", "the canary text", "n", fan_out=True).following(creation, NOW))

    def ports(self, pushes: PushGateway | None = None, rate: int = 500) -> Ports:
        return Ports(
            log=self.log,
            memberships=self.log.memberships,
            sessions=self.sessions,
            gateway=self.gateway,
            push_gateway=pushes or self.pushes,
            shard_queue=self.shards,
            report=self.reports.append,
            now=self.clock,
            pause_ms=self.pauses.append,
            rate=rate,
        )


def group_record(seq: int, *, kind: str = "message", fan_out: bool = True) -> dict[str, Any]:
    record = stream_record(seq, sender_id="user000")
    image = record["dynamodb"]["NewImage"]
    image |= {"conversation_id": {"S": GROUP}, "kind": {"S": kind}}
    if fan_out:
        image["fan_out"] = {"BOOL": True}
    return record


def shard_record(users: Sequence[str], seq: int = 2, conversation_id: str = GROUP) -> dict[str, Any]:
    body = {"conversation_id": conversation_id, "seq": seq, "users": list(users)}
    return {"messageId": "m1", "body": json.dumps(body), "eventSource": "aws:sqs"}


def test_a_batch_is_looked_at_and_nothing_reported() -> None:
    house = House()
    records = [stream_record(1), stream_record(2, sender_id="bob")]
    assert look_at(records, house.ports()) == {"batchItemFailures": []}
    assert [(push.user_id, push.message.message_id) for push in house.pushes.pushes] == [
        ("bob", f"{DM}/1"),
        ("alice", f"{DM}/2"),
    ]


def test_what_is_no_new_entry_is_passed_over() -> None:
    house = House()
    assert look_at([{**stream_record(1), "eventName": "MODIFY"}], house.ports()) == {"batchItemFailures": []}
    assert house.pushes.pushes == []


def test_a_small_groups_absent_members_are_pushed() -> None:
    house = House()
    house.sessions.connect("user001", "u1=", at=NOW)
    look_at([group_record(2, fan_out=False)], house.ports())
    assert {push.user_id for push in house.pushes.pushes} == set(house.members) - {"user000", "user001"}
    assert house.shards.put_ == []


@pytest.mark.parametrize("kind", ["message", "member_added", "reaction"])
def test_a_large_groups_entries_go_out_in_shards_of_a_hundred(kind: str) -> None:
    house = House()
    assert look_at([group_record(2, kind=kind)], house.ports()) == {"batchItemFailures": []}
    assert [len(shard.users) for shard in house.shards.put_] == [100, 100, 50]
    assert {user for shard in house.shards.put_ for user in shard.users} == set(house.members)
    assert house.pushes.pushes == []


def test_shards_that_cannot_be_queued_are_where_the_retry_starts() -> None:
    house = House()
    house.shards.refuse = True
    failed = group_record(2)
    answer = look_at([stream_record(1), failed], house.ports())
    assert answer == {"batchItemFailures": [{"itemIdentifier": failed["dynamodb"]["SequenceNumber"]}]}


def test_a_shard_is_posted_to_who_is_there_and_pushed_to_who_is_not() -> None:
    house = House()
    house.sessions.connect("user001", "u1=", at=NOW)
    house.sessions.connect("user000", "sender=", at=NOW)
    assert fan_out([shard_record(house.members[:4])], house.ports()) == {"batchItemFailures": []}
    (event,) = [json.loads(data) for data in house.gateway.received("u1=")]
    assert (event["type"], event["seq"]) == ("new_message", 2)
    assert [push.user_id for push in house.pushes.pushes] == ["user002", "user003"]


def test_a_shard_keeps_to_its_rate() -> None:
    house = House()
    for user in house.members[:30]:
        house.sessions.connect(user, f"{user}=", at=NOW)
    fan_out([shard_record(house.members[:30])], house.ports(rate=100))
    assert len(house.gateway.posts) == 30
    assert house.pauses == [100, 100]  # ten posts, a tenth of a second, twice; nothing follows the last ten


def test_a_change_is_delivered_and_never_pushed() -> None:
    house = House()
    fan_out([shard_record(house.members[:4], seq=1)], house.ports())
    assert house.pushes.pushes == []


def test_dead_connections_of_a_shard_are_forgotten_and_reported() -> None:
    house = House()
    house.sessions.connect("user001", "u1=", at=NOW - 60_000)
    house.gateway.outcomes["u1="] = PostOutcome.GONE
    fan_out([shard_record(["user001"])], house.ports())
    (report,) = house.reports
    assert (report.forgotten, [gone.user_id for gone in report.gone]) == (1, ["user001"])


def test_a_shard_that_fails_comes_again_and_holds_up_no_other() -> None:
    house = House()
    house.sessions.connect("user001", "u1=", at=NOW)
    bad = {"messageId": "bad", "body": "{}", "eventSource": "aws:sqs"}
    assert fan_out([bad, shard_record(["user001"])], house.ports()) == {
        "batchItemFailures": [{"itemIdentifier": "bad"}]
    }
    assert len(house.gateway.received("u1=")) == 1


def test_the_handler_tells_the_queue_from_the_stream() -> None:
    assert handler({"Records": [{"messageId": "bad", "body": "{}", "eventSource": "aws:sqs"}]}) == {
        "batchItemFailures": [{"itemIdentifier": "bad"}]
    }
    assert handler({"Records": []}) == {"batchItemFailures": []}


@pytest.mark.parametrize("image", [{}, {"seq": {"N": "x"}}, None, {"conversation_id": {"B": "AA=="}}])
def test_a_poison_record_is_reported_and_what_came_before_it_is_done(image: object) -> None:
    house = House()
    poison = stream_record(2)
    poison["dynamodb"]["NewImage"] = image
    answer = look_at([stream_record(1), poison, stream_record(3)], house.ports())
    assert answer == {"batchItemFailures": [{"itemIdentifier": poison["dynamodb"]["SequenceNumber"]}]}
    assert [push.message.seq for push in house.pushes.pushes] == [1]


def test_a_push_that_fails_for_the_moment_is_where_the_retry_starts() -> None:
    def refuse(push: Push) -> None:
        if push.message.seq == 2:
            raise Unavailable

    house = House()
    house.pushes = FakePushGateway(refuse=refuse)
    records = [stream_record(seq) for seq in (1, 2, 3)]
    assert look_at(records, house.ports()) == {"batchItemFailures": [{"itemIdentifier": f"{2:021}"}]}


def test_the_log_line_names_user_and_message_and_no_content(capsys: pytest.CaptureFixture[str]) -> None:
    logger = make_logger("offline-push-test", "INFO")
    LogPushGateway(logger).push(Push("bob", StoredEntry(DM, 7, "alice")))
    line = capsys.readouterr().out
    assert '"bob"' in line
    assert f"{DM}/7" in line
    house = House()
    look_at([stream_record(1)], house.ports(LogPushGateway(logger)))
    fan_out([shard_record(house.members[:4])], house.ports(LogPushGateway(logger)))
    assert "canary" not in capsys.readouterr().out


def test_the_queue_carries_shards_as_they_are() -> None:
    sent: list[Any] = []

    class Queue:
        def send_all(self, bodies: Any) -> None:
            sent.extend(bodies)

    SqsShardQueue(Queue()).put([Shard(GROUP, 2, ("a", "b"))])  # type: ignore[arg-type]
    assert sent == [{"conversation_id": GROUP, "seq": 2, "users": ["a", "b"]}]
