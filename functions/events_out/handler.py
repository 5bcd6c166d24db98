"""After an entry is stored: events for the team's backend. The stream, and the queue of errands for webhooks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from functions.events_out.wiring import FUNCTION, Wiring, wire
from shared.adapters.aws.event_queues import errand_from
from shared.adapters.dynamodb.client import from_item
from shared.adapters.dynamodb.schema import entry_from
from shared.config import AwsEnvironment, EventsSettings
from shared.domain.entries import Entry
from shared.observability import make_logger, unexpected
from shared.operations.dispatching import run_errand
from shared.operations.events_out import announce, publish

_SETTINGS = EventsSettings.load()
_LOGGER = make_logger(FUNCTION, _SETTINGS.log_level, _SETTINGS.stage)
_WIRING = wire(_SETTINGS, AwsEnvironment.load(), _LOGGER)


def handler(event: Mapping[str, Any], _context: Any = None) -> dict[str, Any]:
    """One batch, of stream records or from the queue. The answer names what has to come again, if anything."""
    _WIRING.begin()
    records = event["Records"]
    if records and records[0].get("eventSource") == "aws:sqs":
        return work(records, _WIRING)
    return tell(records, _WIRING)


def tell(records: Sequence[Mapping[str, Any]], wiring: Wiring) -> dict[str, Any]:
    """What was stored goes on the bus, and to the queue for webhooks; which of it does not is reported.

    A record that can't be read is reported, and holds up no others of other conversations. The event source goes on
    from the first that is reported, and at last hands it to the failure queue.
    """
    stored = [index for index, record in enumerate(records) if record.get("eventName") == "INSERT"]
    failed = _announced(records, stored, wiring) if wiring.has_webhooks else set()
    if wiring.bus is not None:
        failed |= _published(records, stored, wiring)
    numbers = [records[index]["dynamodb"]["SequenceNumber"] for index in sorted(failed)]
    return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}


def _announced(records: Sequence[Mapping[str, Any]], stored: Sequence[int], wiring: Wiring) -> set[int]:
    """Of a record only its key counts: what it says is read from the log."""
    latest: dict[str, int] = {}
    for index in stored:
        key = from_item(records[index]["dynamodb"]["Keys"])
        latest[key["conversation_id"]] = max(key["seq"], latest.get(key["conversation_id"], 0))
    try:
        announce(latest, stores=wiring.stores, errands=wiring.services.errands)
    except Exception as error:  # noqa: BLE001  # whatever it is, all of it comes again
        unexpected("events not announced", error, logger=_LOGGER)
        return set(stored)
    return set()


def _published(records: Sequence[Mapping[str, Any]], stored: Sequence[int], wiring: Wiring) -> set[int]:
    assert wiring.bus is not None  # noqa: S101  # for the type
    entries: dict[int, Entry] = {}
    failed: set[int] = set()
    for index in stored:
        try:
            entries[index] = entry_from(from_item(records[index]["dynamodb"]["NewImage"]))
        except Exception as error:  # noqa: BLE001  # poison takes any form, and must not stop the shard
            unexpected("unreadable stream record", error, logger=_LOGGER)
            failed.add(index)
    again = publish(list(entries.values()), bus=wiring.bus, encode=wiring.services.encode)
    places = list(entries)
    if again:
        wiring.services.observer.count("EventsNotTaken", len(again))
    return failed | {places[index] for index in again}


def work(records: Sequence[Mapping[str, Any]], wiring: Wiring) -> dict[str, Any]:
    """Run each errand. One that fails comes again on its own, and at last to the failure queue."""
    failures = []
    for record in records:
        try:
            errand = errand_from(json.loads(record["body"]))
            run_errand(errand, stores=wiring.stores, services=wiring.services, context=wiring.context)
        except Exception as error:  # noqa: BLE001  # as above
            unexpected("errand not done", error, logger=_LOGGER)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
