"""A channel's members, its connections in parts, and its packs: what the store keeps to, on every engine."""

from __future__ import annotations

import pytest

from shared.adapters.dynamodb.schema import part_of, place_of
from shared.domain.changes import MEMBER, OPEN, OWNER, Added, Removed, RolesChanged
from shared.domain.channels import PARTS
from shared.domain.connections import MAX_CHANNELS, MAX_LARGE_GROUPS, Connection
from shared.domain.entries import Entry, change_entry
from shared.domain.packs import Claimed, Taken
from shared.errors import NotFound
from tests.changes import changed
from tests.stores import Stores

CHANNEL, OTHER = "channel:0123456789abcdef", "channel:fedcba9876543210"
NOW = 1_795_431_200_000


@pytest.fixture
def first(stores: Stores) -> Entry:
    entry = change_entry(
        Added(("alice",), size=1, roles={"alice": OWNER}, name="News", join=OPEN),
        base=None,
        conversation_id=CHANNEL,
        sender_id="alice",
        created_at=NOW,
        nonce="n1",
        fan_out=False,
    )
    assert stores.log.put(entry) is None
    return entry


def roles(stores: Stores) -> dict[str, str]:
    roster = stores.memberships.roster(CHANNEL)
    return {user: seat.role for user, seat in roster.seats.items()} if roster else {}


def listed(stores: Stores) -> list[str]:
    return sorted(one.user_id for part in range(PARTS) for one in stores.readers.listed(CHANNEL, part, limit=100))


def test_a_channel_says_how_it_is_joined_and_its_founder_has_every_row(stores: Stores, first: Entry) -> None:
    group = stores.memberships.groups([CHANNEL])[CHANNEL]
    assert (group.name, group.join, group.size) == ("News", OPEN, 1)
    assert stores.log.read(CHANNEL, start=1, limit=1) == [first]
    assert (roles(stores), listed(stores)) == ({"alice": OWNER}, ["alice"])
    assert stores.memberships.get(CHANNEL, "alice") is not None


def test_a_reader_has_two_rows_and_no_seat(stores: Stores, first: Entry) -> None:
    assert stores.readers.join(CHANNEL, "bob", joined_at=NOW, head=first)
    assert not stores.readers.join(CHANNEL, "bob", joined_at=NOW + 1, head=first)
    member = stores.memberships.get(CHANNEL, "bob")
    assert member is not None
    assert (member.joined_seq, member.read_seq, member.joined_at) == (1, 1, NOW)
    assert (roles(stores), listed(stores)) == ({"alice": OWNER}, ["alice", "bob"])
    assert [one.user_id for one in stores.readers.around(CHANNEL, "bob", limit=9)]
    assert stores.readers.leave(CHANNEL, "bob")
    assert not stores.readers.leave(CHANNEL, "bob")
    assert listed(stores) == ["alice"]


def test_a_part_is_listed_in_stretches(stores: Stores, first: Entry) -> None:
    users = [f"u{number}" for number in range(200)]
    part = part_of("u0")
    mine = sorted(place_of(user) for user in users if part_of(user) == part)
    for user in users:
        if part_of(user) == part:
            stores.readers.join(CHANNEL, user, joined_at=NOW, head=first)
    start = stores.readers.listed(CHANNEL, part, limit=3)
    rest = stores.readers.listed(CHANNEL, part, after=start[-1].place, limit=100)
    places = [one.place for one in (*start, *rest) if one.user_id != "alice"]
    assert places == mine


def test_a_role_is_given_to_members_and_taken_again(stores: Stores, first: Entry) -> None:
    stores.readers.join(CHANNEL, "bob", joined_at=NOW, head=first)
    given = changed(RolesChanged({"bob": "admin"}), first, by="alice", at=NOW, nonce="n2")
    assert stores.log.put(given) is None
    assert roles(stores) == {"alice": OWNER, "bob": "admin"}
    assert not stores.readers.leave(CHANNEL, "bob")
    taken = changed(RolesChanged({"bob": MEMBER}), given, by="alice", at=NOW, nonce="n3")
    assert stores.log.put(taken) is None
    assert roles(stores) == {"alice": OWNER}
    assert stores.readers.leave(CHANNEL, "bob")


def test_a_role_for_who_is_no_member_is_stored_with_its_entry_or_not_at_all(stores: Stores, first: Entry) -> None:
    entry = changed(RolesChanged({"bob": "admin"}), first, by="alice", at=NOW, nonce="n2")
    with pytest.raises(NotFound, match="member"):
        stores.log.put(entry)
    assert roles(stores) == {"alice": OWNER}
    assert len(stores.log.read(CHANNEL, start=1, limit=9)) == 1
    assert stores.memberships.get(CHANNEL, "bob") is None


def test_who_writes_leaves_with_every_row(stores: Stores, first: Entry) -> None:
    gone = changed(Removed(("alice",), size=0), first, by="alice", at=NOW, nonce="n2")
    assert stores.log.put(gone) is None
    assert (roles(stores), listed(stores)) == ({}, [])
    assert stores.memberships.get(CHANNEL, "alice") is None


