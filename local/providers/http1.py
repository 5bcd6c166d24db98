"""HTTP/1.1 with connections that are kept: h11 does the protocol."""

from __future__ import annotations

from asyncio import StreamReader, StreamWriter

import h11

from local.providers.http_messages import BODY_LIMIT, Handler, Reply, Request, Silence

CHUNK = 65_536


class Http1Connection:
    """One connection of a client, a request at a time."""

    def __init__(self, handler: Handler, reader: StreamReader, writer: StreamWriter) -> None:
        self._handler = handler
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER)

    def hang_up(self) -> None:
        self._writer.close()

    async def run(self) -> None:
        while True:
            try:
                request = await self._next_request()
            except h11.RemoteProtocolError as error:
                await self._refuse(error)
                return
            if request is None:
                return
            outcome = await self._handler(request)
            if outcome is Silence.DROP:
                self._writer.transport.abort()
                return
            if outcome is Silence.STALL:
                await self._until_gone()
                return
            if isinstance(outcome, Reply):
                await self._answer(outcome)
            if self._http.our_state is not h11.DONE:
                return  # the client wants no more of this connection
            self._http.start_next_cycle()

    async def _next_request(self) -> Request | None:
        """The next request, complete; None once the client is gone."""
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                await self._feed()
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data[: BODY_LIMIT - len(body)]
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
                return Request(head.method.decode(), head.target.decode("latin-1"), headers, bytes(body))
            else:
                return None

    async def _feed(self) -> None:
        if self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self._writer.write(self._http.send(go_on) or b"")
        self._http.receive_data(await self._reader.read(CHUNK))

    async def _answer(self, reply: Reply) -> None:
        headers = [*reply.headers.items(), ("content-length", str(len(reply.body)))]
        events = [
            h11.Response(status_code=reply.status, headers=headers),
            h11.Data(data=reply.body),
            h11.EndOfMessage(),
        ]
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        await self._writer.drain()

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = {"content-type": "text/plain", "connection": "close"}
            await self._answer(Reply(error.error_status_hint, b"This is no HTTP.\n", headers))

    async def _until_gone(self) -> None:
        while await self._reader.read(CHUNK):
            pass
