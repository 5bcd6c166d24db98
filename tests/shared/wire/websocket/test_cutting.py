"""A message's weight, measured; and what is heavier than it may be, cut so that it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.changes import Edited
from shared.domain.entries import (
    MAX_MESSAGE_BYTES,
    Draft,
    Entry,
    is_too_heavy,
    message_bytes,
    text_bytes,
)
from shared.wire.events import encode_plainly, entry_event, message_body, whole_message_body
from shared.wire.websocket.frames import encode_event

_DM = f"dm:{'a' * 128}:{'b' * 128}"
_USERS = st.from_regex(r"\A[A-Za-z0-9_.@-]{1,128}\Z")
_LETTERS = st.sampled_from(["x", '"', "\\", "\x01", "\n", "é", "\U0001f44d", "\u2028", "\x7f"])
_EMOJI = st.text(_LETTERS, min_size=1, max_size=16)
_CONTENT = st.none() | st.builds(lambda letter, length: "x" + letter * length, _LETTERS, st.integers(0, 4_999))
_REACTIONS = st.frozensets(st.tuples(_EMOJI, _USERS), max_size=6) | st.builds(
    lambda letter, many: frozenset((f"{number:03}" + letter * 15, "u" * 128) for number in range(many)),
    _LETTERS,
    st.integers(0, 500),
)
_NUMBERS = st.none() | st.integers(0, 2**53)
MESSAGES = st.builds(
    Entry,
    conversation_id=st.sampled_from(["dm:a:b", _DM, "group:0123456789abcdef"]),
    seq=st.integers(1, 2**53),
    sender_id=_USERS,
    created_at=st.integers(0, 2**53),
    number=st.just(1),
    content=_CONTENT,
    message_type=st.sampled_from(["text", "image", "file"]),
    client_message_id=st.none() | st.text(_LETTERS, min_size=1, max_size=128),
    reply_to=_NUMBERS,
    mentions=st.lists(_USERS, max_size=50).map(tuple),
    file_id=st.none() | _USERS,
    forwarded=st.booleans(),
    edited_at=_NUMBERS,
    deleted_at=_NUMBERS,
    reactions=_REACTIONS,
)


def encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


@settings(max_examples=200, deadline=None)
@given(entry=MESSAGES)
def test_the_weight_is_what_the_body_takes_in_json(entry: Entry) -> None:
    assert message_bytes(entry) == len(encoded(whole_message_body(entry)))
    assert is_too_heavy(entry) == (message_bytes(entry) > MAX_MESSAGE_BYTES)


@settings(max_examples=200, deadline=None)
@given(entry=MESSAGES)
def test_what_is_shown_is_whole_or_cut_and_marked_and_never_too_heavy(entry: Entry) -> None:
    shown, whole = message_body(entry), whole_message_body(entry)
    assert len(encoded(shown)) <= MAX_MESSAGE_BYTES
    for event in (encode_event(entry), encode_plainly(entry)):
        assert len(event) <= MAX_MESSAGE_BYTES + 600
    if not is_too_heavy(entry):
        assert shown == whole
        return
    if "reactions" in whole:
        assert "reactions" not in shown
        assert (shown["reactions_cut"], shown["reaction_total"]) == (True, len(entry.reactions))
        counts = shown["reaction_counts"]
        assert counts == {emoji: len(whole["reactions"][emoji]) for emoji in counts}
        others = [len(users) for emoji, users in whole["reactions"].items() if emoji not in counts]
        assert min(counts.values(), default=2**53) >= max(others, default=0)
    assert shown.get("content_cut") == (None if shown["content"] == whole["content"] else True)
    if "content_cut" in shown:
        assert (whole["content"] or "").startswith(shown["content"] or "?")
        assert len(encoded(shown)) > MAX_MESSAGE_BYTES - 2_500
    kept = {name: value for name, value in whole.items() if name not in {"reactions", "content"}}
    assert kept.items() <= shown.items()


@settings(max_examples=60, deadline=None)
@given(letter=_LETTERS, mentions=st.integers(0, 50), length=st.integers(3_000, 5_000))
def test_a_draft_weighs_what_its_message_will(letter: str, mentions: int, length: int) -> None:
    users = tuple(f"{number:0128}" for number in range(mentions))
    draft = Draft(_DM, "a" * 128, letter * length, "n", mentions=users, client_message_id="c")
    assert draft.is_too_heavy(None) == (message_bytes(draft.following(None, 0)) > MAX_MESSAGE_BYTES)


def test_an_edit_of_the_first_edition_is_cut_in_its_entry() -> None:
    entry = Entry(_DM, 3, "alice", 1, 1, change=Edited(1, "x" + "\x01" * 4_999))
    event = entry_event(entry)
    assert event["content_cut"] is True
    assert ("x" + "\x01" * 4_999).startswith(event["content"])
    assert 22_000 < text_bytes(event["content"]) < len(encode_event(entry)) <= MAX_MESSAGE_BYTES
    short = replace(entry, change=Edited(1, "\x01" * 3_000))
    assert entry_event(short)["content"] == "\x01" * 3_000
    assert "content_cut" not in entry_event(short)
    assert entry_event(replace(entry, change=Edited(1, None)))["content"] is None
