"""Client cores against the model, over a network that delays, reorders, repeats, loses and cuts."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from parley_client.changes import ChangeKind
from parley_client.core import Core
from parley_client.effects import Connect, Disconnect, Done, Failed, Transmit
from parley_client.errors import ParleyError
from parley_client.events import Ack, Entry, Event
from parley_client.settings import Settings

from tests.client.model import Frame, Model, Posts

ME = "alice"
PEERS = ("bob", "carol", "dan")


@dataclass(eq=False)
class Simulated:
    """`taken` is what the application got, per conversation, over all restarts; `outcomes` how its calls ended.

    `network`: everybody who hears what this client does; itself, if it is alone.
    """

    settings: Settings
    model: Model = field(default_factory=Model)
    user: str = ME
    network: list[Simulated] = field(default_factory=list)
    now: float = 0.0
    connection: int = 0  # the number of the living one; 0 for none
    to_server: list[tuple[int, Frame]] = field(default_factory=list)
    to_client: list[Frame] = field(default_factory=list)
    taken: dict[str, list[Event]] = field(default_factory=dict)
    stream: list[Event] = field(default_factory=list)
    composed: dict[str, str] = field(default_factory=dict)  # content → conversation
    calls: dict[int, str] = field(default_factory=dict)
    outcomes: dict[str, list[Ack | ParleyError]] = field(default_factory=dict)
    _connections: int = 0
    _ids: int = 0
    _draws: int = 0

    def __post_init__(self) -> None:
        self.network.append(self)
        self.core = self._new_core(None)

    # --- the client's side

    def send(self, to: str) -> None:
        """A message to a user, or into a group."""
        content = f"{self.user} {self.network.index(self)} m{len(self.composed)}"
        group = to if to.startswith("group:") else None
        try:
            call = self.core.send(content, self.now, to=None if group else to, conversation_id=group)
        except ParleyError as error:
            assert error.code == "outbox_full"  # noqa: PT017
            return
        self.composed[content] = group or self.model.dm(self.user, to)
        self.calls[call] = content
        self._perform()

    def change(self, kind: ChangeKind, where: str, seq: int, **fields: Any) -> None:
        self.core.change(kind, where, seq, fields, self.now)
        self._perform()

    def take(self) -> bool:
        event = self.core.next_event(self.now)
        self._perform()
        if event is not None:
            self.stream.append(event)
        if isinstance(event, Entry):
            self.taken.setdefault(event.conversation_id, []).append(event)
        return event is not None

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.core.tick(self.now)
        self._perform()

    def wait_for_deadline(self) -> bool:
        deadline = self.core.deadline()
        if deadline is None:
            return False
        self.wait(max(0.0, deadline - self.now))
        return True

    def snapshot(self) -> str:
        return json.dumps(self.core.state())

    def restart(self, state: str) -> None:
        """The process dies; another one begins with `state`."""
        self._end_connection()
        self.calls.clear()
        self.core = self._new_core(json.loads(state))

    # --- the network's side

    def serve(self, index: int, *, reply: bool = True) -> None:
        """The server handles a frame, maybe one of a connection that is gone by now."""
        connection, frame = self.to_server.pop(index)
        answer, posts = self.model.handle(self.user, json.loads(json.dumps(frame)))
        if reply and answer:
            self._answer(connection, answer)
        self.spread(posts, by=connection)

    def spread(self, posts: Posts, *, by: int = 0) -> None:
        """To every connection but the one that caused it."""
        for user, event in posts:
            for client in self.network:
                if client is not self or by != self.connection:
                    client.post(user, event)

    def refuse(self, index: int, code: str, *, stored: bool = False) -> None:
        """The server answers with a fault, before or after it has done what was asked."""
        connection, frame = self.to_server.pop(index)
        if stored:
            self.model.handle(self.user, frame)
        body = {"error": "no", "code": code, "retryable": True, "retry_after_ms": 50}
        self._answer(connection, {"success": False, "id": frame["id"], **body})

    def post(self, user: str, event: Frame) -> None:
        if user == self.user and self.connection:
            self.to_client.append(json.loads(json.dumps(event)))

    def deliver(self, index: int, *, keep: bool = False) -> None:
        frame = self.to_client[index] if keep else self.to_client.pop(index)
        self.core.receive(frame, self.now)
        self._perform()

    def cut(self) -> None:
        if self.connection:
            self._end_connection()
            self.core.lost(self.now, "cut")
            self._perform()

    def heal(self) -> None:
        """From now on everything works, for as long as it takes until nothing is left to do."""
        for client in self.network:
            client.core.sync(client.now)
            client._perform()
        for _ in range(6_000):
            if not any(client._step() for client in self.network):
                return
        raise AssertionError("it does not come to rest")

    # --- inside

    def _step(self) -> bool:
        """Returns whether there was anything to do."""
        if self.to_server:
            self.serve(0)
        elif self.to_client:
            self.deliver(0)
        elif not self.take():
            return not self._is_quiet() and self.wait_for_deadline()
        return True

    def _is_quiet(self) -> bool:
        mine = {each: log for each, log in self.model.logs.items() if log and self.user in self.model.members[each]}
        heads = all(self.core.held(each) == len(log) for each, log in mine.items())
        deadline = self.core.deadline() or 0.0
        is_beating_only = deadline > self.now + self.settings.backoff_limit + 1
        return self.core.connection == "online" and not self.core.unacked and heads and is_beating_only

    def _answer(self, connection: int, answer: Frame) -> None:
        if connection == self.connection:
            self.to_client.append(answer)

    def _end_connection(self) -> None:
        self.connection = 0
        self.to_client.clear()

    def _perform(self) -> None:
        while effects := self.core.effects():
            for effect in effects:
                self._do(effect)

    def _do(self, effect: Any) -> None:
        match effect:
            case Connect():
                self._connections += 1
                self.connection = self._connections
                self.core.connected(self.now)
            case Disconnect():
                self._end_connection()
            case Transmit(frame):
                self.to_server.append((self.connection, frame))
            case Done(call, value) if call in self.calls:
                self.outcomes.setdefault(self.calls[call], []).append(value)
            case Failed(call, error) if call in self.calls:
                self.outcomes.setdefault(self.calls[call], []).append(error)

    def _new_core(self, state: Frame | None) -> Core:
        core = Core(new_id=self._new_id, random=self._draw, settings=self.settings, user_id=self.user, state=state)
        core.start()
        self.core = core
        self._perform()
        return core

    def _new_id(self) -> str:
        self._ids += 1
        return f"id-{self.network.index(self)}-{self._ids}"

    def _draw(self) -> float:
        """Deterministic, and different each time."""
        self._draws += 1
        return (self._draws * 0.618) % 1.0
