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
from tests.shared.operations.conversation_harness import GROUP, House
from tests.stores import LOG

MANY = tuple(f"u{number:03}" for number in range(999))


def added_by(house: House, place: str = GROUP) -> list[int]:
    """How many each entry adds."""
    return [len(entry.change.users) for entry in house.entries(place) if isinstance(entry.change, Added)]


def test_a_group_starts_with_its_creator_as_owner_and_its_first_members() -> None:
    house = House()
    house.connect("alice", "bob", "carol", "dave")
    created = house.created("bob", "carol", "alice", "bob", name="friends")
    assert (created.conversation_id, created.is_new) == (GROUP, True)
    assert house.roles() == {"alice": "owner", "bob": "member", "carol": "member"}
    assert set(created.audience.members) == set(house.roles())
    (entry,) = house.entries()
    assert entry.change == Added(("alice", "bob", "carol"), size=3, roles={"alice": "owner"}, name="friends")
    assert house.heard() == {"alice1", "bob1", "carol1"}


def test_a_group_may_be_of_its_creator_alone() -> None:
    house = House()
    house.create()
    assert house.roles() == {"alice": "owner"}


def test_a_thousand_members_come_in_entries_that_a_transaction_can_take() -> None:
    house = House()
    created = house.created(*MANY)
    assert added_by(house) == [48] * 20 + [40]
    assert len(house.roles()) == len(created.audience) == 1_000
    group = house.stores.group(GROUP)
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
def test_what_may_not_be_made_is_not_made(members: tuple[str, ...], name: str, error: type[ParleyError]) -> None:
    house = House()
    with pytest.raises(error):
        house.create(*members, name=name)
    assert house.stores.calls.writes(LOG) == 0


@pytest.mark.parametrize("members", [("mallory",), ("bob", "mallory"), ("mallory", "bob", "carol")])
def test_who_blocks_the_creator_is_left_out_without_a_word(members: tuple[str, ...]) -> None:
    house = House()
    house.connect("alice", *members)
    house.stores.blocks.put("mallory", "alice", now=1)
    created = house.created(*members)
    inside = {"alice", *members} - {"mallory"}
    assert (created.is_new, set(created.audience.members), set(house.roles())) == (True, inside, inside)
    assert "mallory1" not in house.heard()
    assert house.member("mallory") is None


@pytest.mark.parametrize("users", [("mallory",), ("zoe", "mallory")])
def test_who_blocks_the_moderator_is_left_out_without_a_word(users: tuple[str, ...]) -> None:
    house = House()
    house.group("alice", "bob")
    house.connect("mallory")
    house.stores.blocks.put("mallory", "alice", now=1)
    assert house.add(*users) == tuple(user for user in users if user != "mallory")
    assert "mallory" not in house.roles()
    assert "mallory1" not in house.heard()
    assert len(house.entries()) == 1 + (len(users) > 1)


def test_who_blocked_the_creator_is_not_added_by_the_repetition_either() -> None:
    house = House()
    house.stores.blocks.put("mallory", "alice", now=1)
    first = house.created("bob", "mallory", named="team")
    again = house.created("bob", "mallory", named="team")
    assert (again.conversation_id, again.is_new) == (first.conversation_id, False)
    assert set(again.audience.members) == {"alice", "bob"}


def test_whom_the_creator_blocks_may_be_added() -> None:
    house = House()
    house.stores.blocks.put("alice", "bob", now=1)
    house.create("bob")
    assert "bob" in house.roles()


def test_the_same_name_for_a_group_gives_the_same_group() -> None:
    house = House()
    first = house.created("bob", named="trip")
    again = house.created("bob", named="trip")
    assert (first.is_new, again.is_new, again.conversation_id) == (True, False, first.conversation_id)
    assert set(again.audience.members) == {"alice", "bob"}
    assert len(house.entries(first.conversation_id)) == 1
    assert house.create("bob", named="other") != first.conversation_id
    assert house.create("alice", creator="bob", named="trip") != first.conversation_id


@pytest.mark.parametrize("done", [1, 2, 20])
def test_a_creation_that_died_half_way_is_finished_by_its_repetition(done: int) -> None:
    house = House()

    def die(entry: Entry) -> None:
        if entry.seq > done:
            raise Unavailable

    house.stores.before_put(die)
    with pytest.raises(Unavailable):
        house.create(*MANY, named="all")
    house.stores.before_put(None)
    again = house.created(*MANY, named="all")
    assert not again.is_new
    assert added_by(house, again.conversation_id) == [48] * 20 + [40]
    assert len(house.roles(again.conversation_id)) == len(again.audience) == 1_000


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda house, place: house.remove("u000", place=place),
        lambda house, place: house.rename("another", place=place),
        lambda house, place: house.send(conversation_id=place),
        lambda house, place: house.remove("u000", by="u000", place=place),
    ],
)
def test_a_repetition_adds_nobody_to_a_group_that_lives_already(meanwhile: Callable[[House, str], object]) -> None:
    house = House()
    place = house.create("u000", "u001", named="all")
    meanwhile(house, place)
    before = house.roles(place)
    again = house.created("u000", "u001", "u002", named="all")
    assert (again.conversation_id, house.roles(place)) == (place, before)


