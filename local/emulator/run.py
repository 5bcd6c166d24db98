"""Start MiniStack for the laptop stack: `python -m local.emulator.run`, in its own environment, from the root.

Configured by the environment that `local/server.py` gives it. It listens on the loopback interface alone.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

import asyncio
import contextlib
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app
from ministack.core import lambda_runtime
from ministack.services import apigateway

from local.emulator import calls, connections, event_sources, frames, gateway, websocket, workers
from local.emulator.calls import CallLog
from local.emulator.connections import AGES, Ages
from local.emulator.durable import DurableState
from local.emulator.page import Page
from local.emulator.receiver import Receiver

CHECKPOINT_PATH = "/_parley/checkpoint"
AGES_PATH = "/_parley/ages"
GOODBYE_SECONDS = 3.0
HARD_STOP_SECONDS = 8.0

log = logging.getLogger("parley.emulator")

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Emulator:
    """MiniStack's ASGI application with a checkpoint on demand, an orderly end, and beside it pages and a receiver."""

    def __init__(self, state: DurableState, page: Page, log: CallLog | None) -> None:
        self._state = state
        self._page = page
        self._receiver = Receiver()
        self._log = log
        self._stopping = False

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket" and self._stopping:
            await send({"type": "websocket.close", "code": 1001})
        else:
            await app.app(scope, receive, send)

    async def _request(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["path"] == CHECKPOINT_PATH and scope["method"] == "POST":
            await _say(send, self._checkpoint())
        elif scope["path"] == AGES_PATH and scope["method"] in {"PUT", "DELETE"}:
            await _say(send, _set_ages(b"" if scope["method"] == "DELETE" else await _body(receive)))
        elif self._page.takes(scope["path"]):
            await self._page(scope, receive, send)
        elif self._receiver.takes(scope["path"]):
            await self._receiver(scope, receive, send)
        elif self._log is not None:
            await self._log.pass_on(app.app, scope, receive, send)
        else:
            await app.app(scope, receive, send)

    def _checkpoint(self) -> int:
        try:
            self._state.checkpoint()
        except (OSError, RuntimeError):
            log.exception("checkpoint failed")
            return 500
        return 204

    async def until_stopped(self) -> None:
        """Return after SIGTERM or SIGINT, once the open connections have had their `$disconnect`.

        Hypercorn calls it when it listens.
        """
        self._state.resume()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await stop.wait()
        self._stopping = True
        # From Python 3.12 on, closing the listener waits for every connection, also for a client that never lets go.
        loop.call_later(HARD_STOP_SECONDS, self._exit_now)
        for connection in list(apigateway._ws_connections.values()):
            connection["close_event"].set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_until_idle(), GOODBYE_SECONDS)

    def _exit_now(self) -> None:
        log.warning("some connections did not close in time; stopping without them")
        self._state.checkpoint()
        _leave()


async def _say(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


def _set_ages(wanted: bytes) -> int:
    """How long connections last from now on: as on AWS where nothing is wanted. The status to answer with."""
    try:
        AGES.now = Ages().changed(json.loads(wanted or b"{}"))
    except (ValueError, AttributeError):
        return 400
    return 204


async def _until_idle() -> None:
    while apigateway._ws_connections or lambda_runtime.workers_in_use():  # noqa: ASYNC110  # neither has an event
        await asyncio.sleep(0.02)


async def _serve(emulator: Emulator, config: Config) -> None:
    """Serve until stopped, then leave at once: what MiniStack's threads still wait for is nothing that counts."""
    await serve(emulator, config, shutdown_trigger=emulator.until_stopped)
    _leave()


def _leave() -> None:
    for pool in lambda_runtime._workers.values():
        for worker in pool:
            lambda_runtime._signal(worker._proc)
    os._exit(0)  # the workers' folders go at the next start: thousands of files, on a busy disk a matter of seconds


def install(state: DurableState) -> None:
    """Replace what docs/adr/0021-what-the-emulator-replaces.md lists, and load the kept state in between."""
    state.install()
    event_sources.install()
    state.recover()
    workers.install(workers.FunctionLog(Path(os.environ["PARLEY_FUNCTION_LOG"])), Path(os.environ["PARLEY_RUNTIME"]))
    calls.sign_by_name()
    gateway.install()
    connections.install()
    websocket.install()
    frames.install()


def main() -> None:
    logging.captureWarnings(capture=True)
    state = DurableState(Path(os.environ["PARLEY_STATE"]))
    install(state)
    record = os.environ["PARLEY_CALLS"]
    page = Page(Path(os.environ["PARLEY_PAGE"]), Path(os.environ["PARLEY_STATE"]).parent)
    emulator = Emulator(state, page, CallLog(Path(record)) if record else None)
    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    config.loglevel = "WARNING"
    asyncio.run(_serve(emulator, config))


if __name__ == "__main__":
    main()
