"""Editing, deleting, reacting: what is gone is gone everywhere, and a repetition changes nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from shared.domain.changes import Edited, Reacted
from shared.domain.entries import MAX_MESSAGE_BYTES, Entry, message_bytes
from shared.domain.rules import MAX_REACTIONS, MAX_REACTIONS_OF_ONE
from shared.errors import BadRequest, Blocked, Conflict, Forbidden, NotAMember, NotFound, TooLarge
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness, found_group


def furnished() -> ChatHarness:
    """Message 1 is Alice's, 2 is Bob's; both are there."""
    harness = ChatHarness()
    harness.connect("alice", "bob")
    harness.send("first", after=0, client_message_id="c1")
    harness.send("second", sender_id="bob", to="alice", after=1, client_message_id="c2")
    harness.heard()
    return harness


def contents(harness: ChatHarness, place: str = DM) -> set[str]:
    """Everything that is still to be read anywhere in the log."""
    entries = harness.entries(place)
    edits = {entry.change.content for entry in entries if isinstance(entry.change, Edited)}
    return {text for text in (*(entry.content for entry in entries), *edits) if text}


@pytest.fixture
def harness() -> ChatHarness:
    return furnished()


def test_an_edit_takes_a_place_and_everybody_hears_of_it(harness: ChatHarness) -> None:
    changed = harness.edit(1, "better")
    assert changed.entry is not None
    assert (changed.entry.seq, changed.entry.change) == (3, Edited(1, "better"))
    assert (harness.at(1).content, harness.at(1).edited_at, harness.at(1).seq) == ("better", harness.clock(), 1)
    assert harness.heard() == {"alice1", "bob1"}


def test_the_same_edit_again_changes_nothing_and_tells_nobody(harness: ChatHarness) -> None:
    harness.edit(1, "better")
    harness.heard()
    assert harness.edit(1, "better").entry is None
    assert (len(harness.entries(DM)), harness.heard()) == (3, set())


def test_a_message_that_comes_behind_the_tail_that_was_read_is_reacted_to_all_the_same(harness: ChatHarness) -> None:
    """Its place is the one that the reaction was about to take."""

    def between(operation: str, _: object) -> None:
        if operation != "Query" and len(harness.entries(DM)) == 2:
            harness.stores.write("bob", "third")

    harness.stores.calls.before = between
    changed = harness.react(3, "👍")
    assert changed.entry is not None
    assert changed.entry.seq == 4


@pytest.mark.parametrize("content", ["other words", "second"])
def test_a_forwarded_message_keeps_its_words(harness: ChatHarness, content: str) -> None:
    """Its mark says that they are another's: also where the edit would change nothing."""
    harness.send("", to="bob", forward_of=(DM, 2))
    with pytest.raises(Forbidden):
        harness.edit(3, content)
    with pytest.raises(Forbidden):
        harness.edit(3, content, "bob")
    assert (harness.at(3).content, harness.at(3).forwarded, len(harness.entries(DM))) == ("second", True, 3)
    harness.delete(3)
    with pytest.raises(NotFound):
        harness.edit(3, content)


def test_only_the_latest_edit_keeps_a_content(harness: ChatHarness) -> None:
    for text in ("better", "still better", "best"):
        harness.edit(1, text)
    assert contents(harness) == {"best", "second"}


def test_a_deleted_messages_content_is_nowhere_any_more(harness: ChatHarness) -> None:
    harness.edit(1, "better")
    harness.edit(1, "best")
    harness.react(1, "x")
    harness.delete(1)
    gone = harness.at(1)
    assert contents(harness) == {"second"}
    assert (gone.digest, gone.reactions, gone.client_message_id) == ("", frozenset(), "c1")
    assert harness.heard() == {"alice1", "bob1"}
    assert harness.delete(1).entry is None
    assert harness.heard() == set()


def test_a_late_resend_of_a_deleted_message_is_still_recognised(harness: ChatHarness) -> None:
    harness.delete(1)
    again = harness.send("first", after=0, client_message_id="c1")
    assert (again.entry.seq, again.duplicate) == (1, True)
    assert len(harness.entries(DM)) == 3


def test_a_resend_of_an_edited_message_is_no_conflict_and_other_content_still_is(harness: ChatHarness) -> None:
    harness.edit(1, "better")
    assert harness.send("first", after=0, client_message_id="c1").duplicate
    with pytest.raises(Conflict):
        harness.send("better", after=0, client_message_id="c1")


