"""Broadcasts in DynamoDB: a row for each with its segments as a map, a list by time, and which are at work.

The start of one writes anew which are at work, on condition of the version that was read; those at their end go then.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from shared.adapters.dynamodb.client import (
    TTL,
    USER_ID,
    Calls,
    Item,
    Refused,
    Table,
    conditionally,
    from_item,
    is_time_for_another,
    to_item,
    transact,
)
from shared.adapters.dynamodb.schema import (
    NOTICE_PREFIX,
    PK,
    SK,
    USER_PREFIX,
    Tables,
    broadcast_key,
    broadcast_listing_key,
    broadcasts_at_work_key,
    read_as,
    user_key,
)
from shared.adapters.dynamodb.sessions import CONNECTIONS, connections_from
from shared.clock import DAY_MS, SECOND_MS
from shared.domain.broadcasts import (
    CANCELLED,
    PAUSED,
    RUNNING,
    SEGMENTS,
    Among,
    Broadcast,
    BroadcastPosition,
    Found,
    Page,
    Segment,
)
from shared.errors import Unavailable
from shared.ports.services import ParallelMap

KEPT_MS: Final = 90 * DAY_MS
BROADCAST: Final = "broadcast"
_ATTEMPTS: Final = 8
# Behind every time in the list, and before the row of those at work.
_BEHIND_ALL: Final = ":"


class DynamoDbBroadcasts:
    """Broadcasts on the members table, and scans of it and of the sessions. `parallel_map` writes several at once."""

    def __init__(self, calls: Calls, tables: Tables, *, parallel_map: ParallelMap) -> None:
        self._calls = calls
        self._table = Table(calls, tables.members)
        self._sessions = tables.sessions
        self._parallel_map = parallel_map

    def start(self, broadcast: Broadcast, *, limit: int) -> Broadcast | None:
        attempt = 0
        while True:
            found = self.get(broadcast.broadcast_id)
            if found is not None:
                return found
            row = self._table.get(broadcasts_at_work_key()) or {}
            at_work = [one.broadcast_id for one in self._some(row.get("ids", ())) if one.state in {RUNNING, PAUSED}]
            if len(at_work) >= limit:
                return self.get(broadcast.broadcast_id)  # the same request may have come in between
            if transact(self._calls, self._started(broadcast, at_work, row.get("version", 0))):
                return broadcast
            attempt += 1
            if attempt == _ATTEMPTS or not is_time_for_another(self._calls, attempt):
                raise Unavailable

    def _started(self, broadcast: Broadcast, at_work: Sequence[str], version: int) -> list[Mapping[str, Any]]:
        """The parts of the transaction: its row, its place in the list, and which are at work with it."""
        named, ends = broadcast.broadcast_id, _ttl(broadcast)
        listed = {**broadcast_listing_key(broadcast.created_at, named), "broadcast_id": named, TTL: ends}
        working = {**broadcasts_at_work_key(), "version": version + 1, "ids": [*at_work, named]}
        is_new, is_same = f"attribute_not_exists({PK})", "version = :version"
        unchanged = {"condition": is_same, "values": {":version": version}} if version else {"condition": is_new}
        return [
            {"Put": self._table.written(_item(broadcast), condition=is_new)},
            {"Put": self._table.written(listed)},
            {"Put": self._table.written(working, **unchanged)},
        ]

    def get(self, broadcast_id: str) -> Broadcast | None:
        item = self._table.get(broadcast_key(broadcast_id))
        return None if item is None else _broadcast_from(item)

    def of(self, *, before: BroadcastPosition | None, limit: int) -> Sequence[Broadcast]:
        end = _BEHIND_ALL if before is None else broadcast_listing_key(before.at, before.broadcast_id)[SK]
        values = {":list": broadcasts_at_work_key()[PK], ":end": end}
        rows = self._table.query(f"{PK} = :list AND {SK} < :end", values, limit=limit, backwards=True)
        names = [row["broadcast_id"] for row in rows]
        found = {one.broadcast_id: one for one in self._some(names)}
        return [found[name] for name in names if name in found]

    def _some(self, broadcast_ids: Collection[str]) -> Iterator[Broadcast]:
        return map(_broadcast_from, self._table.find(map(broadcast_key, broadcast_ids)))

    def halt(self, broadcast_id: str, why: str, *, now: int) -> Broadcast | None:
        goes_on = f"attribute_exists({PK}) AND halted <> :cancelled AND unfinished > :none"
        values = {":why": why, ":now": now, ":cancelled": CANCELLED, ":none": 0}
        change = "SET halted = :why, updated_at = :now"
        answer = self._table.update(broadcast_key(broadcast_id), change, values, condition=goes_on, returns="ALL_NEW")
        item = answer.item if isinstance(answer, Refused) else from_item(answer["Attributes"])
        return None if item is None else _broadcast_from(item)

    def advance(self, broadcast_id: str, number: int, becomes: Segment, *, now: int) -> Broadcast | None:
        values = {
            ":becomes": _segment_item(becomes),
            ":step": becomes.step - 1,
            ":now": now,
            ":ended": int(becomes.is_done),
        }
        answer = self._table.update(
            broadcast_key(broadcast_id),
            "SET #segments.#number = :becomes, updated_at = :now, unfinished = unfinished - :ended",
            values,
            condition="#segments.#number.step = :step",
            names={"number": str(number)},  # and a reserved word
            returns="ALL_NEW",
        )
        if not isinstance(answer, Refused):
            return _broadcast_from(from_item(answer["Attributes"]))
        # It may be this very write, whose answer was lost.
        found = None if answer.item is None else _broadcast_from(answer.item)
        return found if found is not None and found.segments[number] == becomes else None

    def connected(self, segment: int, *, after: tuple[str, ...], limit: int) -> Page:
        request: Item = {
            "TableName": self._sessions,
            "ProjectionExpression": f"{USER_ID}, {CONNECTIONS}",
            "ConsistentRead": True,
        }
        rows, end = self._scan(request, segment, (USER_ID,), after, limit)
        users = {row[USER_ID]: list(connections_from(row, row[USER_ID]).values()) for row in rows}
        return Page([Found((user,), user, connections) for user, connections in users.items()], end)

    def known(self, segment: int, *, after: tuple[str, ...], limit: int) -> Page:
        request: Item = {
            "TableName": self._table.name,
            "ProjectionExpression": f"{PK}, {SK}",
            "FilterExpression": f"begins_with({PK}, :user)",
            "ExpressionAttributeValues": to_item({":user": USER_PREFIX}),
        }
        rows, end = self._scan(request, segment, (PK, SK), after, limit)
        # The rows of one user stand together; the last of them is where it goes on.
        last = {row[PK]: (row[PK], row[SK]) for row in rows}
        users = [(owner, key) for owner, key in last.items() if not after or owner != after[0]]
        return Page([Found(key, owner.removeprefix(USER_PREFIX)) for owner, key in users], end)

    def _scan(
        self, request: Item, segment: int, keys: tuple[str, ...], after: tuple[str, ...], limit: int
    ) -> tuple[list[Item], tuple[str, ...] | None]:
        """A page of one segment, and the last key that was looked at: None at the end."""
        start = {"ExclusiveStartKey": to_item(dict(zip(keys, after, strict=True)))} if after else {}
        part = {"Segment": segment, "TotalSegments": SEGMENTS, "Limit": limit}
        page = self._calls.call("Scan", {**request, **part, **start})
        end = page.get("LastEvaluatedKey")
        last = None if end is None else tuple(from_item(end)[key] for key in keys)
        return list(map(from_item, page["Items"])), last

    def store(self, broadcast: Broadcast, users: Collection[str], *, among: Among, kept_ms: int) -> int:
        """As a row that the notifications' store would have written, with a mark: it makes no push."""
        told = broadcast.told(kept_ms=kept_ms)
        said = {
            SK: f"{NOTICE_PREFIX}{broadcast.broadcast_id}",
            "kind": told.kind,
            "created_at": told.created_at,
            "expires_at": told.expires_at,
            "title": told.title,
            "body": told.body,
            "data": _json(told.data),
            BROADCAST: among,
            TTL: told.expires_at // SECOND_MS + 1,
        }
        is_free = f"attribute_not_exists({PK}) OR expires_at <= :now"

        def put(user_id: str) -> bool:
            request = self._table.written(
                {PK: user_key(user_id), **said}, condition=is_free, values={":now": told.created_at}
            )
            answer = conditionally(self._calls, "PutItem", request)
            return not isinstance(answer, Refused) or (answer.item or {}).get(BROADCAST) == among

        return sum(self._parallel_map(put, users))


