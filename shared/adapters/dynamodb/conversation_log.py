"""The conversation log in DynamoDB: one conditional put to append, one query to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import (
    TTL,
    Calls,
    Item,
    Refused,
    Table,
    batch_get,
    conditionally,
    from_item,
    set_to,
)
from shared.adapters.dynamodb.effects import effects
from shared.adapters.dynamodb.memberships import joining, member_from
from shared.adapters.dynamodb.schema import BLOCK_PREFIX, CONVERSATION_ID, ENDS, IMPORTED, PK, SEQ, SK
from shared.clock import DAY_MS, SECOND_MS, now_ms, whole_seconds
from shared.domain.changes import Added
from shared.domain.entries import NOTHING_SAID, Entry
from shared.errors import NotFound, Unavailable
from shared.ports.conversations import CLAIM_MS, FIRST, Ending, Glance, Lookup, Pin, Place, Seat

if TYPE_CHECKING:  # few deployments trim their logs
    from shared.domain.retention import Trimming

# How long a message without `after` is told from its resend. Longer than any client keeps one unanswered.
NOTED_MS: Final = 90 * DAY_MS
# Longer than any clock is off, so that no claim that still counts is deleted.
_CLAIM_KEPT_S: Final = 86_400
_REFUSED: Final = "ConditionalCheckFailed"
_FREE: Final = f"attribute_not_exists({SEQ})"


class DynamoDbConversationLog:
    """ConversationLog on the log table, and the members table for what is read or written together with it."""

    def __init__(self, calls: Calls, *, log_table: str, members_table: str, trimming: Trimming | None = None) -> None:
        """`trimming`: how long entries are kept; None: for good."""
        self._calls = calls
        self._log = Table(calls, log_table)
        self._members = Table(calls, members_table)
        self._trimming = trimming

    def _read(self, item: Item) -> Entry:
        return seen(schema.entry_from(item), item.get(ENDS), self._trimming)

    def may_end(self, conversation_id: str) -> bool:
        return self._trimming is not None and self._trimming.applies_to(conversation_id)

    def ending(self, conversation_id: str, seq: int) -> Ending | None:
        keys = {
            self._log.name: [schema.entry_key(conversation_id, seq)],
            self._members.name: [schema.hold_key(conversation_id)],
        }
        found = batch_get(self._calls, keys, consistent=True)
        item = next(iter(found[self._log.name]), None)
        if item is None or ENDS in item:
            return None
        entry = schema.entry_from(item)
        ends_at = _any(self._trimming).retention.ends_at(entry)
        return None if ends_at is None else Ending(entry, ends_at, bool(found[self._members.name]))

    def settle_end(self, conversation_id: str, seq: int, *, at: int, goes_at: int | None) -> None:
        said = {ENDS: whole_seconds(at)}
        if seq != FIRST and goes_at is not None:
            said[TTL] = whole_seconds(goes_at)
        change, values = set_to(said)
        is_there = f"attribute_exists({SEQ}) AND attribute_not_exists({ENDS})"
        self._log.update(schema.entry_key(conversation_id, seq), change, values, condition=is_there)

    def put(
        self, entry: Entry, *, new_members: Sequence[str] = (), once: bool = False, imported: bool = False
    ) -> Entry | None:
        item = schema.entry_item(entry)
        if imported:
            item[IMPORTED] = True
        put = self._log.written(item, condition=_FREE)
        together = [self._note(entry, for_good=imported)] if once else []
        if not entry.stands_alone:
            together += effects(entry, log=self._log, members=self._members)
        if new_members:
            together += joining(
                self._members,
                entry.conversation_id,
                new_members,
                joined_at=entry.created_at,
                may_end=entry.keep_seq is not None,
            )
        if together:
            return self._put_together(put, together, entry, once=once)
        answer = conditionally(self._calls, "PutItem", put)
        if not isinstance(answer, Refused):
            return None
        if answer.item is None:
            raise Unavailable  # it is not stored, so it must not be acked, though nothing says what is in its place
        return self._read(answer.item)

    def _put_together(
        self, put: dict[str, Any], together: list[dict[str, Any]], entry: Entry, *, once: bool = False
    ) -> Entry | None:
        """`once`: the first of `together` is the note, which counts before the place: it says which entry it is."""
        first = {"Put": {**put, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}
        # The token makes a repeated call the same one, for ten minutes; after those the condition tells.
        parts = [first, *together]
        request = {"TransactItems": parts, "ClientRequestToken": token_of(entry.nonce, parts)}
        try:
            self._calls.call("TransactWriteItems", request)
        except ServiceError as error:
            if error.code != "TransactionCanceledException":
                raise
            reasons = error.body.get("CancellationReasons") or [{}]
            if once and "Item" in reasons[1]:
                note = from_item(reasons[1]["Item"])
                return self._named_by(note, entry.sender_id, entry.client_message_id or "")
            if "Item" in reasons[0]:
                return self._read(from_item(reasons[0]["Item"]))
            if any(reason.get("Code") == _REFUSED for reason in reasons[1:]):
                # Nothing else in here has a condition.
                raise NotFound(f"There is no such {_conditional(entry)}") from error
            raise
        return None

    def empty_hidden(self, conversation_id: str, seq: int) -> None:
        key, values = schema.entry_key(conversation_id, seq), {":nothing": NOTHING_SAID}
        self._log.update(key, "SET shadow = :nothing", values, condition="attribute_exists(shadow)")

    def claim(self, conversation_id: str, seq: int, *, now: int) -> bool:
        change = f"SET {SEQ} = :seq, held_until = :until, #{TTL} = :ttl"
        is_free = f"attribute_not_exists({PK}) OR {SEQ} < :seq OR held_until <= :now"
        values = {":seq": seq, ":until": now + CLAIM_MS, ":now": now, ":ttl": now // SECOND_MS + _CLAIM_KEPT_S}
        claimed = self._members.update(schema.turn_key(conversation_id), change, values, condition=is_free)
        return not isinstance(claimed, Refused)

    def noted(self, conversation_id: str, sender_id: str, client_message_id: str) -> Entry | None:
        note = self._members.get(schema.sent_key(conversation_id, sender_id, client_message_id))
        return None if note is None else self._named_by(note, sender_id, client_message_id)

    def _note(self, entry: Entry, *, for_good: bool = False) -> dict[str, Any]:
        note = {
            **schema.sent_key(entry.conversation_id, entry.sender_id, entry.client_message_id or ""),
            CONVERSATION_ID: entry.conversation_id,
            SEQ: entry.seq,
            TTL: None if for_good else (entry.created_at + NOTED_MS) // SECOND_MS,
        }
        put = self._members.written(note, condition=f"attribute_not_exists({PK})")
        return {"Put": {**put, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}

    def _named_by(self, note: Item, sender_id: str, client_message_id: str) -> Entry:
        """The entry that a note names. Raises Unavailable where it can't be read: it is not to be stored again."""
        place = note[CONVERSATION_ID], note[SEQ]
        found = self.fetch([place])
        if place in found:
            return found[place]
        trimming, until = self._trimming, note.get(TTL)
        noted_at = 0 if until is None else until * SECOND_MS - NOTED_MS
        has_ended = trimming is not None and trimming.has_trimmed(place[0], noted_at)
        # By a rule of its own, too, rows go only once their entries have ended: its last entry tells of one.
        if not has_ended and all(tail.keep_seq is None for tail in self.read_back(place[0], limit=1)):
            raise Unavailable
        return _any(trimming).gone(place, sender_id, client_message_id, noted_at)

    def lookup(
        self,
        conversation_id: str,
        *,
        seqs: Sequence[int],
        member_id: str | None = None,
        block: tuple[str, str] | None = None,
        consistent: bool = False,
    ) -> Lookup:
        keys: dict[str, list[Item]] = {}
        if seqs:
            keys[self._log.name] = [schema.entry_key(conversation_id, seq) for seq in sorted(set(seqs))]
        if member_id is not None:
            keys.setdefault(self._members.name, []).append(schema.membership_key(conversation_id, member_id))
        if block is not None:
            keys.setdefault(self._members.name, []).append(schema.block_key(*block))
        found = batch_get(self._calls, keys, consistent=consistent)
        entries = map(self._read, found.get(self._log.name, ()))
        rows = found.get(self._members.name, ())
        blocked = [row for row in rows if row[SK].startswith(BLOCK_PREFIX)]
        members = [member_from(row) for row in rows if row not in blocked]
        return Lookup({entry.seq: entry for entry in entries}, members[0] if members else None, bool(blocked))

    def fetch(self, places: Collection[Place], *, consistent: bool = True) -> Mapping[Place, Entry]:
        keys = (schema.entry_key(*place) for place in sorted(set(places)))
        entries = map(self._read, self._log.find(keys, consistent=consistent))
        return {(entry.conversation_id, entry.seq): entry for entry in entries}

    def glance(self, places: Collection[Place], seats: Collection[Seat]) -> Glance:
        keys = {
            self._log.name: [schema.entry_key(*place) for place in sorted(set(places))],
            self._members.name: [schema.membership_key(*seat) for seat in sorted(set(seats))],
        }
        found = batch_get(self._calls, keys, consistent=False)
        entries = map(self._read, found[self._log.name])
        members = map(member_from, found[self._members.name])
        return Glance(
            {(entry.conversation_id, entry.seq): entry for entry in entries},
            {(member.conversation_id, member.user_id): member for member in members},
        )

    def read(self, conversation_id: str, *, start: int, limit: int) -> list[Entry]:
        values = {":id": conversation_id, ":seq": start}
        items = self._log.query(f"{CONVERSATION_ID} = :id AND {SEQ} >= :seq", values, limit=limit)
        return list(map(self._read, items))

    def pins(self, conversation_id: str) -> list[Pin]:
        items = self._members.query(f"{PK} = :pins", {":pins": schema.pin_key(conversation_id, 0)[PK]})
        return [schema.read_as(Pin, item) for item in items]

    def read_back(self, conversation_id: str, *, before: int | None = None, limit: int) -> list[Entry]:
        condition = f"{CONVERSATION_ID} = :id" + ("" if before is None else f" AND {SEQ} < :seq")
        values = {":id": conversation_id, ":seq": before}
        return list(map(self._read, self._log.query(condition, values, limit=limit, backwards=True)))


def seen(entry: Entry, ends: int | None, trimming: Trimming | None) -> Entry:
    """An entry as it is read: what has ended says nothing. `ends` is when that was settled to be (s), if it was."""
    if trimming is None and ends is None and entry.keep_days is None:
        return entry
    return _any(trimming).seen(entry, ends)


def _any(trimming: Trimming | None) -> Trimming:
    """Also where the deployment has none: loaded with the first conversation that has a rule of its own."""
    if trimming is not None:
        return trimming
    from shared.domain.retention import for_good  # noqa: PLC0415  # few conversations trim their logs

    return for_good(now_ms)


def _conditional(entry: Entry) -> str:
    """What an entry rests on that comes and goes beside the log."""
    match entry.change:
        case None:
            return "file"
        case Added(requested=True):
            return "request"
        case Added():
            return "invite any more"
        case _:
            return "member"


def token_of(nonce: str, parts: Sequence[Mapping[str, Any]]) -> str:
    """Names one attempt: another one of the same nonce, elsewhere or at the same time, is another request.

    Under one token two requests that differ anywhere are an error to DynamoDB, and none of a caller's.
    """
    return blake2b(f"{nonce}\x00{parts}".encode(errors="surrogatepass"), digest_size=16).hexdigest()
