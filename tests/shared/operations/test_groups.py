"""Groups: made whole however often it is asked, and never without an owner."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from shared.domain.changes import Added, Removed
from shared.domain.contacts import CONTACTS, INCOMING, REQUESTED
from shared.domain.entries import Entry
from shared.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotAMember,
    NotFound,
    ParleyError,
    RateLimited,
    TooLarge,
    Unavailable,
)
from shared.operations.groups import remove_member
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import LOG

MANY = tuple(f"u{number:03}" for number in range(999))


def added_by(harness: ChatHarness, place: str = GROUP) -> list[int]:
    """How many each entry adds."""
    return [len(entry.change.users) for entry in harness.entries(place) if isinstance(entry.change, Added)]


def test_a_group_starts_with_its_creator_as_owner_and_its_first_members(harness: ChatHarness) -> None:
    harness.connect("alice", "bob", "carol", "dave")
    created = harness.created("bob", "carol", "alice", "bob", name="friends")
    assert (created.conversation_id, created.is_new) == (GROUP, True)
    assert harness.roles() == {"alice": "owner", "bob": "member", "carol": "member"}
    assert set(created.audience.members) == set(harness.roles())
    (entry,) = harness.entries()
    assert entry.change == Added(("alice", "bob", "carol"), size=3, roles={"alice": "owner"}, name="friends")
    assert harness.heard() == {"alice1", "bob1", "carol1"}


def test_a_group_may_be_of_its_creator_alone(harness: ChatHarness) -> None:
    harness.create()
    assert harness.roles() == {"alice": "owner"}


def test_a_thousand_members_come_in_entries_that_a_transaction_can_take(harness: ChatHarness) -> None:
    created = harness.created(*MANY)
    assert added_by(harness) == [48] * 20 + [40]
    assert len(harness.roles()) == len(created.audience) == 1_000
    group = harness.stores.group(GROUP)
    assert (group.size, group.created_by) == (1_000, "alice")


@pytest.mark.parametrize(
    ("members", "name", "error"),
    [
        ((*MANY, "one-more"), "friends", Conflict),
        (("b:b",), "friends", BadRequest),
        (("",), "friends", BadRequest),
        (("bob",), " \u200b", BadRequest),
        (("bob",), "", BadRequest),
        (("bob",), "x" * 101, TooLarge),
        (("bob",), "half \ud83d", BadRequest),
    ],
)
def test_what_may_not_be_made_is_not_made(
    harness: ChatHarness, members: tuple[str, ...], name: str, error: type[ParleyError]
) -> None:
    with pytest.raises(error):
        harness.create(*members, name=name)
    assert harness.stores.calls.writes(LOG) == 0


@pytest.mark.parametrize("members", [("mallory",), ("bob", "mallory"), ("mallory", "bob", "carol")])
def test_who_blocks_the_creator_is_left_out_without_a_word(harness: ChatHarness, members: tuple[str, ...]) -> None:
    harness.connect("alice", *members)
    harness.stores.blocks.put("mallory", "alice", now=1)
    created = harness.created(*members)
    inside = {"alice", *members} - {"mallory"}
    assert (created.is_new, set(created.audience.members), set(harness.roles())) == (True, inside, inside)
    assert "mallory1" not in harness.heard()
    assert harness.member("mallory") is None


@pytest.mark.parametrize("users", [("mallory",), ("zoe", "mallory")])
def test_who_blocks_the_moderator_is_left_out_without_a_word(harness: ChatHarness, users: tuple[str, ...]) -> None:
    harness.group("alice", "bob")
    harness.connect("mallory")
    harness.stores.blocks.put("mallory", "alice", now=1)
    assert harness.add(*users) == tuple(user for user in users if user != "mallory")
    assert "mallory" not in harness.roles()
    assert "mallory1" not in harness.heard()
    assert len(harness.entries()) == 1 + (len(users) > 1)


def test_who_blocked_the_creator_is_not_added_by_the_repetition_either(harness: ChatHarness) -> None:
    harness.stores.blocks.put("mallory", "alice", now=1)
    first = harness.created("bob", "mallory", named="team")
    again = harness.created("bob", "mallory", named="team")
    assert (again.conversation_id, again.is_new) == (first.conversation_id, False)
    assert set(again.audience.members) == {"alice", "bob"}


def test_whom_the_creator_blocks_may_be_added(harness: ChatHarness) -> None:
    harness.stores.blocks.put("alice", "bob", now=1)
    harness.create("bob")
    assert "bob" in harness.roles()


def test_the_same_name_for_a_group_gives_the_same_group(harness: ChatHarness) -> None:
    first = harness.created("bob", named="trip")
    again = harness.created("bob", named="trip")
    assert (first.is_new, again.is_new, again.conversation_id) == (True, False, first.conversation_id)
    assert set(again.audience.members) == {"alice", "bob"}
    assert len(harness.entries(first.conversation_id)) == 1
    assert harness.create("bob", named="other") != first.conversation_id
    assert harness.create("alice", creator="bob", named="trip") != first.conversation_id


@pytest.mark.parametrize("done", [1, 2, 20])
def test_a_creation_that_died_half_way_is_finished_by_its_repetition(harness: ChatHarness, done: int) -> None:

    def die(entry: Entry) -> None:
        if entry.seq > done:
            raise Unavailable

    harness.stores.before_put(die)
    with pytest.raises(Unavailable):
        harness.create(*MANY, named="all")
    harness.stores.before_put(None)
    again = harness.created(*MANY, named="all")
    assert not again.is_new
    assert added_by(harness, again.conversation_id) == [48] * 20 + [40]
    assert len(harness.roles(again.conversation_id)) == len(again.audience) == 1_000


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda harness, place: harness.remove("u000", place=place),
        lambda harness, place: harness.rename("another", place=place),
        lambda harness, place: harness.send(conversation_id=place),
        lambda harness, place: harness.remove("u000", by="u000", place=place),
    ],
)
def test_a_repetition_adds_nobody_to_a_group_that_lives_already(
    harness: ChatHarness, meanwhile: Callable[[ChatHarness, str], object]
) -> None:
    place = harness.create("u000", "u001", named="all")
    meanwhile(harness, place)
    before = harness.roles(place)
    again = harness.created("u000", "u001", "u002", named="all")
    assert (again.conversation_id, harness.roles(place)) == (place, before)


def test_a_creator_who_left_is_no_member_whatever_is_repeated(harness: ChatHarness) -> None:
    place = harness.create(named="mine")
    harness.remove("alice", place=place)
    with pytest.raises(NotAMember):
        harness.create(named="mine")


def test_of_two_creations_at_once_the_slower_is_told_to_try_again(harness: ChatHarness) -> None:

    def quicker(_: Entry) -> None:
        harness.stores.before_put(None)
        harness.create("bob", named="trip")

    harness.stores.before_put(quicker)
    with pytest.raises(Unavailable):
        harness.create("bob", named="trip")
    assert not harness.created("bob", named="trip").is_new


def test_adding_tells_everyone_and_leaves_out_who_is_there(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol", admins=["bob"])
    harness.connect("dave", "erin")
    assert harness.add("carol", "dave", "erin", "dave", "bob", by="bob") == ("dave", "erin")
    assert harness.heard() == {"alice1", "bob1", "carol1", "dave1", "erin1"}
    assert harness.at(2, GROUP).change == Added(("dave", "erin"), size=5)
    assert harness.add("dave", by="bob") == ()
    assert len(harness.entries()) == 2
    joined = harness.member("dave")
    assert joined is not None
    assert (joined.joined_seq, joined.read_seq, joined.delivered_seq) == (2, 2, 2)


def test_a_hundred_are_added_in_portions(harness: ChatHarness) -> None:
    harness.group("alice")
    assert harness.add(*MANY[:100]) == MANY[:100]
    assert added_by(harness) == [1, 48, 48, 4]


@pytest.mark.parametrize(
    ("users", "by", "error"),
    [
        (("zoe",), "bob", Forbidden),
        (("zoe",), "stranger", NotAMember),
        (("z z",), "alice", BadRequest),
        (MANY[:48], "alice", Conflict),
    ],
)
def test_what_may_not_be_added_adds_nobody(users: tuple[str, ...], by: str, error: type[ParleyError]) -> None:
    harness = ChatHarness(limit=50)
    harness.group("alice", "bob", "carol")
    with pytest.raises(error):
        harness.add(*users, by=by)
    assert len(harness.entries()) == 1


def test_the_limit_holds_though_somebody_else_adds_meanwhile() -> None:
    harness = ChatHarness(limit=3)
    harness.group("alice", "bob", admins=["bob"])

    def quicker(_: Entry) -> None:
        harness.stores.before_put(None)
        harness.add("carol", by="bob")

    harness.stores.before_put(quicker)
    with pytest.raises(Conflict):
        harness.add("dave")
    assert set(harness.roles()) == {"alice", "bob", "carol"}


def test_who_is_removed_is_told_and_nobody_after(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    harness.remove("bob")
    assert harness.heard() == {"alice1", "bob1", "carol1"}
    harness.send(sender_id="carol", conversation_id=GROUP)
    assert harness.heard() == {"alice1", "carol1"}
    assert harness.at(2, GROUP).change == Removed(("bob",), size=2)
    assert harness.stores.memberships.of_user("bob") == []


RANKS = {"owner": "alice", "owner 2": "olga", "admin": "adam", "admin 2": "anna", "member": "bob", "member 2": "carol"}


@pytest.mark.parametrize(
    ("by", "whom", "allowed"),
    [
        ("owner", "owner 2", True),
        ("owner", "admin", True),
        ("owner", "member", True),
        ("admin", "owner", False),
        ("admin", "admin 2", False),
        ("admin", "member", True),
        ("member", "owner", False),
        ("member", "member 2", False),
        ("member", "member", True),
        ("admin", "admin", True),
        ("owner", "owner", True),
    ],
)
def test_who_may_remove_whom(harness: ChatHarness, by: str, whom: str, *, allowed: bool) -> None:
    harness.group(*RANKS.values(), admins=["adam", "anna"])
    harness.role("olga", "owner")
    if not allowed:
        with pytest.raises(Forbidden):
            harness.remove(RANKS[whom], by=RANKS[by])
    else:
        harness.remove(RANKS[whom], by=RANKS[by])
    assert (RANKS[whom] in harness.roles()) is not allowed


def test_the_last_owner_neither_leaves_nor_steps_down_while_others_are_there(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    with pytest.raises(Forbidden):
        harness.remove("alice")
    with pytest.raises(Forbidden):
        harness.role("alice", "member")
    harness.role("bob", "owner")
    harness.remove("alice")
    assert harness.roles() == {"bob": "owner"}


def test_the_last_of_all_may_leave_and_then_nobody_is_there(harness: ChatHarness) -> None:
    harness.group("alice")
    harness.remove("alice")
    assert harness.roles() == {}
    for operation in (partial(harness.rename, "x"), partial(harness.add, "bob"), partial(harness.remove, "alice")):
        with pytest.raises(NotAMember):
            operation()


def test_roles_are_given_by_owners_alone(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol", admins=["bob"])
    for by in ("bob", "carol"):
        with pytest.raises(Forbidden):
            harness.role("carol", "admin", by=by)
    harness.role("carol", "admin")
    assert harness.roles() == {"alice": "owner", "bob": "admin", "carol": "admin"}
    assert harness.role("carol", "admin").entry is None
    with pytest.raises(NotFound):
        harness.role("zoe", "admin")


def test_a_name_is_given_by_moderators_and_once(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol", admins=["bob"])
    with pytest.raises(Forbidden):
        harness.rename("mine", by="carol")
    assert harness.rename("ours", by="bob").entry is not None
    assert harness.rename("ours", by="bob").entry is None
    assert harness.stores.group(GROUP).name == "ours"


@pytest.mark.parametrize("place", [DM, GROUP, "group:unknown-unknown-0", "?"])
def test_outsiders_and_unknown_groups_answer_alike(harness: ChatHarness, place: str) -> None:
    harness.group("alice", "bob")
    harness.stores.write("bob", "private")
    for operation in (
        partial(harness.rename, "x", by="stranger"),
        partial(harness.add, "zoe", by="stranger"),
        partial(harness.remove, "bob", by="stranger"),
        partial(harness.role, "bob", "admin", by="stranger"),
    ):
        with pytest.raises(NotAMember):
            operation(place=place)


def test_a_private_conversation_has_neither_name_nor_roles_and_always_the_same_members(harness: ChatHarness) -> None:
    harness.stores.write("bob", "private")
    for operation in (
        partial(harness.rename, "x"),
        partial(harness.add, "zoe"),
        partial(harness.remove, "bob"),
        partial(harness.remove, "alice"),
        partial(harness.role, "bob", "admin"),
    ):
        with pytest.raises(BadRequest):
            operation(place=DM)
    assert len(harness.entries(DM)) == 1


def test_removing_who_is_not_there_is_not_found(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    with pytest.raises(NotFound):
        harness.remove("zoe")


def test_a_large_groups_changes_are_left_to_the_stream_side_but_for_who_was_removed() -> None:
    harness = ChatHarness(inline_limit=2)
    harness.group("alice", "bob", "carol")
    harness.rename("large")
    assert harness.heard() == set()
    harness.remove("bob")
    assert harness.heard() == {"bob1"}
    assert [entry.fan_out for entry in harness.entries()] == [False, True, True]


def test_a_group_that_is_always_changed_by_somebody_else_is_given_up_unchanged(harness: ChatHarness) -> None:
    harness.group("alice", "bob")

    def busy(entry: Entry) -> None:
        if entry.change is not None:
            harness.stores.write("bob", "quicker", conversation_id=GROUP)

    harness.stores.before_put(busy)
    with pytest.raises(Unavailable):
        remove_member(GROUP, "bob", by="alice", **harness.whole)
    with pytest.raises(Unavailable):
        harness.add("zoe")
    assert set(harness.roles()) == {"alice", "bob"}


def test_who_takes_groups_from_contacts_only_is_left_out_by_others_without_a_word(harness: ChatHarness) -> None:
    for user in ("bob", "carol", "dave"):
        harness.stores.profiles.update(user, {"groups_from": CONTACTS})
    harness.stores.know("bob", "alice")
    harness.stores.know("carol", "alice", INCOMING, REQUESTED)
    place = harness.create("bob", "carol", "dave", "erin")
    assert set(harness.roles(place)) == {"alice", "bob", "erin"}
    assert harness.add("carol", "dave", "frank", place=place) == ("frank",)
    harness.stores.know("carol", "alice")
    assert harness.add("carol", "dave", place=place) == ("carol",)


def test_users_who_are_added_are_counted_once_each_before_anything_is_changed() -> None:
    counted: list[tuple[str, int]] = []

    def admit(user_id: str, users: int) -> None:
        counted.append((user_id, users))
        if sum(number for _, number in counted) > 6:
            raise RateLimited("Too many", retry_after_ms=7)

    harness = ChatHarness(admit=admit)
    harness.stores.blocks.put("carol", "alice", now=1)
    place = harness.create("bob", "carol", "alice", "bob", named="mine")  # of whom carol is counted and not added
    assert harness.created("bob", "carol", named="mine").is_new is False
    assert harness.add("bob", "dave", "erin", place=place) == ("dave", "erin")
    assert counted == [("alice", 2), ("alice", 1), ("alice", 2)]
    before = len(harness.entries(place))
    with pytest.raises(RateLimited):
        harness.add("frank", "grace", place=place)
    with pytest.raises(RateLimited):
        harness.create("frank", creator="bob", named="bobs")
    assert (len(harness.entries(place)), {row["conversation_id"] for row in harness.stores.rows(LOG)}) == (
        before,
        {place},
    )
