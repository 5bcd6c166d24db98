"""A TCP proxy before the stack: it passes everything on, or does what its fault model has planned for a connection.

A test can also cut all connections at once, without goodbye on either side.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from local.stack import Stack
from tests.chaos.frames import Frame, Frames
from tests.chaos.listener import Listener
from tests.chaos.storm import CALM, Direction, FaultModel, NoFaults, Plan, Trouble

_READ_SIZE = 65_536
_HEAD_END = b"\r\n\r\n"
_A_MOMENT = 1e-6

Tap = Callable[[str, bytes], None]
"""Is told of each text that the gateway sends: the target of the connection's handshake, and the text."""


class Proxy:
    """One port for WebSocket and HTTP, as the gateway has it. `struck` counts what befell connections, by kind."""

    def __init__(self, stack: Stack, *, tap: Tap | None = None, rng: random.Random | None = None) -> None:
        self.fault_model: FaultModel = NoFaults()
        self.connections = 0
        self.struck: Counter[Trouble] = Counter()
        self.tap = tap
        self.rng = rng or random.Random(0)
        self._ws_url, self._http_url = urlsplit(stack.ws_url), urlsplit(stack.http_url)
        self._listener = Listener(self._serve)
        self._passages: set[_Passage] = set()

    @property
    def url(self) -> str:
        return urlunsplit(self._ws_url._replace(netloc=self._netloc))

    @property
    def http_url(self) -> str:
        return urlunsplit(self._http_url._replace(netloc=self._netloc))

    @property
    def _netloc(self) -> str:
        return f"127.0.0.1:{self._listener.port}"

    async def start(self) -> None:
        await self._listener.start()

    async def stop(self) -> None:
        self.cut()
        await self._listener.stop()

    def cut(self) -> None:
        """Reset every connection there is, half-open ones included."""
        for passage in self._passages:
            passage.abort()

    def heal(self) -> None:
        """From here on all is well. A connection that is in trouble already is cut at once, and comes again."""
        self.fault_model = NoFaults()
        self.cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        plan = self.fault_model.plan()
        if plan.end is Trouble.REFUSED:
            self.struck[Trouble.REFUSED] += 1
            writer.transport.abort()
            return
        try:
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._ws_url.port)
        except OSError:  # there is no gateway now
            writer.transport.abort()
            return
        passage = _Passage(self, plan, {"up": onward, "down": writer})
        self._passages.add(passage)
        try:
            await asyncio.gather(passage.pump("up", reader), passage.pump("down", onward_reader))
        finally:
            self._passages.discard(passage)
            passage.abort()


