"""Who gets a push for a stored message: every other member without a live connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.chat.identifiers import private_members
from shared.connection.models import live
from shared.connection.ports import Sessions
from shared.errors import Unavailable
from shared.notification.models import Push, StoredMessage
from shared.notification.ports import PushGateway


def recipients(message: StoredMessage) -> tuple[str, ...]:
    """Everyone but the sender. None for an id that is no private conversation's."""
    members = private_members(message.conversation_id) or ()
    return tuple(member for member in members if member != message.sender_id)


@dataclass(frozen=True, slots=True)
class Pushed:
    """How many pushes were made, and the index of the message that could not be pushed (None: all were)."""

    count: int
    failed_at: int | None


def push_to_absent(
    messages: Sequence[StoredMessage], *, sessions: Sessions, push_gateway: PushGateway, now: int
) -> Pushed:
    """Push each message, in order, to its recipients without a live connection.

    One strongly consistent read covers the recipients of all messages; nothing is written. Stops at the first message
    whose push fails for the moment, so that a retry from there pushes nothing twice.
    """
    if not messages:
        return Pushed(0, None)
    known = sessions.of({user_id for message in messages for user_id in recipients(message)})
    count = 0
    for index, message in enumerate(messages):
        for user_id in recipients(message):
            if live(known.get(user_id, ()), now):
                continue
            try:
                push_gateway.push(Push(user_id, message))
            except Unavailable:
                return Pushed(count, index)
            count += 1
    return Pushed(count, None)
