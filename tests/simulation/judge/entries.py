"""What an entry keeps beside what was said is what the log before it tells: no counter, and no second notion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.domain.changes import Deleted, Edited, changes_roster
from shared.domain.entries import Entry
from shared.domain.text import private_members
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import inserted
from tests.simulation.operations.moderating import MODERATORS


@dataclass(slots=True)
class _So:
    """What a log has come to, up to some entry."""

    roster_seq: int = 0
    number: int = 0
    wrote: dict[str, int] = field(default_factory=dict)
    edits: dict[int, Entry] = field(default_factory=dict)
    deletions: dict[int, Entry] = field(default_factory=dict)


def entries_as_told(case: Case) -> Iterator[str]:
    for name, log in case.logs.items():
        so, private = _So(), private_members(name)
        for entry in log:
            yield from _first_answer(entry, so, private)
            if entry.is_message:
                so.number += 1
                so.wrote[entry.sender_id] = so.number
            elif entry.change is not None and changes_roster(entry.change):
                so.roster_seq = entry.seq
            yield from _changes(entry, so)
            if entry.roster_seq != (None if private else so.roster_seq):
                yield f"{name}/{entry.seq} says that the roster is of {entry.roster_seq}, and it is of {so.roster_seq}"
            latest = sorted(so.wrote.items(), key=lambda pair: -pair[1])[: case.scenario.plan.limits.authors]
            if dict(entry.authors) != dict(latest):
                yield f"{name}/{entry.seq} says {entry.authors} have written, and it was {latest}"
        yield from _times(log, so)
        if private is None:
            yield from _large(case, name, log)


def _first_answer(entry: Entry, so: _So, private: Sequence[str] | None) -> Iterator[str]:
    others = {user for user in private or () if user != entry.sender_id}
    is_one = entry.is_message and entry.sender_id not in so.wrote and bool(others) and others <= so.wrote.keys()
    if entry.first_answer != is_one:
        yield f"{entry.conversation_id}/{entry.seq} is the first answer: {entry.first_answer}"


def _changes(entry: Entry, so: _So) -> Iterator[str]:
    """An edit and a deletion name the edit before them."""
    if not isinstance(entry.change, Edited | Deleted):
        return
    before = so.edits.get(entry.change.target)
    if entry.change.previous != (before.seq if before else None):
        yield f"{entry.conversation_id}/{entry.seq} follows the edit {entry.change.previous}, and was behind {before}"
    kept = so.edits if isinstance(entry.change, Edited) else so.deletions
    kept[entry.change.target] = entry


def _times(log: Sequence[Entry], so: _So) -> Iterator[str]:
    """When a message was edited and deleted is when these entries were made."""
    for message in log:
        if not message.is_message:
            continue
        edit, deletion = so.edits.get(message.seq), so.deletions.get(message.seq)
        edited = None if edit is None or deletion is not None else (edit.created_at, edit.seq)
        if (message.edited_at, message.last_edit) != (edited or (None, None)):
            yield f"{message.message_id} was edited at {message.edited_at}, by {message.last_edit}, and is {edited}"
        if message.deleted_at != (deletion.created_at if deletion else None):
            yield f"{message.message_id} was deleted at {message.deleted_at}, and is by {deletion}"


def _large(case: Case, name: str, log: Sequence[Entry]) -> Iterator[str]:
    """Who tells of an entry depends on how many are in the group; where that was never the same, anything goes."""
    limit = case.scenario.plan.limits.inline
    after: Mapping[int, set[str]] = case.told(name).after
    new = {entry.seq for _, entry in inserted(case.past) if entry.conversation_id == name}
    for entry in log[1:]:
        sizes = {len(after[seq]) > limit for seq in range(1, entry.seq + 1)}
        if entry.sender_id in MODERATORS:
            continue  # the job that takes messages away has no such limit
        if entry.seq in new and len(sizes) == 1 and entry.fan_out not in sizes:
            yield f"{name}/{entry.seq} is left to the stream: {entry.fan_out}, with {len(after[entry.seq])} members"


def reads_count_as_told(case: Case) -> Iterator[str]:
    """A read cursor goes with the number of messages up to there."""
    for row in case.scenario.store.items("members"):
        if not row["sk"].startswith("conversation#") or not row.get("read_seq"):
            continue
        log, seq = case.logs.get(row["conversation_id"], ()), row["read_seq"]
        number = log[seq - 1].number if seq <= len(log) else None
        if row.get("read_number", 0) != number:
            yield f"{row['user_id']} has read {row['conversation_id']}/{seq} as {row.get('read_number')}, of {number}"


RULES = (entries_as_told, reads_count_as_told)