def test_a_creator_who_left_is_no_member_whatever_is_repeated() -> None:
    house = House()
    place = house.create(named="mine")
    house.remove("alice", place=place)
    with pytest.raises(NotAMember):
        house.create(named="mine")


def test_of_two_creations_at_once_the_slower_is_told_to_try_again() -> None:
    house = House()

    def quicker(_: Entry) -> None:
        house.stores.before_put(None)
        house.create("bob", named="trip")

    house.stores.before_put(quicker)
    with pytest.raises(Unavailable):
        house.create("bob", named="trip")
    assert not house.created("bob", named="trip").is_new


def test_adding_tells_everyone_and_leaves_out_who_is_there() -> None:
    house = House()
    house.group("alice", "bob", "carol", admins=["bob"])
    house.connect("dave", "erin")
    assert house.add("carol", "dave", "erin", "dave", "bob", by="bob") == ("dave", "erin")
    assert house.heard() == {"alice1", "bob1", "carol1", "dave1", "erin1"}
    assert house.at(2, GROUP).change == Added(("dave", "erin"), size=5)
    assert house.add("dave", by="bob") == ()
    assert len(house.entries()) == 2
    joined = house.member("dave")
    assert joined is not None
    assert (joined.joined_seq, joined.read_seq, joined.delivered_seq) == (2, 2, 2)


def test_a_hundred_are_added_in_portions() -> None:
    house = House()
    house.group("alice")
    assert house.add(*MANY[:100]) == MANY[:100]
    assert added_by(house) == [1, 48, 48, 4]


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
    house = House(limit=50)
    house.group("alice", "bob", "carol")
    with pytest.raises(error):
        house.add(*users, by=by)
    assert len(house.entries()) == 1


def test_the_limit_holds_though_somebody_else_adds_meanwhile() -> None:
    house = House(limit=3)
    house.group("alice", "bob", admins=["bob"])

    def quicker(_: Entry) -> None:
        house.stores.before_put(None)
        house.add("carol", by="bob")

    house.stores.before_put(quicker)
    with pytest.raises(Conflict):
        house.add("dave")
    assert set(house.roles()) == {"alice", "bob", "carol"}


def test_who_is_removed_is_told_and_nobody_after() -> None:
    house = House()
    house.group("alice", "bob", "carol")
    house.remove("bob")
    assert house.heard() == {"alice1", "bob1", "carol1"}
    house.send(sender_id="carol", conversation_id=GROUP)
    assert house.heard() == {"alice1", "carol1"}
    assert house.at(2, GROUP).change == Removed(("bob",), size=2)
    assert house.stores.memberships.of_user("bob") == []


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
def test_who_may_remove_whom(by: str, whom: str, *, allowed: bool) -> None:
    house = House()
    house.group(*RANKS.values(), admins=["adam", "anna"])
    house.role("olga", "owner")
    if not allowed:
        with pytest.raises(Forbidden):
            house.remove(RANKS[whom], by=RANKS[by])
    else:
        house.remove(RANKS[whom], by=RANKS[by])
    assert (RANKS[whom] in house.roles()) is not allowed


def test_the_last_owner_neither_leaves_nor_steps_down_while_others_are_there() -> None:
    house = House()
    house.group("alice", "bob")
    with pytest.raises(Forbidden):
        house.remove("alice")
    with pytest.raises(Forbidden):
        house.role("alice", "member")
    house.role("bob", "owner")
    house.remove("alice")
    assert house.roles() == {"bob": "owner"}


def test_the_last_of_all_may_leave_and_then_nobody_is_there() -> None:
    house = House()
    house.group("alice")
    house.remove("alice")
    assert house.roles() == {}
    for operation in (partial(house.rename, "x"), partial(house.add, "bob"), partial(house.remove, "alice")):
        with pytest.raises(NotAMember):
            operation()


