from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadRequest
from shared.wire.cursors import decode_cursor, encode_cursor

_ORDER = (1_795_431_200_123, "dm:alice:bob")
_USERS = st.from_regex(r"\A[A-Za-z0-9_.@-]{1,128}\Z")


def _cursor(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()


def _parts(cursor: str) -> list[Any]:
    parts: list[Any] = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return parts


@given(user_id=_USERS, at=st.integers(0, 2**53), conversation_id=st.text(max_size=300))
def test_a_cursor_leads_back_to_its_place(user_id: str, at: int, conversation_id: str) -> None:
    assert decode_cursor(user_id, encode_cursor(user_id, (at, conversation_id))) == (at, conversation_id)


def test_a_cursor_can_stand_in_a_url_and_is_short_enough_for_one() -> None:
    longest = encode_cursor("a" * 128, (2**53, f"dm:{'a' * 128}:{'b' * 128}"))
    assert re.fullmatch(r"[A-Za-z0-9_-]+", longest)
    assert len(longest) <= 1_000


def test_a_cursor_does_not_say_whose_it_is() -> None:
    assert "mallory" not in str(_parts(encode_cursor("mallory", _ORDER)))


@given(one=_USERS, other=_USERS)
def test_another_users_cursor_is_refused(one: str, other: str) -> None:
    cursor = encode_cursor(one, _ORDER)
    if one != other:
        with pytest.raises(BadRequest, match="The cursor is not valid"):
            decode_cursor(other, cursor)


def test_the_parts_of_a_cursor_belong_together() -> None:
    binding, at, conversation_id = _parts(encode_cursor("alice", _ORDER))
    for tampered in (
        [binding, at + 1, conversation_id],
        [binding, at, "dm:alice:carol"],
        [binding[:-1] + "x", at, conversation_id],
        [binding.upper() + "!", at, conversation_id],
        ["", at, conversation_id],
        [None, at, conversation_id],
    ):
        with pytest.raises(BadRequest):
            decode_cursor("alice", _cursor(tampered))


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
        decode_cursor("alice", cursor)


@given(cursor=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_whatever_the_text_it_is_a_bad_request_and_nothing_else(cursor: str) -> None:
    with pytest.raises(BadRequest):
        decode_cursor("alice", cursor)
