"""The stores that presence needs, for functions that load no others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from shared.adapters.dynamodb.attendance import DynamoDbAttendance
from shared.adapters.dynamodb.client import Calls
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.relations import DynamoDbRelations
from shared.adapters.dynamodb.schema import Tables
from shared.adapters.dynamodb.sessions import DynamoDbSessions
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.ports.services import ParallelMap
from shared.ports.stores import PresenceStores

if TYPE_CHECKING:
    from shared.ports.services import PresenceChecks

T = TypeVar("T", bound=PresenceStores)


def make_presence_stores(calls: Calls, tables: Tables, *, parallel_map: ParallelMap) -> PresenceStores:
    members = tables.members
    return PresenceStores(
        sessions=DynamoDbSessions(calls, sessions_table=tables.sessions),
        memberships=DynamoDbMemberships(calls, members_table=members, log_table=tables.log),
        relations=DynamoDbRelations(calls, members_table=members, log_table=tables.log, parallel_map=parallel_map),
        watches=DynamoDbWatches(calls, members_table=members),
        attendance=DynamoDbAttendance(calls, members_table=members),
        transitions=None,
    )


def with_transitions(stores: T, calls: Calls, tables: Tables, *, checks: PresenceChecks | None = None) -> T:
    """These stores where a deployment has events of presence. `checks` try again what could not be noted."""
    from shared.adapters.dynamodb.transitions import DynamoDbTransitions  # noqa: PLC0415  # few deployments have them

    return replace(stores, transitions=DynamoDbTransitions(calls, tables, sessions=stores.sessions, checks=checks))
