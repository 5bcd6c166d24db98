"""What a conversation looks like, made from its events."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace

from parley_client.events import (
    ConversationUpdated,
    Delivered,
    Event,
    LogEntry,
    MembersAdded,
    MembersRemoved,
    Message,
    MessageDeleted,
    MessageEdited,
    Reaction,
    ReadReceipt,
    Typing,
)
from parley_client.view import ConversationView

G = "group:0123456789abcdef"
DM = "dm:alice:bob"
CREATED = MembersAdded(G, 1, "alice", ("alice", "bob"), "team", 1)


def said(seq: int, sender: str = "bob", content: str | None = "hi", deleted_at: int | None = None) -> Message:
    sent_as, at = f"c{seq}", f"{G}/{seq}"
    return Message(G, seq, sender, content, created_at=seq, id=at, client_message_id=sent_as, deleted_at=deleted_at)


def seen(*events: Event, where: str = G) -> ConversationView:
    view = ConversationView(where)
    for event in events:
        view.apply(event)
    before = copy.deepcopy(view)
    assert not any(view.apply(event) for event in events), "applying an event twice changes nothing"
    assert view == before
    return view


def contents(view: ConversationView) -> dict[int, str | None]:
    return {seq: message.content for seq, message in view.messages.items()}


def test_an_edit_changes_what_a_message_says_and_when_it_was_edited() -> None:
    message = seen(CREATED, said(2), MessageEdited(G, 3, 2, "bob", "hello", 30)).messages[2]
    assert (message.content, message.edited_at, message.created_at) == ("hello", 30, 2)


def test_an_edit_without_content_leaves_what_is_there_to_a_later_entry() -> None:
    first: list[Event] = [CREATED, said(2), MessageEdited(G, 3, 2, "bob", None, 30)]
    assert contents(seen(*first)) == {2: "hi"}
    assert contents(seen(*first, MessageEdited(G, 4, 2, "bob", "third", 40))) == {2: "third"}


def test_an_edit_says_what_a_message_has_of_data_where_it_says_so() -> None:
    message = replace(said(2), data={"order": 1}, attachments=({"type": "link"},))
    kept = seen(CREATED, message, MessageEdited(G, 3, 2, "bob", "hello", 30)).messages[2]
    assert (kept.data, kept.attachments) == ({"order": 1}, ({"type": "link"},))
    other = MessageEdited(G, 3, 2, "bob", "hello", 30, data={"order": 2}, has_data=True)
    assert seen(CREATED, message, other).messages[2].data == {"order": 2}
    off = MessageEdited(G, 4, 2, "bob", "hello", 40, has_data=True)
    assert seen(CREATED, message, other, off).messages[2].data is None
    gone = seen(CREATED, message, MessageDeleted(G, 3, 2, "bob", 30)).messages[2]
    assert (gone.data, gone.attachments) == (None, ())


def test_an_edit_that_comes_cut_says_so_and_a_later_whole_one_does_not() -> None:
    cut = MessageEdited(G, 3, 2, "bob", "hel", 30, content_cut=True)
    assert seen(CREATED, said(2), cut).messages[2].content_cut
    whole = seen(CREATED, said(2), cut, MessageEdited(G, 4, 2, "bob", "hello", 40)).messages[2]
    assert (whole.content, whole.content_cut) == ("hello", False)


def test_a_moderator_takes_off_the_reaction_of_its_user_and_not_their_own() -> None:
    events: list[Event] = [CREATED, said(2)]
    events += [Reaction(G, 3, 2, "bob", "👍"), Reaction(G, 4, 2, "alice", "👍")]
    events += [Reaction(G, 5, 2, "bob", "👍", removed=True, removed_by="alice")]
    assert seen(*events).messages[2].reactions == {"👍": ("alice",)}


def test_counts_of_a_message_too_heavy_stay_as_they_came_until_the_message_is_fetched() -> None:
    heavy = replace(said(2), reaction_counts={"👍": 250}, reaction_total=300)
    view = seen(CREATED, heavy, Reaction(G, 3, 2, "bob", "👍", removed=True))
    assert (view.messages[2].reactions, view.messages[2].reaction_counts) == ({}, {"👍": 250})
    view.seed(messages=[replace(said(2), reactions={"👍": ("alice",)})])
    view.apply(Reaction(G, 4, 2, "bob", "👍"))
    assert view.messages[2].reactions == {"👍": ("alice", "bob")}


def test_a_deleted_message_keeps_its_place_and_nothing_else() -> None:
    reacted = Reaction(G, 3, 2, "alice", "👍", timestamp=3)
    message = seen(CREATED, said(2), reacted, MessageDeleted(G, 4, 2, "bob", 40)).messages[2]
    assert message == Message(G, 2, "bob", None, created_at=2, id=f"{G}/2", deleted_at=40)


def test_nothing_revives_a_deleted_message() -> None:
    gone: list[Event] = [CREATED, said(2, content=None, deleted_at=50), MessageEdited(G, 3, 2, "bob", "late", 30)]
    view = seen(*gone, Reaction(G, 4, 2, "alice", "👍", timestamp=4))
    assert (view.messages[2].content, view.messages[2].reactions) == (None, {})


def test_reactions_gather_by_emoji_and_go_when_taken_back() -> None:
    events: list[Event] = [CREATED, said(2)]
    events += [Reaction(G, 3 + number, 2, user, "👍") for number, user in enumerate(("bob", "alice", "bob"))]
    assert seen(*events).messages[2].reactions == {"👍": ("alice", "bob")}
    events += [Reaction(G, 6 + number, 2, user, "👍", removed=True) for number, user in enumerate(("bob", "alice"))]
    assert seen(*events).messages[2].reactions == {}


def test_a_message_that_is_fetched_late_ends_as_for_who_saw_it_all() -> None:
    changes: list[Event] = [
        MessageEdited(G, 3, 2, "bob", None, 30),
        Reaction(G, 4, 2, "alice", "👍"),
        Reaction(G, 5, 2, "alice", "👍", removed=True),
        Reaction(G, 6, 2, "bob", "🎉"),
        MessageEdited(G, 7, 2, "bob", "new", 70),
    ]
    now = Message(
        G, 2, "bob", "new", created_at=2, id=f"{G}/2", client_message_id="c2", edited_at=70, reactions={"🎉": ("bob",)}
    )
    live: Iterable[Event] = [CREATED, said(2), MessageEdited(G, 3, 2, "bob", "between", 30), *changes[1:]]
    assert seen(CREATED, now, *changes) == seen(*live)


def test_members_come_go_and_change_their_roles() -> None:
    view = seen(
        CREATED,
        MembersAdded(G, 2, "alice", ("carol", "dan")),
        ConversationUpdated(G, 3, "alice", roles={"bob": "admin", "nobody": "owner"}),
        MembersRemoved(G, 4, "carol", ("carol",)),
        ConversationUpdated(G, 5, "bob", name="new name"),
        LogEntry(G, 6, "from_the_future"),
    )
    assert view.members == {"alice": "owner", "bob": "admin", "dan": "member"}
    assert (view.name, view.held) == ("new name", 6)


def test_a_private_conversation_has_its_two_members_from_the_start() -> None:
    assert ConversationView(DM).members == {"alice": "member", "bob": "member"}


def test_unread_counts_others_behind_the_cursor_or_the_own_last_message() -> None:
    view = seen(CREATED, said(2), said(3, "alice"), said(4), said(5, "carol"), ReadReceipt(G, "bob", 3))
    assert [view.unread(user) for user in ("alice", "bob", "carol", "dan")] == [2, 1, 0, 4]
    view.mark_read("alice", 4)
    assert view.unread("alice") == 1


def test_receipts_only_move_forward_and_reading_implies_delivery() -> None:
    view = seen(CREATED, said(2), ReadReceipt(G, "bob", 2), ReadReceipt(G, "bob", 1), Delivered(G, "carol", 2))
    assert (view.read, view.delivered) == ({"bob": 2}, {"bob": 2, "carol": 2})


def test_what_is_fetched_over_http_is_a_ground_for_what_follows() -> None:
    view = ConversationView(G)
    view.seed(messages=[said(7)], members={"alice": "owner", "bob": "member"}, name="team")
    view.apply(MembersAdded(G, 8, "alice", ("carol",)))
    view.apply(MessageEdited(G, 9, 7, "bob", "edited", 90))
    view.apply(MessageEdited(G, 10, 3, "bob", "of a message that is not here", 95))
    assert (view.members["carol"], view.members["alice"], view.name) == ("member", "owner", "team")
    assert contents(view) == {7: "edited"}


def test_other_conversations_and_passing_events_are_none_of_its_business() -> None:
    view = ConversationView(G)
    assert not view.apply(Message(DM, 1, "bob", "hi"))
    assert not view.apply(Typing(G, "bob"))
    assert view == ConversationView(G)
