"""What the harnesses of all folders have in common: stores over fresh tables, the gateway, a clock, and the wiring."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from shared.ports.services import Services
from tests.fakes import FakeClock, FakeGateway, FakeNonces, FakeObserver, FakePresenceChecks
from tests.stores import Simulated, simulated
from tests.wiring import Wiring


@dataclass
class Harness:
    """A deployment in small. Folders derive from it what is theirs alone: a setting, and short ways to call."""

    stores: Simulated = field(default_factory=simulated)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    clock: FakeClock = field(default_factory=FakeClock)
    nonces: FakeNonces = field(default_factory=FakeNonces)
    checks: FakePresenceChecks = field(default_factory=FakePresenceChecks)
    observer: FakeObserver = field(default_factory=FakeObserver)

    @property
    def wiring(self) -> Wiring:
        return Wiring(self.stores, self.gateway, self.clock, self.nonces, checks=self.checks, observer=self.observer)

    @property
    def services(self) -> Services:
        return self.wiring.services

    def connect(self, *users: str) -> None:
        """One device each, with a connection of that name."""
        for user in users:
            self.stores.connect(user, f"{user}1", at=self.clock())

    def events(self, connection_id: str) -> list[dict[str, Any]]:
        """What was posted to the connection."""
        return [json.loads(data) for data in self.gateway.received(connection_id)]
