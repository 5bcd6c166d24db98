"""A message that is sent again is answered as the first time, whatever has become of its sender's rights since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from shared.domain.entries import Entry
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import inserted
from tests.simulation.judge.refusals import said_of

# No log here gets as long as an append looks at.
_OF_MEMBERS = 1_000


def stored_ones_are_recognised(case: Case) -> Iterator[str]:
    """A resend of what had been stored before it began is not refused, as far behind `after` as is promised."""
    stored = _stored(case)
    firsts: dict[tuple[str, str], set[tuple[object, ...]]] = defaultdict(set)
    for one in case.operations("send", "otherwise"):
        firsts[one.user, one.detail["client_message_id"]].add(said_of(one))
    for one in case.operations("send"):
        key = one.user, one.detail["client_message_id"]
        if one.outcome != "fail" or key not in stored or len(firsts[key]) > 1:
            continue
        case.looked_at(one)
        at, entry = stored[key]
        if at < one.began and entry.conversation_id == one.detail["conversation_id"] and _is_near(case, one, entry):
            yield f"{one} was refused, and had been stored as {entry.message_id} at {at:.0f}"


def what_is_said_is_kept(case: Case) -> Iterator[str]:
    """Another message under an id that has one is not acked: every field counts, until that one is deleted."""
    stored = _stored(case)
    first: dict[tuple[str, str], tuple[object, ...]] = {}
    for one in case.operations("send"):
        first.setdefault((one.user, one.detail["client_message_id"]), said_of(one))
    for one in case.operations("otherwise"):
        key = one.user, one.detail["client_message_id"]
        if one.outcome != "ok" or key not in stored or key not in first:
            continue
        at, entry = stored[key]
        left = case.past.at(one.ended or one.began).entry(entry.conversation_id, entry.seq)
        if left is None or not left.is_readable:
            continue  # its words are gone, and its id is all that tells
        content, reply_to, _, _, mentions, _ = first[key]
        is_first = (entry.content, entry.reply_to, entry.mentions) == (content, reply_to, mentions)
        if at < one.began and first[key] != said_of(one) and is_first:
            yield f"{one} was acked as {entry.message_id}, which says {first[key]}"


def _stored(case: Case) -> dict[tuple[str, str], tuple[float, Entry]]:
    return {
        (entry.sender_id, entry.client_message_id): (at, entry)
        for at, entry in inserted(case.past)
        if entry.client_message_id is not None
    }


def _is_near(case: Case, one: Operation, entry: Entry) -> bool:
    after = one.detail.get("after")
    if after is None:
        return True  # its note tells
    most = case.scenario.plan.limits.for_outsiders if one.code == "not_a_member" else _OF_MEMBERS
    return 0 < entry.seq - int(after) <= most


RULES = (stored_ones_are_recognised, what_is_said_is_kept)
