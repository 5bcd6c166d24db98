"""The inbox, one conversation of it, and sync: everybody sees the same counts, and nothing is left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.counts import Counts, counts_between, is_hidden
from tests.simulation.judge.forms import message_form
from tests.simulation.judge.past import Moment

_PREFERENCES: Final = ("muted_until", "notify", "pinned", "archived")


def summaries_are_right(case: Case) -> Iterator[str]:
    """What the inbox or a single conversation shows was so."""
    for one in case.operations("inbox", "summary"):
        if one.outcome != "ok":
            continue
        case.looked_at(one)
        for shown in one.value["conversations"] if one.kind == "inbox" else [one.value]:
            yield from (f"{one}: {finding}" for finding in _summary(case, one, shown))


def _summary(case: Case, one: Operation, shown: Mapping[str, Any]) -> Iterator[str]:
    name = shown["id"]
    said = Counts(shown["head"], shown["read_seq"], shown["joined_seq"], shown["unread"])
    possible = counts_between(case, one.user, name, one.began, one.ended or one.began)
    if said not in possible:
        yield f"{name} is shown as {said}, and was {possible}"
    preferences = tuple(shown[field] for field in _PREFERENCES)
    found = [moment.member(one.user, name) for moment in case.during(one)]
    kept = {tuple(getattr(member.preferences, field) for field in _PREFERENCES) for member in found if member}
    if preferences not in kept:
        yield f"{name} is shown as wanted {preferences}, and was {kept}"
    if one.kind == "inbox" and all(_is_out_of_it(moment, one.user, name) for moment in case.during(one)):
        yield f"{name} is shown, and was hidden"
    yield from _last_message(case, one, shown)
    roles = [moment.roles(name) for moment in case.during(one)]
    if shown["member_count"] not in ({2} if shown["type"] == "private" else {len(inside) for inside in roles}):
        yield f"{name} is shown with {shown['member_count']} members"
    if one.kind == "summary" and shown["type"] == "group" and shown["role"] not in {r.get(one.user) for r in roles}:
        yield f"{name} is shown with the role {shown['role']}"


def _last_message(case: Case, one: Operation, shown: Mapping[str, Any]) -> Iterator[str]:
    """The latest one up to the head, as it was at some moment."""
    last, forms, latest = shown["last_message"], [], 0
    for moment in case.during(one):
        messages = [entry for entry in moment.log(shown["id"]) if entry.is_message and entry.seq <= shown["head"]]
        if messages:
            latest = messages[-1].seq
            forms.append(message_form(messages[-1]))
    if (last or {}).get("seq", 0) != latest:
        yield f"{shown['id']} is shown with the last message {last}, which was {latest}"
    elif last is not None and last not in forms:
        yield f"{shown['id']} is shown to end with {last}, and ended with {forms}"


def _is_out_of_it(moment: Moment, user: str, name: str) -> bool:
    member = moment.member(user, name)
    return member is None or is_hidden(member, moment.log(name))


def inboxes_are_complete(case: Case) -> Iterator[str]:
    """From page to page each conversation that was there all the time, and did not move, comes once."""
    pages = list(case.operations("inbox"))
    for first in pages:
        chain = _chain(first, pages)
        if first.detail["cursor"] is not None or not chain:
            continue
        shown = [one["id"] for page in chain for one in page.value["conversations"]]
        start, end = first.began, chain[-1].ended or first.began
        moments = [case.past.at(when) for when in case.past.moments(start, end)]
        for member in moments[0].conversations(first.user):
            name = member.conversation_id
            is_there = not any(_is_out_of_it(moment, first.user, name) for moment in moments)
            has_moved = len({len(moment.log(name)) for moment in moments}) > 1
            if is_there and not has_moved and shown.count(name) != 1:
                yield f"{first} shows {name} {shown.count(name)} times in {shown}"
        limit = min(first.detail["limit"], case.scenario.plan.limits.page)
        if any(len(page.value["conversations"]) > limit for page in chain):
            yield f"{first} has more than {limit} on a page"
        if len(moments) == 1 and shown != [name for _, name in _ordered(moments[0], first.user)]:
            yield f"{first} shows {shown}, in the wrong order"


def _ordered(moment: Moment, user: str) -> list[tuple[int, str]]:
    """Those first in which something happened last."""
    found = []
    for member in moment.conversations(user):
        log = moment.log(member.conversation_id)
        if not is_hidden(member, log):
            found.append((log[-1].created_at if log else member.joined_at, member.conversation_id))
    return sorted(found, reverse=True)


def _chain(first: Operation, pages: list[Operation]) -> list[Operation]:
    """All pages from the first to the last; none where one of them was not answered."""
    chain = [first]
    while chain[-1].outcome == "ok":
        cursor = chain[-1].value["next_cursor"]
        if cursor is None:
            return chain
        following = [
            one
            for one in pages
            if one.client == first.client
            and one.detail["cursor"] == cursor
            and one.began >= (chain[-1].ended or 0.0)
            and one.detail["limit"] == first.detail["limit"]
        ]
        if not following:
            return []
        chain.append(following[0])
    return []


def syncs_are_right(case: Case) -> Iterator[str]:
    """Each reply's counts were so, its entries follow what was held, and `has_more` says whether there are more."""
    for client in case.scenario.clients:
        for synced in client.synced:
            for shown in synced.data["conversations"]:
                name, held = shown["id"], synced.held.get(shown["id"])
                said = Counts(shown["head"], shown["read_seq"], shown["joined_seq"], shown["unread"])
                possible = counts_between(case, client.user, name, synced.asked, synced.answered)
                if said not in possible and not _is_from_before(said, possible):
                    yield f"{client.name} synced {name} as {said}, which was {possible}"
                seqs = [entry["seq"] for entry in shown["entries"]]
                begins = max((held or 0) + 1, shown.get("visible_from", 0))
                if seqs != list(range(begins, begins + len(seqs))):
                    yield f"{client.name} held {held} of {name}, and got {seqs}"
                if held is not None and shown["has_more"] != (max([held, *seqs]) < shown["head"]):
                    yield f"{client.name} got {seqs} of {name} up to {shown['head']}, more: {shown['has_more']}"
                if len(seqs) > case.scenario.plan.limits.page:
                    yield f"{client.name} got {len(seqs)} entries of {name} at once"
            yield from _refused(case, client.user, synced)
            yield from _complete(case, client.user, synced)


def _is_from_before(said: Counts, possible: set[Counts]) -> bool:
    """A head that was read right before more came: with the entries of that read."""
    return not possible


def _refused(case: Case, user: str, synced: Any) -> Iterator[str]:
    for name in synced.data.get("refused", ()):
        moments = case.past.moments(synced.asked, synced.answered)
        if all(case.past.at(when).member(user, name) is not None for when in moments):
            yield f"{user} was refused {name}, and is in it"


def _complete(case: Case, user: str, synced: Any) -> Iterator[str]:
    """Every conversation that was there all the time is among them, where nothing was left out."""
    if synced.goes_on or synced.data["has_more"]:
        return
    shown = {one["id"] for one in synced.data["conversations"]}
    moments = [case.past.at(when) for when in case.past.moments(synced.asked, synced.answered)]
    for member in moments[0].conversations(user):
        name = member.conversation_id
        if name not in shown and not any(_is_out_of_it(moment, user, name) for moment in moments):
            yield f"{user} synced without {name}"


RULES = (summaries_are_right, inboxes_are_complete, syncs_are_right)
