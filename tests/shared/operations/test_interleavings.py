"""Two or three at once, in every order of their steps: the log tells what happened, and no outsider is in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from shared.domain.files import DELETED, READY
from shared.errors import BadRequest, Blocked, Forbidden, NotAMember, NotFound, ParleyError
from shared.operations.rosters import SETTLED_MS, Rosters
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.shared.operations.replay import check_log
from tests.stepping import Stepper, explore

Operation = Callable[[ChatHarness], Any]
warm_or_cold = pytest.mark.parametrize("warm", [False, True])
# Reading the tail and putting are where orders differ; what is read in between runs along.
TAIL_AND_PUT = ("read_back", "put")
# Everything but the posts, for what no connection is told of.
DECISION = ("read_back", "lookup", "roster", "put")


@dataclass
class Scenario:
    """`harness` is to be looked at; the operations run on `stepped`, whose calls wait for their turn."""

    harness: ChatHarness
    outcomes: dict[int, str] = field(default_factory=dict)


def at_once(
    make: Callable[[], ChatHarness], *operations: Operation, only: Sequence[str] = (), warm: bool = False
) -> Callable[[Stepper], Scenario]:
    """With `warm`, each operation runs in an instance that remembers the rosters that there were before."""

    made = make()

    def build(stepper: Stepper) -> Scenario:
        scenario = Scenario(made.copied())
        base = scenario.harness
        everything = () if not only else ("none",)
        # The roster is read through the memberships: let that be a step of its own, too.
        stores = base.stores.stepped(stepper, log=only, sessions=everything, memberships=only, files=only)
        stepped = [
            ChatHarness(
                stores=stores,
                gateway=stepper.wrap(base.gateway, only=everything),
                clock=base.clock,
                nonces=base.nonces,
                rosters=deepcopy(base.rosters) if warm else Rosters(),
            )
            for _ in operations
        ]

        def run(number: int, operation: Operation) -> None:
            try:
                operation(stepped[number])
            except ParleyError as error:
                scenario.outcomes[number] = error.code
            else:
                scenario.outcomes[number] = "done"

        for number, operation in enumerate(operations):
            stepper.add(partial(run, number, operation))
        return scenario

    return build


def outcomes(build: Callable[[Stepper], Scenario], *, place: str = GROUP) -> set[tuple[str, ...]]:
    """Every combination of outcomes there is; each scenario was checked."""
    seen = set()
    for tried, scenario in enumerate(explore(build)):
        assert tried < 6_000, "more orders than a test should try"
        if place == GROUP:
            check_log(scenario.harness)
        seen.add(tuple(scenario.outcomes[number] for number in sorted(scenario.outcomes)))
    return seen


def three() -> ChatHarness:
    """Alice owns the group of Bob and Carol, all three online; message 2 is Bob's."""
    harness = ChatHarness()
    harness.group("alice", "bob", "carol")
    harness.clock.ms += SETTLED_MS
    harness.send("bob's", sender_id="bob", conversation_id=GROUP)
    harness.gateway.posts.clear()
    return harness


def two_owners() -> ChatHarness:
    harness = three()
    harness.role("bob", "owner")
    harness.gateway.posts.clear()
    return harness


def send(user: str, after: int | None = 2) -> Operation:
    return lambda harness: harness.send(
        "new", sender_id=user, conversation_id=GROUP, after=after, client_message_id=user
    )


@warm_or_cold
@pytest.mark.parametrize("after", [2, None])
def test_from_who_is_removed_nothing_is_accepted_after_the_removal(after: int | None, *, warm: bool) -> None:
    build = at_once(three, lambda harness: harness.remove("bob"), send("bob", after), warm=warm)
    assert outcomes(build) == {("done", "done"), ("done", NotAMember.code)}


@warm_or_cold
def test_naming_the_own_removal_before_it_is_there_gets_nobody_past_it(*, warm: bool) -> None:
    """A guess that turns true between the looks: only who reads the members behind the entry sees it for what it is."""
    build = at_once(three, lambda harness: harness.remove("bob"), send("bob", after=3), warm=warm)
    assert outcomes(build) == {("done", NotAMember.code), ("done", BadRequest.code)}


