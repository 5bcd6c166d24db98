"""Files on the members table: one item each, and one beside it for every message that has the file.

A file's item says by `counted` that its bytes are among its owner's (`usage_key`). Both change in one transaction, so
the sum is exact whatever dies. Items of the first edition have no `counted`, are not among them, and end by their TTL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import TTL, Item, MembersStore, Refused, conditionally, transact
from shared.adapters.dynamodb.schema import (
    CONVERSATION_ID,
    DUE_PREFIX,
    ENDS,
    MAY_END,
    PK,
    REFERENCE_PREFIX,
    REFERENCES,
    SK,
    STATUS,
)
from shared.domain.files import DELETED, PENDING, QUOTA, READY, REJECTED, DueFile, File
from shared.ports.files import NEVER

_COUNTED: Final = "counted"
_BYTES: Final = "bytes"
_SHARDS: Final = "0123456789abcdef"
_SETTLED: Final = (STATUS, "reason", "width", "height", "has_thumbnail")


class DynamoDbFiles(MembersStore):
    def create(self, file: File, *, quota: int = QUOTA, due: int = NEVER) -> bool:
        if file.size > quota:
            return False
        counted = self._table.changed(
            schema.usage_key(file.owner_id),
            f"ADD #{_BYTES} :size",
            {":size": file.size, ":room": quota - file.size},
            condition=f"attribute_not_exists(#{_BYTES}) OR #{_BYTES} <= :room",
        )
        noted = self._table.written({**_file_item(file), _COUNTED: True})
        due_then = self._table.written(_key_of(DueFile(file.file_id, due)))
        return transact(self._calls, [{"Update": counted}, {"Put": noted}, {"Put": due_then}])

    def get(self, file_id: str) -> File | None:
        item = self._table.get(schema.file_key(file_id))
        return None if item is None else _file_from(file_id, item)

    def find(self, file_ids: Sequence[str]) -> Mapping[str, File]:
        if len(file_ids) == 1:
            file = self.get(file_ids[0])
            return {} if file is None else {file.file_id: file}
        items = self._table.find(map(schema.file_key, file_ids))
        by_key = {schema.file_key(file_id)[PK]: file_id for file_id in file_ids}
        found = [_file_from(by_key[item[PK]], item) for item in items]
        return {file.file_id: file for file in found}

    def settle(self, file: File) -> bool:
        found = {name: value for name, value in _file_item(file).items() if name in _SETTLED and value is not None}
        change = "SET " + ", ".join(f"#{name} = :{name}" for name in found)
        values = {":pending": PENDING, **{f":{name}": value for name, value in found.items()}}
        is_pending = f"#{STATUS} = :pending"
        if file.status != READY:
            return self._no_longer_counted(file, change, values, condition=is_pending)
        whole = f"{change} REMOVE #{TTL}"
        settled = self._table.update(schema.file_key(file.file_id), whole, values, condition=is_pending)
        return not isinstance(settled, Refused)

    def messages(self, file_id: str) -> Mapping[tuple[str, int], bool]:
        values = {":file": schema.file_key(file_id)[PK], ":prefix": REFERENCE_PREFIX}
        items = self._table.query(f"{PK} = :file AND begins_with({SK}, :prefix)", values)
        return {(item[CONVERSATION_ID], int(item[SK].rpartition("/")[2])): MAY_END in item for item in items}

    def note_end(self, file_id: str, place: tuple[str, int], *, at: int | None) -> None:
        reference, is_there = schema.file_reference_key(file_id, *place), f"attribute_exists({PK})"
        until, values = (f" REMOVE {ENDS}", {}) if at is None else (f", {ENDS} = :ends", {":ends": at})
        self._table.update(reference, f"SET {MAY_END} = :yes{until}", {":yes": True, **values}, condition=is_there)
        if at is not None:
            self.note_due(DueFile(file_id, at))

    def drop_ended(self, file_id: str, *, now: int) -> None:
        values = {":file": schema.file_key(file_id)[PK], ":prefix": REFERENCE_PREFIX}
        for item in self._table.query(f"{PK} = :file AND begins_with({SK}, :prefix)", values):
            if item.get(ENDS, now + 1) <= now:
                reference = self._table.deleted({PK: item[PK], SK: item[SK]}, condition=f"attribute_exists({PK})")
                less = self._table.changed(schema.file_key(file_id), f"ADD #{REFERENCES} :less", {":less": -1})
                transact(self._calls, [{"Delete": reference}, {"Update": less}])

    def retire(self, file_id: str) -> bool:
        file = self.get(file_id)
        if file is None or file.status == DELETED:
            return True
        change = f"SET #{STATUS} = :deleted, #name = :unnamed"
        values = {":deleted": DELETED, ":unnamed": "", ":ready": READY, ":none": 0}
        condition = f"#{STATUS} = :ready AND #{REFERENCES} <= :none"
        if self._no_longer_counted(file, change, values, condition=condition):
            return True
        found = self.get(file_id)
        return found is None or found.status == DELETED  # another call was quicker

    def forget(self, file: File) -> bool:
        if file.status not in {PENDING, REJECTED}:
            return False
        key, as_read, values = schema.file_key(file.file_id), f"#{STATUS} = :status", {":status": file.status}
        is_counted = f"{as_read} AND attribute_exists(#{_COUNTED})"
        counted = self._table.deleted(key, condition=is_counted, values=values)
        if transact(self._calls, [{"Delete": counted}, {"Update": self._less(file)}]):
            return True
        gone = self._table.deleted(key, condition=as_read, values=values)
        return not isinstance(conditionally(self._calls, "DeleteItem", gone), Refused)

    def due(self, now: int, *, limit: int) -> Sequence[DueFile]:
        return list(islice((due for shard in _SHARDS for due in self._due_of(shard, now, limit)), limit))

    def note_due(self, due: DueFile) -> None:
        self._table.put(_key_of(due))

    def settle_due(self, due: DueFile) -> None:
        self._table.delete(_key_of(due))

    def _due_of(self, shard: str, now: int, limit: int) -> Iterable[DueFile]:
        values = {":shard": f"{DUE_PREFIX}{shard}", ":later": schema.due_key(shard, now + 1, "")[SK]}
        for item in self._table.query(f"{PK} = :shard AND {SK} < :later", values, limit=limit, consistent=False):
            at, _, file_id = item[SK].partition("#")
            yield DueFile(file_id, int(at))

    def _no_longer_counted(self, file: File, change: str, values: Item, *, condition: str) -> bool:
        """Change a file, and take its bytes off its owner's in the same transaction, where they are among them."""
        key, table = schema.file_key(file.file_id), self._table
        is_counted = f"{condition} AND attribute_exists(#{_COUNTED})"
        counted = table.changed(key, f"{change} REMOVE #{_COUNTED}", values, condition=is_counted)
        if transact(self._calls, [{"Update": counted}, {"Update": self._less(file)}]):
            return True
        is_not = f"{condition} AND attribute_not_exists(#{_COUNTED})"
        return not isinstance(table.update(key, change, values, condition=is_not), Refused)

    def _less(self, file: File) -> dict[str, Any]:
        return self._table.changed(schema.usage_key(file.owner_id), f"ADD #{_BYTES} :less", {":less": -file.size})


def _key_of(due: DueFile) -> Item:
    shard = blake2b(due.file_id.encode(), digest_size=1).hexdigest()[0]
    return schema.due_key(shard, due.at, due.file_id)


def _file_item(file: File) -> Item:
    """Its attributes have the names of the file's fields; the id is the key's."""
    said = {**schema.said_by(file), "file_id": None}
    return {**schema.file_key(file.file_id), **said, "waveform": list(file.waveform) or None}


def _file_from(file_id: str, item: Item) -> File:
    return schema.read_as(File, item, file_id=file_id, waveform=tuple(item.get("waveform", ())))
