"""The HTTP API in the simulation: requests as the gateway hands them over."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode


def path(*parts: object) -> str:
    """Parts of a path, percent-encoded each."""
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def request_event(
    method: str,
    where: str,
    *,
    token: str | None,
    body: Any = None,
    query: Mapping[str, Any] | None = None,
    acting_as: str | None = None,
) -> dict[str, Any]:
    """Payload format 2.0 of an HTTP API, with what is looked at. `acting_as`: for whom the team's server asks."""
    headers = {"host": "api", **({"authorization": f"Bearer {token}"} if token else {})}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": where,
        "rawQueryString": urlencode(query or {}),
        "headers": headers if acting_as is None else {**headers, "parley-as": acting_as},
        "requestContext": {
            "domainName": "api.example.com",
            "http": {"method": method, "path": where},
            "requestId": "request",
            "routeKey": "$default",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if query:
        event["queryStringParameters"] = {name: str(value) for name, value in query.items()}
    if body is not None:
        event["body"] = json.dumps(body)
    return event


def said(given: Mapping[str, Any]) -> tuple[int, Any]:
    """An answer's status and body."""
    return given["statusCode"], json.loads(given["body"]) if given["body"] else None
