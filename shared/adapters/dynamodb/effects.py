"""What an entry of the log writes beside itself, in the same transaction.

What a change does to other items carries no condition: the condition on the entry's own place stands for all of them
(see `shared/operations/changes.py`). A message's file is the exception, for files come and go beside the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import TTL, USER_ID, Item, Table, set_to
from shared.adapters.dynamodb.memberships import JOIN
from shared.adapters.dynamodb.schema import CONVERSATION_ID, MAY_END, MUTUAL, REFERENCES, SEPARATOR, SEQ, STATUS
from shared.domain.changes import (
    MEMBER,
    Added,
    Deleted,
    Edited,
    Happened,
    OwnChanged,
    Reacted,
    Removed,
    Renamed,
    Role,
    RolesChanged,
    Updated,
)
from shared.domain.entries import Entry, author_key
from shared.domain.files import READY
from shared.domain.text import is_channel_id, private_members


def effects(entry: Entry, *, log: Table, members: Table) -> list[dict[str, Any]]:  # noqa: PLR0911  # one for each kind
    """What the entry does to other items, as parts of its transaction. Nothing, for most messages without a file."""
    match entry.change:
        case None:
            taken = [part for file_id in entry.file_ids for part in _taking_file(file_id, entry, members)]
            return [*taken, *_becoming_mutual(entry, members)]
        case Deleted(target=target, file_ids=file_ids, pinned=pinned) if file_ids or pinned:
            gone = schema.entry_key(entry.conversation_id, target)
            released = [part for file_id in file_ids for part in _releasing_file(file_id, gone, members)]
            pin = schema.pin_key(entry.conversation_id, target)
            unpinned = [{"Delete": members.deleted(pin)}] if pinned else []
            return [*_on_message(entry, entry.change, log), *released, *unpinned]
        case Edited() | Deleted() | Reacted():
            return _on_message(entry, entry.change, log)
        case Added() | Removed():
            return _on_members(entry, entry.change, members)
        case Renamed(name=name):
            return [_update(members, schema.group_key(entry.conversation_id), "SET #name = :name", {":name": name})]
        case Updated():
            return [*_on_pin(entry, entry.change, log, members), *_on_description(entry, entry.change, members)]
        case RolesChanged(roles=roles):
            return [part for user, role in roles.items() for part in _on_role(entry, user, role, members)]
        case Happened() | OwnChanged():
            return []  # each store writes its own, with the entry


def _on_message(entry: Entry, change: Edited | Deleted | Reacted, table: Table) -> list[dict[str, Any]]:
    target = schema.entry_key(entry.conversation_id, change.target)
    match change:
        case Edited():
            values = {":content": change.content, ":at": entry.created_at, ":seq": entry.seq}
            said = "SET #content = :content, edited_at = :at, last_edit = :seq"
            if change.data is not None:
                said, values = f"{said}, #data = :data", {**values, ":data": change.data}
            update = _update(table, target, said, values)
        case Deleted():
            # The digest goes, too: that of a short text gives it away.
            gone = "#content, mentions, reply_to, file_id, #data, attachments, media, forwarded, reactions"
            marks = "digest, edited_at, last_edit, pinned_at"
            update = _update(table, target, f"SET deleted_at = :at REMOVE {gone}, {marks}", {":at": entry.created_at})
        case Reacted():
            verb = "DELETE" if change.removed else "ADD"
            reaction = frozenset({f"{change.emoji}{SEPARATOR}{change.owner_id or entry.sender_id}"})
            return [_update(table, target, f"{verb} reactions :one", {":one": reaction})]
    if change.previous is None:
        return [update]
    earlier = schema.entry_key(entry.conversation_id, change.previous)
    return [update, _update(table, earlier, "REMOVE #content, #data", {})]


def _taking_file(file_id: str, entry: Entry, table: Table) -> list[dict[str, Any]]:
    """The reference of a message to its file, and the file's count of them. Refused, all of it, for one not ready."""
    reference = {
        **schema.file_reference_key(file_id, entry.conversation_id, entry.seq),
        CONVERSATION_ID: entry.conversation_id,
        MAY_END: True if entry.keep_seq is not None else None,
    }
    change, values = f"ADD #{REFERENCES} :one REMOVE #{TTL}", {":one": 1, ":ready": READY}
    counted = _update(table, schema.file_key(file_id), change, values, condition=f"#{STATUS} = :ready")
    return [counted, {"Put": table.written(reference)}]


