"""What is unread, and what is in the inbox, told from the log alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.entries import Entry
from shared.domain.members import Member
from tests.simulation.judge.case import Case


@dataclass(frozen=True, slots=True)
class Counts:
    """One conversation as its member may have been shown it."""

    head: int
    read_seq: int
    joined_seq: int
    unread: int


def unread_of(member: Member, log: Sequence[Entry]) -> int:
    """Messages of others behind the read cursor and behind the member's own last one."""
    own = max((entry.seq for entry in log if entry.is_message and entry.sender_id == member.user_id), default=0)
    since = max(own, member.read_seq)
    return sum(entry.is_message and entry.sender_id != member.user_id and entry.seq > since for entry in log)


def is_hidden(member: Member, log: Sequence[Entry]) -> bool:
    """Hidden, and without a message since."""
    latest = max((entry.seq for entry in log if entry.is_message), default=0)
    return member.hidden_seq is not None and latest <= member.hidden_seq


def counts_between(case: Case, user: str, name: str, start: float, end: float) -> set[Counts]:
    """All that may be said of a conversation that was read in between: its member first, or its log."""
    moments = [case.past.at(when) for when in case.past.moments(start, end)]
    found = [_bare(moment.member(user, name)) for moment in moments]
    members = {(one.read_seq, one.joined_seq): one for one in found if one is not None}.values()
    logs = {len(log): log for log in (moment.log(name) for moment in moments)}
    # Who is displaced from the writers that an entry remembers has a note: read before it, their own may count once.
    is_displaced = case.scenario.plan.limits.tiny and len(logs) > 1
    return {
        Counts(head, member.read_seq, member.joined_seq, number)
        for member in members
        for head, log in logs.items()
        for number in (range(len(log) + 1) if is_displaced else (unread_of(member, log),))
    }


def _bare(member: Member | None) -> Member | None:
    """What counts depend on, so that there are few."""
    if member is None:
        return None
    return Member(member.conversation_id, member.user_id, 0, member.joined_seq, member.read_seq)


def badges_between(case: Case, user: str, start: float, end: float, now_ms: int) -> set[int]:
    """The sums that the icon may show: of what is in the inbox and not muted, each as it was at some moment."""
    moments = [case.past.at(when) for when in case.past.moments(start, end)]
    names = {member.conversation_id for moment in moments for member in moment.conversations(user)}
    sums = {0}
    for name in sorted(names):
        numbers = {one.unread for one in counts_between(case, user, name, start, end)}
        found = [moment.member(user, name) for moment in moments]
        left_out = [
            member is None or member.preferences.is_muted(now_ms) or is_hidden(member, moment.log(name))
            for member, moment in zip(found, moments, strict=True)
        ]
        if any(left_out):
            numbers = {0} if all(left_out) else numbers | {0}
        sums = {total + number for total in sums for number in numbers}
    return sums
