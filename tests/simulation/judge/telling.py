"""Notices and reminders: stored, told to who is there, pushed to who is not, and due once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.live import LIVE_MS

# The scheduler takes nothing nearer than this, and calls at whole seconds.
_EARLIEST_MS: Final = 5_000
_SECOND_MS: Final = 1_000
_AFTERWARDS_MS: Final = 3_000
_SLOW: Final = frozenset({Fault.SLOW, Fault.LOST_BEFORE, Fault.LOST_AFTER})


def reminders_are_never_early(case: Case) -> Iterator[str]:
    for at, (table, pk, sk), old, new in case.past.changes:
        if table != "members" or not str(sk).startswith("notice#") or new is None or new.get("kind") != "reminder":
            continue
        wished = [one for one in case.operations("remind") if _is_of(one, pk, sk)]
        if old is None and wished and BASE_MS + at + case.skew < min(one.detail["at"] for one in wished):
            yield f"{wished[0]} was told at {at:.0f}"
        if old is not None and not new.get("acknowledged"):
            yield f"{pk} {sk} was told again at {at:.0f}"


def _is_of(one: Operation, pk: str, sk: str) -> bool:
    known = one.value["reminder_id"] if one.outcome == "ok" else None
    return f"user#{one.user}" == pk and known in {None, sk.removeprefix("notice#")}


def reminders_are_for_who_is_there(case: Case) -> Iterator[str]:
    """Of a message that they may still read, and that they had not stopped waiting for."""
    if case.struck & _SLOW:
        return
    for at, (table, pk, sk), old, new in case.past.changes:
        if (
            table != "members"
            or not str(sk).startswith("notice#")
            or old is not None
            or (new or {}).get("kind") != "reminder"
        ):
            continue
        user, name = pk.removeprefix("user#"), sk.removeprefix("notice#")
        where, seq = (new or {})["conversation_id"], (new or {})["seq"]
        moments = [case.past.at(when) for when in case.past.moments(at - _AFTERWARDS_MS, at)]
        entries = [now.entry(where, seq) for now in moments]
        if not any(entry is not None and entry.is_readable for entry in entries):
            yield f"{user} was reminded at {at:.0f} of {where}/{seq}, which is not to be read"
        if all(now.member(user, where) is None for now in moments):
            yield f"{user} was reminded at {at:.0f} of {where}/{seq}, and is not in it"
        if all(now.row(pk, f"reminder#{name}") is None for now in moments):
            yield f"{user} was reminded at {at:.0f} of {where}/{seq}, and had cancelled that"


def reminders_come(case: Case) -> Iterator[str]:
    """Each that was asked for is told when it is due, if it was not cancelled, and its message is still to be read."""
    end = case.past.at(case.scenario.hub.now)
    for one in case.operations("remind"):
        if one.outcome != "ok":
            continue
        ended = one.ended or 0.0
        due = -(-max(one.detail["at"], BASE_MS + ended + _EARLIEST_MS + case.skew) // _SECOND_MS) * _SECOND_MS - BASE_MS
        name, where = one.value["reminder_id"], one.detail["conversation_id"]
        if due + _AFTERWARDS_MS + case.skew > end.when:
            continue
        moments = [case.past.at(when) for when in case.past.moments(one.began, end.when)]
        is_cancelled = any(
            other.detail["reminder_id"] == name and other.user == one.user
            for other in case.operations("cancel_reminder")
        )
        entries = [now.entry(where, one.detail["seq"]) for now in moments]
        is_readable = all(entry is not None and entry.is_readable for entry in entries)
        is_inside = all(now.member(one.user, where) is not None for now in moments)
        if is_cancelled or not is_readable or not is_inside:
            continue
        if end.row(f"user#{one.user}", f"notice#{name}") is None:
            yield f"{one} was not told, and was due at {due:.0f}"
        if end.row(f"user#{one.user}", f"reminder#{name}") is not None:
            yield f"{one} still waits, and was due at {due:.0f}"


def who_is_there_is_told(case: Case) -> Iterator[str]:
    """Of a notice, on each of their connections, unless they have acknowledged it."""
    if case.scenario.plan.limits.token_s < 60:  # a history's length
        return
    posts = [post for post in case.scenario.deployment.gateway.posts if post.event["type"] == "notification"]
    for one in case.operations("notify"):
        if one.outcome != "ok":
            continue
        name, end = one.value["notification_id"], (one.ended or one.began)
        for client in case.scenario.clients:
            is_there = any(begins <= one.began and end + LIVE_MS <= ends for begins, ends in client.online)
            if client.user not in one.detail["users"] or not is_there or client.line is None:
                continue
            moments = [case.past.at(when) for when in case.past.moments(one.began, end)]
            rows = [now.row(f"user#{client.user}", f"notice#{name}") or {} for now in moments]
            told = any(
                post.line.user_id == client.user
                and post.event["notification"]["id"] == name
                and one.began <= post.at <= end + LIVE_MS
                for post in posts
            )
            if not told and not any(row.get("acknowledged") for row in rows):
                yield f"{client.name} was not told of {one}"


def notices_are_as_sent(case: Case) -> Iterator[str]:
    """What is told is what was stored first, and for whom it was."""
    for post in case.scenario.deployment.gateway.posts:
        if post.event["type"] != "notification":
            continue
        said, user = post.event["notification"], post.line.user_id
        if said["id"] in case.broadcasts:
            continue  # `broadcasts` looks at those
        rows = [
            case.past.at(when).row(f"user#{user}", f"notice#{said['id']}")
            for when in case.past.moments(post.began, post.at)
        ]
        if not any(row is not None and row.get("title", said["title"]) == said["title"] for row in rows):
            yield f"{user} was told {said}, which is {rows}"


def pushed_once(case: Case) -> Iterator[str]:
    """Each notice at most once to each device, by its id."""
    pushes = [push for push in case.scenario.deployment.provider.accepted if "notification_id" in push.data]
    for name, times in Counter(push.push_id for push in pushes).items():
        if times > 1 + case.scenario.fault_model.struck[Fault.PROVIDER_UNKNOWN]:
            yield f"{name} was pushed {times} times"


RULES = (reminders_are_for_who_is_there, reminders_are_never_early, notices_are_as_sent, pushed_once)
IN_THE_END = (reminders_come,)
AT_ONCE = (who_is_there_is_told,)
