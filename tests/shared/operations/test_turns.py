"""Many at once: what a message does that finds others before it, by what the log says of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from shared.domain.changes import MEMBER
from shared.domain.entries import Draft, Entry
from shared.domain.rules import Audience
from shared.errors import SyncRequired, Unavailable
from shared.operations.messages import append
from shared.operations.resends import MAX_EXAMINED, Appended
from shared.operations.turns import BUSY_MS
from tests.fakes import DM, FakeClock, FakeNonces
from tests.stepping import Stepper, explore
from tests.stores import LOG, Simulated, simulated
from tests.wiring import make_context

BOTH = Audience(dict.fromkeys(("alice", "bob"), MEMBER))


@dataclass
class Busy:
    """A conversation, and a message that is appended to it. Time passes where it waits."""

    stores: Simulated = field(default_factory=simulated)
    clock: FakeClock = field(default_factory=FakeClock)
    waits: list[int] = field(default_factory=list)
    pauses: list[int] = field(default_factory=list)
    during: Callable[[], object] = lambda: None

    def stored(self, *, waited: int = 0, ago: int = 0, text: str = "other") -> Entry:
        """An entry of somebody else's at the tail, put `ago` milliseconds ago, after `waited`."""
        with self.stores.calls.quietly():
            tail = next(iter(self.stores.log.read_back(DM, limit=1)), None)
            name = f"{text}{tail.seq if tail else 0}"
            draft = Draft(DM, "bob", text, nonce=name, client_message_id=name)
            entry = draft.following(tail, self.clock() - ago, waited=waited)
            assert self.stores.log.put(entry) is None
        return entry

    def append(self, base: Entry, *, nonce: str = "a1") -> Appended:
        draft = Draft(DM, "alice", "hi", nonce=nonce, client_message_id="c")
        context = make_context(self.clock, FakeNonces(), pause=self.pauses.append, wait_ms=self._wait)
        return append(draft, base=base, audience=BOTH, stores=self.stores, context=context)

    def _wait(self, ms: int) -> None:
        self.waits.append(ms)
        self.clock.advance(ms)
        self.during()

    @property
    def calls(self) -> tuple[int, int]:
        return self.stores.calls.writes(LOG), self.stores.calls.reads(LOG)


@pytest.fixture
def busy() -> Busy:
    made = Busy()
    made.stored(ago=60_000)
    return made


def test_behind_what_had_to_wait_a_moment_ago_the_tail_is_read_before_the_put(busy: Busy) -> None:
    """The blind put would have been in vain: it costs five times what the read does."""
    base = busy.stored(waited=40, ago=60)
    busy.stored(waited=10, ago=30)
    appended = busy.append(base)
    assert (appended.entry.seq, busy.calls, busy.waits) == (4, (1, 1), [])


def test_what_had_to_wait_is_forgotten_after_a_while(busy: Busy) -> None:
    base = busy.stored(waited=40, ago=BUSY_MS)
    assert (busy.append(base).entry.waited, busy.calls) == (0, (1, 0))


def test_an_entry_says_that_it_waited_only_where_it_could_not_be_put_right_behind_its_base(busy: Busy) -> None:
    base = busy.stored(waited=40, ago=60)
    assert busy.append(base).entry.waited == 0
    busy.clock.advance(BUSY_MS)
    late = busy.append(base, nonce="a2")
    assert (late.duplicate, late.entry.waited) == (True, 0)
    other = Draft(DM, "bob", "x", nonce="b", client_message_id="b")
    context = make_context(busy.clock, FakeNonces())
    met = append(other, base=base, audience=BOTH, stores=busy.stores, context=context)
    assert (met.entry.seq, met.entry.waited) == (4, 1)
    assert busy.stores.log.fetch([(DM, 4)])[DM, 4].waited == 1


