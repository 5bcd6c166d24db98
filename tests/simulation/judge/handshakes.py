"""Who is let in, and for how long: by a good token or by a fresh ticket's first use, and by nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from tests.simulation.faults import Fault
from tests.simulation.functions import BASE_MS
from tests.simulation.gateway import Handshake, Line
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.strangers import ALLOWED_ORIGIN
from tests.simulation.tokens import read

# With these a ticket may be used up by a handshake that was not answered.
_USING_UP: Final = frozenset({Fault.LOST_AFTER, Fault.KILLED, Fault.SLOW, Fault.LOST_BEFORE})


def handshakes_are_right(case: Case) -> Iterator[str]:
    tickets = {one.value["ticket"]: one for one in case.operations("ticket") if one.outcome == "ok"}
    shown = [(line, line.handshake) for line in case.scenario.deployment.gateway.lines.values() if line.handshake]
    for line, how in shown:
        if how.allowed:
            yield from _allowed(case, line, how, tickets)
        elif how.allowed is False and not _may_be_refused(case, how, tickets, [other for _, other in shown]):
            yield f"{line.user_id} was refused at {how.began:.0f} with {_what(how)}"
    used = Counter(how.ticket for _, how in shown if how.allowed and not how.token)
    yield from (f"the ticket {ticket} was used {times} times" for ticket, times in used.items() if times > 1)


def _what(how: Handshake) -> str:
    return f"{read(how.token) if how.token else how.ticket}"


def _allowed(case: Case, line: Line, how: Handshake, tickets: Mapping[str, Operation]) -> Iterator[str]:
    """What later events of the connection go by is what the token says; a ticket stands for a token."""
    if how.token:
        claim = read(how.token)
        user, until, is_good = claim.user_id, claim.ends, claim.is_genuine and claim.ends > how.clock
    elif how.ticket and how.ticket in tickets:
        asked = tickets[how.ticket]
        latest = BASE_MS + (asked.ended or 0.0) + case.scenario.plan.limits.ticket_s * 1_000 + case.skew
        user, until = asked.user, asked.token_ends
        is_good = how.clock <= latest and until > how.clock and how.origin in {None, ALLOWED_ORIGIN}
    else:
        user, until, is_good = "", 0, False
    if not is_good:
        yield f"{line.user_id} was let in at {how.began:.0f} with {_what(how)}, origin {how.origin}"
    elif (line.context["user_id"], line.context["expires_at"]) != (user, str(until)):
        yield f"{line.connection_id} is {line.context}, by a token of {user} until {until}"


def _may_be_refused(case: Case, how: Handshake, tickets: Mapping[str, Operation], others: list[Handshake]) -> bool:
    if how.token:
        claim = read(how.token)
        return not claim.is_genuine or claim.ends <= how.clock
    asked = tickets.get(how.ticket or "")
    if asked is None or how.origin not in {None, ALLOWED_ORIGIN} or case.struck & _USING_UP:
        return True
    earliest = BASE_MS + asked.began + case.scenario.plan.limits.ticket_s * 1_000 - case.skew
    is_old = how.clock + case.skew >= min(earliest, asked.token_ends)
    return is_old or any(
        other is not how and other.ticket == how.ticket and other.began <= how.ended for other in others
    )


def requests_need_a_good_token(case: Case) -> Iterator[str]:
    """Over HTTP, of those who show another one than a client would."""
    for one in case.operations():
        if "bearer_said" not in one.detail or (not one.code and one.outcome != "ok"):
            continue
        case.looked_at(one)
        claim = read(one.detail["bearer_said"]) if one.detail["bearer_said"] else None
        is_genuine = claim is not None and claim.is_genuine
        begins, ends = BASE_MS + one.began - case.skew, BASE_MS + (one.ended or one.began) + case.skew
        possible = set()
        if claim is None or not is_genuine:
            possible = {"unauthenticated"}
        else:
            possible |= {"ok"} if claim.ends > begins else set()
            possible |= {"token_expired"} if claim.ends <= ends else set()
        if (one.code or "ok") not in possible | {"unavailable"}:
            yield f"{one} should have been {possible}"


RULES = (handshakes_are_right, requests_need_a_good_token)
