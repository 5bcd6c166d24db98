"""Messages with images and files: who may send which, and which messages a file counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.changes import Deleted
from shared.domain.entries import Entry
from shared.domain.files import DELETED, FILE, IMAGE, PENDING, READY, REJECTED, FileStatus
from shared.errors import BadRequest, Conflict, Forbidden, NotFound
from shared.wire.events import entry_event
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import LOG, MEMBERS

OTHER = "dm:alice:carol"


@pytest.fixture
def harness() -> ChatHarness:
    """Alice has an image and a document, Bob an image. Everybody is in the group."""
    harness = ChatHarness()
    harness.group("alice", "bob", "carol")
    harness.stores.ready_file("cat")
    harness.stores.ready_file("paper", kind=FILE)
    harness.stores.ready_file("dog", "bob")
    return harness


def with_cat(**more: Any) -> dict[str, Any]:
    return {"message_type": "image", "file_id": "cat", **more}


def references(harness: ChatHarness, file_id: str = "cat") -> int:
    return harness.stores.file(file_id).references


@pytest.mark.parametrize(("kind", "file_id"), [(IMAGE, "cat"), (FILE, "paper")])
@pytest.mark.parametrize("content", ["look!", "", " \n"])
def test_a_file_is_sent_with_words_or_without(harness: ChatHarness, kind: str, file_id: str, content: str) -> None:
    sent = harness.send(content, message_type=kind, file_id=file_id).entry
    assert (sent.message_type, sent.file_id, sent.content) == (kind, file_id, content)
    assert harness.at(1) == sent
    assert harness.stores.file_places(file_id) == [(DM, 1)]
    assert references(harness, file_id) == 1


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ({"message_type": "image", "file_id": "unknown"}, NotFound),
        ({"message_type": "image", "file_id": "dog"}, NotFound),
        ({"message_type": "image", "file_id": "paper"}, NotFound),
        ({"message_type": "file", "file_id": "cat"}, NotFound),
        ({"message_type": "image"}, BadRequest),
        ({"message_type": "file"}, BadRequest),
        ({"message_type": "text", "file_id": "cat"}, BadRequest),
        ({"message_type": "text", "content": ""}, BadRequest),
    ],
)
def test_what_is_no_file_of_the_senders_of_this_kind_is_not_sent(
    harness: ChatHarness, command: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        harness.send(**command)
    assert (
        harness.entries(DM),
        harness.heard(),
        [harness.stores.file_places(one) for one in ("cat", "paper", "dog")],
    ) == ([], set(), [[], [], []])


@pytest.mark.parametrize("status", [PENDING, REJECTED, DELETED])
def test_only_what_is_ready_is_sent(harness: ChatHarness, status: FileStatus) -> None:
    harness.stores.files.create(replace(harness.stores.file("cat"), status=status))
    with pytest.raises(NotFound, match="no such file"):
        harness.send(**with_cat())
    assert harness.stores.calls.writes(LOG) == 0


def test_text_reads_no_file(harness: ChatHarness) -> None:
    harness.stores.calls.before = lambda _, request: pytest.fail("a file is read") if "file#" in str(request) else None
    harness.send("hi")
    harness.edit(1, "hello")
    harness.delete(1)


def test_a_file_that_goes_while_it_is_sent_is_not_sent(harness: ChatHarness) -> None:
    harness.stores.before_put(lambda _: harness.stores.files.retire("cat"))
    with pytest.raises(NotFound, match="no such file"):
        harness.send(**with_cat())
    assert (harness.entries(DM), harness.heard(), references(harness)) == ([], set(), 0)


def test_every_message_counts_and_every_deletion_takes_one_off(harness: ChatHarness) -> None:
    harness.send(**with_cat())
    harness.send(**with_cat(conversation_id=GROUP))
    assert references(harness) == 2
    harness.delete(1)
    assert (references(harness), harness.stores.file_places("cat")) == (1, [(GROUP, 2)])
    harness.delete(2, place=GROUP)
    assert (references(harness), harness.stores.file_places("cat")) == (0, [])


def test_deleting_twice_takes_one_off(harness: ChatHarness) -> None:
    harness.send(**with_cat())
    harness.send(**with_cat())
    harness.delete(1)
    assert harness.delete(1).entry is None
    assert references(harness) == 1


def test_a_deleted_message_has_no_file_and_what_tells_of_it_names_none(harness: ChatHarness) -> None:
    harness.send("look!", **with_cat())
    entry = harness.delete(1).entry
    assert entry is not None
    assert (entry.change, entry.file_id) == (Deleted(1, None, "cat"), None)
    assert "cat" not in str(entry_event(entry))
    assert (harness.at(1).file_id, harness.at(1).message_type) == (None, IMAGE)
    assert "cat" not in str(entry_event(harness.at(1)))


def test_a_message_without_a_file_is_deleted_without_one(harness: ChatHarness) -> None:
    harness.send("hi")
    entry = harness.delete(1).entry
    assert entry is not None
    assert entry.change == Deleted(1)


def test_a_moderator_takes_the_file_along(harness: ChatHarness) -> None:
    harness.send("", conversation_id=GROUP, sender_id="bob", message_type="image", file_id="dog")
    harness.delete(2, "alice", place=GROUP)
    assert references(harness, "dog") == 0


def test_an_edit_keeps_the_file_and_may_take_the_words_away(harness: ChatHarness) -> None:
    harness.send("look!", **with_cat())
    harness.edit(1, "look at that!")
    assert (harness.at(1).content, harness.at(1).file_id) == ("look at that!", "cat")
    harness.edit(1, "")
    assert (harness.at(1).content, harness.at(1).file_id, references(harness)) == ("", "cat", 1)
    harness.delete(1)
    assert references(harness) == 0


def test_a_text_cannot_be_edited_to_nothing_not_even_by_somebody_else(harness: ChatHarness) -> None:
    harness.send("hi")
    for user in ("alice", "bob"):
        with pytest.raises(BadRequest):
            harness.edit(1, " ", user)
    with pytest.raises(Forbidden):
        harness.edit(1, "hi", "bob")


def test_the_same_message_again_is_a_duplicate_and_counts_once(harness: ChatHarness) -> None:
    once = with_cat(after=0, client_message_id="x")
    first = harness.send(**once)
    again = harness.send(**once)
    assert (again.entry, again.duplicate, references(harness)) == (first.entry, True, 1)
    with pytest.raises(Conflict):
        harness.send(**{**once, "message_type": "file", "file_id": "paper"})


@pytest.mark.parametrize("after", [0, None])
def test_a_resend_is_recognised_though_its_file_is_gone(harness: ChatHarness, after: int | None) -> None:
    once = with_cat(after=after, client_message_id="x")
    harness.send(**once)
    harness.delete(1)
    assert harness.stores.files.retire("cat")
    again = harness.send(**once)
    assert (again.entry, again.duplicate, len(harness.entries(DM))) == (harness.at(1), True, 2)


def test_a_resend_is_recognised_where_the_file_goes_in_between(harness: ChatHarness) -> None:
    """It is there when it is looked at, and gone when the place is asked for, which another attempt has."""
    once = with_cat(after=0, client_message_id="x")

    def quicker(_: Entry) -> None:
        harness.stores.before_put(None)
        harness.send(**once)
        harness.delete(1)
        harness.stores.files.retire("cat")

    harness.stores.before_put(quicker)
    again = harness.send(**once)
    assert (again.entry, again.duplicate, len(harness.entries(DM))) == (harness.at(1), True, 2)


def test_a_message_that_has_to_move_on_has_its_file_counted_at_its_own_place(harness: ChatHarness) -> None:

    def quicker(_: Entry) -> None:
        harness.stores.before_put(None)
        harness.send("me first", sender_id="bob", to="alice")

    harness.stores.before_put(quicker)
    assert harness.send(**with_cat(after=0, client_message_id="x")).entry.seq == 2
    assert harness.stores.file_places("cat") == [(DM, 2)]


def test_a_forwarded_file_is_the_same_one_counted_again(harness: ChatHarness) -> None:
    harness.send("look!", **with_cat())
    sent = harness.send("", sender_id="bob", to="carol", forward_of=(DM, 1)).entry
    assert (sent.file_id, sent.message_type, sent.content, sent.forwarded) == ("cat", IMAGE, "look!", True)
    assert harness.stores.file_places("cat") == [(DM, 1), ("dm:bob:carol", 1)]
    harness.delete(1)
    assert references(harness) == 1
    harness.delete(1, "bob", place="dm:bob:carol")
    assert references(harness) == 0


def test_a_file_without_words_is_forwarded_too(harness: ChatHarness) -> None:
    harness.send("", **with_cat())
    sent = harness.send("", sender_id="bob", to="carol", forward_of=(DM, 1)).entry
    assert (sent.file_id, sent.content) == ("cat", "")


def test_a_forward_whose_original_goes_in_between_is_not_found(harness: ChatHarness) -> None:
    harness.send(**with_cat())

    def quicker(_: Entry) -> None:
        harness.stores.before_put(None)
        harness.delete(1)
        harness.stores.files.retire("cat")

    harness.stores.before_put(quicker)
    with pytest.raises(NotFound):
        harness.send("", sender_id="bob", to="carol", forward_of=(DM, 1))
    assert (harness.entries("dm:bob:carol"), references(harness)) == ([], 0)


@pytest.mark.parametrize(
    "meanwhile",
    [lambda harness: harness.delete(1), lambda harness: (harness.delete(1), harness.stores.files.retire("cat"))],
)
def test_a_forwards_resend_gets_the_first_reply_whatever_became_of_the_file(
    harness: ChatHarness, meanwhile: Callable[[ChatHarness], object]
) -> None:
    harness.send(**with_cat())
    forward: dict[str, Any] = {"to": "carol", "forward_of": (DM, 1), "after": 0, "client_message_id": "f"}
    first = harness.send("", **forward)
    meanwhile(harness)
    again = harness.send("", **forward)
    assert (again.entry, again.duplicate, len(harness.entries(OTHER))) == (first.entry, True, 1)


def test_a_file_in_a_first_message_makes_the_conversation_with_it(harness: ChatHarness) -> None:
    harness.send("", **with_cat())
    assert {row["user_id"] for row in harness.stores.rows(MEMBERS, conversation_id=DM) if "user_id" in row} == {
        "alice",
        "bob",
    }
    assert harness.stores.file("cat").status == READY
