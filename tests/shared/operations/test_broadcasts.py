from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared.adapters.dynamodb.broadcasts import DynamoDbBroadcasts
from shared.domain.broadcasts import CANCELLED, DONE, LANES, PAUSED, RUNNING, SEGMENTS, Broadcast, BroadcastJob
from shared.domain.connections import PostOutcome
from shared.domain.notifications import Notification
from shared.errors import BadRequest, Conflict, NotFound, ParleyError, TooLarge, Unavailable
from shared.operations import broadcasts
from shared.operations.broadcast_pages import carry_on
from shared.operations.broadcasts import MAX_AT_ONCE, BroadcastRequest
from shared.operations.context import Context
from shared.operations.notifications import KEPT_MS
from tests.harness import Harness
from tests.stores import MEMBERS, SESSIONS
from tests.wiring import make_context

RATE = 10


@dataclass
class BroadcastHarness(Harness):
    rate: int = RATE
    waited: list[int] = field(default_factory=list)

    @property
    def context(self) -> Context:
        return make_context(self.clock, self.nonces, fan_out_rate=self.rate, wait_ms=self.waited.append)

    def start(self, title: str = "Hello", **more: Any) -> Broadcast:
        return broadcasts.start_broadcast(BroadcastRequest(title, **more), by="shop", **self.whole)

    def run(self, job: BroadcastJob) -> None:
        carry_on(job, stores=self.stores, services=self.push_services, context=self.context)

    def run_all(self, *, after_each: Callable[[], object] = lambda: None) -> int:
        """Every job, until there are none. How many there were."""
        done = 0
        while self.broadcasts.jobs:
            self.run(self.broadcasts.jobs.pop(0))
            after_each()
            done += 1
        return done

    def look(self, broadcast_id: str) -> Broadcast:
        return broadcasts.broadcast_of(broadcast_id, stores=self.stores)

    def counts(self, broadcast_id: str) -> tuple[int, int, int]:
        """Posted, failed, stored."""
        parts = self.look(broadcast_id).segments
        return sum(one.posted for one in parts), sum(one.failed for one in parts), sum(one.stored for one in parts)

    def heard(self, *users: str) -> Counter[str]:
        """How many events each user's one connection has got."""
        return Counter({user: len(self.events(f"{user}1")) for user in users})

    def kept(self, user: str) -> list[Notification]:
        return list(self.stores.notifications.of(user, now=self.clock()))

    def rows_of(self, broadcast_id: str) -> list[dict[str, Any]]:
        return self.stores.rows(MEMBERS, sk=f"notice#{broadcast_id}")


@pytest.fixture
def harness() -> BroadcastHarness:
    return BroadcastHarness()


USERS = [f"user-{number}" for number in range(60)]


def test_everybody_who_is_connected_hears_of_it_once_on_each_connection(harness: BroadcastHarness) -> None:
    harness.connect(*USERS)
    harness.stores.connect("user-7", "another", at=harness.clock())
    harness.stores.connect("gone", "gone1", at=1, expires_at=2)
    started = harness.start(body="You", data={"k": "v"})
    assert started.state == RUNNING
    harness.run_all()
    (event,) = harness.events("another")
    assert event == {
        "type": "notification",
        "notification": {
            "id": started.broadcast_id,
            "kind": "system",
            "title": "Hello",
            "body": "You",
            "data": {"k": "v"},
            "created_at": started.created_at,
        },
    }
    assert harness.heard(*USERS) == Counter(USERS)
    assert harness.events("gone1") == []
    assert harness.look(started.broadcast_id).state == DONE
    assert harness.counts(started.broadcast_id) == (61, 0, 0)
    assert harness.rows_of(started.broadcast_id) == []
    assert harness.pushes.puts == []
    assert harness.delivery_checks.puts == []


def test_nobody_is_there_and_it_is_done_all_the_same(harness: BroadcastHarness) -> None:
    started = harness.start(is_stored=True)
    assert harness.run_all() == 2 * SEGMENTS
    assert harness.look(started.broadcast_id).state == DONE
    assert harness.counts(started.broadcast_id) == (0, 0, 0)


