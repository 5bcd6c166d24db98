"""Read and delivered cursors: cumulative, never backwards, never beyond the head."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.domain.connections import Connection
from shared.domain.entries import Entry, Receipt
from shared.domain.rules import check_possible_member
from shared.domain.text import other_member
from shared.errors import BadRequest, NotAMember
from shared.operations.connections import register
from shared.operations.context import Context
from shared.operations.delivery import broadcast, settle
from shared.ports.services import Services
from shared.ports.stores import ChatStores

READ = "read"
DELIVERED = "delivered"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class MoveCursor:
    kind: str
    user_id: str
    conversation_id: str
    seq: int


def move_cursor(
    command: MoveCursor,
    *,
    connection: Connection | None = None,
    stores: ChatStores,
    services: Services,
    context: Context,
) -> int:
    """Move the user's cursor, and tell the other members and the user's other devices. Returns where it stands now.

    Users whom this one blocks are not told; in groups over the `receipts_limit` only the user's own devices are.
    Backwards succeeds, and does nothing. Raises NotAMember, and BadRequest for a seq beyond the head.
    """
    kind, user_id, conversation_id, seq = command.kind, command.user_id, command.conversation_id, command.seq
    check_possible_member(conversation_id, user_id)
    other = other_member(conversation_id, user_id)
    block = (user_id, other) if other else None
    seqs = [seq] if seq else []
    found = stores.log.lookup(conversation_id, seqs=seqs, member_id=user_id, block=block, consistent=True)
    if found.member is None:
        raise NotAMember
    stands = found.member.read_seq if kind == READ else found.member.has_got
    if seq <= stands:
        return stands
    if seq not in found.entries:
        raise BadRequest("`seq` is beyond the head of this conversation")
    member, entry = found.member, found.entries[seq]
    if kind == READ:
        moved = stores.memberships.move_read(member.with_read(seq, entry.number))
    else:
        moved = stores.memberships.move_delivered(replace(member, delivered_seq=seq))
    if not moved:
        return seq  # another device moved it at least as far in the meantime
    receipt = Receipt(kind, conversation_id, user_id, seq, context.now())
    if other is not None:
        to: tuple[str, ...] = (user_id,) if found.blocked else (user_id, other)
    else:
        to = _of_group(entry, user_id, stores, context.limits.receipts_limit)
    skip = connection.connection_id if connection else ""
    delivered = broadcast(receipt, to=to, skip=skip, stores=stores, services=services, now=receipt.timestamp)
    lost = settle(delivered, connection, services=services, now=context.now())
    if lost is not None:
        register(lost, limit=context.limits.connection_limit, stores=stores, services=services, now=context.now)
    return seq


def _of_group(entry: Entry, user_id: str, stores: ChatStores, limit: int) -> tuple[str, ...]:
    """Who is told. An entry of a large group says so itself, and saves reading who is in it."""
    roster = None if entry.fan_out else stores.memberships.roster(entry.conversation_id)
    if roster is None or len(roster.seats) > limit:
        return (user_id,)
    blocked = set(stores.blocks.of(user_id))
    return tuple(user for user in roster.seats if user not in blocked)
