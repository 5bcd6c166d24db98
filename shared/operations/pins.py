"""Pinned messages: a few of a conversation that its members want at hand. Each pin, and its end, is an entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain import rules
from shared.domain.changes import Change, Updated
from shared.domain.entries import Entry
from shared.domain.rules import check_possible_member
from shared.errors import Conflict, NotAMember
from shared.operations.changes import Changed, announce, change
from shared.operations.context import Context
from shared.operations.editing import Pinning, message_at
from shared.ports.conversations import Pin
from shared.ports.services import Services
from shared.ports.stores import ChatStores

MAX_PINS: Final = 50


@dataclass(frozen=True, slots=True)
class Pinned:
    """A pin, and the message as it is now."""

    pin: Pin
    message: Entry


def pin(command: Pinning, *, stores: ChatStores, services: Services, context: Context) -> Changed:
    """Pin a message, or take the pin off. What is so already changes nothing. Deleting a message takes its pin along.

    Raises NotAMember, Forbidden (role), Blocked, NotFound (no such message), Conflict (too many, or too heavy).
    """
    conversation_id, seq = command.conversation_id, command.seq

    def decide(audience: rules.Audience) -> Change | None:
        message = rules.check_readable(message_at(command, audience, stores))
        rules.check_may("pin", command.user_id, audience, context.limits.matrix)
        if (message.pinned_at is None) == command.remove:
            return None
        if not command.remove:
            rules.check_markable(message, now=context.now())
            if len(_pinned(conversation_id, stores)) >= MAX_PINS:
                raise Conflict(f"A conversation has at most {MAX_PINS} pinned messages")
        return Updated.of_pin(seq, removed=command.remove)

    changed = change(conversation_id, user_id=command.user_id, decide=decide, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    return changed


def pins_of(conversation_id: str, *, user_id: str, stores: ChatStores) -> Sequence[Pinned]:
    """What is pinned, the latest pin first: two reads, and the messages. Raises NotAMember."""
    check_possible_member(conversation_id, user_id)
    member = stores.memberships.get(conversation_id, user_id)
    if member is None:
        raise NotAMember
    shown = [one for one in _pinned(conversation_id, stores) if one.pin.seq >= member.visible_from]
    return sorted(shown, key=lambda one: (one.pin.pinned_at, one.pin.seq), reverse=True)


def _pinned(conversation_id: str, stores: ChatStores) -> list[Pinned]:
    """Without those that a version deleted which knows of no pins."""
    pins = stores.log.pins(conversation_id)
    messages = stores.log.fetch([(conversation_id, pin.seq) for pin in pins]) if pins else {}
    found = [(pin, messages.get((conversation_id, pin.seq))) for pin in pins]
    return [Pinned(pin, message) for pin, message in found if message is not None and message.is_readable]
