"""Who is kept out: once the call has returned nothing is let in, served, posted or pushed, and nobody else is refused.

What a function had in hand when the call came may still come through: `operations/bans.py` says how long it waits for
that. So what counts is when a frame came, when a request was made, and when a connection was opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

from shared.domain.connections import CONNECTING_MS
from tests.simulation.functions import BASE_MS
from tests.simulation.gateway import Line
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.pushes import owners


@dataclass(frozen=True, slots=True)
class _Out:
    """`since` the call has returned, `until` it may have ended: by itself, or since somebody has asked for it."""

    user: str
    since: float
    until: float

    def holds(self, at: float) -> bool:
        return self.since < at < self.until


def _bans(case: Case) -> list[_Out]:
    found = []
    asked = list(case.operations("ban", "unban"))
    for one in asked:
        if one.kind != "ban" or one.outcome != "ok" or one.ended is None:
            continue
        others = [other.began for other in asked if other is not one and _may_end(other, one)]
        end = inf if one.detail["until"] is None else one.detail["until"] - BASE_MS - case.skew
        found.append(_Out(one.detail["member"], one.ended, min([end, *others])))
    return found


def _may_end(other: Operation, ban: Operation) -> bool:
    """Whether another call, of whatever outcome, may have come behind the ban."""
    is_over = other.ended is not None and other.ended < ban.began
    return other.detail["member"] == ban.detail["member"] and other.outcome != "fail" and not is_over


def _lines(case: Case, user: str) -> list[Line]:
    return [line for line in case.scenario.deployment.gateway.lines.values() if line.context.get("user_id") == user]


def banned_is_out(case: Case) -> Iterator[str]:
    for ban in _bans(case):
        yield from _comes_through(case, _lines(case, ban.user), ban, ban)
        for one in case.operations():
            if one.user == ban.user and one.status and ban.holds(one.began) and one.outcome != "unknown":
                yield f"{one} was served: {ban}"
        for push in case.scenario.deployment.provider.accepted:
            if ban.holds(push.began) and ban.user in owners(case, push):
                yield f"{push} was pushed: {ban}"


def revoked_is_out(case: Case) -> Iterator[str]:
    """Connections that were opened by an old token, and have shown no other since."""
    renewed = {frame.line for frame in case.scenario.deployment.gateway.exchanges if frame.frame["type"] == "auth"}
    for one in case.operations("revoke_tokens"):
        if one.outcome != "ok" or one.ended is None:
            continue
        case.looked_at(one)
        moment = one.value["issued_before"]
        if moment < one.detail["moment"]:
            yield f"{one} holds from {moment} on"
        old = [
            line
            for line in _lines(case, one.detail["member"])
            if int(line.context.get("issued_at") or 0) < moment and line not in renewed
        ]
        yield from _comes_through(case, old, _Out(one.detail["member"], one.ended, inf), one)


def _comes_through(case: Case, lines: Sequence[Line], out: _Out, why: object) -> Iterator[str]:
    """What comes in and goes out over connections of who is out. They may still be told why."""
    gateway, these = case.scenario.deployment.gateway, set(lines)
    for line in lines:
        began = int(line.context["connected_at"]) - BASE_MS
        is_quick = line.opened < began + CONNECTING_MS - case.skew  # of others the first frame finds it out
        if is_quick and out.holds(line.opened):
            yield f"{line.connection_id} opened at {line.opened:.0f}: {why}"
    for post in gateway.posts:
        if post.line in these and out.holds(post.at) and post.event["type"] != "disconnect":
            yield f"{post.event['type']} was posted to {post.line.connection_id} at {post.at:.0f}: {why}"
    for frame in gateway.exchanges:
        if frame.line in these and out.holds(frame.at) and frame.is_done:
            yield f"{frame.frame} was served at {frame.at:.0f}: {why}"


def only_they_are_out(case: Case) -> Iterator[str]:
    """Whoever is told that they are banned, or that their token is no good, was kept out then, or is about to be."""
    for ban in case.operations("ban", "unban"):
        case.looked_at(ban)
    for one in case.operations():
        if one.code == "banned" and not _was_asked(case, "ban", one.user, one.ended):
            yield f"{one}: nobody has banned {one.user}"
        is_revoked = one.code == "unauthenticated" and "bearer_said" not in one.detail
        if is_revoked and not _was_asked(case, "revoke_tokens", one.user, one.ended):
            yield f"{one}: nobody has revoked {one.user}'s tokens"
    for frame in case.scenario.deployment.gateway.exchanges:
        if frame.code == "banned" and not _was_asked(case, "ban", frame.line.context["user_id"], frame.ended):
            yield f"{frame.frame} was answered by {frame.reply}"


def _was_asked(case: Case, kind: str, user: str, by: float | None) -> bool:
    asked = [one for one in case.operations(kind) if one.detail["member"] == user and one.outcome != "fail"]
    return any(one.began <= (inf if by is None else by) for one in asked)


RULES = (banned_is_out, revoked_is_out, only_they_are_out)
