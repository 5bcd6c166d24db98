"""Broadcasts: who is there all the time is told, stored ones are everybody's once, nothing is lost or done too much.

What holds, says docs/notifications.md. These rules go by a broadcast's row, as it was at every moment.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import inf
from typing import Any, Final

from shared.domain.broadcasts import CANCELLED, DONE, LANES, PAUSED, RUNNING, Broadcast, Segment
from tests.dynamodb import Written
from tests.simulation.faults import Fault
from tests.simulation.gateway import Notice
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.posted import connections_all_the_time
from tests.simulation.scheduler import Process

_HOLDING: Final = {"pause_broadcast": PAUSED, "resume_broadcast": RUNNING, "cancel_broadcast": CANCELLED}
_STARTING: Final = frozenset({"broadcast", "resume_broadcast"})
_SHOWN: Final = ("title", "state", "posted", "failed", "stored", "created_at", "progress")


def _tried(case: Case) -> Mapping[str, list[Notice]]:
    found: dict[str, list[Notice]] = defaultdict(list)
    for one in case.scenario.deployment.gateway.notices:
        if one.name in case.broadcasts:
            found[one.name].append(one)
    return found


def _users(case: Case) -> list[str]:
    """All who ever had a connection, or any row."""
    places = case.past.places()
    connected = {first for table, first, _ in places if table == "sessions"}
    return sorted(connected | {str(pk).removeprefix("user#") for _, pk, _ in places if str(pk).startswith("user#")})


def _done(case: Case) -> Iterator[tuple[str, float, float, Broadcast]]:
    """Those that came to their end: from when to when they were told."""
    for name, states in case.broadcasts.items():
        for at, one in states:
            if one.state == DONE:
                yield name, states[0][0], at, one
                break


def who_is_there_is_told(case: Case) -> Iterator[str]:
    """On each connection that was there from the request until it was done."""
    tried = _tried(case)
    for name, start, end, _ in _done(case):
        told = {one.line.connection_id for one in tried[name] if one.at <= end}
        for user in _users(case):
            for connection_id in sorted(connections_all_the_time(case, user, start, end) - told):
                yield f"{name} was done at {end:.0f}, and {connection_id} of {user} was not told"


def everybody_known_has_it(case: Case) -> Iterator[str]:
    """Once it is done: whoever was ever connected, or had any row, before it began. Where it isn't stored nobody has.

    Sessions are read strongly consistent; where the other table may be read as it was before, it may show no row.
    """
    for name, start, end, one in _done(case):
        if not one.is_stored:
            continue
        for user in _users(case):
            if _is_known(case, user, start) and case.past.at(end).row(f"user#{user}", f"notice#{name}") is None:
                yield f"{name} was done at {end:.0f}, and {user} does not have it"
    for _, (table, _, sk), old, new in case.past.changes:
        name = str(sk).removeprefix("notice#") if table == "members" else ""
        if old is None and new is not None and name in case.broadcasts and not case.broadcasts[name][0][1].is_stored:
            yield f"{name} was to be told, and is stored: {new}"


def _came(case: Case, user: str, start: float, end: float) -> bool:
    return case.past.at(start).session(user) is None and case.past.at(end).session(user) is not None


def _is_known(case: Case, user: str, when: float) -> bool:
    now = case.past.at(when)
    return now.session(user) is not None or (Fault.STALE not in case.struck and bool(now.rows(f"user#{user}", "")))


def it_counts_right(case: Case) -> Iterator[str]:
    """Users for whom it is stored, each once, and no connection twice.

    Who connects for the first time while it is told may be met by a job of which another was the faster, and not count.
    """
    tried = _tried(case)
    for name, start, end, one in _done(case):
        counted: Counter[str] = Counter()
        for segment in one.segments:
            counted.update(posted=segment.posted, failed=segment.failed, stored=segment.stored)
        given = [
            str(pk).removeprefix("user#")
            for at, (table, pk, sk), old, _ in case.past.changes
            if (table, sk) == ("members", f"notice#{name}") and old is None and at <= end
        ]
        known = [user for user in given if _is_known(case, user, start) and not _came(case, user, start, end)]
        if not len(known) <= counted["stored"] <= len(given):
            yield f"{name} counts {counted['stored']} users, and is stored for {given}, of whom {known} were known"
        lines = {notice.line for notice in tried[name] if notice.at <= end}
        if counted["posted"] + counted["failed"] > len(lines):
            yield f"{name} counts {counted}, of {len(lines)} connections"


def it_counts_everybody(case: Case) -> Iterator[str]:
    """Where no post fails: all that were there from its begin to its end."""
    for name, start, end, one in _done(case):
        lines = case.scenario.deployment.gateway.lines
        registered = [connections_all_the_time(case, user, start, end) for user in _users(case)]
        there = [
            {name for name in names if lines[name].opened <= start and lines[name].ended > end} for names in registered
        ]
        posted = sum(segment.posted for segment in one.segments)
        if posted < sum(map(len, there)):
            yield f"{name} counts {posted} connections, of {there}"


def it_never_goes_back(case: Case) -> Iterator[str]:
    """From one state of its row to the next."""
    for name, states in case.broadcasts.items():
        for (_, old), (at, new) in pairwise(states):
            if replace(new, segments=old.segments, updated_at=old.updated_at, halted=old.halted) != old:
                yield f"{name} is another at {at:.0f}: {new}"
            moved = [pair for pair in zip(old.segments, new.segments, strict=True) if pair[0] != pair[1]]
            if len(moved) > 1 or not all(_goes_on(*pair) for pair in moved):
                yield f"{name} goes back at {at:.0f}: {moved}"
            if old.state in {DONE, CANCELLED} and old.halted != new.halted:
                yield f"{name} was {old.state}, and is {new.halted or RUNNING} at {at:.0f}"
    for at, (_, pk, _), old_row, new_row in case.past.changes:
        if str(pk).startswith("broadcast#") and old_row is not None and new_row is None:
            yield f"{pk} is gone at {at:.0f}"


def _goes_on(old: Segment, new: Segment) -> bool:
    counts = (new.posted >= old.posted, new.failed >= old.failed, new.stored >= old.stored)
    return not old.is_done and new.step == old.step + 1 and all(counts)


def few_are_at_work(case: Case) -> Iterator[str]:
    for name, states in case.broadcasts.items():
        at = states[0][0]
        working = [other for other in case.broadcasts if at_work(case, other, at)]
        if len(working) > case.scenario.plan.limits.broadcasts_at_once:
            yield f"{name} was begun at {at:.0f} beside {working}"


def at_work(case: Case, name: str, when: float) -> bool:
    found = case.broadcast_at(name, when)
    return found is not None and found.state in {RUNNING, PAUSED}


def nothing_is_told_while_it_is_held_up(case: Case) -> Iterator[str]:
    """What is under way ends: each post is one of a job that began while it ran."""
    for one in case.scenario.deployment.gateway.notices:
        if one.name not in case.broadcasts:
            continue
        moments = case.past.moments(one.process.began, one.at)
        found = [case.broadcast_at(one.name, when) for when in moments]
        if not any(state is not None and state.state == RUNNING for state in found):
            yield f"{one.name} was told {one.line.connection_id} at {one.at:.0f}, and was {found[-1]}"


def jobs_are_small(case: Case) -> Iterator[str]:
    """One posts no more than a second's, and the rest of one user's connections."""
    posts: dict[tuple[str, Any], set[str]] = defaultdict(set)
    for one in case.scenario.deployment.gateway.notices:
        if one.name in case.broadcasts:
            posts[one.name, one.process].add(one.line.connection_id)
    sessions = [new for _, (table, *_), _, new in case.past.changes if table == "sessions" and new is not None]
    of_one = [len(item.get("connections", ())) for item in (*sessions, *case.first["sessions"])]
    most = case.scenario.plan.limits.fan_out_rate + max([1, *of_one]) - 1
    for (name, process), told in posts.items():
        if len(told) > most:
            yield f"{name} was told {sorted(told)} by one job, which began at {process.began:.0f}"


def few_jobs_are_queued(case: Case) -> Iterator[str]:
    """What holds messages up: a job queues one more, and only if it has done its page; a request one for each lane."""
    if Fault.QUEUE_TWICE in case.struck:
        return
    queued: Counter[tuple[str, Process | None]] = Counter()
    for process, queue, body in case.scenario.deployment.queues.taken:
        if queue == "fan-out" and '"broadcast"' in body:
            queued[json.loads(body)["broadcast_id"], process] += 1
    for (name, process), jobs in queued.items():
        is_job = process is not None and process.name == "push"
        pages = sum(1 for _, written in process.wrote if _is_row_of(written, name)) if is_job and process else LANES
        if jobs > pages:
            yield f"{name} was queued {jobs} jobs by one that has done {pages} pages"


def _is_row_of(written: Written, name: str) -> bool:
    return written.table == "members" and written.key["pk"]["S"] == f"broadcast#{name}"


def _may_be_of(one: Operation, name: str) -> bool:
    """Also where it was not answered, and has made up a name."""
    if one.detail["broadcast_id"] is not None:
        return bool(one.detail["broadcast_id"] == name)
    return one.outcome != "ok" or bool(one.value["id"] == name)


def it_comes_to_its_end(case: Case) -> Iterator[str]:
    """Whatever its jobs met: where somebody was answered that it runs, and no job has failed for good."""
    if case.scenario.deployment.set_aside:
        return
    for name, states in case.broadcasts.items():
        if states[-1][1].state != RUNNING:
            continue
        changed = [at for (_, old), (at, new) in pairwise(states) if new.halted != old.halted]
        since = max([states[0][0], *changed])
        asked = [one for one in case.operations(*_STARTING) if _may_be_of(one, name)]
        late = [one for one in asked if one.began >= since]
        across = [one for one in asked if one.began < since <= (inf if one.ended is None else one.ended)]
        is_sure = bool(across) and all(one.outcome == "ok" for one in across)
        if is_sure or any(one.outcome == "ok" for one in late):
            yield f"{name} runs since {since:.0f}, and stands still: {states[-1][1].segments}"


def answers_are_as_it_was(case: Case) -> Iterator[str]:
    """Each body is what stood there at some moment of the request."""
    for one in case.operations("broadcast", "look_at_broadcast", "list_broadcasts", *_HOLDING):
        case.looked_at(one)
        if one.outcome != "ok":
            continue
        bodies = one.value["broadcasts"] if one.kind == "list_broadcasts" else [one.value]
        moments = case.past.moments(one.began, one.ended if one.ended is not None else inf)
        for body in bodies:
            if not any(_is_shown(body, case.broadcast_at(body["id"], when)) for when in moments):
                yield f"{one}: {body} never was so"
        wanted = _HOLDING.get(one.kind)
        if wanted is not None and one.value["state"] != wanted:
            yield f"{one} should be {wanted}"
        if one.kind == "list_broadcasts":
            yield from _listed_right(case, one)


def _is_shown(body: Mapping[str, Any], one: Broadcast | None) -> bool:
    if one is None:
        return False
    sums: list[Callable[[Segment], int]] = [lambda s: s.posted, lambda s: s.failed, lambda s: s.stored]
    progress = round(sum(segment.is_done for segment in one.segments) / len(one.segments), 4)
    counts = [sum(map(count, one.segments)) for count in sums]
    return [body[name] for name in _SHOWN] == [one.title, one.state, *counts, one.created_at, progress]


def _listed_right(case: Case, one: Operation) -> Iterator[str]:
    shown: Sequence[Mapping[str, Any]] = one.value["broadcasts"]
    names = [body["id"] for body in shown]
    there = {name for name, states in case.broadcasts.items() if states[0][0] <= one.began}
    if len(set(names)) != len(names) or not there <= set(names):
        yield f"{one} lists {names}, there were {sorted(there)}"
    times = [body["created_at"] for body in shown]
    if times != sorted(times, reverse=True):
        yield f"{one} is not in order"


def it_says_what_was_asked(case: Case) -> Iterator[str]:
    """On connections, and in lists; and where it is stored, a connection's user has it by then."""
    for post in case.scenario.deployment.gateway.posts:
        said = post.event.get("notification", {})
        states = case.broadcasts.get(said.get("id", ""))
        if states is None:
            continue
        one, user = states[0][1], post.line.user_id
        if (said["title"], said["body"], said["kind"], said["created_at"]) != (
            *(one.title, one.body, "system", one.created_at),
        ):
            yield f"{user} was told {said} at {post.at:.0f}, of {one}"
        if one.is_stored and case.past.at(post.at).row(f"user#{user}", f"notice#{said['id']}") is None:
            yield f"{user} was told {said['id']} at {post.at:.0f}, and does not have it"
    for at, (table, pk, sk), old, new in case.past.changes:
        states = case.broadcasts.get(str(sk).removeprefix("notice#")) if table == "members" else None
        if states is None or not str(sk).startswith("notice#") or old is not None or new is None:
            continue
        if (new["title"], new["body"]) != (states[0][1].title, states[0][1].body) or at < states[0][0]:
            yield f"{pk} has {new} at {at:.0f}, of {states[0][1]}"


def nobody_is_woken(case: Case) -> Iterator[str]:
    for push in case.scenario.deployment.provider.accepted:
        if push.data.get("notification_id") in case.broadcasts:
            yield f"{push.token} was pushed {push.data} at {push.at:.0f}"


RULES = (
    who_is_there_is_told,
    everybody_known_has_it,
    it_counts_right,
    it_never_goes_back,
    few_are_at_work,
    nothing_is_told_while_it_is_held_up,
    jobs_are_small,
    it_comes_to_its_end,
    answers_are_as_it_was,
    it_says_what_was_asked,
    nobody_is_woken,
)
AT_ONCE = (it_counts_everybody, few_jobs_are_queued)
