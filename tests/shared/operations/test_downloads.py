"""Who sees a file: its owner, and users who can read a message with it now."""

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


def new_one() -> ChatHarness:
    """Alice's file is in her conversation with Bob, and in her group with Carol. Dave is in neither."""
    harness = ChatHarness()
    harness.group("alice", "carol")
    harness.stores.ready_file("f")
    for place in ({"to": "bob"}, {"conversation_id": GROUP}):
        harness.send("", message_type="image", file_id="f", **place)
    return harness


def sees(harness: ChatHarness, user_id: str, file_id: str = "f") -> bool:
    try:
        found = file_for(user_id, file_id, stores=harness.stores)
    except NotFound:
        return False
    assert found == harness.stores.file(file_id)
    return True


@pytest.fixture
def harness() -> ChatHarness:
    return new_one()


@pytest.mark.parametrize(("user_id", "visible"), [("alice", True), ("bob", True), ("carol", True), ("dave", False)])
def test_it_is_seen_by_its_owner_and_in_the_conversations_that_have_it(user_id: str, *, visible: bool) -> None:
    assert sees(new_one(), user_id) is visible


@pytest.mark.parametrize(("user_id", "file_id"), [("alice", "unknown"), ("dave", "f"), ("dave", "unknown")])
def test_an_id_that_names_no_file_is_the_same_as_a_foreign_one(
    harness: ChatHarness, user_id: str, file_id: str
) -> None:
    with pytest.raises(NotFound, match=r"^There is no such file$"):
        file_for(user_id, file_id, stores=harness.stores)


@pytest.mark.parametrize(
    ("status", "seers"),
    [(PENDING, {"alice"}), (REJECTED, {"alice"}), (READY, {"alice", "bob", "carol"}), (DELETED, set())],
)
def test_only_what_is_ready_is_seen_by_others_and_what_is_deleted_by_nobody(
    harness: ChatHarness, status: FileStatus, seers: set[str]
) -> None:
    harness.stores.files.create(replace(harness.stores.file("f"), status=status))
    assert {user for user in ("alice", "bob", "carol") if sees(harness, user)} == seers


def test_who_leaves_the_group_sees_it_no_more_and_who_comes_does(harness: ChatHarness) -> None:
    harness.role("carol", "owner")
    harness.add("dave")
    assert sees(harness, "dave")
    harness.remove("dave")
    assert not sees(harness, "dave")
    harness.remove("alice", by="alice")
    assert sees(harness, "alice")  # it stays hers


def test_a_conversation_whose_message_was_deleted_has_it_no_more(harness: ChatHarness) -> None:
    harness.delete(1)
    assert (sees(harness, "bob"), sees(harness, "carol")) == (False, True)
    harness.delete(2, place=GROUP)
    assert (sees(harness, "alice"), sees(harness, "carol")) == (True, False)


def test_a_conversation_with_two_messages_has_it_until_both_are_deleted(harness: ChatHarness) -> None:
    harness.send("", to="bob", message_type="image", file_id="f")
    harness.delete(1)
    assert sees(harness, "bob")
    harness.delete(2)
    assert not sees(harness, "bob")


def attach(harness: ChatHarness, place: str) -> None:
    """A message of a conversation has the file."""
    harness.stores.edit(MEMBERS, file_reference_key("f", place, 1), conversation_id=place)


def test_looking_takes_as_many_reads_in_many_groups_as_in_one(harness: ChatHarness) -> None:
    harness.stores.join(OTHER, "dave", at=1)
    for number in range(30):
        attach(harness, f"group:{number:016}")
    before = harness.stores.calls.reads(MEMBERS)
    assert not sees(harness, "dave")
    assert harness.stores.calls.reads(MEMBERS) - before == 3  # the file, its conversations, memberships in them
    attach(harness, OTHER)
    assert sees(harness, "dave")


def test_the_owner_and_the_members_of_private_conversations_need_no_membership(harness: ChatHarness) -> None:
    before = harness.stores.calls.reads(MEMBERS)
    assert (sees(harness, "alice"), sees(harness, "bob")) == (True, True)
    assert harness.stores.calls.reads(MEMBERS) - before == 1 + 2  # the file, and for Bob its conversations


def test_a_file_that_was_never_sent_is_the_owners_alone_and_costs_others_one_read() -> None:
    harness = ChatHarness()
    harness.stores.ready_file("f")
    assert (sees(harness, "alice"), sees(harness, "bob"), harness.stores.calls.reads(MEMBERS)) == (True, False, 2)


def test_only_what_is_ready_has_links(harness: ChatHarness) -> None:
    file, objects = harness.stores.file("f"), FakeObjects()
    url, small = (f"https://files.example.com/{place}/f?expires=300" for place in ("files", "thumbnails"))
    assert links_to(file, services=rest_services(objects=objects)) == Links(url, None, 300)
    assert links_to(replace(file, has_thumbnail=True), services=rest_services(objects=objects)) == Links(
        url, small, 300
    )
    for status in (PENDING, REJECTED, DELETED):
        assert links_to(replace(file, status=status), services=rest_services(objects=objects)) is None


def test_a_document_has_its_link_too() -> None:
    harness = ChatHarness()
    file = harness.stores.ready_file("d", kind=FILE)
    assert links_to(file, services=rest_services()) == Links("https://files.example.com/files/d?expires=300", None, 300)
