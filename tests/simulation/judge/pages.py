"""History: each page has what was there, from where it was asked, and says whether there is more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.chat.models import Entry
from tests.simulation.faults import Fault
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import Moment


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
    limit = min(one.detail["limit"], case.world.plan.limits.page)
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


def _shows(shown: Mapping[str, Any], entry: Entry) -> bool:
    reactions: dict[str, list[str]] = {}
    for emoji, user in sorted(entry.reactions):
        reactions.setdefault(emoji, []).append(user)
    is_gone = entry.deleted_at is not None
    expected = {
        "sender_id": entry.sender_id,
        "content": entry.content,
        "created_at": entry.created_at,
        "client_message_id": entry.client_message_id,
        "reply_to": None if is_gone else entry.reply_to,
        "mentions": None if is_gone else list(entry.mentions) or None,
        "file_id": entry.file_id,
        "edited_at": None if is_gone else entry.edited_at,
        "deleted_at": entry.deleted_at,
        "reactions": reactions or None,
    }
    return all(shown.get(name) == value for name, value in expected.items())


def _status(moment: Moment, where: str, seq: int, user: str) -> str:
    others = [moment.member(other, where) for other in moment.roles(where) if other != user]
    known = [other for other in others if other is not None and other.joined_seq < seq]  # who came later counts not
    if known and all(other.read_seq >= seq for other in known):
        return "read"
    return "delivered" if known and all(other.has_got >= seq for other in known) else "sent"


RULES = (pages_are_right, messages_are_right)
