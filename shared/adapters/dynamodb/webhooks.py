"""Endpoints and their cursors in the members table: one partition for the endpoints, sixteen for each one's cursors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from shared.adapters.dynamodb.client import Item, MembersStore, Refused, batch_write, conditionally, from_item, set_to
from shared.adapters.dynamodb.schema import (
    PARTS,
    PK,
    SK,
    passing,
    read_as,
    webhook_cursor_key,
    webhook_key,
)
from shared.domain.text import is_passing
from shared.domain.webhooks import Cursor, Health, News, Reason, Webhook
from shared.errors import Unavailable

_SET: Final = ("url", "events", "conversations", "enabled", "secrets", "previous_until", "disabled")
_COURSE: Final = ("at", "tries", "failing_since", "retry_at")
_CLAIM: Final = ("claim", "claim_until", "waiting")
_IS_THIS_ONE: Final = "since = :since"
# What an address has answered says nothing of the one that has come since.
_IS_THERE: Final = f"{_IS_THIS_ONE} AND #url = :url"
# An errand that loses the cursor so often leaves it to the queue to come again.
_ATTEMPTS: Final = 4


class DynamoDbWebhooks(MembersStore):
    def all(self) -> Sequence[Webhook]:
        return [_webhook(row) for row in self._table.query(f"{PK} = :pk", {":pk": webhook_key("")[PK]})]

    def get(self, webhook_id: str) -> Webhook | None:
        row = self._table.get(webhook_key(webhook_id))
        return None if row is None else _webhook(row)

    def make(self, webhook: Webhook) -> bool:
        row = {
            **webhook_key(webhook.webhook_id),
            "since": webhook.since,
            "health": asdict(webhook.health),
            **_set(webhook),
        }
        put = self._table.written(row, condition=f"attribute_not_exists({PK})")
        return not isinstance(conditionally(self._calls, "PutItem", put), Refused)

    def change(self, webhook: Webhook, *, was_enabled: bool) -> bool:
        condition = f"{_IS_THIS_ONE} AND enabled = :was_enabled"
        return self._update(webhook, _set(webhook), condition=condition, was_enabled=was_enabled)

    def revive(self, webhook: Webhook) -> bool:
        return self._update(webhook, {**_set(webhook), "health": asdict(Health())})

    def delete(self, webhook_id: str) -> Webhook | None:
        was = self.get(webhook_id)
        if was is None:
            return None
        conditionally(self._calls, "DeleteItem", self._table.deleted(webhook_key(webhook_id)))
        return was

    def fared(self, webhook: Webhook, health: Health) -> bool:
        return self._answered(webhook, {"health": asdict(health)})

    def disable(self, webhook: Webhook, reason: Reason) -> bool:
        return self._answered(webhook, {"enabled": False, "disabled": reason})

    def _answered(self, webhook: Webhook, values: Item) -> bool:
        return self._update(webhook, {"url": webhook.url, **values}, condition=_IS_THERE)

    def _update(self, webhook: Webhook, values: Item, *, condition: str = _IS_THIS_ONE, **known: Any) -> bool:
        change, wanted = set_to(values)
        wanted |= {":since": webhook.since, **{f":{name}": value for name, value in known.items()}}
        done = self._table.update(webhook_key(webhook.webhook_id), change, wanted, condition=condition)
        return not isinstance(done, Refused)


def _set(webhook: Webhook) -> Item:
    return {name: getattr(webhook, name) for name in _SET}


def _webhook(row: Item) -> Webhook:
    lists: Item = {name: tuple(row.get(name, ())) for name in ("events", "conversations", "secrets")}
    health = read_as(Health, row.get("health", {}))
    return read_as(Webhook, row, webhook_id=row[SK], health=health, **lists)


class DynamoDbWebhookCursors(MembersStore):
    """A claim is one write, which also reads; a commit is another."""

    parts = PARTS

    def claim(self, news: News, *, since: int, claim: str, now: int, until: int) -> Cursor | None:
        key = webhook_cursor_key(news.webhook_id, news.conversation_id)
        free = "(attribute_not_exists(claim) OR claim_until <= :now)"
        due = "(attribute_not_exists(retry_at) OR retry_at <= :now OR retry_at = :mine)"
        values = {":claim": claim, ":until": until, ":now": now, ":mine": news.retry_at, ":since": since}
        for _ in range(_ATTEMPTS):
            taken = self._table.update(
                key,
                "SET claim = :claim, claim_until = :until, since = if_not_exists(since, :since)",
                values,
                condition=f"{free} AND {due}",
                returns="ALL_NEW",
            )
            if not isinstance(taken, Refused):
                return _anew(_cursor(news.webhook_id, from_item(taken["Attributes"])), since)
            if taken.item is None or self._is_known(news, key, taken.item, now):
                return None
        raise Unavailable

    def _is_known(self, news: News, key: Item, there: Item, now: int) -> bool:
        """Whether who is at work, or the attempt that waits, will see what this news is about."""
        holder = there.get("claim")
        if holder is None or there["claim_until"] <= now:
            return True  # it is not due: the attempt that is comes by itself
        told = self._table.update(
            key, "SET waiting = :seq", {":seq": news.seq, ":holder": holder}, condition="claim = :holder"
        )
        return not isinstance(told, Refused)

    def get(self, webhook_id: str, conversation_id: str) -> Cursor | None:
        row = self._table.get(webhook_cursor_key(webhook_id, conversation_id))
        return None if row is None else _cursor(webhook_id, row)

    def commit(self, cursor: Cursor) -> int | None:
        key = webhook_cursor_key(cursor.webhook_id, cursor.conversation_id)
        kept = passing(cursor.at) if cursor.at and is_passing(cursor.conversation_id) else {}
        change, values = set_to({**_said(cursor), **kept, **dict.fromkeys(_CLAIM)})
        values[":holder"] = cursor.claim
        done = self._table.update(key, change, values, condition="claim = :holder", returns="ALL_OLD")
        if isinstance(done, Refused):
            return None
        return int(from_item(done["Attributes"]).get("waiting", 0))

    def rewind(self, cursor: Cursor) -> None:
        self._table.put({**webhook_cursor_key(cursor.webhook_id, cursor.conversation_id), **_said(cursor)})

    def of(self, webhook_id: str, *, part: int, after: str, limit: int) -> Sequence[Cursor]:
        start = webhook_cursor_key(webhook_id, after, part)
        behind = start if after else None
        found = self._table.query(f"{PK} = :pk", {":pk": start[PK]}, limit=limit, after=behind)
        return [_cursor(webhook_id, row) for row in found]

    def delete(self, cursors: Sequence[Cursor]) -> None:
        keys = [webhook_cursor_key(cursor.webhook_id, cursor.conversation_id) for cursor in cursors]
        requests = [{"DeleteRequest": {"Key": self._table.deleted(key)["Key"]}} for key in keys]
        batch_write(self._calls, self._table.name, requests)


def _said(cursor: Cursor) -> Item:
    """How far it is; zeros are left out."""
    course = {name: getattr(cursor, name) or None for name in _COURSE}
    return {"since": cursor.since, "delivered": cursor.delivered, **course}


def _cursor(webhook_id: str, row: Item) -> Cursor:
    return read_as(Cursor, row, webhook_id=webhook_id, conversation_id=row[SK])


def _anew(cursor: Cursor, since: int) -> Cursor:
    """One that an endpoint of the same name has left behind says nothing of this one."""
    if cursor.since == since:
        return cursor
    return Cursor(cursor.webhook_id, cursor.conversation_id, since, claim=cursor.claim)
