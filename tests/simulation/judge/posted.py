"""What was acked was told: before its answer each invocation has tried every connection that is meant.

These rules look at one invocation each. So they hold with any fault: whatever failed elsewhere, who answers with
success has posted to whoever was there all the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.adapters.dynamodb.client import from_item
from shared.adapters.dynamodb.schema import entry_from
from shared.adapters.dynamodb.sessions import session_from
from shared.domain.changes import Removed
from shared.domain.entries import Entry
from shared.domain.text import is_group_id, private_members, user_of_log
from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import Moment
from tests.simulation.judge.presence import may_be_typed_at
from tests.simulation.scheduler import Process

_CURSORS: Final = {"read": "read_seq", "delivered": "delivered_seq"}
_REFUSED: Final = 300
_MARGIN_MS: Final = 1_000


def answered(case: Case) -> Iterator[tuple[Process, str, str, dict[str, Any]]]:
    """Invocations that ended well: with the connection that got the reply, the frame's type, and its data."""
    for one in case.scenario.deployment.gateway.exchanges:
        if one.process is not None and one.reply is not None and one.is_done:
            yield one.process, one.line.connection_id, str(one.frame["type"]), one.reply["data"]
    for request in case.scenario.deployment.requests:
        if request.status < _REFUSED:
            yield request.process, "", "", {}


def entries_are_posted(case: Case) -> Iterator[str]:
    """To everybody's connections, but the one that gets the reply; in large groups another function does it."""
    for process, skip, kind, data in answered(case):
        for at, written in process.wrote:
            if written.table != "log" or written.old is not None or written.new is None:
                continue
            entry = entry_from(from_item(written.new))
            if user_of_log(entry.conversation_id) is not None:
                continue  # `own` judges these
            audience = _audience(case, entry)
            yield from _told(case, process, skip, entry, dict.fromkeys(audience, at))
        if kind == "message" and data.get("duplicate"):
            yield from _told_again(case, process, skip, data["conversation_id"], data["seq"])


def _audience(case: Case, entry: Entry) -> set[str]:
    told = case.told(entry.conversation_id)
    removed = set(entry.change.users) if isinstance(entry.change, Removed) else set()
    if entry.fan_out:
        return removed
    if private := private_members(entry.conversation_id):
        return set(private)
    return (told.before[entry.seq] if entry.is_message else told.after[entry.seq]) | removed


def _told_again(case: Case, process: Process, skip: str, name: str, seq: int) -> Iterator[str]:
    """A duplicate is delivered again, to those who are in now: the first attempt may have told nobody."""
    entry, sender = case.past.at(process.began).entry(name, seq), case.scenario.deployment.gateway.lines[skip].user_id
    moments = [case.past.at(when) for when in case.past.moments(process.began, process.ended)]
    if entry is not None and case.past.at(process.ended).row(f"held#{entry.nonce}", "held") is not None:
        return  # who approved it has told everybody
    if entry is None or entry.fan_out or entry.mentions or entry.reply_to or entry.forwarded or entry.file_id:
        return  # what can't be stored any more is answered, and told to nobody
    if any(now.entry(name, seq) != entry or entry.deleted_at for now in moments):
        return  # nor is what was deleted, whatever else had been said in it
    if private := private_members(name):
        other = next(user for user in private if user != sender)
        users = set() if any(now.blocks(other, sender) for now in moments) else set(private)
    else:
        users = set.intersection(*(set(now.roles(name)) for now in moments))
    if sender in users:
        yield from _told(case, process, skip, entry, dict.fromkeys(users, process.began))


def _told(case: Case, process: Process, skip: str, entry: Entry, since: Mapping[str, float]) -> Iterator[str]:
    """`since` is from when on each user was meant."""
    place = entry.conversation_id, entry.seq
    told = {
        line.connection_id
        for line, event in process.posted
        if (event.get("conversation_id"), event.get("seq")) == place and event["type"] not in _CURSORS
    }
    for user in sorted(since):
        for connection_id in sorted(connections_all_the_time(case, user, since[user], process.ended) - told - {skip}):
            yield f"{place} was acked at {process.ended:.0f}, and {connection_id} of {user} was not told"
    if skip in told:
        yield f"{skip} was told of its own {place}"


def connections_all_the_time(case: Case, user: str, start: float, end: float) -> set[str]:
    """Those that were registered all the time, with a token that lasts."""
    found: set[str] | None = None
    least = BASE_MS + end + case.skew + _MARGIN_MS
    for when in case.past.moments(start, end):
        session = session_from(case.past.at(when).session(user), user)
        here = {one.connection_id for one in session.connections if one.expires_at > least}
        found = here if found is None else found & here
    return found or set()


def receipts_are_posted(case: Case) -> Iterator[str]:
    """A cursor that moved is told to the user's other devices, and to members whom the user does not block.

    Where the write's answer was lost, the next attempt finds the cursor where it should be, as if another had moved it.
    """
    if Fault.LOST_AFTER in case.struck:
        return
    for process, skip, kind, at, written in _writes_of_cursors(case):
        if moved := _moved(written, kind):
            user, name, seq = moved
            told = {
                line.connection_id for line, event in process.posted if _receipt_of(event) == (kind, user, name, seq)
            }
            # Who is blocked was read before the cursor was moved.
            moments = [case.past.at(when) for when in case.past.moments(process.began, process.ended)]
            for meant in sorted(_readers(case, moments, user, name, seq)):
                for connection_id in sorted(connections_all_the_time(case, meant, at, process.ended) - told - {skip}):
                    yield f"{connection_id} of {meant} was not told that {user} has {name}/{seq} ({kind})"


