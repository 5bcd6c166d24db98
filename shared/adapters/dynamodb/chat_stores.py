"""The stores that the frames of a connection need, for the function that loads no others."""

from __future__ import annotations

from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.relations import DynamoDbBlocks, DynamoDbRelations
from shared.adapters.dynamodb.schema import Tables
from shared.adapters.dynamodb.sessions import DynamoDbSessions
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.ports.services import ParallelMap
from shared.ports.stores import ChatStores


def make_chat_stores(calls: Calls, tables: Tables, *, parallel_map: ParallelMap) -> ChatStores:
    members = tables.members
    return ChatStores(
        sessions=DynamoDbSessions(calls, sessions_table=tables.sessions),
        memberships=DynamoDbMemberships(calls, members_table=members),
        relations=DynamoDbRelations(calls, members_table=members, log_table=tables.log, parallel_map=parallel_map),
        watches=DynamoDbWatches(calls, members_table=members),
        log=DynamoDbConversationLog(calls, log_table=tables.log, members_table=members),
        files=DynamoDbFiles(calls, members_table=members),
        blocks=DynamoDbBlocks(calls, members_table=members),
    )
