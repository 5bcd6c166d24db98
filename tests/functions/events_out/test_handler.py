"""The stream goes on the bus and to the queue; what does not is reported; the queue's errands are run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import tests.functions.environment  # noqa: F401  # read by the handler when it is imported
from functions.events_out.bus import EventBridgeBus
from functions.events_out.handler import tell, work
from functions.events_out.wiring import Wiring
from shared.adapters.aws.calls import ServiceError
from shared.adapters.aws.event_queues import errand_body, errand_from
from shared.adapters.dynamodb.client import to_item
from shared.adapters.dynamodb.schema import entry_item
from shared.domain.entries import Entry
from shared.domain.webhooks import News, Single, Sweep, Trial, Webhook, secret_of
from shared.errors import Unavailable
from shared.ports.webhooks import EventServices, EventStores
from shared.wire.outgoing import outgoing, trial_event
from tests.fakes import DM, FakeClock, FakeNonces, FakeObserver
from tests.fakes.webhooks import FakeBus, FakeErrands, FakeGivenUp, FakeReceiver
from tests.stores import Simulated, simulated
from tests.wiring import at_once, make_context

OTHER = "dm:bob:carol"


def record_of(number: int, entry: Entry) -> dict[str, Any]:
    """A stored entry, as the table's stream shows it."""
    item = to_item(entry_item(entry))
    keys = {name: item[name] for name in ("conversation_id", "seq")}
    said = {"Keys": keys, "NewImage": item, "SequenceNumber": f"{number:021}"}
    return {"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": said}


class World:
    def __init__(self) -> None:
        self.stores: Simulated = simulated()
        self.clock = FakeClock()
        self.bus, self.receiver, self.errands = FakeBus(), FakeReceiver(), FakeErrands(self.clock)
        self.observer = FakeObserver()
        services = EventServices(self.errands, FakeGivenUp(), self.receiver, outgoing, trial_event, self.observer)
        stores = EventStores(self.stores.log, self.stores.webhooks, self.stores.cursors)
        context = make_context(self.clock, FakeNonces())
        self.wiring = Wiring(stores, services, context, at_once, self.bus, has_webhooks=True)

    def hook(self) -> None:
        self.stores.webhooks.make(Webhook("crm", "https://crm.example.com", self.clock(), (secret_of(bytes(32)),)))

    def records(self, *conversations: str) -> list[dict[str, Any]]:
        return [
            record_of(number, self.stores.write("bob", "x", conversation_id=one, at=self.clock())[0])
            for number, one in enumerate(conversations)
        ]


@pytest.fixture
def world() -> World:
    return World()


def reported(answer: dict[str, Any]) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def numbers(records: list[dict[str, Any]]) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in records]


def test_what_is_stored_goes_on_the_bus_and_is_announced_once_for_each_conversation(world: World) -> None:
    world.hook()
    records = world.records(DM, OTHER, DM)
    assert reported(tell(records, world.wiring)) == []
    assert [event.event_id for event in world.bus.got] == [f"{DM}/1", f"{OTHER}/1", f"{DM}/2"]
    assert world.errands.errands == [News("crm", DM, 2), News("crm", OTHER, 1)]


def test_a_conversation_stops_at_the_first_that_the_bus_does_not_take(world: World) -> None:
    records = world.records(DM, OTHER, DM)
    world.bus.answer = lambda event: event.event_id != f"{DM}/1"
    assert reported(tell(records, world.wiring)) == numbers([records[0], records[2]])
    assert world.observer.counted["EventsNotTaken"] == 2


def test_what_cannot_be_announced_comes_again_as_a_whole(world: World) -> None:
    world.hook()
    records = world.records(DM, OTHER)
    world.stores.calls.fail("webhooks")
    assert reported(tell(records, world.wiring)) == numbers(records)


