"""The doctor's users: the Python client with a memory for events, and a bare connection for what that client hides."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final, cast

from parley_client import ParleyClient
from parley_client.errors import ParleyError
from parley_client.events import Event
from websockets.asyncio.client import ClientConnection, connect

from ops.doctor.trouble import Trouble

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

SOON_S: Final = 20.0


class Person:
    """A user with a connection that is kept up. `events` are all that came, in their order."""

    def __init__(self, client: ParleyClient, user: str) -> None:
        self.client = client
        self.user = user
        self.events: list[Event] = []
        self._news = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self.error: ParleyError | None = None

    async def come(self) -> None:
        """Connect. Raises what the server refuses with."""
        await self.client.__aenter__()
        self._reader = asyncio.create_task(self._read())
        async with asyncio.timeout(SOON_S):
            await self.client.connected()

    async def _read(self) -> None:
        try:
            async for event in self.client.events():
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()
        except ParleyError as error:
            async with self._news:
                self.error = error
                self._news.notify_all()

    async def gets(self, what: str, wanted: Callable[[Event], bool], *, within_s: float = SOON_S) -> Event:
        """The first event that is wanted. Raises Trouble where it does not come."""
        async with self._news:
            try:
                async with asyncio.timeout(within_s):
                    await self._news.wait_for(lambda: self.error is not None or any(map(wanted, self.events)))
            except TimeoutError:
                raise Trouble(f"{what} did not come within {within_s:.0f} s") from None
        found = next((event for event in self.events if wanted(event)), None)
        if found is None:
            raise cast("ParleyError", self.error)
        return found

    async def ended(self, within_s: float = SOON_S) -> ParleyError:
        """What the server ended this client with, for good."""
        async with self._news, asyncio.timeout(within_s):
            await self._news.wait_for(lambda: self.error is not None)
        return cast("ParleyError", self.error)

    async def leave(self) -> None:
        with contextlib.suppress(ParleyError):
            await self.client.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)


def new_person(patient: Patient, name: str, *, device: str = "", scope: str = "", **options: Any) -> Person:
    """A user of this run's; `name` also keeps them, to be sent away at the end."""
    user = patient.person(name)
    token = patient.token(user, scope=scope)
    client = ParleyClient(
        patient.ws_url,
        token=token,
        http_url=patient.http_url,
        device_id=device or f"doctor-{name}",
        platform="doctor",
        backoff_first=0.2,
        **options,
    )
    person = Person(client, user)
    patient.people.setdefault(f"{name}/{device}/{len(patient.people)}", person)
    return person


class Bare:
    """One connection as the protocol has it: `events` are kept with those that come twice, and whether it `is_over`."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.is_over = False
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Condition()
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(Exception):  # the end of the connection, which is looked at where it matters
            async for text in self.socket:
                frame = json.loads(text)
                waiting = self._waiting.pop(str(frame.get("id")), None)
                async with self._news:
                    if waiting is not None and not waiting.done():
                        waiting.set_result(frame)
                    else:
                        self.events.append(frame)
                    self._news.notify_all()
        async with self._news:
            self.is_over = True
            self._news.notify_all()

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The reply to a frame."""
        frame_id = str(next(self._ids))
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[frame_id] = waiting
        await self.socket.send(json.dumps({"type": kind, "id": frame_id, **fields}))
        return await asyncio.wait_for(waiting, SOON_S)

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        async with self._news:
            try:
                async with asyncio.timeout(within_s):
                    await self._news.wait_for(condition)
            except TimeoutError:
                return False
        return True


@contextlib.asynccontextmanager
async def bare(patient: Patient, name: str, *, device: str = "doctor-bare") -> AsyncIterator[Bare]:
    user = patient.person(name)
    headers = {"Authorization": f"Bearer {patient.token(user)}"}
    async with connect(
        f"{patient.ws_url}?device_id={device}",
        additional_headers=headers,
        max_size=None,
        open_timeout=SOON_S,
        proxy=None,
    ) as socket:
        one = Bare(socket)
        try:
            yield one
        finally:
            await socket.close()
            await asyncio.gather(one.reader, return_exceptions=True)
