"""The push function's wiring on the real adapters, with queues and a provider in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from functions.offline_push.wiring import Wiring as Wired
from shared.domain.devices import Platform
from shared.domain.fan_out import Shard
from shared.domain.packs import Portion
from shared.ports.services import Gateway
from tests.budgets.conftest import BudgetHarness
from tests.fakes import FakeDeliveryCheckQueue, FakePushGateway, FakePushQueue


class NoShards:
    def put(self, shards: Sequence[Shard | Portion]) -> None:
        raise AssertionError(shards)


def push_wiring(
    harness: BudgetHarness,
    provider: FakePushGateway | None = None,
    gateway: Gateway | None = None,
    withdrawals: Sequence[Platform] = (),
) -> Wired:
    wiring = replace(harness.wiring, gateway=gateway or harness.gateway)
    return wiring.push(
        provider=provider or FakePushGateway(),
        push_queue=FakePushQueue(),
        delivery_checks=FakeDeliveryCheckQueue(),
        shard_queue=NoShards(),
        withdrawals=tuple(withdrawals),
    )
