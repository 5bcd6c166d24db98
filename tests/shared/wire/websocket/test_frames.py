from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.wire.websocket.frames import (
    MAX_FRAME_BYTES,
    MAX_SYNC_CONVERSATIONS,
    TYPES,
    AuthFrame,
    BadFrame,
    CursorFrame,
    DeleteFrame,
    EditFrame,
    MessageFrame,
    PingFrame,
    Place,
    PresenceFrame,
    ReactFrame,
    SyncFrame,
    TypingFrame,
    decode,
)

_LONG = "x" * 40_000
_DEEP = "[" * 8_000 + "]" * 8_000

# (frame, code, echoed id)
_NOT_JSON = [
    ("", "bad_request", None),
    (" ", "bad_request", None),
    ("hello", "bad_request", None),
    ("{", "bad_request", None),
    ("}", "bad_request", None),
    ('{"type":"ping"', "bad_request", None),
    ('{"type":"ping",}', "bad_request", None),
    ('{"type":"ping"} {"type":"ping"}', "bad_request", None),
    ('{"type":"ping"} x', "bad_request", None),
    ("{'type':'ping'}", "bad_request", None),
    ('{type:"ping"}', "bad_request", None),
    ('\ufeff{"type":"ping"}', "bad_request", None),
    ('{"type":"ping","id":"7","x":01}', "bad_request", None),
    ('{"type":"ping","id":"7","x":NaN}', "bad_request", "7"),
    ('{"type":"ping","id":"7","x":Infinity}', "bad_request", "7"),
    ('{"type":"ping","id":"7","x":-Infinity}', "bad_request", "7"),
    ('{"type":"ping","id":"7","x":+1}', "bad_request", None),
    ('{"type":"ping","id":"7","x":.5}', "bad_request", None),
    ('{"type":"ping","id":"7","x":0x10}', "bad_request", None),
    ('{"type":"ping","id":"7","x":undefined}', "bad_request", None),
    ('{"type":"ping","id":"7","x":True}', "bad_request", None),
    ('{"type":"ping","id":"7","x":"\x01"}', "bad_request", None),
    ('{"type":"ping","id":"7","x":"\\x41"}', "bad_request", None),
    ('{"type":"ping","id":"7"/* c */}', "bad_request", None),
    ('{"type":"message","id":"7","content":"\\ud800"}', "bad_request", "7"),
    ('{"type":"message","id":"7","content":"\\udc00\\ud800"}', "bad_request", "7"),
    ('{"type":"message","id":"7","content":"\ud800"}', "bad_request", None),
    ('{"type":"ping","id":"\\ud800"}', "bad_request", None),
    (f'{{"type":"ping","x":{_DEEP}}}', "bad_request", None),
    ('{"type":"ping","id":"7","x":' + "[" * 64 + "]" * 64 + "}", "bad_request", "7"),
    ('{"type":"ping","id":"7","x":' + '{"y":' * 64 + "1" + "}" * 64 + "}", "bad_request", "7"),
    (_DEEP, "bad_request", None),
    ('{"x":' * 5_000, "bad_request", None),
]
_NOT_A_FRAME = [
    ("null", "bad_request", None),
    ("true", "bad_request", None),
    ("5", "bad_request", None),
    ('"ping"', "bad_request", None),
    ("[]", "bad_request", None),
    ('[{"type":"ping"}]', "bad_request", None),
    ("{}", "bad_request", None),
    ('{"id":"7"}', "bad_request", "7"),
    ('{"TYPE":"ping","id":"7"}', "bad_request", "7"),
    ('{"type":null,"id":"7"}', "bad_request", "7"),
    ('{"type":5,"id":"7"}', "bad_request", "7"),
    ('{"type":["ping"],"id":"7"}', "bad_request", "7"),
    ('{"type":{"a":1},"id":"7"}', "bad_request", "7"),
    ('{"type":true}', "bad_request", None),
]
_UNKNOWN = [
    ('{"type":"","id":"7"}', "unknown_type", "7"),
    ('{"type":"nope","id":"7"}', "unknown_type", "7"),
    ('{"type":"Ping","id":"7"}', "unknown_type", "7"),
    ('{"type":"ping ","id":"7"}', "unknown_type", "7"),
    ('{"type":"ping\\u0000","id":"7"}', "unknown_type", "7"),
    ('{"type":"$connect","id":"7"}', "unknown_type", "7"),
    ('{"type":"$disconnect","id":"7"}', "unknown_type", "7"),
    ('{"type":"$default","id":"7"}', "unknown_type", "7"),
    ('{"type":"new_message","id":"7"}', "unknown_type", "7"),
    ('{"type":"nope","id":7}', "unknown_type", None),
    ('{"type":"nope","id":null}', "unknown_type", None),
    (json.dumps({"type": "nope", "id": "i" * 65}), "unknown_type", None),
    (json.dumps({"type": "t" * 20_000, "id": "7"}), "unknown_type", "7"),
]
_BAD_IDS = [
    ('{"type":"ping","id":7}', "bad_request", None),
    ('{"type":"ping","id":true}', "bad_request", None),
    ('{"type":"ping","id":["7"]}', "bad_request", None),
    ('{"type":"ping","id":{}}', "bad_request", None),
    (json.dumps({"type": "ping", "id": "i" * 65}), "bad_request", None),
]
_TOO_LARGE = [
    (json.dumps({"type": "message", "id": "7", "content": _LONG}), "too_large", "7"),
    (json.dumps({"type": "nope", "id": "7", "x": _LONG}), "too_large", "7"),
    (json.dumps({"type": "ping", "id": "7", "x": "é" * 17_000}, ensure_ascii=False), "too_large", "7"),
    (json.dumps({"type": "ping", "id": 7, "x": _LONG}), "too_large", None),
    (json.dumps({"type": "ping", "id": "i" * 65, "x": _LONG}), "too_large", None),
    (json.dumps({"type": "ping", "id": "\ud800", "x": _LONG}), "too_large", None),
    ("[" * 40_000, "too_large", None),
    (" " * (MAX_FRAME_BYTES + 1), "too_large", None),
    (_LONG, "too_large", None),
]


