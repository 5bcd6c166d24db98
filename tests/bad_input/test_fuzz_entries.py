"""Any entry is read back from its item as it was written; an item that is none is a ValueError, or its like."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.dynamodb.client import from_item, to_item
from shared.adapters.dynamodb.schema import entry_from, entry_item
from shared.domain.changes import (
    Added,
    Deleted,
    Edited,
    Reacted,
    Removed,
    Renamed,
    Role,
    RolesChanged,
    Updated,
    as_json,
)
from shared.domain.entries import Entry, author_key
from shared.wire.events import encode_plainly
from shared.wire.websocket.frames import encode_event
from tests.bad_input.fuzzing import mutated, tried

_ints: Final = st.integers(0, 2**53)
_texts: Final = st.text(max_size=20)
_users: Final = st.lists(_texts, max_size=3).map(tuple)
_roles: Final[st.SearchStrategy[Mapping[str, Role]]] = st.dictionaries(
    _texts, st.sampled_from(("owner", "admin", "member"))
)
_maybe: Final = st.one_of(st.none(), _ints)
_changes: Final = st.one_of(
    st.builds(Edited, _ints, _texts, _maybe),
    st.builds(Deleted, _ints, _maybe, st.one_of(st.none(), _texts)),
    st.builds(Reacted, _ints, _texts, removed=st.booleans()),
    st.builds(Added, _users, _ints, _roles, st.one_of(st.none(), _texts)),
    st.builds(Removed, _users, _ints),
    st.builds(Renamed, _texts),
    st.builds(Updated, st.dictionaries(_texts, _texts).map(as_json), st.one_of(st.none(), _texts)),
    st.builds(RolesChanged, _roles),
)


def _entry(seq: int, change: Any, texts: tuple[str, str, str], **fields: Any) -> Entry:
    """A message has a content, a change has none; each as it is written."""
    conversation_id, sender_id, content = texts
    is_message = change is None
    return Entry(
        conversation_id=conversation_id,
        seq=seq,
        change=change,
        sender_id=sender_id,
        created_at=seq,
        number=seq,
        content=content if is_message else None,
        message_type="text",
        client_message_id=fields["client_message_id"] if is_message else None,
        reply_to=fields["reply_to"] if is_message else None,
        mentions=fields["mentions"] if is_message else (),
        file_id=None,
        forwarded=fields["forwarded"] and is_message,
        message_seq=seq if is_message else fields["message_seq"],
        authors=fields["authors"],
        nonce="n",
        digest="",
        fan_out=fields["fan_out"],
    )


_entries: Final = st.builds(
    _entry,
    _ints,
    st.one_of(st.none(), _changes),
    st.tuples(_texts, _texts, _texts),
    client_message_id=st.one_of(st.none(), _texts),
    reply_to=_maybe,
    mentions=_users,
    forwarded=st.booleans(),
    message_seq=_ints,
    authors=st.dictionaries(_texts.map(author_key), _ints, max_size=3),
    fan_out=st.booleans(),
)


@tried(100)
@given(entry=_entries)
def test_any_entry_is_read_back_as_it_was_written_and_both_encoders_say_the_same(entry: Entry) -> None:
    stored = json.loads(json.dumps(to_item(entry_item(entry)), ensure_ascii=False))
    assert entry_from(from_item(stored)) == entry
    assert json.loads(encode_event(entry)) == json.loads(encode_plainly(entry))


_STORED: Final = tuple(
    to_item(entry_item(_entry(2, change, ("dm:alice:bob", "alice", "hi"), **fields)))
    for change in (None, Edited(1, "x", None), Deleted(1, None, None), Added(("bob",), 2, {"bob": "member"}, "Team"))
    for fields in (
        {
            "client_message_id": "c",
            "reply_to": 1,
            "mentions": ("bob",),
            "forwarded": True,
            "message_seq": 1,
            "authors": {"alice": 1},
            "fan_out": True,
        },
    )
)


@tried(100)
@given(item=mutated(_STORED, most=2))
def test_an_item_that_is_no_entry_is_told_by_the_errors_that_the_readers_know(item: dict[str, Any]) -> None:
    with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
        entry_from(from_item(item))
