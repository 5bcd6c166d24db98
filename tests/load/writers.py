"""Many write into one conversation at once: how long each waits, and what it costs, beside other ways to give places.

Virtual time, the real operation on the real adapters, each request in an instance of its own whose clock is a little
off, and a store whose partitions take what DynamoDB's do. A way is what appends one message: ours; the same put with
pauses by chance alone, as it was before ADR 0031; a counter beside the log; a transaction of three items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from math import inf
from random import Random
from typing import Any, Final, Protocol, cast

from shared.adapters.aws.calls import ServiceError, retried
from shared.adapters.dynamodb.client import Calls, to_item
from shared.adapters.dynamodb.schema import entry_item
from shared.clock import FRAME_S, Deadline, longest_s
from shared.domain.entries import Draft, Entry
from shared.domain.rules import Audience
from shared.errors import ParleyError, Unavailable
from shared.operations.context import Context
from shared.operations.messages import append
from tests.dynamodb import Store
from tests.dynamodb.capacity import Limited
from tests.simulation.scheduler import Hub, Killed, Process
from tests.stores import LOG, MEMBERS, Stores, adapters
from tests.wiring import make_context

CONVERSATION: Final = "dm:alice:bob"
BASE_MS: Final = 1_795_431_200_000
_BOTH: Final = Audience({"alice": "member", "bob": "member"})
# A client composes behind what it has been shown, and that takes about so long from the put.
_SHOWN_MS: Final = 30.0
# A transaction takes longer than a single call by about this factor.
_TRANSACTION: Final = 2.4
_TRIES: Final = 1_000


class World(Protocol):
    """Time, and the tables with a network in front of them."""

    @property
    def random(self) -> Random: ...
    def now_ms(self) -> float: ...
    def wait_ms(self, ms: float) -> None: ...
    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]: ...


@dataclass
class Simulated:
    """A world in virtual time. Each call takes `latency_ms`, up to 30 % more or less."""

    latency_ms: float = 5.0
    seed: int = 1
    skew_ms: float = 2.0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.hub = Hub(self.random)
        self.limited = Limited(Store(now_ms=lambda: BASE_MS + int(self.hub.now)), lambda: self.hub.now)

        begin(self.limited.store)

    def now_ms(self) -> float:
        return BASE_MS + self.hub.now

    def wait_ms(self, ms: float) -> None:
        self.hub.wait(ms)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        factor = _TRANSACTION if operation == "TransactWriteItems" else 1.0
        half = self.latency_ms * factor / 2 * self.random.uniform(0.7, 1.3)
        self.hub.wait(half)
        try:
            return self.limited.call(operation, request)
        finally:
            self.hub.wait(half)


class Instance:
    """A function's instance that serves one request: its clock, its deadline, and its calls, which are counted."""

    def __init__(self, world: World, made: Counter[str], *, off_ms: float = 0.0, dies_in: float = inf) -> None:
        self._world, self._made, self._off_ms, self._dies_in = world, made, off_ms, dies_in
        self._deadline = Deadline(
            FRAME_S,
            monotonic=lambda: world.now_ms() / 1_000,
            sleep=lambda s: world.wait_ms(s * 1_000),
            backoff_s=lambda attempt: world.random.uniform(0, longest_s(attempt)),
        )
        self._deadline.begin()
        self.stores: Stores = adapters(self)

    def now(self) -> int:
        return int(self._world.now_ms() + self._off_ms)

    def context(self) -> Context:
        return make_context(self.now, lambda: "", pause=self.pause, wait_ms=self._deadline.wait_ms)

    def pause(self, attempt: int) -> None:
        self._deadline.pause(attempt)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        def once() -> dict[str, Any]:
            self._step()
            self._count(operation, request)
            answer = self._world.call(operation, request)
            self._step()
            return answer

        return retried(
            once, pause=self.pause, monotonic=lambda: self._world.now_ms() / 1_000, check=self._deadline.check
        )

    def _step(self) -> None:
        """Before each call and after it. Raises Killed where the instance dies there."""
        self._dies_in -= 1
        if self._dies_in < 0:
            raise Killed

    def _count(self, operation: str, request: Mapping[str, Any]) -> None:
        """Items are below a kilobyte here: one unit each, whether the condition holds or not; two in a transaction."""
        if operation == "TransactWriteItems":
            self._made["writes"] += 2 * len(request["TransactItems"])
        else:
            self._made["writes" if operation in {"PutItem", "UpdateItem"} else "reads"] += 1


def begin(calls: Calls) -> None:
    """The conversation is there already, with one message in it that is not new."""
    first = Draft(CONVERSATION, "alice", "hello", nonce="first").following(None, BASE_MS - 60_000)
    calls.call("PutItem", {"TableName": LOG, "Item": to_item(entry_item(first))})
    calls.call("PutItem", {"TableName": MEMBERS, "Item": {**_COUNTER_KEY, **to_item({"n": 1})}})


