from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.inbox import Happened, InboxPosition, Snapshot
from shared.errors import BadRequest
from shared.wire.common import MAX_CURSOR, decode_sync_cursor, encode_sync_cursor
from shared.wire.rest.conversations import decode_inbox_cursor, encode_inbox_cursor

_POSITION = InboxPosition((1_795_431_200_123, "dm:alice:bob"), Snapshot(1_795_431_200_000, frozenset()))
_USERS = st.from_regex(r"\A[A-Za-z0-9_.@-]{1,128}\Z")


def _cursor(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


def _parts(cursor: str) -> list[Any]:
    parts: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return parts


@given(user_id=_USERS, at=st.integers(0, 2**53), conversation_id=st.text(max_size=300), seqs=st.sets(st.integers(1)))
def test_a_cursor_of_the_inbox_leads_back_to_its_place(
    user_id: str, at: int, conversation_id: str, seqs: set[int]
) -> None:
    snapshot = Snapshot(at, frozenset(Happened(conversation_id, seq, at).mark for seq in seqs))
    position = InboxPosition((at, conversation_id), snapshot)
    assert decode_inbox_cursor(user_id, encode_inbox_cursor(user_id, position)) == position


@given(user_id=_USERS, after=st.just("") | _USERS.map(lambda user: f"dm:{user}:zoe"))
def test_a_cursor_of_a_sync_leads_back_to_its_place(user_id: str, after: str) -> None:
    assert decode_sync_cursor(user_id, encode_sync_cursor(user_id, after)) == after


def test_cursors_can_stand_in_a_url_and_are_short_enough_for_one() -> None:
    longest_id = f"dm:{'a' * 128}:{'b' * 128}"
    heads = [Happened(f"{longest_id[:-9]}{number}", number, 2**53) for number in range(200)]
    longest = InboxPosition((2**53, longest_id), Snapshot.of(heads, now=2**53))
    for cursor in (encode_inbox_cursor("a" * 128, longest), encode_sync_cursor("a" * 128, longest_id)):
        assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)
        assert len(cursor) <= MAX_CURSOR


def test_a_cursor_does_not_say_whose_it_is() -> None:
    assert "mallory" not in str(_parts(encode_inbox_cursor("mallory", _POSITION)))


@given(one=_USERS, other=_USERS)
def test_another_users_cursor_is_refused(one: str, other: str) -> None:
    if one == other:
        return
    with pytest.raises(BadRequest, match="The cursor is not valid"):
        decode_inbox_cursor(other, encode_inbox_cursor(one, _POSITION))
    with pytest.raises(BadRequest, match="The cursor is not valid"):
        decode_sync_cursor(other, encode_sync_cursor(one, "dm:alice:bob"))


def test_the_cursor_of_one_list_is_none_of_another() -> None:
    with pytest.raises(BadRequest):
        decode_sync_cursor("alice", encode_inbox_cursor("alice", _POSITION))
    with pytest.raises(BadRequest):
        decode_inbox_cursor("alice", encode_sync_cursor("alice", "dm:alice:bob"))


@pytest.mark.parametrize("after", ["dm:alice:\ud800", "é", "a" * 301])
def test_a_sync_starts_behind_what_can_be_a_conversation_only(after: str) -> None:
    with pytest.raises(BadRequest):
        decode_sync_cursor("alice", encode_sync_cursor("alice", after))


def test_the_parts_of_a_cursor_belong_together() -> None:
    binding, at, conversation_id, settled, marks = _parts(encode_inbox_cursor("alice", _POSITION))
    for tampered in (
        [binding, at + 1, conversation_id, settled, marks],
        [binding, at, "dm:alice:carol", settled, marks],
        [binding, at, conversation_id, settled + 1, marks],
        [binding, at, conversation_id, settled, "ABCDEFGH"],
        [binding[:-1] + "x", at, conversation_id, settled, marks],
        [binding.upper() + "!", at, conversation_id, settled, marks],
        ["", at, conversation_id, settled, marks],
        [None, at, conversation_id, settled, marks],
    ):
        with pytest.raises(BadRequest):
            decode_inbox_cursor("alice", _cursor(tampered))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "A",
        "!!!!",
        "é",
        "\ud800",
        "=",
        "====",
        "a" * 1_001,
        "\x00",
        _cursor("hello"),
        _cursor("null"),
        _cursor("5"),
        _cursor('"abc"'),
        _cursor("{}"),
        _cursor({"a": 1, "b": 2, "c": 3}),
        _cursor([]),
        _cursor(["x", 1]),
        _cursor(["x", 1, "c", "d"]),
        _cursor(["x", "1", "c"]),
        _cursor(["x", 1.5, "c"]),
        _cursor(["x", None, "c"]),
        _cursor(["x", 1, None]),
        _cursor(["x", 1, ["c"]]),
        _cursor(["x", [1], "c"]),
        _cursor('["x",1,"\\ud800"]'),
        _cursor(["x", 10**300, "c"]),
        _cursor('["x",' + "1" * 5_000 + ',"c"]'),
        _cursor('["x",NaN,"c"]'),
        _cursor("[" * 5_000),
        base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode(),
    ],
    ids=lambda cursor: ascii(cursor)[:30],
)
def test_what_is_no_cursor_is_a_bad_request(cursor: str) -> None:
    with pytest.raises(BadRequest, match="The cursor is not valid"):
        decode_inbox_cursor("alice", cursor)
    with pytest.raises(BadRequest, match="The cursor is not valid"):
        decode_sync_cursor("alice", cursor)


@given(cursor=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_whatever_the_text_it_is_a_bad_request_and_nothing_else(cursor: str) -> None:
    with pytest.raises(BadRequest):
        decode_inbox_cursor("alice", cursor)
    with pytest.raises(BadRequest):
        decode_sync_cursor("alice", cursor)
