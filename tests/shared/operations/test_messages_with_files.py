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
from shared.wire.websocket.events import entry_event
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import LOG, MEMBERS

OTHER = "dm:alice:carol"


def harness() -> ChatHarness:
    """Alice has an image and a document, Bob an image. Everybody is in the group."""
    made = ChatHarness()
    made.group("alice", "bob", "carol")
    made.stores.ready_file("cat")
    made.stores.ready_file("paper", kind=FILE)
    made.stores.ready_file("dog", "bob")
    return made


def with_cat(**more: Any) -> dict[str, Any]:
    return {"message_type": "image", "file_id": "cat", **more}


def references(made: ChatHarness, file_id: str = "cat") -> int:
    return made.stores.file(file_id).references


@pytest.mark.parametrize(("kind", "file_id"), [(IMAGE, "cat"), (FILE, "paper")])
@pytest.mark.parametrize("content", ["look!", "", " \n"])
def test_a_file_is_sent_with_words_or_without(kind: str, file_id: str, content: str) -> None:
    made = harness()
    sent = made.send(content, message_type=kind, file_id=file_id).entry
    assert (sent.message_type, sent.file_id, sent.content) == (kind, file_id, content)
    assert made.at(1) == sent
    assert made.stores.file_places(file_id) == [(DM, 1)]
    assert references(made, file_id) == 1


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
    command: dict[str, Any], error: type[Exception]
) -> None:
    made = harness()
    with pytest.raises(error):
        made.send(**command)
    assert (made.entries(DM), made.heard(), [made.stores.file_places(one) for one in ("cat", "paper", "dog")]) == (
        [],
        set(),
        [[], [], []],
    )


@pytest.mark.parametrize("status", [PENDING, REJECTED, DELETED])
def test_only_what_is_ready_is_sent(status: FileStatus) -> None:
    made = harness()
    made.stores.files.create(replace(made.stores.file("cat"), status=status))
    with pytest.raises(NotFound, match="no such file"):
        made.send(**with_cat())
    assert made.stores.calls.writes(LOG) == 0


def test_text_reads_no_file() -> None:
    made = harness()
    made.stores.calls.before = lambda _, request: pytest.fail("a file is read") if "file#" in str(request) else None
    made.send("hi")
    made.edit(1, "hello")
    made.delete(1)


def test_a_file_that_goes_while_it_is_sent_is_not_sent() -> None:
    made = harness()
    made.stores.before_put(lambda _: made.stores.files.retire("cat"))
    with pytest.raises(NotFound, match="no such file"):
        made.send(**with_cat())
    assert (made.entries(DM), made.heard(), references(made)) == ([], set(), 0)


def test_every_message_counts_and_every_deletion_takes_one_off() -> None:
    made = harness()
    made.send(**with_cat())
    made.send(**with_cat(conversation_id=GROUP))
    assert references(made) == 2
    made.delete(1)
    assert (references(made), made.stores.file_places("cat")) == (1, [(GROUP, 2)])
    made.delete(2, place=GROUP)
    assert (references(made), made.stores.file_places("cat")) == (0, [])


def test_deleting_twice_takes_one_off() -> None:
    made = harness()
    made.send(**with_cat())
    made.send(**with_cat())
    made.delete(1)
    assert made.delete(1).entry is None
    assert references(made) == 1


def test_a_deleted_message_has_no_file_and_what_tells_of_it_names_none() -> None:
    made = harness()
    made.send("look!", **with_cat())
    entry = made.delete(1).entry
    assert entry is not None
    assert (entry.change, entry.file_id) == (Deleted(1, None, "cat"), None)
    assert "cat" not in str(entry_event(entry))
    assert (made.at(1).file_id, made.at(1).message_type) == (None, IMAGE)
    assert "cat" not in str(entry_event(made.at(1)))


def test_a_message_without_a_file_is_deleted_without_one() -> None:
    made = harness()
    made.send("hi")
    entry = made.delete(1).entry
    assert entry is not None
    assert entry.change == Deleted(1)


def test_a_moderator_takes_the_file_along() -> None:
    made = harness()
    made.send("", conversation_id=GROUP, sender_id="bob", message_type="image", file_id="dog")
    made.delete(2, "alice", place=GROUP)
    assert references(made, "dog") == 0


def test_an_edit_keeps_the_file_and_may_take_the_words_away() -> None:
    made = harness()
    made.send("look!", **with_cat())
    made.edit(1, "look at that!")
    assert (made.at(1).content, made.at(1).file_id) == ("look at that!", "cat")
    made.edit(1, "")
    assert (made.at(1).content, made.at(1).file_id, references(made)) == ("", "cat", 1)
    made.delete(1)
    assert references(made) == 0


