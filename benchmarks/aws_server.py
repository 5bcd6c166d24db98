"""As much of AWS as its callers need to be compared: DynamoDB's answer to a put, the gateway's to a post, over TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Final
from zlib import crc32

from benchmarks.serving import serving
from shared.adapters.aws import transport
from shared.adapters.aws.transport import Pool
from tests.shared.adapters.aws.certificates import tls_contexts

HANGS: Final = "hangs"
GONE: Final = "gone"
DELAY_MS: Final = 8
"""What a post takes inside a region."""
_DELAYED: Final = "after"
"""The stage that answers after so long."""


class _Answers(asyncio.Protocol):
    """To whatever comes in. A connection whose name has `HANGS` in it gets none; one with `GONE` is gone."""

    _times: Final[list[float]] = []
    _body = b"{}"
    _put = (
        b"HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: keep-alive\r\n"
        b"x-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\nContent-Length: %d\r\n\r\n%b"
    ) % (b"A" * 52, crc32(_body), len(_body), _body)
    _post = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nx-amzn-RequestId: %b\r\n"
        b"Content-Length: 0\r\n\r\n"
    ) % (b"A" * 36)
    _gone = (
        b"HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nx-amzn-RequestId: %b\r\n"
        b"x-amzn-ErrorType: GoneException\r\nContent-Length: 2\r\n\r\n{}"
    ) % (b"A" * 36)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            line = head.partition(b"\r\n")[0]
            if f"/{_DELAYED}/".encode() in line:
                asyncio.get_running_loop().call_later(DELAY_MS / 1_000, self._answer, line)
            else:
                self._answer(line)

    def _answer(self, line: bytes) -> None:
        if line.startswith(b"GET"):
            said = json.dumps(self._times).encode()
            self._times.clear()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))
        elif HANGS.encode() not in line:
            self._times.append(time.monotonic())
            said = self._post if b"connections" in line else self._put
            self._transport.write(self._gone if GONE.encode() in line else said)


def _serve(port: Pipe, pem: str) -> None:
    async def run() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pem)
        server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", 0, ssl=tls, backlog=1_024)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@dataclass(frozen=True, slots=True)
class AwsServer:
    """`pem` is the file with the certificate that everybody here trusts."""

    endpoint: str
    pem: str

    def stage(self, delay_ms: int) -> str:
        """The endpoint of @connections that answers after that long: at once, or after DELAY_MS."""
        return f"{self.endpoint}/{_DELAYED if delay_ms else 'prod'}"

    def answered_at(self) -> list[float]:
        """When it has answered since it was asked last, by the monotonic clock."""
        times: list[float] = json.loads(Pool(self.endpoint).request("GET", "/", {}, b"").body)
        return times


def trust(pem: str) -> None:
    """Have Parley's transport trust it, in this process."""
    context = ssl.create_default_context(cafile=pem)
    vars(transport)["tls_context"] = lambda _: context


@contextmanager
def aws_server() -> Iterator[AwsServer]:
    """In a process of its own, so that what is counted beside it is what the callers spend."""
    with tempfile.TemporaryDirectory() as folder:
        tls_contexts(Path(folder))
        pem = str(Path(folder) / "localhost.pem")
        trust(pem)
        with serving(_serve, pem, scheme="https", host="localhost") as endpoint:
            yield AwsServer(endpoint, pem)
