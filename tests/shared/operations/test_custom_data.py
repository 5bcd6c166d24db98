"""`data` and attachments of messages: they come back as they went in, and go with the message."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.custom import MAX_DATA_BYTES, NO_DATA, attachments_text, data_text
from shared.domain.files import FILE, PENDING
from shared.errors import BadRequest, Conflict, Forbidden, NotFound, TooLarge
from shared.wire.events import entry_event, message_body
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import LOG

ORDER: dict[str, Any] = {
    "order": 4711,
    "lines": [{"name": "Tee \U0001f375", "price": 19.9}, None, True],
    "": {"deep": [[]]},
    "huge": 10**30,
    "\x00": "\x00",
}
LINK: dict[str, Any] = {"type": "link", "url": "https://shop.example/4711"}


@pytest.fixture
def harness() -> ChatHarness:
    harness = ChatHarness()
    harness.group("alice", "bob", "carol")
    for one in ("cat", "kitten"):
        harness.stores.ready_file(one)
    harness.stores.ready_file("paper", kind=FILE)
    harness.stores.ready_file("dog", "bob")
    return harness


def shown(harness: ChatHarness, seq: int = 1, place: str = DM) -> dict[str, Any]:
    return {**message_body(harness.at(seq, place))}


def edited(harness: ChatHarness, seq: int, place: str = DM) -> dict[str, Any]:
    return entry_event(harness.at(seq, place))


def file_at(file_id: str, kind: str = "image") -> dict[str, Any]:
    return {"type": kind, "file_id": file_id, "caption": "look"}


def test_what_went_in_comes_back(harness: ChatHarness) -> None:
    harness.send("hi", data=ORDER, attachments=[LINK, {"type": "poll", "options": []}])
    assert shown(harness)["data"] == ORDER
    assert list(shown(harness)["data"]) == list(ORDER)
    assert shown(harness)["attachments"] == [LINK, {"type": "poll", "options": []}]


def test_a_message_without_them_says_nothing_of_them(harness: ChatHarness) -> None:
    harness.send("hi", data=None, attachments=[])
    harness.send("hi", data={})
    assert not {"data", "attachments"} & shown(harness).keys()
    assert shown(harness, 2)["data"] == {}


@pytest.mark.parametrize("content", ["", " \n"])
def test_attachments_need_no_words_and_data_does(harness: ChatHarness, content: str) -> None:
    harness.send(content, attachments=[LINK])
    with pytest.raises(BadRequest, match="blank"):
        harness.send(content, data=ORDER)


def _sized(size: int) -> dict[str, Any]:
    return {"x": "é" * ((size - 8) // 2) + "y" * ((size - 8) % 2)}


def test_data_has_four_kilobytes_of_json_to_the_byte(harness: ChatHarness) -> None:
    exact = _sized(MAX_DATA_BYTES)
    assert len(json.dumps(exact, ensure_ascii=False, separators=(",", ":")).encode()) == MAX_DATA_BYTES
    harness.send(data=exact)
    with pytest.raises(TooLarge, match="4,096"):
        harness.send(data=_sized(MAX_DATA_BYTES + 1))
    assert len(harness.entries(DM)) == 1


@pytest.mark.parametrize(
    ("attachments", "error"),
    [
        ([LINK] * 11, TooLarge),
        ([{**LINK, "text": "x" * 8_192}], TooLarge),
        ([{}], BadRequest),
        ([LINK, {"type": ""}], BadRequest),
        ([{"type": 7}], BadRequest),
        ([{"type": None}], BadRequest),
        ([{"type": "x" * 65}], BadRequest),
        ([{"type": "image", "file_id": ""}], BadRequest),
        ([{"type": "image", "file_id": None}], BadRequest),
        ([{"type": "image", "file_id": ["cat"]}], BadRequest),
        ([{"type": "image", "file_id": "x" * 129}], BadRequest),
        ([{"type": "n", "value": float("inf")}], BadRequest),
        ([{"type": "n", "value": "\ud800"}], BadRequest),
        ([file_at("unknown")], NotFound),
        ([file_at("dog")], NotFound),
        ([file_at("paper")], NotFound),
        ([file_at("cat", "file")], NotFound),
        ([LINK, file_at("cat"), file_at("unknown")], NotFound),
        ([file_at("paper"), file_at("paper", "contract")], NotFound),
        ([file_at("paper", "contract"), file_at("paper")], NotFound),
    ],
)
def test_what_is_no_attachment_is_not_sent(harness: ChatHarness, attachments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        harness.send(attachments=attachments)
    assert (harness.entries(DM), harness.heard(), harness.stores.file_places("cat")) == ([], set(), [])


def test_together_they_keep_to_what_a_message_may_weigh(harness: ChatHarness) -> None:
    heavy: dict[str, Any] = {"data": _sized(4_000), "attachments": [{"type": "x", "text": "y" * 8_000}]}
    harness.send("z" * 5_000, **heavy)
    with pytest.raises(TooLarge, match="24,576"):
        harness.send("\x01" * 3_000, **heavy)


def test_a_message_has_several_files_and_counts_with_each(harness: ChatHarness) -> None:
    more = [file_at("cat"), file_at("kitten"), file_at("paper", "file"), file_at("paper", "contract")]
    sent = harness.send("", message_type="image", file_id="cat", attachments=more).entry
    assert sent.file_ids == ("cat", "kitten", "paper")
    for one in sent.file_ids:
        assert (harness.stores.file(one).references, harness.stores.file_places(one)) == (1, [(DM, 1)])
    entry = harness.delete(1).entry
    assert entry is not None
    assert [harness.stores.file(one).references for one in sent.file_ids] == [0, 0, 0]
    assert not any(one in str(entry_event(entry)) for one in sent.file_ids)


def test_a_file_of_an_attachment_that_goes_meanwhile_is_not_sent(harness: ChatHarness) -> None:
    harness.stores.before_put(lambda _: harness.stores.files.retire("kitten"))
    with pytest.raises(NotFound, match="no such file"):
        harness.send(attachments=[file_at("cat"), file_at("kitten")])
    assert (harness.entries(DM), harness.stores.file("cat").references) == ([], 0)


def test_a_file_that_is_not_ready_is_not_attached(harness: ChatHarness) -> None:
    harness.stores.files.create(replace(harness.stores.file("kitten"), status=PENDING))
    with pytest.raises(NotFound):
        harness.send(attachments=[file_at("cat"), file_at("kitten")])


def test_a_deleted_message_keeps_none_of_it(harness: ChatHarness) -> None:
    harness.send(data=ORDER, attachments=[LINK])
    harness.edit(1, "hello", data=data_text({"new": 1}))
    harness.delete(1)
    assert not {"data", "attachments"} & shown(harness).keys()
    assert "data" not in edited(harness, 2)
    assert not any("4711" in str(row) or '"new"' in str(row) for row in harness.stores.rows(LOG))


def test_an_edit_replaces_data_or_takes_it_off_or_leaves_it(harness: ChatHarness) -> None:
    harness.send(data=ORDER)
    harness.edit(1, "words")
    assert (shown(harness)["data"], edited(harness, 2)["data"]) == (ORDER, ORDER)
    harness.edit(1, "words", data=data_text({"a": 1}))
    assert (shown(harness)["data"], edited(harness, 3)["data"]) == ({"a": 1}, {"a": 1})
    harness.edit(1, "words", data=NO_DATA)
    assert "data" not in shown(harness)
    assert edited(harness, 4)["data"] is None
    harness.edit(1, "other words")
    assert (edited(harness, 5)["data"], edited(harness, 4)["content"]) == (None, None)
    assert all("data" not in edited(harness, seq) for seq in (2, 3, 4))


def test_an_edit_that_changes_nothing_is_none(harness: ChatHarness) -> None:
    harness.send("hi", data=ORDER)
    harness.send("hi")
    assert harness.edit(1, "hi", data=data_text(ORDER)).entry is None
    assert harness.edit(1, "hi").entry is None
    assert harness.edit(2, "hi", data=NO_DATA).entry is None


def test_an_edit_of_a_message_that_never_had_any_says_nothing_of_it(harness: ChatHarness) -> None:
    harness.send("hi")
    harness.edit(1, "ho")
    harness.edit(1, "hu")
    assert ("data" in edited(harness, 2), "data" in edited(harness, 3)) == (False, False)


def test_an_edit_that_takes_off_what_was_never_there_says_nothing_of_it(harness: ChatHarness) -> None:
    harness.send("hi")
    harness.edit(1, "ho", data=NO_DATA)
    assert "data" not in edited(harness, 2)


def test_the_edit_of_a_message_that_is_within_the_bounds_is_told_whole(harness: ChatHarness) -> None:
    harness.send("hi")
    harness.edit(1, "\U0001f600" * 4_990, data=data_text({"a": "z" * 4_088}))
    event = edited(harness, 2)
    assert ("content_cut" in event, event["content"]) == (False, "\U0001f600" * 4_990)


def test_only_the_author_edits_data(harness: ChatHarness) -> None:
    harness.send("hi", data=ORDER)
    with pytest.raises(Forbidden):
        harness.edit(1, "hi", "bob", data=NO_DATA)


def test_a_resend_says_the_same_in_whatever_order_it_names_things(harness: ChatHarness) -> None:
    named: dict[str, Any] = {"client_message_id": "1", "after": 0}
    harness.send("hi", data={"a": 1, "b": 2}, attachments=[LINK], **named)
    again = harness.send("hi", data={"b": 2, "a": 1}, attachments=[dict(reversed(LINK.items()))], **named)
    assert (again.duplicate, again.entry.seq) == (True, 1)


@pytest.mark.parametrize(
    "other", [{}, {"data": {"a": 1}}, {"attachments": [LINK]}, {"data": {"a": "1"}, "attachments": [LINK]}]
)
def test_the_same_id_with_other_data_is_a_conflict(harness: ChatHarness, other: dict[str, Any]) -> None:
    named: dict[str, Any] = {"client_message_id": "1", "after": 0}
    harness.send("hi", data={"a": 1}, attachments=[LINK], **named)
    with pytest.raises(Conflict):
        harness.send("hi", **other, **named)


def test_forwarding_takes_attachments_along_and_leaves_data(harness: ChatHarness) -> None:
    harness.send("look", data=ORDER, attachments=[LINK, file_at("cat")])
    harness.send("", conversation_id=GROUP, forward_of=(DM, 1), data={"mine": True})
    forwarded = shown(harness, 2, GROUP)
    assert (forwarded["attachments"], forwarded["data"]) == ([LINK, file_at("cat")], {"mine": True})
    assert harness.stores.file("cat").references == 2


def test_a_forwarded_message_brings_no_attachments_of_its_own(harness: ChatHarness) -> None:
    harness.send("look")
    with pytest.raises(BadRequest):
        harness.send("", conversation_id=GROUP, forward_of=(DM, 1), attachments=[LINK])


def test_attachments_without_files_read_none(harness: ChatHarness) -> None:
    harness.stores.calls.before = lambda _, request: pytest.fail("a file is read") if "file#" in str(request) else None
    harness.send("hi", data=ORDER, attachments=[LINK])


def test_the_text_is_compact_and_nothing_is_none() -> None:
    assert data_text({"a": [1, 2.5, "ü"]}) == '{"a":[1,2.5,"ü"]}'
    assert (data_text(None), attachments_text([])) == (None, None)
