"""What the push servers rely on in hypercorn beyond what it documents: a newer one that works otherwise fails here."""

from __future__ import annotations

import asyncio

import pytest

from local.providers.exchange import Reply, Request
from local.providers.listening import ADDRESS, Listener

REQUEST = b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"
WAIT = 10.0


async def answer(_: Request) -> Reply:
    return Reply(200, b"hello")


@pytest.mark.parametrize("then", [b"", REQUEST[:9]], ids=["idle", "within a request"])
@pytest.mark.parametrize("is_cut", [False, True], ids=["closed", "cut"])
def test_a_connection_that_its_client_has_ended_is_kept_no_longer(then: bytes, is_cut: bool) -> None:
    async def kept() -> bool:
        listener = Listener(answer)
        reader, writer = await asyncio.open_connection(ADDRESS, await listener.start(0))
        writer.write(REQUEST + then)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
        served = set(listener._tasks)
        writer.transport.abort() if is_cut else writer.close()
        await writer.wait_closed()
        _, kept = await asyncio.wait(served, timeout=WAIT)
        await listener.stop()
        return bool(kept)

    assert not asyncio.run(kept())
