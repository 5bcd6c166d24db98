"""The wiring of the functions that read the stream and the queues, in the harness of `harness.py`."""

from __future__ import annotations

from functions.offline_push.wiring import Wiring as Wired
from shared.domain.devices import FCM, Device, PushTarget
from tests.bad_input.harness import InputHarness
from tests.fakes import FakePushGateway
from tests.functions.events import NOW


def with_phones(harness: InputHarness) -> InputHarness:
    """Each of the three has one, and only alice's connection is live: a member who gets a message is pushed to."""
    for user in ("alice", "bob", "carol"):
        harness.stores.devices.register(user, Device("phone", PushTarget(FCM, f"token-of-{user}"), NOW), limit=2)
    for user, connection_id in (("bob", "b1="), ("carol", "c1=")):
        harness.stores.sessions.remove(user, connection_id, now=NOW)
    return harness


def push_wiring(harness: InputHarness, provider: FakePushGateway) -> Wired:
    return harness.wiring.push(
        provider=provider,
        push_queue=harness.pushes,
        delivery_checks=harness.delivery_checks,
        shard_queue=harness.shards,
    )
