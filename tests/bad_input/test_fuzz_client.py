"""Whatever a server says to the Python client, it survives: what it does not understand, it ignores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from parley_client import parsing
from parley_client.codec import check_size, decode, encode
from parley_client.errors import ParleyError
from parley_client.rest import _object

from tests.bad_input.fuzzing import json_texts, texts, tried, values
from tests.client.bench import DM, Bench, block, entry

_CHANGE: Final = {"conversation_id": DM, "seq": 5, "message_seq": 4, "user_id": "bob", "timestamp": 1}
_EVENTS: Final[tuple[dict[str, Any], ...]] = (
    entry(4, reply_to=1, mentions=["alice"], edited_at=5, reactions={"\U0001f44d": ["bob"]}, receipts={"members": 1}),
    {**_CHANGE, "type": "message_edited", "content": "edited"},
    {**_CHANGE, "type": "message_deleted"},
    {**_CHANGE, "type": "reaction", "emoji": "\U0001f44d", "removed": False},
    {**_CHANGE, "type": "member_added", "users": ["carol"], "name": "Team"},
    {**_CHANGE, "type": "member_removed", "users": ["alice"]},
    {**_CHANGE, "type": "conversation_updated", "changes": {"name": "A", "roles": {"bob": "admin"}}},
    {"type": "read", "conversation_id": DM, "user_id": "bob", "seq": 3, "timestamp": 1},
    {"type": "delivered", "conversation_id": DM, "user_id": "bob", "seq": 3, "timestamp": 1},
    {"type": "typing", "conversation_id": DM, "user_id": "bob", "active": True},
    {"type": "presence", "user_id": "bob", "status": "offline", "last_seen": 1, "timestamp": 2},
    {
        "type": "notification",
        "notification": {"id": "n", "kind": "system", "title": "t", "body": "b", "data": {"a": "b"}},
    },
    {"type": "disconnect", "code": "evicted", "reconnect": True},
)
_HEAD: Final = block(5, [entry(4), entry(5)])
_ANSWERS: Final[tuple[dict[str, Any], ...]] = (
    {
        "conversations": [{**_HEAD, "read_seq": 1, "unread": 2, "joined_seq": 0}],
        "refused": ["group:x"],
        "has_more": False,
    },
    {"type": "message", "conversation_id": DM, "seq": 4, "message_id": f"{DM}/4", "timestamp": 1, "duplicate": False},
    {"type": "edit", "conversation_id": DM, "seq": 1, "entry_seq": 4, "timestamp": 1},
    {"type": "read", "conversation_id": DM, "seq": 3},
    {"type": "pong", "timestamp": 1, "behind": True},
    {"type": "presence", "users": [{"user_id": "bob", "status": "online", "last_seen": None}]},
    {"type": "auth", "user_id": "alice", "expires_at": 1},
    {
        "notifications": [
            {"id": "n", "kind": "reminder", "title": "t", "conversation_id": DM, "seq": 1, "created_at": 1}
        ]
    },
)
_FAILURES: Final[tuple[dict[str, Any], ...]] = tuple(
    {"success": False, "error": "no", "code": code, "retryable": code == "rate_limited", "retry_after_ms": 5}
    for code in (
        "bad_request",
        "not_a_member",
        "rate_limited",
        "sync_required",
        "token_expired",
        "internal",
        "conflict",
    )
)
_wire: Final = st.one_of(json_texts(_EVENTS), json_texts(_ANSWERS), json_texts(_FAILURES))


@tried(200)
@given(text=st.one_of(_wire, st.binary(max_size=60)))
def test_any_text_is_a_frame_or_nothing(text: str | bytes) -> None:
    frame = decode(text)
    assert frame is None or isinstance(frame, dict)
    data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    assert isinstance(_object(data), dict)


@tried(250)
@given(text=_wire)
def test_any_frame_is_an_event_or_nothing(text: str) -> None:
    frame = decode(text) or {}
    for read in (parsing.as_entry, parsing.as_event, parsing.as_message, parsing.as_ack, parsing.as_changed):
        read(frame)
    parsing.as_presences(frame)
    parsing.as_notifications(frame)
    error = ParleyError.from_wire(frame)
    assert isinstance(error.code, str)
    assert error.retry_after_ms is None or isinstance(error.retry_after_ms, int)


def _busy() -> Bench:
    """A client that waits for an answer of every kind."""
    bench = Bench(over_http=True).online(block(3))
    core = bench.core
    core.send("hi", bench.now, to="bob")
    core.change("edit", DM, 1, {"content": "edited"}, bench.now)
    core.mark("read", DM, 3, bench.now)
    core.watch(["bob"], bench.now)
    core.sync(bench.now)
    core.ping(bench.now)
    core.request("typing", {"conversation_id": DM}, bench.now)
    core.authenticate("token", 60.0, bench.now)
    return bench


@st.composite
def _replies(draw: st.DrawFn, frames: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What a server might say to one of these frames, or by itself."""
    said = decode(draw(_wire)) or {}
    match draw(st.sampled_from(("by itself", "answer", "answer", "refusal", "whatever"))):
        case "answer":
            return {"success": True, "id": draw(st.sampled_from(frames))["id"], "data": said}
        case "refusal":
            return {**said, "success": False, "id": draw(st.sampled_from(frames))["id"]}
        case "whatever":
            return {
                "success": draw(values),
                "id": draw(st.one_of(texts, st.just(frames[0]["id"]))),
                "data": draw(values),
            }
    return said


@tried(120)
@given(st.data())
def test_a_client_survives_whatever_comes_over_its_connection(data: st.DataObject) -> None:
    bench = _busy()
    frames = [
        frame
        for kind in ("message", "edit", "read", "presence", "sync", "ping", "typing")
        for frame in bench.sent(kind)
    ]
    for _ in range(data.draw(st.integers(1, 4))):
        bench.core.receive(data.draw(_replies(frames)), bench.now)
        bench.events()
        bench.now += 1
        bench.core.tick(bench.now)
        bench.collect()
    bench.core.notified(1, decode(data.draw(_wire)) or {}, bench.now)
    bench.events()
    json.dumps(bench.core.state())
    bench.core.deadline()
    bench.core.stop()


@tried(100)
@given(content=st.one_of(texts, st.text(max_size=200)), conversation_id=texts)
def test_any_text_is_sent_as_it_is_or_refused_at_once(content: str, conversation_id: str) -> None:
    frame = {"type": "message", "content": content, "conversation_id": conversation_id}
    try:
        check_size(frame)
    except ParleyError as error:
        assert error.code in {"bad_request", "too_large"}  # noqa: PT017  # either is right, and nothing else
        return
    assert decode(encode(frame).encode()) == frame