def _wrong(kind: str, **fields: Any) -> tuple[str, str, str]:
    return (json.dumps({"type": kind, "id": "7", **fields}), "bad_request", "7")


_WRONG_FIELDS = [
    _wrong("message", to=5),
    _wrong("message", to=""),
    _wrong("message", to="a b"),
    _wrong("message", to="a:b"),
    _wrong("message", to="bob\n"),
    _wrong("message", to="é"),
    _wrong("message", to="x" * 129),
    _wrong("message", to=["bob"]),
    _wrong("message", conversation_id=""),
    _wrong("message", conversation_id=5),
    _wrong("message", conversation_id="x" * 301),
    _wrong("message", content=None),
    _wrong("message", content=5),
    _wrong("message", content=["hi"]),
    _wrong("message", content={"text": "hi"}),
    _wrong("message", message_type="movie"),
    _wrong("message", message_type="Text"),
    _wrong("message", message_type=None),
    _wrong("message", message_type=0),
    _wrong("message", client_message_id=""),
    _wrong("message", client_message_id="x" * 129),
    _wrong("message", client_message_id=17),
    _wrong("message", after=-1),
    _wrong("message", after="41"),
    _wrong("message", after=41.5),
    _wrong("message", after=True),
    _wrong("message", after=2**53),
    _wrong("message", after=10**30),
    _wrong("message", after=[41]),
    _wrong("message", reply_to=0),
    _wrong("message", reply_to=-1),
    _wrong("message", reply_to="1"),
    _wrong("message", mentions=None),
    _wrong("message", mentions="bob"),
    _wrong("message", mentions=[5]),
    _wrong("message", mentions=["bob", "a b"]),
    _wrong("message", mentions=[None]),
    _wrong("message", mentions=["bob"] * 51),
    _wrong("message", mentions={"bob": 1}),
    _wrong("message", file_id=""),
    _wrong("message", file_id=5),
    _wrong("message", file_id="x" * 129),
    *(
        _wrong(kind, **fields)
        for kind in ("read", "delivered")
        for fields in (
            {},
            {"seq": 1},
            {"conversation_id": "dm:a:b"},
            {"conversation_id": "dm:a:b", "seq": None},
            {"conversation_id": "dm:a:b", "seq": -1},
            {"conversation_id": "dm:a:b", "seq": "1"},
            {"conversation_id": "dm:a:b", "seq": 1.0},
            {"conversation_id": "dm:a:b", "seq": 2**53},
            {"conversation_id": "", "seq": 1},
            {"conversation_id": None, "seq": 1},
            {"conversation_id": ["dm:a:b"], "seq": 1},
        )
    ),
    _wrong("sync", conversations=None),
    _wrong("sync", conversations=[]),
    _wrong("sync", conversations="dm:a:b"),
    _wrong("sync", conversations={"dm:a:b": "1"}),
    _wrong("sync", conversations={"dm:a:b": None}),
    _wrong("sync", conversations={"dm:a:b": -1}),
    _wrong("sync", conversations={"dm:a:b": 1.5}),
    _wrong("sync", conversations={"dm:a:b": True}),
    _wrong("sync", conversations={"": 1}),
    _wrong("sync", conversations={"x" * 301: 1}),
    _wrong("sync", conversations={f"c{n}": 1 for n in range(MAX_SYNC_CONVERSATIONS + 1)}),
    _wrong("ping", conversation_id=5),
    _wrong("ping", conversation_id="", seq=1),
    _wrong("ping", conversation_id="dm:a:b", seq="1"),
    _wrong("ping", conversation_id="dm:a:b", seq=-1),
    ('{"type":"ping","id":"7","seq":1e400}', "bad_request", "7"),
    ('{"type":"ping","id":"7","seq":1e3}', "bad_request", "7"),
    ('{"type":"ping","id":"7","seq":-0.0}', "bad_request", "7"),
]

