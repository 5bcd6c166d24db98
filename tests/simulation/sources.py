"""What invokes functions by itself in the simulation: the log's stream, and queues."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from zlib import crc32

import functions.files.handler as files_module
from shared.errors import Unavailable
from tests.dynamodb import Written
from tests.simulation import handlers
from tests.simulation.faults import Fault
from tests.simulation.functions import GRACE_S, Instance
from tests.simulation.runtime import Runtime
from tests.simulation.scheduler import Process
from tests.simulation.services import Queued

_BATCH: Final = 10
_MAX_RECEIVES: Final = 5
_VISIBILITY_MS: Final = 3_000.0
_GRACE_MS: Final = 1_000.0 * GRACE_S


@dataclass(eq=False)
class Queues:
    """`waiting` are messages that were not carried out yet. `set_aside` is what has failed for good.

    `taken` is every message that a queue took, and from which invocation.
    """

    runtime: Runtime
    set_aside: list[str]
    waiting: int = 0
    taken: list[tuple[Process | None, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._hub, self._fault_model, self._numbers = self.runtime.hub, self.runtime.fault_model, self.runtime.numbers
        self._invoke, self._latency = self.runtime.invoke, self.runtime.latency

    def enqueue(self, queue: str, body: str, delay: float) -> None:
        self.taken.append((self._hub.process, queue, body))
        copies = 2 if self._fault_model.strikes(Fault.QUEUE_TWICE) else 1
        for _ in range(copies):
            late = self._hub.random.random() * 10_000 if self._fault_model.strikes(Fault.QUEUE_LATE) else 0.0
            message = Queued(f"m{next(self._numbers)}", body)
            at = delay + late + self._latency()
            if queue == "presence" and delay > _GRACE_MS:  # the end of a token to come: nothing is left undone before
                self._hub.after(at, partial(self._begin, queue, message))
            else:
                self.waiting += 1
                self._hub.after(at, partial(self._consume, queue, message))

    def _begin(self, queue: str, message: Queued) -> None:
        self.waiting += 1
        self._consume(queue, message)

    def _consume(self, queue: str, message: Queued) -> None:
        message.received += 1

        def call(instance: Instance) -> Any:
            consumer = handlers.presence if queue == "presence" else handlers.push
            return consumer(instance, {"Records": [message.record()]})

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


@dataclass(eq=False)
class Uploads:
    """What the bucket tells the function for files. `waiting` are uploads that were not looked at yet."""

    runtime: Runtime
    set_aside: list[str]
    waiting: int = 0

    def arrived(self, file_id: str) -> None:
        self.waiting += 1
        self.runtime.hub.after(self.runtime.latency(), lambda: self._check(file_id, 1))

    def _check(self, file_id: str, attempt: int) -> None:
        event = {"detail": {"object": {"key": f"uploads/{file_id}"}}}

        def call(instance: Instance) -> bool:
            try:
                handlers.files(instance, event)
            except files_module.UploadNotCheckedError:
                return False
            return True

        def done(is_checked: Any) -> None:
            if not is_checked and attempt < _MAX_RECEIVES:
                self.runtime.hub.after(_VISIBILITY_MS, lambda: self._check(file_id, attempt + 1))
                return
            self.waiting -= 1
            if not is_checked:
                self.set_aside.append("upload")

        self.runtime.invoke("files", call, done)


@dataclass(eq=False)
class Sweeps:
    """The schedule that has files looked at that lead nowhere. `done` has when each began that came to its end."""

    runtime: Runtime
    done: list[float] = field(default_factory=list)

    def sweep(self) -> None:
        began = self.runtime.hub.now

        def call(instance: Instance) -> bool:
            try:
                handlers.files(instance, {"source": "aws.events"})
            except Unavailable:
                return False  # the schedule comes again
            return True

        self.runtime.invoke("files", call, lambda is_done: self.done.append(began) if is_done else None)


@dataclass(slots=True)
class Partition:
    """One shard of the stream, as one of the functions behind it reads it."""

    records: deque[dict[str, Any]] = field(default_factory=deque)
    is_read: bool = False
    failures: int = 0


# The functions that read the stream, and what their event sources let through (infra/push.py, infra/files.py).
_LOOKING: Final = "push"
_WITHDRAWING: Final = "withdrawing"
_RELEASING: Final = "files"
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], bool]]] = {
    _LOOKING: lambda image: (
        image["kind"]["S"] in {"message", "message_deleted"} or image.get("fan_out") == {"BOOL": True}
    ),
    _RELEASING: lambda image: image["kind"]["S"] == "message_deleted" and "file_id" in image,
}
_SHARDS: Final = 2  # each with several conversations


@dataclass(eq=False)
class Stream:
    """The log's, with a reader for pushes and one for files, and the members', with one for withdrawals.

    `set_aside` is what has failed for good. `ends_entries`: the reader for pushes has entries end, and sees
    all of them.
    """

    runtime: Runtime
    set_aside: list[str]
    ends_entries: bool = False

    def __post_init__(self) -> None:
        self._hub, self._fault_model, self._numbers = self.runtime.hub, self.runtime.fault_model, self.runtime.numbers
        self._invoke, self._latency = self.runtime.invoke, self.runtime.latency
        self._partitions: dict[tuple[str, int], Partition] = defaultdict(Partition)

    def stored(self, written: Written) -> None:
        """A write of the log table: inserts go to the readers whose filter lets them through."""
        if written.table != "log" or written.old is not None or written.new is None:
            return
        record = {
            "eventName": "INSERT",
            "eventSource": "aws:dynamodb",
            "dynamodb": {"NewImage": written.new, "SequenceNumber": str(next(self._numbers))},
        }
        name = crc32(written.new["conversation_id"]["S"].encode()) % _SHARDS
        for reader, wants in _READERS.items():
            if not (wants(written.new) or (self.ends_entries and reader == _LOOKING)):
                continue
            self._append(reader, name, record)

    def noted(self, written: Written) -> None:
        """A write of the members table: what becomes of rows at which a push is noted goes to its reader."""
        old, new = written.old, written.new
        if (
            written.table != "members"
            or "pushed_seq" not in (old or {})
            or "pushed_seq" not in (new or {"pushed_seq": {}})
        ):
            return
        images: dict[str, Any] = {"OldImage": old, **({} if new is None else {"NewImage": new})}
        record: dict[str, Any] = {
            "eventName": "REMOVE" if new is None else "MODIFY",
            "eventSource": "aws:dynamodb",
            "dynamodb": {**images, "SequenceNumber": str(next(self._numbers))},
        }
        self._append(_WITHDRAWING, crc32(written.key["pk"]["S"].encode()) % _SHARDS, record)

    def _append(self, reader: str, name: int, record: dict[str, Any]) -> None:
        partition = self._partitions[reader, name]
        partition.records.append(record)
        if self._fault_model.strikes(Fault.RECORD_TWICE):
            partition.records.append(record)
        self._read_stream(reader, name)

    def _read_stream(self, reader: str, name: int) -> None:
        partition = self._partitions[reader, name]
        if partition.records and not partition.is_read:
            partition.is_read = True
            self._hub.after(5.0 + self._hub.random.random() * 200.0, lambda: self._next_batch(reader, name))

    def _next_batch(self, reader: str, name: int) -> None:
        partition = self._partitions[reader, name]
        batch = [partition.records[i] for i in range(min(_BATCH, len(partition.records)))]

        def call(instance: Instance) -> Any:
            consumer = handlers.files if reader == _RELEASING else handlers.push
            return consumer(instance, {"Records": batch})

        def done(answer: Any) -> None:
            self._settle(partition, batch, answer)
            partition.is_read = False
            self._read_stream(reader, name)

        self._invoke(_RELEASING if reader == _RELEASING else _LOOKING, call, done)

    def _settle(self, partition: Partition, batch: list[dict[str, Any]], answer: Any) -> None:
        """Go on behind what was done: everything, or up to the record that is named as failed."""
        if answer is not None and not answer["batchItemFailures"]:
            partition.failures = 0
            if self._fault_model.strikes(Fault.BATCH_AGAIN):
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
