"""Bad and odd HTTP requests as data: how they are written down, and how they come in as a gateway's event."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from tests.bad_input.names import token
from tests.functions.events import http_event

Answer = tuple[int, str | None]

BAD: Final = 400, "bad_request"
NOBODY: Final = 401, "unauthenticated"
FORBIDDEN: Final = 403, "forbidden"
OUTSIDE: Final = 404, "not_a_member"
MISSING: Final = 404, "not_found"
LARGE: Final = 413, "too_large"
FINE: Final = 200, None
MADE: Final = 201, None
DONE: Final = 204, None


@dataclass(frozen=True, slots=True)
class HttpCase:
    """`target` is the path and the query as they stand in the request line. Without `authorization` alice asks.

    `stored` is what the new entry in her conversation with bob has of what was sent. `only_here`: a client or a gateway
    would not let it through as it is (it answers by itself, or mends what is no UTF-8), or what it needs is not set up
    there. `as_it_came`: a gateway that decodes the path makes another request of it, which is answered as such.
    """

    topic: str
    name: str
    method: str
    target: str
    expected: Answer
    body: str | bytes | None = None
    authorization: str | None = "alice"
    headers: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, Any] | None = None
    only_here: bool = False
    as_it_came: bool = False

    def __str__(self) -> str:
        return f"{self.topic}: {self.name}"

    @property
    def is_refused(self) -> bool:
        return self.expected[0] >= 400

    def event(self, *, decoded: bool = False) -> dict[str, Any]:
        """What the function gets. Gateways differ in whether they hand over a path as it came or decoded."""
        path, _, query = self.target.partition("?")
        path = unquote(path, errors="surrogateescape") if decoded else path
        body = self.body if isinstance(self.body, str | None) else base64.b64encode(self.body).decode()
        event = http_event(self.method, path, token=None, body=body, query=_parameters(query))
        event["headers"] |= {**_credentials(self.authorization), **self.headers}
        return {**event, "rawQueryString": query, "isBase64Encoded": isinstance(self.body, bytes)}


def _credentials(authorization: str | None) -> dict[str, str]:
    if authorization == "alice":
        return {"authorization": f"Bearer {token()}"}
    return {} if authorization is None else {"authorization": authorization}


def _parameters(query: str) -> dict[str, str] | None:
    """A parameter that comes more than once is one with commas."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in found.items()} or None


Row = tuple[str, str, Answer, Mapping[str, Any]]


def ask(request: str, expected: Answer, **more: Any) -> Row:
    """A row of a table: "METHOD target", and what else there is to say."""
    method, _, target = request.partition(" ")
    return method, target, expected, more


def send(request: str, body: Any, expected: Answer, **more: Any) -> Row:
    """A row of a table: a request with a body, which is made JSON unless it is text or bytes already."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return ask(request, expected, body=text, **more)


def table(topic: str, rows: Mapping[str, Row]) -> Iterable[HttpCase]:
    """The cases of one topic, by name."""
    return [
        HttpCase(topic, name, method, target, expected, **more)
        for name, (method, target, expected, more) in rows.items()
    ]
