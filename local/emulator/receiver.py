"""A receiver of events on this machine: what was posted to it as a webhook, what went on the bus, and a page of both.

Nothing of this is a part of the product. Webhooks of the laptop stack may name `/_parley/hooks`, and the page is at
`/_parley/events`. It can be told to answer otherwise than with 200, as a backend that is down would.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from ministack.services import eventbridge

from local.emulator.page import answer, is_own

HOOKS: Final = "/_parley/hooks"
PAGE: Final = "/_parley/events"
LIST: Final = "/_parley/events.json"
KEPT: Final = 1_000
MOST_BYTES: Final = 1_000_000
BUS: Final = "parley-"
_HTML: Final = Path(__file__).with_name("receiver.html")
_SHOWN: Final = ("webhook-id", "webhook-timestamp", "webhook-signature")
_FEWEST, _MOST = 200, 599

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Receiver:
    """An ASGI application. It keeps the latest events, in memory, and answers 200 until it is told otherwise."""

    def __init__(self) -> None:
        self._got: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._status = 200
        # MiniStack keeps what went on its buses for ever.
        self._on_bus: deque[dict[str, Any]] = deque(maxlen=KEPT)
        eventbridge._events_log["entries"] = self._on_bus

    def takes(self, path: str) -> bool:
        """Whether a request for this path is the receiver's; one may post to a name of its own below its place."""
        return path in {HOOKS, PAGE, LIST} or path.startswith(f"{HOOKS}/")

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not is_own(headers):
            await answer(send, 403)
        elif path == PAGE:
            await answer(send, 200, _HTML.read_bytes(), "text/html; charset=utf-8")
        elif path == LIST:
            await self._list(method, send)
        elif method == "POST":
            await self._take(path, headers, await _body(receive), send)
        elif path == HOOKS and method == "PUT":
            await self._behave(await _body(receive), send)
        else:
            await answer(send, 405)

    async def _take(self, path: str, headers: dict[str, str], body: bytes, send: Send) -> None:
        status = self._status
        try:
            event = json.loads(body)
        except ValueError:
            event, status = None, 400
        shown = {name: headers[name] for name in _SHOWN if name in headers}
        # As it came, too: a signature is of the very bytes.
        text = body.decode("utf-8", "replace")
        kept = {"by": "webhook", "path": path, "at": _now(), "status": status, "headers": shown}
        self._got.append({**kept, "event": event, "body": text})
        await answer(send, status)

    async def _behave(self, body: bytes, send: Send) -> None:
        try:
            status = json.loads(body)["status"]
        except (ValueError, LookupError, TypeError):
            status = None
        if not (isinstance(status, int) and _FEWEST <= status <= _MOST):
            return await answer(send, 400)
        self._status = status
        return await answer(send, 204)

    async def _list(self, method: str, send: Send) -> None:
        if method == "DELETE":
            self._got.clear()
            self._on_bus.clear()
            return await answer(send, 204)
        on_bus = [
            {"by": "bus", "at": int(one["Time"]) * 1_000, "event": json.loads(one["Detail"])}
            for one in list(self._on_bus)
            if one["EventBusName"].startswith(BUS)
        ]
        listed = sorted([*self._got, *on_bus], key=lambda one: int(one["at"]))
        return await answer(send, 200, json.dumps({"events": listed}).encode(), "application/json")


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more and len(body) <= MOST_BYTES:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body[:MOST_BYTES]
