"""Changes: each is written together with what it does, or not at all; what every implementation promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.changes import (
    MAX_USERS_PER_CHANGE,
    Added,
    Change,
    Deleted,
    Edited,
    Reacted,
    Removed,
    Renamed,
    RolesChanged,
)
from shared.domain.entries import Draft, Entry
from shared.domain.members import Group, Member, Roster, Seat
from tests.changes import GROUP, changed
from tests.stores import Stores

CREATION = Added(("alice", "bob"), size=2, roles={"alice": "owner"}, name="friends")


def entry_of(change: Change, base: Entry | None, *, by: str = "alice", nonce: str = "n") -> Entry:
    return changed(change, base, by=by, place=GROUP, at=1_000 + (base.seq if base else 0), nonce=nonce)


def put(stores: Stores, change: Change, base: Entry | None, *, by: str = "alice") -> Entry:
    entry = entry_of(change, base, by=by)
    assert stores.log.put(entry) is None
    return entry


def furnished(stores: Stores) -> Entry:
    """Entry 1 makes the group, 2 is a message of Alice's. Returns the latter."""
    creation = put(stores, CREATION, None)
    draft = Draft(GROUP, "alice", "hello", "m", client_message_id="c", reply_to=1, mentions=("bob",), fan_out=True)
    message = draft.following(creation, 2_000)
    assert stores.log.put(message) is None
    return message


def everything(stores: Stores) -> object:
    """All that a change could touch."""
    log = stores.log.read(GROUP, start=1, limit=50)
    members = [stores.memberships.get(GROUP, user) for user in ("alice", "bob", "carol")]
    return log, stores.memberships.roster(GROUP), members


def at(stores: Stores, seq: int) -> Entry:
    (entry,) = stores.log.read(GROUP, start=seq, limit=1)
    return entry


def test_creating_a_group_makes_its_item_and_its_members(stores: Stores) -> None:
    creation = put(stores, CREATION, None)
    group = Group(GROUP, "friends", "alice", 1_000, 2)
    assert at(stores, 1) == creation
    assert stores.memberships.roster(GROUP) == Roster(
        group, {"alice": Seat("alice", "owner", 1_000), "bob": Seat("bob", "member", 1_000)}
    )
    assert stores.memberships.groups([GROUP, "group:unknown-0000000"]) == {GROUP: group}
    member = Member(GROUP, "bob", 1_000, joined_seq=1, read_seq=1, read_number=0, delivered_seq=1)
    assert stores.memberships.get(GROUP, "bob") == member
    assert stores.memberships.of_user("bob") == [member]


def test_who_is_added_has_read_what_was_there(stores: Stores) -> None:
    message = furnished(stores)
    put(stores, Added(("carol",), size=3), message)
    found = stores.memberships.among(GROUP, ["carol", "dave"])
    assert found == {"carol": Member(GROUP, "carol", 1_002, 3, read_seq=3, read_number=1, delivered_seq=3)}
    roster = stores.memberships.roster(GROUP)
    assert roster is not None
    assert (sorted(roster.seats), roster.group.size) == (["alice", "bob", "carol"], 3)


def test_who_is_removed_is_gone_from_both_sides(stores: Stores) -> None:
    message = furnished(stores)
    put(stores, Removed(("bob",), size=1), message)
    assert stores.memberships.get(GROUP, "bob") is None
    assert stores.memberships.of_user("bob") == []
    roster = stores.memberships.roster(GROUP)
    assert roster is not None
    assert (sorted(roster.seats), roster.group.size) == (["alice"], 1)


def test_who_comes_back_starts_anew(stores: Stores) -> None:
    message = furnished(stores)
    member = stores.memberships.get(GROUP, "bob")
    assert member is not None
    stores.memberships.move_read(member.with_read(2, 1))
    stores.memberships.set_preferences(GROUP, "bob", {"pinned": True})
    removal = put(stores, Removed(("bob",), size=1), message)
    put(stores, Added(("bob",), size=2), removal)
    assert stores.memberships.get(GROUP, "bob") == Member(GROUP, "bob", 1_003, 4, 4, 1, 4)


def test_a_group_that_everyone_left_has_nobody(stores: Stores) -> None:
    creation = put(stores, CREATION, None)
    put(stores, Removed(("alice", "bob"), size=0), creation)
    roster = stores.memberships.roster(GROUP)
    assert roster is None or not roster.seats


def test_a_new_name_and_new_roles(stores: Stores) -> None:
    renamed = put(stores, Renamed("strangers"), furnished(stores))
    put(stores, RolesChanged({"alice": "member", "bob": "owner"}), renamed)
    roster = stores.memberships.roster(GROUP)
    assert roster is not None
    assert roster.group == Group(GROUP, "strangers", "alice", 1_000, 2)
    assert {user: (seat.role, seat.joined_at) for user, seat in roster.seats.items()} == {
        "alice": ("member", 1_000),
        "bob": ("owner", 1_000),
    }


def test_an_edit_changes_the_message_and_takes_its_content_from_the_edit_before(stores: Stores) -> None:
    message = furnished(stores)
    first = put(stores, Edited(2, "better"), message)
    edited = at(stores, 2)
    assert (edited.content, edited.edited_at, edited.last_edit) == ("better", 1_002, 3)
    put(stores, Edited(2, "best", previous=3), first)
    edited = at(stores, 2)
    assert (edited.content, edited.edited_at, edited.last_edit) == ("best", 1_003, 4)
    assert (at(stores, 3).change, at(stores, 4).change) == (Edited(2, None), Edited(2, "best", 3))
    kept = (edited.seq, edited.sender_id, edited.number, edited.digest, edited.nonce, edited.mentions, edited.reply_to)
    assert kept == (2, "alice", 1, message.digest, "m", ("bob",), 1)


