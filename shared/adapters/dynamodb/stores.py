"""All stores, over one way of calling DynamoDB."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_hex

from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.devices import DynamoDbDevices
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.notifications import DynamoDbNotifications, DynamoDbReminders
from shared.adapters.dynamodb.people import DynamoDbContacts, DynamoDbProfiles
from shared.adapters.dynamodb.pushes import DynamoDbClaims, DynamoDbPushContexts
from shared.adapters.dynamodb.relations import DynamoDbBlocks, DynamoDbRelations
from shared.adapters.dynamodb.schema import Tables
from shared.adapters.dynamodb.sessions import DynamoDbSessions, DynamoDbTickets
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.ports.services import ParallelMap
from shared.ports.stores import Stores


def make_stores(
    calls: Calls, tables: Tables, *, parallel_map: ParallelMap, new_nonce: Callable[[], str] = lambda: token_hex(8)
) -> Stores:
    """`new_nonce` tells a claim that meets itself."""
    members = tables.members
    return Stores(
        sessions=DynamoDbSessions(calls, sessions_table=tables.sessions),
        memberships=DynamoDbMemberships(calls, members_table=members),
        relations=DynamoDbRelations(calls, members_table=members, log_table=tables.log, parallel_map=parallel_map),
        watches=DynamoDbWatches(calls, members_table=members),
        log=DynamoDbConversationLog(calls, log_table=tables.log, members_table=members),
        files=DynamoDbFiles(calls, members_table=members),
        blocks=DynamoDbBlocks(calls, members_table=members),
        tickets=DynamoDbTickets(calls, tickets_table=tables.tickets),
        contacts=DynamoDbContacts(calls, members_table=members),
        profiles=DynamoDbProfiles(calls, members_table=members),
        devices=DynamoDbDevices(calls, members_table=members),
        push_contexts=DynamoDbPushContexts(calls, members_table=members),
        claims=DynamoDbClaims(calls, members_table=members, new_nonce=new_nonce),
        notifications=DynamoDbNotifications(calls, members_table=members, parallel_map=parallel_map),
        reminders=DynamoDbReminders(calls, members_table=members),
    )
