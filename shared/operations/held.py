"""Messages that were held: who moderates approves them, and they are stored then; or rejects them, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shared.domain import rules
from shared.domain.entries import Entry
from shared.domain.screening import APPROVE, BY_REVIEW, REJECT, Held, HeldPosition, Review
from shared.domain.text import other_member
from shared.errors import Conflict, Forbidden, NotAMember, NotFound
from shared.operations.audiences import audience_behind
from shared.operations.context import Context
from shared.operations.messages import append, tell_stored
from shared.operations.notifications import NotificationRequest, send_notification
from shared.operations.resends import MAX_EXAMINED, Appended, find_stored
from shared.ports.services import RestServices
from shared.ports.stores import Stores

if TYPE_CHECKING:  # a port costs nothing where it is not used
    from shared.ports.screening import HeldMessages

REJECTED_TITLE = "Your message was not accepted"


@dataclass(frozen=True, slots=True)
class HeldPage:
    """Oldest first. `next` is where the next page starts: None where there is nothing more."""

    held: Sequence[Held]
    next: HeldPosition | None


def held_page(after: HeldPosition, limit: int, *, held: HeldMessages) -> HeldPage:
    """A page of the messages that wait. It may be short, where some are decided about meanwhile."""
    found = list(held.waiting(after=after, limit=limit + 1))
    page = found[:limit]
    return HeldPage(page, page[-1].place if len(found) > limit else None)


def held_of(held_id: str, *, held: HeldMessages) -> Held:
    """Raises NotFound."""
    found = held.get(held_id)
    if found is None:
        raise NotFound("There is no such message")
    return found


def decide_held(held_id: str, review: Review, *, stores: Stores, services: RestServices, context: Context) -> Held:
    """Decide about a held message, once, and do what was decided. The same again completes what died half-way.

    An approved one is stored behind all that is there by now, with its client_message_id, and delivered to everyone,
    its sender too; a resend is answered with it. A shadow-banned user's is seen by them alone. Of a rejected one
    its sender gets a notification, kept until they acknowledge it. Raises NotFound (it, or a file of its), and Conflict
    where it was decided otherwise, its sender may not write there any more, or what is rejected is in the log already.
    """
    held = held_of(held_id, held=stores.held)
    if review.decision == APPROVE and held.review is None:
        _audience(held, _tail(held, stores), stores, context)  # or it is not approved
    if review.decision == REJECT and held.review is None and _is_stored(held, stores):
        raise Conflict("This message was sent again, and taken: approve it, or delete it where it is")
    held = stores.held.decide(held_id, review) or held
    made = held.review or review
    if made.decision != review.decision:
        raise Conflict("This message was decided about before")
    if made.decision == APPROVE:
        return _store(held, stores=stores, services=services, context=context)
    asked = NotificationRequest([held.sender_id], REJECTED_TITLE, made.reason, _about(held, made), f"held-{held_id}")
    send_notification(asked, stores=stores, services=services, context=context)
    return held


def _about(held: Held, made: Review) -> dict[str, str]:
    about = {"type": "message_rejected", "conversation_id": held.conversation_id, "held_id": held.held_id}
    about["reason"] = made.reason or BY_REVIEW
    return about if held.client_message_id is None else {**about, "client_message_id": held.client_message_id}


def _is_stored(held: Held, stores: Stores) -> bool:
    """Whether a resend was taken that nothing holds any more. Another message of its id is none."""
    if held.client_message_id is None:
        return False
    try:
        return find_stored(held.message, after=held.base_seq, log=stores.log) is not None
    except Conflict:
        return False


def _tail(held: Held, stores: Stores) -> Entry | None:
    return next(iter(stores.log.read_back(held.conversation_id, limit=1)), None)


def _audience(held: Held, tail: Entry | None, stores: Stores, context: Context) -> rules.Audience:
    """Who is there by now, the sender among them. Raises Conflict where they can't write there any more."""
    if stores.sessions.bars(held.sender_id).ban_at(context.now()) is not None:
        raise Conflict("Its sender is banned")
    other = other_member(held.conversation_id, held.sender_id)
    if other is not None and stores.blocks.blocking([other], held.sender_id):
        raise Conflict("The other side takes no messages of this sender's any more")
    private = rules.Audience.of_private(held.conversation_id)
    if private is not None:
        return private
    try:
        audience = audience_behind(tail, held.conversation_id, held.sender_id, stores=stores, context=context)
        rules.check_sending(held.message, audience, context.limits.matrix)
    except (NotAMember, Forbidden) as exc:
        raise Conflict("Its sender can't write there any more") from exc
    return audience


def _store(held: Held, *, stores: Stores, services: RestServices, context: Context) -> Held:
    """Append it, unless it is there, and tell everyone."""
    if held.seq is not None:
        return held
    draft, tail = held.message, _tail(held, stores)  # read first: what comes behind it is met on the way to a place
    stored = find_stored(draft, after=held.base_seq, log=stores.log, look_at=MAX_EXAMINED)
    if stored is None:
        audience = _audience(held, tail, stores, context)
        is_later = rules.is_told_later(held.conversation_id, audience, context.limits.inline_limit)
        there = tuple(user for user in draft.mentions if user in audience or user in audience.readers)
        is_hidden = draft.shadow or (context.screen is not None and context.screen.is_shadowed(held.sender_id))
        ready = replace(draft, fan_out=is_later, mentions=there, shadow=is_hidden)
        once = draft.client_message_id is not None
        stored = append(ready, base=tail, audience=audience, once=once, stores=stores, context=context)
        stored = Appended(stored.entry, stored.duplicate, audience)
        tell_stored(stored, stores=stores, services=services, context=context)
    stores.held.store(held.held_id, stored.entry.seq)
    return replace(held, seq=stored.entry.seq)
