"""A conversation's own rule for how long it is kept: set as an entry of its log, and then at all that is older.

Entries carry the rule from one to the next, so that who sends pays nothing for it, and each is judged by itself. Those
before the entry that set it have the one before it at first. A job rewrites them, so that at each moment what has ended
is the beginning of the log: the oldest first where the days are fewer now, the newest first where they are more.

The same job has rows stay that are on legal hold, whatever has ended, and go again once they are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from shared.clock import DAY_MS, SECOND_MS, whole_seconds
from shared.domain.changes import Edited
from shared.domain.channels import PARTS
from shared.domain.jobs import AGAIN, DONE, KEEPING, RUNNING, Job
from shared.domain.text import is_channel_id, private_members
from shared.errors import Unavailable
from shared.ports.conversations import FIRST, ROW_KEPT_MS
from shared.ports.keeping import Keep, KeptRow

if TYPE_CHECKING:
    from shared.operations.context import Context
    from shared.ports.services import PushServices, RestServices
    from shared.ports.stores import Stores

# Rows, or members, that one step changes at most: some seconds' work.
MAX_KEPT: Final = 200
# Steps that the request that sets a rule takes itself: then most conversations are through with it.
_AT_ONCE: Final = 6
_OLDER: Final = "older"
_YOUNGER: Final = "younger"
_MEMBERS: Final = "members"
_PHASES: Final = (_OLDER, _YOUNGER, _MEMBERS)


@dataclass(frozen=True, slots=True)
class Rule:
    """So many days (None: as the kind has it), since entry `seq` (0: there never was a rule)."""

    days: int | None
    seq: int


def begin_keeping(
    conversation_id: str, *, stores: Stores, services: RestServices | PushServices, context: Context
) -> None:
    """Have all rows of a conversation kept as it is settled now. What runs already for that begins anew.

    Raises Unavailable.
    """
    now = context.now()
    job = Job(KEEPING, conversation_id, context.new_secret(), "", created_at=now, updated_at=now)
    if not stores.jobs.begin(job, anew=True):
        raise Unavailable
    services.job_queue.put(job.next)


def keep_at_once(conversation_id: str, *, stores: Stores, context: Context) -> None:
    """The first steps of that, so that who asked sees what it does. Of a longer log the job does the rest."""
    now = context.now()
    job = Job(KEEPING, conversation_id, "", "", created_at=now, updated_at=now)
    for _ in range(_AT_ONCE):
        job = keeping_step(job, stores=stores, context=context)
        if job.status != RUNNING or job.phase == AGAIN:
            return


def keeping_step(job: Job, *, stores: Stores, context: Context) -> Job:
    """Some rows, or members. Two rounds: in the second there is nothing left, but for what came while the first ran.

    A rule that was set meanwhile begins them anew. Repeated, it finds what is done as done.
    """
    place = job.user_id
    tail = next(iter(stores.log.read_back(place, limit=1)), None)
    if tail is None:
        return replace(job, status=DONE)
    rule = Rule(tail.keep_days, tail.keep_seq or 0)
    at = job.after or {"rule": rule.seq, "phase": _OLDER, "seq": 0}
    if at["rule"] != rule.seq:
        return replace(job, phase="", after=None)
    worker = _Keeper(place, rule, tail.seq, stores, context.now())
    following = worker.work(at)
    counts = job.with_counts(rows=worker.looked_at)
    if following is not None:
        return replace(job, after=following, counts=counts)
    if job.phase == AGAIN:
        return replace(job, status=DONE, phase="", after=None, counts=counts)
    return replace(job, phase=AGAIN, after=None, counts=counts)


class _Keeper:
    """Does a step's work on the conversation."""

    def __init__(self, place: str, rule: Rule, tail: int, stores: Stores, now: int) -> None:
        self._place, self._rule, self._tail = place, rule, tail
        self._stores, self._now = stores, now
        self._is_held = stores.holds.get(place) is not None
        self.looked_at = 0

    def work(self, at: Mapping[str, Any]) -> dict[str, Any] | None:
        """One part of a phase. Returns where the next one begins; None at the end of all."""
        if at["phase"] == _MEMBERS:
            following = self._members(int(at["seq"]), str(at.get("after", "")))
        else:
            following = self._rows(at)
        if following is not None:
            return {**at, **following}
        index = _PHASES.index(at["phase"]) + 1
        return {"rule": self._rule.seq, "phase": _PHASES[index], "seq": 0} if index < len(_PHASES) else None

    def _rows(self, at: Mapping[str, Any]) -> dict[str, Any] | None:
        keeping, seq, is_older = self._stores.keeping, int(at["seq"]), at["phase"] == _OLDER
        first, last = (FIRST, self._rule.seq) if is_older else (max(FIRST, self._rule.seq), self._tail)
        if last <= first:
            return None
        is_back = bool(at.get("back", is_older and self._is_longer()))
        if is_back:
            found = keeping.rows_back(self._place, before=seq or last, limit=MAX_KEPT)
        else:
            found = keeping.rows(self._place, start=max(first, seq), limit=MAX_KEPT)
        rows = [row for row in found if row.entry.seq < last]
        sinces = self._sinces(rows)
        for row in rows:
            self._keep(row, sinces.get(row.entry.seq))
        self.looked_at += len(rows)
        if len(found) < MAX_KEPT or len(rows) < len(found):
            return None
        reached = rows[-1].entry.seq
        return {"seq": reached if is_back else reached + 1, "back": is_back}

    def _is_longer(self) -> bool:
        """Whether entries are kept for longer than before the rule: or as long, where that is through already."""
        before = next(iter(self._stores.keeping.rows_back(self._place, before=self._rule.seq, limit=1)), None)
        if before is None:
            return True
        was, becomes = before.keep.days or before.kind_days, self._rule.days or before.kind_days
        return not becomes or (was > 0 and becomes >= was)

    def _keep(self, row: KeptRow, since: int | None) -> None:
        keep = kept_by(row, self._rule, is_held=self._is_held, now=self._now)
        entry = row.entry
        if entry.file_ids and {keep.ends, row.keep.ends} != {None}:  # first: what dies in between comes again
            is_kept = keep.ends is None or self._is_held
            at = None if is_kept else max((keep.ends or 0) * SECOND_MS, self._now) + ROW_KEPT_MS
            for file_id in entry.file_ids:
                self._stores.files.note_end(file_id, (entry.conversation_id, entry.seq), at=at)
        if keep != row.keep or since is not None:
            self._stores.keeping.keep(row, keep, since=since)

    def _sinces(self, rows: Sequence[KeptRow]) -> dict[int, int]:
        """From when on it counts how long the messages are kept whose edits do not say so: none had to, before."""
        edits = {
            row.entry.seq: row.entry.change.target
            for row in rows
            if isinstance(row.entry.change, Edited) and row.entry.change.since is None and row.entry.change.content
        }
        if not edits or not self._rule.seq:
            return {}
        found = self._stores.log.fetch([(self._place, target) for target in set(edits.values())])
        messages = {seq: found.get((self._place, target)) for seq, target in edits.items()}
        return {seq: message.kept_since for seq, message in messages.items() if message is not None}

    def _members(self, part: int, after: str) -> dict[str, Any] | None:
        """Their own rows say that entries may be gone, long before any is."""
        stores, place = self._stores, self._place
        if not self._rule.seq:
            return None
        if is_channel_id(place):
            listed = stores.readers.listed(place, part, after=after, limit=MAX_KEPT)
            stores.keeping.note_members(place, [member.user_id for member in listed])
            if len(listed) == MAX_KEPT:
                return {"seq": part, "after": listed[-1].place}
            return {"seq": part + 1, "after": ""} if part + 1 < PARTS else None
        private = private_members(place)
        roster = stores.memberships.roster(place) if private is None else None
        users = sorted(private or (roster.seats if roster else ()))
        some = [user for user in users if user > after][:MAX_KEPT]
        stores.keeping.note_members(place, some)
        return {"seq": 0, "after": some[-1]} if len(some) == MAX_KEPT else None


