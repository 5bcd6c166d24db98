"""Writes down what real clients ask for, are answered, and see: a history, as the simulation's checker judges them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from parley_client import Ack, ParleyClient, ParleyError
from parley_client.events import Changed, Entry, Event
from parley_client.parsing import as_entry
from parley_client.resources import History as Page

from tests.simulation.history import History, Operation, Seen, Sent

T = TypeVar("T")


class Recorder:
    """The history of one run. Clients are named by the device id that they connect with."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.seen: dict[str, Seen] = {}
        self.sent: list[Sent] = []
        self._began = time.monotonic()
        self._ids = 0

    def now(self) -> float:
        """Milliseconds of this run."""
        return (time.monotonic() - self._began) * 1_000

    def new_id(self, name: str) -> str:
        self._ids += 1
        return f"{name}-{self._ids}"

    def tap(self, target: str, text: bytes) -> None:
        """A frame that the gateway has sent to a connection, whether it arrives or not."""
        name = parse_qs(urlsplit(target).query).get("device_id", [""])[0]
        event = json.loads(text)
        if "type" in event and "success" not in event and name in self.seen:
            self.sent.append(Sent(self.seen[name].user, event, self.now()))

    async def asked(
        self, name: str, kind: str, detail: dict[str, Any], answer: Awaitable[T], value: Callable[[T], Any]
    ) -> T:
        """Wait for an answer, and write down what became of it. Without an answer it stays unknown."""
        operation = Operation(name, self.seen[name].user, kind, detail, self.now())
        self.operations.append(operation)
        try:
            answered = await answer
        except ParleyError as error:
            operation.refuse(error.code, self.now())
            raise
        operation.succeed(value(answered), self.now())
        return answered

    def history(self, logs: Mapping[str, list[dict[str, Any]]]) -> History:
        """Everything, with the logs as they were synced at the end.

        What was done in a conversation that has no member any more can't be judged: no user may read its log.
        """
        entries = {name: [_entry(name, frame) for frame in frames] for name, frames in logs.items()}
        operations = [each for each in self.operations if each.detail["conversation_id"] in logs]
        return History(operations, self.seen, entries, [one for one in self.sent if _is_judged(one, logs)])


def _is_judged(sent: Sent, logs: Mapping[str, Any]) -> bool:
    name = sent.event.get("conversation_id")
    return name is None or name in logs


def _entry(name: str, frame: dict[str, Any]) -> Entry:
    entry = as_entry({**frame, "conversation_id": name})
    assert entry is not None, frame
    return entry


class RecordedClient(ParleyClient):
    """The real client. `name` is its device."""

    def __init__(self, url: str, *, recorder: Recorder, name: str, **options: Any) -> None:
        super().__init__(url, device_id=name, **options)
        self._recorder = recorder
        self._name = name
        self.seen = recorder.seen.setdefault(name, Seen(options["user_id"]))

    async def events(self) -> AsyncGenerator[Event]:
        async for event in super().events():
            self.seen.events.append((self._recorder.now(), event))
            yield event

    async def send(self, content: str | None = None, **options: Any) -> Ack:
        """A forward says what another message says: only where it stands is judged."""
        message_id = self._recorder.new_id(self._name)
        where = options.get("conversation_id") or self.private_with(options["to"])
        kind = "forward" if content is None else "send"
        detail = {"conversation_id": where, "content": content, "client_message_id": message_id}
        answer = super().send(content, client_message_id=message_id, **options)
        return await self._recorder.asked(self._name, kind, detail, answer, lambda ack: ack.seq)

    async def edit(self, conversation_id: str, seq: int, content: str, **options: Any) -> Changed:
        return await self._changed("edit", conversation_id, seq, super().edit(conversation_id, seq, content, **options))

    async def delete(self, conversation_id: str, seq: int) -> Changed:
        return await self._changed("delete", conversation_id, seq, super().delete(conversation_id, seq))

    async def react(
        self, conversation_id: str, seq: int, emoji: str, *, remove: bool = False, user_id: str | None = None
    ) -> Changed:
        answer = super().react(conversation_id, seq, emoji, remove=remove, user_id=user_id)
        return await self._changed("react", conversation_id, seq, answer)

    async def mark_read(self, conversation_id: str, seq: int) -> None:
        detail = {"conversation_id": conversation_id, "seq": seq}
        answer = super().mark_read(conversation_id, seq)
        await self._recorder.asked(self._name, "read", detail, answer, lambda _: seq)

    async def look(self, conversation_id: str) -> Page:
        """The newest messages."""

        def shown(page: Page) -> list[tuple[int, str | None]]:
            return [(message.seq, message.client_message_id) for message in page.messages]

        detail = {"conversation_id": conversation_id}
        return await self._recorder.asked(self._name, "look", detail, self.history(conversation_id, limit=30), shown)

    async def _changed(self, kind: str, conversation_id: str, seq: int, answer: Awaitable[Changed]) -> Changed:
        detail = {"conversation_id": conversation_id, "seq": seq}
        return await self._recorder.asked(self._name, kind, detail, answer, lambda changed: changed.entry_seq)
