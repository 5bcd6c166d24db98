"""Requests and links in DynamoDB. How often a link was used changes with who came by it (`effects.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import TTL, USER_ID, Item, MembersStore, transact
from shared.adapters.dynamodb.schema import CONVERSATION_ID, PK, SK, read_as
from shared.clock import SECOND_MS
from shared.domain.joining import Invite, JoinRequest


class DynamoDbJoins(MembersStore):
    def request(self, request: JoinRequest) -> bool:
        row = {
            CONVERSATION_ID: request.conversation_id,
            USER_ID: request.user_id,
            "requested_at": request.requested_at,
        }
        keys = schema.request_keys(request.conversation_id, request.user_id)
        condition = f"attribute_not_exists({PK})"
        return transact(
            self._calls, [{"Put": self._table.written({**key, **row}, condition=condition)} for key in keys]
        )

    def requested(self, conversation_id: str, user_id: str) -> JoinRequest | None:
        item = self._table.get(schema.request_keys(conversation_id, user_id)[0])
        return None if item is None else read_as(JoinRequest, item)

    def requests(self, conversation_id: str, *, limit: int) -> Sequence[JoinRequest]:
        under = schema.request_keys(conversation_id, "")[0][PK]
        items = self._table.query(f"{PK} = :under", {":under": under}, limit=limit)
        return [read_as(JoinRequest, item) for item in items]

    def requests_of(self, user_id: str) -> Sequence[JoinRequest]:
        key = schema.request_keys("", user_id)[1]
        values = {":user": key[PK], ":prefix": key[SK]}
        items = self._table.query(f"{PK} = :user AND begins_with({SK}, :prefix)", values)
        return [read_as(JoinRequest, item) for item in items]

    def end(self, conversation_id: str, user_id: str) -> bool:
        first, *others = schema.request_keys(conversation_id, user_id)
        parts: list[dict[str, Any]] = [
            {"Delete": self._table.deleted(first, condition=f"attribute_exists({PK})")},
            *({"Delete": self._table.deleted(key)} for key in others),
        ]
        return transact(self._calls, parts)

    def add_invite(self, invite: Invite) -> None:
        ends: Item = {} if invite.expires_at is None else {TTL: invite.expires_at // SECOND_MS + 1}
        listed = {**schema.listed_invite_key(invite.conversation_id, invite.invite_id), **ends}
        listed |= {"invite_id": invite.invite_id}
        put = {**schema.invite_key(invite.invite_id), **schema.said_by(invite), **ends}
        transact(self._calls, [{"Put": self._table.written(item)} for item in (put, listed)])

    def invite(self, invite_id: str) -> Invite | None:
        item = self._table.get(schema.invite_key(invite_id))
        return None if item is None else read_as(Invite, item)

    def invites(self, conversation_id: str) -> Sequence[Invite]:
        under = schema.listed_invite_key(conversation_id, "")[PK]
        listed = [item["invite_id"] for item in self._table.query(f"{PK} = :under", {":under": under})]
        found = self._table.find(map(schema.invite_key, listed))
        return [read_as(Invite, item) for item in found]

    def revoke(self, conversation_id: str, invite_id: str) -> None:
        condition = f"{CONVERSATION_ID} = :id OR attribute_not_exists({PK})"
        parts = [
            {
                "Delete": self._table.deleted(
                    schema.invite_key(invite_id), condition=condition, values={":id": conversation_id}
                )
            },
            {"Delete": self._table.deleted(schema.listed_invite_key(conversation_id, invite_id))},
        ]
        transact(self._calls, parts)
