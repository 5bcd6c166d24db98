"""Who sees a file: its owner, and whoever can read a message with it now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.adapters.dynamodb.schema import file_reference_key
from shared.domain.files import DELETED, FILE, PENDING, READY, REJECTED, FileStatus
from shared.errors import NotFound
from shared.operations.files import Links, file_for, links_to
from tests.fakes import FakeObjects
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import MEMBERS
from tests.wiring import rest_services

OTHER = "group:zzzzzzzzzzzzzzzz"


def harness() -> ChatHarness:
    """Alice's file is in her conversation with Bob, and in her group with Carol. Dave is in neither."""
    made = ChatHarness()
    made.group("alice", "carol")
    made.stores.ready_file("f")
    for place in ({"to": "bob"}, {"conversation_id": GROUP}):
        made.send("", message_type="image", file_id="f", **place)
    return made


def sees(made: ChatHarness, user_id: str, file_id: str = "f") -> bool:
    try:
        found = file_for(user_id, file_id, stores=made.stores)
    except NotFound:
        return False
    assert found == made.stores.file(file_id)
    return True


@pytest.mark.parametrize(("user_id", "visible"), [("alice", True), ("bob", True), ("carol", True), ("dave", False)])
def test_it_is_seen_by_its_owner_and_in_the_conversations_that_have_it(user_id: str, *, visible: bool) -> None:
    assert sees(harness(), user_id) is visible


@pytest.mark.parametrize(("user_id", "file_id"), [("alice", "unknown"), ("dave", "f"), ("dave", "unknown")])
def test_an_id_that_names_no_file_is_the_same_as_a_foreign_one(user_id: str, file_id: str) -> None:
    made = harness()
    with pytest.raises(NotFound, match=r"^There is no such file$"):
        file_for(user_id, file_id, stores=made.stores)


@pytest.mark.parametrize(
    ("status", "seers"),
    [(PENDING, {"alice"}), (REJECTED, {"alice"}), (READY, {"alice", "bob", "carol"}), (DELETED, set())],
)
def test_only_what_is_ready_is_seen_by_others_and_what_is_deleted_by_nobody(
    status: FileStatus, seers: set[str]
) -> None:
    made = harness()
    made.stores.files.create(replace(made.stores.file("f"), status=status))
    assert {user for user in ("alice", "bob", "carol") if sees(made, user)} == seers


def test_who_leaves_the_group_sees_it_no_more_and_who_comes_does() -> None:
    made = harness()
    made.role("carol", "owner")
    made.add("dave")
    assert sees(made, "dave")
    made.remove("dave")
    assert not sees(made, "dave")
    made.remove("alice", by="alice")
    assert sees(made, "alice")  # it stays hers


def test_a_conversation_whose_message_was_deleted_has_it_no_more() -> None:
    made = harness()
    made.delete(1)
    assert (sees(made, "bob"), sees(made, "carol")) == (False, True)
    made.delete(2, place=GROUP)
    assert (sees(made, "alice"), sees(made, "carol")) == (True, False)


def test_a_conversation_with_two_messages_has_it_until_both_are_deleted() -> None:
    made = harness()
    made.send("", to="bob", message_type="image", file_id="f")
    made.delete(1)
    assert sees(made, "bob")
    made.delete(2)
    assert not sees(made, "bob")


def attach(made: ChatHarness, place: str) -> None:
    """A message of a conversation has the file."""
    made.stores.edit(MEMBERS, file_reference_key("f", place, 1), conversation_id=place)


def test_looking_takes_as_many_reads_in_many_groups_as_in_one() -> None:
    made = harness()
    made.stores.join(OTHER, "dave", at=1)
    for number in range(30):
        attach(made, f"group:{number:016}")
    before = made.stores.calls.reads(MEMBERS)
    assert not sees(made, "dave")
    assert made.stores.calls.reads(MEMBERS) - before == 3  # the file, its conversations, memberships in them
    attach(made, OTHER)
    assert sees(made, "dave")


def test_the_owner_and_the_members_of_private_conversations_need_no_membership() -> None:
    made = harness()
    before = made.stores.calls.reads(MEMBERS)
    assert (sees(made, "alice"), sees(made, "bob")) == (True, True)
    assert made.stores.calls.reads(MEMBERS) - before == 1 + 2  # the file, and for Bob its conversations


def test_a_file_that_was_never_sent_is_the_owners_alone_and_costs_others_one_read() -> None:
    made = ChatHarness()
    made.stores.ready_file("f")
    assert (sees(made, "alice"), sees(made, "bob"), made.stores.calls.reads(MEMBERS)) == (True, False, 2)


def test_only_what_is_ready_has_links() -> None:
    made = harness()
    file, objects = made.stores.file("f"), FakeObjects()
    url, small = (f"https://files.example.com/{place}/f?expires=300" for place in ("files", "thumbnails"))
    assert links_to(file, services=rest_services(objects=objects)) == Links(url, None, 300)
    assert links_to(replace(file, has_thumbnail=True), services=rest_services(objects=objects)) == Links(
        url, small, 300
    )
    for status in (PENDING, REJECTED, DELETED):
        assert links_to(replace(file, status=status), services=rest_services(objects=objects)) is None


def test_a_document_has_its_link_too() -> None:
    made = ChatHarness()
    file = made.stores.ready_file("d", kind=FILE)
    assert links_to(file, services=rest_services()) == Links("https://files.example.com/files/d?expires=300", None, 300)
