"""Presence subscriptions in DynamoDB: a row for each watched user, and the list of them under the watcher."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from shared.aws.dynamodb import Calls, from_item, query, to_item
from shared.aws.member_table import rows_of
from shared.aws.tables import PK, SK, TTL, WATCHING_PREFIX, watch_key, watching_key
from shared.connection.models import Watch
from shared.errors import Unavailable

_BATCH: Final = 25
_ATTEMPTS: Final = 8
_MS: Final = 1_000


class DynamoDbWatches:
    """Watches on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    def replace(self, watcher: str, connection_id: str, users: Collection[str], *, expires_at: int) -> None:
        """Two requests of one connection at once leave a row too many at worst; it ends with its time."""
        gone = set(self._watched(watcher, connection_id)) - set(users)
        deletes = [{"DeleteRequest": {"Key": to_item(watch_key(user, connection_id))}} for user in sorted(gone)]
        self._write([*deletes, *self._puts(watcher, connection_id, users, expires_at)])

    def prolong(self, watcher: str, connection_id: str, *, expires_at: int) -> None:
        users = self._watched(watcher, connection_id)
        if users:
            self._write(self._puts(watcher, connection_id, users, expires_at))

    def _watched(self, watcher: str, connection_id: str) -> list[str]:
        key = to_item(watching_key(watcher, connection_id))
        answer = self._calls.call("GetItem", {"TableName": self._table, "Key": key, "ConsistentRead": True})
        users: list[str] = from_item(answer.get("Item", {})).get("users", [])
        return users

    def _puts(self, watcher: str, connection_id: str, users: Collection[str], expires_at: int) -> list[dict[str, Any]]:
        lifetime = {"expires_at": expires_at, TTL: expires_at // _MS + 1}
        rows = [{**watch_key(user, connection_id), "watcher": watcher, **lifetime} for user in sorted(set(users))]
        rows.append({**watching_key(watcher, connection_id), "users": sorted(set(users)), **lifetime})
        return [{"PutRequest": {"Item": to_item(row)}} for row in rows]

    def of(self, user_id: str) -> Sequence[Watch]:
        request = {
            "TableName": self._table,
            "KeyConditionExpression": f"{PK} = :watched",
            "ExpressionAttributeValues": to_item({":watched": watch_key(user_id, "")[PK]}),
            "ConsistentRead": True,
        }
        items = query(self._calls, request)
        return [Watch(user_id, item[SK], item["watcher"], item["expires_at"]) for item in items]

    def by(self, user_id: str) -> Sequence[Watch]:
        rows = rows_of(self._calls, self._table, user_id, WATCHING_PREFIX)
        return [
            Watch(user, row[SK].removeprefix(WATCHING_PREFIX), user_id, row["expires_at"])
            for row in rows
            for user in row["users"]
        ]

    def remove(self, watch: Watch) -> None:
        key = to_item(watch_key(watch.watched, watch.connection_id))
        self._calls.call("DeleteItem", {"TableName": self._table, "Key": key})

    def _write(self, requests: Sequence[dict[str, Any]]) -> None:
        """25 to a call; what is left unprocessed is sent again. Raises Unavailable if it stays so."""
        for start in range(0, len(requests), _BATCH):
            waiting: dict[str, Any] = {self._table: list(requests[start : start + _BATCH])}
            for attempt in range(_ATTEMPTS):
                waiting = self._calls.call("BatchWriteItem", {"RequestItems": waiting}).get("UnprocessedItems") or {}
                if not waiting:
                    break
                self._calls.pause(attempt)
            else:
                raise Unavailable
