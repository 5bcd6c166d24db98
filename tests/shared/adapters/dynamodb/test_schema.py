from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.dynamodb.client import TTL, from_item, to_item
from shared.adapters.dynamodb.memberships import member_from
from shared.adapters.dynamodb.schema import (
    conversation_key,
    entry_item,
    entry_key,
    membership_key,
    seat_key,
    user_key,
)
from shared.adapters.dynamodb.sessions import CONNECTIONS, connection_value, connections_from, ticket_from, ticket_item
from shared.domain.connections import (
    HEARTBEAT_WINDOW_MS,
    MAX_LIFETIME_MS,
    Connection,
    Identity,
    StoredTicket,
    opened,
)
from shared.domain.entries import AUTHORS_KEPT, Draft, Entry
from shared.domain.members import Member
from tests.fakes import DM

_TEXT = st.text(max_size=20)
_SEQS = st.integers(0, 2**53 - 1)


def _connection(name: str, device: str, at: int, token_lasts: int, ping: int | None) -> Connection:
    """As it was opened; or as it is after a ping."""
    one = opened(name, Identity("alice", at + token_lasts), device_id=device, connected_at=at)
    return one if ping is None else one.heard_from(at + ping)


_MS = st.integers(1, 3 * MAX_LIFETIME_MS)
_CONNECTIONS = st.builds(_connection, _TEXT, _TEXT, st.integers(1, 2**45), _MS, st.none() | _MS).filter(
    # Where a ping's window and the connection end at the same millisecond, nobody can tell that there was one.
    lambda one: one.heard_at + HEARTBEAT_WINDOW_MS != min(one.connected_at + MAX_LIFETIME_MS, one.authenticated_until)
)
_TICKETS = st.builds(StoredTicket, ticket_hash=_TEXT, user_id=_TEXT, token_expires_at=_SEQS, expires_at=_SEQS)


def _stored(item: dict[str, Any]) -> dict[str, Any]:
    """The item as it comes back from the table."""
    return from_item(to_item(item))


@given(entries=st.lists(_CONNECTIONS, unique_by=lambda one: one.connection_id, max_size=5))
def test_a_users_connections_come_back_as_they_went(entries: list[Connection]) -> None:
    item = _stored({CONNECTIONS: {one.connection_id: connection_value(one) for one in entries}})
    assert connections_from(item, "alice") == {one.connection_id: one for one in entries}


@given(ticket=_TICKETS)
def test_a_ticket_comes_back_as_it_went(ticket: StoredTicket) -> None:
    assert ticket_from(_stored(ticket_item(ticket))) == ticket


@given(ticket=_TICKETS)
def test_a_ticket_is_swept_after_it_has_expired_and_not_before(ticket: StoredTicket) -> None:
    swept_at_ms = ticket_item(ticket)[TTL] * 1_000
    assert ticket.expires_at < swept_at_ms <= ticket.expires_at + 1_000


@pytest.mark.parametrize("item", [None, {}, {"user_id": "alice", "last_seen": 5}, {CONNECTIONS: {}}])
def test_a_session_without_connections_has_none(item: dict[str, Any] | None) -> None:
    assert connections_from(item, "alice") == {}


def test_a_new_member_has_read_nothing() -> None:
    assert member_from({"conversation_id": "dm:a:b", "user_id": "a", "joined_at": 7, "pk": "x", "sk": "y"}) == Member(
        "dm:a:b", "a", joined_at=7, read_seq=0, read_number=0, delivered_seq=0
    )


def test_a_members_cursors_are_read() -> None:
    cursors: dict[str, Any] = {"read_seq": 3, "read_number": 2, "delivered_seq": 5}
    stored = {"conversation_id": "dm:a:b", "user_id": "a", "joined_at": 7, **cursors}
    assert member_from(stored) == Member("dm:a:b", "a", 7, **cursors)


def test_keys_are_what_the_tables_are_made_with() -> None:
    assert entry_key("dm:a:b", 3) == {"conversation_id": "dm:a:b", "seq": 3}
    assert seat_key("dm:a:b", "a") == {"pk": "conversation#dm:a:b", "sk": "user#a"}
    assert membership_key("dm:a:b", "a") == {"pk": "user#a", "sk": "conversation#dm:a:b"}


def test_no_user_can_take_a_conversations_place() -> None:
    assert user_key("x").partition("#")[0] != conversation_key("x").partition("#")[0]


def _size(value: Any) -> int:
    """Bytes of a value, by "DynamoDB item sizes and formats" of the developer guide."""
    match value:
        case bool():
            return 1
        case str():
            return len(value.encode())
        case int():
            return (len(str(abs(value))) + 1) // 2 + 1 + (value < 0)
        case dict():
            return 3 + sum(len(name.encode()) + _size(inner) + 1 for name, inner in value.items())
        case list():
            return 3 + sum(_size(inner) + 1 for inner in value)
    raise TypeError(type(value))


def _item_size(item: dict[str, Any]) -> int:
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _message(content: str) -> Entry:
    """A message as the function stores it: ids of usual length, in a conversation that both have written in."""
    draft = Draft(
        conversation_id="dm:alice.anderson@example.org:bob.brown@example.org",
        sender_id="alice.anderson@example.org",
        content=content,
        nonce="dGhpcyBpcyA",
        client_message_id="0d9f1c4e-7a53-4c7e-9d0b-2f6a1b8c3d4e",
    )
    authors = {"alice.anderson@example.org": 123_456, "bob.brown@example.org": 123_455}
    return draft.following(
        Entry(draft.conversation_id, 123_456, "", 0, 123_456, "", authors=authors), 1_795_431_200_123
    )


def test_a_short_message_takes_half_of_a_write_unit() -> None:
    assert _item_size(_stored(entry_item(_message("Are we still on for lunch at noon?")))) <= 500


def test_five_hundred_characters_fit_into_one_write_unit() -> None:
    assert _item_size(_stored(entry_item(_message("x" * 500)))) <= 1_024


def test_the_writers_of_an_entry_take_300_bytes_whatever_their_ids() -> None:
    entry = None
    for number in range(AUTHORS_KEPT + 1):
        entry = Draft(DM, f"{number:0128}", "hi", "dGhpcyBpcyA").following(entry, 1_795_431_200_123)
    assert entry is not None
    item = _stored(entry_item(replace(entry, authors=dict.fromkeys(entry.authors, 123_456))))
    assert (len(item["authors"]), _size(item["authors"]) <= 300) == (AUTHORS_KEPT, True)
    assert _item_size(item) <= 1_024


def test_a_session_with_ten_connections_takes_one_read_unit() -> None:
    connections = {
        f"L0SM9cOFvHcCIhw{n}=": {
            "device_id": "d" * 64,
            "connected_at": 1_795_431_200_123,
            "expires_at": 1_795_438_400_123,
            "authenticated_until": 1_795_438_400_123,
        }
        for n in range(10)
    }
    item = {"user_id": "u" * 128, "connections": connections, "last_seen": 1_795_431_200_123}
    assert _item_size(_stored(item)) <= 4_096
