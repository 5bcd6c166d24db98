"""Channels: few write and everyone reads, and who reads comes and goes without a word in the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.dynamodb.schema import part_of, place_of
from shared.domain import channels as bounds
from shared.domain.changes import CLOSED, OPEN, Added, ChannelJoin, Removed, RolesChanged
from shared.domain.connections import MAX_CHANNELS, Identity, opened
from shared.domain.contacts import CONTACTS
from shared.domain.text import is_group_id, private_members
from shared.errors import BadRequest, Conflict, Forbidden, NotAMember, NotFound, RateLimited
from shared.operations.channels import (
    Joined,
    NewChannel,
    add_readers,
    create_channel,
    join,
    members_page,
    remove_from_channel,
    set_writer,
    with_size,
)
from shared.operations.conversations import summary_of
from shared.operations.descriptions import Update, update
from shared.operations.groups import AddMembers, SetRole
from shared.operations.history import Span, history, read_message
from shared.operations.messages import SendMessage, send_message
from shared.operations.resends import Appended
from shared.operations.sessions import open_connection
from shared.operations.sync import is_behind
from shared.operations.typing_indicators import type_in
from tests.fakes import FakeGateway
from tests.shared.operations.conversation_harness import ChatHarness

CHANNEL = "channel:0123456789abcdef"
HOUR_MS = 3_600_000


def make(harness: ChatHarness, policy: ChannelJoin = OPEN, *readers: str, named: str | None = None) -> Joined:
    made = create_channel(NewChannel("alice", "News", policy, named), **harness.whole)
    for reader in readers:
        enter(harness, reader)
    return made


def enter(harness: ChatHarness, user: str, place: str = CHANNEL) -> Joined:
    return join(place, user, by=user, stores=harness.stores, context=harness.context)


def leave(harness: ChatHarness, user: str, by: str | None = None) -> None:
    remove_from_channel(CHANNEL, user, by=by or user, **harness.whole)


def appoint(harness: ChatHarness, user: str, role: Any, by: str = "alice") -> None:
    set_writer(SetRole(CHANNEL, user, role, by), **harness.whole)


def add(harness: ChatHarness, *users: str, by: str = "alice") -> tuple[tuple[str, ...], int]:
    return add_readers(AddMembers(CHANNEL, users, by), admit=harness.admit, **harness.whole)


def say(harness: ChatHarness, user: str = "alice", content: str = "hi", **more: Any) -> int:
    command = SendMessage(sender_id=user, content=content, conversation_id=CHANNEL, **more)
    sent = send_message(command, **harness.whole)
    assert isinstance(sent, Appended)
    return sent.entry.seq


def rows(harness: ChatHarness) -> list[tuple[str, str]]:
    return sorted((row["pk"], row["sk"]) for row in harness.stores.rows("members") if CHANNEL in row["pk"] + row["sk"])


def test_a_channel_starts_with_its_founder_alone(harness: ChatHarness) -> None:
    made = make(harness)
    assert made == Joined(CHANNEL, "News", OPEN, "owner", 1, is_new=True)
    (entry,) = harness.entries(CHANNEL)
    assert entry.change == Added(("alice",), size=1, roles={"alice": "owner"}, name="News", join=OPEN)
    assert harness.roles(CHANNEL) == {"alice": "owner"}
    assert harness.stores.group(CHANNEL).join == OPEN


def test_a_name_makes_the_same_channel_again(harness: ChatHarness) -> None:
    first = make(harness, OPEN, named="mine")
    again = create_channel(NewChannel("alice", "Other", CLOSED, "mine"), **harness.whole)
    assert again == replace(first, is_new=False)
    other = create_channel(NewChannel("bob", "News", OPEN, "mine"), **harness.whole)
    assert other.is_new
    assert other.conversation_id != first.conversation_id


def test_joining_writes_no_row_but_the_readers_own_and_no_entry(harness: ChatHarness) -> None:
    make(harness)
    say(harness)
    before = rows(harness)
    harness.connect("bob")
    joined = enter(harness, "bob")
    assert (joined.role, joined.head, joined.is_new) == ("member", 2, True)
    new = [row for row in rows(harness) if row not in before]
    place = f"members#{CHANNEL}#{part_of('bob'):x}", place_of("bob")
    live = f"live#{CHANNEL}#{part_of('bob1'):x}", "bob1"
    assert new == sorted([place, live, ("user#bob", f"conversation#{CHANNEL}")])
    assert len(harness.entries(CHANNEL)) == 2
    assert harness.stores.session("bob").channels.keys() == {CHANNEL}


def test_who_joins_has_read_what_was_there(harness: ChatHarness) -> None:
    make(harness)
    say(harness)
    enter(harness, "bob")
    member = harness.stores.member("bob", CHANNEL)
    assert (member.joined_seq, member.read_seq, member.delivered_seq) == (2, 2, 2)
    assert summary_of(CHANNEL, user_id="bob", stores=harness.stores).unread == 0
    say(harness)
    assert summary_of(CHANNEL, user_id="bob", stores=harness.stores).unread == 1


def test_a_second_join_changes_nothing_and_makes_good_what_the_first_left_undone(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    say(harness)
    harness.connect("bob")
    again = enter(harness, "bob")
    assert (again.is_new, again.role, again.head) == (False, "member", 2)
    assert harness.stores.member("bob", CHANNEL).joined_seq == 1
    assert [row[1] for row in rows(harness) if row[0].startswith("live#")] == ["bob1"]
    assert enter(harness, "alice").role == "owner"


def test_a_connection_that_comes_later_is_an_attendee_before_it_is_let_in(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    connection = opened("new=", Identity("bob", harness.clock() + HOUR_MS), device_id="", connected_at=harness.clock())
    open_connection(
        connection, limit=20, stores=harness.stores, services=harness.whole["services"], now=harness.clock()
    )
    assert [row[1] for row in rows(harness) if row[0].startswith("live#")] == ["new="]


@pytest.mark.parametrize("place", ["channel:nothing-like-this", CHANNEL])
def test_a_closed_channel_looks_like_none(harness: ChatHarness, place: str) -> None:
    make(harness, CLOSED)
    with pytest.raises(NotAMember):
        enter(harness, "bob", place)
    assert harness.member("bob", CHANNEL) is None


@pytest.mark.parametrize("place", ["dm:alice:bob", "group:0123456789abcdef", "channel:short", "nonsense"])
def test_what_is_no_channel_is_not_joined(harness: ChatHarness, place: str) -> None:
    with pytest.raises(NotAMember):
        enter(harness, "bob", place)


def test_ones_own_group_is_told_to_be_no_channel(harness: ChatHarness) -> None:
    with pytest.raises(BadRequest):
        enter(harness, "bob", harness.group("alice", "bob"))


def test_users_join_by_themselves(harness: ChatHarness) -> None:
    make(harness)
    with pytest.raises(Forbidden):
        join(CHANNEL, "bob", by="alice", stores=harness.stores, context=harness.context)


def test_readers_can_do_nothing_that_is_told(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    seq = say(harness)
    attempts: list[Callable[[], object]] = [
        lambda: say(harness, "bob"),
        lambda: say(harness, "bob", client_message_id="x", after=1),
        lambda: harness.edit(seq, "no", "bob", place=CHANNEL),
        lambda: harness.delete(seq, "bob", place=CHANNEL),
        lambda: harness.react(seq, "👍", "bob", place=CHANNEL),
        lambda: update(Update(CHANNEL, {"name": "Mine"}, "bob"), **harness.whole),
        lambda: appoint(harness, "bob", "owner", by="bob"),
        lambda: leave(harness, "alice", by="bob"),
        lambda: add(harness, "carol", by="bob"),
        lambda: members_page(CHANNEL, user_id="bob", limit=10, stores=harness.stores, context=harness.context),
        lambda: type_in(CHANNEL, user_id="bob", active=True, **harness.whole),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
    assert len(harness.entries(CHANNEL)) == 2


def test_who_is_no_member_is_told_that_alone(harness: ChatHarness) -> None:
    make(harness)
    seq = say(harness)
    attempts: list[Callable[[], object]] = [
        lambda: say(harness, "bob"),
        lambda: harness.edit(seq, "no", "bob", place=CHANNEL),
        lambda: harness.react(seq, "👍", "bob", place=CHANNEL),
        lambda: leave(harness, "bob"),
        lambda: leave(harness, "alice", by="bob"),
        lambda: add(harness, "bob", by="bob"),
        lambda: members_page(CHANNEL, user_id="bob", limit=10, stores=harness.stores, context=harness.context),
        lambda: type_in(CHANNEL, user_id="bob", active=True, **harness.whole),
        lambda: summary_of(CHANNEL, user_id="bob", stores=harness.stores),
        lambda: history(CHANNEL, Span(limit=10), user_id="bob", stores=harness.stores),
        lambda: harness.move("read", seq, "bob", place=CHANNEL),
        lambda: is_behind(CHANNEL, 1, user_id="bob", stores=harness.stores),
        lambda: harness.send("", to="carol", sender_id="bob", forward_of=(CHANNEL, seq)),
    ]
    for attempt in attempts:
        with pytest.raises(NotAMember):
            attempt()


def test_writers_write_edit_react_and_forward(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    appoint(harness, "bob", "admin")
    seq = say(harness, "bob", "hello")
    harness.edit(seq, "hello all", "bob", place=CHANNEL)
    harness.react(seq, "👍", "alice", place=CHANNEL)
    harness.delete(seq, "alice", place=CHANNEL)
    assert all(entry.fan_out for entry in harness.entries(CHANNEL)[1:])
    assert not harness.heard()


def test_a_send_reads_the_few_who_write_and_none_of_the_readers(harness: ChatHarness) -> None:
    make(harness, OPEN, *(f"u{number}" for number in range(20)))
    harness.stores.calls.made.clear()
    say(harness)
    assert harness.stores.calls.made == ["Query log", "Query members", "PutItem log"]
    roster = harness.stores.memberships.roster(CHANNEL)
    assert roster is not None
    assert roster.seats.keys() == {"alice"}


def test_mentions_are_of_members_whoever_they_are(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    seq = say(harness, mentions=("bob", "alice"))
    assert harness.at(seq, CHANNEL).mentions == ("bob", "alice")
    with pytest.raises(BadRequest):
        say(harness, mentions=("carol",))


def test_who_was_appointed_writes_and_who_steps_down_reads(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    appoint(harness, "bob", "admin")
    seq = say(harness, "bob", client_message_id="c1", after=2)
    appoint(harness, "bob", "member")
    assert [entry.change for entry in harness.entries(CHANNEL)[1::2]] == [
        RolesChanged({"bob": "admin"}),
        RolesChanged({"bob": "member"}),
    ]
    assert harness.roles(CHANNEL) == {"alice": "owner"}
    with pytest.raises(Forbidden):
        say(harness, "bob")
    with pytest.raises(Forbidden):
        harness.edit(seq, "again", "bob", place=CHANNEL)
    assert say(harness, "bob", client_message_id="c1", after=2) == seq  # its resend is answered as before
    assert read_message(CHANNEL, seq, user_id="bob", stores=harness.stores).others is None
    leave(harness, "bob")
    assert len(harness.entries(CHANNEL)) == 4


def test_a_role_is_for_members_and_never_for_too_many(harness: ChatHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    make(harness, OPEN, "bob", "carol")
    with pytest.raises(NotFound):
        appoint(harness, "dave", "admin")
    with pytest.raises(Forbidden, match="needs an owner"):
        appoint(harness, "alice", "member")
    monkeypatch.setattr(bounds, "MAX_WRITERS", 2)
    appoint(harness, "bob", "admin")
    with pytest.raises(Conflict):
        appoint(harness, "carol", "admin")


def test_who_leaves_while_they_are_appointed_is_no_writer(harness: ChatHarness) -> None:
    """The entry is stored with the role or not at all."""
    make(harness, OPEN, "bob")
    harness.stores.before_put(lambda _: harness.stores.readers.leave(CHANNEL, "bob"))
    with pytest.raises(NotFound):
        appoint(harness, "bob", "admin")
    harness.stores.before_put(None)
    assert harness.roles(CHANNEL) == {"alice": "owner"}
    assert len(harness.entries(CHANNEL)) == 1


def test_who_is_appointed_while_they_leave_goes_by_the_log(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    appoint(harness, "bob", "admin")
    assert harness.stores.readers.leave(CHANNEL, "bob") is False
    leave(harness, "bob")
    assert harness.entries(CHANNEL)[-1].change == Removed(("bob",), size=1)
    assert harness.member("bob", CHANNEL) is None
    assert not [row for row in rows(harness) if "bob" in "".join(row)]


def test_a_reader_leaves_without_a_trace(harness: ChatHarness) -> None:
    harness.connect("bob")
    make(harness, OPEN)
    before = rows(harness)
    enter(harness, "bob")
    harness.clock.ms += HOUR_MS
    leave(harness, "bob")
    assert rows(harness) == before
    assert harness.stores.session("bob").channels == {}
    assert len(harness.entries(CHANNEL)) == 1
    with pytest.raises(NotAMember):
        leave(harness, "bob")


def test_the_last_owner_stays_as_long_as_anybody_reads(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    with pytest.raises(Forbidden, match="owner"):
        leave(harness, "alice")
    assert "alice" in harness.roles(CHANNEL)
    appoint(harness, "bob", "owner")
    leave(harness, "alice")
    leave(harness, "bob")
    assert harness.roles(CHANNEL) == {}


def test_owners_and_admins_remove_readers_and_owners_remove_admins(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob", "carol", "dave")
    appoint(harness, "bob", "admin")
    appoint(harness, "carol", "admin")
    leave(harness, "dave", by="bob")
    with pytest.raises(Forbidden):
        leave(harness, "carol", by="bob")
    leave(harness, "carol", by="alice")
    with pytest.raises(NotFound):
        leave(harness, "carol", by="alice")
    with pytest.raises(Forbidden):
        leave(harness, "alice", by="alice")
    assert harness.roles(CHANNEL) == {"alice": "owner", "bob": "admin"}


def test_members_are_added_who_let_themselves_be(harness: ChatHarness) -> None:
    make(harness, CLOSED)
    with harness.stores.calls.quietly():
        harness.stores.blocks.put("dave", "alice", now=1)
        harness.stores.profiles.update("erin", {"groups_from": CONTACTS})
    added, size = add(harness, "bob", "carol", "dave", "erin", "alice", "bob")
    assert (added, size) == (("bob", "carol"), 3)
    assert add(harness, "bob") == ((), 3)
    assert len(harness.entries(CHANNEL)) == 1


def test_too_many_invitations_change_nothing(harness: ChatHarness) -> None:
    make(harness, CLOSED)

    def refuse(_user: str, _count: int) -> None:
        raise RateLimited

    harness.admit = refuse
    with pytest.raises(RateLimited):
        add(harness, "bob")
    assert harness.member("bob", CHANNEL) is None


def test_a_user_is_in_so_many_channels_and_makes_room_by_leaving(harness: ChatHarness) -> None:
    make(harness)
    places = [f"channel:{number:016}" for number in range(MAX_CHANNELS)]
    for place in places:
        assert harness.stores.sessions.list_in("bob", place, now=harness.clock()) is not None
        harness.stores.readers.join(place, "bob", joined_at=1, head=harness.at(1, CHANNEL))
    with pytest.raises(Conflict):
        enter(harness, "bob")
    assert add(harness, "bob")[0] == ()
    harness.stores.readers.leave(places[0], "bob")
    with pytest.raises(Conflict):
        enter(harness, "bob")  # it may be that they are just coming there again
    harness.clock.ms += 61_000
    assert enter(harness, "bob").is_new


def test_a_channel_is_full_by_estimate(harness: ChatHarness) -> None:
    make(harness)
    with harness.stores.calls.quietly():
        for number in range(64):
            harness.stores.readers.join(CHANNEL, f"u{number}", joined_at=1, head=harness.at(1, CHANNEL))
    tight = replace(harness.context, limits=replace(harness.context.limits, channel_members=16))
    part = next(f"x{n}" for n in range(99) if harness.stores.readers.around(CHANNEL, f"x{n}", limit=1))
    with pytest.raises(Conflict):
        join(CHANNEL, part, by=part, stores=harness.stores, context=tight)


@pytest.mark.parametrize("count", [3, 500, 5_000])
def test_the_size_is_told_from_a_few_rows(harness: ChatHarness, count: int) -> None:
    make(harness)
    head = harness.at(1, CHANNEL)
    with harness.stores.calls.quietly():
        for number in range(count - 1):
            harness.stores.readers.join(CHANNEL, f"user{number}", joined_at=1, head=head)
    summary = summary_of(CHANNEL, user_id="alice", stores=harness.stores)
    found = with_size(summary, stores=harness.stores, services=harness.whole["services"]).size
    assert abs(found - count) <= (0 if count <= 500 else count // 8)


def test_members_are_listed_in_pages_each_once(harness: ChatHarness) -> None:
    readers = [f"user{number}" for number in range(40)]
    make(harness, OPEN, *readers)
    appoint(harness, "user7", "admin")
    found: list[tuple[str, str]] = []
    after: tuple[int, str] | None = (0, "")
    while after is not None:
        page = members_page(
            CHANNEL, user_id="user7", limit=7, after=after, stores=harness.stores, context=harness.context
        )
        assert len(page.members) <= 7
        found += [(one.member.user_id, one.role) for one in page.members]
        after = page.next
    assert sorted(user for user, _ in found) == sorted([*readers, "alice"])
    assert {user: role for user, role in found if role != "member"} == {"alice": "owner", "user7": "admin"}


def test_receipts_are_told_to_ones_own_devices_alone(harness: ChatHarness) -> None:
    harness.connect("alice", "bob")
    make(harness, OPEN, "bob")
    seq = say(harness)
    harness.gateway.posts.clear()
    assert harness.move("read", seq, "bob", place=CHANNEL) == seq
    assert harness.heard() == {"bob1"}
    assert harness.move("read", seq, "alice", place=CHANNEL) == seq
    assert harness.heard() == {"alice1"}
    say(harness, read=seq)
    assert not harness.heard()


def test_no_one_is_typed_at(harness: ChatHarness) -> None:
    harness.connect("alice", "bob")
    make(harness, OPEN, "bob")
    appoint(harness, "bob", "admin")
    harness.gateway.posts.clear()
    type_in(CHANNEL, user_id="alice", active=True, **harness.whole)
    assert isinstance(harness.gateway, FakeGateway)
    assert not harness.heard()


def test_readers_forward_what_they_read(harness: ChatHarness) -> None:
    make(harness, OPEN, "bob")
    seq = say(harness, content="breaking")
    sent = harness.send("", to="carol", sender_id="bob", forward_of=(CHANNEL, seq))
    assert (sent.entry.content, sent.entry.forwarded) == ("breaking", True)


def test_an_older_version_takes_a_channel_for_nothing_that_is_there() -> None:
    """Its ids are neither of a private conversation nor of a group: it refuses, and changes nothing."""
    assert not is_group_id(CHANNEL)
    assert private_members(CHANNEL) is None
