"""All stores at once: the fakes, or the real adapters over one way of calling DynamoDB."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any, Final

from shared.adapters.dynamodb.buckets import INVITES, DynamoDbBuckets
from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.devices import DynamoDbDevices
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.notifications import DynamoDbNotifications, DynamoDbReminders
from shared.adapters.dynamodb.people import DynamoDbContacts, DynamoDbProfiles
from shared.adapters.dynamodb.pushes import DynamoDbClaims, DynamoDbPushContexts
from shared.adapters.dynamodb.relations import DynamoDbBlocks, DynamoDbRelations
from shared.adapters.dynamodb.sessions import DynamoDbSessions, DynamoDbTickets
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.ports.connections import Sessions, Tickets, Watches
from shared.ports.conversations import ConversationLog, Memberships
from shared.ports.files import Files
from shared.ports.limits import Buckets
from shared.ports.notifications import Claims, Devices, Notifications, PushContexts, Reminders
from shared.ports.people import Blocks, Contacts, Profiles, Relations
from shared.ports.services import ParallelMap
from tests.fakes import (
    FakeBlocks,
    FakeBuckets,
    FakeClaims,
    FakeContacts,
    FakeDevices,
    FakeLog,
    FakeNotifications,
    FakeProfiles,
    FakePushContexts,
    FakeRelations,
    FakeReminders,
    FakeSessions,
    FakeTickets,
    FakeWatches,
    in_turn,
)

LOG: Final = "log"
MEMBERS: Final = "members"
SESSIONS: Final = "sessions"
TICKETS: Final = "tickets"


@dataclass(frozen=True)
class Stores:
    """One implementation of all stores."""

    log: ConversationLog
    memberships: Memberships
    files: Files
    sessions: Sessions
    tickets: Tickets
    contacts: Contacts
    blocks: Blocks
    relations: Relations
    profiles: Profiles
    watches: Watches
    buckets: Buckets
    invites: Buckets
    devices: Devices
    push_contexts: PushContexts
    claims: Claims
    notifications: Notifications
    reminders: Reminders


def fakes(log: FakeLog | None = None, devices: FakeDevices | None = None, **others: Any) -> Stores:
    """Fakes that know of each other. `others` are a test's own, by name."""
    log, devices = log or FakeLog(), devices or FakeDevices()
    members = log.memberships
    profiles = FakeProfiles(members)
    stores = Stores(
        log=log,
        memberships=members,
        files=log.files,
        sessions=FakeSessions(),
        tickets=FakeTickets(),
        contacts=FakeContacts(members),
        blocks=FakeBlocks(members),
        relations=FakeRelations(members),
        profiles=profiles,
        watches=FakeWatches(),
        buckets=FakeBuckets(),
        invites=FakeBuckets(),
        devices=devices,
        push_contexts=FakePushContexts(members, profiles, devices),
        claims=FakeClaims(),
        notifications=FakeNotifications(),
        reminders=FakeReminders(),
    )
    return replace(stores, **others)


def adapters(
    calls: Calls, *, parallel_map: ParallelMap = in_turn, new_nonce: Callable[[], str] = lambda: token_hex(8)
) -> Stores:
    """The real ones. `parallel_map` and `new_nonce` are those of the adapters that have one."""
    return Stores(
        log=DynamoDbConversationLog(calls, log_table=LOG, members_table=MEMBERS),
        memberships=DynamoDbMemberships(calls, members_table=MEMBERS),
        files=DynamoDbFiles(calls, members_table=MEMBERS),
        sessions=DynamoDbSessions(calls, sessions_table=SESSIONS),
        tickets=DynamoDbTickets(calls, tickets_table=TICKETS),
        contacts=DynamoDbContacts(calls, members_table=MEMBERS),
        blocks=DynamoDbBlocks(calls, members_table=MEMBERS),
        relations=DynamoDbRelations(calls, members_table=MEMBERS, log_table=LOG, parallel_map=parallel_map),
        profiles=DynamoDbProfiles(calls, members_table=MEMBERS),
        watches=DynamoDbWatches(calls, members_table=MEMBERS),
        buckets=DynamoDbBuckets(calls, members_table=MEMBERS),
        invites=DynamoDbBuckets(calls, members_table=MEMBERS, row=INVITES),
        devices=DynamoDbDevices(calls, members_table=MEMBERS),
        push_contexts=DynamoDbPushContexts(calls, members_table=MEMBERS),
        claims=DynamoDbClaims(calls, members_table=MEMBERS, new_nonce=new_nonce),
        notifications=DynamoDbNotifications(calls, members_table=MEMBERS, parallel_map=parallel_map),
        reminders=DynamoDbReminders(calls, members_table=MEMBERS),
    )