def test_what_was_deleted_is_neither_edited_nor_reacted_to(harness: ChatHarness) -> None:
    harness.delete(1)
    for operation in (partial(harness.edit, 1, "back"), partial(harness.react, 1, "x")):
        with pytest.raises(NotFound):
            operation()


@pytest.mark.parametrize("seq", [3, 9])
def test_other_entries_and_none_at_all_are_no_message(harness: ChatHarness, seq: int) -> None:
    harness.react(1, "x")
    for operation in (partial(harness.edit, seq, "x"), partial(harness.delete, seq), partial(harness.react, seq, "x")):
        with pytest.raises(NotFound):
            operation()


def test_only_its_author_edits_or_deletes_a_private_message(harness: ChatHarness) -> None:
    for operation in (harness.edit, harness.delete):
        with pytest.raises(Forbidden):
            operation(2, *(["mine now"] if operation == harness.edit else []))
    assert harness.at(2).content == "second"


def test_the_window_ends_edits_and_not_deletions(harness: ChatHarness) -> None:
    harness.window_s = 60
    harness.clock.advance(60_000)
    harness.edit(1, "just in time")
    harness.clock.advance(1)
    with pytest.raises(Forbidden):
        harness.edit(1, "too late")
    assert harness.edit(1, "just in time").entry is None
    harness.delete(1)
    assert harness.at(1).deleted_at == harness.clock()


