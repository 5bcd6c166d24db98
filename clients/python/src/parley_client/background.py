"""Work that blocks for long, in a thread of its own: so it takes no place of the calls, and can be stopped."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

Progress = Callable[[int, int], None]
T = TypeVar("T")

_STOPPING_S: Final = 5.0


class _StoppedError(Exception):
    """The caller has stopped waiting for this transfer."""


@dataclass(slots=True)
class Transfer:
    """One transfer, as its thread and its caller share it."""

    report: Callable[[int, int], None]
    _stopped: bool = False
    _socket: socket.socket | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def stop(self) -> None:
        """From any thread. What the transfer does next fails, and what it waits for on its socket ends."""
        with self._lock:
            self._stopped = True
            if self._socket is not None:
                with suppress(OSError):
                    # Not SSLSocket's own, which is not made for a second thread.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def check(self) -> None:
        """Raises where the caller has stopped waiting."""
        if self._stopped:
            raise _StoppedError

    def connected(self, opened: socket.socket) -> None:
        with self._lock:
            self._socket = opened
        self.check()

    def moved(self, done: int, total: int) -> None:
        self.check()
        self.report(done, total)


async def transferred(work: Callable[[Transfer], T], progress: Progress | None) -> T:
    """Do the work in a thread. `progress` is called on the loop, in order; what it raises ends the transfer.

    Cancelling stops the transfer, and waits until it has cleaned up (for seconds at most: a name that is looked up
    can't be interrupted, and does no harm).
    """
    run = _Run(work, progress, asyncio.get_running_loop())
    transfer = Transfer(run.report)
    threading.Thread(target=run.work, args=(transfer,), name="parley-transfer", daemon=True).start()
    try:
        return await run.outcome
    finally:
        if not run.ended.is_set():
            transfer.stop()
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOPPING_S):
                    await run.ended.wait()


class _Run(Generic[T]):
    """`work` and `report` are the thread's, everything else is the loop's."""

    def __init__(
        self, work: Callable[[Transfer], T], progress: Progress | None, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._work, self._progress, self._loop = work, progress, loop
        self.outcome: asyncio.Future[T] = loop.create_future()
        self.ended = asyncio.Event()

    def work(self, transfer: Transfer) -> None:
        try:
            result = self._work(transfer)
        except BaseException as exc:  # noqa: BLE001  # it is raised where it is waited for
            self._later(self._settle, self.outcome.set_exception, exc)
        else:
            self._later(self._settle, self.outcome.set_result, result)

    def report(self, done: int, total: int) -> None:
        if self._progress is not None:
            self._later(self._tell, self._progress, done, total)

    def _later(self, call: Callable[..., None], *arguments: object) -> None:
        with suppress(RuntimeError):  # the loop is gone: so is the caller
            self._loop.call_soon_threadsafe(call, *arguments)

    def _settle(self, settle: Callable[[object], None], outcome: object) -> None:
        self.ended.set()
        if not self.outcome.done():
            settle(outcome)

    def _tell(self, progress: Progress, done: int, total: int) -> None:
        if self.outcome.done():
            return
        try:
            progress(done, total)
        except Exception as exc:  # noqa: BLE001  # it is raised where the transfer is waited for
            self.outcome.set_exception(exc)
