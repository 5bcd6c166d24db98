"""What a push says: keys of texts that the app has (docs/push.md); text of messages only where previews are on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from shared.domain.contacts import Profile
from shared.domain.entries import Entry
from shared.domain.members import Group, Member, is_in_inbox, unread
from shared.domain.notifications import About, AboutMessage, Notification
from shared.domain.pushes import Wording
from shared.domain.text import has_roles, is_mentioned
from shared.operations.heads import heads_of
from shared.ports.services import PresenceServices
from shared.ports.stores import Stores

# In a group each of the first four is PARLEY_GROUP_…: see `_about_message`.
MESSAGE_KEY: Final = "PARLEY_MESSAGE"
MENTION_KEY: Final = "PARLEY_MENTION"
REPLY_KEY: Final = "PARLEY_REPLY"
REMINDER_KEY: Final = "PARLEY_REMINDER"
NOTICE_KEY: Final = "PARLEY_NOTICE"
BODY_KEYS: Final = {
    "text": "PARLEY_TEXT",
    "image": "PARLEY_IMAGE",
    "audio": "PARLEY_AUDIO",
    "video": "PARLEY_VIDEO",
    "file": "PARLEY_FILE",
}

_MAX_COLLAPSE_ID: Final = 64
# One read unit or two for each conversation. Who has more of them keeps the number that the icon has.
MAX_COUNTED: Final = 200


def message_wording(
    entry: Entry, user_id: str, *, replied_to: Entry | None, sender: Profile, group: Group | None, previews: bool
) -> Wording:
    """A message as `user_id` hears of it. `replied_to` is the message that it replies to."""
    key = MESSAGE_KEY
    if replied_to is not None and replied_to.sender_id == user_id:
        key = REPLY_KEY
    if is_mentioned(user_id, entry.mentions):
        key = MENTION_KEY
    return _about_message(key, entry, sender=sender, group=group, previews=previews)


def notification_wording(notification: Notification, *, previews: bool) -> Wording:
    if not previews:
        return Wording(NOTICE_KEY)
    return Wording(None, title=notification.title, body=notification.body or None)


def reminder_wording(entry: Entry, *, sender: Profile, group: Group | None, previews: bool) -> Wording:
    """A reminder of a message: whose it is, and what it says where the user wants to see that."""
    return _about_message(REMINDER_KEY, entry, sender=sender, group=group, previews=previews)


def _about_message(key: str, entry: Entry, *, sender: Profile, group: Group | None, previews: bool) -> Wording:
    args = [sender.display_name or entry.sender_id]
    if has_roles(entry.conversation_id):
        key = key.replace("PARLEY_", "PARLEY_GROUP_")
        args.append(group.name if group else "")
    content = entry.content if previews else None
    body_key = BODY_KEYS.get(entry.message_type, BODY_KEYS["text"])
    return Wording(key, tuple(args), body_key=None if content else body_key, body=content)


def shown_as(about: About) -> str:
    """What stands on a device once: a conversation, whichever of its messages was pushed, or a notification."""
    return about.conversation_id if isinstance(about, AboutMessage) else f"notice:{about.notification_id}"


def collapse_id(name: str) -> str:
    """At most 64 bytes for a conversation or a notification: its own id where that is short enough."""
    return name if len(name) <= _MAX_COLLAPSE_ID else blake2b(name.encode(), digest_size=16).hexdigest()


def push_id(user_id: str, device_id: str, about: About) -> str:
    """The same for every attempt to push this to this device."""
    what = (
        f"{about.conversation_id}/{about.seq}" if isinstance(about, AboutMessage) else f"notice/{about.notification_id}"
    )
    return str(uuid5(NAMESPACE_URL, f"parley:{user_id}/{device_id}/{what}"))


@dataclass(frozen=True, slots=True)
class Badge:
    """`total` is None where it was not counted. `of` has each counted conversation's own number."""

    total: int | None
    of: dict[str, int]


def badge_of(
    user_id: str, *, heads: Mapping[str, Entry] | None = None, stores: Stores, services: PresenceServices, now: int
) -> Badge:
    """Unread messages of the inbox, without what is muted: one query, and the heads of those not in `heads`."""
    known = heads or {}
    counted = [member for member in stores.memberships.of_user(user_id) if not member.preferences.is_muted(now)]
    if len(counted) > MAX_COUNTED:
        return Badge(None, {})
    unknown = [member for member in counted if member.conversation_id not in known]
    found = heads_of(unknown, stores=stores, services=services)

    def count(member: Member) -> int:
        conversation_id = member.conversation_id
        head = known[conversation_id] if conversation_id in known else found[conversation_id].entry
        return unread(member, head) if is_in_inbox(member, head) else 0

    numbers = {member.conversation_id: count(member) for member in counted}
    return Badge(sum(numbers.values()), numbers)