@pytest.mark.parametrize(("content", "error"), [(" ", BadRequest), ("x" * 5_001, TooLarge), ("\ud83d", BadRequest)])
def test_an_edit_needs_what_a_message_needs(content: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        furnished().edit(1, content)


@pytest.mark.parametrize(("user", "allowed"), [("alice", True), ("adam", True), ("bob", True), ("carol", False)])
def test_in_groups_moderators_delete_and_nobody_edits_what_others_wrote(user: str, *, allowed: bool) -> None:
    harness = ChatHarness()
    harness.group("alice", "adam", "bob", "carol", admins=["adam"])
    harness.send("bob's", sender_id="bob", conversation_id=GROUP)
    if user != "bob":
        with pytest.raises(Forbidden):
            harness.edit(2, "x", user, place=GROUP)
    if allowed:
        harness.delete(2, user, place=GROUP)
    else:
        with pytest.raises(Forbidden):
            harness.delete(2, user, place=GROUP)
    assert (harness.at(2, GROUP).deleted_at is not None) is allowed


def test_a_demoted_moderator_deletes_no_more() -> None:
    harness = ChatHarness()
    harness.group("alice", "adam", "bob", admins=["adam"])
    harness.send("bob's", sender_id="bob", conversation_id=GROUP)

    def demote(_: Entry) -> None:
        harness.stores.before_put(None)
        harness.role("adam", "member")

    harness.stores.before_put(demote)
    with pytest.raises(Forbidden):
        harness.delete(2, "adam", place=GROUP)


def test_reactions_come_and_go_once(harness: ChatHarness) -> None:
    assert harness.react(1, "👍").entry is not None
    assert harness.react(1, "👍").entry is None
    harness.react(1, "👍", "alice")
    harness.react(1, "x")
    assert harness.at(1).reactions == {("👍", "bob"), ("👍", "alice"), ("x", "bob")}
    assert harness.react(1, "👍", remove=True).entry is not None
    assert harness.react(1, "👍", remove=True).entry is None
    assert harness.at(1).reactions == {("👍", "alice"), ("x", "bob")}
    assert len(harness.entries(DM)) == 6


@pytest.mark.parametrize("emoji", ["", " ", "a b", "x" * 65, "\u200d", "\n", "\x1f", "a\x1fb", "\ud83d"])
def test_what_does_not_show_is_no_reaction(emoji: str) -> None:
    with pytest.raises(BadRequest):
        furnished().react(1, emoji)


@pytest.mark.parametrize("emoji", ["👍", "👩‍👩‍👧‍👦", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "x", ":smile:"])
def test_every_emoji_is_a_reaction(harness: ChatHarness, emoji: str) -> None:
    harness.react(1, emoji)
    assert harness.at(1).reactions == {(emoji, "bob")}


def with_reactions(harness: ChatHarness, reactions: set[tuple[str, str]], content: str = "first") -> None:
    """Written around the rules, as the first edition could."""
    message = harness.stores.entries(DM)[0]
    harness.stores.overwrite(replace(message, reactions=frozenset(reactions), content=content))


def test_a_message_takes_a_bounded_number_of_reactions(harness: ChatHarness) -> None:
    with_reactions(harness, {("x", f"u{number}") for number in range(MAX_REACTIONS)})
    with pytest.raises(Conflict):
        harness.react(1, "more")
    with_reactions(harness, {("x", f"u{number}") for number in range(MAX_REACTIONS - 1)})
    harness.react(1, "more")


def test_a_user_puts_a_bounded_number_of_emoji_to_a_message_and_leaves_room_for_others(harness: ChatHarness) -> None:
    for number in range(MAX_REACTIONS_OF_ONE):
        harness.react(1, f"x{number}")
    with pytest.raises(Conflict):
        harness.react(1, "more")
    assert harness.react(1, "x0").entry is None
    harness.react(1, "more", "alice")
    harness.react(1, "x0", remove=True)
    harness.react(1, "more")


def test_a_thousand_members_each_put_one(harness: ChatHarness) -> None:
    with_reactions(harness, {("👍", f"member{number:04}") for number in range(998)})
    harness.react(1, "👍")
    harness.react(1, "👍", "alice")
    assert len(harness.at(1).reactions) == 1_000


def test_a_message_with_its_reactions_is_never_too_heavy(harness: ChatHarness) -> None:
    with_reactions(harness, {("👍", f"{number:0128}") for number in range(180)})
    longest = [f"{number:02}".ljust(64, "x") for number in range(MAX_REACTIONS_OF_ONE)]
    refused = 0
    for emoji in longest:
        try:
            harness.react(1, emoji)
        except Conflict:
            refused += 1
    assert 0 < refused < MAX_REACTIONS_OF_ONE
    assert MAX_MESSAGE_BYTES - 300 < message_bytes(harness.at(1)) <= MAX_MESSAGE_BYTES


def test_an_edit_counts_what_hangs_on_the_message(harness: ChatHarness) -> None:
    with_reactions(harness, {("👍", f"{number:0128}") for number in range(150)})
    with pytest.raises(TooLarge):
        harness.edit(1, "é" * 3_000)
    harness.edit(1, "é" * 1_000)


def test_an_edit_whose_characters_are_escaped_is_too_large(harness: ChatHarness) -> None:
    with pytest.raises(TooLarge):
        harness.edit(1, "x" + "\x01" * 4_999)
    harness.edit(1, "x" + "\x01" * 3_900)


def test_what_was_too_heavy_before_can_be_made_lighter_and_not_heavier(harness: ChatHarness) -> None:
    with_reactions(harness, {(f"{number:064}", "bob") for number in range(500)}, content="first" * 100)
    with pytest.raises(TooLarge):
        harness.edit(1, "first" * 200)
    harness.edit(1, "first")
    harness.react(1, f"{7:064}", remove=True)
    assert (harness.at(1).content, len(harness.at(1).reactions)) == ("first", 499)


def in_a_group() -> ChatHarness:
    """Bob's message 2 has reactions of Carol's and Alice's. Alice is the owner, Bob an admin, Dave a member."""
    harness = ChatHarness()
    found_group(harness.stores, "alice", "bob", "carol", "dave", admins=["bob"])
    harness.send("hi", conversation_id=GROUP, sender_id="bob", to=None, after=1, client_message_id="c")
    harness.react(2, "junk", "carol", place=GROUP)
    harness.react(2, "junk", "alice", place=GROUP)
    return harness


@pytest.mark.parametrize("moderator", ["alice", "bob"])
def test_owners_and_admins_take_off_anyones_reaction(moderator: str) -> None:
    harness = in_a_group()
    changed = harness.react(2, "junk", moderator, remove=True, place=GROUP, owner_id="carol")
    assert changed.entry is not None
    assert (changed.entry.sender_id, changed.entry.change) == (
        moderator,
        Reacted(2, "junk", removed=True, owner_id="carol"),
    )
    assert harness.at(2, GROUP).reactions == {("junk", "alice")}
    assert harness.react(2, "junk", moderator, remove=True, place=GROUP, owner_id="carol").entry is None


def test_of_somebody_who_has_left_as_well() -> None:
    harness = in_a_group()
    harness.remove("carol", "carol")
    harness.react(2, "junk", "bob", remove=True, place=GROUP, owner_id="carol")
    assert harness.at(2, GROUP).reactions == {("junk", "alice")}


def test_members_take_off_their_own_reactions_only() -> None:
    harness = in_a_group()
    for owner in ("alice", "carol", "nobody"):
        with pytest.raises(Forbidden):
            harness.react(2, "junk", "dave", remove=True, place=GROUP, owner_id=owner)
    harness.react(2, "junk", "carol", remove=True, place=GROUP, owner_id="carol")
    assert harness.at(2, GROUP).reactions == {("junk", "alice")}


def test_in_private_nobody_takes_off_the_others_reaction(harness: ChatHarness) -> None:
    harness.react(1, "x", "bob")
    with pytest.raises(Forbidden):
        harness.react(1, "x", "alice", remove=True, owner_id="bob")


def test_nobody_reacts_in_anothers_name() -> None:
    harness = in_a_group()
    with pytest.raises(BadRequest):
        harness.react(2, "y", "alice", place=GROUP, owner_id="carol")


def test_who_is_blocked_neither_edits_nor_reacts_in_private_and_still_may_delete(harness: ChatHarness) -> None:
    harness.stores.blocks.put("bob", "alice", now=1)
    for operation in (partial(harness.edit, 1, "listen!"), partial(harness.react, 2, "x", "alice")):
        with pytest.raises(Blocked):
            operation()
    harness.delete(1)
    harness.react(1 + 1, "x", "bob")


@pytest.mark.parametrize("place", [DM, GROUP, "dm:alice:zoe", "group:unknown-unknown-0", "?"])
def test_outsiders_and_unknown_conversations_answer_alike(harness: ChatHarness, place: str) -> None:
    harness.group("alice", "bob")
    harness.send(conversation_id=GROUP)
    user = "zoe" if place in {DM, GROUP} else "alice"
    for operation in (partial(harness.edit, 1, "x"), partial(harness.delete, 1), partial(harness.react, 1, "x")):
        with pytest.raises(NotAMember):
            operation(user, place=place)


def test_in_an_empty_private_conversation_there_is_no_message() -> None:
    harness = ChatHarness()
    harness.stores.memberships.create(DM, ("alice", "bob"), joined_at=1)
    for operation in (partial(harness.edit, 1, "x"), partial(harness.delete, 1), partial(harness.react, 1, "x")):
        with pytest.raises(NotFound):
            operation()


def test_a_lost_answer_is_not_carried_out_twice(harness: ChatHarness) -> None:
    put = harness.stores.log.put

    def lose_the_answer(entry: Entry) -> Entry | None:
        return put(entry) or harness.at(entry.seq)

    object.__setattr__(harness.stores.log, "put", lose_the_answer)
    changed = harness.edit(1, "better")
    assert (changed.entry, len(harness.entries(DM))) == (harness.at(3), 3)


def test_in_a_large_group_a_reaction_reads_no_roster_and_is_members_only() -> None:
    harness = ChatHarness(inline_limit=2)
    harness.group("alice", "bob", "carol")
    harness.send("x", conversation_id=GROUP)
    before = len(harness.stores.calls.made)
    changed = harness.react(2, "👍", "bob", place=GROUP)
    assert changed.entry is not None
    assert changed.entry.fan_out
    assert "Query members" not in harness.stores.calls.made[before:]
    with pytest.raises(NotAMember):
        harness.react(2, "👍", "dave", place=GROUP)
    with pytest.raises(NotAMember):
        harness.edit(2, "y", "dave", place=GROUP)
    harness.remove("bob")
    with pytest.raises(NotAMember):
        harness.react(2, "🎉", "bob", place=GROUP)


def test_who_claimed_a_place_and_is_gone_holds_the_others_up_for_a_while_only() -> None:
    harness = ChatHarness()
    harness.group("alice", "bob", "carol")
    harness.send("x", conversation_id=GROUP)
    harness.react(2, "👍", "bob", place=GROUP)
    assert harness.stores.log.claim(GROUP, 4, now=harness.clock())
    assert harness.react(2, "👍", "carol", place=GROUP).entry is not None
