"""The ports of the functions that read the stream and the queues, in the world of `world.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from functions.offline_push.wiring import Wiring as Ports
from shared.domain.devices import FCM, Device, PushTarget
from shared.domain.fan_out import Shard
from tests.bad_input.world import World
from tests.fakes import FakePushGateway
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
        world.stores.devices.register(user, Device("phone", PushTarget(FCM, f"token-of-{user}"), NOW), limit=2)
    for user, connection_id in (("bob", "b1="), ("carol", "c1=")):
        world.stores.sessions.remove(user, connection_id, now=NOW)
    return world


def push_ports(world: World, provider: FakePushGateway) -> Ports:
    return world.wiring.push(
        provider=provider, push_queue=world.pushes, delivery_checks=world.looks, shard_queue=Shards(world)
    )
