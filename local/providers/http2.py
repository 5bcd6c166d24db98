"""HTTP/2: h2 does the protocol. A client's streams are handled side by side, and answered in whichever order."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, Event, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError

from local.providers.http_messages import BODY_LIMIT, Handler, Reply, Request, Silence

CHUNK = 65_536


@dataclass(slots=True)
class _Stream:
    """A request that is still coming in."""

    headers: list[tuple[str, str]]
    body: bytearray = field(default_factory=bytearray)


class Http2Connection:
    """One connection of a client."""

    def __init__(self, handler: Handler, reader: StreamReader, writer: StreamWriter) -> None:
        self._handler = handler
        self._reader = reader
        self._writer = writer
        self._http = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._incoming: dict[int, _Stream] = {}
        self._handling: dict[int, asyncio.Task[None]] = {}

    def hang_up(self) -> None:
        """Say GOAWAY, as Apple does, and close."""
        self._http.close_connection()
        self._flush()
        self._writer.close()

    async def run(self) -> None:
        tls = self._writer.get_extra_info("ssl_object")
        if tls is not None and tls.selected_alpn_protocol() != "h2":
            return  # like Apple's, it speaks nothing else
        self._http.initiate_connection()
        self._flush()
        try:
            while data := await self._reader.read(CHUNK):
                if not self._take(data):
                    return
                await self._writer.drain()
        finally:
            for task in self._handling.values():
                task.cancel()

    def _take(self, data: bytes) -> bool:
        """Tell whether the connection goes on."""
        try:
            events = self._http.receive_data(data)
        except ProtocolError:
            self._flush()  # it holds the GOAWAY that says why
            return False
        for event in events:
            if isinstance(event, ConnectionTerminated):
                return False
            self._on(event)
        self._flush()
        return True

    def _on(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id=int(stream), headers=headers) if headers is not None:
                self._incoming[stream] = _Stream([(_text(name), _text(value)) for name, value in headers])
            case DataReceived(stream_id=int(stream), data=bytes(data)):
                self._http.acknowledge_received_data(event.flow_controlled_length or 0, stream)
                body = self._incoming[stream].body
                body += data[: BODY_LIMIT - len(body)]
            case StreamEnded(stream_id=int(stream)):
                self._start(stream, self._incoming.pop(stream))
            case StreamReset(stream_id=int(stream)):
                self._incoming.pop(stream, None)
                if task := self._handling.get(stream):
                    task.cancel()
            case _:
                pass

    def _start(self, stream: int, incoming: _Stream) -> None:
        pseudo = {name: value for name, value in incoming.headers if name.startswith(":")}
        headers = tuple((name, value) for name, value in incoming.headers if not name.startswith(":"))
        request = Request(pseudo[":method"], pseudo[":path"], headers, bytes(incoming.body))
        task = asyncio.get_running_loop().create_task(self._handle(stream, request))
        self._handling[stream] = task
        task.add_done_callback(lambda _: self._handling.pop(stream))

    async def _handle(self, stream: int, request: Request) -> None:
        outcome = await self._handler(request)
        if outcome is Silence.DROP:
            self._writer.transport.abort()
        elif isinstance(outcome, Reply):
            self._answer(stream, outcome)

    def _answer(self, stream: int, reply: Reply) -> None:
        headers = [(":status", str(reply.status)), *reply.headers.items()]
        try:
            self._http.send_headers(stream, headers, end_stream=not reply.body)
            if reply.body:
                # Far below the smallest window that clients grant.
                self._http.send_data(stream, reply.body, end_stream=True)
        except ProtocolError:
            return  # the client has given up on this stream, or on all of them
        self._flush()

    def _flush(self) -> None:
        if (data := self._http.data_to_send()) and not self._writer.is_closing():
            self._writer.write(data)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")
