"""A connection that a step holds by itself."""

from __future__ import annotations

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from ops.doctor.people import Bare


async def test_who_waits_hears_of_the_connections_end() -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.close(1009)

    async with serve(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", proxy=None) as socket:
            one = Bare(socket)
            assert not one.is_over
            await socket.send("too much")
            assert await one.until(lambda: one.is_over, 60)
            assert socket.close_code == 1009
