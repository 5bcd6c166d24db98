"""Requests from several threads over one HTTP/2 connection, with a deadline for the whole of each.

httpx2's synchronous client can't share a connection between threads, so an event loop in a thread of its own works.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx2

from functions.offline_push.providers import Timeouts

_KEPT_IDLE_S: Final = 300.0  # a NAT gateway forgets a silent connection after 350 s
_GOODBYE_S: Final = 1.0

for _name in ("httpx2", "httpcore2", "hpack"):  # they log paths and headers, and a device's token is in the path
    logging.getLogger(_name).setLevel(logging.WARNING)


class NoConnection(Exception):
    """None to be had, or lost twice in a row. Whether the request took effect is not known."""


class TimedOut(Exception):
    """No answer in time. Whether the request took effect is not known."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(eq=False, slots=True)
class _Line:
    """A client with at most one connection worth using, and how many requests are on it."""

    client: httpx2.AsyncClient
    users: int = 0


class Http2:
    """One origin. Everything but `post` and `close` happens in the loop's thread."""

    def __init__(self, origin: str, *, trust: ssl.SSLContext, timeouts: Timeouts) -> None:
        """Connects to nothing yet. `trust` is changed: it is to be for HTTP/2 only."""
        self._origin = origin.rstrip("/")
        self._trust = trust
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._line: _Line | None = None

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send what may be sent twice: once more if its connection was lost. Raises NoConnection and TimedOut."""
        running = asyncio.run_coroutine_threadsafe(self._exchange(path, headers, body), self._started())
        try:
            return running.result(self._timeouts.connect_s + self._timeouts.read_s)
        except TimeoutError as exc:
            running.cancel()
            raise TimedOut from exc

    def close(self) -> None:
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is not None:
            asyncio.run_coroutine_threadsafe(self._hang_up(), loop).result(_GOODBYE_S)
            loop.call_soon_threadsafe(loop.stop)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="http2", daemon=True).start()
            return self._loop

    async def _exchange(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        lost: Exception | None = None
        for _ in range(2):
            try:
                return await self._send(path, headers, body)
            except httpx2.TimeoutException as exc:
                raise TimedOut from exc
            except httpx2.TransportError as exc:
                lost = exc
            if isinstance(lost, httpx2.ConnectError):
                break
        raise NoConnection from lost

    async def _send(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        line = self._line = self._line or _Line(self._client())
        line.users += 1
        try:
            response = await line.client.post(self._origin + path, headers=dict(headers), content=body)
        except BaseException:  # also when out of time: the connection may lead nowhere
            if self._line is line:
                self._line = None
            raise
        else:
            return Answer(response.status_code, response.headers, response.content)
        finally:
            line.users -= 1
            if line is not self._line and line.users == 0:
                await line.client.aclose()

    def _client(self) -> httpx2.AsyncClient:
        read_s = self._timeouts.read_s
        transport = httpx2.AsyncHTTPTransport(
            verify=self._trust,
            http1=False,
            http2=True,
            trust_env=False,
            limits=httpx2.Limits(max_connections=None, keepalive_expiry=_KEPT_IDLE_S),
        )
        timeout = httpx2.Timeout(read_s, connect=self._timeouts.connect_s)
        return httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False)

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await line.client.aclose()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
