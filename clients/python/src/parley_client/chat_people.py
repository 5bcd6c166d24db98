"""Who is there, and who is typing: what the status line says, and what others are told of the own typing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from parley_client.chat_places import Place
from parley_client.client import ParleyClient
from parley_client.errors import ParleyError
from parley_client.events import Presence, Typing
from parley_client.limits import MAX_WATCHED
from parley_client.terminal import one_line

# How long another's typing is believed, and how often the own is repeated while it goes on: seconds.
_LAPSES_S: Final = 8.0
_REPEAT_S: Final = 4.0


@dataclass(slots=True)
class People:
    """The others in the conversation that is open. `changed` is called when `status` may read differently."""

    client: ParleyClient
    changed: Callable[[], None]
    place: Place | None = None
    _present: dict[str, Presence] = field(default_factory=dict)
    _typing: dict[str, asyncio.TimerHandle] = field(default_factory=dict)

    async def watch(self, place: Place, users: list[str]) -> None:
        """Who is there from now on; at most 100 of them. Who can't be asked for is not known."""
        if self.place != place:
            self.place = place
            self._present.clear()
            for handle in self._typing.values():
                handle.cancel()
            self._typing.clear()
            self.changed()
        with suppress(ParleyError):
            found = await self.client.presence(users[:MAX_WATCHED])
            if self.place == place:
                self._present = {presence.user_id: presence for presence in found}
        self.changed()

    def came_or_went(self, presence: Presence) -> bool:
        """Returns whether that is news. It is also where the answer to `watch` is still on its way."""
        before = self._present.get(presence.user_id)
        self._present[presence.user_id] = presence
        self.changed()
        return before is None or before.status != presence.status

    def types(self, event: Typing) -> bool:
        """A member writes, or has stopped. Returns whether they have begun. It lapses: the end of it can get lost."""
        if self.place is None or event.conversation_id != self.place.conversation_id:
            return False
        if event.user_id == self.client.user_id:
            return False
        began = event.active and event.user_id not in self._typing
        self.stopped(event.user_id)
        if event.active:
            loop = asyncio.get_running_loop()
            self._typing[event.user_id] = loop.call_later(_LAPSES_S, self.stopped, event.user_id)
        self.changed()
        return began

    def stopped(self, user_id: str) -> None:
        """Also: who has sent it does not write it any more."""
        handle = self._typing.pop(user_id, None)
        if handle is not None:
            handle.cancel()
            self.changed()

    def is_online(self, user_id: str) -> bool:
        presence = self._present.get(user_id)
        return presence is not None and presence.status == "online"

    def status(self) -> str:
        parts = [self._presence(), self._typists()]
        return " · ".join(part for part in parts if part)

    def _presence(self) -> str:
        if self.place is None:
            return ""
        if self.place.is_group:
            online = sum(map(self.is_online, self._present))
            return f"{online} of {len(self._present)} others online" if self._present else ""
        presence = self._present.get(self.place.to)
        return presence_text(presence) if presence else ""

    def _typists(self) -> str:
        names = sorted(one_line(user) for user in self._typing)
        if not names:
            return ""
        return f"{names[0]} is typing …" if len(names) == 1 else f"{', '.join(names)} are typing …"


@dataclass(slots=True)
class OwnTyping:
    """Tells the others while something is typed that will be a message: at first, and again every few seconds."""

    client: ParleyClient
    _where: str | None = None
    _told_at: float = 0.0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def typed(self, text: str, conversation_id: str) -> None:
        says = bool(text.strip()) and (not text.startswith("/") or text.startswith("//"))
        now = asyncio.get_running_loop().time()
        if self._where is not None and (not says or conversation_id != self._where):
            self._tell(self._where, active=False)
            self._where = None
        if says and (self._where is None or now - self._told_at >= _REPEAT_S):
            self._where, self._told_at = conversation_id, now
            self._tell(conversation_id, active=True)

    def sent(self) -> None:
        """The message says that the typing is over."""
        self._where = None

    def _tell(self, conversation_id: str, *, active: bool) -> None:
        task = asyncio.create_task(self._say(conversation_id, active=active))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _say(self, conversation_id: str, *, active: bool) -> None:
        with suppress(ParleyError):  # it is worth no more than a try
            await self.client.typing(conversation_id, active=active)


def presence_text(presence: Presence) -> str:
    """How a user is, in a few words."""
    name = one_line(presence.user_id)
    if presence.status == "online":
        return f"{name} is online"
    if presence.last_seen is None:
        return f"{name} is offline"
    seen = datetime.fromtimestamp(presence.last_seen / 1_000).astimezone()
    today = datetime.now().astimezone().date()
    return f"{name} is offline, last seen {seen.strftime('%H:%M' if seen.date() == today else '%Y-%m-%d %H:%M')}"
