"""Own cursors: what is due is found without a look at all of them, and is what a look at all of them finds."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import methodcaller
from types import FrameType
from typing import Any, cast

import pytest
from parley_client.cursors import CursorKind, Cursors
from parley_client.effects import Effect
from parley_client.errors import ParleyError
from parley_client.settings import Settings

from tests.client.bench import Bench, block, entry
from tests.client.model import Frame


class Looking(Cursors):
    """The same by looking at every cursor, each time."""

    def _take_due(self, now: float) -> list[Any]:
        for cursor in self._cursors.values():
            if cursor.read is not None and cursor.is_implied(cursor.read.confirmed):
                cursor.confirmed = cursor.wanted
        return [cursor for cursor in self._cursors.values() if self._is_sendable(cursor) and cursor.due <= now]

    def next_due(self) -> float | None:
        dues = [cursor.due for cursor in self._cursors.values() if self._is_sendable(cursor)]
        return min(dues) if dues else None


@dataclass
class Sent:
    """An exchange of which the test is the other side."""

    frames: list[Frame] = field(default_factory=list)
    answers: list[tuple[Callable[..., None], Callable[..., None]]] = field(default_factory=list)

    def transmit(self, frame: Frame, _: float, done: Callable[..., None], failed: Callable[..., None]) -> None:
        self.frames.append(frame)
        self.answers.append((done, failed))


class Pair:
    """Both, told the same."""

    def __init__(self) -> None:
        self.effects: tuple[list[Effect], list[Effect]] = ([], [])
        self.sent = Sent(), Sent()
        made = zip((Cursors, Looking), self.sent, self.effects, strict=True)
        self.both = [kind(Settings(), lambda: 0.5, cast("Any", sent), told.append) for kind, sent, told in made]

    def do(self, act: Callable[[Any], object]) -> None:
        first, second = (act(each) for each in self.both)
        assert first == second

    def answer(self, index: int, error: ParleyError | None, now: float) -> None:
        for sent in self.sent:
            done, failed = sent.answers.pop(index)
            if error is None:
                done({}, now)
            else:
                failed(error, now)

    def ride(self, where: str, ends: str, now: float) -> None:
        taken = [each.take_along(where) for each in self.both]
        assert taken[0] == taken[1]
        for each in self.both:
            if ends == "refused":
                each.left_behind(where, taken[0], now)
            else:
                each.taken_along(where, taken[0], taken[0] if ends == "taken" else None, now)

    def drop(self) -> None:
        for sent in self.sent:
            sent.answers.clear()
        self.do(lambda each: each.connection_lost())

    def check(self, now: float) -> None:
        self.do(lambda each: each.next_due())
        self.do(lambda each: each.send_due(now))
        self.do(lambda each: each.next_due())
        self.do(lambda each: (each.saved(), each.calls()))
        assert self.sent[0].frames == self.sent[1].frames
        assert self.effects[0] == self.effects[1]


def _want(kind: CursorKind, where: str, seq: int, due: float, call: int | None, each: Cursors) -> bool:
    return each.want(kind, where, seq, due=due, call=call)


@pytest.mark.parametrize("seed", range(150))
def test_what_is_due_is_what_a_look_at_all_of_them_finds(seed: int) -> None:
    draw, pair, now, call = random.Random(seed), Pair(), 0.0, 0
    for _ in range(120):
        match draw.randrange(10):
            case 0 | 1 | 2:
                kind: CursorKind = "read" if draw.random() < 0.5 else "delivered"
                where = f"dm:a:{draw.randrange(4)}"
                seq, due = draw.randrange(1, 12), now + draw.choice([0.0, 0.5, 0.5, 2.0])
                call += 1
                asking = call if draw.random() < 0.4 else None
                pair.do(partial(_want, kind, where, seq, due, asking))
            case 3 | 4 if pair.sent[0].answers:
                errors = None, None, ParleyError("unavailable", "no", retryable=True), ParleyError("no", "no")
                pair.answer(draw.randrange(len(pair.sent[0].answers)), draw.choice(errors), now)
            case 5:
                pair.do(methodcaller("forget", draw.randrange(call + 1)))
            case 6 if draw.random() < 0.3:
                pair.drop()
            case 7:
                where, active = f"dm:a:{draw.randrange(4)}", draw.random() < 0.7
                pair.do(methodcaller("typing", where, now, active=active))
            case 8 if draw.random() < 0.5:
                pair.do(methodcaller("hurry", now))
            case 8:
                pair.ride(f"dm:a:{draw.randrange(4)}", draw.choice(("taken", "unheard", "refused")), now)
            case _:
                now += draw.choice([0.1, 0.5, 1.0, 40.0])
        if draw.random() < 0.8:
            pair.check(now)
    pair.check(now + 1_000)


def _calls_of_a_message(conversations: int) -> int:
    """Functions entered for a message that comes, is taken, and is said to be delivered, among so many of them."""
    bench = Bench(auto_delivered=True, delivered_delay=0.0)
    where = [f"dm:alice:{number}" for number in range(conversations)]
    bench.online(*(block(0, where=each) for each in where))
    entered = 0

    def message(seq: int, each: str) -> None:
        core = bench.core
        core.receive(entry(seq, where=each), bench.now)
        core.next_event(bench.now)
        core.tick(bench.now)
        core.deadline()
        bench.reply(bench.sent("delivered")[-1])
        core.deadline()
        bench.effects.clear()

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal entered
        entered += event == "call"

    while bench.core.next_event(bench.now):
        pass
    for each in where:
        message(1, each)
    sys.setprofile(count)
    try:
        message(2, where[conversations // 2])
    finally:
        sys.setprofile(None)
    return entered


def test_a_message_takes_as_many_steps_among_a_thousand_conversations_as_among_twenty() -> None:
    assert _calls_of_a_message(1_000) <= _calls_of_a_message(20) + 5
