"""What an entry of the log writes beside itself, in the same transaction.

What a change does to other items carries no condition: the condition on the entry's own place stands for all of them
(see `shared/operations/changes.py`). A message's file is the exception, for files come and go beside the log.
"""

from __future__ import annotations

from typing import Any

from shared.adapters.dynamodb.client import Item, to_item
from shared.adapters.dynamodb.schema import (
    CONVERSATION_ID,
    MUTUAL,
    REFERENCES,
    SEPARATOR,
    SEQ,
    STATUS,
    TTL,
    USER_ID,
    entry_key,
    file_key,
    file_reference_key,
    group_key,
    member_of_conversation_key,
    member_of_user_key,
)
from shared.domain.changes import MEMBER, Added, Deleted, Edited, Reacted, Removed, Renamed, RolesChanged
from shared.domain.entries import Entry
from shared.domain.files import READY
from shared.domain.text import private_members


def effects(entry: Entry, *, log_table: str, members_table: str) -> list[dict[str, Any]]:
    """What the entry does to other items, as parts of its transaction. Nothing, for most messages without a file."""
    match entry.change:
        case None:
            return [*_taking_file(entry, members_table), *_becoming_mutual(entry, members_table)]
        case Deleted(file_id=str(file_id)):
            gone = entry_key(entry.conversation_id, entry.change.target)
            return [*_on_message(entry, entry.change, log_table), *_releasing_file(file_id, gone, members_table)]
        case Edited() | Deleted() | Reacted():
            return _on_message(entry, entry.change, log_table)
        case Added() | Removed():
            return _on_members(entry, entry.change, members_table)
        case Renamed(name=name):
            return [
                _update(members_table, group_key(entry.conversation_id), "SET #name = :name", {":name": name}, "name")
            ]
        case RolesChanged(roles=roles):
            return [
                _update(
                    members_table,
                    member_of_conversation_key(entry.conversation_id, user),
                    "SET #role = :role",
                    {":role": role},
                    "role",
                )
                for user, role in roles.items()
            ]


def _on_message(entry: Entry, change: Edited | Deleted | Reacted, table: str) -> list[dict[str, Any]]:
    target = entry_key(entry.conversation_id, change.target)
    match change:
        case Edited():
            values = {":content": change.content, ":at": entry.created_at, ":seq": entry.seq}
            update = _update(
                table, target, "SET #content = :content, edited_at = :at, last_edit = :seq", values, "content"
            )
        case Deleted():
            # The digest goes, too: that of a short text gives it away.
            gone = "#content, mentions, reply_to, file_id, forwarded, reactions, digest, edited_at, last_edit"
            update = _update(table, target, f"SET deleted_at = :at REMOVE {gone}", {":at": entry.created_at}, "content")
        case Reacted():
            verb = "DELETE" if change.removed else "ADD"
            reaction = frozenset({f"{change.emoji}{SEPARATOR}{change.owner_id or entry.sender_id}"})
            return [_update(table, target, f"{verb} reactions :one", {":one": reaction})]
    if change.previous is None:
        return [update]
    earlier = entry_key(entry.conversation_id, change.previous)
    return [update, _update(table, earlier, "REMOVE #content", {}, "content")]


def _taking_file(entry: Entry, table: str) -> list[dict[str, Any]]:
    """The reference of a message to its file, and the file's count of them. Refused, all of it, for one not ready."""
    if entry.file_id is None:
        return []
    reference = {
        **file_reference_key(entry.file_id, entry.conversation_id, entry.seq),
        CONVERSATION_ID: entry.conversation_id,
    }
    counted = _update(
        table,
        file_key(entry.file_id),
        f"ADD #{REFERENCES} :one REMOVE #{TTL}",
        {":one": 1, ":ready": READY},
        *(REFERENCES, TTL, STATUS),
    )
    counted["Update"]["ConditionExpression"] = f"#{STATUS} = :ready"
    return [counted, {"Put": {"TableName": table, "Item": to_item(reference)}}]


def _becoming_mutual(entry: Entry, table: str) -> list[dict[str, Any]]:
    """Both members' rows say that both have written, once that is so: who asks for one of the two has it at hand."""
    members = private_members(entry.conversation_id) if entry.first_answer else None
    return [
        _update(table, member_of_user_key(entry.conversation_id, user), f"SET {MUTUAL} = :yes", {":yes": True})
        for user in members or ()
    ]


def _releasing_file(file_id: str, message: Item, table: str) -> list[dict[str, Any]]:
    reference = file_reference_key(file_id, message[CONVERSATION_ID], message[SEQ])
    return [
        _update(table, file_key(file_id), f"ADD #{REFERENCES} :less", {":less": -1}, REFERENCES),
        {"Delete": {"TableName": table, "Key": to_item(reference)}},
    ]


def _on_members(entry: Entry, change: Added | Removed, table: str) -> list[dict[str, Any]]:
    keys = [
        (user, key(entry.conversation_id, user))
        for user in change.users
        for key in (member_of_conversation_key, member_of_user_key)
    ]
    if isinstance(change, Removed):
        deletes = [{"Delete": {"TableName": table, "Key": to_item(key)}} for _, key in keys]
        return [_resized(entry, change.size, table), *deletes]
    puts = [{"Put": {"TableName": table, "Item": to_item(_joined(entry, change, user, key))}} for user, key in keys]
    if change.name is None:
        return [_resized(entry, change.size, table), *puts]
    group = {
        **group_key(entry.conversation_id),
        CONVERSATION_ID: entry.conversation_id,
        "name": change.name,
        "created_by": entry.sender_id,
        "created_at": entry.created_at,
        "size": change.size,
    }
    return [{"Put": {"TableName": table, "Item": to_item(group)}}, *puts]


def _joined(entry: Entry, change: Added, user_id: str, key: Item) -> Item:
    """A new member has read what was there before: it is history, not news."""
    push_context = {CONVERSATION_ID: entry.conversation_id, USER_ID: user_id, "joined_at": entry.created_at}
    if key == member_of_conversation_key(entry.conversation_id, user_id):
        return {**key, **push_context, "role": change.roles.get(user_id, MEMBER)}
    return {
        **key,
        **push_context,
        "joined_seq": entry.seq,
        "read_seq": entry.seq,
        "read_number": entry.number,
        "delivered_seq": entry.seq,
    }


def _resized(entry: Entry, size: int, table: str) -> dict[str, Any]:
    return _update(table, group_key(entry.conversation_id), "SET #size = :size", {":size": size}, "size")


def _update(table: str, key: Item, expression: str, values: Item, *names: str) -> dict[str, Any]:
    update = {"TableName": table, "Key": to_item(key), "UpdateExpression": expression}
    if values:
        update["ExpressionAttributeValues"] = to_item(values)
    if names:
        update["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    return {"Update": update}
