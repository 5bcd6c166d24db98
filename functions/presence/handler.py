"""Presence checks: where a user is still away after the grace period, those who watch them are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.parallel import ParallelCalls
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.presence_stores import make_presence_stores, with_transitions
from shared.adapters.dynamodb.schema import Tables
from shared.clock import SHORT_S, Deadline, now_ms
from shared.config import AwsEnvironment, PresenceSettings
from shared.domain.connections import MAX_GRACE_MS, Gone
from shared.observability import FunctionObserver, make_logger, unexpected
from shared.operations.presence import Now, check_offline
from shared.ports.services import PresenceServices
from shared.ports.stores import PresenceStores
from shared.wire.events import encode_plainly


@dataclass(frozen=True, slots=True)
class Wiring:
    """`begin` starts the time that an invocation may take."""

    stores: PresenceStores
    services: PresenceServices
    begin: Callable[[], None]


def _wire(settings: PresenceSettings, environment: AwsEnvironment) -> Wiring:
    deadline = Deadline(SHORT_S, grace_s=0)
    calls = dynamodb(environment, deadline)
    parallel = ParallelCalls(calls)
    tables = Tables(members=settings.members_table, sessions=settings.sessions_table, log=settings.log_table)
    endpoint = settings.connections_endpoint
    gateway = ApiGatewayConnections(endpoint, environment, deadline=deadline, fan_out_ms=settings.fan_out_ms)
    services = PresenceServices(gateway, parallel, encode_plainly, FunctionObserver("presence", _LOGGER))
    stores = make_presence_stores(calls, tables, parallel_map=parallel)
    if settings.presence_events == "on":
        stores = with_transitions(stores, calls, tables)  # what fails comes again
    return Wiring(stores, services, deadline.begin)


_SETTINGS = PresenceSettings.load()
_LOGGER = make_logger("presence", _SETTINGS.log_level, _SETTINGS.stage)
_WIRING = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Mapping[str, Any], _context: Any = None) -> dict[str, Any]:
    """One batch of the queue. The answer names the messages that have to come again."""
    _WIRING.begin()
    return look(event["Records"], _WIRING, now=now_ms)


def look(records: Sequence[Mapping[str, Any]], wiring: Wiring, *, now: Now) -> dict[str, Any]:
    """Decode, one call into the core for each, encode. One that fails does not hold up the others."""
    failures = []
    for record in records:
        try:
            body = json.loads(record["body"])
            gone = Gone(str(body["user_id"]), int(body["at"]))
            tries = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1))
            again = tries > 1 or now() - gone.at > MAX_GRACE_MS  # or was replayed from the failure queue
            check_offline(gone, again=again, stores=wiring.stores, services=wiring.services, now=now)
        except Exception as error:  # noqa: BLE001  # whatever it is, it comes again, and at last to the failure queue
            unexpected("presence not looked at", error, logger=_LOGGER)
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
