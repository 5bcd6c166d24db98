"""A client whose process can die between any two things it does, and goes on from what was saved by then."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from parley_client.effects import Done, Failed, Save, Transmit
from parley_client.events import Entry, MembershipLost, Message, SendFailed

from tests.client.simulated import Simulated


class Killed(Exception):
    pass


@dataclass(eq=False)
class Mortal(Simulated):
    """`lives` says after how many effects each process dies; the one that is left when they are used up lives on.

    shown: contents of own messages that the application was told about, as stored or as refused. `lost`: entries that
    a process had saved as shown when it died, so that its screen never had them.
    """

    lives: list[int] = field(default_factory=list)
    deaths: int = 0
    saved: str | None = None
    accepted: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    ends: list[str] = field(default_factory=list)
    lost: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.network.append(self)

    def begin(self) -> None:
        """The first process."""
        self.core = self._new_core(None)

    def attempt(self, action: Any) -> None:
        """Do something; where that kills the process, the next one begins with what was saved."""
        try:
            action()
        except Killed:
            self.deaths += 1
            while True:
                try:
                    self.calls.clear()
                    self._end_connection()
                    self.core = self._new_core(json.loads(self.saved) if self.saved else None)
                except Killed:
                    self.deaths += 1
                else:
                    return

    def send(self, to: str) -> None:
        number = len(self.composed)
        super().send(to)
        self.accepted |= set(list(self.composed)[number:])

    def take(self) -> bool:
        before = self.saved
        event = self.core.next_event(self.now)
        try:
            self._perform()
            self._live()
        except Killed:
            if isinstance(event, Entry) and self.saved != before:
                self.lost.append(event)
            raise
        if isinstance(event, SendFailed):
            self.refused.add(event.content or "")
        elif isinstance(event, MembershipLost):
            self.ends.append(event.conversation_id)
        elif isinstance(event, Entry):
            self.stream.append(event)
            self.taken.setdefault(event.conversation_id, []).append(event)
            if isinstance(event, Message) and event.sender_id == self.user:
                self.stored.add(event.content or "")
        return event is not None

    def refuse_for_good(self, index: int) -> None:
        """The server refuses a message, and has not stored it before."""
        _, frame = self.to_server[index % len(self.to_server)]
        known = {each.get("message", {}).get("content") for log in self.model.logs.values() for each in log}
        if frame["type"] != "message" or frame["content"] in known:
            return
        same = [each for each in self.to_server if each[1].get("content") == frame["content"]]
        self.to_server = [each for each in self.to_server if each not in same]
        for connection, each in same:
            body = {"error": "no", "code": "blocked", "retryable": False}
            self._answer(connection, {"success": False, "id": each["id"], **body})

    def _do(self, effect: Any) -> None:
        self._live()
        if isinstance(effect, Save):
            self.saved = json.dumps(self.core.state())
        if isinstance(effect, Transmit) and effect.frame["type"] == "message":
            content = effect.frame["content"]
            assert content not in self.stored | self.refused, "sent although its end was told"
            assert content in self.saved_outbox(), "on its way before it was saved"
        if isinstance(effect, Done | Failed) and (content := self.calls.get(effect.call)):
            (self.stored if isinstance(effect, Done) else self.refused).add(content)
        super()._do(effect)

    def _perform(self) -> None:
        super()._perform()
        assert self.saved is not None
        kept, now = json.loads(self.saved), json.loads(json.dumps(self.core.state()))
        assert kept | {"cursors": ()} == now | {"cursors": ()}

    def saved_outbox(self) -> set[str]:
        return {each["body"]["content"] for each in json.loads(self.saved or "{}")["outbox"]}

    def _live(self) -> None:
        if self.lives:
            self.lives[0] -= 1
            if self.lives[0] < 0:
                self.lives.pop(0)
                raise Killed
