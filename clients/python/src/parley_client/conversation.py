"""One conversation's log as this client holds it: each entry once, in order, without a gap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from parley_client.events import Entry

# Entries that came too early. One that comes farther ahead than this is left to the next sync.
MAX_EARLY: Final = 1_000


@dataclass(slots=True)
class Conversation:
    """How far this client is.

    held: every entry from the start to here was passed on, in order; None until it is decided where to start.
    taken: as far as the application itself has got (behind `held` by what still waits for it).
    head: the highest entry known to exist.
    examine: where a second look for own messages stands, while there is one (see Outbox.examined).
    fruitless: syncs in a row that asked for this conversation and moved nothing.
    """

    id: str
    held: int | None = None
    taken: int = 0
    head: int = 0
    examine: int | None = None
    fruitless: int = 0
    refused: bool = False
    _early: dict[int, Entry] = field(default_factory=dict)

    def place(self, start: int) -> None:
        """Begin behind entry `start`: what comes after it is passed on, what comes before is history."""
        self.held = self.taken = start
        self._early = {seq: entry for seq, entry in self._early.items() if seq > start}

    @property
    def first_heard(self) -> int | None:
        """The lowest entry that came before it was decided where to start."""
        return min(self._early, default=None)

    @property
    def behind(self) -> bool:
        return self.held is not None and self.head > self.held

    @property
    def ask_from(self) -> int | None:
        """The entry after which the next answer should begin."""
        return self.held if self.examine is None else self.examine

    def heard_of(self, seq: int) -> None:
        self.head = max(self.head, seq)

    def offer(self, entry: Entry) -> None:
        """Keep an entry until its turn comes. One that was here before, or is too early by far, is left."""
        self.heard_of(entry.seq)
        nearest = self.held is not None and entry.seq == self.held + 1
        if (self.held is None or entry.seq > self.held) and (nearest or len(self._early) < MAX_EARLY):
            self._early.setdefault(entry.seq, entry)

    def next_entry(self) -> Entry | None:
        """The entry whose turn it is, if it is here. It counts as passed on."""
        if self.held is None:
            return None
        entry = self._early.pop(self.held + 1, None)
        if entry is not None:
            self.held += 1
        return entry

    def drop_early(self) -> None:
        """Forget what waits: without room to pass it on, the server keeps it better."""
        self._early.clear()
