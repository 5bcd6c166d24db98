"""Messages are stored as they were sent, every field of them, by who might send them at that moment."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from shared.domain.changes import Added
from shared.domain.entries import Entry
from shared.domain.text import private_members
from tests.simulation.faults import Fault
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import Moment, inserted, other_of

_SENDING: Final = ("send", "otherwise", "claim")


def acked_as_it_was_sent(case: Case) -> Iterator[str]:
    """Who is told that their message is stored finds it with each of its fields, at its first place."""
    stored = {(entry.conversation_id, entry.seq): entry for _, entry in inserted(case.past)}
    for one in case.operations(*_SENDING):
        entry = stored.get((one.detail["conversation_id"], one.value)) if one.outcome == "ok" else None
        if entry is None:
            continue
        case.looked_at(one)
        if (entry.sender_id, entry.client_message_id) != (one.user, one.detail["client_message_id"]):
            yield f"{one} is {entry.sender_id}'s {entry.client_message_id}"
        if any(_is_deleted(now.entry(entry.conversation_id, entry.seq)) for now in case.during(one)):
            continue  # what it said is gone, and its id alone tells a resend
        for name, said, kept in _fields(one, entry):
            if said != kept:
                yield f"{one} is stored with {name} {kept!r}, and said {said!r}"


def _is_deleted(entry: Entry | None) -> bool:
    return entry is not None and entry.deleted_at is not None


def _fields(one: Operation, entry: Entry) -> Iterator[tuple[str, object, object]]:
    yield "reply_to", one.detail.get("reply_to"), entry.reply_to
    yield "mentions", tuple(dict.fromkeys(one.detail.get("mentions") or ())), entry.mentions
    yield "data", one.detail.get("data"), json.loads(entry.data or "null")
    yield "forwarded", one.detail.get("forward_of") is not None, entry.forwarded
    if one.detail.get("forward_of") is None:
        yield "content", one.detail["content"] or "", entry.content or ""
        yield "file_id", one.detail.get("file_id"), entry.file_id
        yield "attachments", one.detail.get("attachments"), json.loads(entry.attachments or "null")
        yield "message_type", one.detail.get("message_type", "text"), entry.message_type


def forwards_say_what_was_there(case: Case) -> Iterator[str]:
    """A forwarded message says what its original said at some moment of one of its attempts."""
    stored = {(entry.conversation_id, entry.seq): entry for _, entry in inserted(case.past)}
    attempts = defaultdict[tuple[str, str], list[Operation]](list)
    for one in case.operations("send"):
        attempts[one.user, one.detail["client_message_id"]].append(one)
    for one in case.operations("send"):
        source = one.detail.get("forward_of")
        if source is None or one.outcome != "ok":
            continue
        entry = stored.get((one.detail["conversation_id"], one.value))
        if entry is None:
            continue
        case.looked_at(one)
        tries = attempts[one.user, one.detail["client_message_id"]]
        moments = [now for each in tries for now in case.during(each) if now.member(one.user, source[0]) is not None]
        originals = [original for now in moments if (original := now.entry(*source)) is not None]
        said = {
            (original.content, original.file_id, original.attachments) for original in originals if original.is_readable
        }
        if (entry.content, entry.file_id, entry.attachments) not in said:
            yield f"{one} says {entry.content!r}, and its original said {said}"


def nobody_is_written_to_who_blocks(case: Case) -> Iterator[str]:
    """At no moment since the first attempt was it allowed. A stale read may be from before the block."""
    attempts: dict[tuple[str, str], float] = defaultdict(lambda: float("inf"))
    for one in case.operations(*_SENDING):
        key = one.user, one.detail["client_message_id"]
        attempts[key] = min(attempts[key], one.began)
    for one in case.operations("post"):
        attempts[one.user, one.detail["content"]] = one.began
    for at, entry in inserted(case.past):
        other = other_of(entry.conversation_id, entry.sender_id)
        began = attempts.get((entry.sender_id, entry.client_message_id or entry.content or ""))
        if other is None or not entry.is_message or began is None or Fault.STALE in case.struck:
            continue
        if all(_blocks(case.past.at(when), other, entry.sender_id) for when in case.past.moments(began, at)):
            yield f"{entry.message_id} of {entry.sender_id} was stored, whom {other} blocks"


def _blocks(now: Moment, user: str, other: str) -> bool:
    return now.blocks(user, other)


def nobody_is_added_who_objects(case: Case) -> Iterator[str]:
    """To a group, by whom they block, or as somebody who is to be added by contacts alone."""
    for at, entry in inserted(case.past):
        users = entry.change.users if isinstance(entry.change, Added) else ()
        asked = [one.began for one in case.operations("add", "make_group") if one.user == entry.sender_id]
        moments = [case.past.at(when) for when in case.past.moments(min(asked, default=at), at)]
        for user in users:
            if user != entry.sender_id and not any(now.may_be_added(user, entry.sender_id) for now in moments):
                yield f"{entry.conversation_id}/{entry.seq} of {entry.sender_id} adds {user}, who does not want that"


def only_members_are_mentioned(case: Case) -> Iterator[str]:
    """As the log has them right before the message."""
    for _, entry in inserted(case.past):
        inside = private_members(entry.conversation_id) or case.told(entry.conversation_id).before[entry.seq]
        if not set(entry.mentions) <= set(inside):
            yield f"{entry.message_id} mentions {entry.mentions}, and there are {sorted(inside)}"


def new_is_said_of_what_is_new(case: Case) -> Iterator[str]:
    """Over HTTP: 201 for what this very request has stored, which is so once."""
    stored = {(entry.conversation_id, entry.seq): at for at, entry in inserted(case.past)}
    for one in case.operations("send", "otherwise", "post"):
        at = stored.get((one.detail["conversation_id"], one.value)) if one.outcome == "ok" else None
        if at is None or not one.status:
            continue
        is_within = one.began <= at <= (one.ended or at)
        if (one.status == HTTPStatus.CREATED and not is_within) or (
            one.kind == "post" and one.status != HTTPStatus.CREATED
        ):
            yield f"{one} was answered with {one.status}, and stored at {at:.0f}"


def changes_are_made_by_who_may(case: Case) -> Iterator[str]:
    """An edit is the author's; a delete the author's or a moderator's, as the log tells who that is."""
    for name, log in case.logs.items():
        for entry in log:
            target = getattr(entry.change, "target", None)
            if target is None:
                continue
            message = log[target - 1] if 1 <= target <= len(log) else None
            if message is None or not message.is_message or message.seq >= entry.seq:
                yield f"{name}/{entry.seq} changes {target}, which is no message before it"
            elif entry.kind == "message_edited" and message.sender_id != entry.sender_id:
                yield f"{name}/{entry.seq} of {entry.sender_id} edits {message.sender_id}'s"


RULES = (
    acked_as_it_was_sent,
    forwards_say_what_was_there,
    nobody_is_written_to_who_blocks,
    nobody_is_added_who_objects,
    only_members_are_mentioned,
    new_is_said_of_what_is_new,
    changes_are_made_by_who_may,
)