def _writes_of_cursors(case: Case) -> Iterator[tuple[Process, str, str, float, Any]]:
    """What invocations that ended well have written for a frame that moves cursors, with the kind to look for.

    Of several cursors in one frame, those that it was content with: one that is refused may have moved, untold.
    """
    found = [(process, skip, kind, _refused(data)) for process, skip, kind, data in answered(case)]
    found += [
        (one.process, one.line.connection_id, str(one.frame["type"]), set())
        for one in case.scenario.deployment.gateway.exchanges
        if one.is_silent and one.process is not None
    ]
    for process, skip, frame_type, refused in found:
        # Over HTTP, and with a message, only one.
        kinds = {"": ("read",), "message": ("read",), "receipts": tuple(_CURSORS)}.get(frame_type, (frame_type,))
        for at, written in process.wrote:
            for kind in kinds:
                moved = _moved(written, kind) if kind in _CURSORS else None
                if moved is not None and (kind, moved[1]) not in refused:
                    yield process, skip, kind, at, written


def _refused(data: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Kinds and conversations of the cursors that a reply says were not moved."""
    return {
        (one["type"], one["conversation_id"])
        for one in data.get("refused", ())
        if isinstance(one, dict) and "conversation_id" in one
    }


def _moved(written: Any, kind: str) -> tuple[str, str, int] | None:
    """Whose cursor a write has moved, and to where."""
    if written.table != "members" or written.old is None or written.new is None:
        return None
    if not written.new["sk"]["S"].startswith("conversation#"):
        return None
    old, new = (item.get(_CURSORS[kind], {"N": "0"})["N"] for item in (written.old, written.new))
    if int(new) <= int(old):
        return None
    return written.new["user_id"]["S"], written.new["conversation_id"]["S"], int(new)


def _readers(case: Case, moments: list[Moment], user: str, name: str, seq: int) -> set[str]:
    """Who has to be told, whatever was read when."""
    entry = moments[-1].entry(name, seq)
    inside = set.intersection(*(set(private_members(name) or now.roles(name)) for now in moments))
    most = max(len(now.roles(name)) for now in moments)
    if entry is None or (is_group_id(name) and (entry.fan_out or most > case.scenario.plan.limits.receipts)):
        return {user}
    return {one for one in inside if one == user or not any(now.blocks(user, one) for now in moments)}


def receipts_are_meant(case: Case) -> Iterator[str]:
    """Neither outsiders and blocked users nor large groups are told, and only of a cursor that moved just now."""
    for post in case.scenario.deployment.gateway.posts:
        receipt = _receipt_of(post.event)
        if receipt is None:
            continue
        reader, (kind, user, name, seq) = post.line.user_id, receipt
        is_along = post.event["type"] not in _CURSORS  # with a message, which is sent again with what had moved before
        moments = [case.past.at(when) for when in case.past.moments(post.began, post.at)]
        moved = moments if is_along else moments[1:]
        if not any(_stands(now, user, name, _CURSORS[kind], seq, or_further=is_along) for now in moved):
            yield f"{reader} was told that {user} has {name}/{seq} ({kind}), which has not moved"
        if reader != user and not any(_may_know(case, now, reader, user, name) for now in moments):
            yield f"{reader} was told that {user} has {name}/{seq} ({kind})"


def _receipt_of(event: Mapping[str, Any]) -> tuple[str, str, str, int] | None:
    """The kind, the user, the conversation and the seq of what an event says about a cursor."""
    if event["type"] in _CURSORS:
        return event["type"], event["user_id"], event["conversation_id"], event["seq"]
    if "read" in event:
        return "read", event["message"]["sender_id"], event["conversation_id"], event["read"]
    return None


def _stands(now: Moment, user: str, name: str, field: str, seq: int, *, or_further: bool = False) -> bool:
    row = now.row(f"user#{user}", f"conversation#{name}") or {}
    stands = row.get(field, 0)
    return bool(stands >= seq if or_further else stands == seq)


def _may_know(case: Case, now: Moment, reader: str, user: str, name: str) -> bool:
    if now.blocks(user, reader):
        return False
    if not is_group_id(name):
        return reader in (private_members(name) or ())
    roles = now.roles(name)
    return reader in roles and len(roles) <= case.scenario.plan.limits.receipts


def typing_is_posted(case: Case) -> Iterator[str]:
    """To whoever was there, and is meant, all the time."""
    for process, skip, kind, data in answered(case):
        if kind != "typing":
            continue
        writer, name = case.scenario.deployment.gateway.lines[skip].user_id, data["conversation_id"]
        moments = [case.past.at(when) for when in case.past.moments(process.began, process.ended)]
        if is_group_id(name) and any(len(now.roles(name)) > case.scenario.plan.limits.receipts for now in moments):
            continue
        told = {line.connection_id for line, event in process.posted if event["type"] == "typing"}
        others = set(private_members(name) or moments[0].roles(name)) - {writer}
        for user in sorted(others):
            missing = connections_all_the_time(case, user, process.began, process.ended) - told
            if missing and all(may_be_typed_at(now, user, writer, name) for now in moments):
                yield f"{sorted(missing)} of {user} was not told that {writer} types in {name}"


RULES = (entries_are_posted, receipts_are_posted, receipts_are_meant, typing_is_posted)
