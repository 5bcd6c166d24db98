"""The ports of the functions that read the stream and the queues, in the world of `world.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.offline_push.ports import Ports
from shared.aws.claim_table import DynamoDbClaims
from shared.aws.standing_table import DynamoDbStandings
from shared.chat.fan_out import Shard
from shared.notification.models import FCM, Device, PushTarget
from tests.bad_input.world import World
from tests.fakes import FakePushGateway, in_turn
from tests.functions.events import NOW


@dataclass
class Shards:
    """Where shards are put."""

    world: World

    def put(self, shards: Sequence[Shard]) -> None:
        self.world.shards += shards


def with_phones(world: World) -> World:
    """Everybody has one, and nobody else's connection is live: whoever gets a message is pushed to."""
    for user in ("alice", "bob", "carol"):
        world.devices.register(user, Device("phone", PushTarget(FCM, f"token-of-{user}"), NOW), limit=2)
    for user, connection_id in (("bob", "b1="), ("carol", "c1=")):
        world.sessions.remove(user, connection_id, now=NOW)
    return world


def push_ports(world: World, provider: FakePushGateway) -> Ports:
    return Ports(
        log=world.log,
        memberships=world.memberships,
        sessions=world.sessions,
        gateway=world.gateway,
        devices=world.devices,
        claims=DynamoDbClaims(world.store, members_table="members"),
        standings=DynamoDbStandings(world.store, members_table="members"),
        notices=world.notices,
        reminders=world.reminders,
        push_gateway=lambda _: provider,
        push_queue=world.pushes,
        look_queue=world.looks,
        shard_queue=Shards(world),
        spread=in_turn,
        report=world.reports.append,
        report_push=lambda _planned, _result: None,
        count=lambda _: None,
        now=world.clock,
        jitter=lambda ms: ms,
        pause_ms=lambda _: None,
        rate=500,
        second_look_s=5,
    )