def test_a_job_posts_no_more_than_a_second_takes_and_few_are_in_flight(harness: BroadcastHarness) -> None:
    """What leaves messages their room: 2 jobs of a broadcast at any time, and 4 broadcasts, of a second each."""
    harness.connect(*USERS)
    for number in range(3):
        for user in USERS[:20]:
            harness.stores.connect(user, f"{user}-{number}", at=harness.clock())
    most, before = 0, 0
    ids = [harness.start(broadcast_id=f"b{number}").broadcast_id for number in range(MAX_AT_ONCE)]
    assert len(harness.broadcasts.jobs) == LANES * MAX_AT_ONCE

    def look() -> None:
        nonlocal most, before
        posted = sum(harness.counts(one)[0] for one in ids)
        most, before = max(most, posted - before), posted
        assert len(harness.broadcasts.jobs) <= LANES * MAX_AT_ONCE

    harness.run_all(after_each=look)
    assert most <= RATE + 3, "a user's connections are not parted"
    assert [harness.counts(one)[0] for one in ids] == [120] * MAX_AT_ONCE
    assert max(harness.waited) <= 1_000


def test_a_fifth_at_once_is_refused_until_one_is_at_its_end(harness: BroadcastHarness) -> None:
    for number in range(MAX_AT_ONCE):
        harness.start(broadcast_id=f"b{number}")
    for halted in ("b0", "b1"):
        broadcasts.pause_broadcast(halted, stores=harness.stores, context=harness.context)
    with pytest.raises(Conflict):
        harness.start(broadcast_id="b4")
    assert harness.start(broadcast_id="b3").state == RUNNING, "a repetition is none of them"
    broadcasts.cancel_broadcast("b0", stores=harness.stores, context=harness.context)
    assert harness.start(broadcast_id="b4").state == RUNNING
    with pytest.raises(Conflict):
        harness.start(broadcast_id="b5")
    harness.run_all()
    assert harness.start(broadcast_id="b5").state == RUNNING


