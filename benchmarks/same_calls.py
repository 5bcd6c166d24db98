"""What Parley's private message asks of AWS, asked by boto3 as a team would write it. For `benchmarks.handlers`.

The entry that the sender held and whether they are blocked, in one call; the next entry, if its place is free; both
users' sessions, strongly consistent; a post to each live connection but the sender's. Resends, races, receipts, limits
and all checks of what is in the frame are left out, in its favour.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

_tables = boto3.resource("dynamodb")
_log = _tables.Table(os.environ["LOG_TABLE"])
_members, _sessions = os.environ["MEMBERS_TABLE"], os.environ["SESSIONS_TABLE"]
_gateway = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["CONNECTIONS_ENDPOINT"])


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    frame, context = json.loads(event["body"]), event["requestContext"]
    sender, to = context["authorizer"]["user_id"], frame["to"]
    conversation_id = "same:" + ":".join(sorted((sender, to)))
    base = _base(conversation_id, sender, to, frame.get("after"))
    message = {
        "conversation_id": conversation_id,
        "seq": base + 1,
        "sender_id": sender,
        "content": frame["content"],
        "client_message_id": frame["client_message_id"],
        "created_at": time.time_ns() // 1_000_000,
    }
    _log.put_item(Item=message, ConditionExpression="attribute_not_exists(seq)")
    _tell((sender, to), context["connectionId"], {"type": "new_message", "message": message})
    data = {"type": "message", "seq": base + 1, "timestamp": message["created_at"]}
    return {"statusCode": 200, "body": json.dumps({"success": True, "id": frame["id"], "data": data})}


def _base(conversation_id: str, sender: str, to: str, after: int | None) -> int:
    """The entry to write behind; where the frame does not name it, the last one."""
    if after is None:
        last = _log.query(
            KeyConditionExpression=Key("conversation_id").eq(conversation_id), ScanIndexForward=False, Limit=1
        )
        return int(last["Items"][0]["seq"]) if last["Items"] else 0
    found = _tables.batch_get_item(
        RequestItems={
            _log.name: {"Keys": [{"conversation_id": conversation_id, "seq": after}]},
            _members: {"Keys": [{"pk": f"user#{to}", "sk": f"block#{sender}"}]},
        }
    )["Responses"]
    if found.get(_members) or not found.get(_log.name):
        raise ValueError(after)
    return after


def _tell(users: tuple[str, str], own: str, said: dict[str, Any]) -> None:
    keys = {"Keys": [{"user_id": user} for user in users], "ConsistentRead": True}
    sessions = _tables.batch_get_item(RequestItems={_sessions: keys})["Responses"][_sessions]
    data = json.dumps(said).encode()
    now = time.time_ns() // 1_000_000
    for connections in (session.get("connections", {}) for session in sessions):
        for connection_id, connection in connections.items():
            if connection_id == own or connection["expires_at"] <= now:
                continue
            try:
                _gateway.post_to_connection(ConnectionId=connection_id, Data=data)
            except ClientError as error:
                if error.response["Error"]["Code"] != "GoneException":
                    raise
