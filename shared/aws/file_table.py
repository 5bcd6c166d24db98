"""Files on the members table: one item each, and one beside it for every message that has the file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.aws.dynamodb import Calls, Item, Refused, conditionally, from_item, query, to_item
from shared.aws.tables import CONVERSATION_ID, PK, REFERENCE_PREFIX, REFERENCES, SK, STATUS, TTL, file_key
from shared.files.models import DELETED, PENDING, READY, File

_MS: Final = 1_000
# An upload can begin in the last moment, its check can be late, and the owner wants to see how it went.
_KEPT_S: Final = 86_400
_SETTLED: Final = (STATUS, "reason", "width", "height", "has_thumbnail")


class DynamoDbFiles:
    """Files on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    def create(self, file: File) -> None:
        self._calls.call("PutItem", {"TableName": self._table, "Item": to_item(_file_item(file))})

    def get(self, file_id: str) -> File | None:
        key = to_item(file_key(file_id))
        answer = self._calls.call("GetItem", {"TableName": self._table, "Key": key, "ConsistentRead": True})
        return _file_from(file_id, from_item(answer["Item"])) if "Item" in answer else None

    def settle(self, file: File) -> bool:
        found = {name: value for name, value in _file_item(file).items() if name in _SETTLED and value is not None}
        gone = f" REMOVE #{TTL}" if file.status == READY else ""
        request = {
            "TableName": self._table,
            "Key": to_item(file_key(file.file_id)),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in found) + gone,
            "ConditionExpression": f"#{STATUS} = :pending",
            "ExpressionAttributeNames": {f"#{name}": name for name in (*found, *([TTL] if gone else []))},
            "ExpressionAttributeValues": to_item(
                {":pending": PENDING, **{f":{name}": value for name, value in found.items()}}
            ),
        }
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
        request = {
            "TableName": self._table,
            "Key": to_item(file_key(file_id)),
            "UpdateExpression": f"SET #{STATUS} = :deleted, #name = :unnamed",
            "ConditionExpression": f"#{STATUS} = :ready AND #{REFERENCES} <= :none",
            "ExpressionAttributeNames": {f"#{name}": name for name in (STATUS, REFERENCES, "name")},
            "ExpressionAttributeValues": to_item({":deleted": DELETED, ":unnamed": "", ":ready": READY, ":none": 0}),
        }
        answer = conditionally(self._calls, "UpdateItem", request)
        if not isinstance(answer, Refused):
            return True
        return answer.item is None or answer.item[STATUS] == DELETED


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
        TTL: None if file.status == READY else file.expires_at // _MS + _KEPT_S,
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
