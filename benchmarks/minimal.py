"""A chat handler as tutorials have it, with boto3: one put, one look at who is connected, a post to each.

It promises nothing: no order, no message exactly once, no receipt, no push. What `benchmarks.handlers` compares with.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import boto3
from botocore.exceptions import ClientError

_tables = boto3.resource("dynamodb")
_log = _tables.Table(os.environ["LOG_TABLE"])
_sessions = _tables.Table(os.environ["SESSIONS_TABLE"])
_gateway = boto3.client("apigatewaymanagementapi", endpoint_url=os.environ["CONNECTIONS_ENDPOINT"])


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    frame = json.loads(event["body"])
    sender_id = event["requestContext"]["authorizer"]["user_id"]
    message = {
        "conversation_id": f"plain:{sender_id}:{frame['to']}",
        "seq": time.time_ns(),
        "sender_id": sender_id,
        "content": frame["content"],
    }
    _log.put_item(Item=message)
    found = _sessions.get_item(Key={"user_id": frame["to"]})
    data = json.dumps({"type": "new_message", "message": message}).encode()
    for connection_id in found.get("Item", {}).get("connections", {}):
        try:
            _gateway.post_to_connection(ConnectionId=connection_id, Data=data)
        except ClientError as error:
            if error.response["Error"]["Code"] != "GoneException":
                raise
    return {"statusCode": 200, "body": json.dumps({"success": True, "id": frame["id"], "data": {}})}
