"""Frames, requests and refusals pass API Gateway as they do in AWS, whatever a client sends and a function answers.

- A handshake that `$connect` does not let in gets the function's status, or 502 where the function has died: clients
  try again after a server's fault, and not after a refusal. On its own MiniStack answers 403 to all of them.
- A frame whose function has died is answered with the gateway's own words, where MiniStack sends its own.
- A frame that is nested too deeply goes to `$default`, as any other that the gateway can't read. MiniStack lets the
  JSON parser's RecursionError end the connection.
- A body and a binary frame that are no UTF-8 reach the function as they are. MiniStack puts U+FFFD in, so that nothing
  is left to refuse.
- An OPTIONS request goes to the default route of an API that configures no CORS. MiniStack refuses it on its own.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from ministack.services import apigateway

Answer = dict[str, Any] | None
Receive = Callable[[], Awaitable[Any]]


def install() -> None:
    """Take over what passes the gateways. To be called before the emulator starts serving."""
    _answer_as_api_gateway()
    _route_what_can_be_read()
    _pass_requests_as_they_are()


# -- WebSocket --------------------------------------------------------------------------------------------------------


class Refused(Exception):
    """`$connect` does not let the connection in."""

    def __init__(self, status: int, connection_id: str, request_id: str) -> None:
        super().__init__(f"$connect answered {status}")
        self.status, self.connection_id, self.request_id = status, connection_id, request_id


def _answer_as_api_gateway() -> None:
    invoke: Callable[..., Awaitable[Answer]] = apigateway._invoke_ws_lambda
    handle: Callable[..., Awaitable[None]] = apigateway.handle_websocket

    async def invoking(*arguments: Any, **more: Any) -> Answer:
        connection_id, event_type, message_id = arguments[5:8]
        answer = await invoke(*arguments, **more)
        if event_type == "CONNECT":
            _check_let_in(answer, connection_id, message_id)
        elif has_died(answer):
            words = {"message": "Internal server error", "connectionId": connection_id, "requestId": message_id}
            return {"statusCode": 500, "body": json.dumps(words)}
        return answer

    async def handling(scope: Any, receive: Receive, send: Any, *more: Any, **named: Any) -> None:
        try:
            await handle(scope, _as_sent(receive), send, *more, **named)
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


def _as_sent(receive: Receive) -> Receive:
    async def receiving() -> Any:
        message = await receive()
        data = message.get("bytes") if message["type"] == "websocket.receive" else None
        if data and not _is_utf_8(data):
            return {"type": message["type"], "text": data.decode(errors="surrogateescape")}
        return message

    return receiving


def _route_what_can_be_read() -> None:
    evaluate: Callable[[str, str], str] = apigateway._evaluate_route_selection

    def guarded(expression: str, frame: str) -> str:
        try:
            return evaluate(expression, frame)
        except RecursionError:
            return "$default"

    apigateway._evaluate_route_selection = guarded


# -- HTTP -------------------------------------------------------------------------------------------------------------

Response = tuple[int, dict[str, str], bytes]


class _Passing(str):
    """A method that MiniStack does not recognise as OPTIONS, and hands over as it is."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


def _pass_requests_as_they_are() -> None:
    execute: Callable[..., Awaitable[Response]] = apigateway._handle_execute_in_scope
    invoke: Callable[..., Awaitable[Response]] = apigateway._invoke_lambda_proxy

    async def executing(api_id: str, stage: str, path: str, method: str, *more: Any) -> Response:
        passes = method == "OPTIONS" and not (apigateway._apis.get(api_id) or {}).get("corsConfiguration")
        return await execute(api_id, stage, path, _Passing(method) if passes else method, *more)

    async def invoking(  # noqa: PLR0913, PLR0917  # MiniStack's own order
        integration: Any,
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: Any,
        body: Any,
        *more: Any,
        **named: Any,
    ) -> Response:
        if body and not _is_utf_8(body):
            length = {"content-type": "application/octet-stream", "content-length": str(len(body))}
            headers = {**{name.lower(): value for name, value in headers.items()}, **length}
        return await invoke(integration, api_id, stage, path, str(method), headers, body, *more, **named)

    apigateway._handle_execute_in_scope = executing
    apigateway._invoke_lambda_proxy = invoking


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
