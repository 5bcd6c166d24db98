"""Memberships: what every implementation promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from shared.domain.members import Member, Preferences
from shared.domain.text import private_conversation_id, private_members
from tests.changes import GROUP, founding
from tests.fakes import DM
from tests.stores import Stores


def member(stores: Stores, user_id: str = "alice") -> Member:
    stores.memberships.create(DM, ("alice", "bob"), joined_at=5)
    found = stores.memberships.get(DM, user_id)
    assert found is not None
    return found


def test_created_members_are_found_by_conversation_and_by_user(stores: Stores) -> None:
    assert stores.memberships.create(DM, ("alice", "bob"), joined_at=5)
    assert stores.memberships.get(DM, "alice") == Member(DM, "alice", 5)
    assert stores.memberships.of_user("bob") == [Member(DM, "bob", 5)]


def test_creating_again_changes_nothing(stores: Stores) -> None:
    before = member(stores)
    assert not stores.memberships.create(DM, ("alice", "bob"), joined_at=9)
    assert stores.memberships.get(DM, "alice") == before


def test_a_stranger_has_no_membership(stores: Stores) -> None:
    member(stores)
    assert stores.memberships.get(DM, "carol") is None
    assert stores.memberships.of_user("carol") == []


def test_a_user_has_all_conversations_and_nobody_elses(stores: Stores) -> None:
    stores.memberships.create(DM, ("alice", "bob"), joined_at=1)
    stores.memberships.create("dm:alice:carol", ("alice", "carol"), joined_at=2)
    found = {one.conversation_id for one in stores.memberships.of_user("alice")}
    assert found == {DM, "dm:alice:carol"}
    assert [one.conversation_id for one in stores.memberships.of_user("carol")] == ["dm:alice:carol"]


def test_a_users_conversations_are_listed_by_their_ids_page_by_page(stores: Stores) -> None:
    others = ["a", "a-b", "a.b", "ab", "B", "Z", "z", "_", "@"]
    ids = sorted(private_conversation_id("m", other) for other in others)
    for one in reversed(ids):
        stores.memberships.create(one, private_members(one) or (), joined_at=1)
    stores.log.put(founding("m"))
    everything = [*ids, GROUP]
    for limit in (1, 3, 10, 20):
        seen: list[str] = []
        while page := stores.memberships.listed("m", after=seen[-1] if seen else "", limit=limit):
            assert len(page) <= limit
            seen += [one.conversation_id for one in page]
        assert seen == everything
    assert stores.memberships.listed("m", after="dm:a:n", limit=1)[0].conversation_id == "dm:ab:m"
    assert stores.memberships.listed("nobody", after="", limit=5) == []


def test_a_users_memberships_in_some_conversations(stores: Stores) -> None:
    ids = [f"dm:alice:u{number:03}" for number in range(120)]
    for one in ids[:110]:
        stores.memberships.create(one, private_members(one) or (), joined_at=1)
    found = stores.memberships.of_user_in("alice", [*ids, "dm:bob:carol"])
    assert found == {one: Member(one, "alice", 1) for one in ids[:110]}
    assert stores.memberships.of_user_in("alice", []) == {}


def test_the_read_cursor_moves_forward_with_its_number(stores: Stores) -> None:
    moved = member(stores).with_read(7, 6)
    assert stores.memberships.move_read(moved)
    stored = stores.memberships.get(DM, "alice")
    assert stored is not None
    assert (stored.read_seq, stored.read_number) == (7, 6)


def test_the_read_cursor_never_moves_back(stores: Stores) -> None:
    start = member(stores)
    assert stores.memberships.move_read(start.with_read(7, 6))
    assert not stores.memberships.move_read(start.with_read(7, 6))
    assert not stores.memberships.move_read(start.with_read(3, 3))
    stored = stores.memberships.get(DM, "alice")
    assert stored is not None
    assert stored.read_seq == 7


def test_the_delivered_cursor_moves_on_its_own(stores: Stores) -> None:
    start = member(stores)
    assert stores.memberships.move_delivered(replace(start, delivered_seq=4))
    assert not stores.memberships.move_delivered(replace(start, delivered_seq=2))
    stored = stores.memberships.get(DM, "alice")
    assert stored is not None
    assert (stored.read_seq, stored.delivered_seq) == (0, 4)


def test_the_number_of_the_last_own_message_is_noted_and_never_falls(stores: Stores) -> None:
    start = member(stores)
    for number in (7, 3, 7):
        stores.memberships.note_written(DM, "alice", number=number)
        assert stores.memberships.get(DM, "alice") == replace(start, wrote_number=7)
    stores.memberships.note_written(DM, "carol", number=9)
    assert stores.memberships.get(DM, "carol") is None


def test_a_cursor_of_nobody_moves_nowhere(stores: Stores) -> None:
    stranger = Member(DM, "carol", 0)
    assert not stores.memberships.move_read(stranger.with_read(1, 1))
    assert not stores.memberships.move_delivered(replace(stranger, delivered_seq=1))
    assert stores.memberships.get(DM, "carol") is None


def test_preferences_change_one_by_one_and_clear_with_none(stores: Stores) -> None:
    member(stores)
    for changes, becomes in (
        ({"muted_until": 99, "notify": "mentions", "pinned": True}, Preferences(99, "mentions", pinned=True)),
        ({"muted_until": None, "archived": True}, Preferences(None, "mentions", pinned=True, archived=True)),
        ({"notify": None, "pinned": None, "archived": None}, Preferences()),
    ):
        assert stores.memberships.set_preferences(DM, "alice", changes)
        stored = stores.memberships.get(DM, "alice")
        assert stored is not None
        assert stored.preferences == becomes


@pytest.mark.parametrize("changes", [{"pinned": True}, {"muted_until": None}])
def test_a_stranger_has_no_preferences_and_gets_none(stores: Stores, changes: Mapping[str, object]) -> None:
    member(stores)
    assert not stores.memberships.set_preferences(DM, "carol", changes)
    assert not stores.memberships.hide(DM, "carol", seq=1)
    assert stores.memberships.get(DM, "carol") is None


def test_hiding_is_noted_with_the_head(stores: Stores) -> None:
    before = member(stores)
    assert stores.memberships.hide(DM, "alice", seq=4)
    assert stores.memberships.get(DM, "alice") == replace(before, hidden_seq=4)
    assert not stores.memberships.hide(DM, "alice", seq=2)  # one that was on its way for longer
    assert not stores.memberships.hide(DM, "alice", seq=4)
    assert stores.memberships.get(DM, "alice") == replace(before, hidden_seq=4)


def test_what_is_shown_again_is_as_if_never_hidden(stores: Stores) -> None:
    before = member(stores)
    stores.memberships.show(DM, "alice")
    stores.memberships.hide(DM, "alice", seq=4)
    stores.memberships.show(DM, "alice")
    assert stores.memberships.get(DM, "alice") == before
    assert stores.memberships.hide(DM, "alice", seq=2)
    assert stores.memberships.get(DM, "alice") == replace(before, hidden_seq=2)
    stores.memberships.show(DM, "carol")
    assert stores.memberships.get(DM, "carol") is None


def test_cursors_and_preferences_leave_each_other_alone(stores: Stores) -> None:
    start = member(stores)
    stores.memberships.set_preferences(DM, "alice", {"pinned": True})
    stores.memberships.hide(DM, "alice", seq=2)
    assert stores.memberships.move_read(start.with_read(7, 6))
    stores.memberships.note_written(DM, "alice", number=5)
    stored = stores.memberships.get(DM, "alice")
    assert stored is not None
    assert (stored.preferences.pinned, stored.hidden_seq, stored.read_seq, stored.wrote_number) == (True, 2, 7, 5)


def test_a_private_conversation_is_no_group(stores: Stores) -> None:
    member(stores)
    assert stores.memberships.roster(DM) is None
    assert stores.memberships.groups([DM]) == {}


def test_members_are_found_among_many(stores: Stores) -> None:
    member(stores)
    found = stores.memberships.among(DM, ["alice", "bob", *(f"u{number}" for number in range(110)), "alice"])
    assert sorted(found) == ["alice", "bob"]
    assert stores.memberships.among(DM, []) == {}
