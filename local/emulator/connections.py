"""The live connections of WebSocket APIs: their ids, how long they last, and what `@connections` answers.

As in API Gateway, an id is eleven random bytes in base64, ends with "=", and is escaped in a path. One that never could
be one gets 400, one that is not there (yet, or any longer) 410, and data of more than 128 KB 413.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import base64
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from http import HTTPStatus
from typing import Any, Final

from ministack.services import apigateway

LARGEST_MESSAGE: Final = 128 * 1024
LARGEST_FRAME: Final = 32 * 1024
_ID: Final = re.compile(r"[A-Za-z0-9_-]{15}=")

Response = tuple[int, dict[str, str], bytes]


def new_id() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(11)).decode()


@dataclass(frozen=True)
class Ages:
    """After so many seconds a connection is closed: without a message either way, and in any case."""

    idle_s: float = 600.0
    age_s: float = 7_200.0

    def changed(self, wanted: Mapping[str, Any]) -> "Ages":
        """Raises ValueError where it does not name ages by positive numbers."""
        names = {field.name for field in fields(self)}
        for name, value in wanted.items():
            if name not in names or isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise ValueError(f"{name}: {value!r}")
        return replace(self, **wanted)


class CurrentAges:
    """Those that count now, for connections that are open, too."""

    def __init__(self) -> None:
        self.now = Ages()


AGES: Final = CurrentAges()


def install() -> None:
    """Take over what is asked of connections. To be called before the emulator starts serving."""
    apigateway.handle_connections_api = _answer


async def _answer(
    method: str,
    api_id: str,
    _stage: str,
    connection_id: str,
    body: bytes,
    _headers: Mapping[str, str],
) -> Response:
    if not _ID.fullmatch(connection_id):
        return _refusal(HTTPStatus.BAD_REQUEST, "BadRequestException", f"Invalid connectionId: {connection_id}")
    connection = apigateway._ws_connections.get(connection_id)
    if connection is None or connection["apiId"] != api_id:
        return _refusal(HTTPStatus.GONE, "GoneException", None)
    if method == "POST":
        return await _post(connection, body)
    if method == "GET":
        shown = {name: connection[name] for name in ("connectedAt", "lastActiveAt", "identity")}
        return HTTPStatus.OK, {"Content-Type": "application/json"}, json.dumps(shown).encode()
    if method == "DELETE":
        del apigateway._ws_connections[connection_id]
        connection["close_event"].set()
        return HTTPStatus.NO_CONTENT, {}, b""
    return _refusal(HTTPStatus.FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token")


async def _post(connection: Mapping[str, Any], body: bytes) -> Response:
    if len(body) > LARGEST_MESSAGE:
        return _refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "PayloadTooLargeException", "Message too long")
    await connection["outbox"].put(apigateway._post_to_connection_text(body))
    return HTTPStatus.OK, {}, b""


def _refusal(status: HTTPStatus, error: str, message: str | None) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": error}
    return status, headers, json.dumps({"message": message}).encode()
