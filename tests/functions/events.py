"""Events in the shape that API Gateway and DynamoDB Streams hand to a Lambda."""

from __future__ import annotations

import json
from typing import Any

import pytest

NOW = 1_795_431_200_000
HOUR = 3_600_000


def authorizer_of(user_id: str, *, expires_at: int = NOW + HOUR, connected_at: int = NOW) -> dict[str, Any]:
    """What the authorizer's context looks like in later events: strings, and the gateway's own two."""
    return {
        "principalId": user_id,
        "integrationLatency": 12,
        "user_id": user_id,
        "expires_at": str(expires_at),
        "device_id": "phone",
        "connected_at": str(connected_at),
    }


def websocket_event(
    event_type: str,
    route: str,
    *,
    connection_id: str = "L0SM9cOFvHcCIhw=",
    authorizer: dict[str, Any] | None = None,
    body: str | None = None,
) -> dict[str, Any]:
    return {
        "requestContext": {
            "routeKey": route,
            "authorizer": authorizer,
            "messageId": "Yjpk5cwYIAMCJmw=",
            "eventType": event_type,
            "extendedRequestId": "Yjpk5H4fIAMF1bA=",
            "requestTime": "23/Nov/2026:16:20:00 +0000",
            "messageDirection": "IN",
            "stage": "prod",
            "connectedAt": NOW,
            "requestTimeEpoch": NOW,
            "identity": {"sourceIp": "203.0.113.7"},
            "requestId": "Yjpk5H4fIAMF1bA=",
            "domainName": "abcdef1234.execute-api.us-east-1.amazonaws.com",
            "connectionId": connection_id,
            "apiId": "abcdef1234",
        },
        **({} if body is None else {"body": body}),
        "isBase64Encoded": False,
    }


def frame_event(frame: Any, *, user_id: str = "alice", connection_id: str = "a1=", **authorizer: Any) -> dict[str, Any]:
    """A frame as it reaches the message function. A string goes through as it is."""
    body = frame if isinstance(frame, str) else json.dumps(frame)
    context = authorizer_of(user_id, **authorizer)
    return websocket_event("MESSAGE", "message", connection_id=connection_id, authorizer=context, body=body)


def handshake_event(*, headers: dict[str, str] | None = None, query: dict[str, str] | None = None) -> dict[str, Any]:
    """What the REQUEST authorizer of $connect gets."""
    event = websocket_event("CONNECT", "$connect")
    return {
        **event,
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/prod/$connect",
        "headers": {
            "Host": "abcdef1234.execute-api.us-east-1.amazonaws.com",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Port": "443",
            "X-Forwarded-Proto": "https",
            **(headers or {}),
        },
        "multiValueHeaders": {name: [value] for name, value in (headers or {}).items()},
        **({"queryStringParameters": query} if query else {}),
    }


def http_event(
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: Any = None,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Payload format 2.0 of an HTTP API."""
    sent = {"host": "api.example.com", "user-agent": "test", "content-type": "application/json", **(headers or {})}
    if token is not None:
        sent["authorization"] = f"Bearer {token}"
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "&".join(f"{name}={value}" for name, value in (query or {}).items()),
        "headers": sent,
        **({"queryStringParameters": query} if query else {}),
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abcdef1234",
            "domainName": "abcdef1234.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "abcdef1234",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "test",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "23/Nov/2026:16:20:00 +0000",
            "timeEpoch": NOW,
        },
        **({} if body is None else {"body": body if isinstance(body, str) else json.dumps(body)}),
        "isBase64Encoded": False,
    }


def stream_record(seq: int, *, sender_id: str = "alice", sequence: str | None = None) -> dict[str, Any]:
    """An inserted message, as the table's stream shows it."""
    return {
        "eventID": f"c4ca4238a0b923820dcc509a6f75849{seq}",
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795431200.0,
            "Keys": {"conversation_id": {"S": "dm:alice:bob"}, "seq": {"N": str(seq)}},
            "NewImage": {
                "conversation_id": {"S": "dm:alice:bob"},
                "seq": {"N": str(seq)},
                "kind": {"S": "message"},
                "sender_id": {"S": sender_id},
                "created_at": {"N": str(NOW)},
                "number": {"N": str(seq)},
                "content": {"S": "the canary text"},
                "type": {"S": "text"},
                "authors": {"M": {sender_id: {"N": str(seq)}}},
                "nonce": {"S": "n"},
                "digest": {"S": "d"},
            },
            "SequenceNumber": sequence or f"{seq:021}",
            "SizeBytes": 300,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/log/stream/2026-11-23T16:20:00.000",
    }


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Everything that went into the log, extra fields included."""
    return "\n".join(str(record.__dict__) for record in caplog.records)
