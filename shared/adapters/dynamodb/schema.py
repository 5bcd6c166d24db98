"""The tables: keys and attribute names, once.

log       conversation_id, seq      one entry; a stream carries each to the offline push (see entries.py)
members   pk, sk                    what users have: see below
sessions  user_id                   all live connections of a user, as one map
tickets   ticket                    one-time entry tickets, by hash

In the members table
user#U           conversation#C     U is in C: cursors and preferences. What inbox and sync read
                 contact#V          V is a contact of U, or has asked to be, or was asked
                 block#V            U does not want to hear from V
                 profile            what U says about themselves
                 rate               how many messages U may still send
                 invites            how many users U may still put into groups
                 watching#X         whose presence U's connection X hears of
                 devices            where U's pushes go, as one map
                 pushed#D#A         up to where device D has had pushes about A, for a while
                 notice#N           something that U was told, until U acknowledges it
                 reminder#R         what U wants to be reminded of
                 files              how many bytes U's files have together
target#H         target             whose device the push target with this hash is
due#S            T#F                file F is to be looked at from time T on; S is one of sixteen
file#F           file               a file: whose, what, and whether it is ready
                 message#C/S        message S of C has the file
conversation#C   user#U             U is in C, with a role. Who gets C's messages
                 group              C is a group: its name and size
turn#C           turn               who may change C next, where many want to
watch#U          X                  connection X hears of U's presence
sent#H           sent               the message whose conversation, sender and id have this hash, for 90 days
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from shared.adapters.dynamodb.client import Item
from shared.clock import SECOND_MS
from shared.domain.changes import MEMBER
from shared.domain.connections import Connection, Session, StoredTicket
from shared.domain.members import Group, Member, Preferences, Seat


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables' names. A function has those that it may use."""

    members: str
    sessions: str
    log: str = ""
    tickets: str = ""


CONVERSATION_ID: Final = "conversation_id"
SEQ: Final = "seq"
PK: Final = "pk"
SK: Final = "sk"
USER_ID: Final = "user_id"
CONNECTIONS: Final = "connections"
LAST_SEEN: Final = "last_seen"
SHOWN: Final = "shown"
HIDDEN: Final = "hidden"
MUTUAL: Final = "mutual"
GROUP: Final = "group"
CONVERSATION_PREFIX: Final = "conversation#"
USER_PREFIX: Final = "user#"
CONTACT_PREFIX: Final = "contact#"
BLOCK_PREFIX: Final = "block#"
NOTICE_PREFIX: Final = "notice#"
PROFILE: Final = "profile"
WATCHING_PREFIX: Final = "watching#"
REMINDER_PREFIX: Final = "reminder#"
REFERENCE_PREFIX: Final = "message#"
DUE_PREFIX: Final = "due#"
TICKET: Final = "ticket"
TTL: Final = "ttl"
STATUS: Final = "status"
REFERENCES: Final = "references"


def key_pair(key: Item) -> tuple[str, str]:
    """The key of a row, or a row's key, to look it up by."""
    return key[PK], key[SK]


def conversation_key(conversation_id: str) -> str:
    return f"{CONVERSATION_PREFIX}{conversation_id}"


def user_key(user_id: str) -> str:
    return f"{USER_PREFIX}{user_id}"


def member_of_conversation_key(conversation_id: str, user_id: str) -> Item:
    """Who gets this conversation's messages."""
    return {PK: conversation_key(conversation_id), SK: user_key(user_id)}


def member_of_user_key(conversation_id: str, user_id: str) -> Item:
    """What a user's inbox and sync read; the cursors live here."""
    return {PK: user_key(user_id), SK: conversation_key(conversation_id)}


def group_key(conversation_id: str) -> Item:
    """The group's own item, beside its members."""
    return {PK: conversation_key(conversation_id), SK: GROUP}


def contact_key(user_id: str, other: str) -> Item:
    return {PK: user_key(user_id), SK: f"{CONTACT_PREFIX}{other}"}


def block_key(user_id: str, blocked: str) -> Item:
    return {PK: user_key(user_id), SK: f"{BLOCK_PREFIX}{blocked}"}


def profile_key(user_id: str) -> Item:
    return {PK: user_key(user_id), SK: PROFILE}


def bucket_key(user_id: str, row: str) -> Item:
    return {PK: user_key(user_id), SK: row}


def watch_key(watched: str, connection_id: str) -> Item:
    """Who hears of this user's presence."""
    return {PK: f"watch#{watched}", SK: connection_id}


