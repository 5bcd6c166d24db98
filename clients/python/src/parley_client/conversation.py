"""One conversation's log as this client holds it: each entry once, in order, without a gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from parley_client.events import ConversationUpdated, Entry, MembersAdded, MembersRemoved, MessageDeleted
from parley_client.revision import Revision

# Entries that came too early. One that comes farther ahead than this is left to the next sync.
MAX_EARLY: Final = 1_000


def is_channel(conversation_id: str) -> bool:
    """What is written there goes out in packs, to very many."""
    return conversation_id.startswith("channel:")


def is_group(conversation_id: str) -> bool:
    """Only groups and channels have members that come and go: where such a conversation starts, the server says."""
    return conversation_id.startswith("group:") or is_channel(conversation_id)


def adds(entry: Entry, user_id: str | None) -> bool:
    return isinstance(entry, MembersAdded) and user_id in entry.users


def removes(entry: Entry, user_id: str | None) -> bool:
    return isinstance(entry, MembersRemoved) and user_id in entry.users


@dataclass(slots=True)
class Conversation:
    """How far this client is.

    held: every entry from the start to here was passed on, in order; None until it is decided where to start.
    taken: as far as the application itself has got (behind `held` by what still waits for it).
    head: the highest entry known to exist.
    examine: where the search for own messages stands, while there is one (see Outbox.examined).
    fruitless: syncs in a row that asked for this conversation and moved nothing.
    refused: the own user is no member: nothing is passed on until they are one again.
    ended: the last entry that removed the own user; 0 for none.
    told: that the membership is over was passed on, and nothing since.
    knows, gone: as far as the application has got: that it is over, and the entry that removed the own user.
    pins: what is pinned as far as the application has got, the latest pin first; None until it was asked for.
    pin_changes: how often that may have changed since this process began.
    revision: moves with what is saved of it.
    """

    id: str
    revision: Revision = field(default_factory=Revision)
    held: int | None = None
    taken: int = 0
    head: int = 0
    examine: int | None = None
    fruitless: int = 0
    refused: bool = False
    ended: int = 0
    told: bool = False
    knows: bool = False
    gone: bool = False
    pins: tuple[int, ...] | None = None
    pin_changes: int = 0
    _early: dict[int, Entry] = field(default_factory=dict)

    def place(self, start: int) -> None:
        """Begin behind entry `start`: what comes after it is passed on, what comes before is history."""
        self.held = self.taken = start
        self.revision.changed()
        self._keep_early(start)

    def rejoin(self, joined_seq: int) -> None:
        """Go on with the entry that made the own user a member again: nothing before it comes twice, or late."""
        self.refused = False
        if self.held is None:
            self.place(joined_seq - 1)
        elif joined_seq - 1 > self.held:
            self.held = joined_seq - 1
            self._keep_early(self.held)

    def end(self, seq: int) -> None:
        self.refused, self.ended = True, seq

    def took(self, entry: Entry, user_id: str | None) -> None:
        """The application has everything up to here."""
        self.taken, self.knows, self.gone = entry.seq, False, removes(entry, user_id)
        self._follow_pins(entry)
        self.revision.changed()

    def learned_end(self) -> None:
        """The application knows that the membership is over."""
        self.knows, self.pins = True, None
        self.revision.changed()

    def note_pins(self, pins: Iterable[int], as_of: int) -> bool:
        """What is pinned, by an answer. False, and not kept, where that has changed since `pin_changes` was `as_of`."""
        if self.pin_changes != as_of:
            return False
        self.pins = tuple(pins)
        self.revision.changed()
        return True

    def _follow_pins(self, entry: Entry) -> None:
        pinned: int | None
        gone: int | None
        if isinstance(entry, MessageDeleted):  # takes its pin along
            pinned, gone = None, entry.message_seq
        elif isinstance(entry, ConversationUpdated) and (entry.pinned or entry.unpinned):
            pinned, gone = entry.pinned, entry.pinned or entry.unpinned
        else:
            return
        self.pin_changes += 1
        if self.pins is not None:
            kept = tuple(seq for seq in self.pins if seq != gone)
            self.pins = kept if pinned is None else (pinned, *kept)

    def added_again(self, user_id: str | None) -> int | None:
        """The first entry among those that came early that makes the user a member."""
        return min((seq for seq, entry in self._early.items() if adds(entry, user_id)), default=None)

    @property
    def homeless(self) -> bool:
        """Entries of it can't be passed on before the server has said since when the own user is a member."""
        return (self.held is None or self.refused) and is_group(self.id)

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
            self.told = False
        return entry

    def drop_early(self) -> None:
        """Forget what waits: without room to pass it on, the server keeps it better."""
        self._early.clear()

    def _keep_early(self, start: int) -> None:
        self._early = {seq: entry for seq, entry in self._early.items() if seq > start}
