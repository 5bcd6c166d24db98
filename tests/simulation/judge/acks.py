"""Replies to frames say what was done: where it stands, since when, and whether it is new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.domain.changes import Deleted, Edited, Reacted
from tests.simulation.gateway import Exchange
from tests.simulation.judge.case import Case

_CHANGES: Final[Mapping[str, type]] = {"edit": Edited, "delete": Deleted, "react": Reacted}


def acks_say_what_was_done(case: Case) -> Iterator[str]:
    for one in case.scenario.deployment.gateway.exchanges:
        if one.reply is None or not one.is_done:
            continue
        kind, data = one.frame["type"], one.reply["data"]
        if kind == "message":
            yield from _message(case, one, data)
        elif kind in _CHANGES:
            yield from _change(case, one, data)
        elif kind == "ping" and "seq" in one.frame:
            yield from _pong(case, one, data)
        if one.reply.get("id") != one.frame.get("id"):
            yield f"{one.frame} was answered as {one.reply.get('id')}"


def _written(one: Exchange) -> set[tuple[str, int]]:
    """The places that this very frame has taken."""
    writes = one.process.wrote if one.process else []
    news = [written.new for _, written in writes if written.table == "log" and written.old is None]
    return {(new["conversation_id"]["S"], int(new["seq"]["N"])) for new in news if new is not None}


def _message(case: Case, one: Exchange, data: dict[str, Any]) -> Iterator[str]:
    if "held_id" in data:
        return  # which has no place
    place, user = (data["conversation_id"], data["seq"]), one.line.user_id
    stored = case.past.at(one.ended).entry(*place)
    entry = None if stored is None else stored.seen_by(user)
    if entry is None or not entry.is_message or entry.sender_id != user:
        yield f"{one.frame} was acked as {place}, which is {entry}"
        return
    said = {
        "type": "message",
        "conversation_id": place[0],
        "seq": place[1],
        "message_id": f"{place[0]}/{place[1]}",
        "timestamp": entry.created_at,
        "duplicate": place not in _written(one),
        **({"client_message_id": entry.client_message_id} if entry.client_message_id else {}),
    }
    if "read" in data:  # only of what was asked for, and once it is stored
        said["read"] = one.frame.get("read")
        member = case.past.at(one.ended).member(user, place[0])
        if member is not None and member.read_seq < data["read"]:
            yield f"{one.frame} was acked with {data}, and the cursor stands at {member.read_seq}"
    if data != said:
        yield f"{one.frame} was acked with {data}, and is {said}"


def _change(case: Case, one: Exchange, data: dict[str, Any]) -> Iterator[str]:
    where, seq, entry_seq = one.frame["conversation_id"], one.frame["seq"], data["entry_seq"]
    if (data["type"], data["conversation_id"], data["seq"]) != (one.frame["type"], where, seq):
        yield f"{one.frame} was acked with {data}"
    if {(where, entry_seq)} - {(where, None)} != _written(one):
        yield f"{one.frame} was acked with {data}, and has written {_written(one)}"
    entry = None if entry_seq is None else case.past.at(one.ended).entry(where, entry_seq)
    if entry is None:
        return
    is_its = isinstance(entry.change, _CHANGES[one.frame["type"]]) and getattr(entry.change, "target", None) == seq
    if not is_its or data["timestamp"] != entry.created_at:
        yield f"{one.frame} was acked with {data}, and is {entry}"


def _pong(case: Case, one: Exchange, data: dict[str, Any]) -> Iterator[str]:
    where, following = one.frame["conversation_id"], one.frame["seq"] + 1
    moments = [case.past.at(when) for when in case.past.moments(one.at, one.ended)]
    if data["behind"] not in {now.entry(where, following) is not None for now in moments}:
        yield f"{one.frame} was answered with {data}, and {where}/{following} is there: {not data['behind']}"


RULES = (acks_say_what_was_done,)
