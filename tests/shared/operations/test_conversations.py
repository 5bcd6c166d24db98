"""The inbox: newest first, exact, page by page."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.inbox import InboxPosition
from shared.domain.members import Member, Preferences
from shared.errors import BadRequest, Blocked, NotAMember
from shared.operations.conversations import Summary, create_private, hide, inbox, set_preferences, summary_of
from shared.operations.groups import members_of
from shared.operations.receipts import READ
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import Simulated, simulated
from tests.wiring import parts, rest_services

SERVICES = rest_services()


def ids(
    stores: Simulated, *, limit: int = 10, before: InboxPosition | None = None, now: int = 0
) -> tuple[list[str], InboxPosition | None]:
    page = inbox("alice", limit=limit, position=before, stores=stores, services=SERVICES, now=now)
    return [one.conversation_id for one in page.conversations], page.next


def test_newest_first_and_an_empty_one_by_its_creation(stores: Simulated) -> None:
    stores.write("bob", "1", conversation_id="dm:alice:bob", at=10)
    stores.write("carol", "1", conversation_id="dm:alice:carol", at=30)
    stores.memberships.create("dm:alice:dave", ("alice", "dave"), joined_at=20)
    assert ids(stores) == (["dm:alice:carol", "dm:alice:dave", "dm:alice:bob"], None)


def test_pages_follow_each_other_without_gap_or_double(stores: Simulated) -> None:
    everyone = [f"dm:alice:u{number}" for number in range(7)]
    for number, conversation_id in enumerate(everyone):
        stores.write("u", "x", conversation_id=conversation_id, at=number // 2)
    seen: list[str] = []
    before: InboxPosition | None = None
    while True:
        page = inbox("alice", limit=3, position=before, stores=stores, services=SERVICES, now=0)
        seen += [one.conversation_id for one in page.conversations]
        before = page.next
        if before is None:
            break
    assert seen == sorted(everyone, reverse=True)


def write(stores: Simulated, other: str, at: int) -> None:
    stores.write(other, "x", conversation_id=f"dm:alice:{other}", at=at)


def test_one_that_moves_up_between_two_pages_is_not_passed_over_and_comes_once(stores: Simulated) -> None:
    for number in range(6):
        write(stores, f"u{number}", at=number * 100_000)
    first, position = ids(stores, limit=2, now=600_000)
    write(stores, "u0", at=700_000)
    write(stores, "u5", at=700_001)
    second, position = ids(stores, limit=2, before=position, now=800_000)
    write(stores, "u1", at=900_000)
    write(stores, "u2", at=900_001)
    third, position = ids(stores, limit=2, before=position, now=900_002)
    assert [first, second, third] == [
        ["dm:alice:u5", "dm:alice:u4"],
        ["dm:alice:u3", "dm:alice:u2"],
        ["dm:alice:u1", "dm:alice:u0"],
    ]
    assert position is None


def test_what_came_into_being_after_the_first_page_is_on_none_of_the_others(stores: Simulated) -> None:
    for number in range(4):
        write(stores, f"u{number}", at=number)
    first, position = ids(stores, limit=3, now=10)
    write(stores, "new", at=11)
    stores.memberships.create("dm:alice:empty", ("alice", "empty"), joined_at=12)
    assert (len(first), ids(stores, before=position, now=13)) == (3, (["dm:alice:u0"], None))


def test_one_that_has_gone_on_for_very_long_meanwhile_comes_last(stores: Simulated) -> None:
    for number in range(4):
        write(stores, f"u{number}", at=number + 1)
    _, position = ids(stores, limit=1, now=100_000)
    stores.write("u2", *["x"] * 1_100, conversation_id="dm:alice:u2", at=200_000)
    assert ids(stores, before=position, now=200_000) == (["dm:alice:u1", "dm:alice:u0", "dm:alice:u2"], None)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), number=st.integers(1, 12), limit=st.integers(1, 4))
def test_whatever_happens_between_pages_each_conversation_is_on_one_of_them(
    data: st.DataObject, number: int, limit: int
) -> None:
    """Clocks that write into the logs differ by seconds, and so does the one that reads."""
    stores, now = simulated(), 1_000_000
    clocks = st.integers(-9_000, 9_000)
    for each in range(number):
        write(stores, f"u{each}", at=now + data.draw(st.integers(-100_000, 0)) + data.draw(clocks))
    seen, position = ids(stores, limit=limit, now=now)
    while position is not None:
        now += data.draw(st.integers(0, 20_000))
        for other in data.draw(st.lists(st.integers(0, number + 1), max_size=6)):
            write(stores, f"u{other}", at=now + data.draw(clocks))
        page, position = ids(stores, limit=limit, before=position, now=now)
        seen += page
    assert sorted(seen) == [f"dm:alice:u{each}" for each in sorted(map(str, range(number)))]


def test_fifty_unread_and_none_after_reading(stores: Simulated) -> None:
    stores.write("bob", *map(str, range(50)))
    (before,) = inbox("alice", limit=1, stores=stores, services=SERVICES, now=0).conversations
    member = stores.member("alice", DM)
    stores.memberships.move_read(member.with_read(50, 50))
    (after,) = inbox("alice", limit=1, stores=stores, services=SERVICES, now=0).conversations
    assert (before.unread, after.unread, READ) == (50, 0, "read")


def test_a_private_conversation_is_made_once_whoever_asks(stores: Simulated) -> None:
    made = [create_private("alice", "bob", **parts(stores, now)) for now in (1, 2)]
    assert [(one.conversation_id, one.members, one.is_new) for one in made] == [
        (DM, ("alice", "bob"), True),
        (DM, ("alice", "bob"), False),
    ]
    assert [stores.memberships.of_user(user) for user in ("alice", "bob")] == [[Member(DM, "alice", 1)], []]


def test_an_empty_private_conversation_is_its_makers_alone(harness: ChatHarness) -> None:
    create_private("alice", "bob", **parts(harness.stores))
    assert [one.conversation_id for one in listed(harness, "alice")] == [DM]
    assert listed(harness, "bob") == []
    with pytest.raises(NotAMember):
        summary_of(DM, user_id="bob", stores=harness.stores)
    with pytest.raises(NotAMember):
        members_of(DM, user_id="bob", stores=harness.stores)
    with pytest.raises(NotAMember):
        harness.send(sender_id="bob", conversation_id=DM)
    for place in ({"to": "bob"}, {"conversation_id": DM}):
        harness.send(**place)
    assert [one.conversation_id for one in listed(harness, "bob")] == [DM]
    assert harness.member("alice", DM) == Member(DM, "alice", 1)


def test_the_members_of_an_empty_private_conversation_are_both(harness: ChatHarness) -> None:
    create_private("alice", "bob", **parts(harness.stores, 7))
    found = members_of(DM, user_id="alice", stores=harness.stores).members
    assert [(one.member, one.role) for one in found] == [
        (Member(DM, "alice", 7), "member"),
        (Member(DM, "bob", 7), "member"),
    ]


def test_both_may_make_the_same_private_conversation_and_each_has_it_then(harness: ChatHarness) -> None:
    for user, other in (("alice", "bob"), ("bob", "alice")):
        assert create_private(user, other, **parts(harness.stores)).is_new
        assert [one.conversation_id for one in listed(harness, user)] == [DM]


@pytest.mark.parametrize("other", ["alice", "", "a b", "a:b", "x" * 129])
def test_a_private_conversation_needs_somebody_else(other: str) -> None:
    with pytest.raises(BadRequest):
        create_private("alice", other, **parts(simulated()))


def test_who_is_blocked_makes_a_private_conversation_as_anybody_does_and_can_say_nothing_in_it(
    harness: ChatHarness,
) -> None:
    harness.stores.blocks.put("bob", "alice", now=1)
    assert create_private("alice", "bob", **parts(harness.stores)).is_new
    with pytest.raises(Blocked):
        harness.send(to="bob")
    assert listed(harness, "bob") == []


def listed(harness: ChatHarness, user_id: str = "bob") -> list[Summary]:
    page = inbox(user_id, limit=9, stores=harness.stores, services=SERVICES, now=0)
    return list(page.conversations)


def test_the_last_message_is_shown_though_other_entries_follow_it(harness: ChatHarness) -> None:
    harness.send("one")
    harness.send("two")
    harness.edit(2, "two, edited")
    harness.react(1, "x")
    (summary,) = listed(harness)
    assert summary.last_message is not None
    assert summary.head is not None
    assert (summary.head.seq, summary.last_message.seq, summary.last_message.content) == (4, 2, "two, edited")
    harness.delete(2)
    (summary,) = listed(harness)
    assert summary.last_message is not None
    assert (summary.last_message.seq, summary.last_message.content) == (2, None)


def test_only_messages_of_others_are_unread(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    harness.send(conversation_id=GROUP)
    harness.react(2, "x", place=GROUP)
    harness.edit(2, "edited", place=GROUP)
    assert [(one.unread, one.member.joined_seq) for one in listed(harness)] == [(1, 1)]
    harness.add("dave")
    assert [one.unread for one in listed(harness, "dave")] == [0]  # what was before is history
    harness.send(conversation_id=GROUP, sender_id="carol")
    assert [[one.unread for one in listed(harness, user)] for user in ("bob", "carol", "dave")] == [[2], [0], [1]]


def test_a_group_is_shown_with_its_name_and_size_and_a_private_one_with_its_members(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    harness.rename("renamed")
    harness.send()
    group, private = sorted(listed(harness), key=lambda one: one.conversation_id, reverse=True)
    assert group.group is not None
    assert (group.group.name, group.group.size, group.members, group.last_message) == ("renamed", 3, None, None)
    assert (private.group, private.members) == (None, ("alice", "bob"))
    harness.remove("bob")
    assert [one.conversation_id for one in listed(harness)] == [DM]


def one(harness: ChatHarness, place: str, user_id: str = "bob") -> Summary:
    return summary_of(place, user_id=user_id, stores=harness.stores)


def test_one_conversation_is_shown_with_the_role(harness: ChatHarness) -> None:
    harness.group("alice", "bob", admins=["bob"])
    harness.send()
    assert (one(harness, GROUP).role, one(harness, GROUP, "alice").role, one(harness, DM).role) == (
        "admin",
        "owner",
        None,
    )
    shown = one(harness, GROUP)
    assert (shown.group, shown.member) == (harness.stores.group(GROUP), harness.member("bob"))
    for place in (GROUP, DM, "group:unknown-unknown-0", "?"):
        with pytest.raises(NotAMember):
            one(harness, place, "zoe")


def test_a_hidden_conversation_comes_back_with_the_next_message_and_with_nothing_else(harness: ChatHarness) -> None:
    harness.send()
    hide(DM, user_id="bob", **parts(harness.stores))
    assert (listed(harness), len(listed(harness, "alice"))) == ([], 1)
    harness.react(1, "x")
    harness.edit(1, "edited")
    assert listed(harness) == []
    harness.send()
    assert [one.conversation_id for one in listed(harness)] == [DM]
    hide(DM, user_id="bob", **parts(harness.stores))
    assert listed(harness) == []
    harness.send(sender_id="bob", to="alice")
    assert len(listed(harness)) == 1


def test_only_ones_own_private_conversations_can_be_hidden(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    harness.stores.memberships.create("dm:alice:zoe", ("alice", "zoe"), joined_at=1)
    hide("dm:alice:zoe", user_id="alice", **parts(harness.stores))
    assert [one.conversation_id for one in listed(harness, "alice")] == [GROUP]
    with pytest.raises(BadRequest):
        hide(GROUP, user_id="bob", **parts(harness.stores))
    for place in (DM, "dm:alice:zoe", "?"):
        with pytest.raises(NotAMember):
            hide(place, user_id="bob", **parts(harness.stores))


def test_preferences_are_a_members_own(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    changed = set_preferences(GROUP, {"pinned": True}, user_id="bob", **parts(harness.stores))
    assert changed == one(harness, GROUP).member.preferences == Preferences(pinned=True)
    assert one(harness, GROUP, "alice").member.preferences == Preferences()
    for place in (GROUP, DM, "?"):
        with pytest.raises(NotAMember):
            set_preferences(place, {"pinned": True}, user_id="zoe", **parts(harness.stores))


def test_members_are_listed_with_role_and_cursors(harness: ChatHarness) -> None:
    harness.group("bob", "alice")
    harness.send(conversation_id=GROUP)
    harness.move("read", 2, place=GROUP)
    found = members_of(GROUP, user_id="alice", stores=harness.stores).members
    assert [(one.member.user_id, one.role, one.member.read_seq) for one in found] == [
        ("alice", "member", 1),
        ("bob", "owner", 2),
    ]
    for place in (DM, GROUP, "?"):
        with pytest.raises(NotAMember):
            members_of(place, user_id="zoe", stores=harness.stores)
    with pytest.raises(NotAMember):
        members_of(DM, user_id="alice", stores=harness.stores)
