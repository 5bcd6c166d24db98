"""What a change of how long a conversation is kept asks of storage: its rows as they are, and who is in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.domain.entries import Entry


@dataclass(frozen=True, slots=True)
class Keep:
    """How long a row is kept: by the rule of `days` (None: its kind's) that entry `seq` has set (0: none was).

    `ends` is when its entry ends, once that is settled, and `goes` from when on the row may be deleted; both in
    seconds, None: never.
    """

    days: int | None
    seq: int
    ends: int | None
    goes: int | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KeptRow:
    """A row of a log with its entry as it is stored, whatever has ended. `kind_days`: its kind's rule, 0 for none."""

    entry: Entry
    keep: Keep
    kind_days: int


class Keeping(Protocol):
    """How long rows of logs are kept, where a conversation has a rule of its own."""

    def rows(self, conversation_id: str, *, start: int, limit: int) -> Sequence[KeptRow]:
        """From `start` on, in order, strongly consistent."""

    def rows_back(self, conversation_id: str, *, before: int, limit: int) -> Sequence[KeptRow]:
        """Below `before`, the last one first, strongly consistent."""

    def keep(self, row: KeptRow, keep: Keep, *, since: int | None = None) -> None:
        """Have a row kept so. Nothing where it is gone, or has a later rule by now.

        `since`: of an edit, from when on it counts how long its message is kept (ms), where that does not stand there.
        """

    def note_members(self, conversation_id: str, user_ids: Collection[str]) -> None:
        """Note in these members' rows that entries may be gone. Nothing for who is none. Idempotent."""
