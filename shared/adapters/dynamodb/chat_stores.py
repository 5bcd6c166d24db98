"""The stores that the frames of a connection need, for the function that loads no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.adapters.dynamodb.presence_stores import make_presence_stores
from shared.adapters.dynamodb.relations import DynamoDbBlocks
from shared.adapters.dynamodb.schema import Tables
from shared.ports.services import ParallelMap
from shared.ports.stores import ChatStores, contents

if TYPE_CHECKING:
    from shared.domain.retention import Trimming


def make_chat_stores(
    calls: Calls, tables: Tables, *, parallel_map: ParallelMap, trimming: Trimming | None = None
) -> ChatStores:
    """`trimming`: how long what is written is kept; None: for good."""
    return ChatStores(
        **contents(make_presence_stores(calls, tables, parallel_map=parallel_map)),
        log=DynamoDbConversationLog(calls, log_table=tables.log, members_table=tables.members, trimming=trimming),
        files=DynamoDbFiles(calls, members_table=tables.members),
        blocks=DynamoDbBlocks(calls, members_table=tables.members, log_table=tables.log),
    )
