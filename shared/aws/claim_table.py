"""Claims in DynamoDB: for each device and conversation one number, which says what was last pushed, and how often."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from shared.adapters.dynamodb.client import Calls, Refused, conditionally, to_item
from shared.adapters.dynamodb.schema import PK, TTL, pushed_key
from shared.domain.pushes import About, AboutMessage, AboutNotice

MAX_TRIES: Final = 16
_KEEP_S: Final = 30 * 24 * 3_600
_MS: Final = 1_000


class DynamoDbClaims:
    """Claims on the members table. Its time to live takes them away once nobody tries any more."""

    def __init__(
        self, calls: Calls, *, members_table: str, new_nonce: Callable[[], str] = lambda: secrets.token_urlsafe(8)
    ) -> None:
        self._calls = calls
        self._table = members_table
        self._new_nonce = new_nonce

    def claim(self, user_id: str, device_id: str, about: About, *, tries: int, now: int) -> bool:
        """One conditional update. A device gets at most 16 tries of one message: there is no further one to take.

        An update whose answer was lost meets itself: its nonce tells that from somebody else's.
        """
        if tries >= MAX_TRIES:
            return False
        place, seq = _place(about)
        wanted = seq * MAX_TRIES + tries
        nonce = self._new_nonce()
        values = {":claim": wanted, ":nonce": nonce, ":ttl": now // _MS + _KEEP_S}
        if tries:
            condition, values[":last"] = "claim = :last", wanted - 1
        else:
            condition = f"attribute_not_exists({PK}) OR claim < :claim"
        answer = conditionally(
            self._calls,
            "UpdateItem",
            {
                "TableName": self._table,
                "Key": to_item(pushed_key(user_id, device_id, place)),
                "UpdateExpression": "SET claim = :claim, nonce = :nonce, #ttl = :ttl",
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#ttl": TTL},
                "ExpressionAttributeValues": to_item(values),
            },
        )
        return not isinstance(answer, Refused) or (answer.item or {}).get("nonce") == nonce


def _place(about: About) -> tuple[str, int]:
    """What counts up, and how far this is in it. A notice stands alone."""
    match about:
        case AboutMessage():
            return about.conversation_id, about.seq
        case AboutNotice():
            return f"notice#{about.notice_id}", 1