def test_a_session_names_channels_beside_large_groups(stores: Stores) -> None:
    bobs = Connection("b1=", "bob", "phone", NOW, NOW + 5_000, NOW + 5_000)
    stores.sessions.register(bobs, limit=9)
    for number in range(MAX_LARGE_GROUPS):
        assert stores.sessions.list_in("bob", f"group:{number:016}", now=NOW) is not None
    for number in range(MAX_CHANNELS):
        there = stores.sessions.list_in("bob", f"channel:{number:016}", now=NOW)
        assert there is not None
        assert [one.connection_id for one in there] == ["b1="]
    assert stores.sessions.list_in("bob", CHANNEL, now=NOW) is None
    assert stores.sessions.list_in("bob", f"channel:{1:016}", now=NOW + 1) is not None
    session = stores.sessions.whole(["bob"])["bob"]
    assert (len(session.channels), len(session.large_groups)) == (MAX_CHANNELS, MAX_LARGE_GROUPS)
    assert len(session.connections[0].large_groups) == MAX_CHANNELS + MAX_LARGE_GROUPS
    stores.sessions.unlist("bob", f"channel:{1:016}", since=NOW)
    assert len(stores.sessions.whole(["bob"])["bob"].channels) == MAX_CHANNELS
    stores.sessions.unlist("bob", f"channel:{1:016}", since=NOW + 1)
    assert len(stores.sessions.whole(["bob"])["bob"].channels) == MAX_CHANNELS - 1


def test_a_channels_connections_are_in_parts_and_read_in_stretches(stores: Stores) -> None:
    names = [f"c{number}=" for number in range(60)]
    for name in names:
        stores.attendance.enter(Connection(name, "bob", "", NOW, NOW + 5_000, NOW + 5_000), [CHANNEL, OTHER])
    assert sum(stores.attendance.count(CHANNEL, part) for part in range(PARTS)) == 60
    found = []
    for part in range(PARTS):
        after = ""
        while rows := stores.attendance.in_part(CHANNEL, part, after=after, limit=3):
            found += [one.connection_id for one in rows]
            after = rows[-1].connection_id
    assert sorted(found) == sorted(names)
    stores.attendance.leave("c7=", CHANNEL)
    assert stores.attendance.count(CHANNEL, part_of("c7=")) == sum(part_of(one) == part_of("c7=") for one in names) - 1
    last = Connection("c7=", "bob", "", NOW, NOW + 5_000, NOW + 5_000)
    assert stores.attendance.lacking(last, [CHANNEL, OTHER]) == {CHANNEL: False}


def test_one_claim_covers_what_is_stored_until_it_is_taken(stores: Stores) -> None:
    packs = stores.packs
    assert packs.claim(CHANNEL, [2, 3], now=NOW) == Claimed(3, NOW)
    assert packs.claim(CHANNEL, [4], now=NOW) is None
    assert packs.claim(CHANNEL, [2, 3], now=NOW + 5) == Claimed(3, NOW + 5)  # the same once more
    assert packs.take(CHANNEL, 3, now=NOW, next_at=NOW + 1_000) == Taken(0)
    assert packs.claim(CHANNEL, [3], now=NOW) is None
    assert packs.claim(CHANNEL, [5], now=NOW) == Claimed(5, NOW + 1_000)
    assert packs.take(CHANNEL, 3, now=NOW, next_at=NOW + 1_000) is None
    assert packs.claim(OTHER, [1], now=NOW) == Claimed(1, NOW)


def test_a_pack_is_taken_when_it_is_due_and_as_often_as_it_comes(stores: Stores) -> None:
    packs = stores.packs
    packs.claim(CHANNEL, [2], now=NOW)
    packs.take(CHANNEL, 2, now=NOW, next_at=NOW + 1_000)
    packs.note_posted(CHANNEL, 2, next_at=NOW + 7_000)
    packs.note_posted(CHANNEL, 1, next_at=NOW)
    assert packs.posted(CHANNEL) == 2
    packs.claim(CHANNEL, [3], now=NOW)
    assert packs.take(CHANNEL, 3, now=NOW + 6_999, next_at=NOW) == Taken(2, NOW + 7_000)
    assert packs.take(CHANNEL, 3, now=NOW + 7_000, next_at=NOW + 8_000) == Taken(2)
    assert packs.take(CHANNEL, 3, now=NOW + 8_000, next_at=NOW + 9_000) == Taken(2)


def test_a_claim_that_nobody_takes_counts_for_a_minute(stores: Stores) -> None:
    packs = stores.packs
    packs.claim(CHANNEL, [2], now=NOW)
    assert packs.claim(CHANNEL, [3], now=NOW + 60_000) is None
    assert packs.claim(CHANNEL, [3], now=NOW + 60_001) == Claimed(3, NOW + 60_001)
    assert packs.take(CHANNEL, 2, now=NOW + 60_002, next_at=NOW) is None


def test_nothing_is_posted_in_a_channel_that_has_said_nothing(stores: Stores) -> None:
    assert stores.packs.posted(CHANNEL) == 0
    assert stores.packs.take(CHANNEL, 1, now=NOW, next_at=NOW) is None
