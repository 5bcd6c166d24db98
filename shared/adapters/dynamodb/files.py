"""Files on the members table: one item each, and one beside it for every message that has the file.

A file's item says by `counted` that its bytes are among its owner's (`usage_key`). Both change in one transaction, so
the sum is exact whatever dies. Items of the first edition have no `counted`, are not among them, and end by their TTL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

from shared.adapters.dynamodb.client import Calls, Item, Refused, conditionally, from_item, query, to_item, transact
from shared.adapters.dynamodb.schema import (
    CONVERSATION_ID,
    DUE_PREFIX,
    PK,
    REFERENCE_PREFIX,
    REFERENCES,
    SK,
    STATUS,
    TTL,
    due_key,
    file_key,
    usage_key,
)
from shared.domain.files import DELETED, PENDING, QUOTA, READY, REJECTED, DueFile, File
from shared.ports.files import NEVER

_COUNTED: Final = "counted"
_BYTES: Final = "bytes"
_SHARDS: Final = "0123456789abcdef"
_SETTLED: Final = (STATUS, "reason", "width", "height", "has_thumbnail")


class DynamoDbFiles:
    """Files on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    def create(self, file: File, *, quota: int = QUOTA, due: int = NEVER) -> bool:
        if file.size > quota:
            return False
        counted = self._update(
            usage_key(file.owner_id),
            f"ADD #{_BYTES} :size",
            f"attribute_not_exists(#{_BYTES}) OR #{_BYTES} <= :room",
            {":size": file.size, ":room": quota - file.size},
            (_BYTES,),
        )
        noted = {"Put": {"TableName": self._table, "Item": to_item({**_file_item(file), _COUNTED: True})}}
        return transact(self._calls, [{"Update": counted}, noted, {"Put": self._due(DueFile(file.file_id, due))}])

    def get(self, file_id: str) -> File | None:
        key = to_item(file_key(file_id))
        answer = self._calls.call("GetItem", {"TableName": self._table, "Key": key, "ConsistentRead": True})
        return _file_from(file_id, from_item(answer["Item"])) if "Item" in answer else None

    def settle(self, file: File) -> bool:
        found = {name: value for name, value in _file_item(file).items() if name in _SETTLED and value is not None}
        change = "SET " + ", ".join(f"#{name} = :{name}" for name in found)
        values = {":pending": PENDING, **{f":{name}": value for name, value in found.items()}}
        if file.status != READY:
            return self._no_longer_counted(file, change, f"#{STATUS} = :pending", values, tuple(found))
        request = self._update(
            file_key(file.file_id), f"{change} REMOVE #{TTL}", f"#{STATUS} = :pending", values, (*found, TTL)
        )
        return not isinstance(conditionally(self._calls, "UpdateItem", request), Refused)

    def conversations(self, file_id: str) -> Sequence[str]:
        request = {
            "TableName": self._table,
            "KeyConditionExpression": f"{PK} = :file AND begins_with({SK}, :prefix)",
            "ExpressionAttributeValues": to_item({":file": file_key(file_id)[PK], ":prefix": REFERENCE_PREFIX}),
            "ConsistentRead": True,
        }
        return list(dict.fromkeys(item[CONVERSATION_ID] for item in query(self._calls, request)))

    def retire(self, file_id: str) -> bool:
        file = self.get(file_id)
        if file is None or file.status == DELETED:
            return True
        change = f"SET #{STATUS} = :deleted, #name = :unnamed"
        values = {":deleted": DELETED, ":unnamed": "", ":ready": READY, ":none": 0}
        condition = f"#{STATUS} = :ready AND #{REFERENCES} <= :none"
        if self._no_longer_counted(file, change, condition, values, (STATUS, REFERENCES, "name")):
            return True
        found = self.get(file_id)
        return found is None or found.status == DELETED  # another call was quicker

    def forget(self, file: File) -> bool:
        gone: dict[str, Any] = {
            "TableName": self._table,
            "Key": to_item(file_key(file.file_id)),
            "ConditionExpression": f"#{STATUS} = :status",
            "ExpressionAttributeNames": {f"#{STATUS}": STATUS},
            "ExpressionAttributeValues": to_item({":status": file.status}),
        }
        if file.status not in {PENDING, REJECTED}:
            return False
        names = {**gone["ExpressionAttributeNames"], f"#{_COUNTED}": _COUNTED}
        condition = f"#{STATUS} = :status AND attribute_exists(#{_COUNTED})"
        counted = {**gone, "ConditionExpression": condition, "ExpressionAttributeNames": names}
        if transact(self._calls, [{"Delete": counted}, {"Update": self._less(file)}]):
            return True
        return not isinstance(conditionally(self._calls, "DeleteItem", gone), Refused)

    def due(self, now: int, *, limit: int) -> Sequence[DueFile]:
        return list(islice((due for shard in _SHARDS for due in self._due_of(shard, now, limit)), limit))

    def note_due(self, due: DueFile) -> None:
        self._calls.call("PutItem", self._due(due))

    def settle_due(self, due: DueFile) -> None:
        self._calls.call("DeleteItem", {"TableName": self._table, "Key": to_item(_key_of(due))})

    def _due_of(self, shard: str, now: int, limit: int) -> Iterable[DueFile]:
        request = {
            "TableName": self._table,
            "KeyConditionExpression": f"{PK} = :shard AND {SK} < :later",
            "ExpressionAttributeValues": to_item(
                {":shard": f"{DUE_PREFIX}{shard}", ":later": due_key(shard, now + 1, "")[SK]}
            ),
        }
        for item in query(self._calls, request, limit=limit):
            at, _, file_id = item[SK].partition("#")
            yield DueFile(file_id, int(at))

    def _due(self, due: DueFile) -> dict[str, Any]:
        return {"TableName": self._table, "Item": to_item(_key_of(due))}

    def _no_longer_counted(self, file: File, change: str, condition: str, values: Item, names: Sequence[str]) -> bool:
        """Change a file, and take its bytes off its owner's in the same transaction, where they are among them."""
        key = file_key(file.file_id)
        counted = self._update(
            key,
            f"{change} REMOVE #{_COUNTED}",
            f"{condition} AND attribute_exists(#{_COUNTED})",
            values,
            (*dict.fromkeys((*names, STATUS)), _COUNTED),
        )
        if transact(self._calls, [{"Update": counted}, {"Update": self._less(file)}]):
            return True
        plain = self._update(
            key,
            change,
            f"{condition} AND attribute_not_exists(#{_COUNTED})",
            values,
            (*dict.fromkeys((*names, STATUS)), _COUNTED),
        )
        return not isinstance(conditionally(self._calls, "UpdateItem", plain), Refused)

    def _less(self, file: File) -> dict[str, Any]:
        return self._update(usage_key(file.owner_id), f"ADD #{_BYTES} :less", "", {":less": -file.size}, (_BYTES,))

    def _update(self, key: Item, change: str, condition: str, values: Item, names: Sequence[str]) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": to_item(key),
            "UpdateExpression": change,
            **({"ConditionExpression": condition} if condition else {}),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
            "ExpressionAttributeValues": to_item(values),
        }


def _key_of(due: DueFile) -> Item:
    shard = blake2b(due.file_id.encode(), digest_size=1).hexdigest()[0]
    return due_key(shard, due.at, due.file_id)


def _file_item(file: File) -> Item:
    return {
        **file_key(file.file_id),
        "owner_id": file.owner_id,
        "kind": file.kind,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        STATUS: file.status,
        "created_at": file.created_at,
        "expires_at": file.expires_at,
        "reason": file.reason,
        "width": file.width,
        "height": file.height,
        "has_thumbnail": file.has_thumbnail,
        REFERENCES: file.references,
    }


def _file_from(file_id: str, item: Item) -> File:
    return File(
        file_id=file_id,
        owner_id=item["owner_id"],
        kind=item["kind"],
        name=item["name"],
        content_type=item["content_type"],
        size=item["size"],
        created_at=item["created_at"],
        expires_at=item["expires_at"],
        status=item[STATUS],
        reason=item.get("reason"),
        width=item.get("width"),
        height=item.get("height"),
        has_thumbnail=item["has_thumbnail"],
        references=item[REFERENCES],
    )
