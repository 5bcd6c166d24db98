"""All stores at once: the real adapters, over any way of calling DynamoDB or over simulated tables of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, Self

from shared.adapters.dynamodb.attendance import DynamoDbAttendance
from shared.adapters.dynamodb.audit import DynamoDbAudit
from shared.adapters.dynamodb.broadcasts import DynamoDbBroadcasts
from shared.adapters.dynamodb.buckets import EXPORTS, INVITES, REPORTS, DynamoDbBuckets
from shared.adapters.dynamodb.client import Calls, Table, from_item, to_item
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.devices import DynamoDbDevices
from shared.adapters.dynamodb.effects import effects
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.adapters.dynamodb.jobs import DynamoDbHolds, DynamoDbJobs
from shared.adapters.dynamodb.joins import DynamoDbJoins
from shared.adapters.dynamodb.keeping import DynamoDbKeeping
from shared.adapters.dynamodb.mails import DynamoDbMails
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.model_stores import (
    DynamoDbContacts,
    DynamoDbNotifications,
    DynamoDbProfiles,
    DynamoDbReminders,
)
from shared.adapters.dynamodb.packs import DynamoDbPacks
from shared.adapters.dynamodb.pushes import DynamoDbClaims, DynamoDbPushContexts, DynamoDbStandings
from shared.adapters.dynamodb.readers import DynamoDbReaders
from shared.adapters.dynamodb.relations import DynamoDbBlocks, DynamoDbRelations
from shared.adapters.dynamodb.reports import DynamoDbReports
from shared.adapters.dynamodb.schema import (
    CONVERSATION_ID,
    PK,
    REFERENCE_PREFIX,
    SEPARATOR,
    SK,
    Tables,
    entry_from,
    entry_item,
    file_key,
    membership_key,
    seat_key,
)
from shared.adapters.dynamodb.screening import DynamoDbHeld, DynamoDbShadowBans, DynamoDbWordLists
from shared.adapters.dynamodb.sessions import DynamoDbSessions, DynamoDbTickets
from shared.adapters.dynamodb.shown import DynamoDbShown
from shared.adapters.dynamodb.users import DynamoDbUsers
from shared.adapters.dynamodb.walks import DynamoDbWalks
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.adapters.dynamodb.webhooks import DynamoDbWebhookCursors, DynamoDbWebhooks
from shared.domain.changes import Change, Deleted, Role
from shared.domain.connections import Connection, Session
from shared.domain.contacts import ACCEPTED, Contact, ContactStatus
from shared.domain.devices import Device, PushTarget
from shared.domain.entries import Draft, Entry
from shared.domain.files import IMAGE, READY, File, FileKind
from shared.domain.members import Group, Member
from shared.domain.text import is_group_id
from shared.errors import Unavailable
from shared.ports.people import Buckets
from shared.ports.services import ParallelMap
from shared.ports.stores import PushStores as AllStores
from shared.ports.webhooks import WebhookCursors, Webhooks
from tests.calls import Unhurried
from tests.changes import changed, founding
from tests.dynamodb import FaultModel, NoFaults, Store, Written
from tests.fakes import DM, in_turn

if TYPE_CHECKING:
    from shared.domain.retention import Trimming
    from tests.stepping import Stepper

LOG: Final = "log"
MEMBERS: Final = "members"
SESSIONS: Final = "sessions"
TICKETS: Final = "tickets"

_READS: Final = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})


@dataclass(frozen=True)
class Stores(AllStores):
    """One implementation of all stores, and of the buckets of rate limits."""

    buckets: Buckets
    invites: Buckets
    reporting: Buckets
    exporting: Buckets
    webhooks: Webhooks
    cursors: WebhookCursors


def adapters(
    calls: Calls,
    *,
    parallel_map: ParallelMap = in_turn,
    new_nonce: Callable[[], str] = lambda: token_hex(8),
    trimming: Trimming | None = None,
) -> Stores:
    """The real ones. `parallel_map` and `new_nonce` are those of the adapters that have one; `trimming` as theirs."""
    return Stores(**_adapters(calls, parallel_map, new_nonce, trimming))


def _adapters(
    calls: Calls, parallel_map: ParallelMap, new_nonce: Callable[[], str], trimming: Trimming | None
) -> dict[str, Any]:
    return {
        "log": DynamoDbConversationLog(calls, log_table=LOG, members_table=MEMBERS, trimming=trimming),
        "memberships": DynamoDbMemberships(calls, members_table=MEMBERS, log_table=LOG),
        "files": DynamoDbFiles(calls, members_table=MEMBERS),
        "sessions": DynamoDbSessions(calls, sessions_table=SESSIONS),
        "tickets": DynamoDbTickets(calls, tickets_table=TICKETS),
        "readers": DynamoDbReaders(calls, members_table=MEMBERS),
        "contacts": DynamoDbContacts(calls, members_table=MEMBERS, log_table=LOG),
        "blocks": DynamoDbBlocks(calls, members_table=MEMBERS, log_table=LOG),
        "relations": DynamoDbRelations(calls, members_table=MEMBERS, log_table=LOG, parallel_map=parallel_map),
        "profiles": DynamoDbProfiles(calls, members_table=MEMBERS, log_table=LOG),
        "users": DynamoDbUsers(calls, members_table=MEMBERS, log_table=LOG),
        "watches": DynamoDbWatches(calls, members_table=MEMBERS),
        "attendance": DynamoDbAttendance(calls, members_table=MEMBERS),
        "transitions": None,
        "buckets": DynamoDbBuckets(calls, members_table=MEMBERS),
        "invites": DynamoDbBuckets(calls, members_table=MEMBERS, row=INVITES),
        "reporting": DynamoDbBuckets(calls, members_table=MEMBERS, row=REPORTS),
        "exporting": DynamoDbBuckets(calls, members_table=MEMBERS, row=EXPORTS),
        "devices": DynamoDbDevices(calls, members_table=MEMBERS, log_table=LOG),
        "mails": DynamoDbMails(calls, members_table=MEMBERS),
        "packs": DynamoDbPacks(calls, members_table=MEMBERS),
        "push_contexts": DynamoDbPushContexts(calls, members_table=MEMBERS),
        "claims": DynamoDbClaims(calls, members_table=MEMBERS, new_nonce=new_nonce),
        "shown": DynamoDbShown(calls, members_table=MEMBERS, new_nonce=new_nonce),
        "standings": DynamoDbStandings(calls, members_table=MEMBERS),
        "notifications": DynamoDbNotifications(calls, members_table=MEMBERS, parallel_map=parallel_map),
        "reminders": DynamoDbReminders(calls, members_table=MEMBERS),
        "audit": DynamoDbAudit(calls, members_table=MEMBERS),
        "joins": DynamoDbJoins(calls, members_table=MEMBERS),
        "reports": DynamoDbReports(calls, members_table=MEMBERS),
        "jobs": DynamoDbJobs(calls, members_table=MEMBERS),
        "holds": DynamoDbHolds(calls, members_table=MEMBERS),
        "keeping": DynamoDbKeeping(calls, log_table=LOG, members_table=MEMBERS, trimming=trimming),
        "walks": DynamoDbWalks(calls, Tables(members=MEMBERS, sessions=SESSIONS, log=LOG), trimming=trimming),
        "broadcasts": DynamoDbBroadcasts(calls, Tables(members=MEMBERS, sessions=SESSIONS), parallel_map=parallel_map),
        "held": DynamoDbHeld(calls, members_table=MEMBERS),
        "word_lists": DynamoDbWordLists(calls, members_table=MEMBERS),
        "shadow_bans": DynamoDbShadowBans(calls, members_table=MEMBERS),
        "webhooks": DynamoDbWebhooks(calls, members_table=MEMBERS),
        "cursors": DynamoDbWebhookCursors(calls, members_table=MEMBERS),
    }


class Seam(Unhurried):
    """Calls on their way to the tables: noted in `made` ("Query log"), and preceded by a test's `before`.

    That gets the operation and its request, and may raise instead of letting it through. What happens quietly (a test's
    own setting and looking, and what `before` does) is neither noted nor preceded by anything.
    """

    def __init__(self, calls: Calls) -> None:
        self.before: Callable[[str, Mapping[str, Any]], object] = lambda *_: None
        self.made: list[str] = []
        self._calls = calls
        self._is_quiet = False

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if not self._is_quiet:
            self.made.append(" ".join((operation, *_tables(operation, request))))
            with self.quietly():
                self.before(operation, request)
        return self._calls.call(operation, request)

    def fail(self, about: str, error: type[Exception] = Unavailable) -> None:
        """Raise this instead of each call whose request has these words."""

        def before(_: str, request: Mapping[str, Any]) -> None:
            if about in str(request):
                raise error

        self.before = before

    def let_through(self) -> None:
        """Do nothing any more before a call."""
        self.before = lambda *_: None

    @contextmanager
    def quietly(self) -> Iterator[None]:
        was, self._is_quiet = self._is_quiet, True
        try:
            yield
        finally:
            self._is_quiet = was

    def reads(self, table: str) -> int:
        """How many calls have read the table."""
        return sum(operation in _READS and table in tables for operation, *tables in map(str.split, self.made))

    def writes(self, table: str) -> int:
        """How many calls have written to the table, refused ones included."""
        return sum(operation not in _READS and table in tables for operation, *tables in map(str.split, self.made))


def _tables(operation: str, request: Mapping[str, Any]) -> Sequence[str]:
    if operation == "TransactWriteItems":
        return sorted({part["TableName"] for one in request["TransactItems"] for part in one.values()})
    return sorted(request["RequestItems"]) if "RequestItems" in request else [request["TableName"]]


@dataclass(frozen=True)
class Simulated(Stores):
    """The real adapters over simulated tables, and what a test puts there and sees there itself, quietly.

    Rows are made and read through the adapters wherever these can; `edit`, `drop` and `rows` are for what they can't.
    """

    calls: Seam
    tables: Store

    def stepped(self, stepper: Stepper, **only: Collection[str]) -> Self:
        """The same stores; calls of the named ones' methods (all of them, or those given) are steps."""
        return replace(
            self, **{name: stepper.wrap(getattr(self, name), only=methods) for name, methods in only.items()}
        )

    def before_put(self, hook: Callable[[Entry], object] | None) -> None:
        """Call this with each entry that is about to be put into the log; None: nothing any more."""

        def before(operation: str, request: Mapping[str, Any]) -> None:
            if hook is not None and operation not in _READS and LOG in _tables(operation, request):
                put = request["TransactItems"][0]["Put"] if operation == "TransactWriteItems" else request
                hook(entry_from(from_item(put["Item"])))

        self.calls.before = before

    # --- setting

    def write(self, sender_id: str, *texts: str, conversation_id: str = DM, at: int = 1, **fields: Any) -> list[Entry]:
        """Append messages straight away. The first of a private conversation makes its members."""
        written: list[Entry] = []
        with self.calls.quietly():
            head = next(iter(self.log.read_back(conversation_id, limit=1)), None)
            for text in texts:
                count = head.seq if head else 0
                draft = Draft(
                    conversation_id,
                    sender_id,
                    text,
                    nonce=f"{conversation_id} {count}",
                    client_message_id=f"c{count}",
                    **fields,
                )
                members = () if head or is_group_id(conversation_id) else conversation_id.split(":")[1:]
                head = draft.following(head, at)
                assert self.log.put(head, new_members=members) is None
                written.append(head)
        return written

    def connect(
        self, user_id: str, connection_id: str, *, at: int, expires_at: int | None = None, token_ends_at: int = 0
    ) -> Connection:
        connection = Connection(connection_id, user_id, "", at, expires_at or at + 7_200_000, token_ends_at)
        with self.calls.quietly():
            self.sessions.register(connection, limit=1_000)
        return connection

    def ready_file(
        self, file_id: str, owner_id: str = "alice", *, kind: FileKind = IMAGE, name: str = "cat.png"
    ) -> File:
        """A file as it is once it was uploaded and checked."""
        content_type = "image/png" if kind == IMAGE else "application/pdf"
        file = File(file_id, owner_id, kind, name, content_type, 3, created_at=1, expires_at=900_001, status=READY)
        with self.calls.quietly():
            self.files.create(file)
        return file

    def device(self, user_id: str, device_id: str, target: PushTarget, *, at: int = 1) -> Device:
        device = Device(device_id, target, at)
        with self.calls.quietly():
            self.devices.register(user_id, device, limit=100)
        return device

    def know(self, user_id: str, other: str, status: ContactStatus = ACCEPTED, back: ContactStatus = ACCEPTED) -> None:
        """Make each a contact of the other."""
        with self.calls.quietly():
            was = self.contacts.pair(user_id, other)
            self.contacts.change(
                user_id, other, was=was, mine=Contact(other, status, 1), theirs=Contact(user_id, back, 1)
            )

    def join(self, conversation_id: str, *users: str, at: int = 1) -> None:
        with self.calls.quietly():
            self.memberships.create(conversation_id, users, joined_at=at)

    def leave(self, conversation_id: str, user_id: str) -> None:
        """Take away a member's rows, and nothing else."""
        self.drop(MEMBERS, membership_key(conversation_id, user_id))
        self.drop(MEMBERS, seat_key(conversation_id, user_id))

    def found(
        self,
        conversation_id: str,
        *users: str,
        roles: Mapping[str, Role] | None = None,
        name: str = "the group",
        at: int = 1,
    ) -> Entry:
        """Make a group of any size with its first entry. The first user is its owner, where `roles` do not say more."""
        entry = founding(*users, roles=roles, name=name, place=conversation_id, at=at)
        with self.calls.quietly():
            # More than go into a transaction.
            for part in effects(entry, log=Table(self.calls, LOG), members=Table(self.calls, MEMBERS)):
                self.calls.call("PutItem", part["Put"])
        self.overwrite(entry)
        return entry

    def delete(self, seq: int, conversation_id: str = DM, *, file_id: str | None = None) -> None:
        """Delete a message, and its file with it."""
        self.change(Deleted(seq, file_id=file_id), place=conversation_id, at=2)

    def change(self, change: Change, *, place: str = DM, by: str | None = None, at: int = 1) -> Entry:
        """Append a change straight away, of the last entry's sender if no other is named."""
        with self.calls.quietly():
            (base,) = self.log.read_back(place, limit=1)
            entry = changed(change, base, by=by or base.sender_id, at=at, nonce=f"{place} {base.seq + 1}")
            assert self.log.put(entry) is None
        return entry

    def overwrite(self, entry: Entry) -> None:
        """Put an entry, with what came to it since, whatever stands in its place."""
        later = {name: getattr(entry, name) for name in ("edited_at", "last_edit", "deleted_at", "pinned_at")}
        reactions = frozenset(f"{emoji}{SEPARATOR}{user}" for emoji, user in entry.reactions)
        item = {**entry_item(entry), **later, "reactions": reactions or None}
        with self.calls.quietly():
            self.calls.call("PutItem", {"TableName": LOG, "Item": to_item(item)})

    def edit(self, table: str, key: Mapping[str, Any], **attributes: Any) -> None:
        """Give the row these attributes; those that are None, it loses."""
        with self.calls.quietly():
            row = from_item(self.calls.call("GetItem", {"TableName": table, "Key": to_item(key)}).get("Item", {}))
            self.calls.call("PutItem", {"TableName": table, "Item": to_item({**key, **row, **attributes})})

    def drop(self, table: str, key: Mapping[str, Any]) -> None:
        with self.calls.quietly():
            self.calls.call("DeleteItem", {"TableName": table, "Key": to_item(key)})

    # --- looking

    def entries(self, conversation_id: str = DM) -> list[Entry]:
        with self.calls.quietly():
            return self.log.read(conversation_id, start=1, limit=100_000)

    def member(self, user_id: str, conversation_id: str = DM) -> Member:
        with self.calls.quietly():
            found = self.memberships.get(conversation_id, user_id)
        assert found is not None
        return found

    def group(self, conversation_id: str) -> Group:
        with self.calls.quietly():
            return self.memberships.groups([conversation_id])[conversation_id]

    def file(self, file_id: str) -> File:
        with self.calls.quietly():
            found = self.files.get(file_id)
        assert found is not None
        return found

    def file_places(self, file_id: str) -> list[tuple[str, int]]:
        """Conversation and seq of each message that has the file."""
        rows = [row for row in self.rows(MEMBERS, pk=file_key(file_id)[PK]) if row[SK].startswith(REFERENCE_PREFIX)]
        return [(row[CONVERSATION_ID], int(row[SK].rpartition("/")[2])) for row in rows]

    def session(self, user_id: str) -> Session:
        with self.calls.quietly():
            return self.sessions.whole([user_id]).get(user_id, Session([]))

    def connections(self, user_id: str) -> dict[str, Connection]:
        return {one.connection_id: one for one in self.session(user_id).connections}

    def rows(self, table: str, **attributes: Any) -> list[dict[str, Any]]:
        """The items that have these attributes, in the order of their keys."""
        found = self.tables.items(table)
        return [row for row in found if all(row.get(name) == value for name, value in attributes.items())]


def simulated(
    like: Simulated | None = None,
    *,
    fault_model: FaultModel = NoFaults(),  # noqa: B008  # it has no state
    trimming: Trimming | None = None,
    on_write: Callable[[Written], None] | None = None,
) -> Simulated:
    """All stores over fresh tables, which have what is in those of `like`. `on_write` is told what streams carry."""
    tables = Store(fault_model=fault_model, on_write=on_write)
    if like is not None:
        tables.copy_of(like.tables)
    calls = Seam(tables)
    return Simulated(**_adapters(calls, in_turn, lambda: token_hex(8), trimming), calls=calls, tables=tables)
