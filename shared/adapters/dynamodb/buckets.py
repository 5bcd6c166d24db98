"""Token buckets in DynamoDB: one number for each user, or for all together: when the bucket will be full again.

That is the "theoretical arrival time" of the generic cell rate algorithm: taking tokens moves it on, time catches up.
"""

from __future__ import annotations

from typing import Any, Final

from shared.adapters.dynamodb.client import TTL, Calls, MembersStore, Refused, from_item
from shared.adapters.dynamodb.schema import PK, bucket_key
from shared.clock import SECOND_MS
from shared.domain.limits import Lease, Limit

_KEEP_S: Final = 3_600
MESSAGES: Final = "rate"
INVITES: Final = "invites"
REPORTS: Final = "reports"
EXPORTS: Final = "exports"


class DynamoDbBuckets(MembersStore):
    """Buckets on the members table. `row` names which of a user's buckets these are."""

    def __init__(self, calls: Calls, *, members_table: str, row: str = MESSAGES) -> None:
        super().__init__(calls, members_table=members_table)
        self._row = row

    def lease(self, user_id: str, tokens: int, *, limit: Limit, full_at: int, now: int) -> Lease:
        """An expression knows no maximum: a bucket that is full is another update than one that is not yet.

        What the caller knew says which of the two to try first; the refusal of one says whether the other will do.
        """
        for _ in range(2):
            answer = self._take(user_id, tokens, limit, full_at, now)
            if not isinstance(answer, Refused):
                return Lease(given=True, full_at=from_item(answer["Attributes"])["full_at"])
            full_at = (answer.item or {}).get("full_at", 0)
            if limit.wait_ms(tokens, full_at, now):
                break
        return Lease(given=False, full_at=full_at)

    def _take(self, user_id: str, tokens: int, limit: Limit, full_at: int, now: int) -> dict[str, Any] | Refused:
        cost = limit.cost_ms(tokens)
        # Until a bucket that has given all is full again.
        longest_s = round(limit.burst * limit.interval_ms) // SECOND_MS
        values = {":now": now, ":ttl": now // SECOND_MS + longest_s + _KEEP_S}
        if full_at <= now:
            change, condition = "full_at = :full", f"attribute_not_exists({PK}) OR full_at <= :now"
            values[":full"] = now + cost
        else:
            change, condition = "full_at = full_at + :cost", "full_at > :now AND full_at <= :latest"
            values |= {":cost": cost, ":latest": now + round(limit.burst * limit.interval_ms) - cost}
        key, whole = bucket_key(user_id, self._row), f"SET {change}, #{TTL} = :ttl"
        return self._table.update(key, whole, values, condition=condition, returns="UPDATED_NEW")