def watching_key(user_id: str, connection_id: str) -> Item:
    """Whose presence this connection hears of."""
    return {PK: user_key(user_id), SK: f"{WATCHING_PREFIX}{connection_id}"}


def devices_key(user_id: str) -> Item:
    return {PK: user_key(user_id), SK: "devices"}


def target_key(target_hash: str) -> Item:
    return {PK: f"target#{target_hash}", SK: "target"}


def pushed_key(user_id: str, device_id: str, about: str) -> Item:
    return {PK: user_key(user_id), SK: f"pushed#{device_id}#{about}"}


def turn_key(conversation_id: str) -> Item:
    """Who may go next where many change one conversation. Not beside its members, so that it is in no roster."""
    return {PK: f"turn#{conversation_id}", SK: "turn"}


def file_key(file_id: str) -> Item:
    return {PK: f"file#{file_id}", SK: "file"}


def usage_key(user_id: str) -> Item:
    """How many bytes the user's files have together."""
    return {PK: user_key(user_id), SK: "files"}


def due_key(shard: str, at: int, file_id: str) -> Item:
    """When a file is to be looked at. Sorted by time; the shards are there so that none takes all writes."""
    return {PK: f"{DUE_PREFIX}{shard}", SK: f"{at:016}#{file_id}"}


def file_reference_key(file_id: str, conversation_id: str, seq: int) -> Item:
    """A message that has the file, beside the file."""
    return {PK: f"file#{file_id}", SK: f"{REFERENCE_PREFIX}{conversation_id}/{seq}"}


def sent_key(conversation_id: str, sender_id: str, client_message_id: str) -> Item:
    """The note that this message is stored. A hash, since ids may be long; each has a partition of its own."""
    named = f"{conversation_id}\x00{sender_id}\x00{client_message_id}"
    return {PK: f"sent#{blake2b(named.encode(), digest_size=16).hexdigest()}", SK: "sent"}


def member_from(item: Item) -> Member:
    return Member(
        conversation_id=item[CONVERSATION_ID],
        user_id=item[USER_ID],
        joined_at=item["joined_at"],
        joined_seq=item.get("joined_seq", 0),
        read_seq=item.get("read_seq", 0),
        read_number=item.get("read_number", 0),
        delivered_seq=item.get("delivered_seq", 0),
        hidden_seq=item.get("hidden_seq"),
        preferences=preferences_from(item),
        wrote_number=item.get("wrote_number", 0),
    )


def preferences_from(item: Item) -> Preferences:
    return Preferences(
        muted_until=item.get("muted_until"),
        notify=item.get("notify", "all"),
        pinned=item.get("pinned", False),
        archived=item.get("archived", False),
    )


def seat_from(item: Item) -> Seat:
    return Seat(item[USER_ID], item.get("role", MEMBER), item["joined_at"])


def group_from(item: Item) -> Group:
    return Group(item[CONVERSATION_ID], item["name"], item["created_by"], item["created_at"], item["size"])


def connection_value(connection: Connection) -> dict[str, Any]:
    return {
        "device_id": connection.device_id,
        "connected_at": connection.connected_at,
        "expires_at": connection.expires_at,
        "authenticated_until": connection.authenticated_until,
    }


def connections_from(item: Item | None, user_id: str) -> dict[str, Connection]:
    """A session item's connections by id; none for an item that isn't there."""
    stored = (item or {}).get(CONNECTIONS, {})
    return {
        connection_id: Connection(
            connection_id,
            user_id,
            value["device_id"],
            value["connected_at"],
            value["expires_at"],
            value.get("authenticated_until", value["expires_at"]),
        )
        for connection_id, value in stored.items()
    }


def session_from(item: Item | None, user_id: str) -> Session:
    """All that a session item says; the empty session for one that isn't there."""
    known = item or {}
    return Session(
        connections=list(connections_from(known, user_id).values()),
        last_seen=known.get(LAST_SEEN, 0),
        hidden=known.get(HIDDEN, False),
        shown=known.get(SHOWN),
    )


def ticket_item(ticket: StoredTicket) -> Item:
    return {
        TICKET: ticket.ticket_hash,
        USER_ID: ticket.user_id,
        "token_expires_at": ticket.token_expires_at,
        "expires_at": ticket.expires_at,
        TTL: ticket.expires_at // SECOND_MS + 1,
    }


def ticket_from(item: Item) -> StoredTicket:
    return StoredTicket(item[TICKET], item[USER_ID], item["token_expires_at"], item["expires_at"])
