"""What is shown of an entry, wherever it is shown, is all that is stored of it, in the protocol's words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.domain.changes import Added, Deleted, Edited, Reacted, Removed, Renamed, RolesChanged, Updated
from shared.domain.entries import Entry
from tests.simulation.faults import Fault
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import BEGINNING

_ENTRIES: Final = frozenset(
    {
        "new_message",
        "message_edited",
        "message_deleted",
        "reaction",
        "member_added",
        "member_removed",
        "conversation_updated",
        "withheld",
    }
)


def message_form(entry: Entry) -> dict[str, Any]:
    """A message as docs/protocol.md has it."""
    reactions: dict[str, list[str]] = {}
    for emoji, user in sorted(entry.reactions):
        reactions.setdefault(emoji, []).append(user)
    optional = {
        "client_message_id": entry.client_message_id,
        "reply_to": entry.reply_to,
        "mentions": list(entry.mentions),
        "file_id": entry.file_id,
        "data": json.loads(entry.data or "null"),
        "attachments": json.loads(entry.attachments or "null"),
        "forwarded": entry.forwarded,
        "edited_at": entry.edited_at,
        "deleted_at": entry.deleted_at,
        "pinned_at": entry.pinned_at,
        "reactions": reactions,
    }
    return {
        "id": f"{entry.conversation_id}/{entry.seq}",
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "sender_id": entry.sender_id,
        "content": entry.content,
        "type": entry.message_type,
        "created_at": entry.created_at,
        **{name: value for name, value in optional.items() if value},
    }


def entry_form(entry: Entry, user: str) -> dict[str, Any]:
    """An entry's event, for this user."""
    place = {"conversation_id": entry.conversation_id, "seq": entry.seq}
    entry = entry.seen_by(user)
    if entry.shadow is not None:
        return {**place, "type": "withheld", "timestamp": entry.created_at}
    if entry.change is None:
        return {**place, "type": "new_message", "message": message_form(entry)}
    return {**place, "timestamp": entry.created_at, "user_id": entry.sender_id, **_change(entry)}


def _change(entry: Entry) -> dict[str, Any]:  # noqa: PLR0911  # one for each kind
    target = getattr(entry.change, "target", 0)
    about = {"message_seq": target, "message_id": f"{entry.conversation_id}/{target}"}
    match entry.change:
        case Edited(content=content, data=data):
            hung = {} if data is None else {"data": json.loads(data)}
            return {"type": "message_edited", **about, "content": content, **hung}
        case Deleted():
            return {"type": "message_deleted", **about}
        case Reacted(emoji=emoji, removed=removed, owner_id=owner):
            by = {} if owner is None else {"user_id": owner, "removed_by": entry.sender_id}
            return {"type": "reaction", **about, "emoji": emoji, "removed": removed, **by}
        case Added(users=users, name=name, said=said):
            first = {} if name is None else {"name": name, **json.loads(said or "{}")}
            return {"type": "member_added", "users": list(users), **first}
        case Removed(users=users):
            return {"type": "member_removed", "users": list(users)}
        case Renamed(name=name):
            return {"type": "conversation_updated", "changes": {"name": name}}
        case Updated(said=said):
            return {"type": "conversation_updated", "changes": json.loads(said)}
        case RolesChanged(roles=roles):
            return {"type": "conversation_updated", "changes": {"roles": dict(roles)}}
    return {}


def is_shown(case: Case, shown: Mapping[str, Any], user: str, start: float, end: float) -> bool:
    """Whether an event says what its entry was for this user at some moment in between."""
    since = BEGINNING if Fault.STALE in case.struck else start
    stored = case.past.entries(shown["conversation_id"], shown["seq"], since, end)
    return any(shown == entry_form(entry, user) for entry in stored)


def events_are_as_stored(case: Case) -> Iterator[str]:
    """How far a message's sender has read goes out with it, and is no part of its entry."""
    for post in case.scenario.deployment.gateway.posts:
        shown = {name: value for name, value in post.event.items() if name != "read"}
        user = post.line.user_id
        if post.event["type"] in _ENTRIES and not is_shown(case, shown, user, post.began, post.at):
            yield f"{post.line.user_id} was sent {post.event}, which never was so"


def synced_entries_are_as_stored(case: Case) -> Iterator[str]:
    for client in case.scenario.clients:
        for synced in client.synced:
            for entry in (entry for one in synced.data["conversations"] for entry in one["entries"]):
                if not is_shown(case, entry, client.user, synced.asked, synced.answered):
                    yield f"{client.name} synced {entry}, which never was so"


RULES = (events_are_as_stored, synced_entries_are_as_stored)
