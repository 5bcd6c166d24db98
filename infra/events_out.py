"""Events for the team's backend: one more reader of the log's stream, a bus of their own, and a queue for webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_events as events
from constructs import Construct

from infra.queues import EVENTS_SECONDS, failure_queue
from infra.stream import StreamSource, inserted

if TYPE_CHECKING:
    from infra.function import FunctionFactory
    from infra.queues import Queues
    from infra.storage import Storage

_BATCH = 100
_PARALLEL = 4
# So many endpoints, or conversations of one, are told at a time.
_CONCURRENCY = 10
# The bus, or the queue, may be away for a while: nobody waits for an event as for a push.
_RETRIES = 20
_MAX_AGE = Duration.hours(6)


class EventsOut(Construct):
    """Made only where a deployment wants events: it is the stream's third reader, and AWS advises two (ADR 0048)."""

    def __init__(
        self, scope: Construct, construct_id: str, *, functions: FunctionFactory, storage: Storage, queues: Queues
    ) -> None:
        super().__init__(scope, construct_id)
        config = functions.config
        self.failures = failure_queue(self, "Failures", config)
        self.bus = events.EventBus(self, "Bus", event_bus_name=f"parley-{config.stage}") if config.has_bus else None
        errands = queues.errands
        self.function = functions.make(
            self,
            "Events",
            folder="events_out",
            description="Parley: events for the team's backend",
            environment={
                **storage.environment("log", "members"),
                **queues.event_environment,
                **config.retention,
                "EVENT_FAILURES_URL": errands.failures.queue_url if errands else "",
                "EVENT_BUS": self.bus.event_bus_name if self.bus else "",
            },
            timeout_seconds=EVENTS_SECONDS,
            memory_mb=256,
        )
        if self.bus:
            self.function.allow(["events:PutEvents"], self.bus.event_bus_arn)
        if errands:
            self.function.allow_items(storage.log, "BatchGetItem", "Query")
            self.function.allow_items(storage.members, *("BatchWriteItem", "GetItem", "PutItem", "Query", "UpdateItem"))
            errands.allow_sending(self.function)
            self.function.allow(["sqs:SendMessage"], errands.failures.queue_arn)
            errands.feed(self.function, batch_size=1, max_concurrency=_CONCURRENCY)
        StreamSource(
            self,
            "Stored",
            stream_arn=cast("str", storage.log.table_stream_arn),
            function=self.function,
            failures=self.failures,
            batch_size=_BATCH,
            parallel=_PARALLEL,
            filters=[inserted()],
            retries=_RETRIES,
            max_age=_MAX_AGE,
        )