def _item(broadcast: Broadcast) -> Item:
    return {
        **broadcast_key(broadcast.broadcast_id),
        "broadcast_id": broadcast.broadcast_id,
        "title": broadcast.title,
        "body": broadcast.body,
        "data": _json(broadcast.data),
        "is_stored": broadcast.is_stored,
        "by": broadcast.by,
        "created_at": broadcast.created_at,
        "updated_at": broadcast.updated_at,
        "halted": broadcast.halted,
        "segments": {str(number): _segment_item(one) for number, one in enumerate(broadcast.segments)},
        "unfinished": len(broadcast.segments) - broadcast.done,
        TTL: _ttl(broadcast),
    }


def _ttl(broadcast: Broadcast) -> int:
    return (broadcast.created_at + KEPT_MS) // SECOND_MS + 1


def _json(data: Mapping[str, str]) -> str | None:
    return json.dumps(dict(data), ensure_ascii=False, separators=(",", ":")) if data else None


def _segment_item(segment: Segment) -> Item:
    return {**asdict(segment), "after": list(segment.after)}


def _broadcast_from(item: Item) -> Broadcast:
    stored = item["segments"]
    segments = [_segment_from(stored[str(number)]) for number in range(len(stored))]
    data = json.loads(item["data"]) if "data" in item else {}
    return read_as(Broadcast, item, segments=tuple(segments), data=data)


def _segment_from(item: Item) -> Segment:
    return read_as(Segment, item, after=tuple(item["after"]))