def test_a_text_cannot_be_edited_to_nothing_not_even_by_somebody_else() -> None:
    made = harness()
    made.send("hi")
    for user in ("alice", "bob"):
        with pytest.raises(BadRequest):
            made.edit(1, " ", user)
    with pytest.raises(Forbidden):
        made.edit(1, "hi", "bob")


def test_the_same_message_again_is_a_duplicate_and_counts_once() -> None:
    made = harness()
    once = with_cat(after=0, client_message_id="x")
    first = made.send(**once)
    again = made.send(**once)
    assert (again.entry, again.duplicate, references(made)) == (first.entry, True, 1)
    with pytest.raises(Conflict):
        made.send(**{**once, "message_type": "file", "file_id": "paper"})


@pytest.mark.parametrize("after", [0, None])
def test_a_resend_is_recognised_though_its_file_is_gone(after: int | None) -> None:
    made = harness()
    once = with_cat(after=after, client_message_id="x")
    made.send(**once)
    made.delete(1)
    assert made.stores.files.retire("cat")
    again = made.send(**once)
    assert (again.entry, again.duplicate, len(made.entries(DM))) == (made.at(1), True, 2)


def test_a_resend_is_recognised_where_the_file_goes_in_between() -> None:
    """It is there when it is looked at, and gone when the place is asked for, which somebody else's attempt has."""
    made = harness()
    once = with_cat(after=0, client_message_id="x")

    def quicker(_: Entry) -> None:
        made.stores.before_put(None)
        made.send(**once)
        made.delete(1)
        made.stores.files.retire("cat")

    made.stores.before_put(quicker)
    again = made.send(**once)
    assert (again.entry, again.duplicate, len(made.entries(DM))) == (made.at(1), True, 2)


def test_a_message_that_has_to_move_on_has_its_file_counted_at_its_own_place() -> None:
    made = harness()

    def quicker(_: Entry) -> None:
        made.stores.before_put(None)
        made.send("me first", sender_id="bob", to="alice")

    made.stores.before_put(quicker)
    assert made.send(**with_cat(after=0, client_message_id="x")).entry.seq == 2
    assert made.stores.file_places("cat") == [(DM, 2)]


def test_a_forwarded_file_is_the_same_one_counted_again() -> None:
    made = harness()
    made.send("look!", **with_cat())
    sent = made.send("", sender_id="bob", to="carol", forward_of=(DM, 1)).entry
    assert (sent.file_id, sent.message_type, sent.content, sent.forwarded) == ("cat", IMAGE, "look!", True)
    assert made.stores.file_places("cat") == [(DM, 1), ("dm:bob:carol", 1)]
    made.delete(1)
    assert references(made) == 1
    made.delete(1, "bob", place="dm:bob:carol")
    assert references(made) == 0


def test_a_file_without_words_is_forwarded_too() -> None:
    made = harness()
    made.send("", **with_cat())
    sent = made.send("", sender_id="bob", to="carol", forward_of=(DM, 1)).entry
    assert (sent.file_id, sent.content) == ("cat", "")


def test_a_forward_whose_original_goes_in_between_is_not_found() -> None:
    made = harness()
    made.send(**with_cat())

    def quicker(_: Entry) -> None:
        made.stores.before_put(None)
        made.delete(1)
        made.stores.files.retire("cat")

    made.stores.before_put(quicker)
    with pytest.raises(NotFound):
        made.send("", sender_id="bob", to="carol", forward_of=(DM, 1))
    assert (made.entries("dm:bob:carol"), references(made)) == ([], 0)


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda made: made.delete(1),
        lambda made: (made.delete(1), made.stores.files.retire("cat")),
    ],
)
def test_a_forwards_resend_gets_the_first_reply_whatever_became_of_the_file(
    meanwhile: Callable[[ChatHarness], object],
) -> None:
    made = harness()
    made.send(**with_cat())
    forward: dict[str, Any] = {"to": "carol", "forward_of": (DM, 1), "after": 0, "client_message_id": "f"}
    first = made.send("", **forward)
    meanwhile(made)
    again = made.send("", **forward)
    assert (again.entry, again.duplicate, len(made.entries(OTHER))) == (first.entry, True, 1)


def test_a_file_in_a_first_message_makes_the_conversation_with_it() -> None:
    made = harness()
    made.send("", **with_cat())
    assert {row["user_id"] for row in made.stores.rows(MEMBERS, conversation_id=DM) if "user_id" in row} == {
        "alice",
        "bob",
    }
    assert made.stores.file("cat").status == READY
