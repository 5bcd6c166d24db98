"""The judges: what must hold inside of the deployment, beyond what clients can see (`checker.py`).

Each rule gets a case and yields what it found, as sentences. None objects to what may be so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tests.simulation.judge import (
    acks,
    broadcasts,
    causes,
    close_events,
    connections,
    consent,
    crowds,
    cursors,
    effects,
    ended,
    entries,
    exchanges,
    files,
    forms,
    handshakes,
    hidden,
    inbox,
    keeping,
    kept_out,
    listings,
    live,
    newcomers,
    own,
    pages,
    posted,
    presence,
    pushes,
    refusals,
    removed,
    requests,
    resends,
    reviews,
    rounds,
    rows,
    stored,
    telling,
    weights,
    wordings,
)
from tests.simulation.judge.case import DELAYING, HARMLESS, Case

Rule = Callable[[Case], Iterator[str]]

_ROOMS: Final = (
    rows,
    weights,
    entries,
    cursors,
    stored,
    resends,
    refusals,
    effects,
    causes,
    listings,
    inbox,
    pages,
    own,
    rounds,
    forms,
    acks,
    posted,
    presence,
    files,
    telling,
    pushes,
    connections,
    handshakes,
    exchanges,
    close_events,
    kept_out,
    requests,
    consent,
    wordings,
    hidden,
    reviews,
    removed,
    newcomers,
    ended,
    keeping,
    broadcasts,
)
_ALWAYS: Final[Sequence[Rule]] = tuple(rule for room in _ROOMS for rule in room.RULES)
# Where whatever failed was done again; and where nothing failed.
_IN_THE_END: Final[Sequence[Rule]] = (*pushes.IN_THE_END, *telling.IN_THE_END, *files.IN_THE_END)
_AT_ONCE: Final[Sequence[Rule]] = (
    *live.AT_ONCE,
    *crowds.AT_ONCE,
    *presence.AT_ONCE,
    *connections.AT_ONCE,
    *telling.AT_ONCE,
    *broadcasts.AT_ONCE,
    *keeping.AT_ONCE,
)
# And where whatever failed was made good at once.
_WELL: Final[Sequence[Rule]] = (*close_events.AT_ONCE, *presence.WELL)


# They take a log for what everybody sees. Where that is not so, `hidden` judges instead.
_FOR_ALL_ALIKE: Final = frozenset(
    {
        *(rows.members_as_told, rows.messages_as_told, entries.entries_as_told),
        *(pages.pages_are_right, pages.messages_are_right, inbox.summaries_are_right),
        *(refusals.nothing_stood_in_the_way, stored.forwards_say_what_was_there),
        *(posted.entries_are_posted, posted.typing_is_posted, forms.events_are_as_stored),
        *(presence.typing_and_receipts_come_at_once, inbox.inboxes_are_complete),
    }
)
# They take a message for what its sender has written, which the team's hook may have made another of.
_AS_WRITTEN: Final = frozenset(
    {
        *(stored.acked_as_it_was_sent, posted.entries_are_posted, connections.nobody_gets_their_own),
        *crowds.AT_ONCE,  # nor may somebody wait until the hook has answered somebody else
    }
)

# They take what was stored once for what is there, and what is told late for what is told. Where messages end, `ended`
# judges instead.
_ENDLESS: Final = frozenset(
    {
        *(inbox.syncs_are_right, inbox.summaries_are_right, inbox.inboxes_are_complete, pages.pages_are_right),
        *(refusals.refusals_are_justified, refusals.nothing_stood_in_the_way, cursors.reads_are_stored),
        *(forms.synced_entries_are_as_stored, forms.events_are_as_stored, posted.entries_are_posted),
        *(rounds.rounds_bring_everything, pushes.badges_are_right, wordings.who_does_not_answer_is_woken),
    }
)


_WHERE_MESSAGES_END: Final = frozenset({*ended.RULES, *keeping.RULES, *keeping.AT_ONCE})


def _applies(rule: Rule, case: Case) -> bool:
    limits = case.scenario.plan.limits
    if limits.ends_messages:
        return rule in _WHERE_MESSAGES_END or rule not in _ENDLESS
    if rule in _WHERE_MESSAGES_END:
        return False
    if not limits.moderated:
        return rule is not reviews.words_are_kept_to  # nobody looks at them
    return not ((case.has_hidden and rule in _FOR_ALL_ALIKE) or (limits.hooked and rule in _AS_WRITTEN))


def inspect(case: Case) -> list[str]:
    """Everything that is wrong inside."""
    scenario = case.scenario
    found = [finding for rule in _ALWAYS if _applies(rule, case) for finding in rule(case)]
    if case.struck <= HARMLESS | DELAYING and not scenario.deployment.set_aside:
        found += [finding for rule in _IN_THE_END if _applies(rule, case) for finding in rule(case)]
    if case.went_well:
        found += [finding for rule in _WELL if _applies(rule, case) for finding in rule(case)]
    if case.struck <= HARMLESS:
        found += [finding for rule in _AT_ONCE if _applies(rule, case) for finding in rule(case)]
        found += [f"{what} was set aside" for what in scenario.deployment.set_aside]
    if not scenario.deployment.is_idle:
        found.append("the stream or a queue was not read to its end")
    return found
