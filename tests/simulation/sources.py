"""What invokes functions by itself in the simulation: the log's stream, and queues."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import functions.offline_push.handler as push_module
from functions.presence.handler import look
from tests.simulation.faults import Fault
from tests.simulation.functions import Instance
from tests.simulation.runtime import Runtime
from tests.simulation.services import Queued
from tests.simulation.store import Written

_BATCH: Final = 10
_MAX_RECEIVES: Final = 5
_VISIBILITY_MS: Final = 3_000.0


@dataclass(eq=False)
class Queues:
    """`waiting` are messages that were not carried out yet. `set_aside` is what has failed for good."""

    runtime: Runtime
    set_aside: list[str]
    waiting: int = 0

    def __post_init__(self) -> None:
        self._hub, self._weather, self._numbers = self.runtime.hub, self.runtime.weather, self.runtime.numbers
        self._invoke, self._latency = self.runtime.invoke, self.runtime.latency

    def enqueue(self, queue: str, body: str, delay: float) -> None:
        copies = 2 if self._weather.strikes(Fault.QUEUE_TWICE) else 1
        for _ in range(copies):
            late = self._hub.random.random() * 10_000 if self._weather.strikes(Fault.QUEUE_LATE) else 0.0
            message = Queued(f"m{next(self._numbers)}", body)
            self.waiting += 1
            self._hub.after(delay + late + self._latency(), partial(self._consume, queue, message))

    def _consume(self, queue: str, message: Queued) -> None:
        message.received += 1

        def call(instance: Instance) -> Any:
            if queue == "presence":
                return look([message.record()], instance.wiring.telling, now=instance.now())
            return push_module.work([message.record()], instance.push)

        def done(answer: Any) -> None:
            if answer is not None and not answer["batchItemFailures"]:
                self.waiting -= 1
                return
            if message.received < _MAX_RECEIVES:
                self._hub.after(_VISIBILITY_MS, lambda: self._consume(queue, message))
            else:
                self.waiting -= 1
                self.set_aside.append(message.kind)

        self._invoke("presence" if queue == "presence" else "push", call, done)


@dataclass(slots=True)
class Partition:
    """One conversation's part of the stream."""

    records: deque[dict[str, Any]] = field(default_factory=deque)
    is_read: bool = False
    failures: int = 0


@dataclass(eq=False)
class Stream:
    """The log's. `set_aside` is what has failed for good."""

    runtime: Runtime
    set_aside: list[str]

    def __post_init__(self) -> None:
        self._hub, self._weather, self._numbers = self.runtime.hub, self.runtime.weather, self.runtime.numbers
        self._invoke, self._latency = self.runtime.invoke, self.runtime.latency
        self._partitions: dict[str, Partition] = defaultdict(Partition)

    def stored(self, written: Written) -> None:
        """A write of the log table: inserts go to the stream."""
        if written.old is not None or written.new is None:
            return
        record = {
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"NewImage": written.new, "SequenceNumber": str(next(self._numbers))},
        }
        name = written.new["conversation_id"]["S"]
        partition = self._partitions[name]
        partition.records.append(record)
        if self._weather.strikes(Fault.RECORD_TWICE):
            partition.records.append(record)
        self._read_stream(name)

    def _read_stream(self, name: str) -> None:
        partition = self._partitions[name]
        if partition.records and not partition.is_read:
            partition.is_read = True
            self._hub.after(5.0 + self._hub.random.random() * 200.0, lambda: self._next_batch(name))

    def _next_batch(self, name: str) -> None:
        partition = self._partitions[name]
        batch = [partition.records[i] for i in range(min(_BATCH, len(partition.records)))]

        def done(answer: Any) -> None:
            self._settle(partition, batch, answer)
            partition.is_read = False
            self._read_stream(name)

        self._invoke("push", lambda instance: push_module.look_at(batch, instance.push), done)

    def _settle(self, partition: Partition, batch: list[dict[str, Any]], answer: Any) -> None:
        """Go on behind what was done: everything, or up to the record that is named as failed."""
        if answer is not None and not answer["batchItemFailures"]:
            partition.failures = 0
            if self._weather.strikes(Fault.BATCH_AGAIN):
                return
            for _ in batch:
                partition.records.popleft()
            return
        partition.failures += 1
        if answer is not None:
            failed = answer["batchItemFailures"][0]["itemIdentifier"]
            while partition.records[0]["dynamodb"]["SequenceNumber"] != failed:
                partition.records.popleft()
        if partition.failures > _MAX_RECEIVES:
            partition.failures = 0
            partition.records.popleft()
            self.set_aside.append("record")

    @property
    def is_idle(self) -> bool:
        return not any(partition.records for partition in self._partitions.values())
