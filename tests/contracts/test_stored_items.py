"""What the adapters write: types, keys and names are plain DynamoDB.

The hot side's rows are read by an independent reader, PynamoDB; those that PynamoDB writes are compared word for word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from pynamodb.attributes import ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.models import Model

from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.client import to_item
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.schema import entry_item
from shared.adapters.dynamodb.sessions import DynamoDbSessions, DynamoDbTickets
from shared.config import AwsEnvironment
from shared.domain.connections import Connection, StoredTicket
from shared.domain.contacts import Contact, Pair, Profile, QuietHours, Relation
from shared.domain.entries import Draft, author_key
from shared.domain.members import Member, unread
from shared.domain.notifications import Notification, Reminder
from shared.domain.text import private_conversation_id
from tests.dynamodb import Store
from tests.fakes import DM
from tests.stores import Stores, adapters


class Read(Model):
    """Where the models below read from."""

    @classmethod
    def at(cls, environment: AwsEnvironment) -> Any:
        meta = {
            "table_name": cls.Meta.table_name,
            "host": environment.endpoint_url,
            "region": environment.region,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        return type(cls.__name__, (cls,), {"Meta": type("Meta", (), meta)})


class StoredEntry(Read):
    class Meta:
        table_name = "log"

    conversation_id = UnicodeAttribute(hash_key=True)
    seq = NumberAttribute(range_key=True)
    kind = UnicodeAttribute()
    sender_id = UnicodeAttribute()
    created_at = NumberAttribute()
    number = NumberAttribute()
    content = UnicodeAttribute()
    type = UnicodeAttribute()
    client_message_id = UnicodeAttribute(null=True)
    reply_to = NumberAttribute(null=True)
    mentions: ListAttribute[str] = ListAttribute(null=True)
    authors: MapAttribute[str, int] = MapAttribute()  # type: ignore[no-untyped-call]  # PynamoDB leaves it so
    nonce = UnicodeAttribute()
    digest = UnicodeAttribute()


class StoredMember(Read):
    class Meta:
        table_name = "members"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    conversation_id = UnicodeAttribute()
    user_id = UnicodeAttribute()
    joined_at = NumberAttribute()
    read_seq = NumberAttribute(null=True)
    read_number = NumberAttribute(null=True)
    delivered_seq = NumberAttribute(null=True)


class StoredSession(Read):
    class Meta:
        table_name = "sessions"

    user_id = UnicodeAttribute(hash_key=True)
    connections: MapAttribute[str, Any] = MapAttribute()  # type: ignore[no-untyped-call]  # as above
    last_seen = NumberAttribute(null=True)


class StoredTicketItem(Read):
    class Meta:
        table_name = "tickets"

    ticket = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    token_expires_at = NumberAttribute()
    expires_at = NumberAttribute()
    ttl = NumberAttribute()


def test_entries(tables: JsonService, environment: AwsEnvironment) -> None:
    log = DynamoDbConversationLog(tables, log_table="log", members_table="members")
    draft = Draft(DM, "alice", "h\u00e9llo", "nonce", client_message_id="c", reply_to=None, mentions=("bob",))
    entry = draft.following(None, 1_795_431_200_123)
    log.put(entry, new_members=("alice", "bob"))
    read = StoredEntry.at(environment).get(DM, 1)
    assert (read.kind, read.sender_id, read.content, read.type) == ("message", "alice", "h\u00e9llo", "text")
    assert (read.created_at, read.number, read.client_message_id) == (1_795_431_200_123, 1, "c")
    assert (list(read.mentions), read.reply_to, read.authors.as_dict()) == (["bob"], None, {"alice": 1})
    assert (read.nonce, read.digest) == ("nonce", draft.digest)


def test_conversations_from_before_their_rows_said_that_both_have_written(tables: JsonService) -> None:
    """Their tail tells: rows and entries of the first edition have no mark."""
    stores = adapters(tables)
    for other, senders in (("bob", ("alice", "bob")), ("carol", ("alice", "alice")), ("dave", ())):
        base = None
        place = private_conversation_id("alice", other)
        stores.memberships.create(place, ("alice", other), joined_at=1)
        for sender in senders:
            base = replace(Draft(place, sender, "hi", nonce=f"n{other}").following(base, 1), first_answer=False)
            assert stores.log.put(base) is None
    found = {"bob": Relation(is_near=True), "carol": Relation(), "dave": Relation()}
    assert stores.relations.between("alice", found) == found
    assert {other: stores.relations.between(other, ["alice"])["alice"] for other in found} == found


def test_an_entry_of_the_first_edition_names_its_writers_by_whole_ids(tables: JsonService) -> None:
    log = DynamoDbConversationLog(tables, log_table="log", members_table="members")
    long, longer = "a" * 40, "b" * 128
    base = Draft(DM, "alice", "hi", "nonce").following(None, 1)
    item = to_item({**entry_item(base), "number": 9, "authors": {long: 7, longer: 8, "alice": 9}})
    tables.call("PutItem", {"TableName": "log", "Item": item})
    (head,) = log.read_back(DM, limit=1)
    for user_id, expected in ((long, 2), (longer, 1), ("alice", 0), ("b" * 127, 9)):
        assert unread(Member(DM, user_id, 0), head) == expected
    after = Draft(DM, "bob", "hi", "nonce").following(head, 2)
    assert after.authors == {"bob": 10, "alice": 9, author_key(longer): 8, author_key(long): 7}
    log.put(after)
    assert log.read_back(DM, limit=1) == [after]


def test_a_profile_of_the_first_edition_has_a_word_more(tables: JsonService) -> None:
    row = {"pk": "user#alice", "sk": "profile", "display_name": "Alice", "hide_presence": True, "previews": False}
    tables.call("PutItem", {"TableName": "members", "Item": to_item(row)})
    profiles = adapters(tables).profiles
    assert profiles.get("alice") == Profile("Alice", previews=False)
    assert profiles.update("alice", {"display_name": "Al"})
    assert profiles.get("alice") == Profile("Al", previews=False)


def test_memberships_stand_under_the_conversation_and_under_the_user(
    tables: JsonService, environment: AwsEnvironment
) -> None:
    memberships = DynamoDbMemberships(tables, members_table="members")
    memberships.create(DM, ("alice", "bob"), joined_at=5)
    member = memberships.get(DM, "bob")
    assert member is not None
    memberships.move_read(member.with_read(3, 2))
    stored = StoredMember.at(environment)
    (of_user,) = stored.query("user#bob")
    of_conversation = {row.sk: row for row in stored.query(f"conversation#{DM}")}
    assert (of_user.sk, of_user.conversation_id) == (f"conversation#{DM}", DM)
    assert (of_user.user_id, of_user.joined_at) == ("bob", 5)
    assert (of_user.read_seq, of_user.read_number) == (3, 2)
    assert set(of_conversation) == {"user#alice", "user#bob"}
    assert of_conversation["user#bob"].read_seq is None


def test_sessions_are_one_map_in_one_item(tables: JsonService, environment: AwsEnvironment) -> None:
    sessions = DynamoDbSessions(tables, sessions_table="sessions")
    for name in ("c1=", "c2="):
        sessions.register(Connection(name, "alice", "phone", 10, 20, 30), limit=3)
    sessions.remove("alice", "c1=", now=15)
    read = StoredSession.at(environment).get("alice")
    value = {"device_id": "phone", "connected_at": 10, "expires_at": 20, "authenticated_until": 30}
    assert (read.connections.as_dict(), read.last_seen) == ({"c2=": value}, 15)


def test_tickets_have_a_time_to_live_in_seconds_after_their_end(
    tables: JsonService, environment: AwsEnvironment
) -> None:
    DynamoDbTickets(tables, tickets_table="tickets").put(StoredTicket("hash", "alice", 99_000, 30_500))
    read = StoredTicketItem.at(environment).get("hash")
    assert (read.user_id, read.token_expires_at, read.expires_at, read.ttl) == ("alice", 99_000, 30_500, 31)


# --- what PynamoDB writes, and what was written by hand before it

_NOW = 1_795_431_200_000
_ALICE = {"pk": "user#alice"}
_TOLD = {"kind": "system", "created_at": _NOW, "expires_at": _NOW + 9_000, "ttl": _NOW // 1_000 + 10}
_QUIET = {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}
_SAID = {"display_name": "Älice", "previews": False, "groups_from": "contacts"}


@dataclass(frozen=True)
class Cold:
    """A value of the cold side, the rows that store it, and how it is stored and found."""

    value: Any
    rows: Sequence[Mapping[str, Any]]
    put: Callable[[Stores, Any], object]
    get: Callable[[Stores], Any]


def _notification(value: Notification, **content: Any) -> Cold:
    row = {**_ALICE, "sk": f"notice#{value.notification_id}", **_TOLD, **content}
    return Cold(
        value,
        [row],
        lambda stores, one: stores.notifications.put([one]),
        lambda stores: stores.notifications.of("alice", now=_NOW)[0],
    )


COLD = {
    "a reminder": Cold(
        Reminder("r", "alice", DM, 7, _NOW, _NOW - 5),
        [
            {
                **(_ALICE | {"sk": "reminder#r", "conversation_id": DM, "seq": 7, "at": _NOW, "created_at": _NOW - 5}),
                "ttl": _NOW // 1_000 + 30 * 86_400,
            }
        ],
        lambda stores, one: stores.reminders.put(one),
        lambda stores: stores.reminders.get("alice", "r"),
    ),
    "a notification": _notification(
        Notification("n", "alice", "system", _NOW, _NOW + 9_000, "Title", "Body", {"ä": "1", "": "2"}),
        title="Title",
        body="Body",
        data='{"ä":"1","":"2"}',
    ),
    "a notification of a message, without a text": _notification(
        Notification("n", "alice", "system", _NOW, _NOW + 9_000, conversation_id=DM, seq=3),
        title="",
        body="",
        conversation_id=DM,
        seq=3,
    ),
    "a contact": Cold(
        Pair(Contact("bob", "requested", 5, "Bobby"), Contact("alice", "incoming", 6), blocks_me=False),
        [
            {**_ALICE, "sk": "contact#bob", "other": "bob", "status": "requested", "since": 5, "alias": "Bobby"},
            {"pk": "user#bob", "sk": "contact#alice", "other": "alice", "status": "incoming", "since": 6},
        ],
        lambda stores, one: stores.contacts.change(
            "alice", "bob", was=Pair(None, None, blocks_me=False), mine=one.mine, theirs=one.theirs
        ),
        lambda stores: stores.contacts.pair("alice", "bob"),
    ),
    "a profile": Cold(
        Profile("Älice", None, previews=False, quiet_hours=QuietHours(**_QUIET), groups_from="contacts"),
        [{**_ALICE, "sk": "profile", **_SAID, "quiet_hours": _QUIET}],
        lambda stores, one: stores.profiles.update("alice", {**_SAID, "quiet_hours": one.quiet_hours}),
        lambda stores: stores.profiles.get("alice"),
    ),
}


@pytest.mark.parametrize("cold", COLD.values(), ids=COLD)
def test_models_write_and_read_the_rows_that_were_written_by_hand(cold: Cold) -> None:
    written, before = Store(), Store()
    cold.put(adapters(written), cold.value)
    for row in cold.rows:
        key = {"pk": row["pk"], "sk": row["sk"]}
        stored = written.call("GetItem", {"TableName": "members", "Key": to_item(key), "ConsistentRead": True})
        assert stored["Item"] == to_item(row)
        before.call("PutItem", {"TableName": "members", "Item": to_item(row)})
    assert cold.get(adapters(before)) == cold.value
