"""Contacts, blocks, relations and profiles: what every implementation promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace

import pytest

from shared.domain.changes import Reacted
from shared.domain.contacts import (
    ACCEPTED,
    CONTACTS,
    EVERYONE,
    INCOMING,
    REQUESTED,
    Contact,
    Pair,
    Profile,
    QuietHours,
    Relation,
)
from shared.domain.entries import Draft, Entry
from shared.domain.text import private_members
from tests.changes import changed
from tests.stores import Stores

NOBODY = Pair(None, None, blocks_me=False)
ASKED = Pair(Contact("bob", REQUESTED, 5), Contact("alice", INCOMING, 5), blocks_me=False)
FRIENDS = Pair(Contact("bob", ACCEPTED, 6), Contact("alice", ACCEPTED, 6), blocks_me=False)


def change(stores: Stores, was: Pair, becomes: Pair) -> bool:
    return stores.contacts.change("alice", "bob", was=was, mine=becomes.mine, theirs=becomes.theirs)


def write(stores: Stores, place: str, *senders: str) -> list[Entry]:
    """Messages of these senders, one after the other."""
    written: list[Entry] = []
    for sender in senders:
        base = written[-1] if written else None
        entry = Draft(place, sender, "hi", nonce=f"{place}/{len(written)}").following(base, 1)
        members = private_members(place) if base is None else None
        assert stores.log.put(entry, new_members=members or ()) is None
        written.append(entry)
    return written


def pair(stores: Stores) -> Pair:
    return stores.contacts.pair("alice", "bob")


def test_strangers_have_nothing(stores: Stores) -> None:
    assert pair(stores) == NOBODY
    assert list(stores.contacts.of("alice")) == []


def test_both_sides_change_together(stores: Stores) -> None:
    assert change(stores, NOBODY, ASKED)
    assert pair(stores) == ASKED
    assert stores.contacts.pair("bob", "alice") == Pair(ASKED.theirs, ASKED.mine, blocks_me=False)
    assert [list(stores.contacts.of(user)) for user in ("alice", "bob")] == [[ASKED.mine], [ASKED.theirs]]
    assert change(stores, ASKED, FRIENDS)
    assert pair(stores) == FRIENDS
    assert change(stores, FRIENDS, NOBODY)
    assert pair(stores) == NOBODY


def test_one_side_alone_may_be_there(stores: Stores) -> None:
    one_sided = Pair(ASKED.mine, None, blocks_me=False)
    assert change(stores, NOBODY, one_sided)
    assert pair(stores) == one_sided
    assert change(stores, one_sided, NOBODY)


@pytest.mark.parametrize("was", [NOBODY, ASKED, Pair(FRIENDS.mine, None, blocks_me=False)])
def test_a_change_of_what_is_not_so_any_more_changes_nothing(stores: Stores, was: Pair) -> None:
    assert change(stores, NOBODY, FRIENDS)
    assert not change(stores, was, ASKED)
    assert pair(stores) == FRIENDS


@pytest.mark.parametrize("side", ["mine", "theirs"])
def test_a_name_given_meanwhile_is_not_lost(stores: Stores, side: str) -> None:
    assert change(stores, NOBODY, FRIENDS)
    contact = getattr(FRIENDS, side)
    named = replace(FRIENDS, **{side: replace(contact, alias="Bobby")})
    assert change(stores, FRIENDS, named)
    assert not change(stores, FRIENDS, ASKED)
    assert pair(stores) == named
    assert change(stores, named, FRIENDS)


def test_of_many_changes_at_once_one_succeeds(stores: Stores) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: change(stores, NOBODY, ASKED), range(6)))
    assert sum(answers) == 1


def test_blocks_stand_once_and_one_way(stores: Stores) -> None:
    for now in (1, 2):
        stores.blocks.put("alice", "mallory", now=now)
    stores.blocks.put("alice", "eve", now=3)
    assert sorted(stores.blocks.of("alice")) == ["eve", "mallory"]
    assert list(stores.blocks.of("mallory")) == []
    for _ in range(2):
        stores.blocks.remove("alice", "mallory")
    assert list(stores.blocks.of("alice")) == ["eve"]


def test_who_of_many_blocks_somebody(stores: Stores) -> None:
    users = [f"u{number:03}" for number in range(120)]
    for user in (users[0], users[119]):
        stores.blocks.put(user, "mallory", now=1)
    stores.blocks.put("mallory", users[5], now=1)
    assert stores.blocks.blocking([*users, users[0]], "mallory") == {users[0], users[119]}
    assert stores.blocks.blocking([], "mallory") == set()


def test_a_pair_knows_whether_the_other_blocks_me(stores: Stores) -> None:
    stores.blocks.put("bob", "alice", now=1)
    assert pair(stores).blocks_me
    assert not stores.contacts.pair("bob", "alice").blocks_me


def test_relations_come_from_contacts_private_conversations_and_blocks(stores: Stores) -> None:
    stores.contacts.change("alice", "bob", was=NOBODY, mine=FRIENDS.mine, theirs=FRIENDS.theirs)
    stores.contacts.change("alice", "carol", was=NOBODY, mine=Contact("carol", REQUESTED, 1), theirs=None)
    write(stores, "dm:alice:dave", "alice", "alice", "dave")
    write(stores, "dm:alice:gina", "alice", "alice")
    write(stores, "dm:alice:henry", "henry", "alice", "henry")
    stores.memberships.create("dm:alice:ian", ("alice", "ian"), joined_at=1)
    stores.memberships.create("dm:alice:jane", ["jane"], joined_at=1)
    stores.blocks.put("alice", "bob", now=1)
    stores.blocks.put("erin", "alice", now=1)
    stores.blocks.put("alice", "henry", now=1)
    others = ["bob", "carol", "dave", "erin", "gina", "henry", "ian", "jane", "zoe"]
    expected = {
        "bob": Relation(is_near=True, is_blocked=True),
        "carol": Relation(),
        "dave": Relation(is_near=True),
        "erin": Relation(is_blocked=True),
        "gina": Relation(),
        "henry": Relation(is_near=True, is_blocked=True),
        "ian": Relation(),
        "jane": Relation(),
        "zoe": Relation(),
    }
    assert stores.relations.between("alice", others) == expected
    for other in others:
        assert stores.relations.between(other, ["alice"]) == {"alice": expected[other]}
    assert stores.relations.between("alice", []) == {}


def test_both_have_written_once_the_log_says_so_whatever_follows(stores: Stores) -> None:
    *_, answer = write(stores, "dm:alice:dave", "alice", "dave")
    for entry in (answer, stores.log.read("dm:alice:dave", start=2, limit=1)[0]):
        assert entry.first_answer
    change = changed(Reacted(1, "x", removed=False), answer, by="dave", at=2, nonce="r")
    assert stores.log.put(change) is None
    for sender in ("dave", "alice"):
        late = Draft("dm:alice:dave", sender, "again", nonce=f"late {sender}").following(change, 3)
        assert not late.first_answer
    assert stores.relations.between("dave", ["alice"]) == {"alice": Relation(is_near=True)}


def test_cursors_and_settings_survive_the_first_answer(stores: Stores) -> None:
    (first,) = write(stores, "dm:alice:dave", "alice")
    read = stores.memberships.get("dm:alice:dave", "dave")
    assert read is not None
    assert stores.memberships.move_read(read.with_read(1, 1))
    stores.memberships.set_preferences("dm:alice:dave", "dave", {"pinned": True})
    before = stores.memberships.get("dm:alice:dave", "dave")
    answer = Draft("dm:alice:dave", "dave", "hi", nonce="answer").following(first, 2)
    assert stores.log.put(answer) is None
    assert stores.memberships.get("dm:alice:dave", "dave") == before


def test_an_answer_whose_place_is_taken_makes_nobody_near(stores: Stores) -> None:
    (first, second) = write(stores, "dm:alice:dave", "alice", "alice")
    answer = Draft("dm:alice:dave", "dave", "hi", nonce="late").following(first, 2)
    assert stores.log.put(answer) == second
    assert stores.relations.between("alice", ["dave"]) == {"dave": Relation()}


def test_relations_to_a_hundred_at_once(stores: Stores) -> None:
    stores.blocks.put("u77", "alice", now=1)
    found = stores.relations.between("alice", [f"u{number}" for number in range(100)])
    assert [user for user, relation in found.items() if relation.is_blocked] == ["u77"]
    assert len(found) == 100


NIGHT = QuietHours("22:00", "07:00", "Europe/Berlin")
WHOLE = Profile("Alice", "https://example.org/a.png", False, NIGHT, CONTACTS, "mentions")


def test_a_profile_changes_field_by_field_and_clears_with_none(stores: Stores) -> None:
    assert stores.profiles.get("alice") == Profile()
    expected = Profile()
    for one in fields(Profile):
        expected = replace(expected, **{one.name: getattr(WHOLE, one.name)})
        assert stores.profiles.update("alice", {one.name: getattr(WHOLE, one.name)})
        assert stores.profiles.get("alice") == expected
    assert expected == WHOLE
    assert stores.profiles.update("alice", {"display_name": "Al", "previews": None, "quiet_hours": None})
    assert stores.profiles.get("alice") == replace(WHOLE, display_name="Al", previews=True, quiet_hours=None)
    assert stores.profiles.update("alice", dict.fromkeys(("display_name", "avatar_url", "groups_from", "mail")))
    assert stores.profiles.update("bob", {"display_name": None})
    assert stores.profiles.get("alice") == stores.profiles.get("bob") == Profile()


def test_of_changes_of_one_profile_at_once_none_is_lost(stores: Stores) -> None:
    changes = [{one.name: getattr(WHOLE, one.name)} for one in fields(Profile)]
    with ThreadPoolExecutor(len(changes)) as pool:
        list(pool.map(lambda change: stores.profiles.update("alice", change), changes))
    assert stores.profiles.get("alice") == WHOLE


def test_who_takes_groups_from_whom(stores: Stores) -> None:
    everyone = ["anna", "bob", "carol", "dave", "erin", "frank"]
    stores.blocks.put("anna", "alice", now=1)
    for user in ("anna", "bob", "carol", "dave"):
        stores.profiles.update(user, {"groups_from": CONTACTS})
    stores.profiles.update("erin", {"display_name": "Erin", "groups_from": EVERYONE})
    stores.contacts.change("alice", "bob", was=NOBODY, mine=FRIENDS.mine, theirs=FRIENDS.theirs)
    mine, theirs = Contact("carol", REQUESTED, 5), Contact("alice", INCOMING, 5)
    stores.contacts.change("alice", "carol", was=NOBODY, mine=mine, theirs=theirs)
    assert stores.blocks.refusing(everyone, "alice") == {"anna", "carol", "dave"}
    assert stores.blocks.refusing(["erin", "bob"], "alice") == set()
    many = [f"user{number:03}" for number in range(120)]
    stores.profiles.update(many[-1], {"groups_from": CONTACTS})
    assert stores.blocks.refusing(many, "alice") == {many[-1]}


def test_a_users_rows_of_other_kinds_are_no_conversations_contacts_or_blocks(stores: Stores) -> None:
    stores.contacts.change("alice", "bob", was=NOBODY, mine=FRIENDS.mine, theirs=FRIENDS.theirs)
    stores.blocks.put("alice", "mallory", now=1)
    stores.profiles.update("alice", {"display_name": "Alice"})
    stores.watches.replace("alice", "c1=", ["bob"], expires_at=99_000)
    stores.memberships.create("dm:alice:dave", ("alice", "dave"), joined_at=1)
    assert [one.conversation_id for one in stores.memberships.of_user("alice")] == ["dm:alice:dave"]
    assert [one.user_id for one in stores.contacts.of("alice")] == ["bob"]
    assert list(stores.blocks.of("alice")) == ["mallory"]
