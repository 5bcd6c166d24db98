"""Shadow bans: nobody but their sender has anything of hidden messages, and every log is gapless for everybody.

That the log is gapless, and that its sender sees what is hidden from all others, `checker.py` looks at.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from shared.domain.entries import Entry
from tests.simulation.functions import BASE_MS
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import inserted
from tests.simulation.judge.readers import given_to_users, saying
from tests.simulation.operations.moderating import MODERATORS

# An instance goes by what it knows for so long (`domain/shadows.py`), and an invocation that had read it may still put.
_KNOWN_MS = 3_000.0


def hidden_messages(case: Case) -> list[Entry]:
    """All that were ever stored, as their senders saw them first."""
    return [entry.seen_by(entry.sender_id) for _, entry in inserted(case.past) if entry.shadow is not None]


def nobody_else_sees_it(case: Case) -> Iterator[str]:
    """Of its words, and of its id, nothing is in anything that anybody else ever got."""
    hidden = hidden_messages(case)
    said = {entry.content: entry.sender_id for entry in hidden if entry.content and not entry.forwarded}
    said |= {entry.client_message_id: entry.sender_id for entry in hidden if entry.client_message_id}
    if not said:
        return
    words = saying(said)
    for user, way, at, given in given_to_users(case):
        if user in MODERATORS:
            continue
        for found in set(words.findall(given)):
            if said[found] != user and not _was_told_before(case, found):
                yield f"{user} got {found!r} of {said[found]} by {way} at {at:.0f}: {given[:300]}"


def _was_told_before(case: Case, text: str) -> bool:
    """The same words stand where they may be seen, too: what was sent again elsewhere, or by another under its id."""
    return any(
        text in (entry.content, entry.client_message_id) for _, entry in inserted(case.past) if entry.shadow is None
    )


def nobody_else_counts_it(case: Case) -> Iterator[str]:
    """It is the last message of no inbox but its sender's, and in nobody's number of what is unread."""
    places = {(entry.conversation_id, entry.seq): entry.sender_id for entry in hidden_messages(case)}
    for one in case.operations("inbox", "summary"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        for summary in one.value["conversations"] if one.kind == "inbox" else [one.value]:
            last = summary["last_message"]
            if last is not None and places.get((summary["id"], last["seq"]), one.user) != one.user:
                yield f"{one} shows a hidden message as the last one: {last}"
            behind = range(summary["read_seq"] + 1, summary["head"] + 1)
            most = len([seq for seq in behind if places.get((summary["id"], seq), one.user) == one.user])
            if summary["unread"] > most:
                yield f"{one} counts {summary['unread']} as unread in {summary['id']}, of {most}"


def what_banned_users_write_is_hidden(case: Case) -> Iterator[str]:
    """From when a ban was answered until somebody asks to lift it; and of nobody whom nobody has banned."""
    asked = list(case.operations("shadow_ban", "lift_shadow_ban"))
    for at, entry in inserted(case.past):
        if not (entry.is_message or entry.shadow is not None):
            continue
        of_theirs = [one for one in asked if one.detail["member"] == entry.sender_id and one.outcome != "fail"]
        began = case.began.get((entry.conversation_id, entry.seq), at) - case.skew
        if entry.shadow is None and any(_holds(one, of_theirs, began, at) for one in of_theirs):
            yield f"{entry.message_id} of {entry.sender_id}, who is shadow-banned, was stored for everybody at {at:.0f}"
        if entry.shadow is not None and not any(one.kind == "shadow_ban" and one.began <= at for one in of_theirs):
            yield f"{entry.message_id} is hidden, and nobody has shadow-banned {entry.sender_id}"


def _holds(ban: Operation, asked: list[Operation], start: float, end: float) -> bool:
    """Surely, all the time from one moment to the other."""
    if ban.kind != "shadow_ban" or ban.outcome != "ok" or ban.ended is None or not ban.ended < start:
        return False
    lifts = [one for one in asked if one.kind == "lift_shadow_ban" and not (one.ended or inf) < ban.began]
    return all(one.began > end for one in lifts)


def answers_come_when_everybody_knows(case: Case) -> Iterator[str]:
    for one in case.operations("shadow_ban"):
        case.looked_at(one)
        if one.outcome != "ok" or one.ended is None:
            continue
        if one.ended < one.began + _KNOWN_MS - case.skew:
            yield f"{one} was answered before every function knew"
        if one.value["at"] > BASE_MS + one.ended + case.skew:
            yield f"{one} begins later than it was answered"
    for one in case.operations("lift_shadow_ban", "report", "export", "exported"):
        case.looked_at(one)


def nothing_is_reported_that_is_hidden(case: Case) -> Iterator[str]:
    places = {(entry.conversation_id, entry.seq): entry.sender_id for entry in hidden_messages(case)}
    for one in case.operations("report"):
        sender = places.get((one.detail["conversation_id"], one.detail["seq"]))
        if one.outcome == "ok" and sender not in {None, one.user}:
            yield f"{one} is about a hidden message"


RULES = (
    nobody_else_sees_it,
    nobody_else_counts_it,
    what_banned_users_write_is_hidden,
    answers_come_when_everybody_knows,
    nothing_is_reported_that_is_hidden,
)
