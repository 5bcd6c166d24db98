"""Every reply to a frame is one WebSocket frame, whatever was sent and whatever is stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.message.handler import respond
from shared.domain.entries import MAX_MESSAGE_BYTES
from shared.operations.sync import MAX_REPLY_BYTES
from shared.wire.websocket.frames import TYPES
from tests.fakes import DM
from tests.functions.events import frame_event
from tests.functions.message.harness import MessageHarness

ONE_FRAME = 32 * 1_024
# By what JSON makes of them: one byte, six, two; and two, three and four bytes of UTF-8.
LETTERS = ["x", "\x01", '"', "é", "あ", "😀"]
LONG_ID = "u" * 128

texts = st.builds(lambda letter, times: letter * times, st.sampled_from(LETTERS), st.integers(0, 6_000))
names = st.builds(lambda letter, times: letter * times, st.sampled_from(LETTERS), st.integers(0, 300))
anything = st.one_of(
    texts, names, st.integers(-5, 2**60), st.none(), st.booleans(), st.lists(names, max_size=100), st.just({"x": [1]})
)
FIELDS = (
    *("id", "to", "conversation_id", "content", "client_message_id", "after", "reply_to", "mentions", "file_id", "seq"),
    *("emoji", "user_id", "active", "users", "token", "conversations", "cursor", "remove", "forward_of"),
)
frames = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    st.sampled_from([*sorted(TYPES), "nonsense", "\x01" * 200, 7]),
    st.dictionaries(st.sampled_from(FIELDS), anything, max_size=8),
)


def size(harness: MessageHarness, frame: Any) -> int:
    harness.guard = harness.new_guard()  # no limit of frames is what is asked about
    return len(respond(frame_event(frame), harness.wired, harness.guard)["body"].encode())


@settings(max_examples=150)
@given(frame=frames)
def test_whatever_is_sent_its_reply_fits(frame: Mapping[str, Any]) -> None:
    harness = MessageHarness()
    harness.stores.write("bob", "hello")
    assert size(harness, frame) <= MAX_REPLY_BYTES < ONE_FRAME


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "presence", "users": [f"{number:0128}" for number in range(100)]},
        {"type": "message", "to": LONG_ID, "content": "\x01" * 3_000, "client_message_id": "\x01" * 128},
        {"type": "react", "conversation_id": DM, "seq": 1, "emoji": "😀" * 16},
        {"type": "edit", "conversation_id": DM, "seq": 1, "content": "\x01" * 3_000},
        {"type": "read", "conversation_id": DM, "seq": 1},
        {"type": "typing", "conversation_id": DM},
        {"type": "ping", "conversation_id": DM, "seq": 1},
        {"type": "sync", "conversations": {f"dm:alice:{'b' * 110}{number:03}": number for number in range(200)}},
        {"type": "sync", "conversations": {"\x01" * number: 1 for number in range(1, 90)}},
        {"type": "\x01" * 5_000},
        {"type": "message", "to": "\x01" * 5_000, "content": "x"},
    ],
    ids=lambda frame: str(frame["type"])[:8],
)
def test_the_longest_of_each_kind_fits_with_an_id_that_is_all_escapes(frame: dict[str, Any]) -> None:
    harness = MessageHarness()
    harness.stores.write("alice", "hello")
    assert size(harness, {"id": "\x01" * 64, **frame}) <= MAX_REPLY_BYTES


@settings(max_examples=40)
@given(letter=st.sampled_from(LETTERS), characters=st.integers(1, 5_000), reactions=st.integers(0, 400))
def test_a_single_heavy_entry_comes_in_a_reply_of_its_own_and_the_next_one_goes_on(
    letter: str, characters: int, reactions: int
) -> None:
    """The rule for what is too heavy: the entry is cut to its bound, marked so, and fits; nothing is skipped."""
    harness = MessageHarness()
    given = frozenset((f"{number:03}" + "e" * 60, "bob") for number in range(reactions))
    harness.stores.write("bob", *[letter * characters] * 3)
    for entry in harness.stores.entries(DM):
        harness.stores.overwrite(replace(entry, reactions=given))
    seen: list[int] = []
    while len(seen) < 3:
        frame = {"type": "sync", "id": "\x01" * 64, "conversations": {DM: len(seen)}}
        body = respond(frame_event(frame), harness.wired, harness.new_guard())["body"]
        assert len(body.encode()) <= MAX_REPLY_BYTES
        (one,) = json.loads(body)["data"]["conversations"]
        assert one["entries"]
        for entry in one["entries"]:
            encoded = json.dumps(entry["message"], ensure_ascii=False, separators=(",", ":"))
            assert len(encoded.encode()) <= MAX_MESSAGE_BYTES
        seen += [entry["seq"] for entry in one["entries"]]
    assert seen == [1, 2, 3]
