"""The conversation log in memory. A change is carried out with its entry, as the transaction of the real one does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from shared.domain.changes import Added, Deleted, Edited, Reacted, Removed, Renamed, RolesChanged, last_touched
from shared.domain.entries import Draft, Entry
from shared.domain.identifiers import is_group_id, private_conversation_id
from shared.ports.conversations import CLAIM_MS, Lookup, Place
from tests.fakes.files import FakeFiles
from tests.fakes.memberships import FakeMemberships

DM = private_conversation_id("alice", "bob")


@dataclass
class FakeLog:
    """`before_put` runs right before each put: the place for a test to let somebody else be quicker.

    `unseen` are entries that a read which is not consistent misses.
    """

    memberships: FakeMemberships = field(default_factory=FakeMemberships)
    files: FakeFiles = field(default_factory=FakeFiles)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    before_put: Callable[[Entry], object] = lambda _: None
    puts: int = 0
    reads: int = 0
    unseen: set[int] = field(default_factory=set)
    notes: dict[tuple[str, str, str | None], int] = field(default_factory=dict)
    claims: dict[str, tuple[int, int]] = field(default_factory=dict)
    lock: Any = field(default_factory=RLock, repr=False, compare=False)

    def put(self, entry: Entry, *, new_members: Sequence[str] = (), once: bool = False) -> Entry | None:
        self.before_put(entry)
        self.puts += 1
        assert entry.change is None or last_touched(entry.change) < entry.seq, "one item twice in a transaction"
        with self.lock:
            log = self.entries.setdefault(entry.conversation_id, [])
            note = entry.conversation_id, entry.sender_id, entry.client_message_id
            if once and note in self.notes:
                return log[self.notes[note] - 1]
            if entry.seq <= len(log):
                return log[entry.seq - 1]
            assert entry.seq == len(log) + 1, "a hole in the log"
            if entry.file_id is not None:
                self.files.take(entry.file_id, entry.conversation_id, entry.seq)
            log.append(entry)
            if once:
                self.notes[note] = entry.seq
            if entry.first_answer:
                self.memberships.mutual.add(entry.conversation_id)
            self._carry_out(entry)
            self.memberships.join(entry.conversation_id, new_members, entry.created_at)
        return None

    def claim(self, conversation_id: str, seq: int, *, now: int) -> bool:
        with self.lock:
            claimed, until = self.claims.get(conversation_id, (0, 0))
            if claimed >= seq and until > now:
                return False
            self.claims[conversation_id] = seq, now + CLAIM_MS
        return True

    def lookup(
        self,
        conversation_id: str,
        *,
        seqs: Sequence[int],
        member_id: str | None = None,
        block: tuple[str, str] | None = None,
        consistent: bool = False,
    ) -> Lookup:
        self.reads += 1
        log = self.entries.get(conversation_id, [])
        missed = set() if consistent else self.unseen
        found = {seq: log[seq - 1] for seq in seqs if 1 <= seq <= len(log) and seq not in missed}
        member = self.memberships.members.get((conversation_id, member_id)) if member_id is not None else None
        return Lookup(found, member, blocked=block in self.memberships.blocks)

    def noted(self, conversation_id: str, sender_id: str, client_message_id: str) -> Entry | None:
        self.reads += 1
        seq = self.notes.get((conversation_id, sender_id, client_message_id))
        return None if seq is None else self.entries[conversation_id][seq - 1]

    def fetch(self, places: Collection[Place]) -> Mapping[Place, Entry]:
        self.reads += 1
        logs = {one: self.entries.get(one, []) for one, _ in places}
        return {(one, seq): logs[one][seq - 1] for one, seq in places if 1 <= seq <= len(logs[one])}

    def read(self, conversation_id: str, *, start: int, limit: int) -> list[Entry]:
        self.reads += 1
        return self.entries.get(conversation_id, [])[max(start, 1) - 1 :][:limit]

    def read_back(self, conversation_id: str, *, before: int | None = None, limit: int) -> list[Entry]:
        self.reads += 1
        log = self.entries.get(conversation_id, [])
        below = log if before is None else log[: max(before - 1, 0)]
        return below[::-1][:limit]

    def write(self, sender_id: str, *texts: str, conversation_id: str = DM, at: int = 1) -> list[Entry]:
        """Append messages straight away, for a test's setting."""
        written = []
        for text in texts:
            log = self.entries.setdefault(conversation_id, [])
            draft = Draft(conversation_id, sender_id, text, nonce=f"w{len(log)}", client_message_id=f"c{len(log)}")
            log.append(draft.following(log[-1] if log else None, at))
            if log[-1].first_answer:
                self.memberships.mutual.add(conversation_id)
            written.append(log[-1])
        if not is_group_id(conversation_id):
            self.memberships.join(conversation_id, conversation_id.split(":")[1:], at)
        return written

    def _carry_out(self, entry: Entry) -> None:
        one = entry.conversation_id
        match entry.change:
            case Edited() | Deleted() | Reacted():
                self._on_message(entry, entry.change)
            case Added():
                self.memberships.add(entry, entry.change)
            case Removed():
                self.memberships.remove(entry, entry.change)
            case Renamed(name=name):
                self.memberships.rename(one, name)
            case RolesChanged(roles=roles):
                self.memberships.set_roles(one, roles)

    def _on_message(self, entry: Entry, change: Edited | Deleted | Reacted) -> None:
        log = self.entries[entry.conversation_id]
        message = log[change.target - 1]
        match change:
            case Edited(content=content):
                message = replace(message, content=content, edited_at=entry.created_at, last_edit=entry.seq)
            case Deleted(file_id=file_id):
                message = deleted(message, entry.created_at)
                if file_id is not None:
                    self.files.release(file_id, entry.conversation_id, change.target)
            case Reacted(emoji=emoji):
                one = {(emoji, change.owner_id or entry.sender_id)}
                reactions = message.reactions - one if change.removed else message.reactions | one
                message = replace(message, reactions=reactions)
        log[change.target - 1] = message
        if not isinstance(change, Reacted) and change.previous is not None:
            earlier = log[change.previous - 1]
            assert isinstance(earlier.change, Edited)
            log[change.previous - 1] = replace(earlier, change=replace(earlier.change, content=None))


def deleted(message: Entry, at: int) -> Entry:
    """A message keeps its place, its ids and its type, and nothing else."""
    return replace(
        message,
        content=None,
        mentions=(),
        reply_to=None,
        file_id=None,
        forwarded=False,
        reactions=frozenset(),
        digest="",
        edited_at=None,
        last_edit=None,
        deleted_at=at,
    )
