"""A channel's packs in DynamoDB: one row, and one conditional write for each step.

`claimed` is the entry whose claim is the latest, `taken` the one whose pack was begun: while that is less, the claim
covers all that is stored.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from shared.adapters.dynamodb.client import Item, MembersStore, Refused, from_item
from shared.adapters.dynamodb.schema import PK, pack_key
from shared.domain.packs import Claimed, Taken

# So long after it was due a claim that nobody has taken is one whose message was lost.
_STALE_MS: Final = 60_000


class DynamoDbPacks(MembersStore):
    """Packs on the members table."""

    def claim(self, conversation_id: str, seqs: Collection[int], *, now: int) -> Claimed | None:
        seq = max(seqs)
        change = "SET claimed = :seq, claimed_at = :now, taken = if_not_exists(taken, :none)"
        is_free = "taken >= claimed AND claimed < :seq"
        is_stale = "claimed < :seq AND claimed_at < :stale AND (attribute_not_exists(next_at) OR next_at < :stale)"
        values = {":seq": seq, ":now": now, ":none": 0, ":stale": now - _STALE_MS}
        condition = f"attribute_not_exists({PK}) OR {is_free} OR {is_stale}"
        answer = self._table.update(pack_key(conversation_id), change, values, condition=condition, returns="ALL_NEW")
        if not isinstance(answer, Refused):
            return Claimed(seq, max(now, from_item(answer["Attributes"]).get("next_at", 0)))
        row = answer.item or {}
        claimed = int(row.get("claimed", 0))
        if claimed in seqs and row.get("taken", 0) < claimed:
            return Claimed(claimed, max(now, row.get("next_at", 0)))
        return None

    def take(self, conversation_id: str, seq: int, *, now: int, next_at: int) -> Taken | None:
        values = {":seq": seq, ":now": now, ":next": next_at}
        is_due = "claimed = :seq AND (attribute_not_exists(next_at) OR next_at <= :now)"
        change = "SET taken = :seq, next_at = :next"
        answer = self._table.update(pack_key(conversation_id), change, values, condition=is_due, returns="ALL_NEW")
        if not isinstance(answer, Refused):
            return Taken(from_item(answer["Attributes"]).get("posted", 0))
        row: Item = answer.item or {}
        return Taken(row.get("posted", 0), row["next_at"]) if row.get("claimed") == seq else None

    def note_posted(self, conversation_id: str, seq: int, *, next_at: int) -> None:
        values = {":seq": seq, ":next": next_at}
        is_further = "attribute_not_exists(posted) OR posted < :seq"
        change = "SET posted = :seq, next_at = :next"
        self._table.update(pack_key(conversation_id), change, values, condition=is_further)

    def posted(self, conversation_id: str) -> int:
        row = self._table.get(pack_key(conversation_id))
        return 0 if row is None else int(row.get("posted", 0))
