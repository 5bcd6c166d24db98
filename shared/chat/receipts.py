"""Read and delivered cursors: cumulative, never backwards, never beyond the head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shared.chat.delivery import Delivered, Event, broadcast
from shared.chat.models import Entry, Member, Receipt
from shared.chat.ports import ConversationLog, Memberships
from shared.chat.rules import check_participant
from shared.connection.ports import Gateway, Sessions
from shared.errors import BadRequest, NotAMember

READ = "read"
DELIVERED = "delivered"


@dataclass(frozen=True, slots=True)
class Moved:
    """`seq` is where the cursor stands now. `delivered` is None where it did not move: then nobody is told."""

    seq: int
    delivered: Delivered | None


def move_cursor(
    kind: str,
    *,
    user_id: str,
    conversation_id: str,
    seq: int,
    connection_id: str,
    log: ConversationLog,
    memberships: Memberships,
    sessions: Sessions,
    gateway: Gateway,
    encode: Callable[[Event], bytes],
    now: int,
) -> Moved:
    """Move the user's `kind` cursor up to `seq`, and tell the other members and the user's other devices.

    Backwards is a no-op that succeeds. Raises NotAMember, and BadRequest for a seq beyond the head.
    """
    members = check_participant(conversation_id, user_id)
    found = log.lookup(conversation_id, seqs=[seq] if seq else [], member_id=user_id, consistent=True)
    if found.member is None:
        raise NotAMember
    stands = found.member.read_seq if kind == READ else max(found.member.delivered_seq, found.member.read_seq)
    if seq <= stands:
        return Moved(stands, None)
    if seq not in found.entries:
        raise BadRequest("`seq` is beyond the head of this conversation")
    moved = _moved(kind, found.member, found.entries[seq])
    if not (memberships.move_read(moved) if kind == READ else memberships.move_delivered(moved)):
        return Moved(seq, None)  # another device moved it at least as far in the meantime
    receipt = Receipt(kind, conversation_id, user_id, seq, now)
    delivered = broadcast(
        receipt, to=members, skip=connection_id, sessions=sessions, gateway=gateway, encode=encode, now=now
    )
    return Moved(seq, delivered)


def _moved(kind: str, member: Member, entry: Entry) -> Member:
    if kind == READ:
        return member.with_read(entry.seq, entry.number)
    return replace(member, delivered_seq=entry.seq)