def _becoming_mutual(entry: Entry, table: Table) -> list[dict[str, Any]]:
    """Both members' rows say that both have written, once that is so: who asks for one of the two has it at hand."""
    members = private_members(entry.conversation_id) if entry.first_answer else None
    return [
        _update(table, schema.membership_key(entry.conversation_id, user), f"SET {MUTUAL} = :yes", {":yes": True})
        for user in members or ()
    ]


def _releasing_file(file_id: str, message: Item, table: Table) -> list[dict[str, Any]]:
    reference = schema.file_reference_key(file_id, message[CONVERSATION_ID], message[SEQ])
    return [
        _update(table, schema.file_key(file_id), f"ADD #{REFERENCES} :less", {":less": -1}),
        {"Delete": table.deleted(reference)},
    ]


def _on_members(entry: Entry, change: Added | Removed, table: Table) -> list[dict[str, Any]]:
    keys = [
        (user, key(entry.conversation_id, user)) for user in change.users for key in _keys_of(entry.conversation_id)
    ]
    if isinstance(change, Removed):
        deletes = [{"Delete": table.deleted(key)} for _, key in keys]
        return [_resized(entry, change.size, table), *deletes]
    puts = [{"Put": table.written(_joined(entry, change, user, key))} for user, key in keys]
    if change.name is None:
        return [_resized(entry, change.size, table), *puts, *_on_way_in(entry, change, table)]
    group = {
        **schema.group_key(entry.conversation_id),
        CONVERSATION_ID: entry.conversation_id,
        "name": change.name,
        "created_by": entry.sender_id,
        "created_at": entry.created_at,
        "size": change.size,
        "join": change.join,
        **change.fields,
    }
    return [{"Put": table.written(group)}, *puts]


def _on_way_in(entry: Entry, change: Added, table: Table) -> list[dict[str, Any]]:
    """A request that was granted is there no more, and a link was used once more.

    Both go beside the log, so they have conditions: what was withdrawn, revoked or used up lets nobody in.
    """
    parts: list[dict[str, Any]] = []
    for user in change.users if change.requested else ():
        first, second = schema.request_keys(entry.conversation_id, user)
        parts.append({"Delete": table.deleted(first, condition=f"attribute_exists({schema.PK})")})
        parts.append({"Delete": table.deleted(second)})
    if change.invite_id is not None:
        is_good = f"attribute_exists({schema.PK}) AND (attribute_not_exists(expires_at) OR expires_at > :now)"
        is_good += " AND (attribute_not_exists(max_uses) OR #uses < max_uses)"
        values = {":one": 1, ":now": entry.created_at}
        key = schema.invite_key(change.invite_id)
        parts.append(_update(table, key, "SET #uses = #uses + :one", values, condition=is_good))
    return parts


def _joined(entry: Entry, change: Added, user_id: str, key: Item) -> Item:
    """A new member has read what was there before: it is history, not news."""
    push_context = {CONVERSATION_ID: entry.conversation_id, USER_ID: user_id, "joined_at": entry.created_at}
    role: Item = {"role": change.roles.get(user_id, MEMBER)}
    if change.hides:
        push_context["visible_from"] = entry.seq
    if key == schema.seat_key(entry.conversation_id, user_id):
        return {**key, **push_context, **role}
    is_channel = is_channel_id(entry.conversation_id)
    if is_channel and key == schema.listed_key(entry.conversation_id, user_id):
        return {**key, **push_context}
    return {
        **key,
        **push_context,
        **(role if is_channel else {}),
        MAY_END: True if entry.keep_seq is not None else None,
        "joined_seq": entry.seq,
        "read_seq": entry.seq,
        "read_number": entry.number,
        "delivered_seq": entry.seq,
    }