MALFORMED = [*_NOT_JSON, *_NOT_A_FRAME, *_UNKNOWN, *_BAD_IDS, *_TOO_LARGE, *_WRONG_FIELDS]


@pytest.mark.parametrize(("body", "code", "frame_id"), MALFORMED, ids=lambda part: ascii(part)[:60])
def test_a_malformed_frame_is_one_error_with_its_code_and_id(body: str, code: str, frame_id: str | None) -> None:
    with pytest.raises(BadFrame) as bad:
        decode(body)
    assert (bad.value.error.code, bad.value.frame_id) == (code, frame_id)
    assert not bad.value.error.retryable
    assert 0 < len(bad.value.error.message) < 200
    assert bad.value.error.message.isascii()


def test_no_body_at_all_is_a_malformed_frame() -> None:
    with pytest.raises(BadFrame) as bad:
        decode(None)
    assert (bad.value.error.code, bad.value.frame_id) == ("bad_request", None)


@pytest.mark.parametrize("field", ["to", "message_type", "after", "mentions"])
def test_an_error_names_the_place_and_never_the_value(field: str) -> None:
    secret = "very secret\nvalue"
    value = [secret] if field == "mentions" else secret
    with pytest.raises(BadFrame) as bad:
        decode(json.dumps({"type": "message", field: value}))
    assert f"$.{field}" in bad.value.error.message
    assert "secret" not in bad.value.error.message
    assert "regex" not in bad.value.error.message


def test_a_message_frame_in_full() -> None:
    kind, frame = decode(
        json.dumps(
            {
                "type": "message",
                "id": "17",
                "to": "bob",
                "conversation_id": "dm:alice:bob",
                "content": "hi",
                "message_type": "image",
                "client_message_id": "0d9f",
                "after": 41,
                "reply_to": 3,
                "mentions": ["bob", "a.b-C_d@example.org"],
                "file_id": "f1",
            }
        )
    )
    assert kind == "message"
    assert frame == MessageFrame(
        id="17",
        to="bob",
        conversation_id="dm:alice:bob",
        content="hi",
        message_type="image",
        client_message_id="0d9f",
        after=41,
        reply_to=3,
        mentions=["bob", "a.b-C_d@example.org"],
        file_id="f1",
    )