class _Passage:
    """One connection through the proxy. `sinks`: where each direction's bytes go."""

    def __init__(self, proxy: Proxy, plan: Plan, sinks: dict[Direction, asyncio.StreamWriter]) -> None:
        self._proxy = proxy
        self._plan = plan
        self._sinks = sinks
        self._target = ""
        self._is_websocket = False
        self._passed = 0
        self._is_half_open = False
        self._is_over = False
        self._lanes: dict[Direction, _Lane] = {"up": _Lane(), "down": _Lane()}

    def abort(self) -> None:
        for sink in self._sinks.values():
            sink.transport.abort()

    async def pump(self, direction: Direction, source: asyncio.StreamReader) -> None:
        """Pass on what comes from one side, and then its end: a reset as a reset, a goodbye as one."""
        sink = self._sinks[direction]
        end = sink.close
        try:
            await self._pump_head(direction, source)
            frames = Frames()
            while data := await source.read(_READ_SIZE):
                if self._is_websocket and (self._plan is not CALM or self._proxy.tap):
                    for frame in frames.feed(data):
                        self._pass_frame(direction, frame)
                else:
                    self._pass_bytes(direction, data)
                await sink.drain()
            await asyncio.sleep(self._lanes[direction].latest - asyncio.get_running_loop().time())
        except OSError:
            end = sink.transport.abort
        except asyncio.IncompleteReadError:
            pass  # it ended before it had begun
        # The other side of a half-open connection does not hear of its end.
        if not (self._is_half_open and direction in self._plan.stalls):
            end()

    async def _pump_head(self, direction: Direction, source: asyncio.StreamReader) -> None:
        """The request or the answer's head. A WebSocket's frames begin behind it."""
        head = await source.readuntil(_HEAD_END)
        if direction == "down" and self._is_websocket and self._plan.end is Trouble.HANDSHAKE_LOST:
            self._end(Trouble.HANDSHAKE_LOST, direction)
            return
        if direction == "up":
            self._target = head.split(b" ", 2)[1].decode("latin-1")
            self._is_websocket = b"\r\nupgrade: websocket\r\n" in head.lower()
        self._sinks[direction].write(head)

    def _pass_bytes(self, direction: Direction, data: bytes) -> None:
        """HTTP, or a calm connection."""
        limit = None if self._is_websocket else self._plan.http_after
        if self._is_over:
            return
        if limit is None or self._passed + len(data) <= limit:
            self._passed += len(data)
            self._sinks[direction].write(data)
        else:
            self._end(Trouble.HTTP_CUT, direction, data[: limit - self._passed])

    def _pass_frame(self, direction: Direction, frame: Frame) -> None:
        if self._is_over:
            return
        if self._proxy.tap and direction == "down" and frame.is_whole_text:
            self._proxy.tap(self._target, frame.payload)
        plan = self._plan
        self._passed += len(frame.raw) if plan.end is Trouble.DROPPED else 1
        if plan.end is None or self._passed < plan.after:
            self._post(direction, frame)
        elif plan.stalls:
            self._stall(direction, frame)
        elif plan.end is Trouble.DROPPED:
            self._end(plan.end, direction)
        elif plan.end is (Trouble.HALVED_UP if direction == "up" else Trouble.HALVED_DOWN):
            self._end(plan.end, direction, frame.raw[: len(frame.raw) // 2])
        else:
            self._post(direction, frame)  # the frame to halve is the next one the other way

    def _stall(self, direction: Direction, frame: Frame) -> None:
        if not self._is_half_open and self._plan.end is not None:
            self._is_half_open = True
            self._proxy.struck[self._plan.end] += 1
        if direction not in self._plan.stalls:
            self._post(direction, frame)

    def _end(self, trouble: Trouble, direction: Direction, last: bytes = b"") -> None:
        """A reset after the last bytes, which arrive: with a goodbye, since a reset may overtake them."""
        self._proxy.struck[trouble] += 1
        self._is_over = True
        sink = self._sinks[direction]
        if last:
            sink.write(last)
            sink.close()
        for other in self._sinks.values():
            if other is not sink or not last:
                other.transport.abort()

    # --- delays

    def _post(self, direction: Direction, frame: Frame) -> None:
        """Deliver the frame when it is due. A late one is overtaken by those behind it, but no control frame is."""
        plan, lane, rng = self._plan, self._lanes[direction], self._proxy.rng
        if not plan.delay_s:
            self._sinks[direction].write(frame.raw)
            return
        self._proxy.struck[Trouble.DELAYED] += 1
        loop = asyncio.get_running_loop()
        is_late = frame.is_whole_text and rng.random() < plan.late
        due = lane.due(loop.time() + rng.uniform(0, plan.delay_s), late_s=3 * plan.delay_s if is_late else 0.0)
        if frame.is_control:
            due = lane.latest
        lane.posted += 1
        loop.call_at(due, self._deliver, direction, lane.posted, frame.raw)

    def _deliver(self, direction: Direction, number: int, raw: bytes) -> None:
        lane = self._lanes[direction]
        if self._sinks[direction].is_closing():
            return
        self._proxy.struck[Trouble.OVERTAKEN] += number < lane.delivered
        lane.delivered = max(number, lane.delivered)
        self._sinks[direction].write(raw)


@dataclass(slots=True)
class _Lane:
    """One direction's frames on their way: how many, and when the last in order and the last of all are due."""

    posted: int = 0
    delivered: int = 0
    in_order: float = 0.0
    latest: float = 0.0

    def due(self, wanted: float, *, late_s: float) -> float:
        """When a frame is delivered: behind those before it that are not late. Two never have the same moment."""
        due = max(wanted, self.in_order + _A_MOMENT)
        if not late_s:
            self.in_order = due
        self.latest = max(due + late_s, self.latest + _A_MOMENT)
        return due + late_s


@contextlib.asynccontextmanager
async def proxy_before(
    stack: Stack, *, tap: Tap | None = None, rng: random.Random | None = None
) -> AsyncIterator[Proxy]:
    proxy = Proxy(stack, tap=tap, rng=rng)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