def _on_pin(entry: Entry, change: Updated, log: Table, members: Table) -> list[dict[str, Any]]:
    """A pin is a row of its own, to list them by, and a mark on the message, to know by who deletes it."""
    conversation_id, pinned, unpinned = entry.conversation_id, change.pinned, change.unpinned
    parts: list[dict[str, Any]] = []
    if pinned is not None:
        pin = {**schema.pin_key(conversation_id, pinned), CONVERSATION_ID: conversation_id, SEQ: pinned}
        pin |= {USER_ID: entry.sender_id, "pinned_at": entry.created_at}
        mark, message = "SET pinned_at = :at", schema.entry_key(conversation_id, pinned)
        parts += [{"Put": members.written(pin)}, _update(log, message, mark, {":at": entry.created_at})]
    if unpinned is not None:
        message = schema.entry_key(conversation_id, unpinned)
        parts.append({"Delete": members.deleted(schema.pin_key(conversation_id, unpinned))})
        parts.append(_update(log, message, "REMOVE pinned_at", {}))
    return parts


def _on_description(entry: Entry, change: Updated, table: Table) -> list[dict[str, Any]]:
    """What a conversation, or a member, says of itself. A private conversation's stands in its two members' rows.

    Where it is the first entry there, it makes them members.
    """
    conversation_id, fields = entry.conversation_id, change.fields
    private = private_members(conversation_id)
    parts = [
        _update(table, schema.membership_key(conversation_id, user), *set_to(said))
        for user, said in change.members.items()
    ]
    if not fields:
        return parts
    if private is None:
        return [_update(table, schema.group_key(conversation_id), *set_to(fields)), *parts]
    data = fields.get("data")
    about, values = (" REMOVE about", {}) if data is None else (", about = :about", {":about": data})
    for user in private:
        values = {**values, ":now": entry.created_at, ":id": conversation_id, ":user": user}
        parts.append(_update(table, schema.membership_key(conversation_id, user), f"{JOIN}{about}", values))
        seated = {name: value for name, value in values.items() if name != ":about"}
        parts.append(_update(table, schema.seat_key(conversation_id, user), JOIN, seated))
    return parts


def _keys_of(conversation_id: str) -> Sequence[Callable[[str, str], Item]]:
    """A member's rows."""
    usual = (schema.seat_key, schema.membership_key)
    return (*usual, schema.listed_key) if is_channel_id(conversation_id) else usual


def _on_role(entry: Entry, user_id: str, role: Role, table: Table) -> list[dict[str, Any]]:
    if is_channel_id(entry.conversation_id):
        return _on_writer(entry, user_id, role, table)
    seat = schema.seat_key(entry.conversation_id, user_id)
    return [_update(table, seat, "SET #role = :role", {":role": role})]


def _on_writer(entry: Entry, user_id: str, role: Role, table: Table) -> list[dict[str, Any]]:
    """A channel's member gets a role, or is a plain one again. Their own row says so, too, and must be there.

    Plain members leave beside the log: so this has a condition, and their leaving one on the role.
    """
    conversation_id, is_member = entry.conversation_id, f"attribute_exists({schema.PK})"
    seat, membership = schema.seat_key(conversation_id, user_id), schema.membership_key(conversation_id, user_id)
    if role != MEMBER:
        values = {":role": role, ":user": user_id, ":id": conversation_id, ":at": entry.created_at}
        seated = f"SET #role = :role, {USER_ID} = :user, {CONVERSATION_ID} = :id, "
        seated += "joined_at = if_not_exists(joined_at, :at)"
        named = _update(table, membership, "SET #role = :role", {":role": role}, condition=is_member)
        return [named, _update(table, seat, seated, values)]
    # Entries tell no longer what they wrote last, once a hundred others have written.
    wrote = entry.authors.get(author_key(user_id))
    noted, number = (" SET wrote_number = :wrote", {":wrote": wrote}) if wrote else ("", {})
    return [
        _update(table, membership, f"REMOVE #role{noted}", number, condition=is_member),
        {"Delete": table.deleted(seat)},
    ]


def _resized(entry: Entry, size: int, table: Table) -> dict[str, Any]:
    return _update(table, schema.group_key(entry.conversation_id), "SET #size = :size", {":size": size})


def _update(table: Table, key: Item, change: str, values: Item, *, condition: str = "") -> dict[str, Any]:
    return {"Update": table.changed(key, change, values, condition=condition)}