@pytest.mark.parametrize(
    ("body", "frame"),
    [
        ({"type": "message", "to": "bob", "content": "hi"}, MessageFrame(to="bob", content="hi")),
        ({"type": "message"}, MessageFrame()),
        ({"type": "message", "after": 0}, MessageFrame(after=0)),
        ({"type": "message", "after": 2**53 - 1}, MessageFrame(after=2**53 - 1)),
        ({"type": "message", "to": None, "after": None, "id": None}, MessageFrame()),
        ({"type": "message", "to": "x" * 128, "id": "i" * 64}, MessageFrame(to="x" * 128, id="i" * 64)),
        ({"type": "message", "content": "😀\u0000\n"}, MessageFrame(content="😀\u0000\n")),
        ({"type": "read", "conversation_id": "c", "seq": 5}, CursorFrame(conversation_id="c", seq=5)),
        ({"type": "delivered", "conversation_id": "c", "seq": 0}, CursorFrame(conversation_id="c", seq=0)),
        ({"type": "sync"}, SyncFrame()),
        ({"type": "sync", "conversations": {}}, SyncFrame()),
        ({"type": "sync", "conversations": {"c": 0, "d": 9}}, SyncFrame(conversations={"c": 0, "d": 9})),
        ({"type": "ping"}, PingFrame()),
        ({"type": "ping", "id": ""}, PingFrame(id="")),
        ({"type": "ping", "conversation_id": "c", "seq": 1}, PingFrame(conversation_id="c", seq=1)),
        ({"type": "ping", "something": {"new": [1, None, 1.5]}}, PingFrame()),
    ],
    ids=lambda part: str(part)[:50],
)
def test_a_good_frame(body: dict[str, Any], frame: Any) -> None:
    assert decode(json.dumps(body)) == (body["type"], frame)
    assert decode(json.dumps(body, ensure_ascii=False, indent=1)) == (body["type"], frame)


def test_the_types_of_the_protocol() -> None:
    about_messages = {"message", "edit", "delete", "react", "read", "delivered", "receipts", "typing"}
    assert frozenset({*about_messages, "presence", "sync", "ping", "auth"}) == TYPES


def test_of_a_field_given_twice_the_last_counts_for_type_and_fields_alike() -> None:
    assert decode('{"type":"message","seq":2,"type":"ping","seq":3}') == ("ping", PingFrame(seq=3))


def test_some_nesting_in_fields_nobody_reads_is_fine() -> None:
    assert decode('{"type":"ping","x":' + "[" * 63 + "]" * 63 + "}") == ("ping", PingFrame())


def test_brackets_in_text_and_side_by_side_are_no_nesting() -> None:
    text = '[{\\"' * 500
    assert decode(f'{{"type":"ping","x":"{text}"}}') == ("ping", PingFrame())
    assert decode('{"type":"ping","x":[' + "[]," * 500 + "[]]}") == ("ping", PingFrame())


def test_looking_for_nesting_takes_one_pass_whatever_is_sent() -> None:
    for end in ("", "\\"):
        with pytest.raises(BadFrame):
            decode("[" * 70 + '"' + '\\"' * 16_000 + end)


def test_a_frame_may_be_as_large_as_the_gateways_own_limit() -> None:
    empty = len(json.dumps({"type": "ping", "x": ""}))
    assert decode(json.dumps({"type": "ping", "x": "x" * (MAX_FRAME_BYTES - empty)})) == ("ping", PingFrame())
    with pytest.raises(BadFrame):
        decode(json.dumps({"type": "ping", "x": "x" * (MAX_FRAME_BYTES - empty + 1)}))


def test_the_longest_text_fits_into_a_frame() -> None:
    for content in ("x" * 5_000, "\u20ac" * 5_000, "\U0001f600" * 5_000):
        body = json.dumps({"type": "message", "to": "bob", "content": content}, ensure_ascii=False)
        assert decode(body)[1].content == content


def test_frames_never_share_what_they_hold_by_default() -> None:
    assert decode('{"type":"sync"}')[1].conversations is not decode('{"type":"sync"}')[1].conversations
    assert decode('{"type":"message"}')[1].mentions is not decode('{"type":"message"}')[1].mentions


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    ["id", "to", "conversation_id", "content", "message_type", "after", "reply_to", "mentions", "seq", "conversations"]
)


