"""Planted bugs in what is moderated: shadow bans, messages that wait, people who decide, and links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.planted.mutation import Bug

BUGS: Final[Sequence[Bug]] = (
    Bug(
        "a hidden message is shown to whoever asks for it",
        "shared/domain/entries.py",
        "        if self.shadow is None or user_id != self.sender_id:\n",
        "        if self.shadow is None:\n",
    ),
    Bug(
        "a hidden message is posted as its sender sees it",
        "shared/operations/messages.py",
        "    delivered = broadcast(event, to=to, skip=skip,",
        "    event = entry.seen_by(entry.sender_id) if entry.shadow is not None else event\n"
        "    delivered = broadcast(event, to=to, skip=skip,",
    ),
    Bug(
        "the sender of a hidden message is told the time that others see",
        "shared/wire/events.py",
        '"timestamp": entry.seen_by(entry.sender_id).created_at,',
        '"timestamp": entry.created_at,',
    ),
    Bug(
        "an approved message of a shadow-banned user is seen by all",
        "shared/operations/held.py",
        "mentions=there, shadow=is_hidden)",
        "mentions=there, shadow=False)",
    ),
    Bug(
        "what others have approved meanwhile is approved again",
        "shared/operations/held.py",
        "        audience = _audience(held, tail, stores, context)\n",
        "        tail = _tail(held, stores)\n        audience = _audience(held, tail, stores, context)\n",
    ),
    Bug(
        "a verdict is not kept",
        "shared/operations/screening.py",
        "        return asking.verdicts.settle(name, verdict, nonce=nonce)",
        "        asking.verdicts.release(name, nonce=nonce)\n        return verdict",
    ),
    Bug(
        "a link lets in one more than it is for",
        "shared/adapters/dynamodb/effects.py",
        "(attribute_not_exists(max_uses) OR #uses < max_uses)",
        "(attribute_not_exists(max_uses) OR #uses <= max_uses)",
    ),
    Bug(
        "the device that wrote a message does not hear what was made of it",
        "shared/operations/messages.py",
        '        but = "" if stored.changed else skip',
        "        but = skip",
    ),
)