def test_who_came_before_the_last_one_that_was_stored_does_not_wait(busy: Busy) -> None:
    base = busy.stored(ago=60_000)
    lost = iter((True,))

    def later(_: Entry) -> None:
        if next(lost, False):
            busy.clock.advance(30)
            busy.stored(waited=29)

    busy.stores.before_put(later)
    assert busy.append(base).entry.seq == 4
    assert busy.waits == []


def test_who_came_later_lets_those_before_it_go_first_and_goes_on_where_none_comes(busy: Busy) -> None:
    """The last one had come 100 ms before this one: those in between are given 70."""
    base = busy.stored(waited=100)
    appended = busy.append(base)
    assert (busy.waits, appended.entry.seq, busy.calls) == ([70], 3, (1, 2))


def test_while_others_come_it_waits_again_and_ever_shorter(busy: Busy) -> None:
    base = busy.stored(waited=60)
    came = busy.clock()
    busy.during = lambda: busy.stored(waited=busy.clock() - came + 60 - 20 * len(busy.waits))
    appended = busy.append(base)
    assert busy.waits == [42, 28, 14]
    assert (appended.entry.seq, busy.calls[0]) == (6, 1)
    assert appended.entry.waited == sum(busy.waits)


def test_where_messages_wait_long_they_stand_closer(busy: Busy) -> None:
    busy.append(busy.stored(waited=200))
    assert busy.waits == [70]


@pytest.mark.parametrize("off", [-10_000_000, 10_000_000])
def test_another_instances_clock_that_is_wrong_holds_up_nobody(busy: Busy, off: int) -> None:
    base = busy.stored(waited=100)

    def wrong() -> None:
        if len(busy.waits) < 5:
            busy.stored(waited=100, ago=off)

    busy.during = wrong
    busy.append(base)
    assert all(ms <= 250 for ms in busy.waits)
    assert len(busy.waits) <= 6


def test_a_waiting_time_that_can_not_be_is_waited_for_only_a_little(busy: Busy) -> None:
    busy.append(busy.stored(waited=10_000_000))
    assert busy.waits == [250]


def outrun(busy: Busy, times: int) -> None:
    """Before so many of its puts, another message takes the place, after 25 ms."""
    left = iter(range(times))

    def quicker(_: Entry) -> None:
        if next(left, None) is not None:
            busy.clock.advance(25)
            busy.stored()

    busy.stores.before_put(quicker)


def test_what_a_put_meets_that_followed_a_read_is_the_tail(busy: Busy) -> None:
    """So only the first loss, of a put behind what the client held, costs a read."""
    base = busy.stored(ago=60_000)
    outrun(busy, 3)
    assert busy.append(base).entry.seq == 6
    assert busy.calls == (4, 1)


def test_who_was_held_up_between_its_read_and_its_put_reads_again(busy: Busy) -> None:
    base = busy.stored(ago=60_000)
    busy.stored()
    lost = iter((False, True))

    def held_up(_: Entry) -> None:
        if next(lost, False):
            busy.clock.advance(2_000)
            for _number in range(50):
                busy.stored(waited=1_990)

    busy.stores.before_put(held_up)
    assert busy.append(base).entry.seq == 54
    assert busy.calls[0] == 3


def test_losses_in_a_moment_are_paused_for_and_those_of_a_long_wait_are_not(busy: Busy) -> None:
    base = busy.stored(ago=60_000)
    outrun(busy, 8)
    busy.append(base)
    assert busy.pauses == []
    at_once = Busy()
    base = at_once.stored(ago=60_000)
    left = iter(range(5))
    at_once.stores.before_put(lambda _: at_once.stored() if next(left, None) is not None else None)
    at_once.append(base)
    assert at_once.pauses == [0, 1, 2, 2]


def test_a_resend_that_waits_finds_its_message_without_a_put(busy: Busy) -> None:
    base = busy.stored(waited=40, ago=60)
    first = busy.append(base)
    busy.stored(waited=50)
    again = busy.append(base, nonce="a2")
    assert (again.entry, again.duplicate) == (first.entry, True)
    assert busy.calls[0] == 1


