"""Verdicts, held messages and lists of words in DynamoDB. Loaded only where a deployment screens messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import TTL, Item, MembersStore, Refused, transact
from shared.adapters.dynamodb.schema import PK, SK, read_as
from shared.clock import SECOND_MS
from shared.domain.screening import Held, HeldPosition, Review, Ruled, Verdict
from shared.domain.shadows import ShadowBan
from shared.domain.words import WordList

_KEPT_S: Final = 90 * 24 * 3_600
_HELD_ID: Final = "held_id"


class DynamoDbVerdicts(MembersStore):
    def claim(self, name: str, *, digest: str, nonce: str, until: int, now: int) -> Ruled | None:
        change = f"SET digest = :digest, nonce = :nonce, #until = :until, #{TTL} = :ttl"
        is_free = f"attribute_not_exists({PK}) OR (attribute_not_exists(verdict) AND #until <= :now)"
        values = {":digest": digest, ":nonce": nonce, ":until": until, ":now": now, ":ttl": now // SECOND_MS + _KEPT_S}
        answer = self._table.update(schema.verdict_key(name), change, values, condition=is_free)
        if not isinstance(answer, Refused):
            return None
        if answer.item is None or answer.item.get("nonce") == nonce:
            return None  # this very claim, whose answer was lost
        return _ruled(answer.item)

    def settle(self, name: str, verdict: Verdict, *, nonce: str) -> Verdict:
        is_ours = "nonce = :nonce AND attribute_not_exists(verdict)"
        values = {":verdict": schema.said_by(verdict), ":nonce": nonce}
        answer = self._table.update(schema.verdict_key(name), "SET verdict = :verdict", values, condition=is_ours)
        if isinstance(answer, Refused) and answer.item is not None:
            return _ruled(answer.item).verdict or verdict
        return verdict

    def release(self, name: str, *, nonce: str) -> None:
        values = {":nonce": nonce, ":over": 0}
        is_ours = "nonce = :nonce AND attribute_not_exists(verdict)"
        self._table.update(schema.verdict_key(name), "SET #until = :over", values, condition=is_ours)

    def get(self, name: str) -> Ruled | None:
        item = self._table.get(schema.verdict_key(name))
        return None if item is None else _ruled(item)


def _ruled(item: Mapping[str, Any]) -> Ruled:
    verdict = item.get("verdict")
    return Ruled(item["digest"], None if verdict is None else read_as(Verdict, verdict), item["until"])


class DynamoDbHeld(MembersStore):
    def put(self, held: Held) -> Held:
        row = {**schema.held_key(held.held_id), **schema.said_by(held)}
        whole = {"Put": self._table.written(row, condition=f"attribute_not_exists({PK})")}
        places = schema.holding_key(*held.place), schema.held_of_key(held.sender_id, *held.place)
        listed = [{"Put": self._table.written({**key, _HELD_ID: held.held_id})} for key in places]
        if transact(self._calls, [whole, *listed]):
            return held
        return self.get(held.held_id) or held

    def get(self, held_id: str) -> Held | None:
        item = self._table.get(schema.held_key(held_id))
        return None if item is None else _held(item)

    def waiting(self, *, after: HeldPosition, limit: int) -> Sequence[Held]:
        behind = schema.holding_key(*after)
        values = {":under": behind[PK], ":behind": behind[SK]}
        rows = self._table.query(f"{PK} = :under AND {SK} > :behind", values, limit=limit)
        names = [row[_HELD_ID] for row in rows]
        found = self._table.find(map(schema.held_key, names))
        return sorted((held for held in map(_held, found) if held.review is None), key=lambda one: one.place)

    def decide(self, held_id: str, review: Review) -> Held | None:
        held = self.get(held_id)
        if held is None or held.review is not None:
            return held
        decided = self._table.changed(
            schema.held_key(held_id),
            "SET review = :review",
            {":review": schema.said_by(review)},
            condition="attribute_not_exists(review)",
        )
        transact(self._calls, [{"Update": decided}, {"Delete": self._table.deleted(schema.holding_key(*held.place))}])
        return self.get(held_id)  # by this call, or by another that was quicker

    def store(self, held_id: str, seq: int) -> None:
        self._table.update(schema.held_key(held_id), f"SET {schema.SEQ} = :seq", {":seq": seq})

    def drop_of(self, user_id: str, *, limit: int) -> int:
        first = schema.held_of_key(user_id, 0, "")
        values = {":user": first[PK], ":held": schema.HELD_PREFIX}
        rows = list(self._table.query(f"{PK} = :user AND begins_with({SK}, :held)", values, limit=limit))
        for row in rows:
            held_id = row[_HELD_ID]
            at = int(row[SK].removeprefix(schema.HELD_PREFIX).partition("#")[0])
            keys = schema.held_key(held_id), schema.holding_key(at, held_id), schema.held_of_key(user_id, at, held_id)
            transact(self._calls, [{"Delete": self._table.deleted(key)} for key in keys])
        return len(rows)


def _held(item: Item) -> Held:
    review = item.get("review")
    return read_as(Held, item, review=None if review is None else read_as(Review, review))


class DynamoDbWordLists(MembersStore):
    def all(self) -> Sequence[WordList]:
        rows = self._table.query(f"{PK} = :under", {":under": schema.words_key("")[PK]})
        return [read_as(WordList, row, name=row[SK], words=tuple(row["words"])) for row in rows]

    def put(self, one: WordList) -> None:
        kept = {"action": one.action, "words": list(one.words), "updated_at": one.updated_at}
        self._table.put({**schema.words_key(one.name), **kept})

    def remove(self, name: str) -> None:
        self._table.delete(schema.words_key(name))


class DynamoDbShadowBans(MembersStore):
    def all(self) -> Sequence[ShadowBan]:
        rows = self._table.query(f"{PK} = :under", {":under": schema.shadow_key("")[PK]})
        return [read_as(ShadowBan, row, user_id=row[SK]) for row in rows]

    def put(self, ban: ShadowBan) -> None:
        kept = {"at": ban.at, "by": ban.by, "reason": ban.reason}
        self._table.put({**schema.shadow_key(ban.user_id), **kept})

    def remove(self, user_id: str) -> None:
        self._table.delete(schema.shadow_key(user_id))
