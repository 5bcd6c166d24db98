"""Tickets in DynamoDB. A delete that returns what was there is what makes them one-time."""

from __future__ import annotations

from shared.aws.dynamodb import Calls, from_item, to_item
from shared.aws.tables import TICKET, ticket_from, ticket_item
from shared.connection.ports import StoredTicket


class DynamoDbTickets:
    """Tickets on the tickets table."""

    def __init__(self, calls: Calls, *, tickets_table: str) -> None:
        self._calls = calls
        self._table = tickets_table

    def put(self, ticket: StoredTicket) -> None:
        self._calls.call("PutItem", {"TableName": self._table, "Item": to_item(ticket_item(ticket))})

    def take(self, ticket_hash: str) -> StoredTicket | None:
        request = {"TableName": self._table, "Key": to_item({TICKET: ticket_hash}), "ReturnValues": "ALL_OLD"}
        answer = self._calls.call("DeleteItem", request)
        return ticket_from(from_item(answer["Attributes"])) if answer.get("Attributes") else None
