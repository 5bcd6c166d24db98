"""What each function does with the tables: held to the calls its adapters make, and to its role."""

from __future__ import annotations

DYNAMODB: dict[str, set[tuple[str, str]]] = {
    "Authorizer": {("DeleteItem", "Tickets")},
    "Connect": {("UpdateItem", "Sessions")},
    "Disconnect": {("UpdateItem", "Sessions")},
    "Message": {
        ("BatchGetItem", "Log"),
        ("Query", "Log"),
        ("PutItem", "Log"),
        ("BatchGetItem", "Members"),
        ("Query", "Members"),
        ("UpdateItem", "Members"),
        ("BatchGetItem", "Sessions"),
        ("UpdateItem", "Sessions"),
    },
    "Rest": {
        ("Query", "Log"),
        ("GetItem", "Members"),
        ("Query", "Members"),
        ("UpdateItem", "Members"),
        ("PutItem", "Tickets"),
    },
    "OfflinePush": {("BatchGetItem", "Sessions")},
}
