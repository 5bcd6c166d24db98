"""Bodies that the HTTP API answers with. `http_answers.py` describes them, `http_requests.py` is what clients send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from shared.domain.connections import Presence
from shared.domain.contacts import Contact, Profile
from shared.domain.members import Preferences
from shared.errors import ParleyError
from shared.operations.conversations import Created, Summary
from shared.operations.groups import CreatedGroup, Listed
from shared.operations.history import History, Single, status_of
from shared.operations.tickets import Ticket
from shared.wire.refusals import error_fields
from shared.wire.websocket.events import message_body, presence_body, whole_message_body


def created_body(created: Created) -> dict[str, Any]:
    return {"id": created.conversation_id, "type": "private", "members": list(created.members)}


def group_body(group: CreatedGroup, user_id: str, *, name: str, head: int) -> dict[str, Any]:
    """`name` is what was asked for: a group that is there already may be called something else by now."""
    known = group.audience.group
    return {
        "id": group.conversation_id,
        "type": "group",
        "name": known.name if known and not group.is_new else name,
        "members": sorted(group.audience.members),
        "role": group.audience.roles[user_id],
        "head": head,
    }


def ticket_body(ticket: Ticket) -> dict[str, Any]:
    return {"ticket": ticket.ticket, "expires_in": ticket.expires_in}


def summary_body(summary: Summary) -> dict[str, Any]:
    """One conversation of the inbox. A private one has no name: clients show the other member."""
    members, group, member = summary.members, summary.group, summary.member
    is_group = members is None
    return {
        "id": summary.conversation_id,
        "type": "group" if is_group else "private",
        "name": group.name if group else None,
        "head": summary.head.seq if summary.head else 0,
        "last_message": message_body(summary.last_message) if summary.last_message else None,
        "unread": summary.unread,
        "read_seq": member.read_seq,
        "delivered_seq": member.has_got,
        "joined_seq": member.joined_seq,
        "members": None if members is None else list(members),
        "member_count": (group.size if group else 0) if members is None else len(members),
        "role": summary.role,
        **preferences_body(member.preferences),
    }


def preferences_body(preferences: Preferences) -> dict[str, Any]:
    return {
        "muted_until": preferences.muted_until,
        "notify": preferences.notify,
        "pinned": preferences.pinned,
        "archived": preferences.archived,
    }


def members_body(listed: Iterable[Listed]) -> dict[str, Any]:
    return {"members": [_member(one) for one in listed]}


def _member(listed: Listed) -> dict[str, Any]:
    member = listed.member
    return {
        "user_id": member.user_id,
        "role": listed.role,
        "joined_at": member.joined_at,
        "read_seq": member.read_seq,
        "delivered_seq": member.has_got,
    }


def history_body(history: History) -> dict[str, Any]:
    """One's own messages in private conversations carry how far they have come."""
    statuses = [history.status(entry) for entry in history.messages]
    return {
        "messages": [
            {**message_body(entry), **({} if status is None else {"status": status})}
            for entry, status in zip(history.messages, statuses, strict=True)
        ],
        "has_more": history.has_more,
    }


def single_body(single: Single) -> dict[str, Any]:
    """A message; one's own with how far it has come, and in groups with how many have it."""
    body = whole_message_body(single.entry)
    if single.others is None:
        return body
    body["status"] = status_of(single.entry, single.others)
    if single.is_group:
        body["receipts"] = {
            "members": len(single.others),
            "delivered": sum(one.has_got >= single.entry.seq for one in single.others),
            "read": sum(one.read_seq >= single.entry.seq for one in single.others),
        }
    return body


def profile_body(user_id: str, profile: Profile, *, hidden: bool) -> dict[str, Any]:
    """`hidden`: whether the user hides their presence, as their session says."""
    quiet = profile.quiet_hours
    hours = None if quiet is None else {"start": quiet.start, "end": quiet.end, "time_zone": quiet.time_zone}
    return {
        "user_id": user_id,
        "display_name": profile.display_name,
        "avatar_url": profile.avatar_url,
        "hide_presence": hidden,
        "groups_from": profile.groups_from,
        "push": {"previews": profile.previews, "quiet_hours": hours},
    }


def contact_body(contact: Contact) -> dict[str, Any]:
    return {
        "user_id": contact.user_id,
        "status": contact.status,
        "alias": contact.alias,
        "since": contact.since,
    }


def contacts_body(contacts: Iterable[Contact]) -> dict[str, Any]:
    return {"contacts": [contact_body(one) for one in contacts]}


def presences_body(found: Sequence[Presence]) -> dict[str, Any]:
    return {"users": [presence_body(one) for one in found]}


def error_body(error: ParleyError, request_id: str) -> dict[str, Any]:
    return {**error_fields(error), "request_id": request_id}
