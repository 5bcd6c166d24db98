"""A thousand members react to one message within ten seconds: what becomes of them, and what it costs.

Virtual time, the real operation on the real adapters, each request in an instance of its own that knows nothing, and a
store whose partitions take what DynamoDB's do.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from random import Random
from typing import Any, Final

from shared.adapters.aws.calls import retried
from shared.clock import REQUEST_S, Deadline
from shared.domain.changes import OWNER, Added
from shared.domain.entries import Draft, change_entry
from shared.errors import ParleyError
from shared.operations.editing import React, react
from tests.dynamodb import Store
from tests.dynamodb.capacity import Limited
from tests.fakes import FakeGateway
from tests.simulation.scheduler import Hub, Process
from tests.stores import adapters, simulated
from tests.wiring import Wiring

GROUP: Final = "group:0123456789abcdef"
BASE_MS: Final = 1_795_431_200_000
_OWNERS_PORTION: Final = 40
# How long DynamoDB takes for an answer, in milliseconds: single items and queries, transactions.
_SINGLE: Final = (3.0, 7.0)
_TRANSACTION: Final = (8.0, 16.0)


@dataclass
class BusyGroup:
    """A group, a message in it at `seq`, and everybody's request."""

    members: int
    random: Random = field(default_factory=lambda: Random(1))
    outcomes: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.hub = Hub(self.random)
        self.store = Store(now_ms=lambda: BASE_MS + int(self.hub.now))
        self.limited = Limited(self.store, lambda: self.hub.now)
        self.users = [f"user-{number:04}" for number in range(self.members)]
        self.seq = self._found()

    def _found(self) -> int:
        log, base = adapters(self.store).log, None
        for start in range(0, self.members, _OWNERS_PORTION):
            users = tuple(self.users[start : start + _OWNERS_PORTION])
            change = Added(
                users,
                size=start + len(users),
                roles={users[0]: OWNER} if start == 0 else {},
                name="all" if start == 0 else None,
            )
            base = change_entry(
                change,
                base=base,
                conversation_id=GROUP,
                sender_id=self.users[0],
                created_at=BASE_MS - 60_000,
                nonce=f"g{start}",
                fan_out=start > 200,
            )
            assert log.put(base) is None
        message = Draft(GROUP, self.users[0], "who is coming?", "m", fan_out=self.members > 200).following(
            base, BASE_MS - 50_000
        )
        assert log.put(message) is None
        return message.seq

    def run(self, *, within_ms: float) -> None:
        for number, user in enumerate(self.users):
            at = self.random.random() * within_ms
            self.hub.after(at, partial(self._spawn, number, user))
        self.hub.run(within_ms + 60_000)

    def _spawn(self, number: int, user: str) -> None:
        self.hub.spawn(Process("rest"), lambda: self._react(number, user))

    def _react(self, number: int, user: str) -> None:
        self._once(f"n{number}", user)

    def _once(self, nonce: str, user: str, *, remove: bool = False) -> None:
        began = self.hub.now
        instance = Instance(self)
        try:
            react(React(user, GROUP, self.seq, "👍", remove=remove), **instance.whole(nonce))
        except ParleyError as error:
            self.outcomes[error.code] += 1
        else:
            self.outcomes["ok"] += 1
        self.waits.append((self.hub.now - began) / 1_000)

    @property
    def reactions(self) -> int:
        return len(adapters(self.store).log.fetch([(GROUP, self.seq)])[GROUP, self.seq].reactions)


@dataclass
class Rivals(BusyGroup):
    """The first `writers` of them change their reaction all the time, each as soon as it is stored."""

    writers: int = 16

    def run(self, *, within_ms: float) -> None:
        self._end = within_ms
        for number, user in enumerate(self.users[: self.writers]):
            self.hub.after(self.random.random() * 50, partial(self._spawn, number, user))
        self.hub.run(within_ms + 60_000)

    def _react(self, number: int, user: str) -> None:
        times = count()
        while self.hub.now < self._end:
            time = next(times)
            self._once(f"n{number}-{time}", user, remove=bool(time % 2))


class Instance:
    """A function's instance: `Calls` on the limited store, with the retries and the deadline of the real one."""

    def __init__(self, busy: BusyGroup) -> None:
        self._busy, hub = busy, busy.hub
        self._deadline = Deadline(
            REQUEST_S, monotonic=self._monotonic, sleep=lambda s: hub.wait(s * 1_000), backoff_s=self._backoff_s
        )
        self._deadline.begin()

    def whole(self, nonce: str) -> dict[str, Any]:
        """What an operation takes. No user is connected."""
        wiring = Wiring(
            adapters(self), FakeGateway(), lambda: BASE_MS + int(self._busy.hub.now), lambda: nonce, pause=self.pause
        )
        stores = replace(wiring.stores, sessions=simulated().sessions)  # whom it is posted to is not looked at here
        return {"stores": stores, "services": wiring.services, "context": wiring.context()}

    def _monotonic(self) -> float:
        return self._busy.hub.now / 1_000

    def _backoff_s(self, attempt: int) -> float:
        return self._busy.random.uniform(0, min(3.2, 0.025 * float(2 ** min(attempt, 10))))

    def pause(self, attempt: int) -> None:
        self._deadline.pause(attempt)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        def once() -> dict[str, Any]:
            low, high = _TRANSACTION if operation.startswith("Transact") else _SINGLE
            latency = self._busy.random.uniform(low, high)
            self._busy.hub.wait(latency / 2)
            try:
                return self._busy.limited.call(operation, request)
            finally:
                self._busy.calls[operation] += 1
                self._busy.hub.wait(latency / 2)

        return retried(once, pause=self.pause, monotonic=self._monotonic, check=self._deadline.check)


def report(busy: BusyGroup) -> str:
    """What came of it, for people."""
    waits = sorted(busy.waits)
    each = {kind: round(units / busy.members, 1) for kind, units in busy.limited.spent.items()}
    return (
        f"{busy.members} members: {dict(busy.outcomes)}, {busy.reactions} stored; "
        f"median {waits[len(waits) // 2]:.1f} s, longest {waits[-1]:.1f} s; "
        f"units each {each}, {busy.limited.throttled} calls throttled, {dict(busy.calls)}"
    )


def main() -> None:
    for members in map(int, sys.argv[1:] or ["1000"]):
        busy = BusyGroup(members)
        busy.run(within_ms=10_000)
        sys.stdout.write(f"{report(busy)}\n")


if __name__ == "__main__":
    main()
