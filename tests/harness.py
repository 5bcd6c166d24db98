"""The one harness: stores over fresh tables, stand-ins for every other service, a clock, and the wiring of all that."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from shared.domain.jobs import Job, JobKind, JobStep
from shared.operations.context import Context
from shared.operations.jobs import advance
from shared.ports.services import PushServices, RestServices
from tests.fakes import (
    FakeArchive,
    FakeBroadcastQueue,
    FakeClock,
    FakeDeliveryCheckQueue,
    FakeGateway,
    FakeJobQueue,
    FakeNonces,
    FakeObjects,
    FakeObserver,
    FakePresenceChecks,
    FakePushGateway,
    FakePushQueue,
    FakeReminderScheduler,
    FakeShardQueue,
    FakeSweepQueue,
    in_turn,
)
from tests.stores import Simulated, simulated
from tests.wiring import Wiring, make_context, rest_services


@dataclass
class Harness:
    """A deployment in small. Folders derive from it what is theirs alone: a setting, and short ways to call."""

    stores: Simulated = field(default_factory=simulated)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    clock: FakeClock = field(default_factory=FakeClock)
    nonces: FakeNonces = field(default_factory=FakeNonces)
    checks: FakePresenceChecks = field(default_factory=FakePresenceChecks)
    observer: FakeObserver = field(default_factory=FakeObserver)
    delivery_checks: FakeDeliveryCheckQueue = field(default_factory=FakeDeliveryCheckQueue)
    objects: FakeObjects = field(default_factory=FakeObjects)
    scheduler: FakeReminderScheduler = field(default_factory=FakeReminderScheduler)
    pushes: FakePushQueue = field(default_factory=FakePushQueue)
    broadcasts: FakeBroadcastQueue = field(default_factory=FakeBroadcastQueue)
    shards: FakeShardQueue = field(default_factory=FakeShardQueue)
    sweeps: FakeSweepQueue = field(default_factory=FakeSweepQueue)
    provider: FakePushGateway = field(default_factory=FakePushGateway)
    jobs: FakeJobQueue = field(default_factory=FakeJobQueue)
    archive: FakeArchive = field(default_factory=FakeArchive)

    @property
    def wiring(self) -> Wiring:
        return Wiring(self.stores, self.gateway, self.clock, self.nonces, checks=self.checks, observer=self.observer)

    @property
    def services(self) -> RestServices:
        return rest_services(
            self.gateway,
            observer=self.observer,
            presence_checks=self.checks,
            delivery_checks=self.delivery_checks,
            broadcast_queue=self.broadcasts,
            objects=self.objects,
            scheduler=self.scheduler,
            job_queue=self.jobs,
            archive=self.archive,
        )

    @property
    def push_services(self) -> PushServices:
        return PushServices(
            gateway=self.gateway,
            parallel_map=in_turn,
            encode=self.services.encode,
            observer=self.observer,
            presence_checks=self.checks,
            delivery_checks=self.delivery_checks,
            broadcast_queue=self.broadcasts,
            push_queue=self.pushes,
            shard_queue=self.shards,
            providers=lambda _: self.provider,
            sweep_queue=self.sweeps,
            objects=self.objects,
            job_queue=self.jobs,
            archive=self.archive,
        )

    @property
    def context(self) -> Context:
        return make_context(self.clock, self.nonces)

    @property
    def whole(self) -> dict[str, Any]:
        """What operations take."""
        return {"stores": self.stores, "services": self.services, "context": self.context}

    def connect(self, *users: str) -> None:
        """One device each, with a connection of that name."""
        for user in users:
            self.stores.connect(user, f"{user}1", at=self.clock())

    def carry_out(self, step: JobStep) -> None:
        """A step of a job, as the queue hands it out."""
        advance(step, stores=self.stores, services=self.push_services, context=self.context)

    def carry_out_all(self) -> None:
        """Every step of the jobs that have begun."""
        while self.jobs.steps:
            self.carry_out(self.jobs.steps.pop(0))

    def job_of(self, kind: JobKind, user_id: str = "bob") -> Job:
        found = self.stores.jobs.get(kind, user_id)
        assert found is not None
        return found

    def events(self, connection_id: str) -> list[dict[str, Any]]:
        """What was posted to the connection."""
        return [json.loads(data) for data in self.gateway.received(connection_id)]
