"""Edits, deletions and reactions on their way: each goes on until the server has it or refuses it.

The server changes nothing where such a change is in effect already, so trying again is safe: after a cut connection, an
answer that never came, a refusal that may pass. Changes of one message go out one at a time, in the order in which
they were asked for, so that the last of them is the one that stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from parley_client.effects import Done, Effect, Failed
from parley_client.errors import ParleyError
from parley_client.events import Changed, Entry, Frame
from parley_client.exchange import Exchange
from parley_client.parsing import as_changed, as_entry
from parley_client.settings import Settings
from parley_client.stream import Stream

ChangeKind = Literal["edit", "delete", "react"]


@dataclass(slots=True, eq=False)
class Change:
    """`call`: who waits for it; None where none does. `refusals` are answers that may be better next time."""

    kind: ChangeKind
    conversation_id: str
    seq: int
    fields: dict[str, Any]
    call: int | None
    in_flight: bool = False
    attempts: int = 0
    refusals: int = 0
    not_before: float = 0.0

    def frame(self) -> dict[str, Any]:
        return {"type": self.kind, "conversation_id": self.conversation_id, "seq": self.seq, **self.fields}

    def entry(self, changed: Changed, user_id: str) -> Entry | None:
        """The log entry that it has become."""
        where = self.conversation_id
        wire: dict[str, Any] = {
            "conversation_id": where,
            "seq": changed.entry_seq,
            "message_seq": self.seq,
            "message_id": f"{where}/{self.seq}",
            "user_id": user_id,
            "timestamp": changed.timestamp,
        }
        if self.kind == "edit":
            return as_entry({"type": "message_edited", **wire, **self.fields})
        if self.kind == "delete":
            return as_entry({"type": "message_deleted", **wire})
        whose = self.fields.get("user_id", user_id)
        taken_off = {"user_id": whose, "removed_by": user_id} if whose != user_id else {}
        reacted = {"emoji": self.fields["emoji"], "removed": self.fields["remove"]}
        return as_entry({"type": "reaction", **wire, **taken_off, **reacted})


@dataclass(slots=True)
class Changes:
    settings: Settings
    random: Callable[[], float]
    exchange: Exchange
    do: Callable[[Effect], None]
    stream: Stream
    items: list[Change] = field(default_factory=list)

    def send_due(self, now: float) -> None:
        for item in self._heads() if self.items else ():
            if not item.in_flight and item.not_before <= now:
                self._attempt(item, now)

    def next_due(self) -> float | None:
        if not self.items:
            return None
        return min((item.not_before for item in self._heads() if not item.in_flight), default=None)

    def abandon(self, call: int) -> None:
        for item in self.items:
            if item.call == call:
                item.call = None

    def connection_lost(self) -> None:
        for item in self.items:
            item.in_flight = False

    def stop(self, error: ParleyError) -> None:
        """Tell who waits. Nothing is kept: what was not confirmed may be in effect or not."""
        for item in self.items:
            self._fail(item, error)
        self.items.clear()

    def _heads(self) -> Iterable[Change]:
        """The first change of each message."""
        heads: dict[tuple[str, int], Change] = {}
        for item in self.items:
            heads.setdefault((item.conversation_id, item.seq), item)
        return heads.values()

    def _attempt(self, item: Change, now: float) -> None:
        item.in_flight = True
        item.attempts += 1
        self.exchange.transmit(
            item.frame(),
            now,
            lambda data, later: self._confirmed(item, data, later),
            lambda error, later: self._refused(item, error, later),
        )

    def _confirmed(self, item: Change, data: Frame, now: float) -> None:
        changed = as_changed(data)
        if changed is None:
            self._refused(item, ParleyError("internal", "The answer is malformed", retryable=True), now)
            return
        self.items.remove(item)
        user_id = self.stream.watcher.user_id
        entry = item.entry(changed, user_id) if user_id is not None else None
        if entry is not None:
            self.stream.entry(entry, now)
        elif changed.entry_seq is not None:
            self.stream.heard_of(item.conversation_id, changed.entry_seq, now)
        elif item.attempts > 1:
            self.stream.compare()  # an earlier attempt may have written the entry, and this client was not told
        if item.call is not None:
            self.do(Done(item.call, changed))

    def _refused(self, item: Change, error: ParleyError, now: float) -> None:
        item.in_flight = False
        item.refusals += 1
        if error.retryable and item.refusals < self.settings.max_attempts:
            item.not_before = now + self.settings.pause(error.retry_after_ms, item.refusals - 1, self.random)
        else:
            self.items.remove(item)
            self._fail(item, error)

    def _fail(self, item: Change, error: ParleyError) -> None:
        if item.call is not None:
            self.do(Failed(item.call, error))
