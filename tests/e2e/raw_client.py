"""A client that knows the protocol and nothing else: a WebSocket, frames out, replies by `id`, events as they come."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from local.stack import Stack
from local.tokens import mint

PATIENCE_S = 60
FRAME_BYTES = 32_768


class RawClient:
    """One connection. Events are kept in the order they came in."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.stray: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._changed = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for text in self.socket:
            frame = json.loads(text)
            async with self._changed:
                if "success" not in frame:
                    self.events.append(frame)
                elif frame.get("id") in self._waiting:
                    self._waiting.pop(frame["id"]).set_result(frame)
                else:
                    self.stray.append(frame)
                self._changed.notify_all()

    async def call(self, type_: str, **fields: Any) -> dict[str, Any]:
        """Send a frame and wait for its reply."""
        frame_id = str(next(self._ids))
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[frame_id] = waiting
        await self.socket.send(json.dumps({"type": type_, "id": frame_id, **fields}))
        return await asyncio.wait_for(waiting, PATIENCE_S)

    async def ask(self, type_: str, **fields: Any) -> dict[str, Any]:
        """The data of a frame's successful reply."""
        reply = await self.call(type_, **fields)
        assert reply["success"], reply
        data: dict[str, Any] = reply["data"]
        return data

    async def send(self, to: str, content: str, *, after: int | None = 0, cmid: str | None = None) -> dict[str, Any]:
        optional = {} if after is None else {"after": after}
        return await self.ask("message", to=to, content=content, client_message_id=cmid or uuid.uuid4().hex, **optional)

    async def raw(self, text: str) -> dict[str, Any]:
        """Send anything, and wait for the one reply, which may carry no id."""
        before = len(self.stray)
        await self.transmit(text)
        await self.until(lambda: len(self.stray) > before)
        assert len(self.stray) == before + 1
        return self.stray[before]

    async def transmit(self, data: str | bytes) -> None:
        """Send it in as many frames as it takes: the gateway closes on one of more than 32 KB."""
        size = len(data.encode() if isinstance(data, str) else data)
        pieces: Any = [data[start : start + FRAME_BYTES // 4] for start in range(0, len(data), FRAME_BYTES // 4)]
        await self.socket.send(pieces if size > FRAME_BYTES else data)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what incoming frames make true."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(condition), PATIENCE_S)

    def of_type(self, type_: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type_]

    async def messages(self, count: int) -> list[dict[str, Any]]:
        """The first `count` different messages by seq, when they are there."""
        await self.until(lambda: len({event["seq"] for event in self.of_type("new_message")}) >= count)
        by_seq = {event["seq"]: event["message"] for event in self.of_type("new_message")}
        return [by_seq[seq] for seq in sorted(by_seq)]

    async def closed(self) -> None:
        """Wait until the other side has closed the connection. Nothing can be sent on it then."""
        await asyncio.wait_for(self.socket.wait_closed(), PATIENCE_S)
        with pytest.raises(ConnectionClosed):
            await self.socket.send("{}")

    async def close(self) -> None:
        await self.socket.close()
        with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
            await self._reader


@contextlib.asynccontextmanager
async def connected(
    stack: Stack, user_id: str, *, ticket: str | None = None, **options: Any
) -> AsyncIterator[RawClient]:
    """A connection as a native client makes it, or with a ticket as a browser does."""
    if ticket is None:
        options.setdefault("additional_headers", {"Authorization": f"Bearer {mint(stack, user_id)}"})
    query = "" if ticket is None else "?" + urllib.parse.urlencode({"ticket": ticket})
    async with connect(stack.ws_url + query, max_size=None, **options) as socket:
        client = RawClient(socket)
        try:
            yield client
        finally:
            await client.close()


def http(
    stack: Stack, method: str, path: str, *, user_id: str | None = None, body: Any = None, token: str | None = None
) -> tuple[int, Any]:
    """One HTTP request: status and decoded body."""
    bearer = token or (mint(stack, user_id) if user_id else None)
    request = urllib.request.Request(
        stack.http_url + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **({"Authorization": f"Bearer {bearer}"} if bearer else {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def new_users(count: int) -> list[str]:
    """Users of this test's own, so that tests share the stack and nothing else."""
    run = uuid.uuid4().hex[:10]
    return [f"user{number}-{run}" for number in range(count)]