def test_roles_are_given_by_owners_alone() -> None:
    house = House()
    house.group("alice", "bob", "carol", admins=["bob"])
    for by in ("bob", "carol"):
        with pytest.raises(Forbidden):
            house.role("carol", "admin", by=by)
    house.role("carol", "admin")
    assert house.roles() == {"alice": "owner", "bob": "admin", "carol": "admin"}
    assert house.role("carol", "admin").entry is None
    with pytest.raises(NotFound):
        house.role("zoe", "admin")


def test_a_name_is_given_by_moderators_and_once() -> None:
    house = House()
    house.group("alice", "bob", "carol", admins=["bob"])
    with pytest.raises(Forbidden):
        house.rename("mine", by="carol")
    assert house.rename("ours", by="bob").entry is not None
    assert house.rename("ours", by="bob").entry is None
    assert house.stores.group(GROUP).name == "ours"


@pytest.mark.parametrize("place", [DM, GROUP, "group:unknown-unknown-0", "?"])
def test_outsiders_and_unknown_groups_answer_alike(place: str) -> None:
    house = House()
    house.group("alice", "bob")
    house.stores.write("bob", "private")
    for operation in (
        partial(house.rename, "x", by="stranger"),
        partial(house.add, "zoe", by="stranger"),
        partial(house.remove, "bob", by="stranger"),
        partial(house.role, "bob", "admin", by="stranger"),
    ):
        with pytest.raises(NotAMember):
            operation(place=place)


def test_a_private_conversation_has_neither_name_nor_roles_and_always_the_same_members() -> None:
    house = House()
    house.stores.write("bob", "private")
    for operation in (
        partial(house.rename, "x"),
        partial(house.add, "zoe"),
        partial(house.remove, "bob"),
        partial(house.remove, "alice"),
        partial(house.role, "bob", "admin"),
    ):
        with pytest.raises(BadRequest):
            operation(place=DM)
    assert len(house.entries(DM)) == 1


def test_removing_who_is_not_there_is_not_found() -> None:
    house = House()
    house.group("alice", "bob")
    with pytest.raises(NotFound):
        house.remove("zoe")


def test_a_large_groups_changes_are_left_to_the_stream_side_but_for_who_was_removed() -> None:
    house = House(inline_limit=2)
    house.group("alice", "bob", "carol")
    house.rename("large")
    assert house.heard() == set()
    house.remove("bob")
    assert house.heard() == {"bob1"}
    assert [entry.fan_out for entry in house.entries()] == [False, True, True]


def test_a_group_that_is_always_changed_by_somebody_else_is_given_up_unchanged() -> None:
    house = House()
    house.group("alice", "bob")

    def busy(entry: Entry) -> None:
        if entry.change is not None:
            house.stores.write("bob", "quicker", conversation_id=GROUP)

    house.stores.before_put(busy)
    with pytest.raises(Unavailable):
        remove_member(GROUP, "bob", by="alice", **house.whole)
    with pytest.raises(Unavailable):
        house.add("zoe")
    assert set(house.roles()) == {"alice", "bob"}


def test_who_takes_groups_from_contacts_only_is_left_out_by_others_without_a_word() -> None:
    house = House()
    for user in ("bob", "carol", "dave"):
        house.stores.profiles.update(user, {"groups_from": CONTACTS})
    house.stores.know("bob", "alice")
    house.stores.know("carol", "alice", INCOMING, REQUESTED)
    place = house.create("bob", "carol", "dave", "erin")
    assert set(house.roles(place)) == {"alice", "bob", "erin"}
    assert house.add("carol", "dave", "frank", place=place) == ("frank",)
    house.stores.know("carol", "alice")
    assert house.add("carol", "dave", place=place) == ("carol",)


def test_users_who_are_added_are_counted_once_each_before_anything_is_changed() -> None:
    counted: list[tuple[str, int]] = []

    def admit(user_id: str, users: int) -> None:
        counted.append((user_id, users))
        if sum(number for _, number in counted) > 6:
            raise RateLimited("Too many", retry_after_ms=7)

    house = House(admit=admit)
    house.stores.blocks.put("carol", "alice", now=1)
    place = house.create("bob", "carol", "alice", "bob", named="mine")  # of whom carol is counted and not added
    assert house.created("bob", "carol", named="mine").is_new is False
    assert house.add("bob", "dave", "erin", place=place) == ("dave", "erin")
    assert counted == [("alice", 2), ("alice", 1), ("alice", 2)]
    before = len(house.entries(place))
    with pytest.raises(RateLimited):
        house.add("frank", "grace", place=place)
    with pytest.raises(RateLimited):
        house.create("frank", creator="bob", named="bobs")
    assert (len(house.entries(place)), {row["conversation_id"] for row in house.stores.rows(LOG)}) == (before, {place})
