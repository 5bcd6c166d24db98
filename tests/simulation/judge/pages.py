"""History: each page has what was there, from where it was asked, and says whether there is more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.domain.entries import Entry
from shared.domain.members import Member
from tests.simulation.faults import Fault
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.forms import message_form
from tests.simulation.judge.past import Moment

# What is said beside a message of one's own.
_HOW_FAR: Final = frozenset({"status", "receipts"})


def pages_are_right(case: Case) -> Iterator[str]:
    for one in case.operations("page"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        shown = [message["seq"] for message in one.value["messages"]], one.value["has_more"]
        possible = [_page(case, one, moment) for moment in case.during(one)]
        if shown not in possible:
            yield f"{one} has {shown}, and might have {possible}"
        for message in one.value["messages"]:
            yield from _as_it_was(case, one, message)


def _page(case: Case, one: Operation, moment: Moment) -> tuple[list[int], bool]:
    limit = min(one.detail["limit"], case.scenario.plan.limits.page)
    seqs = [entry.seq for entry in moment.log(one.detail["conversation_id"]) if entry.is_message]
    start = one.detail["start"]
    if one.detail["direction"] == "after":
        ahead = [seq for seq in seqs if seq > start]
    else:
        ahead = [seq for seq in reversed(seqs) if start is None or seq < start]
    return ahead[:limit], len(ahead) > limit


def messages_are_right(case: Case) -> Iterator[str]:
    for one in case.operations("message"):
        if one.outcome == "ok":
            case.looked_at(one)
            yield from _as_it_was(case, one, one.value)


def _as_it_was(case: Case, one: Operation, shown: Mapping[str, Any]) -> Iterator[str]:
    where, seq = one.detail["conversation_id"], shown["seq"]
    entries = [entry for moment in case.during(one) if (entry := moment.entry(where, seq)) is not None]
    if not any(_shows(shown, entry) for entry in entries):
        yield f"{one} shows {shown}, which it never was"
    if "status" in shown and Fault.UNPROCESSED not in case.struck and Fault.STALE not in case.struck:
        statuses = {_status(moment, where, seq, one.user) for moment in case.during(one)}
        if shown["status"] not in statuses:
            yield f"{one} shows {where}/{seq} as {shown['status']}, which was {statuses}"
    if "receipts" in shown and Fault.STALE not in case.struck:
        counts = [_receipts(moment, where, seq, one.user) for moment in case.during(one)]
        if any(value not in [count[name] for count in counts] for name, value in shown["receipts"].items()):
            yield f"{one} shows {shown['receipts']}, which were {counts}"


def _shows(shown: Mapping[str, Any], entry: Entry) -> bool:
    return {name: value for name, value in shown.items() if name not in _HOW_FAR} == message_form(entry)


def _others(moment: Moment, where: str, seq: int, user: str) -> list[Member]:
    """The others to whom a message was written: not those who came later."""
    others = [moment.member(other, where) for other in moment.roles(where) if other != user]
    return [other for other in others if other is not None and other.joined_seq < seq]


def _receipts(moment: Moment, where: str, seq: int, user: str) -> dict[str, int]:
    others = _others(moment, where, seq, user)
    read, got = sum(one.read_seq >= seq for one in others), sum(one.has_got >= seq for one in others)
    return {"members": len(others), "delivered": got, "read": read}


def _status(moment: Moment, where: str, seq: int, user: str) -> str:
    others = _others(moment, where, seq, user)
    if others and all(other.read_seq >= seq for other in others):
        return "read"
    return "delivered" if others and all(other.has_got >= seq for other in others) else "sent"


RULES = (pages_are_right, messages_are_right)
