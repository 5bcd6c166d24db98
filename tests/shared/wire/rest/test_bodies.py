from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.changes import ADMIN, MEMBER, OWNER
from shared.domain.connections import OFFLINE, Presence
from shared.domain.contacts import Contact, Profile, QuietHours
from shared.domain.entries import Entry
from shared.domain.members import Group, Member, Preferences
from shared.domain.rules import Audience
from shared.errors import Internal, NotAMember, Unavailable
from shared.operations.conversations import Created, Summary
from shared.operations.groups import CreatedGroup, Listed, ListedMembers
from shared.operations.history import History, Single
from shared.operations.tickets import Ticket
from shared.wire.events import message_body
from shared.wire.rest.common import error_body
from shared.wire.rest.conversations import created_body, group_body, members_body, preferences_body, summary_body
from shared.wire.rest.messages import history_body, single_body
from shared.wire.rest.people import contact_body, presences_body, profile_body, ticket_body

_DM, _GROUP = "dm:alice:bob", "group:aaaaaaaaaaaaaaaa"
_ENTRY = Entry(_DM, 42, "bob", 1_795_431_200_123, 40, "hi", authors={"bob": 40, "alice": 30})
_SETTINGS = {"muted_until": None, "notify": "all", "pinned": False, "archived": False}


def test_a_private_conversation_that_was_made() -> None:
    assert created_body(Created(_DM, ("alice", "bob"), is_new=True)) == {
        "id": _DM,
        "type": "private",
        "members": ["alice", "bob"],
    }


@pytest.mark.parametrize("is_new", [True, False])
def test_a_group_that_was_made_or_was_there(*, is_new: bool) -> None:
    group = Group(_GROUP, "Now", "alice", 1, 2, topic="What for", data='{"a":[1]}')
    audience = Audience({"bob": MEMBER, "alice": OWNER}, group)
    assert group_body(CreatedGroup(_GROUP, audience, is_new), "alice", name="Asked", head=3) == {
        "id": _GROUP,
        "type": "group",
        "name": "Now",
        "topic": "What for",
        "avatar": None,
        "data": {"a": [1]},
        "join": "invite",
        "history": "all",
        "members": ["alice", "bob"],
        "role": "owner",
        "head": 3,
    }


def test_a_ticket() -> None:
    assert ticket_body(Ticket("t1", 30)) == {"ticket": "t1", "expires_in": 30}


def test_a_private_conversation_of_the_inbox() -> None:
    member = Member(_DM, "alice", 5, read_seq=38, read_number=36, delivered_seq=41, about='{"deal":7}')
    assert summary_body(Summary(member, _ENTRY, _ENTRY)) == {
        "id": _DM,
        "type": "private",
        "name": None,
        "topic": None,
        "avatar": None,
        "data": {"deal": 7},
        "join": None,
        "history": "all",
        "head": 42,
        "last_message": message_body(_ENTRY),
        "unread": 4,
        "read_seq": 38,
        "delivered_seq": 41,
        "joined_seq": 0,
        "visible_from": 0,
        "members": ["alice", "bob"],
        "member_count": 2,
        "role": None,
        "slow_mode": 0,
        "frozen": False,
        "retention_days": None,
        **_SETTINGS,
    }


def test_a_group_of_the_inbox() -> None:
    preferences = Preferences(muted_until=7, notify="none", pinned=True, archived=True)
    member = Member(_GROUP, "alice", 5, joined_seq=3, read_seq=3, delivered_seq=3, preferences=preferences)
    group = Group(_GROUP, "Team", "bob", 1, 12)
    body = summary_body(Summary(member, None, group=group, role=ADMIN))
    assert (body["type"], body["name"], body["members"], body["member_count"]) == ("group", "Team", None, 12)
    assert (body["joined_seq"], body["role"]) == (3, "admin")
    assert preferences_body(preferences).items() <= body.items()
    assert preferences_body(preferences).keys() == _SETTINGS.keys()


