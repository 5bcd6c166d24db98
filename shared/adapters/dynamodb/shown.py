"""What devices show because it was pushed: told by the claims of pushes, and by a mark at the row that it hangs on.

The mark (`pushed_seq`) is at the membership of a message's recipient, or at the notification. It changes nothing there;
but the table's stream hands on what becomes of rows that have it, and of no others (infra/push.py).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import Calls, Item, MembersStore, Refused
from shared.adapters.dynamodb.memberships import member_from
from shared.adapters.dynamodb.schema import CONVERSATION_PREFIX, NOTICE_PREFIX, PK, PUSHED_SEQ, SK, key_pair
from shared.domain.notifications import About, AboutMessage, AboutNotification
from shared.domain.pushes import Pushed, Settled

# Tries of one push, and to take one off, that one number tells apart.
MAX_TRIES: Final = 16
HELD: Final = "held_until"
# Longer than a provider is waited for, the second connection and all.
_HELD_MS: Final = 20_000


def place_of(about: About) -> tuple[str, int]:
    """What counts up, and how far this is in it. A notification stands alone."""
    match about:
        case AboutMessage():
            return about.conversation_id, about.seq
        case AboutNotification():
            return f"notice#{about.notification_id}", 1


class DynamoDbShown(MembersStore):
    """On the rows of claims, and on those of memberships and notifications."""

    def __init__(
        self, calls: Calls, *, members_table: str, new_nonce: Callable[[], str] = lambda: token_hex(8)
    ) -> None:
        super().__init__(calls, members_table=members_table)
        self._new_nonce = new_nonce

    def note(self, user_id: str, about: About) -> bool:
        if isinstance(about, AboutMessage):
            is_news = "(attribute_not_exists(read_seq) OR read_seq < :seq)"
        else:
            is_news = "attribute_not_exists(acknowledged)"
        key, condition = _row_of(user_id, about), f"attribute_exists({PK}) AND {is_news}"
        values = {":seq": place_of(about)[1]}
        answer = self._table.update(key, f"SET {PUSHED_SEQ} = :seq", values, condition=condition)
        return not isinstance(answer, Refused)

    def of(self, asked: Collection[Pushed]) -> Sequence[Pushed]:
        keys = {key_pair(key): one for one in asked for key in [_claim_key(one)]}
        rows = self._table.find(_claim_key(one) for one in keys.values()) if keys else []
        return [_pushed(keys[key_pair(row)], row) for row in rows if "claim" in row]

    def noted(self, conversation_id: str, user_ids: Collection[str]) -> Sequence[str]:
        rows = self._table.find(schema.membership_key(conversation_id, user) for user in sorted(set(user_ids)))
        return [member_from(row).user_id for row in rows if PUSHED_SEQ in row]

    def take(self, pushed: Pushed, *, tries: int, now: int) -> bool:
        """An update whose answer was lost knows itself by its nonce."""
        if tries >= MAX_TRIES:
            return False
        wanted, nonce = pushed.claim * MAX_TRIES + tries, self._new_nonce()
        values = {":claim": pushed.claim, ":wanted": wanted, ":nonce": nonce, ":until": now + _HELD_MS}
        if tries:
            is_next, values[":last"] = "withdrawn = :last", wanted - 1
        else:
            is_next = "(attribute_not_exists(withdrawn) OR withdrawn < :wanted)"
        change = f"SET withdrawn = :wanted, taker = :nonce, {HELD} = :until"
        answer = self._table.update(_claim_key(pushed), change, values, condition=f"claim = :claim AND {is_next}")
        return not isinstance(answer, Refused) or (answer.item or {}).get("taker") == nonce

    def release(self, pushed: Pushed) -> None:
        self._table.update(_claim_key(pushed), f"REMOVE {HELD}", {}, condition=f"attribute_exists({PK})")

    def forget(self, settled: Settled) -> None:
        key, values = _row_of(settled.user_id, settled.about), {":mark": settled.mark}
        self._table.update(key, f"REMOVE {PUSHED_SEQ}", values, condition=f"{PUSHED_SEQ} = :mark")


def _row_of(user_id: str, about: About) -> Item:
    if isinstance(about, AboutMessage):
        return schema.membership_key(about.conversation_id, user_id)
    return schema.notice_key(user_id, about.notification_id)


def _claim_key(pushed: Pushed) -> Item:
    return schema.pushed_key(pushed.user_id, pushed.device_id, place_of(pushed.about)[0])


def _pushed(asked: Pushed, row: Item) -> Pushed:
    claim, about = row["claim"], asked.about
    if isinstance(about, AboutMessage):
        about = replace(about, seq=claim // MAX_TRIES)
    tries = row.get("withdrawn", -1) - claim * MAX_TRIES + 1
    return replace(asked, about=about, claim=claim, tries=max(0, tries))


def settled_from(old: Item, new: Item | None, *, now: int) -> Settled | None:
    """What has become of a row with the mark, as it was and as it is (None: it is gone); None where that ends nothing.

    Raises for rows that never have it.
    """
    user_id, name, mark = old[PK].removeprefix(schema.USER_PREFIX), old[SK], int(old[PUSHED_SEQ])
    if name.startswith(NOTICE_PREFIX):
        is_over = new is None or new.get("acknowledged") is True
        about = AboutNotification(name.removeprefix(NOTICE_PREFIX))
        return Settled(user_id, about, mark=mark) if is_over else None
    place = AboutMessage(name.removeprefix(CONVERSATION_PREFIX), 0)
    if new is None:
        return Settled(user_id, place, mark=mark)
    was, member = member_from(old), member_from(new)
    if member.is_silent(now):
        return None if was.is_silent(now) else Settled(user_id, place, mark=new.get(PUSHED_SEQ))
    through = member.seen_through
    return Settled(user_id, place, through, mark=new.get(PUSHED_SEQ)) if through > was.seen_through else None
