"""The one-write append: new, once, in order, whatever others write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest

from shared.domain.changes import MEMBER
from shared.domain.entries import Draft, Entry
from shared.domain.rules import Audience
from shared.errors import Conflict, SyncRequired, Unavailable
from shared.operations.context import MAX_ATTEMPTS
from shared.operations.messages import append
from shared.operations.resends import MAX_EXAMINED, Appended
from tests.fakes import DM, FakeClock, FakeNonces
from tests.stepping import Stepper, explore
from tests.stores import LOG, Simulated, simulated
from tests.wiring import make_context

BOTH = Audience(dict.fromkeys(("alice", "bob"), MEMBER))


def with_log(stores: Simulated, log: Any) -> Simulated:
    return replace(stores, log=log)


def draft(text: str = "hi", *, sender: str = "alice", cmid: str | None = "c", nonce: str = "a1") -> Draft:
    return Draft(DM, sender, text, nonce=nonce, client_message_id=cmid)


def append_to(stores: Simulated, one: Draft, *, base: Entry | None = None, pauses: list[int] | None = None) -> Appended:
    pause: Callable[[int], None] = (pauses if pauses is not None else []).append
    return append(
        one, base=base, audience=BOTH, stores=stores, context=make_context(FakeClock(), FakeNonces(), pause=pause)
    )


def texts(stores: Simulated) -> list[str]:
    return [entry.content or "" for entry in stores.entries(DM)]


def test_behind_the_head_it_takes_one_put_and_no_read(stores: Simulated) -> None:
    (_, head) = stores.write("bob", "one", "two")
    appended = append_to(stores, draft(), base=head)
    assert (appended.entry.seq, appended.duplicate) == (3, False)
    assert (stores.calls.writes(LOG), stores.calls.reads(LOG)) == (1, 0)


def test_the_first_message_makes_both_members(stores: Simulated) -> None:
    append_to(stores, draft())
    assert {stores.member(user).user_id for user in ("alice", "bob")} == {"alice", "bob"}


def test_a_resend_meets_the_stored_message_in_the_failed_put(stores: Simulated) -> None:
    (base,) = stores.write("bob", "one")
    first = append_to(stores, draft(nonce="a1"), base=base)
    again = append_to(stores, draft(nonce="a2"), base=base)
    assert (again.entry, again.duplicate) == (first.entry, True)
    assert (stores.calls.writes(LOG), stores.calls.reads(LOG)) == (2, 0)


def test_a_resend_finds_its_message_however_much_came_between(stores: Simulated) -> None:
    (base,) = stores.write("bob", "one")
    stores.write("bob", *(f"between {i}" for i in range(350)))
    stored = append_to(stores, draft(nonce="a1"), base=base)
    stores.write("bob", *(f"later {i}" for i in range(350)))
    again = append_to(stores, draft(nonce="a2"), base=base)
    assert (again.entry, again.duplicate) == (stored.entry, True)
    assert texts(stores).count("hi") == 1


def test_a_lost_answer_of_the_same_attempt_is_no_duplicate(stores: Simulated) -> None:
    one = draft()
    first = append_to(stores, one)
    assert append_to(stores, one) == Appended(first.entry, duplicate=False, audience=BOTH)


def test_an_attempt_without_an_id_recognises_itself(stores: Simulated) -> None:
    one = draft(cmid=None)
    first = append_to(stores, one)
    assert append_to(stores, one).entry == first.entry
    assert append_to(stores, draft(cmid=None, nonce="a2")).entry.seq == 2


def test_the_same_id_of_another_sender_is_another_message(stores: Simulated) -> None:
    append_to(stores, draft(sender="alice"))
    assert append_to(stores, draft(sender="bob", nonce="b1")).entry.seq == 2


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
def test_the_same_id_with_another_field_is_a_conflict_and_the_first_stays(stores: Simulated, other: Draft) -> None:
    append_to(stores, draft())
    with pytest.raises(Conflict):
        append_to(stores, other)
    assert texts(stores) == ["hi"]


def test_after_a_first_conflict_the_tail_is_tried_at_once(stores: Simulated) -> None:
    stores.write("bob", "one", "two", "three")
    pauses: list[int] = []
    assert append_to(stores, draft(), pauses=pauses).entry.seq == 4
    assert (pauses, stores.calls.writes(LOG), stores.calls.reads(LOG)) == ([], 2, 1)


def test_a_thousand_entries_are_examined_and_not_one_more(stores: Simulated) -> None:
    stores.write("bob", *(str(i) for i in range(MAX_EXAMINED)))
    assert append_to(stores, draft(nonce="a1", cmid="x")).entry.seq == MAX_EXAMINED + 1
    with pytest.raises(SyncRequired):
        append_to(stores, draft(nonce="a2"))
    assert len(texts(stores)) == MAX_EXAMINED + 1


def test_each_wait_comes_before_the_read_so_that_the_put_follows_what_is_fresh(stores: Simulated) -> None:
    stores.write("bob", "one")
    steps: list[str] = []

    def quicker(_: Entry) -> None:
        steps.append("put")
        if steps.count("put") <= 2:
            stores.write("bob", "quicker")

    def pause(_: int) -> None:
        steps.append("pause")
        stores.write("bob", "while waiting")

    stores.before_put(quicker)
    appended = append(
        draft(),
        base=stores.entries(DM)[0],
        audience=BOTH,
        stores=stores,
        context=make_context(FakeClock(), FakeNonces(), pause=pause),
    )
    assert steps == ["put", "put", "pause", "put"]
    assert appended.entry.seq == len(stores.entries(DM))


def test_contention_without_end_is_given_up_and_nothing_stored(stores: Simulated) -> None:
    stores.before_put(lambda _: stores.write("bob", "quicker"))
    pauses: list[int] = []
    with pytest.raises(Unavailable):
        append_to(stores, draft(), pauses=pauses)
    assert pauses == [min(number, 2) for number in range(MAX_ATTEMPTS - 1)]
    assert "hi" not in texts(stores)


def test_entries_count_messages_and_remember_their_writers(stores: Simulated) -> None:
    stores.write("bob", "1", "2")
    entry = append_to(stores, draft()).entry
    assert (entry.number, entry.authors) == (3, {"alice": 3, "bob": 2})


@dataclass
class Scenario:
    stores: Simulated
    appended: list[Appended] = field(default_factory=list)


def resends(count: int) -> Callable[[Stepper], Scenario]:
    def build(stepper: Stepper) -> Scenario:
        scenario = Scenario(simulated())
        (base,) = scenario.stores.write("bob", "base")
        port = stepper.wrap(scenario.stores.log)

        def attempt(number: int) -> None:
            one = draft(nonce=f"a{number}")
            result = append(
                one,
                base=base,
                audience=BOTH,
                stores=with_log(scenario.stores, port),
                context=make_context(FakeClock(), FakeNonces(), pause=lambda _: None),
            )
            scenario.appended.append(result)

        def rival() -> None:
            append(
                draft("rival", sender="bob", cmid="r", nonce="b"),
                base=base,
                audience=BOTH,
                stores=with_log(scenario.stores, port),
                context=make_context(FakeClock(), FakeNonces(), pause=lambda _: None),
            )

        for number in range(count):
            stepper.add(partial(attempt, number))
        stepper.add(rival)
        return scenario

    return build


def test_attempts_of_one_message_beside_a_rival_store_it_once_in_every_interleaving() -> None:
    tried = 0
    for scenario in explore(resends(2)):
        tried += 1
        assert sorted(texts(scenario.stores)) == ["base", "hi", "rival"]
        assert [entry.seq for entry in scenario.stores.entries(DM)] == [1, 2, 3]
        assert len({one.entry.seq for one in scenario.appended}) == 1
        assert sorted(one.duplicate for one in scenario.appended) == [False, True]
    assert tried > 50