def test_a_conversation_in_which_nothing_was_said() -> None:
    body = summary_body(Summary(Member(_DM, "alice", 5), None))
    assert (body["head"], body["last_message"], body["unread"], body["read_seq"]) == (0, None, 0, 0)


def test_what_is_read_is_delivered() -> None:
    member = Member(_DM, "alice", 5, read_seq=40, read_number=38, delivered_seq=7)
    assert summary_body(Summary(member, _ENTRY))["delivered_seq"] == 40
    listed = {
        "user_id": "alice",
        "role": "member",
        "joined_at": 5,
        "read_seq": 40,
        "delivered_seq": 40,
        "visible_from": 0,
        "data": None,
    }
    page = ListedMembers([Listed(member, MEMBER)])
    assert members_body("alice", _DM, page) == {"members": [listed]}
    assert members_body("alice", _DM, ListedMembers(page.members, "alice"))["next_cursor"]


@pytest.mark.parametrize("has_more", [True, False])
def test_a_page_of_history_has_the_status_of_one_s_own_messages(*, has_more: bool) -> None:
    reader = Member(_DM, "bob", 5, delivered_seq=41)
    own = replace(_ENTRY, seq=41, sender_id="alice")
    assert history_body(History([_ENTRY, own], has_more, reader)) == {
        "messages": [message_body(_ENTRY), {**message_body(own), "status": "delivered"}],
        "has_more": has_more,
    }


def test_another_s_message_has_no_status() -> None:
    assert single_body(Single(_ENTRY, is_group=True, others=None)) == message_body(_ENTRY)


def test_a_private_message_has_a_status_and_a_group_message_counts_too() -> None:
    others = [Member(_GROUP, user, 5, read_seq=read, delivered_seq=41) for user, read in (("b", 42), ("c", 41))]
    assert single_body(Single(_ENTRY, is_group=False, others=others[:1])) == {**message_body(_ENTRY), "status": "read"}
    assert single_body(Single(_ENTRY, is_group=True, others=others)) == {
        **message_body(_ENTRY),
        "status": "sent",
        "receipts": {"members": 2, "delivered": 1, "read": 1},
    }


def test_a_profile_with_and_without_quiet_hours() -> None:
    assert profile_body("alice", Profile(), hidden=True) == {
        "user_id": "alice",
        "display_name": None,
        "avatar_url": None,
        "hide_presence": True,
        "groups_from": "everyone",
        "mail": "all",
        "mail_stopped": None,
        "push": {"previews": True, "quiet_hours": None},
    }
    choosy = Profile(quiet_hours=QuietHours("22:00", "07:00", "UTC"), groups_from="contacts")
    body = profile_body("alice", choosy, hidden=False)
    assert (body["hide_presence"], body["groups_from"]) == (False, "contacts")
    assert body["push"]["quiet_hours"] == {"start": "22:00", "end": "07:00", "time_zone": "UTC"}


def test_a_contact_and_a_presence() -> None:
    assert contact_body(Contact("bob", "incoming", 5)) == {
        "user_id": "bob",
        "status": "incoming",
        "alias": None,
        "since": 5,
    }
    assert presences_body([Presence("bob", OFFLINE, 5)]) == {
        "users": [{"user_id": "bob", "status": "offline", "last_seen": 5}]
    }


def test_an_error_carries_the_request_it_was_an_answer_to() -> None:
    assert error_body(NotAMember(), "r-1") == {
        "error": "You are not a member of this conversation",
        "code": "not_a_member",
        "retryable": False,
        "request_id": "r-1",
    }
    assert error_body(Internal("oops"), "")["error"] == "oops"


def test_an_error_that_may_be_tried_again_says_when() -> None:
    assert error_body(Unavailable(retry_after_ms=1_500), "r-1")["retry_after_ms"] == 1_500
    assert "retry_after_ms" not in error_body(Internal(), "r-1")
