"""The push function's ports on the real adapters, with queues and a provider in memory."""

from __future__ import annotations

from collections.abc import Sequence

from functions.offline_push.ports import Ports
from shared.aws.claim_table import DynamoDbClaims
from shared.aws.device_table import DynamoDbDevices
from shared.aws.notice_table import DynamoDbNotices
from shared.aws.reminder_table import DynamoDbReminders
from shared.aws.standing_table import DynamoDbStandings
from shared.chat.fan_out import Shard
from shared.connection.ports import Gateway
from tests.budgets.conftest import House
from tests.fakes import FakeLookQueue, FakePushGateway, FakePushQueue, in_turn


class NoShards:
    def put(self, shards: Sequence[Shard]) -> None:
        raise AssertionError(shards)


def push_ports(house: House, provider: FakePushGateway | None = None, gateway: Gateway | None = None) -> Ports:
    chosen = provider or FakePushGateway()
    return Ports(
        log=house.ports.log,
        memberships=house.ports.memberships,
        sessions=house.ports.sessions,
        gateway=gateway or house.gateway,
        devices=DynamoDbDevices(house.meter, members_table="members"),
        claims=DynamoDbClaims(house.meter, members_table="members"),
        standings=DynamoDbStandings(house.meter, members_table="members"),
        notices=DynamoDbNotices(house.meter, members_table="members", spread=in_turn),
        reminders=DynamoDbReminders(house.meter, members_table="members"),
        push_gateway=lambda _: chosen,
        push_queue=FakePushQueue(),
        look_queue=FakeLookQueue(),
        shard_queue=NoShards(),
        spread=in_turn,
        report=lambda _: None,
        report_push=lambda _planned, _result: None,
        count=lambda _: None,
        now=house.clock,
        jitter=lambda ms: ms,
        pause_ms=lambda _: None,
        rate=500,
        second_look_s=5,
    )
