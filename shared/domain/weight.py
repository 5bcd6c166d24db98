"""How heavy a message is: the bytes of JSON that it takes wherever it is shown, with all that hangs on it.

Characters are no measure of that: what JSON escapes takes six times as many bytes as it has characters.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Final

from shared.domain.entries import Draft, Entry

# A message has to fit into one frame of 32 KB with what stands around it, and a hundred of them into one HTTP answer.
MAX_MESSAGE_BYTES: Final = 24 * 1_024
# What the parts of a message take at most, for a first look that measures nothing.
_FIXED_BYTES: Final = 3_500  # ids of 128 and 260 characters, and of 128 that are all escaped, numbers, names of fields
_CHARACTER_BYTES: Final = 6
_MENTION_BYTES: Final = 131
_REACTION_BYTES: Final = 64 * _CHARACTER_BYTES + _MENTION_BYTES + 8


def text_bytes(text: str) -> int:
    """What a text takes as JSON in UTF-8, quotes included."""
    return len(json.dumps(text, ensure_ascii=False).encode(errors="surrogatepass"))


def is_too_heavy(entry: Entry) -> bool:
    """Whether a message takes more than `MAX_MESSAGE_BYTES`. Most are not even measured."""
    return _may_be_heavy(entry.content, len(entry.mentions), len(entry.reactions)) and (
        message_bytes(entry) > MAX_MESSAGE_BYTES
    )


def draft_is_too_heavy(draft: Draft, base: Entry | None) -> bool:
    """The same for a message that is to stand behind `base`."""
    if not _may_be_heavy(draft.content, len(draft.mentions), 0):
        return False
    return message_bytes(draft.following(base, base.created_at if base else 0)) > MAX_MESSAGE_BYTES


def message_bytes(entry: Entry) -> int:
    """The bytes of a message as clients get it."""
    numbers = {
        "seq": entry.seq,
        "created_at": entry.created_at,
        "reply_to": entry.reply_to,
        "edited_at": entry.edited_at,
        "deleted_at": entry.deleted_at,
    }
    texts = {
        "id": entry.message_id,
        "conversation_id": entry.conversation_id,
        "sender_id": entry.sender_id,
        "type": entry.message_type,
        "content": entry.content,
        "client_message_id": entry.client_message_id,
        "file_id": entry.file_id,
    }
    sizes = {name: len(str(value)) for name, value in numbers.items() if value is not None}
    sizes |= {name: text_bytes(value) for name, value in texts.items() if value is not None}
    sizes.setdefault("content", len("null"))
    if entry.forwarded:
        sizes["forwarded"] = len("true")
    if entry.mentions:
        sizes["mentions"] = 1 + sum(text_bytes(user_id) + 1 for user_id in entry.mentions)
    if entry.reactions:
        sizes["reactions"] = _reactions_bytes(entry)
    return 1 + sum(len(name) + 4 + size for name, size in sizes.items())


def _reactions_bytes(entry: Entry) -> int:
    """Each emoji with a list of its users."""
    emoji = Counter(one for one, _ in entry.reactions)
    users = sum(len(user_id) + 3 for _, user_id in entry.reactions)
    return 1 + sum(text_bytes(one) + 3 for one in emoji) + users


def _may_be_heavy(content: str | None, mentions: int, reactions: int) -> bool:
    most = _FIXED_BYTES + _CHARACTER_BYTES * len(content or "") + _MENTION_BYTES * mentions
    return most + _REACTION_BYTES * reactions > MAX_MESSAGE_BYTES
