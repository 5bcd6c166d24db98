"""The HTTP API in the simulation: requests as the gateway hands them over, to one resolver for all instances.

Making a resolver takes longer than a history. Its ports are those of the instance whose code runs at the moment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, cast
from urllib.parse import quote, urlencode

from greenlet import getcurrent

import functions.rest.handler as rest_module
from functions.rest.api import make_api, respond


class _Current:
    """The ports of whoever asks."""

    def __getattr__(self, name: str) -> Any:
        return getattr(cast("Any", getcurrent()).process.instance.rest, name)


@cache
def _api() -> Any:
    return make_api(cast("Any", _Current()), unexpected=rest_module._log_unexpected)


def path(*parts: object) -> str:
    """Parts of a path, percent-encoded each."""
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def request_event(
    method: str, where: str, *, token: str | None, body: Any = None, query: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Payload format 2.0 of an HTTP API, with what is looked at."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": where,
        "rawQueryString": urlencode(query or {}),
        "headers": {"host": "api", **({"authorization": f"Bearer {token}"} if token else {})},
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


def answer(event: Mapping[str, Any]) -> tuple[int, Any]:
    """Status and body, from within an invocation."""
    given = respond(event, _api())
    return given["statusCode"], json.loads(given["body"]) if given["body"] else None
