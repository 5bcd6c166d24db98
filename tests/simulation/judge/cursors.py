"""Read and delivered cursors: they only grow, and an acked one is stored."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.judge.case import Case

_CURSORS = ("read_seq", "delivered_seq")


def cursors_grow(case: Case) -> Iterator[str]:
    """While somebody is a member."""
    for _, (table, _, sk), old, new in case.past.changes:
        if table != "members" or not str(sk).startswith("conversation#") or old is None or new is None:
            continue
        if old.get("joined_seq", 0) != new.get("joined_seq", 0):
            continue
        for name in _CURSORS:
            if new.get(name, 0) < old.get(name, 0):
                yield f"{name} of {new['user_id']} in {new['conversation_id']} went from {old[name]} to {new.get(name)}"


def reads_are_stored(case: Case) -> Iterator[str]:
    """Once it is acked. Who was removed meanwhile has no cursor any more."""
    for one in case.operations("read"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        where, seq = one.detail["conversation_id"], one.detail["seq"]
        found = [moment.member(one.user, where) for moment in case.during(one)]
        if not any(member is None or member.read_seq >= seq for member in found):
            yield f"{one} is not stored: the cursor stood at {[member and member.read_seq for member in found]}"
        if any(member is None for member in found):
            continue
        if one.status and one.value not in {seq, *(member.read_seq for member in found if member)}:
            yield f"{one} says where no cursor stood"


RULES = (cursors_grow, reads_are_stored)