@pytest.mark.parametrize("after", [2, None])
def test_a_kept_roster_neither_lets_a_removed_member_write_nor_keeps_out_who_is_back(after: int | None) -> None:
    """One operation removes Bob and adds him again; whatever lies between, he writes only where he is in."""

    def away_and_back(harness: ChatHarness) -> None:
        harness.remove("bob")
        harness.add("bob")

    seen = set()
    for scenario in explore(at_once(three, away_and_back, send("bob", after), only=TAIL_AND_PUT, warm=True)):
        told = check_log(scenario.harness)
        for entry in scenario.harness.entries()[2:]:
            if entry.is_message:
                assert "bob" in told.before[entry.seq]
                seen.add(entry.seq)
    assert {3, 5} <= seen


@warm_or_cold
def test_reacting_beside_the_own_removal(*, warm: bool) -> None:
    operations = (lambda harness: harness.remove("bob"), lambda harness: harness.react(2, "👍", "bob", place=GROUP))
    assert outcomes(at_once(three, *operations, only=DECISION, warm=warm)) == {
        ("done", "done"),
        ("done", NotAMember.code),
    }


@warm_or_cold
def test_who_is_removed_gets_nothing_that_was_sent_after_the_removal(*, warm: bool) -> None:
    got = set()
    for scenario in explore(at_once(three, lambda harness: harness.remove("bob"), send("carol"), warm=warm)):
        told = check_log(scenario.harness)
        assert scenario.outcomes == {0: "done", 1: "done"}
        (message,) = [entry for entry in scenario.harness.entries()[2:] if entry.is_message]
        told_bob = [json.loads(data)["type"] for data in scenario.harness.gateway.received("bob1")]
        assert ("new_message" in told_bob) is ("bob" in told.before[message.seq])
        assert "member_removed" in told_bob
        got.add("new_message" in told_bob)
    assert got == {True, False}


@pytest.mark.parametrize("user", ["bob", "carol"])
def test_leaving_beside_a_message(user: str) -> None:
    expected = {("done", "done"), *([("done", NotAMember.code)] if user == "bob" else [])}
    build = at_once(three, lambda harness: harness.remove("bob", by="bob"), send(user), only=DECISION)
    assert outcomes(build) == expected


def test_a_resend_beside_the_senders_removal_is_stored_once() -> None:
    for scenario in explore(
        at_once(three, lambda harness: harness.remove("bob"), send("bob"), send("bob"), only=["put"])
    ):
        check_log(scenario.harness)
        assert sum(entry.client_message_id == "bob" for entry in scenario.harness.entries()) <= 1


@pytest.mark.parametrize("rivals", [0, 30])
def test_two_attempts_without_after_are_one_message_in_whatever_order(rivals: int) -> None:
    """A rival's messages between the two push the first attempt out of the entries that the second compares with."""

    def others(harness: ChatHarness) -> None:
        for number in range(rivals):
            harness.send(f"{number}", sender_id="carol", conversation_id=GROUP, after=None)

    build = at_once(three, send("bob", after=None), send("bob", after=None), only=["read_back", "put"])
    for scenario in explore(build):
        others(scenario.harness)
        again = scenario.harness.send("new", sender_id="bob", conversation_id=GROUP, client_message_id="bob")
        check_log(scenario.harness)
        assert (set(scenario.outcomes.values()), again.duplicate) == ({"done"}, True)
        assert sum(entry.client_message_id == "bob" for entry in scenario.harness.entries()) == 1


@warm_or_cold
def test_who_is_added_while_a_message_is_sent_gets_it_if_and_only_if_it_comes_after(*, warm: bool) -> None:
    def four() -> ChatHarness:
        harness = three()
        harness.connect("dave")
        return harness

    got = set()
    build = at_once(four, lambda harness: harness.add("dave"), send("carol"), only=TAIL_AND_PUT, warm=warm)
    for scenario in explore(build):
        told = check_log(scenario.harness)
        (message,) = [entry for entry in scenario.harness.entries()[2:] if entry.is_message]
        kinds = [json.loads(data)["type"] for data in scenario.harness.gateway.received("dave1")]
        assert ("new_message" in kinds) is ("dave" in told.before[message.seq])
        assert "member_added" in kinds
        got.add("new_message" in kinds)
    assert got == {True, False}


def private() -> ChatHarness:
    harness = ChatHarness()
    harness.connect("alice", "bob")
    harness.send("first", after=0, client_message_id="1")
    harness.gateway.posts.clear()
    return harness


