"""A conversation brought back from tables that were restored to a point in time, as far as the emulator goes."""

from __future__ import annotations

import time
from typing import Any

from local.processes import wait_until
from local.stack import Stack
from tests.e2e.conftest import OwnStack
from tests.e2e.raw_client import PATIENCE_S, http, new_users
from tests.e2e.test_failures import private, say
from tests.local.emulated import client


def restored(dynamodb: Any, table: str) -> str:
    """A new table with what the other one has now."""
    name = f"restored-{time.time_ns()}"
    dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True)
    assert wait_until(lambda: dynamodb.describe_table(TableName=name)["Table"]["TableStatus"] == "ACTIVE", PATIENCE_S)
    return name


def rows(dynamodb: Any, table: str, name: str, value: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dynamodb.query(
        TableName=table,
        KeyConditionExpression="#k = :k",
        ExpressionAttributeNames={"#k": name},
        ExpressionAttributeValues={":k": {"S": value}},
        ConsistentRead=True,
    )["Items"]
    return found


def test_what_was_deleted_by_a_mistake_is_put_back_and_the_conversation_goes_on(
    own_stack: OwnStack, stack: Stack
) -> None:
    alice, bob = new_users(2)
    place = private(alice, bob)
    seqs = [say(stack, alice, bob) for _ in range(3)]
    path = f"/v1/conversations/{place}/messages"
    before = http(stack, "GET", path, user_id=bob)
    dynamodb = client(own_stack.settings, "dynamodb")
    log, members = (restored(dynamodb, table) for table in (stack.tables.log, stack.tables.members))
    try:
        lost = [
            (stack.tables.log, row, ("conversation_id", "seq"))
            for row in rows(dynamodb, log, "conversation_id", place)[1:]
        ]
        lost += [(stack.tables.members, row, ("pk", "sk")) for row in rows(dynamodb, members, "pk", f"user#{bob}")]
        for table, row, key in lost:
            dynamodb.delete_item(TableName=table, Key={name: row[name] for name in key})
        assert http(stack, "GET", path, user_id=bob)[0] == 404
        for table, row, _ in lost:
            dynamodb.put_item(TableName=table, Item=row)
    finally:
        for table in (log, members):
            dynamodb.delete_table(TableName=table)
    assert http(stack, "GET", path, user_id=bob) == before
    assert say(stack, bob, alice) == seqs[-1] + 1
