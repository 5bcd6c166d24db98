"""A team's receiver, and the queue of errands in a test's own time."""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.aws.event_queues import errand_body, errand_from
from shared.domain.webhooks import Accepted, Declined, Errand, PostResult, Single
from shared.errors import Unavailable
from shared.ports.webhooks import Outgoing


@dataclass
class FakeReceiver:
    """`got` is every event that was posted and accepted, `headers` what each came with. `answer` decides."""

    answer: Callable[[str, Mapping[str, Any]], PostResult] = lambda _url, _event: Accepted()
    got: list[Mapping[str, Any]] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tried: int = 0

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> PostResult:
        self.tried += 1
        event = json.loads(body)
        result = self.answer(url, event)
        if isinstance(result, Accepted):
            self.got.append(event)
            self.headers.append(headers)
            self.bodies.append(body)
        return result

    @property
    def ids(self) -> list[str]:
        return [str(event["id"]) for event in self.got]

    def first_ids(self) -> list[str]:
        """Each once, where it came first: what a consumer keeps that knows events by their ids."""
        return list(dict.fromkeys(self.ids))


def down(reason: str = "503", **said: Any) -> Callable[[str, Mapping[str, Any]], PostResult]:
    """The answers of a receiver that takes nothing."""
    return lambda _url, _event: Declined(reason, **said)


@dataclass
class FakeErrands:
    """Hands a message out when its delay is over, and again after `visible_ms` where it was not done."""

    now: Callable[[], int]
    waiting: list[tuple[int, int, str]] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    longest_ms: int = 900_000

    def put(self, errands: Sequence[Errand], *, delay_ms: int = 0) -> None:
        assert delay_ms <= self.longest_ms
        for errand in errands:
            self.again(json.dumps(errand_body(errand)), delay_ms)

    def again(self, body: str, delay_ms: int) -> None:
        heapq.heappush(self.waiting, (self.now() + delay_ms, next(self.numbers), body))

    def due(self) -> str | None:
        """The next message, if its time has come."""
        if not self.waiting or self.waiting[0][0] > self.now():
            return None
        return heapq.heappop(self.waiting)[2]

    @property
    def next_at(self) -> int | None:
        return self.waiting[0][0] if self.waiting else None

    @property
    def errands(self) -> list[Errand]:
        return [errand_from(json.loads(body)) for _, _, body in sorted(self.waiting)]


@dataclass
class FakeGivenUp:
    singles: list[Single] = field(default_factory=list)

    def put(self, single: Single) -> None:
        self.singles.append(single)


@dataclass
class FakeBus:
    """`answer` says of each event whether the bus takes it; like the real one, it stops a conversation at the first."""

    answer: Callable[[Outgoing], bool] = lambda _: True
    got: list[Outgoing] = field(default_factory=list)

    def put(self, events: Sequence[Outgoing]) -> Sequence[bool]:
        taken = []
        for event in events:
            taken.append(self.answer(event))
            if taken[-1]:
                self.got.append(event)
        return taken


class KilledError(Unavailable):
    """The process ended here."""


@dataclass
class Killer:
    """Lets so many calls through, and ends the process before or after the next."""

    at: int
    after: bool = False
    made: int = 0
    is_spent: bool = False

    def around(self, port: Any, *names: str) -> Any:
        return _Killable(port, self, frozenset(names))

    def step(self, call: Callable[[], Any]) -> Any:
        self.made += 1
        is_now = not self.is_spent and self.made == self.at
        if is_now and not self.after:
            self.is_spent = True
            raise KilledError
        result = call()
        if is_now:
            self.is_spent = True
            raise KilledError
        return result


class _Killable:
    def __init__(self, port: Any, killer: Killer, names: frozenset[str]) -> None:
        self._port, self._killer, self._names = port, killer, names

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method) or (self._names and name not in self._names):
            return method
        return lambda *args, **kwargs: self._killer.step(lambda: method(*args, **kwargs))
