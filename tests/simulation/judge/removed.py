"""All that a user has written is taken away once somebody who moderates has asked for it, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domain.changes import Deleted
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import inserted
from tests.simulation.operations.moderating import MODERATORS

_LATE_MS = 500.0


def what_was_written_is_gone(case: Case) -> Iterator[str]:
    """Once it is said to be done: of what was stored before it was asked for nothing is left to read."""
    first = [entry for log in case.first_log for entry in log]
    for one in case.operations("removal"):
        case.looked_at(one)
        if one.outcome != "ok" or one.value["status"] != "done":
            continue
        begun = [other for other in case.operations("remove_all") if other.detail["member"] == one.detail["member"]]
        asked = [other for other in begun if other.outcome != "fail" and other.began < one.began]
        before = [entry for at, entry in inserted(case.past) if at < min(each.began for each in asked)]
        now = case.past.at(one.ended or one.began)
        for entry in (*first, *before):
            stored = now.entry(entry.conversation_id, entry.seq)
            if entry.sender_id == one.detail["member"] and entry.change is None and stored is not None:
                seen = stored.seen_by(stored.sender_id)
                if seen.deleted_at is None or seen.content:
                    yield f"{one}: {entry.message_id} says {seen.content!r}"


def nothing_else_is_taken_away(case: Case) -> Iterator[str]:
    """Deletions by who moderates are of messages of those whom somebody has asked for; nobody else asks for that."""
    for one in case.operations("remove_all"):
        case.looked_at(one)
        if one.outcome == "ok" and one.user not in MODERATORS:
            yield f"{one} was let through, and is for those who moderate"
    meant = {one.detail["member"] for one in case.operations("remove_all") if one.outcome != "fail"}
    for name, log in case.logs.items():
        targets: list[int] = []
        for entry in log:
            if not isinstance(entry.change, Deleted) or entry.sender_id not in MODERATORS:
                continue
            message = log[entry.change.target - 1]
            if message.sender_id not in meant:
                yield f"{name}/{entry.seq} deletes a message of {message.sender_id}"
            targets.append(entry.change.target)
        if len(targets) != len(set(targets)):
            yield f"{name}: the same message was taken away twice: {targets}"


RULES = (what_was_written_is_gone, nothing_else_is_taken_away)