def test_an_unreadable_record_holds_up_no_other(world: World) -> None:
    records = world.records(DM, OTHER)
    records[0]["dynamodb"]["NewImage"]["kind"] = {"S": "of tomorrow"}
    assert reported(tell(records, world.wiring)) == numbers(records[:1])
    assert [event.event_id for event in world.bus.got] == [f"{OTHER}/1"]


def test_changes_of_rows_and_removals_are_no_events(world: World) -> None:
    records = [{**record, "eventName": name} for name in ("MODIFY", "REMOVE") for record in world.records(DM)]
    assert reported(tell(records, world.wiring)) == []
    assert world.bus.got == []


def test_without_a_bus_nothing_is_read_of_an_entry_but_its_key(world: World) -> None:
    world.hook()
    records = world.records(DM)
    records[0]["dynamodb"]["NewImage"] = {}
    assert reported(tell(records, replace(world.wiring, bus=None))) == []
    assert world.errands.errands == [News("crm", DM, 1)]


def test_an_errand_is_run_and_one_that_fails_comes_again_alone(world: World) -> None:
    world.hook()
    world.records(DM, OTHER)
    bodies = [errand_body(News("crm", DM, 1)), {"kind": "of tomorrow"}, errand_body(News("crm", OTHER, 1))]
    records = [{"messageId": f"m{number}", "body": json.dumps(body)} for number, body in enumerate(bodies)]
    assert reported(work(records, world.wiring)) == ["m1"]
    assert world.receiver.ids == [f"{DM}/1", f"{OTHER}/1"]


@pytest.mark.parametrize(
    "errand",
    [
        News("crm", DM, 7, 99),
        Single("crm", DM, 7),
        Trial("crm", "n"),
        Sweep("crm", 5, None, 3, DM),
        Sweep("crm", forget=9),
    ],
)
def test_an_errand_is_read_as_it_was_written(errand: Any) -> None:
    assert errand_from(json.loads(json.dumps(errand_body(errand)))) == errand


class Service:
    """PutEvents, which takes what `answer` says."""

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.refused: set[str] = set()
        self.error: Exception | None = None

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        assert operation == "PutEvents"
        self.calls.append(request["Entries"])
        if self.error:
            raise self.error
        ids = [json.loads(entry["Detail"])["id"] for entry in request["Entries"]]
        return {"Entries": [{"ErrorCode": "x"} if one in self.refused else {"EventId": "1"} for one in ids]}


def test_the_bus_is_given_ten_at_a_time_and_no_more_of_what_it_did_not_take(world: World) -> None:
    service = Service()
    entries = world.stores.write("bob", *map(str, range(25)), at=1)
    service.refused = {f"{DM}/12"}
    bus = EventBridgeBus(service, "parley-test")  # type: ignore[arg-type]
    taken = bus.put([outgoing(entry) for entry in entries])
    assert [len(call) for call in service.calls] == [10, 10]
    assert [index + 1 for index, one in enumerate(taken) if not one] == [12, *range(21, 26)]
    [first, *_] = service.calls[0]
    assert (first["EventBusName"], first["Source"], first["DetailType"]) == ("parley-test", "parley", "new_message")


@pytest.mark.parametrize("error", [Unavailable(), ServiceError("Denied", "", {})])
def test_a_bus_that_is_away_takes_nothing(world: World, error: Exception) -> None:
    service = Service()
    service.error = error
    bus = EventBridgeBus(service, "parley-test")  # type: ignore[arg-type]
    assert list(bus.put([outgoing(entry) for entry in world.stores.write("bob", "x")])) == [False]


def test_events_are_cut_where_a_call_would_be_too_long(world: World) -> None:
    service = Service()
    entries = world.stores.write("bob", *("\x01" * 4_000 for _ in range(12)), at=1)
    EventBridgeBus(service, "b").put([outgoing(entry) for entry in entries])  # type: ignore[arg-type]
    assert all(sum(len(one["Detail"].encode()) for one in call) <= 256 * 1_024 for call in service.calls)
    assert sum(map(len, service.calls)) == 12
