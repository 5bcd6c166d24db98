"""A core in the hands of a test, case by case."""

from __future__ import annotations

from typing import Any

from parley_client.core import Core
from parley_client.effects import Done, Effect, Failed, Transmit
from parley_client.events import Entry, Event
from parley_client.settings import Settings

from tests.client.model import Frame

DM = "dm:alice:bob"


def entry(seq: int, sender: str = "bob", *, where: str = DM, **fields: Any) -> Frame:
    message = {
        "id": f"{where}/{seq}",
        "conversation_id": where,
        "seq": seq,
        "sender_id": sender,
        "content": f"text {seq}",
        "type": "text",
        "created_at": 1_000 + seq,
        **fields,
    }
    return {"type": "new_message", "conversation_id": where, "seq": seq, "message": message}


def block(head: int, entries: list[Frame] | None = None, *, where: str = DM, has_more: bool = False) -> Frame:
    return {"id": where, "head": head, "entries": entries or [], "has_more": has_more}


class Bench:
    """A core in the hands of a test, which plays shell, server and clock."""

    def __init__(
        self, *, user_id: str | None = "alice", state: Frame | None = None, over_http: bool = False, **settings: Any
    ) -> None:
        self.now = 100.0
        self._ids = iter(f"id-{number}" for number in range(1_000))
        chosen = {"auto_delivered": False, **settings}
        self.core = Core(
            new_id=lambda: next(self._ids),
            random=lambda: 0.5,
            settings=Settings(**chosen),
            user_id=user_id,
            state=state,
            over_http=over_http,
        )
        self.effects: list[Effect] = []

    def online(self, *blocks: Frame, has_more: bool = False) -> Bench:
        """Connected, and the first sync is answered."""
        self.core.start()
        self.core.connected(self.now)
        self.reply(self.sent("sync")[-1], conversations=list(blocks), has_more=has_more)
        self.forget()
        return self

    def collect(self) -> list[Effect]:
        self.effects += self.core.effects()
        return self.effects

    def forget(self) -> None:
        """What has been done up to here is not what the test is about."""
        self.collect()
        self.effects.clear()
        self.events()

    def sent(self, kind: str) -> list[Frame]:
        frames = [effect.frame for effect in self.collect() if isinstance(effect, Transmit)]
        return [frame for frame in frames if frame["type"] == kind]

    def results(self) -> list[Done | Failed]:
        return [effect for effect in self.collect() if isinstance(effect, Done | Failed)]

    def errors(self) -> list[str]:
        return [effect.error.code for effect in self.results() if isinstance(effect, Failed)]

    def events(self) -> list[Event]:
        return list(iter(lambda: self.core.next_event(self.now), None))

    def seqs(self) -> list[int]:
        return [event.seq for event in self.events() if isinstance(event, Entry)]

    def reply(self, frame: Frame, **data: Any) -> None:
        self.core.receive({"success": True, "id": frame["id"], "data": data}, self.now)

    def refuse(self, frame: Frame, code: str, *, retryable: bool = False, **more: Any) -> None:
        body = {"error": "no", "code": code, "retryable": retryable, **more}
        self.core.receive({"success": False, "id": frame["id"], **body}, self.now)

    def ack(self, frame: Frame, seq: int, *, where: str = DM, duplicate: bool = False) -> None:
        self.reply(
            frame,
            type="message",
            conversation_id=where,
            seq=seq,
            message_id=f"{where}/{seq}",
            client_message_id=frame["client_message_id"],
            timestamp=1_000 + seq,
            duplicate=duplicate,
        )

    def receive(self, *frames: Frame) -> None:
        for frame in frames:
            self.core.receive(frame, self.now)

    def wait(self, seconds: float) -> None:
        """Time passes, and the core is woken whenever it asked to be."""
        until = self.now + seconds
        while (deadline := self.core.deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.core.tick(self.now)
            after = self.core.deadline()
            assert after is None or after > self.now, "a core that wants to be woken again at once never sleeps"
        self.now = until

    def send(self, content: str | None = "hi", **options: Any) -> int:
        return self.core.send(content, self.now, **({"to": "bob"} | options))

    def cut(self) -> None:
        self.core.lost(self.now, "cut")

    def reconnect(self, *blocks: Frame) -> None:
        self.core.tick(self.now + 3_600)
        self.core.connected(self.now)
        self.reply(self.sent("sync")[-1], conversations=list(blocks))