def test_no_more_than_a_thousand_entries_are_waited_for(busy: Busy) -> None:
    base = busy.stored(waited=1_000)
    busy.during = lambda: [busy.stored(waited=100_000) for _ in range(40)]
    with pytest.raises(SyncRequired):
        busy.append(base)
    assert len(busy.waits) <= MAX_EXAMINED // 40 + 1


def test_a_wait_that_has_no_time_left_stores_nothing(busy: Busy) -> None:
    base = busy.stored(waited=100)

    def over() -> None:
        raise Unavailable

    busy.during = over
    with pytest.raises(Unavailable):
        busy.append(base)
    assert busy.calls[0] == 0


class Dead(BaseException):
    """The instance is gone."""


@pytest.mark.parametrize("lives_for", range(7))
def test_whichever_step_it_dies_at_the_resend_is_stored_once_and_others_go_on(busy: Busy, lives_for: int) -> None:
    """A read, a wait with a read, a put that is lost, a put: after each of them, and before the first."""
    base = busy.stored(waited=60)
    steps = iter(range(lives_for))
    rival = iter((True,))

    def dies(operation: str, request: Mapping[str, Any]) -> None:
        if next(steps, None) is None:
            raise Dead
        if operation in {"PutItem", "TransactWriteItems"} and next(rival, False):
            busy.stored(waited=80, text="rival")

    busy.stores.calls.before = dies
    with suppress(Dead):
        busy.append(base)
    busy.stores.calls.before = lambda *_: None
    other = busy.stored(waited=10, text="another")
    again = busy.append(base, nonce="a2")
    written = busy.stores.entries(DM)
    assert [entry.seq for entry in written] == list(range(1, len(written) + 1))
    assert [entry.seq for entry in written if entry.sender_id == "alice"] == [again.entry.seq]
    assert again.duplicate == (again.entry.seq < other.seq)
    assert lives_for not in {0, 6} or again.duplicate == (lives_for == 6)


@dataclass
class Scenario:
    stores: Simulated
    appended: list[Appended] = field(default_factory=list)


def resends_in_a_crowd(*senders: str, only: tuple[str, ...]) -> Callable[[Stepper], Scenario]:
    """Attempts of one message of each sender's, behind an entry that has waited, so that all read before they put."""

    def build(stepper: Stepper) -> Scenario:
        busy = Busy()
        busy.stored(ago=60_000)
        base = busy.stored(waited=100, ago=100)
        scenario = Scenario(busy.stores)
        stores = replace(busy.stores, log=stepper.wrap(busy.stores.log, only=only))

        def attempt(number: int, sender: str) -> None:
            draft = Draft(DM, sender, sender, nonce=f"n{number}", client_message_id=sender)
            context = make_context(FakeClock(), FakeNonces())
            done = append(draft, base=base, audience=BOTH, stores=stores, context=context)
            if sender == "alice":
                scenario.appended.append(done)

        for number, sender in enumerate(senders):
            stepper.add(partial(attempt, number, sender))
        return scenario

    return build


@pytest.mark.parametrize(
    ("senders", "only"),
    [(("alice", "alice"), ("read", "put")), (("alice", "alice", "bob"), ("put",))],
    ids=["two attempts", "two attempts and a rival"],
)
def test_attempts_of_one_message_in_a_crowd_store_it_once_in_every_interleaving(
    senders: tuple[str, ...], only: tuple[str, ...]
) -> None:
    tried = 0
    for scenario in explore(resends_in_a_crowd(*senders, only=only)):
        tried += 1
        written = scenario.stores.entries(DM)
        assert sorted(entry.sender_id for entry in written[2:]) == sorted(set(senders))
        assert [entry.seq for entry in written] == list(range(1, len(written) + 1))
        assert len({one.entry.seq for one in scenario.appended}) == 1
        assert sorted(one.duplicate for one in scenario.appended) == [False, True]
    assert tried > 5
