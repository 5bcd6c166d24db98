"""Whatever is asked by HTTP, the answer is a 2xx, or a 4xx that has changed nothing. Never a 5xx."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.inbox import InboxPosition, Snapshot
from shared.errors import BadRequest
from shared.wire.rest.conversations import decode_inbox_cursor, encode_inbox_cursor
from tests.bad_input.fuzzing import as_json, bent, json_texts, numbers, texts, tried, values
from tests.bad_input.names import DM, FILE, GROUP, token
from tests.bad_input.test_fuzz_frames import CODES, FAULTS, InputHarnesss, foreign
from tests.functions.events import NOW, http_event
from tests.functions.rest.document import operations

VALID: Final[tuple[dict[str, Any], ...]] = (
    {"content": "hi", "client_message_id": "c", "after": 3, "reply_to": 1, "mentions": ["bob"]},
    {"message_type": "image", "file_id": FILE},
    {"content": "x", "data": {"a": [1.5, {}]}, "attachments": [{"type": "image", "file_id": FILE}]},
    {"forward_of": {"conversation_id": GROUP, "seq": 2}},
    {"type": "private", "with": "bob"},
    {"type": "group", "name": "Team", "members": ["bob"], "client_conversation_id": "g"},
    {"name": "Team A"},
    {"users": ["carol"]},
    {"role": "admin"},
    {"muted_until": NOW, "notify": "mentions", "pinned": True, "archived": False},
    {"seq": 2},
    {"user_id": "bob"},
    {"status": "accepted", "alias": "Bobby"},
    {"display_name": "Alice", "avatar_url": "https://example.com/a.png", "hide_presence": True},
    {"push": {"previews": False, "quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}}},
    {"platform": "fcm", "token": "t", "app_id": "org.example.app"},
    {"platform": "apns", "token": "c0ffee" * 11, "app_id": "org.example.app", "environment": "sandbox"},
    {"name": "cat.png", "content_type": "image/png", "size": 3, "kind": "image"},
    {"users": ["bob"], "title": "Hello", "body": "there", "data": {"url": "/x"}, "notification_id": "n"},
    {"title": "Hello", "body": "there", "data": {"url": "/x"}, "store": True, "broadcast_id": "b"},
    {"at": NOW + 60_000},
)
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "conversation_id": (DM, GROUP),
    "user_id": ("bob", "carol", "zoe"),
    "seq": ("1", "2", "3", "99"),
    "emoji": ("%F0%9F%91%8D",),
    "file_id": (FILE,),
    "device_id": ("phone",),
}
_ROUTES: Final = sorted({(method, path) for method, path, _ in operations().values()})
_NAMES: Final = ("limit", "cursor", "before", "after", "users", "x")
_HARNESSES: Final = InputHarnesss()


@st.composite
def paths(draw: st.DrawFn) -> tuple[str, str]:
    """A route with its parts filled in, one way or the other; sometimes with another method, sometimes bent."""
    method, template = draw(st.sampled_from(_ROUTES))
    path = template
    for name in [part[1:-1] for part in template.split("/") if part.startswith("{")]:
        known = st.sampled_from(_PARTS.get(name, ("x",)))
        odd = texts.map(lambda text: quote(text, safe="", errors="surrogatepass"))
        path = path.replace(f"{{{name}}}", draw(st.one_of(known, known, odd, texts)))
    if draw(st.integers(0, 9)) == 0:
        method = draw(st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW")))
    return method, draw(bent(st.just(path))) if draw(st.integers(0, 4)) == 0 else path


_POSITION: Final = InboxPosition((NOW, DM), Snapshot(NOW, frozenset({"ABCDEFGH"})))
_cursors: Final = st.one_of(
    texts,
    st.tuples(values, values, values).map(
        lambda three: base64.urlsafe_b64encode(as_json(list(three)).encode()).decode()
    ),
    bent(st.just(encode_inbox_cursor("alice", _POSITION))),
    bent(st.just(encode_inbox_cursor("bob", _POSITION))),
)
_parameters: Final = st.dictionaries(
    st.sampled_from(_NAMES), st.one_of(texts, numbers.map(str), _cursors, st.just("bob,carol")), max_size=3
)
_headers: Final = st.dictionaries(
    st.sampled_from(("content-type", "x-user-id", "accept", "origin", "content-encoding")), texts, max_size=2
)
_GOOD: Final = f"Bearer {token(scope='notifications:send admin')}"
_credentials: Final = st.one_of(*[st.just(_GOOD)] * 6, bent(st.just(_GOOD)), texts)


@tried(200)
@given(
    asked=paths(),
    query=_parameters,
    headers=_headers,
    credentials=_credentials,
    body=st.one_of(st.none(), json_texts(VALID), json_texts(VALID), st.binary(max_size=40)),
)
def test_any_request_has_an_answer_and_what_is_refused_changes_nothing(
    asked: tuple[str, str], query: dict[str, str], headers: dict[str, str], credentials: str, body: str | bytes | None
) -> None:
    harness = _HARNESSES.current()
    before, others = harness.state, foreign(harness)
    method, path = asked
    text = base64.b64encode(body).decode() if isinstance(body, bytes) else body
    event = http_event(method, path, body=text, query=query or None)
    event["headers"] |= {"authorization": credentials, **headers}
    status, answer, _ = harness.ask({**event, "isBase64Encoded": isinstance(body, bytes)})
    assert harness.unexpected == []
    assert foreign(harness) == others
    if status >= 400:
        if method == "HEAD":  # its answers leave the body out
            assert answer is None
        else:
            assert answer["code"] in CODES - FAULTS, answer
        assert status < 500
        assert harness.state == before


@tried(150)
@given(cursor=_cursors)
def test_any_cursor_is_the_users_own_or_a_bad_request(cursor: str) -> None:
    try:
        position = decode_inbox_cursor("alice", cursor)
    except BadRequest:
        return
    assert decode_inbox_cursor("alice", encode_inbox_cursor("alice", position)) == position


@tried(50)
@given(at=st.integers(), conversation_id=st.text(), user_id=st.text())
def test_a_cursor_is_read_back_by_its_user_and_by_nobody_else(at: int, conversation_id: str, user_id: str) -> None:
    position = InboxPosition((at, conversation_id), Snapshot(at, frozenset()))
    cursor = encode_inbox_cursor(user_id, position)
    assert decode_inbox_cursor(user_id, cursor) == position
    try:
        decode_inbox_cursor(f"{user_id}x", cursor)
    except BadRequest:
        return
    raise AssertionError("a cursor of another user was taken")
