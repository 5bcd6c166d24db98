"""How the chat shows what happens: one line each, with nothing in it that could move the cursor."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from parley_client.events import (
    ConversationUpdated,
    Entry,
    MembersAdded,
    MembersRemoved,
    Message,
    MessageDeleted,
    MessageEdited,
    Notification,
    Reaction,
)
from parley_client.terminal import harmless

_STEP: Final = 1_000


def message_line(message: Message, *, me: str | None = None, tick: str = "") -> str:
    """A message as it is now, with the number that /edit, /delete and /react take."""
    text = "(deleted)" if message.content is None else harmless(said(message))
    answers = f"(to #{message.reply_to}) " if message.reply_to is not None and message.content is not None else ""
    marks = ["mentions you"] if me in message.mentions else []
    marks += [name for name, there in (("forwarded", message.forwarded), ("edited", message.edited_at)) if there]
    marks += [f"{harmless(emoji)} {len(users)}" for emoji, users in message.reactions.items()]
    more = f"  ({', '.join(marks)})" if marks and message.content is not None else ""
    time = datetime.fromtimestamp(message.created_at / 1_000).astimezone().strftime("%H:%M:%S")
    ending = f"  {tick}" if tick else ""
    return f"{time} #{message.seq} {harmless(message.sender_id)}: {answers}{text}{more}{ending}"


def said(message: Message) -> str:
    """The words of a message; before those of one with a file, what it is and how to get it."""
    file = f"[{message.type}: /get {message.seq}]" if message.file_id else ""
    return " ".join(part for part in (file, message.content) if part)


def notification_line(notification: Notification) -> str:
    """One line, with the message that a reminder is about."""
    if notification.kind == "reminder":
        where = harmless(notification.conversation_id or "")
        return f"* {harmless(notification.title)}: #{notification.seq} of {where}"
    body = f": {harmless(notification.body)}" if notification.body else ""
    return f"* {harmless(notification.title)}{body}"


def size_of(number: int) -> str:
    """Bytes, for people."""
    size = float(number)
    for unit in ("bytes", "KB", "MB"):
        if size < _STEP:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= _STEP
    return f"{size:.1f} GB"


def line_of(entry: Entry) -> str | None:
    """Any other entry; None where there is nothing to show."""
    what = _what_happened(entry)
    return f"* {what}" if what else None


def _what_happened(entry: Entry) -> str | None:
    text: str | None = None
    match entry:
        case MessageEdited(content=""):
            text = f"{harmless(entry.user_id)} took the words of #{entry.message_seq} away"
        case MessageEdited(content=str(content)):
            text = f"{harmless(entry.user_id)} edited #{entry.message_seq}: {harmless(content)}"
        case MessageDeleted():
            text = f"{harmless(entry.user_id)} deleted #{entry.message_seq}"
        case Reaction(removed_by=str(by)):
            text = f"{harmless(by)} took {harmless(entry.emoji)} of {harmless(entry.user_id)} off #{entry.message_seq}"
        case Reaction():
            what = "took back" if entry.removed else "reacted with"
            text = f"{harmless(entry.user_id)} {what} {harmless(entry.emoji)} on #{entry.message_seq}"
        case MembersAdded(seq=1):
            text = f"{harmless(entry.user_id)} created {harmless(entry.name or 'a group')} with {_listed(entry.users)}"
        case MembersAdded():
            text = f"{harmless(entry.user_id)} added {_listed(entry.users)}"
        case MembersRemoved():
            left = entry.users == (entry.user_id,)
            text = f"{harmless(entry.user_id)} {'left' if left else f'removed {_listed(entry.users)}'}"
        case ConversationUpdated():
            text = _updated(entry)
    return text


def _updated(entry: ConversationUpdated) -> str | None:
    who = harmless(entry.user_id)
    if entry.name is not None:
        return f"{who} renamed the group to {harmless(entry.name)}"
    if entry.pinned is not None:
        return f"{who} pinned #{entry.pinned}"
    if entry.unpinned is not None:
        return f"{who} unpinned #{entry.unpinned}"
    roles = ", ".join(f"{harmless(user)} {harmless(role)}" for user, role in entry.roles.items())
    return f"{who} made {roles}" if roles else None


def _listed(users: Iterable[str]) -> str:
    return ", ".join(map(harmless, users))
