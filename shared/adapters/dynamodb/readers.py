"""Members of channels in DynamoDB: what they have of one, and their place in its list, a row each."""

from __future__ import annotations

from shared.adapters.dynamodb.client import USER_ID, MembersStore, transact
from shared.adapters.dynamodb.schema import (
    CONVERSATION_ID,
    MAY_END,
    PK,
    SK,
    listed_key,
    listing_key,
    membership_key,
    part_of,
)
from shared.domain.channels import ListedMember
from shared.domain.entries import Entry


class DynamoDbReaders(MembersStore):
    """Readers on the members table. The membership is what counts; the list is read to show it, and to estimate."""

    def join(self, conversation_id: str, user_id: str, *, joined_at: int, head: Entry) -> bool:
        row = {CONVERSATION_ID: conversation_id, USER_ID: user_id, "joined_at": joined_at}
        cursors = {
            MAY_END: True if head.keep_seq is not None else None,
            "joined_seq": head.seq,
            "read_seq": head.seq,
            "read_number": head.number,
            "delivered_seq": head.seq,
        }
        membership = {**membership_key(conversation_id, user_id), **row, **cursors}
        listed = {**listed_key(conversation_id, user_id), **row}
        is_new = f"attribute_not_exists({PK})"
        parts = [
            {"Put": self._table.written(membership, condition=is_new)},
            {"Put": self._table.written(listed)},
        ]
        return transact(self._calls, parts)

    def leave(self, conversation_id: str, user_id: str) -> bool:
        """The role is looked at together with it: who was appointed a moment ago leaves by the log."""
        is_plain = f"attribute_exists({PK}) AND attribute_not_exists(#role)"
        parts = [
            {"Delete": self._table.deleted(membership_key(conversation_id, user_id), condition=is_plain)},
            {"Delete": self._table.deleted(listed_key(conversation_id, user_id))},
        ]
        return transact(self._calls, parts)

    def listed(self, conversation_id: str, part: int, *, after: str = "", limit: int) -> list[ListedMember]:
        start = listing_key(conversation_id, part, after)
        behind, values = start if after else None, {":part": start[PK]}
        items = self._table.query(f"{PK} = :part", values, limit=limit, after=behind, consistent=False)
        return [ListedMember(item[USER_ID], item["joined_at"], item[SK]) for item in items]

    def around(self, conversation_id: str, user_id: str, *, limit: int) -> list[ListedMember]:
        return self.listed(conversation_id, part_of(user_id), limit=limit)
