"""The tables: keys and attribute names, once.

log       conversation_id, seq      one entry; a stream carries each to the offline push
members   pk, sk                    a membership, twice: under its conversation and under its user
sessions  user_id                   all live connections of a user, as one map
tickets   ticket                    one-time entry tickets, by hash
"""

from __future__ import annotations

from typing import Any, Final

from shared.aws.dynamodb import Item
from shared.chat.models import Entry, Member
from shared.connection.models import Connection
from shared.connection.ports import StoredTicket

CONVERSATION_ID: Final = "conversation_id"
SEQ: Final = "seq"
PK: Final = "pk"
SK: Final = "sk"
USER_ID: Final = "user_id"
CONNECTIONS: Final = "connections"
LAST_SEEN: Final = "last_seen"
TICKET: Final = "ticket"
TTL: Final = "ttl"

_MS: Final = 1_000


def entry_key(conversation_id: str, seq: int) -> Item:
    return {CONVERSATION_ID: conversation_id, SEQ: seq}


def entry_item(entry: Entry) -> Item:
    """Empty fields are left out: names count towards the kilobyte that a write unit buys."""
    return {
        **entry_key(entry.conversation_id, entry.seq),
        "kind": entry.kind,
        "sender_id": entry.sender_id,
        "created_at": entry.created_at,
        "number": entry.number,
        "content": entry.content,
        "type": entry.message_type,
        "client_message_id": entry.client_message_id,
        "reply_to": entry.reply_to,
        "mentions": list(entry.mentions) or None,
        "authors": dict(entry.authors),
        "nonce": entry.nonce,
        "digest": entry.digest,
    }


def entry_from(item: Item) -> Entry:
    return Entry(
        conversation_id=item[CONVERSATION_ID],
        seq=item[SEQ],
        kind=item["kind"],
        sender_id=item["sender_id"],
        created_at=item["created_at"],
        number=item["number"],
        content=item["content"],
        message_type=item["type"],
        client_message_id=item.get("client_message_id"),
        reply_to=item.get("reply_to"),
        mentions=tuple(item.get("mentions", ())),
        authors=item["authors"],
        nonce=item["nonce"],
        digest=item["digest"],
    )


def conversation_key(conversation_id: str) -> str:
    return f"conversation#{conversation_id}"


def user_key(user_id: str) -> str:
    return f"user#{user_id}"


def member_of_conversation_key(conversation_id: str, user_id: str) -> Item:
    """Who gets this conversation's messages."""
    return {PK: conversation_key(conversation_id), SK: user_key(user_id)}


def member_of_user_key(conversation_id: str, user_id: str) -> Item:
    """What a user's inbox and sync read; the cursors live here."""
    return {PK: user_key(user_id), SK: conversation_key(conversation_id)}


def member_from(item: Item) -> Member:
    return Member(
        conversation_id=item[CONVERSATION_ID],
        user_id=item[USER_ID],
        joined_at=item["joined_at"],
        read_seq=item.get("read_seq", 0),
        read_number=item.get("read_number", 0),
        delivered_seq=item.get("delivered_seq", 0),
    )


def connection_value(connection: Connection) -> dict[str, Any]:
    return {
        "device_id": connection.device_id,
        "connected_at": connection.connected_at,
        "expires_at": connection.expires_at,
    }


def connections_from(item: Item | None, user_id: str) -> dict[str, Connection]:
    """A session item's connections by id; none for an item that isn't there."""
    stored = (item or {}).get(CONNECTIONS, {})
    return {
        connection_id: Connection(
            connection_id, user_id, value["device_id"], value["connected_at"], value["expires_at"]
        )
        for connection_id, value in stored.items()
    }


def ticket_item(ticket: StoredTicket) -> Item:
    return {
        TICKET: ticket.ticket_hash,
        USER_ID: ticket.user_id,
        "token_expires_at": ticket.token_expires_at,
        "expires_at": ticket.expires_at,
        TTL: ticket.expires_at // _MS + 1,
    }


def ticket_from(item: Item) -> StoredTicket:
    return StoredTicket(item[TICKET], item[USER_ID], item["token_expires_at"], item["expires_at"])
