"""What telling a webhook takes, which docs/costs.md has, and that the function's role allows just that."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from infra import prices
from shared.adapters.aws.calls import JsonService
from shared.domain.entries import Draft
from shared.domain.webhooks import Errand, News, Single, Sweep, Trial, Webhook, secret_of
from shared.operations.dispatching import run_errand
from shared.operations.events_out import announce
from shared.ports.webhooks import EventServices, EventStores
from shared.wire.outgoing import outgoing, trial_event
from tests.fakes import DM, FakeClock, FakeNonces, FakeObserver
from tests.fakes.webhooks import FakeErrands, FakeGivenUp, FakeReceiver
from tests.infra.templates import ROOT
from tests.metering import Meter
from tests.permissions import DYNAMODB
from tests.stores import Stores, adapters
from tests.wiring import make_context

pytestmark = pytest.mark.xdist_group("moto")


@dataclass
class World:
    """One endpoint, on the real adapters."""

    meter: Meter
    clock: FakeClock = field(default_factory=FakeClock)
    receiver: FakeReceiver = field(default_factory=FakeReceiver)

    def __post_init__(self) -> None:
        self.stores: Stores = adapters(self.meter)
        self.out = EventStores(self.stores.log, self.stores.webhooks, self.stores.cursors)
        self.errands = FakeErrands(self.clock)
        self.services = EventServices(self.errands, FakeGivenUp(), self.receiver, outgoing, trial_event, FakeObserver())
        self.context = make_context(self.clock, FakeNonces())
        self.stores.webhooks.make(Webhook("crm", "https://crm.example.com", self.clock(), (secret_of(bytes(32)),)))

    def write(self) -> int:
        log = adapters(self.meter.calls).log  # uncounted: that is the message function's
        head = next(iter(log.read_back(DM, limit=1)), None)
        entry = Draft(DM, "alice", "hello bob", f"n{head and head.seq}").following(head, self.clock())
        assert log.put(entry) is None
        return entry.seq

    def run(self, errand: Errand) -> None:
        run_errand(errand, stores=self.out, services=self.services, context=self.context)

    def forget(self) -> None:
        self.meter.reset()
        self.meter.used.clear()


@pytest.fixture
def world(tables: JsonService) -> World:
    return World(Meter(tables))


def test_an_event_takes_three_reads_and_two_writes(world: World) -> None:
    world.run(News("crm", DM, world.write()))
    seq = world.write()
    world.forget()
    announce({DM: seq}, stores=world.out, errands=world.errands)
    world.run(News("crm", DM, seq))
    assert world.receiver.ids == [f"{DM}/1", f"{DM}/2"]
    assert world.meter.made == ["Query", "GetItem", "UpdateItem", "Query", "UpdateItem"]
    assert (world.meter.reads, world.meter.writes) == (3, 2)


def test_the_page_of_costs_says_so() -> None:
    """Each event alone: two invocations, one of them waiting for the receiver for a tenth of a second at 256 MB."""
    requests = 3 * prices.SQS_REQUEST + 2 * prices.INVOCATION
    waiting = 0.25 * 0.12 * prices.GB_SECOND
    each = requests + waiting + 3 * prices.READ_UNIT + 2 * prices.WRITE_UNIT
    page = (ROOT / "docs/costs.md").read_text(encoding="utf-8")
    [said] = re.findall(r"3 read units and 2 write units.*?\$([0-9.]+) per million", page, re.DOTALL)
    assert float(said) == pytest.approx(each * prices.MILLION, abs=0.01)


def test_the_function_may_do_just_what_it_does(world: World) -> None:
    seq = world.write()
    world.forget()
    announce({DM: seq}, stores=world.out, errands=world.errands)
    for errand in (News("crm", DM, seq), Single("crm", DM, seq), Trial("crm", "n"), Sweep("crm", since=1)):
        world.run(errand)
    world.clock.advance(1)
    world.write()
    world.run(Sweep("crm", since=world.clock(), part=0))
    for part in range(16):
        world.run(Sweep("crm", since=world.clock(), part=part))
        world.run(Sweep("crm", forget=world.out.webhooks.all()[0].since, part=part))
    assert world.meter.used == DYNAMODB["Events"]
