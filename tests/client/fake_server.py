"""A small Parley server on loopback: the model behind a real WebSocket and a real HTTP port, with faults on request."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tests.client.fake_storage import FakeStorage
from tests.client.http_model import HttpModel
from tests.client.model import Frame, Model, Refusal

PATIENCE_S = 30.0  # what hangs fails; a busy machine does not


def token_of(user: str, **claims: object) -> str:
    """A token with the shape of a JWT: the client reads it, and the server does not verify it."""
    payload = base64.urlsafe_b64encode(json.dumps({"sub": user, **claims}).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.signature"


@dataclass
class FakeServer:
    """`refusals` answers the next handshakes with these statuses, `http_refusals` the next requests of a path with
    status and code; `on_frame` may swallow a frame's reply, or more.

    on_frame(user, frame) returns "lost" (never handled), "unanswered" (handled, no reply), or None.
    """

    model: Model = field(default_factory=Model)
    tokens: set[str] = field(default_factory=set)
    refusals: list[int] = field(default_factory=list)
    http_refusals: list[tuple[str, int, str]] = field(default_factory=list)
    on_frame: Callable[[str, Frame], str | Refusal | None] = lambda _user, _frame: None
    frames: list[tuple[str, Frame]] = field(default_factory=list)
    handshakes: list[Request] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    posting: bool = True
    http: HttpModel = field(init=False)
    _telling: set[asyncio.Task[None]] = field(default_factory=set)
    _tickets: dict[str, str] = field(default_factory=dict)
    _living: list[tuple[str, ServerConnection]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _websockets: Server | None = None
    _http: asyncio.Server | None = None

    def __post_init__(self) -> None:
        self.http = HttpModel(self.model)

    @property
    def storage(self) -> FakeStorage:
        return self.http.files.storage

    @property
    def url(self) -> str:
        assert self._websockets is not None
        return f"ws://127.0.0.1:{next(iter(self._websockets.sockets)).getsockname()[1]}/test"

    @property
    def http_url(self) -> str:
        assert self._http is not None
        return f"http://127.0.0.1:{self._http.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._websockets = await serve(self._converse, "127.0.0.1", 0, process_request=self._admit, ping_interval=None)
        self._http = await asyncio.start_server(self._answer_http, "127.0.0.1", 0)
        await self.storage.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._websockets is not None
        assert self._http is not None
        await self.storage.__aexit__()
        self._http.close()
        self._websockets.close()
        await self._websockets.wait_closed()
        await self._http.wait_closed()

    def admit(self, user: str) -> str:
        """A token that is good from now on."""
        token = token_of(user)
        self.tokens.add(token)
        return token

    async def until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._news.clear()
            await self._news.wait()

    def sent(self, kind: str) -> list[Frame]:
        """The frames of a type that came in."""
        return [frame for _, frame in self.frames if frame["type"] == kind]

    def living(self, user: str) -> int:
        return sum(each == user for each, _ in self._living)

    async def cut(self) -> None:
        """Every connection breaks, without a goodbye."""
        for _, connection in self._living:
            connection.transport.abort()
        await self.until(lambda: not self._living)

    async def tell(self, user: str, event: Frame, *, but: ServerConnection | None = None) -> None:
        for each, connection in list(self._living):
            if each == user and connection is not but:
                with contextlib.suppress(ConnectionClosed):
                    await connection.send(json.dumps(event))

    async def post(self, sender: str, to: str, content: str) -> None:
        """A message of a user who is not connected here."""
        event = self.model.post(sender, to, content)
        if self.posting:
            await self.tell(to, event)

    # --- the WebSocket side

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.handshakes.append(request)
        self._news.set()
        user = self._user(request.headers, urlsplit(request.path).query)
        status = self.refusals.pop(0) if self.refusals else (403 if user is None else 0)
        if status:
            return connection.respond(HTTPStatus(status), "no\n")
        connection.username = str(user)
        return None

    def _user(self, headers: Headers, query: str) -> str | None:
        ticket = parse_qs(query).get("ticket", [""])[0]
        if ticket:
            return self._tickets.pop(ticket, None)
        return self._owner(headers.get("Authorization", ""))

    def _owner(self, authorization: str) -> str | None:
        token = authorization.removeprefix("Bearer ")
        if token not in self.tokens:
            return None
        payload = token.split(".")[1]
        return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"])

    async def _converse(self, connection: ServerConnection) -> None:
        user = connection.username
        me = (user, connection)
        self._living.append(me)
        self._news.set()
        try:
            async for text in connection:
                await self._serve(user, connection, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            self._living.remove(me)
            self._news.set()

    async def _serve(self, user: str, connection: ServerConnection, frame: Frame) -> None:
        self.frames.append((user, frame))
        verdict = self.on_frame(user, frame)
        if isinstance(verdict, Refusal):
            await connection.send(json.dumps({"success": False, "id": frame["id"], **verdict.body}))
        elif frame["type"] == "auth" and frame["token"] not in self.tokens:
            refusal = {"success": False, "id": frame["id"], **Refusal("unauthenticated").body}
            await connection.send(json.dumps(refusal))
        elif verdict != "lost":
            reply, posts = self.model.handle(user, frame)
            for other, event in posts if self.posting else ():
                await self.tell(other, event, but=connection)
            if reply and verdict != "unanswered":
                await connection.send(json.dumps(reply))
        self._news.set()

    # --- the HTTP side

    async def _answer_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split(" ")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            body = await reader.readexactly(int(headers.get("Content-Length", 0)))
            status, answer = self._route(method, target, headers, json.loads(body or b"{}"))
            self._news.set()
            content = b"" if status == HTTPStatus.NO_CONTENT else json.dumps(answer).encode()
            first = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            rest = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            writer.write((first + rest).encode() + content)
            await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _route(self, method: str, target: str, headers: dict[str, str], body: Frame) -> tuple[int, Frame]:
        self.requests.append((method, target))
        user = self._owner(headers.get("Authorization", ""))
        if user is None:
            return 401, {"error": "No", "code": "unauthenticated", "retryable": False}
        url = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if (method, url.path) == ("POST", "/v1/tickets"):
            ticket = f"ticket-{len(self.requests)}"
            self._tickets[ticket] = user
            return 200, {"ticket": ticket, "expires_in": 30}
        if self.http_refusals and self.http_refusals[0][0] == url.path:
            status, code = self.http_refusals.pop(0)[1:]
            return status, {"error": "No", "code": code, "retryable": status >= 500}
        status, answer, posts = self.http.answer(user, method, url.path, query, body)
        for other, event in posts if self.posting else ():
            self._telling.add(task := asyncio.create_task(self.tell(other, event)))
            task.add_done_callback(self._telling.discard)
        return status, answer