@given(kind=st.sampled_from(sorted(TYPES)), fields=st.dictionaries(_FIELDS, _JSON, max_size=5))
@settings(max_examples=300)
def test_whatever_the_fields_a_frame_is_good_or_bad_and_keeps_its_id(kind: str, fields: dict[str, Any]) -> None:
    frame_id = fields.get("id")
    usable_id = frame_id if isinstance(frame_id, str) else None
    body = json.dumps({"type": kind, **fields})
    assert _outcome(body) in {("bad_request", usable_id), (kind, usable_id)}


def _outcome(body: str) -> tuple[str, str | None]:
    """The type of a good frame or the code of a bad one, and its id."""
    try:
        kind, frame = decode(body)
    except BadFrame as bad:
        return bad.error.code, bad.frame_id
    return kind, frame.id


@given(body=st.text(st.characters(), max_size=100) | st.text('{}[]",:\\ntypeidping0123', max_size=60))
@settings(max_examples=300)
def test_whatever_the_text_a_frame_is_good_or_bad(body: str) -> None:
    assert _outcome(body)[0] in {"bad_request", "unknown_type", "too_large"}


def test_the_table_of_malformed_frames_is_long_enough_to_mean_something() -> None:
    assert len({body for body, _, _ in MALFORMED}) == len(MALFORMED) >= 60


PLACE: dict[str, Any] = {"conversation_id": "dm:alice:bob", "seq": 42}


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        ({"type": "edit", **PLACE, "content": "x"}, EditFrame(**PLACE, content="x")),
        ({"type": "delete", **PLACE}, DeleteFrame(**PLACE)),
        ({"type": "react", **PLACE, "emoji": "👍"}, ReactFrame(**PLACE, emoji="👍", remove=False)),
        ({"type": "react", **PLACE, "emoji": "x", "remove": True}, ReactFrame(**PLACE, emoji="x", remove=True)),
        ({"type": "typing", "conversation_id": "c"}, TypingFrame(conversation_id="c", active=True)),
        ({"type": "typing", "conversation_id": "c", "active": False}, TypingFrame(conversation_id="c", active=False)),
        ({"type": "presence", "users": []}, PresenceFrame(users=[])),
        ({"type": "presence", "users": ["bob"], "id": "7"}, PresenceFrame(users=["bob"], id="7")),
        ({"type": "auth", "token": "a.b.c"}, AuthFrame(token="a.b.c")),
        ({"type": "message", "to": "bob", "forward_of": PLACE}, MessageFrame(to="bob", forward_of=Place(**PLACE))),
    ],
)
def test_frames_of_changes_presence_and_tokens(frame: dict[str, Any], expected: Any) -> None:
    assert decode(json.dumps(frame)) == (frame["type"], expected)


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "edit", **PLACE},
        {"type": "edit", **PLACE, "content": None},
        {"type": "edit", "conversation_id": "c", "seq": 0, "content": "x"},
        {"type": "edit", "seq": 1, "content": "x"},
        {"type": "delete", "conversation_id": "c"},
        {"type": "delete", "conversation_id": "c", "seq": "1"},
        {"type": "delete", "conversation_id": "", "seq": 1},
        {"type": "react", **PLACE},
        {"type": "react", **PLACE, "emoji": ""},
        {"type": "react", **PLACE, "emoji": "x" * 65},
        {"type": "react", **PLACE, "emoji": "x", "remove": 1},
        {"type": "typing"},
        {"type": "typing", "conversation_id": "c", "active": "yes"},
        {"type": "presence"},
        {"type": "presence", "users": "bob"},
        {"type": "presence", "users": ["b b"]},
        {"type": "presence", "users": [f"u{number}" for number in range(101)]},
        {"type": "auth"},
        {"type": "auth", "token": ""},
        {"type": "auth", "token": "x" * 8_193},
        {"type": "message", "to": "bob", "forward_of": "dm:alice:bob/42"},
        {"type": "message", "to": "bob", "forward_of": {"conversation_id": "c"}},
        {"type": "message", "to": "bob", "forward_of": {"conversation_id": "c", "seq": 0}},
    ],
)
def test_what_these_frames_must_not_hold(frame: dict[str, Any]) -> None:
    with pytest.raises(BadFrame) as refused:
        decode(json.dumps({**frame, "id": "7"}))
    assert (refused.value.error.code, refused.value.frame_id) == ("bad_request", "7")
