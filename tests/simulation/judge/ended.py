"""Where messages are kept for some days: none is read after its end or missed before it, and no place is taken twice.

What has ended is the beginning of a log. Whoever reads goes on where what is kept begins, and is told where that is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from math import inf
from typing import Final

from shared.adapters.dynamodb.client import Item
from shared.domain.changes import Edited
from shared.domain.entries import Entry
from tests.simulation.functions import BASE_MS
from tests.simulation.history import Operation
from tests.simulation.judge.case import HARMLESS, Case
from tests.simulation.judge.past import inserted
from tests.simulation.judge.readers import saying


def _may_have_ended(case: Case, entry: Entry, at: float) -> bool:
    return case.ends.first((entry.conversation_id, entry.seq), case.skew) <= at


def _is_over(case: Case, entry: Entry) -> float:
    """From when on nobody is told what it says."""
    place = entry.conversation_id, entry.seq
    return (case.ends.of_edit if isinstance(entry.change, Edited) else case.ends.last)(place, case.skew)


# From when whoever has it go has looked at the clock to its write; and where calls fail, or take their time.
_STEP_MS: Final = 500.0
_LONG_STEP_MS: Final = 6_000.0


def places_are_taken_once(case: Case) -> Iterator[str]:
    """Each entry is put right behind the last that ever was, whatever rows are gone."""
    heads = {log[-1].conversation_id: len(log) for log in case.first_log if log}
    for _, entry in inserted(case.past):
        name, head = entry.conversation_id, heads.get(entry.conversation_id, 0)
        if entry.seq != head + 1:
            yield f"{name}/{entry.seq} was put where {head} was the last"
        heads[name] = max(head, entry.seq)


def rows_go_in_time(case: Case) -> Iterator[str]:
    """A row that may go is neither the first nor the last, and has ended for longer than any request goes on."""
    kept_ms = 1_000 * (case.scenario.plan.limits.row_kept_ms // 1_000)
    step_ms = _STEP_MS if case.struck <= HARMLESS else _LONG_STEP_MS
    stored: dict[str, int] = {log[-1].conversation_id: len(log) for log in case.first_log if log}
    for at, (table, name, seq), old, new in case.past.changes:
        if table != "log" or new is None:
            continue
        stored[name] = max(stored.get(name, 0), seq)
        if "ttl" in new:
            if seq in {1, stored[name]}:
                yield f"the row of {name}/{seq} may go, of {stored[name]}"
            is_new = old is None or old.get("ttl") != new["ttl"]
            end = max(case.ends.end(new), at - case.skew - step_ms if is_new else 0.0)
            if new["ttl"] * 1_000 - BASE_MS < end + kept_ms:
                yield f"the row of {name}/{seq} may go at {new['ttl'] * 1_000 - BASE_MS}"


def all_ends_are_settled(case: Case) -> Iterator[str]:
    """In the end each row behind which another stands has its end, but those that were there before."""
    if case.scenario.deployment.set_aside:
        return
    there = {(log[-1].conversation_id, entry.seq) for log in case.first_log for entry in log}
    heads = case.scenario.heads()
    for item in case.scenario.store.items("log"):
        place = item["conversation_id"], item["seq"]
        if place[0] in heads and item["seq"] < heads[place[0]] and _lacks_end(case, item, place in there):
            yield f"the row of {place} has no end, of {heads[place[0]]}"


def _lacks_end(case: Case, item: Item, was_there: bool) -> bool:
    return "ends" not in item and case.ends.end(item) < inf and not (was_there and "keep_seq" not in item)


def nothing_is_read_after_its_end(case: Case) -> Iterator[str]:
    """No answer that began after a message had ended says what that said; a forward is a message of its own."""
    ends: dict[str, float] = defaultdict(lambda: -inf)
    for log in case.logs.values():
        for entry in log:
            text = case.first_said.get((entry.conversation_id, entry.seq), entry.content)
            if isinstance(entry.change, Edited):
                text = entry.change.content
            if text:
                ends[text] = max(ends[text], _is_over(case, entry))
    words = saying(ends)
    for user, what, began, given in _answers(case):
        for found in set(words.findall(given)):
            if ends[found] < began:
                yield f"{user} got {found!r} by {what} at {began:.0f}, and it ended at {ends[found]:.0f}: {given[:300]}"


def _answers(case: Case) -> Iterator[tuple[str, str, float, str]]:
    deployment = case.scenario.deployment
    for one in deployment.gateway.exchanges:
        if one.reply is not None:
            yield one.line.user_id, f"{one.frame['type']}", one.at, json.dumps(one.reply, ensure_ascii=False)
    for request in deployment.requests:
        asked = request.event["requestContext"]["http"]
        yield "somebody", f"{asked['method']} {asked['path']}", request.process.began, request.answer


def pages_have_what_is_kept(case: Case) -> Iterator[str]:
    """A page has each message in its span that has not ended, and tells where what is kept begins, if it ends there."""
    for one in case.operations("page"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        log = case.logs.get(one.detail["conversation_id"], ())
        shown = [message["seq"] for message in one.value["messages"]]
        missing = set(_kept(case, one, log)) - set(shown)
        if one.value["has_more"]:
            reached = shown[-1] if shown else 0
            is_behind = partial(_is_behind, one, reached)
            missing = {seq for seq in missing if is_behind(seq)}
        if missing:
            yield f"{one} lacks {sorted(missing)}, which have not ended"
        below = one.value.get("trimmed_below", 0)
        if early := [entry.seq for entry in log[: max(0, below - 1)] if not _ended_by(case, entry, one)]:
            yield f"{one} says that nothing is kept below {below}, and {early} have not ended"


def _is_behind(one: Operation, reached: int, seq: int) -> bool:
    return seq < reached if one.detail["direction"] == "after" else seq > reached


def _ended_by(case: Case, entry: Entry, one: Operation) -> bool:
    return _may_have_ended(case, entry, inf if one.ended is None else one.ended)


def _kept(case: Case, one: Operation, log: Sequence[Entry]) -> Iterator[int]:
    """Messages that this page could show, and were there before it was asked for, and not ended after it had come."""
    start, when = one.detail["start"], {(entry.conversation_id, entry.seq): at for at, entry in inserted(case.past)}
    for entry in log:
        is_asked = start is None or (entry.seq > start if one.detail["direction"] == "after" else entry.seq < start)
        is_there = when.get((entry.conversation_id, entry.seq), 0.0) < one.began
        if is_asked and is_there and entry.is_message and not _ended_by(case, entry, one):
            yield entry.seq


def rounds_bring_what_is_kept(case: Case) -> Iterator[str]:
    """A sync that is played to its end brings all from some place on, and what is before that has ended."""
    for one in case.scenario.rounds:
        for name, held in one.held.items():
            log, got = case.logs.get(name, ()), one.got.get(name)
            if got is None:
                continue
            if not got and held < len(log):
                yield f"{one.client.name} held {held} of {name}, and got nothing, of {len(log)}"
            if not got or not one.is_over:
                continue
            if got != list(range(got[0], len(log) + 1)):
                yield f"{one.client.name} held {held} of {name}, and got {got}, of {len(log)}"
            lacking = [entry.seq for entry in log[held : got[0] - 1] if not _may_have_ended(case, entry, one.over)]
            if lacking:
                yield f"{one.client.name} held {held} of {name}, and got {got}, though {lacking} have not ended"


RULES = (
    places_are_taken_once,
    rows_go_in_time,
    all_ends_are_settled,
    nothing_is_read_after_its_end,
    pages_have_what_is_kept,
    rounds_bring_what_is_kept,
)
