"""The core's shell under asyncio: does what the core says, with a socket, a timer and futures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from parley_client.codec import decode, encode
from parley_client.core import Core
from parley_client.dial import Dialer
from parley_client.effects import AskNotifications, Connect, Disconnect, Done, Effect, Failed, Renew, Save, Transmit
from parley_client.errors import ClosedError, ParleyError
from parley_client.rest import NOTIFICATIONS
from parley_client.store import Store

_LOGGER: Final = logging.getLogger("parley_client")


class Shell:
    def __init__(self, core: Core, dialer: Dialer, store: Store | None = None) -> None:
        self._core, self._dialer, self._store = core, dialer, store
        self._unkept: ParleyError | None = None
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._news = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._serving: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def perform(self) -> None:
        """Do what the core wants done. To be called after everything that was put into it.

        Once the state could not be kept, nothing is told any more but that.
        """
        while effects := self._core.effects():
            for effect in effects:
                if self._unkept is None:
                    self._do(effect)
                elif isinstance(effect, (Done, Failed)):
                    self._do(Failed(effect.call, self._unkept))
        self._set_timer()
        self._news.set()

    def check_kept(self) -> None:
        """Raises ParleyError where the state could not be kept: what was taken must not be shown."""
        if self._unkept is not None:
            raise self._unkept

    async def outcome(self, call: int) -> Any:
        """What becomes of a call: its value, or its error raised. Cancelling leaves the call to itself."""
        future = asyncio.get_running_loop().create_future()
        self._calls[call] = future
        self.perform()
        try:
            return await future
        except ParleyError:
            asyncio.get_running_loop().call_soon(self._told, call)
            raise
        except asyncio.CancelledError:
            self._core.abandon(call)
            raise
        finally:
            self._calls.pop(call, None)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for the core to get there. Raises what stopped it before."""
        while not reached():
            if self._core.connection == "stopped":
                raise self._core.error or ClosedError()
            await self.news()

    async def news(self) -> None:
        """Wait until something happens."""
        self._news.clear()
        await self._news.wait()

    async def close(self) -> None:
        self._core.tell_read(self.now())
        self.perform()
        await asyncio.sleep(0)  # what is to go out goes as far as the socket
        self._core.stop()
        self.perform()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _do(self, effect: Effect) -> None:
        match effect:
            case Save():
                self._save()
            case Connect():
                self._serving = self._begin(self._serve())
            case Disconnect(reason):
                _LOGGER.info("leaving the connection: %s", reason)
                self._leave()
            case Renew():
                self._begin(self._renew())
            case AskNotifications(number):
                self._begin(self._ask_notifications(number))
            case Transmit(frame):
                self._outgoing.put_nowait(encode(frame))
            case Done(call, value):
                self._settle(call, lambda future: future.set_result(value))
            case Failed(call, error):
                self._settle(call, lambda future: future.set_exception(error))

    def _save(self) -> None:
        if self._store is None:
            return
        try:
            self._store.save(self._core.state())
        except OSError as error:
            self._unkept = ParleyError("not_saved", f"The state can't be saved: {error}")
            self._core.stop(self._unkept)
            self._leave()

    def _told(self, call: int) -> None:
        """After the callers that waited have run on, as far as their next pause."""
        self._core.told(call)
        self.perform()

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _renew(self) -> None:
        try:
            token = await self._dialer.renew()
        except ParleyError as error:
            _LOGGER.info("the token can't be renewed: %s", error.message)
            self._core.not_renewed(self.now())
        else:
            self._core.renew(token, self._dialer.left(token), self.now())
        self.perform()

    async def _ask_notifications(self, number: int) -> None:
        try:
            body = await self._dialer.call("GET", NOTIFICATIONS)
        except ParleyError as error:
            _LOGGER.info("the notifications can't be had: %s", error.message)
            self._core.not_notified(number, error, self.now())
        else:
            self._core.notified(number, body, self.now())
        self.perform()

    def _settle(self, call: int, settle: Callable[[asyncio.Future[Any]], None]) -> None:
        future = self._calls.get(call)
        if future is not None and not future.done():
            settle(future)

    def _leave(self) -> None:
        """The task of the connection ends; what it still receives is dropped."""
        serving, self._serving = self._serving, None
        if serving is not None and serving is not asyncio.current_task():
            serving.cancel()

    async def _serve(self) -> None:
        """One connection, from the handshake to its end."""
        me = asyncio.current_task()
        try:
            reason = await self._converse(me)
        except ParleyError as error:
            if not error.retryable and self._serving is me:
                self._core.stop(error)
            reason = error.message
        except Exception as exc:
            _LOGGER.exception("the connection failed unexpectedly")
            reason = f"unexpected: {exc!r}"
        if self._serving is me:
            self._core.lost(self.now(), reason)
            self.perform()

    async def _converse(self, me: asyncio.Task[None] | None) -> str:
        """Returns why the connection ended."""
        websocket = await self._dialer.dial()
        outgoing = self._outgoing = asyncio.Queue()
        writer = asyncio.create_task(_write(websocket, outgoing))
        try:
            if self._serving is me:
                self._core.connected(self.now(), token_left=self._dialer.left(), renews=self._dialer.renews)
                self.perform()
            while self._serving is me:
                frame = decode(await websocket.recv())
                self._core.receive(frame if frame is not None else {}, self.now())
                self.perform()
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
            return "The connection broke" if code is None else f"The server closed the connection ({code})"
        finally:
            writer.cancel()
            await asyncio.gather(writer, websocket.close(), return_exceptions=True)
        return "left"

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._core.deadline()
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._on_time)

    def _on_time(self) -> None:
        self._core.tick(self.now())
        self.perform()


async def _write(websocket: ClientConnection, outgoing: asyncio.Queue[str]) -> None:
    try:
        while True:
            await websocket.send(await outgoing.get())
    except ConnectionClosed:
        return  # the reader says so
