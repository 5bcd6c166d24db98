"""What was stored at any moment of a history: for rules about answers, which were right at some moment or never."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

from shared.adapters.dynamodb.client import Item, from_item
from shared.adapters.dynamodb.memberships import member_from
from shared.adapters.dynamodb.schema import PUSHED_SEQ, entry_from
from shared.domain.entries import Entry
from shared.domain.members import Member
from shared.domain.text import private_members, user_of_log
from tests.dynamodb import Written

Key = tuple[str, str, Any]
"""A table, and the values of its key; None where it has no second one."""

BEGINNING: Final = -1.0
_KEYS: Final[Mapping[str, tuple[str, str | None]]] = {
    "log": ("conversation_id", "seq"),
    "members": ("pk", "sk"),
    "sessions": ("user_id", None),
    "tickets": ("ticket", None),
}


@dataclass(slots=True)
class _Row:
    """All that stood at one key, and from when on each."""

    since: list[float] = field(default_factory=list)
    items: list[Item | None] = field(default_factory=list)

    def note(self, at: float, item: Item | None) -> None:
        self.since.append(at)
        self.items.append(item)

    def at(self, when: float) -> Item | None:
        number = bisect_right(self.since, when)
        return self.items[number - 1] if number else None

    def between(self, start: float, end: float) -> list[Item]:
        first, last = bisect_right(self.since, start), bisect_right(self.since, end)
        return [item for item in self.items[max(0, first - 1) : last] if item is not None]


class Past:
    """Made of what was there at first, as plain values, and of every write since."""

    def __init__(self, first: Mapping[str, Iterable[Item]], writes: Iterable[tuple[float, Written]]) -> None:
        self._rows: dict[Key, _Row] = {}
        self._sorts: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self._entries: dict[int, Entry] = {}
        self.changes: list[tuple[float, Key, Item | None, Item | None]] = []
        for table, items in first.items():
            for item in items:
                self._row(_key(table, item)).note(BEGINNING, item)
        for at, written in writes:
            key = _key(written.table, from_item(written.key))
            row = self._row(key)
            old = row.items[-1] if row.items else None
            new = None if written.new is None else from_item(written.new)
            if new is not None:
                new.pop(PUSHED_SEQ, None)  # that it was pushed changes nothing of what a row says
                if new == old:
                    continue
            row.note(at, new)
            self.changes.append((at, key, old, new))
        self._times = [at for at, *_ in self.changes]

    def _row(self, key: Key) -> _Row:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _Row()
            insort(self._sorts[key[:2]], key[2])
        return row

    def item(self, when: float, table: str, first: str, second: Any = None) -> Item | None:
        row = self._rows.get((table, first, second))
        return row.at(when) if row else None

    def entries(self, conversation: str, seq: int, start: float, end: float) -> list[Entry]:
        """All that an entry was in between."""
        row = self._rows.get(("log", conversation, seq))
        return [entry_from(item) for item in row.between(start, end)] if row else []

    def states(self, table: str, first: str, second: Any = None) -> list[tuple[float, Item | None]]:
        """All that stood there, and from when on each."""
        row = self._rows.get((table, first, second))
        return list(zip(row.since, row.items, strict=True)) if row else []

    def places(self) -> list[Key]:
        """All that ever was."""
        return list(self._rows)

    def sorts(self, table: str, first: str) -> Sequence[Any]:
        """The second parts of all keys that ever began so, in order."""
        return self._sorts.get((table, first), ())

    def entry(self, item: Item) -> Entry:
        """One of the log's items, which are kept as long as this is."""
        found = self._entries.get(id(item))
        if found is None:
            found = self._entries[id(item)] = entry_from(item)
        return found

    def moments(self, start: float, end: float) -> list[float]:
        """One in each stretch of time in which nothing was written, from `start` to `end`."""
        low, high = bisect_right(self._times, start), bisect_right(self._times, end)
        return [start, *dict.fromkeys(self._times[low:high])]

    def at(self, when: float) -> Moment:
        return Moment(self, when)


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything as it was then. A write at the very time counts as done."""

    past: Past
    when: float

    def row(self, pk: str, sk: str) -> Item | None:
        """One of the members table."""
        return self.past.item(self.when, "members", pk, sk)

    def rows(self, pk: str, prefix: str) -> dict[str, Item]:
        """Those of one partition of the members table, by what follows the prefix."""
        sorts = self.past.sorts("members", pk)
        within = takewhile(lambda sk: sk.startswith(prefix), sorts[bisect_left(sorts, prefix) :])
        found = {sk.removeprefix(prefix): self.row(pk, sk) for sk in within}
        return {name: item for name, item in found.items() if item is not None}

    def member(self, user: str, conversation: str) -> Member | None:
        item = self.row(f"user#{user}", f"conversation#{conversation}")
        return None if item is None else member_from(item)

    def conversations(self, user: str) -> list[Member]:
        return [member_from(item) for item in self.rows(f"user#{user}", "conversation#").values()]

    def roles(self, conversation: str) -> dict[str, str]:
        """Who is in a conversation, with which role."""
        rows = self.rows(f"conversation#{conversation}", "user#")
        return {user: item.get("role", "member") for user, item in rows.items()}

    def entry(self, conversation: str, seq: int) -> Entry | None:
        item = self.past.item(self.when, "log", conversation, seq)
        return None if item is None else self.past.entry(item)

    def log(self, conversation: str) -> Sequence[Entry]:
        entries = (self.entry(conversation, seq) for seq in self.past.sorts("log", conversation))
        return [entry for entry in entries if entry is not None]

    def blocks(self, user: str, other: str) -> bool:
        return self.row(f"user#{user}", f"block#{other}") is not None

    def may_be_added(self, user: str, by: str) -> bool:
        """To a group."""
        profile = self.row(f"user#{user}", "profile") or {}
        contact = self.row(f"user#{user}", f"contact#{by}") or {}
        is_open = profile.get("groups_from", "everyone") == "everyone" or contact.get("status") == "accepted"
        return is_open and not self.blocks(user, by)

    def session(self, user: str) -> Item | None:
        return self.past.item(self.when, "sessions", user)


def _key(table: str, item: Item) -> Key:
    first, second = _KEYS[table]
    return table, item[first], None if second is None else item[second]


def other_of(conversation: str, user: str) -> str | None:
    """Who is on the other side of a private conversation."""
    others = [one for one in private_members(conversation) or () if one != user]
    return others[0] if others else None


def inserted(past: Past) -> Iterator[tuple[float, Entry]]:
    """Every entry of a conversation as it was first stored, and when."""
    for at, (table, *_), old, new in past.changes:
        if table == "log" and old is None and new is not None and user_of_log(str(new["conversation_id"])) is None:
            yield at, past.entry(new)
