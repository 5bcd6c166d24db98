"""The one-write append: new, once, in order, whoever else writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from shared.domain.changes import MEMBER
from shared.domain.entries import Draft, Entry
from shared.domain.members import Audience
from shared.errors import Conflict, SyncRequired, Unavailable
from shared.operations.context import MAX_ATTEMPTS
from shared.operations.messages import MAX_EXAMINED, Appended, append
from tests.fakes import DM, FakeClock, FakeLog
from tests.stepping import Stepper, explore

BOTH = Audience(dict.fromkeys(("alice", "bob"), MEMBER))


def draft(text: str = "hi", *, sender: str = "alice", cmid: str | None = "c", nonce: str = "a1") -> Draft:
    return Draft(DM, sender, text, nonce=nonce, client_message_id=cmid)


def append_to(log: FakeLog, one: Draft, *, base: Entry | None = None, pauses: list[int] | None = None) -> Appended:
    pause: Callable[[int], None] = (pauses if pauses is not None else []).append
    return append(
        one,
        base=base,
        audience=BOTH,
        new_members=("alice", "bob"),
        log=log,
        memberships=log.memberships,
        now=FakeClock(),
        pause=pause,
    )


def texts(log: FakeLog) -> list[str]:
    return [entry.content or "" for entry in log.entries[DM]]


def test_behind_the_head_it_takes_one_put_and_no_read() -> None:
    log = FakeLog()
    (_, head) = log.write("bob", "one", "two")
    appended = append_to(log, draft(), base=head)
    assert (appended.entry.seq, appended.duplicate) == (3, False)
    assert (log.puts, log.reads) == (1, 0)


def test_the_first_message_makes_both_members() -> None:
    log = FakeLog()
    append_to(log, draft())
    assert {user for _, user in log.memberships.members} == {"alice", "bob"}


def test_a_resend_meets_the_stored_message_in_the_failed_put() -> None:
    log = FakeLog()
    (base,) = log.write("bob", "one")
    first = append_to(log, draft(nonce="a1"), base=base)
    again = append_to(log, draft(nonce="a2"), base=base)
    assert (again.entry, again.duplicate) == (first.entry, True)
    assert (log.puts, log.reads) == (2, 0)


def test_a_resend_finds_its_message_however_much_came_between() -> None:
    log = FakeLog()
    (base,) = log.write("bob", "one")
    log.write("bob", *(f"between {i}" for i in range(350)))
    stored = append_to(log, draft(nonce="a1"), base=base)
    log.write("bob", *(f"later {i}" for i in range(350)))
    again = append_to(log, draft(nonce="a2"), base=base)
    assert (again.entry, again.duplicate) == (stored.entry, True)
    assert texts(log).count("hi") == 1


def test_a_lost_answer_of_the_same_attempt_is_no_duplicate() -> None:
    log = FakeLog()
    one = draft()
    first = append_to(log, one)
    assert append_to(log, one) == Appended(first.entry, duplicate=False, audience=BOTH)


def test_an_attempt_without_an_id_recognises_itself() -> None:
    log = FakeLog()
    one = draft(cmid=None)
    first = append_to(log, one)
    assert append_to(log, one).entry == first.entry
    assert append_to(log, draft(cmid=None, nonce="a2")).entry.seq == 2


def test_the_same_id_of_another_sender_is_another_message() -> None:
    log = FakeLog()
    append_to(log, draft(sender="alice"))
    assert append_to(log, draft(sender="bob", nonce="b1")).entry.seq == 2


@pytest.mark.parametrize(
    "other",
    [
        draft("else", nonce="a2"),
        Draft(DM, "alice", "hi", "a2", "image", "c"),
        replace(draft(nonce="a2"), mentions=("bob",)),
        replace(draft(nonce="a2"), reply_to=1),
        replace(draft(nonce="a2"), file_id="f"),
        replace(draft(nonce="a2"), forward_of=(DM, 1)),
    ],
)
def test_the_same_id_with_another_field_is_a_conflict_and_the_first_stays(other: Draft) -> None:
    log = FakeLog()
    append_to(log, draft())
    with pytest.raises(Conflict):
        append_to(log, other)
    assert texts(log) == ["hi"]


def test_after_a_first_conflict_the_tail_is_tried_at_once() -> None:
    log = FakeLog()
    log.write("bob", "one", "two", "three")
    pauses: list[int] = []
    assert append_to(log, draft(), pauses=pauses).entry.seq == 4
    assert (pauses, log.puts, log.reads) == ([], 2, 1)


def test_a_thousand_entries_are_examined_and_not_one_more() -> None:
    log = FakeLog()
    log.write("bob", *(str(i) for i in range(MAX_EXAMINED)))
    assert append_to(log, draft(nonce="a1", cmid="x")).entry.seq == MAX_EXAMINED + 1
    with pytest.raises(SyncRequired):
        append_to(log, draft(nonce="a2"))
    assert len(texts(log)) == MAX_EXAMINED + 1


def test_each_wait_comes_before_the_read_so_that_the_put_follows_what_is_fresh() -> None:
    log = FakeLog()
    log.write("bob", "one")
    steps: list[str] = []

    def quicker(_: Entry) -> None:
        steps.append("put")
        if steps.count("put") <= 2:
            log.write("bob", "quicker")

    def pause(_: int) -> None:
        steps.append("pause")
        log.write("bob", "while waiting")

    log.before_put = quicker
    appended = append(
        draft(),
        base=log.entries[DM][0],
        audience=BOTH,
        log=log,
        memberships=log.memberships,
        now=FakeClock(),
        pause=pause,
    )
    assert steps == ["put", "put", "pause", "put"]
    assert appended.entry.seq == len(log.entries[DM])


def test_contention_without_end_is_given_up_and_nothing_stored() -> None:
    log = FakeLog()
    log.before_put = lambda _: log.write("bob", "quicker")
    pauses: list[int] = []
    with pytest.raises(Unavailable):
        append_to(log, draft(), pauses=pauses)
    assert pauses == [min(number, 4) for number in range(MAX_ATTEMPTS - 1)]
    assert "hi" not in texts(log)


def test_entries_count_messages_and_remember_their_writers() -> None:
    log = FakeLog()
    log.write("bob", "1", "2")
    entry = append_to(log, draft()).entry
    assert (entry.number, entry.authors) == (3, {"alice": 3, "bob": 2})


@dataclass
class World:
    log: FakeLog
    appended: list[Appended] = field(default_factory=list)


def resends(count: int) -> Callable[[Stepper], World]:
    def build(stepper: Stepper) -> World:
        world = World(FakeLog())
        (base,) = world.log.write("bob", "base")
        port = stepper.wrap(world.log)

        def attempt(number: int) -> None:
            one = draft(nonce=f"a{number}")
            result = append(
                one,
                base=base,
                audience=BOTH,
                log=port,
                memberships=world.log.memberships,
                now=FakeClock(),
                pause=lambda _: None,
            )
            world.appended.append(result)

        def rival() -> None:
            append(
                draft("rival", sender="bob", cmid="r", nonce="b"),
                base=base,
                audience=BOTH,
                log=port,
                memberships=world.log.memberships,
                now=FakeClock(),
                pause=lambda _: None,
            )

        for number in range(count):
            stepper.add(partial(attempt, number))
        stepper.add(rival)
        return world

    return build


def test_attempts_of_one_message_beside_a_rival_store_it_once_in_every_interleaving() -> None:
    tried = 0
    for world in explore(resends(2)):
        tried += 1
        assert sorted(texts(world.log)) == ["base", "hi", "rival"]
        assert [entry.seq for entry in world.log.entries[DM]] == [1, 2, 3]
        assert len({one.entry.seq for one in world.appended}) == 1
        assert sorted(one.duplicate for one in world.appended) == [False, True]
    assert tried > 50
