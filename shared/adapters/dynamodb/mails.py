"""Mail digests in DynamoDB: a row under each user who has or had an address, and one for each look that waits.

The looks are the outbox: each stays until it is carried out. The row under the user has the claim, changed on condition
of what it was; it is never taken away by a time to live, since it also says what was mailed already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from secrets import token_hex
from typing import Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import USER_ID, Item, MembersStore, Refused
from shared.adapters.dynamodb.memberships import member_from
from shared.adapters.dynamodb.schema import PK, SK, read_as
from shared.adapters.dynamodb.users import profile_from
from shared.domain.mails import MailLook, MailStanding, MailState
from shared.domain.users import User

_RECORD: Final = schema.record_key("")[SK]


class DynamoDbMails(MembersStore):
    parts: Final = 4

    def unscheduled(self, user_ids: Collection[str], *, now: int) -> Sequence[str]:
        """One that is due may have been carried out already, and then nobody would look at what came since."""
        rows = self._table.find(map(schema.mail_key, sorted(user_ids)), consistent=False)
        return [
            str(row[PK]).removeprefix(schema.USER_PREFIX)
            for row in rows
            if row.get("addressed") and "stopped" not in row and row.get("due_at", 0) <= now
        ]

    def schedule(self, look: MailLook) -> None:
        """The look first: should the note of it be lost, there is one more of them, and not one too few."""
        self._table.put({**self._look_key(look), USER_ID: look.user_id})
        key, values = schema.mail_key(look.user_id), {":at": look.at, ":yes": True}
        self._table.update(key, "SET due_at = :at", values, condition="addressed = :yes")

    def due(self, part: int, *, until: int, after: MailLook | None, limit: int) -> Sequence[MailLook]:
        values = {":part": schema.mail_look_key(part, 0, "")[PK], ":end": f"{until + 1:016}"}
        start = None if after is None else self._look_key(after)
        rows = self._table.query(f"{PK} = :part AND {SK} < :end", values, limit=limit, after=start)
        return [MailLook(row[USER_ID], int(str(row[SK]).partition("#")[0])) for row in rows]

    def done(self, look: MailLook) -> None:
        self._table.delete(self._look_key(look))

    def standing(self, user_id: str) -> MailStanding:
        values = {":user": schema.user_key(user_id), ":first": schema.BLOCK_PREFIX, ":last": _RECORD}
        rows = {row[SK]: row for row in self._table.query(f"{PK} = :user AND {SK} BETWEEN :first AND :last", values)}
        return MailStanding(
            read_as(User, rows.get(_RECORD, {}), user_id=user_id),
            profile_from(rows.get(schema.PROFILE, {})),
            [member_from(row) for name, row in rows.items() if name.startswith(schema.CONVERSATION_PREFIX)],
            frozenset(name.removeprefix(schema.BLOCK_PREFIX) for name in rows if name.startswith(schema.BLOCK_PREFIX)),
            _state(rows.get(schema.mail_key("")[SK], {})),
        )

    def state(self, user_id: str) -> MailState:
        return _state(self._table.get(schema.mail_key(user_id)) or {})

    def claim(self, user_id: str, was: MailState, *, secret: str, now: int) -> bool:
        """An update whose answer was lost knows itself by its nonce."""
        nonce = token_hex(8)
        values = {":now": now, ":secret": secret, ":nonce": nonce, ":yes": True, ":was": was.mailed_at}
        change = "SET mailed_at = :now, secret = :secret, nonce = :nonce"
        is_as_it_was = "addressed = :yes AND (attribute_not_exists(mailed_at) OR mailed_at = :was)"
        answer = self._table.update(schema.mail_key(user_id), change, values, condition=is_as_it_was)
        return not isinstance(answer, Refused) or (answer.item or {}).get("nonce") == nonce

    def release(self, user_id: str, was: MailState, *, now: int) -> None:
        values = {":now": now, ":was": was.mailed_at}
        self._table.update(schema.mail_key(user_id), "SET mailed_at = :was", values, condition="mailed_at = :now")

    def _look_key(self, look: MailLook) -> Item:
        return schema.mail_look_key(schema.part_of(look.user_id) % self.parts, look.at, look.user_id)


def _state(row: Item) -> MailState:
    return MailState(
        is_addressed=row.get("addressed") is True,
        is_stopped=row.get("stopped") is True,
        mailed_at=row.get("mailed_at", 0),
        secret=row.get("secret", ""),
    )