Way = Callable[[Draft, Entry, Instance], Entry]
"""Appends a draft of a client that has been shown everything up to an entry. Raises ParleyError."""


def ours(draft: Draft, base: Entry, instance: Instance) -> Entry:
    """By turns: `append` as it is."""
    return append(draft, base=base, audience=_BOTH, stores=instance.stores, context=instance.context()).entry


def by_chance(draft: Draft, base: Entry, instance: Instance, *, longest: int = 4) -> Entry:
    """As before ADR 0031: from the second lost put on a random pause of up to 25, 50, 100 … 400 ms, then a read."""
    log = instance.stores.log
    for attempt in range(_TRIES):
        entry = draft.following(base, instance.now())
        there = log.put(entry)
        if there is None:
            return entry
        if attempt:
            instance.pause(min(attempt - 1, longest))
        behind = log.read(CONVERSATION, start=there.seq + 1, limit=1_000)
        base = behind[-1] if behind else there
    raise Unavailable


def by_counter(draft: Draft, _: Entry, instance: Instance) -> Entry:
    """A number from a counter, then the put. Who dies between the two leaves a gap for good, and no resend is told."""
    number = _next_number(instance)
    entry = draft.following(_before(number), instance.now())
    instance.stores.log.put(entry)
    return entry


def by_transaction(draft: Draft, _: Entry, instance: Instance) -> Entry:
    """A counter, the entry and a row that knows the message again, all or none; read and tried again where it fails."""
    for attempt in range(_TRIES):
        seen = _number(instance)
        entry = draft.following(_before(seen + 1), instance.now())
        counter = {
            **_COUNTER,
            "UpdateExpression": "SET n = :next",
            "ConditionExpression": "n = :seen",
            "ExpressionAttributeValues": to_item({":next": seen + 1, ":seen": seen}),
        }
        known = to_item({"pk": f"sent#{draft.nonce}", "sk": "sent"})
        put = {"TableName": LOG, "Item": to_item(entry_item(entry))}
        parts = [
            {"Update": counter},
            {"Put": put},
            {"Put": {"TableName": MEMBERS, "Item": known, "ConditionExpression": "attribute_not_exists(pk)"}},
        ]
        try:
            instance.call("TransactWriteItems", {"TransactItems": parts})
        except ServiceError as error:
            if error.code != "TransactionCanceledException":
                raise
            instance.pause(min(attempt, 4))
        else:
            return entry
    raise Unavailable


_COUNTER_KEY: Final = to_item({"pk": "counter", "sk": "counter"})
_COUNTER: Final = {"TableName": MEMBERS, "Key": _COUNTER_KEY}
WAYS: Final[Mapping[str, Way]] = {
    "by turns (ours)": ours,
    "by chance, up to 400 ms": by_chance,
    "by chance, up to 100 ms": partial(by_chance, longest=2),
    "counter, then put": by_counter,
    "transaction of three": by_transaction,
}


def _next_number(instance: Instance) -> int:
    update = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": to_item({":one": 1})}
    answer = instance.call("UpdateItem", {**_COUNTER, **update, "ReturnValues": "UPDATED_NEW"})
    return int(answer["Attributes"]["n"]["N"])


def _number(instance: Instance) -> int:
    return int(instance.call("GetItem", {**_COUNTER, "ConsistentRead": True})["Item"]["n"]["N"])


def _before(number: int) -> Entry:
    """Stands for the entry that nobody reads: these ways know the number alone."""
    return Entry(
        CONVERSATION, number - 1, "alice", 0, number - 1, message_seq=number - 1, authors={"alice": 1, "bob": 1}
    )


