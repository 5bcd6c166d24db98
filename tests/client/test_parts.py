"""The small parts of the client: tokens, texts, settings, backoff."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from parley_client.codec import check_size, decode, encode
from parley_client.conversation import MAX_EARLY, Conversation
from parley_client.errors import ParleyError
from parley_client.events import JoinRequested, LogEntry, MessageEdited, Presence, UnknownEvent, UserUpdated
from parley_client.parsing import as_ack, as_changed, as_entry, as_event, as_message, as_notifications, as_presences
from parley_client.resources import as_inbox
from parley_client.rest import RestApi, _object, is_loopback
from parley_client.settings import Settings
from parley_client.terminal import harmless
from parley_client.tokens import expiry_of, user_of

from tests.client.bench import DM
from tests.client.fake_server import token_of

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    [
        "type",
        "conversation_id",
        "seq",
        "message",
        "user_id",
        "status",
        "mentions",
        "content",
        "id",
        "message_seq",
        "users",
        "changes",
        "emoji",
        "entry_seq",
        "reactions",
        "receipts",
        "notification",
        "notifications",
        "title",
        "data",
    ]
)
kinds = st.sampled_from(
    [
        "new_message",
        "read",
        "delivered",
        "typing",
        "presence",
        "reaction",
        "message_edited",
        "message_deleted",
        "member_added",
        "member_removed",
        "conversation_updated",
        "notification",
    ]
)
frames = st.dictionaries(names, anything | kinds, max_size=6)


@given(frame=frames)
@example(frame={"users": True})
def test_no_frame_whatever_is_in_it_makes_the_client_stumble(frame: dict[str, object]) -> None:
    as_entry(frame)
    as_event(frame)
    as_ack(frame)
    as_changed(frame)
    as_message(frame)
    as_presences(frame)
    as_notifications(frame)


@given(text=st.text() | st.binary())
def test_no_text_makes_the_client_stumble(text: str | bytes) -> None:
    assert decode(text) is None or isinstance(decode(text), dict)


@given(frame=st.dictionaries(st.text(), st.text() | st.integers()))
def test_frames_survive_the_wire(frame: dict[str, object]) -> None:
    assert decode(encode(frame).encode()) == frame


def test_text_nested_beyond_reason_is_no_frame() -> None:
    assert decode("[" * 100_000) is None


def test_frames_are_measured_in_bytes() -> None:
    check_size({"content": "x" * 30_000})
    with pytest.raises(ParleyError, match="too_large"):
        check_size({"content": "ü" * 17_000})


@pytest.mark.parametrize(
    ("token", "user"),
    [
        (token_of("alice"), "alice"),
        (token_of("alice", user_id="anna"), "anna"),
        (token_of("alice", user_id=17), "17"),
        (token_of("alice", user_id=True), None),
        (token_of("alice", user_id=None), None),
        (token_of(""), None),
        ("opaque", None),
        ("a.!!!.c", None),
        ("a.WzFd.c", None),
        ("a.e30.c", None),
    ],
)
def test_a_tokens_user_is_read_as_the_server_reads_it(token: str, user: str | None) -> None:
    assert user_of(token) == user


@pytest.mark.parametrize(
    ("token", "expiry"),
    [
        (token_of("alice", exp=17), 17.0),
        (token_of("alice", exp=17.5), 17.5),
        (token_of("alice", exp="17"), None),
        (token_of("alice", exp=True), None),
        (token_of("alice"), None),
        ("opaque", None),
    ],
)
def test_a_tokens_expiry_is_read_where_it_has_one(token: str, expiry: float | None) -> None:
    assert expiry_of(token) == expiry


def test_presence_and_unknown_events_keep_what_came() -> None:
    assert as_event({"type": "presence", "user_id": "bob", "status": "online"}) == Presence("bob", "online")
    user = {"user_id": "bob", "name": "Bob", "version": 7}
    updated = {"type": "user_updated", "user_id": "bob", "version": 7, "user": user, "timestamp": 9}
    assert as_event(updated) == UserUpdated("bob", 7, user, 9)
    assert isinstance(as_event({**updated, "user": "bob"}), UnknownEvent)
    asked = {"type": "join_request", "conversation_id": "group:x", "user_id": "bob", "status": "requested", "by": "bob"}
    assert as_event({**asked, "timestamp": 9}) == JoinRequested("group:x", "bob", "requested", "bob", 9)
    assert isinstance(as_event({**asked, "status": None}), UnknownEvent)
    event = as_event({"type": "notification", "text": "maintenance"})
    assert isinstance(event, UnknownEvent)
    assert event.raw["text"] == "maintenance"


@pytest.mark.parametrize("kind", ["read", "delivered"])
@pytest.mark.parametrize("seq", ["Infinity", "-Infinity", "NaN", "1e999", "1.5", '"3"', "true", "null", "[3]", "{}"])
def test_a_receipt_whose_cursor_is_no_integer_is_an_unknown_event(kind: str, seq: str) -> None:
    frame = decode(f'{{"type": "{kind}", "conversation_id": "{DM}", "user_id": "bob", "seq": {seq}}}')
    assert isinstance(as_event(frame or {}), UnknownEvent)


@pytest.mark.parametrize("name", ["conversation_id", "user_id"])
@pytest.mark.parametrize("kind", ["read", "delivered", "typing", "presence"])
def test_an_event_about_nobody_nameable_is_an_unknown_event(kind: str, name: str) -> None:
    frame = {"type": kind, "conversation_id": DM, "user_id": "bob", "seq": 3, "status": "online"}
    assert not isinstance(as_event(frame), UnknownEvent)
    if (kind, name) != ("presence", "conversation_id"):
        assert isinstance(as_event({**frame, name: ["bob"]}), UnknownEvent)


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5_000])
def test_an_answer_that_is_no_object_is_an_empty_one(text: bytes) -> None:
    assert _object(text) == {}


@pytest.mark.parametrize("answer", [{}, {"ticket": None}, {"ticket": ["x"]}])
def test_an_answer_without_a_ticket_is_a_reason_to_try_again(answer: dict[str, object]) -> None:
    class Odd(RestApi):
        async def call(self, *_: object, **__: object) -> dict[str, object]:
            return answer

    with pytest.raises(ParleyError) as failed:
        asyncio.run(Odd("http://localhost").ticket("token"))
    assert (failed.value.code, failed.value.retryable) == ("unreachable", True)


def test_what_a_team_hung_on_a_message_comes_as_it_is_and_what_is_no_such_thing_does_not() -> None:
    body: dict[str, Any] = {"conversation_id": "c", "seq": 1, "sender_id": "bob", "content": "hi"}
    hung = as_message({**body, "data": {"a": [1]}, "attachments": [{"type": "link"}, "odd", None]})
    assert (hung.data, hung.attachments) == ({"a": [1]}, ({"type": "link"},))
    odd = as_message({**body, "data": [], "attachments": {"type": "link"}})
    assert (odd.data, odd.attachments) == (None, ())


def test_an_edit_whose_data_is_odd_says_nothing_of_it() -> None:
    frame = {
        "type": "message_edited",
        "conversation_id": "c",
        "seq": 2,
        "message_seq": 1,
        "user_id": "bob",
        "content": "x",
    }
    for data, has_data in (({"a": 1}, True), (None, True), ([], False)):
        edit = as_entry({**frame, "data": data})
        assert isinstance(edit, MessageEdited)
        assert (edit.data, edit.has_data) == (data if has_data else None, has_data)


def test_a_deleted_message_has_no_content() -> None:
    assert as_message({"conversation_id": "c", "seq": 1, "sender_id": "bob"}).content is None


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("ws://localhost:4577/x", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:80", True),
        ("http://api.localhost", True),
        ("wss://example.com", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
    ],
)
def test_addresses_on_this_machine_are_known(url: str, here: bool) -> None:
    assert is_loopback(url) is here


@given(attempt=st.integers(0, 5_000), draw=st.floats(0, 1, exclude_max=True))
def test_backoff_is_bounded_however_often(attempt: int, draw: float) -> None:
    settings = Settings(backoff_first=1, backoff_limit=30)
    assert 0 <= settings.backoff(attempt, lambda: draw) < 30


def test_the_servers_wish_comes_before_the_jitter() -> None:
    assert Settings(backoff_first=1).pause(2_000, 0, lambda: 0.25) == 2.25


def test_what_comes_far_too_early_is_left_to_the_sync() -> None:
    conversation = Conversation("c")
    conversation.place(0)
    for seq in range(2, MAX_EARLY + 100):
        conversation.offer(LogEntry("c", seq, "x"))
    conversation.offer(LogEntry("c", 1, "x"))
    passed = []
    while (entry := conversation.next_entry()) is not None:
        passed.append(entry.seq)
    assert passed == list(range(1, MAX_EARLY + 2))
    assert conversation.behind


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï 👩‍💻", "plain ünï 👩‍💻"),
        ("\x1b[2Jgone", "�[2Jgone"),
        ("a\rb\nc", "a\n    b\n    c"),
        ("\u202eright to left", "�right to left"),
        ("", ""),
    ],
)
def test_what_others_wrote_can_not_take_over_the_terminal(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_versions_are_what_the_server_says_and_none_where_it_says_none() -> None:
    body: dict[str, Any] = {"conversations": [], "next_cursor": None}
    assert as_inbox({**body, "versions": {"bob": 7, "carol": 0}}).versions == {"bob": 7, "carol": 0}
    assert as_inbox(body).versions == {}