def kept_by(row: KeptRow, rule: Rule, *, is_held: bool, now: int) -> Keep:
    """How long a row is kept that another follows. What has ended stays so: others may have gone already.

    One from behind the rule has it, and its end from the stream's reader, as every entry. A row goes a day after this
    at the earliest: somebody may have seen its entry a moment ago. One that `is_held` does not go.
    """
    entry, keep = row.entry, row.keep
    ends = _new_end(row, rule, now) if entry.seq < rule.seq else keep.ends
    if ends is None or entry.seq == FIRST or is_held:
        goes = None
    elif ends == keep.ends and keep.goes is not None:
        goes = keep.goes
    else:
        goes = whole_seconds(max(ends * SECOND_MS, now) + ROW_KEPT_MS)
    return Keep(rule.days, rule.seq, ends, goes) if entry.seq < rule.seq else replace(keep, goes=goes)


def _new_end(row: KeptRow, rule: Rule, now: int) -> int | None:
    """When the entry of a row from before the rule ends (s); None: never."""
    noted, end = row.keep.ends, _end(row, row.keep.days)
    if noted is not None:
        end = min(noted * SECOND_MS, end or noted * SECOND_MS)
    if end is not None and end <= now:
        return end // SECOND_MS  # a whole second that is over: of the next one it would be there again, and for good
    end = _end(row, rule.days)
    return None if end is None else whole_seconds(end)


def _end(row: KeptRow, days: int | None) -> int | None:
    lasts = days or row.kind_days
    return row.entry.kept_since + lasts * DAY_MS if lasts else None
