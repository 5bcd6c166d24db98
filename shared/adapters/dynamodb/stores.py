"""The stores of the HTTP API, over one way of calling DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.adapters.dynamodb import model_stores
from shared.adapters.dynamodb.audit import DynamoDbAudit
from shared.adapters.dynamodb.broadcasts import DynamoDbBroadcasts
from shared.adapters.dynamodb.chat_stores import make_chat_stores
from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.devices import DynamoDbDevices
from shared.adapters.dynamodb.jobs import DynamoDbHolds, DynamoDbJobs
from shared.adapters.dynamodb.joins import DynamoDbJoins
from shared.adapters.dynamodb.keeping import DynamoDbKeeping
from shared.adapters.dynamodb.mails import DynamoDbMails
from shared.adapters.dynamodb.readers import DynamoDbReaders
from shared.adapters.dynamodb.reports import DynamoDbReports
from shared.adapters.dynamodb.schema import Tables
from shared.adapters.dynamodb.screening import DynamoDbHeld, DynamoDbShadowBans, DynamoDbWordLists
from shared.adapters.dynamodb.sessions import DynamoDbTickets
from shared.adapters.dynamodb.users import DynamoDbUsers
from shared.ports.services import ParallelMap
from shared.ports.stores import Stores, contents

if TYPE_CHECKING:
    from shared.domain.retention import Trimming


def make_stores(calls: Calls, tables: Tables, *, parallel_map: ParallelMap, trimming: Trimming | None = None) -> Stores:
    """`trimming`: how long what is written is kept; None: for good."""
    members = tables.members
    return Stores(
        **contents(make_chat_stores(calls, tables, parallel_map=parallel_map, trimming=trimming)),
        tickets=DynamoDbTickets(calls, tickets_table=tables.tickets),
        readers=DynamoDbReaders(calls, members_table=members),
        contacts=model_stores.DynamoDbContacts(calls, members_table=members, log_table=tables.log),
        profiles=model_stores.DynamoDbProfiles(calls, members_table=members, log_table=tables.log),
        users=DynamoDbUsers(calls, members_table=members, log_table=tables.log),
        devices=DynamoDbDevices(calls, members_table=members, log_table=tables.log),
        mails=DynamoDbMails(calls, members_table=members),
        notifications=model_stores.DynamoDbNotifications(calls, members_table=members, parallel_map=parallel_map),
        reminders=model_stores.DynamoDbReminders(calls, members_table=members),
        audit=DynamoDbAudit(calls, members_table=members),
        joins=DynamoDbJoins(calls, members_table=members),
        reports=DynamoDbReports(calls, members_table=members),
        jobs=DynamoDbJobs(calls, members_table=members),
        broadcasts=DynamoDbBroadcasts(calls, tables, parallel_map=parallel_map),
        holds=DynamoDbHolds(calls, members_table=members),
        keeping=DynamoDbKeeping(calls, log_table=tables.log, members_table=members, trimming=trimming),
        held=DynamoDbHeld(calls, members_table=members),
        word_lists=DynamoDbWordLists(calls, members_table=members),
        shadow_bans=DynamoDbShadowBans(calls, members_table=members),
    )