def test_a_block_beside_a_message_stops_it_or_comes_too_late() -> None:
    def block(harness: ChatHarness) -> None:
        harness.stores.blocks.put("bob", "alice", now=1)

    def message(harness: ChatHarness) -> None:
        harness.send("second", after=1, client_message_id="2")

    for first, second in ((block, message), (message, block)):
        for scenario in explore(at_once(private, first, second)):
            sent = scenario.outcomes[1 if second is message else 0]
            assert sent in {"done", Blocked.code}
            stored = [entry.content for entry in scenario.harness.entries(DM)]
            assert stored == ["first", "second"][: 2 if sent == "done" else 1]
            heard = scenario.harness.gateway.received("bob1")
            assert len(heard) == (sent == "done")


EDIT: Operation = lambda harness: harness.edit(2, "edited", "bob", place=GROUP)  # noqa: E731
EDIT_AGAIN: Operation = lambda harness: harness.edit(2, "edited again", "bob", place=GROUP)  # noqa: E731
DELETE: Operation = lambda harness: harness.delete(2, "alice", place=GROUP)  # noqa: E731
REACT: Operation = lambda harness: harness.react(2, "x", "carol", place=GROUP)  # noqa: E731


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ((DELETE, EDIT), {("done", "done"), ("done", NotFound.code)}),
        ((DELETE, REACT), {("done", "done"), ("done", NotFound.code)}),
        ((EDIT, REACT), {("done", "done")}),
        ((EDIT, EDIT_AGAIN), {("done", "done")}),
        ((REACT, REACT), {("done", "done")}),
        ((DELETE, DELETE), {("done", "done")}),
    ],
)
def test_two_changes_of_one_message(operations: Sequence[Operation], expected: set[tuple[str, ...]]) -> None:
    assert outcomes(at_once(three, *operations, only=DECISION)) == expected


def test_a_deletion_beside_an_edit_and_a_reaction_leaves_nothing_to_read() -> None:
    tried = 0
    for scenario in explore(at_once(three, DELETE, EDIT, REACT, only=["put"])):
        tried += 1
        told = check_log(scenario.harness)
        assert (scenario.outcomes[0], told.contents, told.reactions) == ("done", {2: None}, {2: set()})
        kept = [entry.change for entry in scenario.harness.entries() if getattr(entry.change, "content", None)]
        assert kept == []
    assert 20 < tried < 6_000


def test_of_two_owners_who_demote_each_other_one_stays() -> None:
    build = at_once(
        two_owners,
        lambda harness: harness.role("bob", "member", by="alice"),
        lambda harness: harness.role("alice", "member", by="bob"),
        only=DECISION,
    )
    assert outcomes(build) == {("done", Forbidden.code), (Forbidden.code, "done")}


def test_of_two_owners_who_leave_at_once_one_has_to_stay() -> None:
    build = at_once(
        two_owners, lambda harness: harness.remove("alice", by="alice"), lambda harness: harness.remove("bob", by="bob")
    )
    assert outcomes(build) == {("done", Forbidden.code), (Forbidden.code, "done")}


def test_of_two_owners_who_remove_each_other_one_is_no_member_any_more() -> None:
    build = at_once(
        two_owners, lambda harness: harness.remove("bob", by="alice"), lambda harness: harness.remove("alice", by="bob")
    )
    assert outcomes(build) == {("done", NotAMember.code), (NotAMember.code, "done")}


def test_adding_somebody_beside_their_removal_is_one_after_the_other() -> None:
    build = at_once(
        two_owners,
        lambda harness: harness.add("carol", by="alice"),
        lambda harness: harness.remove("carol", by="bob"),
        only=TAIL_AND_PUT,
    )
    assert outcomes(build) == {("done", "done")}


def test_adding_beside_the_removal_of_the_one_who_adds() -> None:
    build = at_once(
        two_owners,
        lambda harness: harness.add("dave", by="bob"),
        lambda harness: harness.remove("bob", by="alice"),
        only=TAIL_AND_PUT,
    )
    assert outcomes(build) == {("done", "done"), (NotAMember.code, "done")}


def test_a_reaction_beside_the_removal_of_the_one_who_reacts() -> None:
    build = at_once(three, lambda harness: harness.remove("carol"), REACT, only=DECISION)
    assert outcomes(build) == {("done", "done"), ("done", NotAMember.code)}


