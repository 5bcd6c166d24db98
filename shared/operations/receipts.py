"""Read and delivered cursors: cumulative, never backwards, never beyond the head."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.domain.entries import Entry, Receipt
from shared.domain.identifiers import other_member
from shared.domain.members import Member, check_possible_member
from shared.errors import BadRequest, NotAMember
from shared.operations.delivery import Delivered, Posting, broadcast
from shared.ports.conversations import ConversationLog, Memberships
from shared.ports.people import Blocks

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
    audience_limit: int,
    log: ConversationLog,
    memberships: Memberships,
    blocks: Blocks,
    posting: Posting,
    now: int,
) -> Moved:
    """Move the user's `kind` cursor up to `seq`, and tell the other members and the user's other devices.

    Whom the user blocks is not told; in groups over `audience_limit` members only the user's own devices are.
    Backwards is a no-op that succeeds. Raises NotAMember, and BadRequest for a seq beyond the head.
    """
    check_possible_member(conversation_id, user_id)
    other = other_member(conversation_id, user_id)
    block = (user_id, other) if other else None
    seqs = [seq] if seq else []
    found = log.lookup(conversation_id, seqs=seqs, member_id=user_id, block=block, consistent=True)
    if found.member is None:
        raise NotAMember
    stands = found.member.read_seq if kind == READ else found.member.has_got
    if seq <= stands:
        return Moved(stands, None)
    if seq not in found.entries:
        raise BadRequest("`seq` is beyond the head of this conversation")
    moved = _moved(kind, found.member, found.entries[seq])
    if not (memberships.move_read(moved) if kind == READ else memberships.move_delivered(moved)):
        return Moved(seq, None)  # another device moved it at least as far in the meantime
    receipt = Receipt(kind, conversation_id, user_id, seq, now)
    if other is not None:
        to: tuple[str, ...] = (user_id,) if found.blocked else (user_id, other)
    else:
        to = _of_group(found.entries[seq], user_id, audience_limit, memberships, blocks)
    return Moved(seq, broadcast(receipt, to=to, skip=connection_id, posting=posting, now=now))


def _of_group(entry: Entry, user_id: str, limit: int, memberships: Memberships, blocks: Blocks) -> tuple[str, ...]:
    """Who is told. An entry of a large group says so itself, and saves reading who is in it."""
    roster = None if entry.fan_out else memberships.roster(entry.conversation_id)
    if roster is None or len(roster.seats) > limit:
        return (user_id,)
    blocked = set(blocks.of(user_id))
    return tuple(user for user in roster.seats if user not in blocked)


def _moved(kind: str, member: Member, entry: Entry) -> Member:
    if kind == READ:
        return member.with_read(entry.seq, entry.number)
    return replace(member, delivered_seq=entry.seq)
