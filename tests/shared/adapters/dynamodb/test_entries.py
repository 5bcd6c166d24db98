"""Entries as items: each kind comes back as it went, and what is empty takes no room."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.dynamodb.client import from_item, to_item
from shared.adapters.dynamodb.schema import entry_from, entry_item
from shared.domain.changes import ROLES, Added, Change, Deleted, Edited, Reacted, Removed, Renamed, RolesChanged
from shared.domain.entries import Entry, author_key

_TEXT = st.text(max_size=20)
_SEQS = st.integers(0, 2**53 - 1)
_USERS = st.lists(_TEXT, min_size=1, max_size=3).map(tuple)
_ROLES = st.dictionaries(_TEXT, st.sampled_from(ROLES), max_size=3)
_COMMON = {
    "conversation_id": _TEXT,
    "seq": _SEQS,
    "sender_id": _TEXT,
    "created_at": _SEQS,
    "number": _SEQS,
    "authors": st.dictionaries(_TEXT.map(author_key), _SEQS, max_size=3),
    "nonce": _TEXT,
    "fan_out": st.booleans(),
    "waited": st.integers(0, 100_000),
}
_MESSAGES = st.builds(
    Entry,
    **_COMMON,
    content=st.none() | st.text(),
    message_type=st.sampled_from(["text", "image", "file"]),
    client_message_id=st.none() | _TEXT,
    reply_to=st.none() | _SEQS,
    mentions=st.lists(_TEXT, max_size=3).map(tuple),
    file_id=st.none() | _TEXT,
    forwarded=st.booleans(),
    digest=_TEXT,
).map(lambda entry: replace(entry, message_seq=entry.seq))  # the latest up to a message is itself
_CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(Edited, _SEQS, st.none() | st.text(), st.none() | _SEQS),
    st.builds(Deleted, _SEQS, st.none() | _SEQS, st.none() | _TEXT),
    st.builds(Reacted, _SEQS, _TEXT, removed=st.booleans(), owner_id=st.none() | _TEXT),
    st.builds(Added, _USERS, _SEQS, _ROLES, st.none() | _TEXT),
    st.builds(Removed, _USERS, _SEQS),
    st.builds(Renamed, _TEXT),
    st.builds(RolesChanged, _ROLES),
)
_OTHERS = st.builds(Entry, **_COMMON, change=_CHANGES, message_seq=_SEQS)


def _stored(item: dict[str, Any]) -> dict[str, Any]:
    """The item as it comes back from the table."""
    return from_item(to_item(item))


@given(entry=_MESSAGES | _OTHERS)
def test_an_entry_comes_back_as_it_went(entry: Entry) -> None:
    assert entry_from(_stored(entry_item(entry))) == entry


def test_most_entries_did_not_wait_and_do_not_say_so() -> None:
    """What is not stored costs nothing, and entries from before it was stored read as such."""
    entry = Entry("dm:alice:bob", 1, "alice", 1, 1, "hi", message_seq=1)
    assert "waited" not in _stored(entry_item(entry))
    assert _stored(entry_item(replace(entry, waited=7)))["waited"] == 7


def test_what_a_message_became_is_read() -> None:
    message = _stored(entry_item(Entry("dm:alice:bob", 1, "alice", 1, 1, "hi", message_seq=1)))
    became = {"edited_at": 5, "last_edit": 7, "reactions": frozenset({"x\x1fbob", "\U0001f44d\x1fal.ice"})}
    entry = entry_from({**message, **became})
    assert (entry.edited_at, entry.last_edit, entry.deleted_at) == (5, 7, None)
    assert entry.reactions == {("x", "bob"), ("\U0001f44d", "al.ice")}
    gone = entry_from({**{name: value for name, value in message.items() if name != "content"}, "deleted_at": 9})
    assert (gone.content, gone.deleted_at, gone.is_message, gone.is_readable) == (None, 9, True, False)


def test_an_unknown_kind_is_not_guessed_at() -> None:
    stored = _stored(entry_item(Entry("dm:alice:bob", 1, "alice", 1, 1, "hi")))
    with pytest.raises(ValueError, match="unknown kind"):
        entry_from({**stored, "kind": "something_else"})


def test_what_is_empty_is_not_stored() -> None:
    entry = Entry("dm:alice:bob", 1, "alice", 1, 1, "hi")
    stored = {name for name, value in entry_item(entry).items() if value is not None}
    assert stored == {
        *("conversation_id", "seq", "kind", "sender_id", "created_at", "number", "content", "type"),
        *("authors", "nonce"),
    }
