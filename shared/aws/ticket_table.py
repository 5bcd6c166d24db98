"""Tickets in DynamoDB. A conditional delete that returns what was there is what makes them one-time."""

from __future__ import annotations

from shared.adapters.dynamodb.client import Calls, Refused, conditionally, from_item, to_item
from shared.adapters.dynamodb.schema import TICKET, ticket_from, ticket_item
from shared.ports.connections import StoredTicket


class DynamoDbTickets:
    """Tickets on the tickets table."""

    def __init__(self, calls: Calls, *, tickets_table: str) -> None:
        self._calls = calls
        self._table = tickets_table

    def put(self, ticket: StoredTicket) -> None:
        self._calls.call("PutItem", {"TableName": self._table, "Item": to_item(ticket_item(ticket))})

    def take(self, ticket_hash: str) -> StoredTicket | None:
        """Of several at once the condition holds for one; that no other is shown the old item is promised nowhere."""
        request = {
            "TableName": self._table,
            "Key": to_item({TICKET: ticket_hash}),
            "ConditionExpression": f"attribute_exists({TICKET})",
            "ReturnValues": "ALL_OLD",
        }
        answer = conditionally(self._calls, "DeleteItem", request)
        return None if isinstance(answer, Refused) else ticket_from(from_item(answer["Attributes"]))