def test_two_who_add_the_same_one_add_them_once() -> None:
    build = at_once(
        two_owners,
        lambda harness: harness.add("dave", "erin", by="alice"),
        lambda harness: harness.add("erin", "dave", by="bob"),
        only=TAIL_AND_PUT,
    )
    for scenario in explore(build):
        told = check_log(scenario.harness)
        assert set(told.roles) == {"alice", "bob", "carol", "dave", "erin"}
        assert len(scenario.harness.entries()) == 4


def with_files() -> ChatHarness:
    """Message 3 is Bob's dog, and no other message has it; Carol's cat was not sent yet."""
    harness = three()
    harness.stores.ready_file("dog", "bob")
    harness.stores.ready_file("cat", "carol")
    harness.send("", sender_id="bob", conversation_id=GROUP, message_type="image", file_id="dog")
    harness.gateway.posts.clear()
    return harness


FILE_STEPS = (*DECISION, "get", "retire")
CAT: dict[str, Any] = {"sender_id": "carol", "conversation_id": GROUP, "message_type": "image", "file_id": "cat"}
SEND_CAT: Operation = lambda harness: harness.send("", after=3, client_message_id="c", **CAT)  # noqa: E731
DELETE_DOG: Operation = lambda harness: harness.delete(3, "alice", place=GROUP)  # noqa: E731
FORWARD_DOG: Operation = lambda harness: harness.send(  # noqa: E731
    "", sender_id="carol", conversation_id=GROUP, forward_of=(GROUP, 3)
)


def retire(file_id: str) -> Operation:
    return lambda harness: harness.stores.files.retire(file_id)


def test_a_file_is_sent_or_retired_and_never_both() -> None:
    build = at_once(with_files, SEND_CAT, retire("cat"), only=FILE_STEPS)
    assert outcomes(build) == {("done", "done"), (NotFound.code, "done")}


def test_the_same_file_message_twice_at_once_counts_once() -> None:
    for scenario in explore(at_once(with_files, SEND_CAT, SEND_CAT, only=FILE_STEPS)):
        check_log(scenario.harness)
        assert scenario.outcomes == {0: "done", 1: "done"}
        assert scenario.harness.stores.file("cat").references == 1


def test_a_file_is_forwarded_in_time_or_gone() -> None:
    """Deleting the message retires the file then. Forwarded before that, it stays."""

    def delete_for_good(harness: ChatHarness) -> None:
        DELETE_DOG(harness)
        harness.stores.files.retire("dog")

    seen = set()
    for scenario in explore(at_once(with_files, FORWARD_DOG, delete_for_good, only=FILE_STEPS)):
        check_log(scenario.harness)
        file = scenario.harness.stores.file("dog")
        seen.add((scenario.outcomes[0], file.references, file.status))
    assert seen == {("done", 1, READY), (NotFound.code, 0, DELETED)}


def test_two_who_delete_the_same_message_release_its_file_once() -> None:
    build = at_once(with_files, DELETE_DOG, lambda harness: harness.delete(3, "bob", place=GROUP), only=FILE_STEPS)
    assert outcomes(build) == {("done", "done")}


def writing(sender_id: str, name: str) -> Operation:
    """A message from one of Alice and Bob to the other, who had written nothing as far as the sender knew."""
    to = "bob" if sender_id == "alice" else "alice"
    return lambda harness: harness.send(sender_id=sender_id, to=to, after=0, client_message_id=name)


@pytest.mark.parametrize("writers", [("alice", "bob"), ("bob", "alice"), ("alice", "alice"), ("bob", "bob")])
def test_of_two_who_write_at_once_one_has_answered_and_of_one_who_writes_twice_none(writers: tuple[str, str]) -> None:
    """Each wrote first, as far as they knew: the log's order decides."""
    is_answer = writers[0] != writers[1]
    sends = [writing(sender, f"{number}") for number, sender in enumerate(writers)]
    for scenario in explore(at_once(ChatHarness, *sends, only=TAIL_AND_PUT)):
        assert [entry.first_answer for entry in scenario.harness.entries(DM)] == [False, is_answer]
        assert scenario.harness.stores.relations.between("alice", ["bob"])["bob"].is_near is is_answer