def test_a_delete_leaves_ids_and_place_and_nothing_that_was_said(stores: Stores) -> None:
    edit = put(stores, Edited(2, "secret"), furnished(stores))
    reaction = put(stores, Reacted(2, "x", removed=False), edit)
    put(stores, Deleted(2, previous=3), reaction)
    gone = at(stores, 2)
    assert (gone.content, gone.mentions, gone.reply_to, gone.file_id, gone.digest) == (None, (), None, None, "")
    assert (gone.edited_at, gone.last_edit, gone.reactions, gone.deleted_at) == (None, None, frozenset(), 1_004)
    assert (gone.message_id, gone.client_message_id, gone.nonce, gone.number) == (f"{GROUP}/2", "c", "m", 1)
    assert (gone.message_type, gone.fan_out, gone.is_message, gone.is_readable) == ("text", True, True, False)
    assert at(stores, 3).change == Edited(2, None)
    assert at(stores, 5).change == Deleted(2, 3)


def test_reactions_come_and_go_by_user_and_emoji(stores: Stores) -> None:
    entry = furnished(stores)
    for user, emoji, removed in (("alice", "x", False), ("bob", "x", False), ("bob", "y z", False)):
        entry = put(stores, Reacted(2, emoji, removed=removed), entry, by=user)
    assert at(stores, 2).reactions == {("x", "alice"), ("x", "bob"), ("y z", "bob")}
    for user, emoji in (("alice", "x"), ("bob", "x"), ("alice", "y z")):
        entry = put(stores, Reacted(2, emoji, removed=True), entry, by=user)
    assert at(stores, 2).reactions == {("y z", "bob")}
    put(stores, Reacted(2, "y z", removed=True), entry, by="bob")
    assert at(stores, 2).reactions == frozenset()


def test_a_reaction_is_taken_off_by_another_user_and_the_entry_says_whose_it_was(stores: Stores) -> None:
    entry = furnished(stores)
    for user in ("alice", "bob"):
        entry = put(stores, Reacted(2, "x", removed=False), entry, by=user)
    taken_off = put(stores, Reacted(2, "x", removed=True, owner_id="bob"), entry, by="alice")
    assert at(stores, 2).reactions == {("x", "alice")}
    assert at(stores, taken_off.seq).change == Reacted(2, "x", removed=True, owner_id="bob")


CHANGES: list[Change] = [
    Edited(2, "other"),
    Deleted(2),
    Reacted(2, "x", removed=False),
    Added(("carol",), size=3),
    Removed(("bob",), size=1),
    Renamed("other"),
    RolesChanged({"bob": "admin"}),
]


@pytest.mark.parametrize("change", CHANGES)
def test_where_the_place_is_taken_a_change_does_nothing_and_learns_what_is_there(
    stores: Stores, change: Change
) -> None:
    message = furnished(stores)
    quicker = put(stores, Renamed("quicker"), message)
    before = everything(stores)
    assert stores.log.put(entry_of(change, message, nonce="late")) == quicker
    assert everything(stores) == before


@pytest.mark.parametrize("change", [*CHANGES, CREATION])
def test_every_change_comes_back_as_it_was_put(stores: Stores, change: Change) -> None:
    if change == CREATION:
        assert put(stores, change, None) == at(stores, 1)
        return
    entry = put(stores, change, furnished(stores))
    assert (entry, entry.number, entry.message_seq, dict(entry.authors)) == (at(stores, 3), 1, 2, {"alice": 1})


def test_a_creation_that_comes_second_changes_nothing(stores: Stores) -> None:
    first = put(stores, CREATION, None)
    before = everything(stores)
    other = Added(("mallory",), size=1, roles={"mallory": "owner"}, name="mine")
    assert stores.log.put(entry_of(other, None, by="mallory", nonce="late")) == first
    assert everything(stores) == before
    assert stores.memberships.of_user("mallory") == []


def test_of_racing_changes_and_a_message_one_wins_and_only_that_one_has_an_effect(stores: Stores) -> None:
    message = furnished(stores)
    rivals = [entry_of(Removed((user,), size=1), message, nonce=user) for user in ("alice", "bob")]
    rivals += [entry_of(Added((user,), size=3), message, nonce=user) for user in ("carol", "dave", "erin")]
    rivals.append(Draft(GROUP, "bob", "hi", "hi").following(message, 3_000))
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(stores.log.put, rivals))
    (winner,) = [rival for rival, answer in zip(rivals, answers, strict=True) if answer is None]
    assert [answer for answer in answers if answer is not None] == [winner] * 5
    expected = {"alice", "bob"}
    match winner.change:
        case Added(users=users):
            expected |= set(users)
        case Removed(users=users):
            expected -= set(users)
    roster = stores.memberships.roster(GROUP)
    assert roster is not None
    assert set(roster.seats) == expected
    assert {user for user in (*expected, "carol") if stores.memberships.get(GROUP, user)} == expected


def test_as_many_as_one_change_adds_are_added(stores: Stores) -> None:
    creation = put(stores, CREATION, None)
    users = tuple(f"u{number}" for number in range(MAX_USERS_PER_CHANGE))
    added = put(stores, Added(users, size=50), creation)
    assert len(stores.memberships.among(GROUP, users)) == MAX_USERS_PER_CHANGE
    put(stores, Removed(users, size=2), added)
    assert stores.memberships.among(GROUP, users) == {}