def test_the_last_one_that_there_is_room_for_may_be_asked_for_twice_at_once(
    harness: BroadcastHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(MAX_AT_ONCE - 1):
        harness.start(broadcast_id=f"b{number}")

    def get(*_: object) -> None:
        monkeypatch.undo()
        harness.start(broadcast_id="last")

    monkeypatch.setattr(DynamoDbBroadcasts, "get", get)
    assert harness.start(broadcast_id="last").broadcast_id == "last"


def test_it_is_stored_for_everybody_who_is_known_once(harness: BroadcastHarness) -> None:
    """By a connection of any time, or by any row."""
    harness.connect(*USERS[:20])
    harness.stores.connect("was here", "old", at=1, expires_at=2)
    harness.stores.write("user-0", "hi", conversation_id="dm:never:user-0")
    for user in USERS[10:40]:
        for number in range(8):
            harness.stores.write(user, "hi", conversation_id=f"dm:other-{number}:{user}")
    started = harness.start("Terms", is_stored=True, broadcast_id="terms")
    harness.run_all()
    known = {*USERS[:40], "was here", "never", *(f"other-{number}" for number in range(8))}
    rows = harness.rows_of("terms")
    assert {row["pk"] for row in rows} == {f"user#{user}" for user in known}
    assert harness.counts("terms") == (20, 0, len(known))
    (kept,) = harness.kept("never")
    assert kept == started.told("never", kept_ms=KEPT_MS)
    harness.stores.notifications.acknowledge("never", "terms")
    assert harness.kept("never") == []


def test_what_was_acknowledged_meanwhile_does_not_come_back(harness: BroadcastHarness) -> None:
    harness.connect("alice")
    harness.stores.write("alice", "hi")
    harness.start(is_stored=True, broadcast_id="terms")
    while not harness.events("alice1"):
        harness.run(harness.broadcasts.jobs.pop(0))
    harness.stores.notifications.acknowledge("alice", "terms")
    harness.run_all()
    assert harness.kept("alice") == []
    assert harness.counts("terms") == (1, 0, 2)


def test_no_push_is_missed_that_was_never_meant(harness: BroadcastHarness) -> None:
    harness.stores.write("alice", "hi")
    harness.start(is_stored=True)
    harness.run_all()
    assert harness.kept("alice")
    assert harness.stores.standings.of("alice", now=harness.clock()).notifications == []


@pytest.mark.parametrize("is_stored", [False, True])
def test_what_comes_twice_counts_once(harness: BroadcastHarness, is_stored: bool) -> None:
    harness.connect(*USERS)
    harness.stores.write("alice", "hi")
    harness.start(is_stored=is_stored, broadcast_id="b")
    while harness.broadcasts.jobs:
        job = harness.broadcasts.jobs.pop(0)
        harness.run(job)
        harness.run(job)
        assert len(harness.broadcasts.jobs) <= 3 * LANES
    assert harness.look("b").state == DONE
    assert harness.counts("b") == (60, 0, 62 if is_stored else 0)
    assert set(harness.heard(*USERS).values()) == {1}, "what was noted is not done again"


def nothing(_operation: str, _request: Mapping[str, Any]) -> None:
    """Before a call."""


def dies(harness: BroadcastHarness, job: BroadcastJob, at: int) -> bool:
    """Whether the job came to its `at`th call of a table and died there; behind the last it dies at the queue."""
    steps = 0

    def die(_operation: str, _request: Mapping[str, Any]) -> None:
        nonlocal steps
        if steps == at:
            raise Unavailable
        steps += 1

    harness.stores.calls.before = die
    harness.broadcasts.refuses = at % 2 == 0
    try:
        harness.run(job)
    except Unavailable:
        return True
    finally:
        harness.stores.calls.before, harness.broadcasts.refuses = nothing, False
    return False


@pytest.mark.parametrize("is_stored", [False, True])
def test_it_ends_and_counts_right_wherever_a_job_dies(is_stored: bool) -> None:
    """Before each call to a table, and before it queues what follows; and then it comes again."""
    harness = BroadcastHarness()
    harness.connect(*USERS[:12])
    harness.stores.write("alice", "hi")
    harness.start(is_stored=is_stored, broadcast_id="b")
    while harness.broadcasts.jobs:
        job = harness.broadcasts.jobs.pop(0)
        waiting = list(harness.broadcasts.jobs)
        for at in range(100):
            if not dies(harness, job, at):
                break
            harness.broadcasts.jobs[:] = waiting
    assert harness.look("b").state == DONE
    assert harness.counts("b") == (12, 0, 14 if is_stored else 0)
    assert min(harness.heard(*USERS[:12]).values()) >= 1


def test_a_start_that_dies_before_it_queues_is_made_good_by_its_repetition(harness: BroadcastHarness) -> None:
    harness.connect("alice")
    harness.broadcasts.refuses = True
    with pytest.raises(Unavailable):
        harness.start(broadcast_id="b")
    harness.broadcasts.refuses = False
    assert harness.start(broadcast_id="b").created_at == harness.look("b").created_at
    harness.run_all()
    assert harness.heard("alice") == Counter(["alice"])
    before = harness.look("b")
    assert harness.start(broadcast_id="b") == before, "it is done, and stays so"
    assert harness.broadcasts.jobs == []


@pytest.mark.parametrize("other", [{"body": "x"}, {"data": {"a": "b"}}, {"is_stored": True}, {"title": "Bye"}])
def test_another_with_its_id_is_refused(harness: BroadcastHarness, other: dict[str, Any]) -> None:
    harness.start(broadcast_id="b")
    with pytest.raises(Conflict):
        harness.start(**{"broadcast_id": "b", **other})


def test_a_paused_one_goes_on_where_it_stopped(harness: BroadcastHarness) -> None:
    harness.connect(*USERS)
    harness.start(broadcast_id="b")
    for _ in range(3):
        harness.run(harness.broadcasts.jobs.pop(0))
    paused = broadcasts.pause_broadcast("b", stores=harness.stores, context=harness.context)
    assert paused.state == PAUSED
    assert harness.run_all() == LANES, "each is dropped"
    assert harness.look("b").segments == paused.segments
    assert broadcasts.pause_broadcast("b", stores=harness.stores, context=harness.context).state == PAUSED
    assert broadcasts.resume_broadcast("b", **harness.whole).state == RUNNING
    broadcasts.resume_broadcast("b", **harness.whole)
    harness.run_all()
    assert harness.counts("b")[0] == 60
    assert set(harness.heard(*USERS).values()) == {1}


def test_a_job_that_is_under_way_counts_and_queues_nothing_once_it_is_paused(harness: BroadcastHarness) -> None:
    harness.connect(*USERS)
    harness.start(broadcast_id="b")
    job = harness.broadcasts.jobs.pop(0)
    harness.broadcasts.jobs.clear()

    def pausing(operation: str, request: Mapping[str, Any]) -> None:
        if operation == "Scan":
            broadcasts.pause_broadcast("b", stores=harness.stores, context=harness.context)

    harness.stores.calls.before = pausing
    harness.run(job)
    harness.stores.calls.before = nothing
    assert harness.broadcasts.jobs == []
    assert harness.look("b").segments[0].step == 1
    broadcasts.resume_broadcast("b", **harness.whole)
    harness.run_all()
    assert harness.counts("b")[0] == 60


def test_two_jobs_for_one_page_do_not_both_count_and_one_goes_on(harness: BroadcastHarness) -> None:
    harness.connect(*USERS)
    harness.start(broadcast_id="b")
    first = harness.broadcasts.jobs[0]
    second = replace(first, nonce="another")
    harness.broadcasts.jobs.clear()

    def meanwhile(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "UpdateItem" and not harness.broadcasts.jobs:
            harness.run(second)

    harness.stores.calls.before = meanwhile
    harness.run(first)
    harness.stores.calls.before = nothing
    assert len(harness.broadcasts.jobs) == 1
    assert harness.look("b").segments[0].by == "another"
    assert harness.counts("b")[0] == sum(harness.heard(*USERS).values()) / 2


def test_a_cancelled_one_ends_for_good(harness: BroadcastHarness) -> None:
    harness.connect(*USERS)
    harness.start(broadcast_id="b")
    for _ in range(2):
        assert broadcasts.cancel_broadcast("b", stores=harness.stores, context=harness.context).state == CANCELLED
    harness.run_all()
    assert harness.heard(*USERS) == Counter()
    with pytest.raises(Conflict):
        broadcasts.resume_broadcast("b", **harness.whole)
    with pytest.raises(Conflict):
        broadcasts.pause_broadcast("b", stores=harness.stores, context=harness.context)
    assert harness.start(broadcast_id="b").state == CANCELLED, "a repetition does not bring it back"
    assert harness.broadcasts.jobs == []


def test_one_that_is_done_is_neither_paused_nor_cancelled(harness: BroadcastHarness) -> None:
    harness.start(broadcast_id="b")
    harness.run_all()
    with pytest.raises(Conflict):
        broadcasts.pause_broadcast("b", stores=harness.stores, context=harness.context)
    with pytest.raises(Conflict):
        broadcasts.cancel_broadcast("b", stores=harness.stores, context=harness.context)
    with pytest.raises(Conflict):
        broadcasts.resume_broadcast("b", **harness.whole)
    assert harness.look("b").state == DONE
    assert harness.broadcasts.jobs == []


def test_one_that_is_not_there_is_not_found(harness: BroadcastHarness) -> None:
    asks: list[Callable[[], object]] = [
        lambda: harness.look("b"),
        lambda: broadcasts.pause_broadcast("b", stores=harness.stores, context=harness.context),
        lambda: broadcasts.cancel_broadcast("b", stores=harness.stores, context=harness.context),
        lambda: broadcasts.resume_broadcast("b", **harness.whole),
    ]
    for ask in asks:
        with pytest.raises(NotFound):
            ask()
    harness.run(BroadcastJob("b", 0, 0, "n"))
    assert harness.broadcasts.jobs == []


def test_dead_connections_go_and_what_fails_is_counted(harness: BroadcastHarness) -> None:
    harness.connect("alice", "bob", "carol")
    harness.clock.advance(60_000)
    harness.gateway.outcomes |= {"bob1": PostOutcome.GONE, "carol1": PostOutcome.FAILED}
    harness.start(broadcast_id="b")
    harness.run_all()
    assert harness.counts("b") == (1, 1, 0)
    assert [row["connections"] for row in harness.stores.rows(SESSIONS, user_id="bob")] == [{}]
    assert [gone.user_id for gone in harness.checks.scheduled] == ["bob"]
    assert harness.observer.counted["PostsFailed"] == 1


def test_the_list_has_the_newest_first_page_by_page(harness: BroadcastHarness) -> None:
    for number in range(7):
        harness.start(broadcast_id=f"b{number}")
        harness.run_all()
        harness.clock.advance(number % 2)
    found: list[str] = []
    before = None
    while True:
        page, before = broadcasts.broadcasts_before(before, limit=3, stores=harness.stores)
        found += [one.broadcast_id for one in page]
        if before is None:
            break
    assert found == [f"b{number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"title": " "}, BadRequest),
        ({"title": "x" * 101}, TooLarge),
        ({"title": "a\nb"}, BadRequest),
        ({"body": "x" * 1_001}, TooLarge),
        ({"data": {"k": "v" * 2_048}}, TooLarge),
        ({"broadcast_id": ".."}, BadRequest),
        ({"broadcast_id": ""}, BadRequest),
        ({"broadcast_id": "x" * 65}, BadRequest),
    ],
)
def test_its_text_and_its_id_are_as_a_notifications(
    harness: BroadcastHarness, asked: dict[str, Any], error: type[ParleyError]
) -> None:
    with pytest.raises(error):
        harness.start(**asked)
    assert harness.broadcasts.jobs == []
    assert harness.stores.rows(MEMBERS) == []
