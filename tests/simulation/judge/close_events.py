"""Connections that the server closes: for a reason, which they are told before, and all that had to be closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tests.simulation.functions import BASE_MS
from tests.simulation.gateway import Line
from tests.simulation.judge.case import Case, ends_at

_AT_ONCE_MS: Final = 2_000.0


def evicted(case: Case) -> Iterator[tuple[float, str]]:
    """Connections that had to make way for another one, and when."""
    for at, (table, *_), old, new in case.past.changes:
        if table != "sessions" or at <= 0 or old is None or new is None:
            continue
        before, after = old.get("connections", {}), new.get("connections", {})
        if after.keys() - before.keys():
            yield from ((at, name) for name in before.keys() - after.keys())


def closed_for_a_reason(case: Case) -> Iterator[str]:
    """Another connection in its place, a flood, or an administrator."""
    made_way = {name for _, name in evicted(case)}
    revoked = {one.detail["member"] for one in case.operations("revoke", "revoke_tokens") if one.outcome != "fail"}
    banned = {one.detail["member"] for one in case.operations("ban") if one.outcome != "fail"}
    for line in case.scenario.deployment.gateway.lines.values():
        told = _told(case, line)
        if "connection_limit" in told and line.connection_id not in made_way:
            yield f"{line.connection_id} was told to make way, and nothing took its place"
        if "revoked" in told and line.user_id not in revoked:
            yield f"{line.connection_id} was told that it is revoked, which nobody has asked for"
        if "banned" in told and line.user_id not in banned:
            yield f"{line.connection_id} was told that its user is banned, which nobody has asked for"
        is_unsaid = line.closed_by_server and not told and not _had_ended(case, line)
        if is_unsaid and not case.struck and not _was_connecting(case, line):
            yield f"{line.connection_id} was closed without a word"
        if told and not line.closed_by_server and line.ended > case.scenario.hub.now and case.went_well:
            yield f"{line.connection_id} was told {told}, and is open"


def _told(case: Case, line: Line) -> list[str]:
    return [code for at, code in case.close_events.get(line, ())]


def _had_ended(case: Case, line: Line) -> bool:
    """With its token: it hears nothing any more, and is closed all the same where all are."""
    stored = (case.past.at(line.ended - 0.001).session(line.user_id) or {}).get("connections", {})
    return line.connection_id in stored and ends_at(stored[line.connection_id]) <= BASE_MS + line.ended


def _was_connecting(case: Case, line: Line) -> bool:
    """A post to a connection that is just being made finds none, as one to a connection that is gone."""
    return any(gone is line for _, gone, __ in case.scenario.deployment.gateway.gone)


def who_makes_way_is_told(case: Case) -> Iterator[str]:
    """If it was open then, and had not ended."""
    for at, name in evicted(case):
        line = case.scenario.deployment.gateway.lines[name]
        stored = (case.past.at(at - 0.001).session(line.user_id) or {}).get("connections", {})
        was_live = name in stored and ends_at(stored[name]) > BASE_MS + at + case.skew
        if not (line.opened < at < line.ended and was_live):
            continue
        if not _told(case, line) and not _was_connecting(case, line):
            yield f"{name} had to make way at {at:.0f}, and was not told"
        if line.ended > at + _AT_ONCE_MS:
            yield f"{name} had to make way at {at:.0f}, and is open"


def revoked_means_closed(case: Case) -> Iterator[str]:
    """Each connection that was there all the time, after it was told why; and the answer counts them."""
    for one in case.operations("revoke"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        ended = one.ended or one.began
        stored = [(now.session(one.detail["member"]) or {}).get("connections", {}) for now in case.during(one)]
        live = [sum(ends_at(value) > BASE_MS + one.began for value in found.values()) for found in stored]
        if not case.skew and not min(live, default=0) <= one.value["closed"] <= max(live, default=0):
            yield f"{one} says {one.value['closed']}, and there were {live}"
        for line in case.scenario.deployment.gateway.lines.values():
            if line.user_id != one.detail["member"] or line.connection_id not in stored[0]:
                continue
            if line.opened < one.began and line.ended > ended:
                yield f"{line.connection_id} is open after {one}"
            is_live = ends_at(stored[0][line.connection_id]) > BASE_MS + ended + case.skew
            is_closed = line.opened < one.began <= line.ended <= ended and line.closed_by_server
            if is_closed and is_live and not _told(case, line):
                yield f"{line.connection_id} was closed by {one}, and was not told"


RULES = (closed_for_a_reason,)
AT_ONCE = (who_makes_way_is_told, revoked_means_closed)
