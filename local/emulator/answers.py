"""What a WebSocket client sees of a function that has failed is what API Gateway shows.

A handshake that `$connect` does not let in is answered with the function's status, or 502 where the function has died:
clients try again after a server's fault, and not after a refusal. On its own MiniStack answers 403 to all of them.
A frame whose function has died is answered with the gateway's own words, where MiniStack sends its own.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from ministack.services import apigateway

Answer = dict[str, Any] | None


class Refused(Exception):
    """`$connect` does not let the connection in."""

    def __init__(self, status: int, connection_id: str, request_id: str) -> None:
        super().__init__(f"$connect answered {status}")
        self.status, self.connection_id, self.request_id = status, connection_id, request_id


def install() -> None:
    """Take the answers of failed functions over. To be called before the emulator starts serving."""
    invoke: Callable[..., Awaitable[Answer]] = apigateway._invoke_ws_lambda
    handle: Callable[..., Awaitable[None]] = apigateway.handle_websocket

    async def invoking(*arguments: Any, **more: Any) -> Answer:
        connection_id, event_type, message_id = arguments[5:8]
        answer = await invoke(*arguments, **more)
        if event_type == "CONNECT":
            _check_let_in(answer, connection_id, message_id)
        elif has_died(answer):
            return {"statusCode": 500, "body": json.dumps(_words(connection_id, message_id))}
        return answer

    async def handling(scope: Any, receive: Any, send: Any, *more: Any, **named: Any) -> None:
        try:
            await handle(scope, receive, send, *more, **named)
        except Refused as refused:
            message = HTTPStatus(refused.status).phrase
            await apigateway._refuse_ws_handshake(
                scope, send, refused.status, message, refused.connection_id, refused.request_id
            )

    apigateway._invoke_ws_lambda = invoking
    apigateway.handle_websocket = handling


def has_died(answer: Answer) -> bool:
    """Whether the emulator speaks in place of the function: a function's own body is JSON."""
    if answer is None or answer.get("statusCode") != HTTPStatus.INTERNAL_SERVER_ERROR:
        return False
    try:
        json.loads(answer.get("body") or "{}")
    except ValueError:
        return True
    return False


def _check_let_in(answer: Answer, connection_id: str, request_id: str) -> None:
    """Raises Refused."""
    status = int((answer or {}).get("statusCode", HTTPStatus.OK))
    if has_died(answer):
        raise Refused(HTTPStatus.BAD_GATEWAY, connection_id, request_id)
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(status, connection_id, request_id)


def _words(connection_id: str, request_id: str) -> dict[str, str]:
    return {"message": "Internal server error", "connectionId": connection_id, "requestId": request_id}
