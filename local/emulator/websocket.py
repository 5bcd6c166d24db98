"""One WebSocket from its handshake to its end, as API Gateway holds it.

- Each frame is an invocation of its own, whether or not the ones before are done: replies may overtake each other.
- A reply is one frame: of more than 32 KB it closes the connection (1009), as a frame of a client does.
- A frame that no route takes is answered "Forbidden", and one whose function has died "Internal server error", in the
  gateway's own words.
- Without a message either way it is closed after ten minutes, and after two hours in any case (1001).
- A handshake that `$connect` does not let in gets the function's status, or 502 where the function has died: clients
  try again after a server's fault, and not after a refusal.

MiniStack handles frames one after the other, all in one process, and knows no limits.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs

from ministack.core.concurrency import run_reentrant
from ministack.core.responses import _request_account_id, _request_region
from ministack.services import apigateway, lambda_svc

from local.emulator.connections import AGES, LARGEST_FRAME, new_id

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Answer = dict[str, Any]

NORMAL, GOING_AWAY, NO_STATUS, TOO_BIG = 1000, 1001, 1005, 1009
_REASONS: Final = {
    NO_STATUS: "Client-side close frame status not set",
    GOING_AWAY: "Going away",
    TOO_BIG: "Message too big",
}
_FORBIDDEN: Final = "Forbidden"
_DIED: Final = "Internal server error"


def install() -> None:
    """Take over the WebSockets. To be called before the emulator starts serving."""
    apigateway.handle_websocket = serve


async def serve(scope: Scope, receive: Receive, send: Send, api_id: str, path_override: str | None = None) -> None:
    """Hold one connection of an API until it is over. Returns when `$disconnect` has been handled."""
    await receive()  # websocket.connect
    owner = apigateway._api_owner(api_id)
    if owner is None or owner[0] != "WEBSOCKET":
        await send({"type": "websocket.close", "code": 1008})
        return
    stage = (path_override or scope["path"]).lstrip("/").split("/", 1)[0]
    handshake = Handshake(api_id, stage, owner[1], owner[2], _headers(scope), _query(scope), _source_ip(scope))
    with _on_behalf_of(handshake):
        session = Session(handshake, scope, receive, send)
        if await session.open():
            await session.run()


@dataclass(frozen=True)
class Handshake:
    """What a client connected to, and with what."""

    api_id: str
    stage: str
    account: str
    region: str
    headers: Mapping[str, str]
    query: Mapping[str, list[str]]
    source_ip: str
    connection_id: str = field(default_factory=new_id)
    at: float = field(default_factory=time.time)

    @property
    def fields(self) -> dict[str, Any]:
        """The handshake as events of `$connect` carry it: what is not there is left out."""
        named = apigateway._ws_connect_fields(dict(self.headers), dict(self.query))
        return {name: value for name, value in named.items() if value is not None}


class Session:
    """A connection: its frames, its posts, and its end."""

    def __init__(self, handshake: Handshake, scope: Scope, receive: Receive, send: Send) -> None:
        self._handshake = handshake
        self._scope = scope
        self._receive = receive
        self._send = send
        self._authorizer: Mapping[str, Any] | None = None
        self._frames: set[asyncio.Task[None]] = set()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._closed = asyncio.Event()
        self._code: int | None = None
        self._reason = ""
        self._active_at = time.monotonic()

    # -- the handshake ------------------------------------------------------------------------------------------------

    async def open(self) -> bool:
        """Whether it was let in. No post reaches it before (410), since until then it is not there."""
        handshake, request_id = self._handshake, new_id()
        route = apigateway._match_ws_route(handshake.api_id, "$connect")
        if route is not None:
            refusal = await self._authorized(route, request_id)
            if refusal is None:
                status = await self._let_in(route, request_id)
                refusal = None if status == HTTPStatus.OK else (status, HTTPStatus(status).phrase)
            if refusal is not None:
                await apigateway._refuse_ws_handshake(
                    self._scope, self._send, *refusal, handshake.connection_id, request_id
                )
                return False
        await self._send({"type": "websocket.accept"})
        return True

    async def _authorized(self, route: Mapping[str, Any], request_id: str) -> tuple[int, str] | None:
        """The refusal, if there is one."""
        if (route.get("authorizationType") or "NONE") == "NONE":
            return None
        handshake = self._handshake
        context = self._context("$connect", "CONNECT", request_id)
        refusal, self._authorizer = await apigateway._authorize_ws_connect(
            handshake.api_id,
            route,
            context,
            dict(handshake.headers),
            dict(handshake.query),
            handshake.account,
            handshake.region,
        )
        return refusal if refusal is None else (int(refusal[0]), str(refusal[1]))

    async def _let_in(self, route: Mapping[str, Any], request_id: str) -> int:
        """200, or the status to refuse it with."""
        event = {**self._handshake.fields, **self._event("$connect", "CONNECT", request_id)}
        answer = await self._invoke(route, event)
        if answer is None:
            return HTTPStatus.BAD_GATEWAY
        status = int(answer.get("statusCode", HTTPStatus.OK))
        return HTTPStatus.OK if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES else status

    # -- while it is open ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until either side ends it."""
        apigateway._ws_connections[self._handshake.connection_id] = self._record()
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        ending = asyncio.create_task(self._until_over())
        await asyncio.wait({reading, writing, ending}, return_when=asyncio.FIRST_COMPLETED)
        apigateway._ws_connections.pop(self._handshake.connection_id, None)
        code = self._code or NORMAL
        self._closed.set()
        for task in (reading, writing, ending):
            task.cancel()
        with contextlib.suppress(Exception):  # the client may have closed it first
            while not self._outbox.empty():
                await self._send({"type": "websocket.send", "text": self._outbox.get_nowait()})
            await self._send({"type": "websocket.close", "code": code})
        await self._tell_of_end()
        await asyncio.gather(*self._frames, reading, writing, ending, return_exceptions=True)

    def _record(self) -> dict[str, Any]:
        """The connection as the rest of the emulator knows it."""
        now, source_ip = int(self._handshake.at), self._handshake.source_ip
        return {
            "apiId": self._handshake.api_id,
            "accountId": self._handshake.account,
            "stage": self._handshake.stage,
            "connectedAt": now,
            "lastActiveAt": now,
            "sourceIp": source_ip,
            "identity": {"sourceIp": source_ip, "userAgent": self._handshake.headers.get("user-agent", "")},
            "outbox": self._outbox,
            "close_event": self._closed,
        }

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                self._code = int(message.get("code") or NO_STATUS)
                self._reason = message.get("reason") or ""
                return
            if message["type"] == "websocket.receive":
                self._stir()
                task = asyncio.create_task(self._serve(_text(message)))
                self._frames.add(task)
                task.add_done_callback(self._frames.discard)

    async def _write(self) -> None:
        """What was posted, and the replies, in the order in which they came to be."""
        while True:
            text = await self._outbox.get()
            self._stir()
            await self._send({"type": "websocket.send", "text": text})

    async def _until_over(self) -> None:
        """Until the connection was deleted, was silent for too long, or is too old."""
        began = time.monotonic()
        while not self._closed.is_set():
            ends = min(self._active_at + AGES.now.idle_s, began + AGES.now.age_s)
            if time.monotonic() >= ends:
                self._code = GOING_AWAY
                return
            with contextlib.suppress(TimeoutError):  # looked at again and again: ages may be changed meanwhile
                await asyncio.wait_for(self._closed.wait(), min(0.5, max(0.01, ends - time.monotonic())))

    def _stir(self) -> None:
        self._active_at = time.monotonic()
        record = apigateway._ws_connections.get(self._handshake.connection_id)
        if record is not None:
            record["lastActiveAt"] = int(time.time())

    async def _serve(self, text: str) -> None:
        """One frame: an invocation and its reply."""
        api = apigateway._apis.get(self._handshake.api_id) or {}
        key = _route_key(api.get("routeSelectionExpression") or "", text)
        route = apigateway._match_ws_route(self._handshake.api_id, key)
        request_id = new_id()
        if route is None:
            self._reply(self._words(_FORBIDDEN, request_id))
            return
        context = {"messageId": new_id()}
        event = {**self._event(route["routeKey"], "MESSAGE", request_id, **context), "body": text}
        answer = await self._invoke(route, event)
        if answer is None:
            self._reply(self._words(_DIED, request_id))
        elif answer.get("body"):
            body = answer["body"]
            self._reply(body if isinstance(body, str) else json.dumps(body))

    def _words(self, message: str, request_id: str) -> str:
        return json.dumps({"message": message, "connectionId": self._handshake.connection_id, "requestId": request_id})

    def _reply(self, text: str) -> None:
        if len(text.encode(errors="surrogateescape")) > LARGEST_FRAME:
            self._code = TOO_BIG
            self._closed.set()
        else:
            self._outbox.put_nowait(text)

    async def _tell_of_end(self) -> None:
        route = apigateway._match_ws_route(self._handshake.api_id, "$disconnect")
        if route is not None:
            code = self._code or NORMAL
            context = {"disconnectStatusCode": code, "disconnectReason": self._reason or _REASONS.get(code, "")}
            await self._invoke(route, self._event(route["routeKey"], "DISCONNECT", new_id(), **context))

    # -- events -------------------------------------------------------------------------------------------------------

    def _event(self, route_key: str, event_type: str, request_id: str, **context: Any) -> dict[str, Any]:
        about = self._context(route_key, event_type, request_id)
        if self._authorizer is not None:
            about["authorizer"] = {**self._authorizer, "integrationLatency": 1}
        return {"requestContext": {**about, **context}, "isBase64Encoded": False}

    def _context(self, route_key: str, event_type: str, request_id: str) -> dict[str, Any]:
        handshake = self._handshake
        return {
            "routeKey": route_key,
            "eventType": event_type,
            "extendedRequestId": request_id,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
            "messageDirection": "IN",
            "stage": handshake.stage,
            "connectedAt": int(handshake.at * 1_000),
            "requestTimeEpoch": int(time.time() * 1_000),
            "identity": {
                "sourceIp": handshake.source_ip,
                **({"userAgent": handshake.headers["user-agent"]} if "user-agent" in handshake.headers else {}),
            },
            "requestId": request_id,
            "domainName": f"{handshake.api_id}.execute-api.{apigateway._HOST}",
            "connectionId": handshake.connection_id,
            "apiId": handshake.api_id,
        }

    async def _invoke(self, route: Mapping[str, Any], event: dict[str, Any]) -> Answer | None:
        """What the route's function answers; None where it has died, or said nothing that can be read."""
        handshake = self._handshake
        target = str(route.get("target", "")).rpartition("/")[2]
        integration = apigateway._integrations.get(handshake.api_id, {}).get(target) or {}
        function, config, _ = lambda_svc._get_func_record_for_ref_in_scope(
            apigateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", "")),
            account_id=handshake.account,
            region=handshake.region,
        )
        if function is None or config is None:
            return None
        record = lambda_svc._execution_record_for_config(function, config)
        result = await run_reentrant(lambda_svc._execute_function_with_config_scope, record, event)
        if result.get("error") or result.get("throttle"):
            return None
        body = result.get("body")
        return body if isinstance(body, dict) else {}


# -- what a client sends ----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _on_behalf_of(handshake: Handshake) -> Iterator[None]:
    """What is looked up within is the account's that owns the API."""
    account, region = _request_account_id.set(handshake.account), _request_region.set(handshake.region)
    try:
        yield
    finally:
        _request_region.reset(region)
        _request_account_id.reset(account)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("utf-8", "replace") for name, value in scope["headers"]}


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope.get("query_string", b"").decode(errors="replace"), keep_blank_values=True)


def _source_ip(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "127.0.0.1"


def _text(message: Mapping[str, Any]) -> str:
    """A frame as it was sent: a binary one that is no UTF-8 reaches the function as it is, and is refused there."""
    text = message.get("text")
    return text if isinstance(text, str) else (message.get("bytes") or b"").decode(errors="surrogateescape")


def _route_key(expression: str, text: str) -> str:
    """By the frame's own words; `$default` for what can't be read, or is nested too deeply for a parser."""
    try:
        return str(apigateway._evaluate_route_selection(expression, text))
    except RecursionError:
        return "$default"
