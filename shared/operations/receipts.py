"""Read and delivered cursors: cumulative, never backwards, never beyond the head."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from shared.domain.connections import Connection
from shared.domain.entries import Entry, ReadAlong, Receipt
from shared.domain.members import Member
from shared.domain.rules import check_possible_member
from shared.domain.text import is_channel_id, other_member
from shared.errors import BadRequest, NotAMember, ParleyError
from shared.operations.connections import register
from shared.operations.context import Context
from shared.operations.delivery import broadcast, report, settle
from shared.operations.resends import Appended
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

    Users whom this one blocks are not told; in groups over the `receipts_limit`, and in channels, only the user's own
    devices are. Backwards succeeds, and does nothing. Raises NotAMember, and BadRequest for a seq beyond the head.
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
    if seq and seq == stands:  # who repeats it may have had no answer
        _tell_team(Receipt(kind, conversation_id, user_id, seq, context.now()), stores, context)
    if seq <= stands:
        return stands
    if seq not in found.entries and _is_gone(found.member, seq, stores):
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
    _tell_team(receipt, stores, context)
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


def _is_gone(member: Member, seq: int, stores: ChatStores) -> bool:
    """Whether an entry that is not there has ended: others are behind it."""
    place = member.conversation_id
    may_end = member.may_end or stores.log.may_end(place)
    return may_end and bool(stores.log.read(place, start=seq, limit=1))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Moved:
    """What became of one cursor of several: where it stands now, or why it could not be moved."""

    kind: str
    conversation_id: str
    seq: int
    refusal: ParleyError | None = None


def move_cursors(
    commands: Iterable[MoveCursor],
    *,
    connection: Connection | None = None,
    stores: ChatStores,
    services: Services,
    context: Context,
) -> list[Moved]:
    """Move cursors one after the other, each on its own: what is refused of one is told, and stops no other."""
    moved = []
    for one in commands:
        try:
            seq = move_cursor(one, connection=connection, stores=stores, services=services, context=context)
        except ParleyError as refusal:
            moved.append(Moved(one.kind, one.conversation_id, one.seq, refusal))
        else:
            moved.append(Moved(one.kind, one.conversation_id, seq))
    return moved


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Along:
    """A stored message with what became of the receipt that came with it, and the event that tells of both."""

    stored: Appended
    event: Entry | ReadAlong


def read_along(
    seq: int, stored: Appended, *, skip: str, stores: ChatStores, services: Services, context: Context
) -> Along:
    """Move the read cursor of a message's sender to `seq`, for all that the message is no reason to fail.

    The message's own event tells of it, where each of those who get that may know. Otherwise it is told as any other
    receipt. `skip` gets the reply. What is beyond the head, or fails, is left out of the answer: the client tells it by
    itself then, and learns why. Costs one write unit and one read unit, and a unit more where `seq` is not the entry
    right before the message; in groups of several members whom the sender blocks, what a receipt costs there.
    """
    try:
        return _read_along(seq, stored, skip=skip, stores=stores, services=services, context=context)
    except Exception as error:  # noqa: BLE001  # whatever it is, the message is stored
        services.observer.failed("receipt with a message not stored", error)
        services.observer.count("ReceiptsNotStored")
        return Along(stored, stored.entry)


def _read_along(
    seq: int, stored: Appended, *, skip: str, stores: ChatStores, services: Services, context: Context
) -> Along:
    entry, reader = stored.entry, stored.entry.sender_id
    number = _number_at(seq, entry, stores)
    if number is None or reader not in stored.audience:
        return Along(stored, entry)
    member = Member(entry.conversation_id, reader, joined_at=0).with_read(seq, number)
    moved = stores.memberships.move_read(member)
    taken = replace(stored, read_seq=seq)
    if moved:
        _tell_team(Receipt(READ, entry.conversation_id, reader, seq, context.now()), stores, context)
    hearers = _hearers(stored, stores, context.limits.receipts_limit)
    if not entry.fan_out and set(stored.audience.members) == set(hearers):
        return Along(taken, ReadAlong(entry, seq))
    if moved:
        receipt = Receipt(READ, entry.conversation_id, reader, seq, context.now())
        told = broadcast(receipt, to=hearers, skip=skip, stores=stores, services=services, now=receipt.timestamp)
        report(told, services=services)
    return Along(taken, entry)


def _tell_team(receipt: Receipt, stores: ChatStores, context: Context) -> None:
    """Nothing, and no call, where the deployment has no events of receipts."""
    if context.limits.receipt_events == "on":
        from shared.operations.about import tell_receipt  # noqa: PLC0415  # few deployments have it

        tell_receipt(receipt, log=stores.log, context=context)


def _number_at(seq: int, entry: Entry, stores: ChatStores) -> int | None:
    """How many messages there are up to `seq`; None where no entry stands there. Right before a message it tells."""
    if seq == entry.seq - 1:
        return entry.number - (entry.shadow is None)  # a message that others don't see counts nothing
    found = stores.log.lookup(entry.conversation_id, seqs=[seq], consistent=True).entries.get(seq)
    return None if found is None else found.number


def _hearers(stored: Appended, stores: ChatStores, limit: int) -> tuple[str, ...]:
    """Who is told of a receipt of the message's sender."""
    entry, members = stored.entry, tuple(stored.audience.members)
    other = other_member(entry.conversation_id, entry.sender_id)
    if other is not None:
        is_blocked = bool(stores.blocks.blocking([entry.sender_id], other))
        return (entry.sender_id,) if is_blocked else members
    if is_channel_id(entry.conversation_id):
        return (entry.sender_id,)
    return _in_group(members, entry.sender_id, stores, limit)


def _of_group(entry: Entry, user_id: str, stores: ChatStores, limit: int) -> tuple[str, ...]:
    """Who is told. An entry of a large group says so itself, and saves reading who is in it; in a channel no one is."""
    is_large = entry.fan_out or is_channel_id(entry.conversation_id)
    roster = None if is_large else stores.memberships.roster(entry.conversation_id)
    return (user_id,) if roster is None else _in_group(roster.seats, user_id, stores, limit)


def _in_group(members: Collection[str], user_id: str, stores: ChatStores, limit: int) -> tuple[str, ...]:
    """Of its members those whom the user does not block; the user alone where it has more than `limit`."""
    if len(members) > limit:
        return (user_id,)
    blocked = set(stores.blocks.of(user_id))
    return tuple(user for user in members if user not in blocked)