@dataclass
class Crowd:
    """Those who write. `waits` are milliseconds from a request to its answer, of messages that are stored.

    Where the instance dies (after `dies_in` steps, two for each call), the client sends its message again at once.
    """

    world: World
    way: Way = ours
    off_ms: Callable[[], float] = lambda: 0.0
    dies_in: Callable[[], float] = lambda: inf
    died: int = 0
    is_torn: bool = False
    waits: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)
    _shown: list[tuple[float, Entry]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def write(self, base: Entry) -> Entry:
        """One message. Returns its entry, or the base where it is refused."""
        name = str(next(self._numbers))
        began = self.world.now_ms()
        try:
            entry = self._sent(name, base)
        except ParleyError as error:
            self.refused[error.code] += 1
            return base
        self.waits.append(self.world.now_ms() - began)
        self._shown.append((self.world.now_ms(), entry))
        return entry

    def _sent(self, name: str, base: Entry) -> Entry:
        for attempt in count():
            draft = Draft(CONVERSATION, "alice", "hello", nonce=f"{name}/{attempt}", client_message_id=name)
            instance = Instance(self.world, self.made, off_ms=self.off_ms(), dies_in=self.dies_in())
            try:
                return self.way(draft, base, instance)
            except Killed:
                self.died += 1
        raise AssertionError("it is tried without end")

    def _stored(self, start: int = 1) -> list[Entry]:
        calls: Calls = cast("Calls", self.world.limited.store if isinstance(self.world, Simulated) else self.world)
        return adapters(calls).log.read(CONVERSATION, start=start, limit=1_000_000)

    def look(self) -> None:
        """Note whether there is a gap, a loss or a double: an answer that was lost leaves one behind a counter."""
        try:
            self.check()
        except AssertionError:
            self.is_torn = True

    def write_all(self, messages: int) -> None:
        """A closed loop: the next message as soon as the last one is stored, behind that. No client is that quick."""
        (base,) = self._stored()[:1]
        for _ in range(messages):
            base = self.write(base)

    def write_once(self) -> None:
        """One message of a client that has been shown what was stored a moment ago."""
        shown = self.world.now_ms() - _SHOWN_MS
        seen = [entry for at, entry in self._shown[-100:] if at <= shown]
        self.write(max(seen, key=lambda entry: entry.seq) if seen else self._stored()[0])

    def at(self, part: float) -> float:
        """The wait that this part of the messages stays below."""
        return sorted(self.waits)[min(len(self.waits) - 1, int(part * len(self.waits)))]

    def each(self, kind: str) -> float:
        """Units of "writes", or calls of "reads", for each message that is stored."""
        return self.made[kind] / len(self.waits)

    @property
    def per_second(self) -> float:
        """How many were stored a second, from the first answer to the last."""
        times = [at for at, _ in self._shown]
        return 1_000 * (len(times) - 1) / (max(times) - min(times)) if len(times) > 1 else 0.0

    def check(self) -> None:
        """Raises AssertionError on a gap, and where what was acknowledged is not what is stored, each exactly once."""
        stored = {entry.seq: entry.client_message_id for entry in self._stored()}
        acked = {entry.seq: entry.client_message_id for _, entry in self._shown}
        assert stored == {1: None, **acked}
        assert sorted(stored) == [*range(1, len(self._shown) + 2)]


def _crowd(world: Simulated, way: Way) -> Crowd:
    return Crowd(world, way, lambda: world.random.gauss(0, world.skew_ms))


def closed_loop(writers: int, *, messages: int, way: Way = ours, seed: int = 1, latency_ms: float = 5.0) -> Crowd:
    """`writers` who begin within 50 ms, each of whom writes `messages`, one right after the other."""
    world = Simulated(latency_ms, seed)
    crowd = _crowd(world, way)
    for _ in range(writers):
        start = partial(world.hub.spawn, Process("message"), partial(crowd.write_all, messages))
        world.hub.after(world.random.random() * 50, start)
    world.hub.run(3_600_000)
    return crowd


def dying_loop(writers: int, *, messages: int, seed: int = 1) -> Crowd:
    """The closed loop, where every third instance dies at one of its steps."""
    world = Simulated(seed=seed)
    crowd = _crowd(world, ours)
    crowd.dies_in = lambda: world.random.randrange(8) if world.random.random() < 1 / 3 else inf
    for _ in range(writers):
        world.hub.after(0, partial(world.hub.spawn, Process("message"), partial(crowd.write_all, messages)))
    world.hub.run(3_600_000)
    return crowd


def open_loop(rate: float, *, seconds: float, way: Way = ours, seed: int = 1, latency_ms: float = 5.0) -> Crowd:
    """Messages that come by chance, `rate` in a second, whatever has become of those before."""
    world = Simulated(latency_ms, seed)
    crowd = _crowd(world, way)
    at = 0.0
    while (at := at + world.random.expovariate(rate / 1_000)) < seconds * 1_000:
        world.hub.after(at, partial(world.hub.spawn, Process("message"), crowd.write_once))
    world.hub.run(seconds * 1_000 + 120_000)
    return crowd


def burst(writers: int, *, within_ms: float, way: Way = ours, seed: int = 1, latency_ms: float = 5.0) -> Crowd:
    """`writers` who write one message each within a moment, into a conversation that was quiet."""
    world = Simulated(latency_ms, seed)
    crowd = _crowd(world, way)
    for _ in range(writers):
        start = partial(world.hub.spawn, Process("message"), crowd.write_once)
        world.hub.after(world.random.random() * within_ms, start)
    world.hub.run(60_000)
    return crowd
