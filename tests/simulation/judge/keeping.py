"""Where conversations have rules of their own, and holds: they count for all that is there, and for what comes.

At each moment what has ended is the beginning of a log, also while a job rewrites its rows. In the end each row is kept
by the last rule; and no row goes of a conversation that is on hold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from typing import Final

from shared.adapters.dynamodb.client import Item
from shared.domain.changes import Edited, Updated
from shared.domain.text import is_group_id
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.ends import Kept
from tests.simulation.judge.past import Moment, inserted

_FIRST: Final = 1
# Ends are noted in whole seconds.
_ROUNDED_MS: Final = 1_000


def rules_are_as_asked(case: Case) -> Iterator[str]:
    """Acked, a rule is the log's at some moment of its request; and none is there that nobody has asked for."""
    asked = list(case.operations("keep_for"))
    for one in asked:
        where, days = one.detail["conversation_id"], one.detail["days"]
        if one.outcome == "ok":
            case.looked_at(one)
            if not any(_days(now, where) == days for now in case.during(one)):
                yield f"{one} was acked, and was never so"
        elif one.code == "forbidden":
            case.looked_at(one)
            if all(_may_set(one, now) for now in case.during(one)):
                yield f"{one} was refused without a reason"
    for at, entry in inserted(case.past):
        change = entry.change
        if not isinstance(change, Updated) or change.retention_days is None:
            continue
        said = entry.conversation_id, change.retention_days or None
        if not any((one.detail["conversation_id"], one.detail["days"]) == said and one.began <= at for one in asked):
            yield f"{entry.conversation_id}/{entry.seq} keeps it for {change.retention_days}, which nobody asked for"


def _days(now: Moment, where: str) -> int | None:
    log = now.log(where)
    return log[-1].keep_days if log else None


def _may_set(one: Operation, now: Moment) -> bool:
    where = one.detail["conversation_id"]
    return one.user == "server" or (is_group_id(where) and now.roles(where).get(one.user) in {"owner", "admin"})


def the_ended_is_the_beginning(case: Case) -> Iterator[str]:
    """Whoever reads at whatever moment finds no gap, where a job is through within a day, which is short here."""
    logs: dict[str, list[Sequence[Kept]]] = defaultdict(list)
    for (name, _), rows in sorted(case.ends.rows.items()):
        logs[name].append(rows)
    for name, log in logs.items():
        times = sorted({one.since for rows in log for one in rows} | {case.scenario.hub.now})
        for start, end in pairwise(times):
            kept = [next((one for one in rows if one.since <= start < one.until), None) for rows in log]
            yield from _gaps(name, [one.end for one in kept if one is not None], start, end, case.skew + _ROUNDED_MS)


def _gaps(name: str, ends: Sequence[float], start: float, end: float, off: float) -> Iterator[str]:
    latest, at = -inf, 0
    for seq, its in enumerate(ends, 1):
        if latest > its and max(its, start) + off < min(latest, end):
            yield f"{name}/{seq} has ended at {its:.0f}, and {name}/{at} ends at {latest:.0f}, from {start:.0f} on"
        latest, at = max((latest, at), (its, seq))


def what_has_ended_stays_so(case: Case) -> Iterator[str]:
    for (name, seq), rows in case.ends.rows.items():
        ended = inf
        for one in rows:
            if one.end > max(one.since, ended) + case.skew + _ROUNDED_MS and ended + case.skew < one.since:
                yield f"{name}/{seq} had ended at {ended:.0f}, and ends at {one.end:.0f} from {one.since:.0f} on"
            ended = min(ended, one.is_ended_from(0.0))


def each_row_is_kept_by_the_last_rule(case: Case) -> Iterator[str]:
    """In the end: the job comes to its end, whatever dies in between."""
    for name, log in _rows_in_the_end(case):
        if not (rule := log[-1].get("keep_seq")):
            continue
        for item in log:
            kept_by = item.get("keep_seq"), item.get("keep_days")
            if kept_by != (rule, log[-1].get("keep_days")):
                yield f"the row of {name}/{item['seq']} is kept by {kept_by}, and not by {rule}"
            change = case.past.entry(item).change
            if isinstance(change, Edited) and change.content is not None and change.since is None:
                yield f"the edit {name}/{item['seq']} does not say since when its message is kept"


def _rows_in_the_end(case: Case) -> Iterator[tuple[str, list[Item]]]:
    """Of each conversation; not where a request has begun the job anew and has died, or something was given up."""
    if case.scenario.deployment.set_aside:
        return
    given_up = {one.detail["conversation_id"] for one in case.operations("hold", "release") if one.outcome == "unknown"}
    logs: dict[str, list[Item]] = defaultdict(list)
    for item in case.scenario.store.items("log"):
        logs[item["conversation_id"]].append(item)
    for name in case.logs.keys() - given_up:
        yield name, sorted(logs[name], key=lambda item: int(item["seq"]))


def rows_go_unless_they_are_held(case: Case) -> Iterator[str]:
    """In the end: none may go of what is on hold, and all others may that have ended, but the first and the last."""
    end = case.past.at(case.scenario.hub.now)
    there = {(log[-1].conversation_id, entry.seq) for log in case.first_log for entry in log}
    for name, log in _rows_in_the_end(case):
        is_held = end.row(f"hold#{name}", "hold") is not None
        for item in log:
            is_inside = _FIRST < item["seq"] < log[-1]["seq"]
            was_there = (name, item["seq"]) in there and "keep_seq" not in item
            may_go = is_inside and not is_held and not was_there and case.ends.end(item) < inf
            if ("ttl" in item) != may_go and not (was_there and is_inside and not is_held):
                yield f"the row of {name}/{item['seq']} may go: {'ttl' in item}, and is held: {is_held}"


def no_held_row_goes(case: Case) -> Iterator[str]:
    """Once the job that the hold has begun is through."""
    for name in case.logs:
        since = inf
        for at, (table, first, second), _, new in case.past.changes:
            if (table, first) == ("members", f"hold#{name}"):
                since = inf
            elif (table, first) == ("members", f"job#keeping#{name}") and new is not None and new["status"] == "done":
                hold = case.past.at(at).row(f"hold#{name}", "hold")
                if hold is not None and new["created_at"] - case.skew >= hold["at"]:
                    since = min(since, at)
            elif (table, first) == ("log", name) and new is None and since < at:
                yield f"the row of {name}/{second} has gone at {at:.0f}, and it is on hold since {since:.0f}"


def holds_are_the_servers(case: Case) -> Iterator[str]:
    """Nobody else's."""
    for one in case.operations("hold", "release"):
        if one.outcome == "unknown":
            continue
        case.looked_at(one)
        if (one.outcome == "ok") != (one.user == "server"):
            yield f"{one}, by {one.user}"


AT_ONCE = (the_ended_is_the_beginning,)
RULES = (
    rules_are_as_asked,
    what_has_ended_stays_so,
    each_row_is_kept_by_the_last_rule,
    rows_go_unless_they_are_held,
    no_held_row_goes,
    holds_are_the_servers,
)
