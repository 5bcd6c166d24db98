"""Messages that are held, refused and decided about: nobody sees one before it is approved, and it is decided once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

from shared.adapters.dynamodb.client import Item
from shared.domain.entries import Entry
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import inserted
from tests.simulation.judge.readers import given_to_users, saying
from tests.simulation.judge.refusals import said_of
from tests.simulation.operations.moderating import MODERATORS
from tests.simulation.screens import BLOCKED_WORD, HELD_WORD

_SENDING = ("send", "post", "otherwise", "claim")


def _held(case: Case) -> Mapping[str, list[tuple[float, Item]]]:
    """Every message that was held, by its id: what its row was, from when on."""
    found: dict[str, list[tuple[float, Item]]] = defaultdict(list)
    for at, (table, pk, sk), _, new in case.past.changes:
        if table == "members" and sk == "held" and pk.startswith("held#") and new is not None:
            found[pk.removeprefix("held#")].append((at, new))
    return found


def _stored(case: Case) -> Mapping[str, list[tuple[float, Entry]]]:
    """The entries that were put as what a held message is, which is by its id."""
    found: dict[str, list[tuple[float, Entry]]] = defaultdict(list)
    for at, entry in inserted(case.past):
        found[entry.nonce].append((at, entry))
    return found


def nobody_sees_what_waits(case: Case) -> Iterator[str]:
    """No words of a held message come to anybody but those who moderate, before somebody asks to approve it."""
    waiting = {}
    for held_id, rows in _held(case).items():
        asked = [one.began for one in _decisions(case, held_id) if one.detail["decision"] == "approve"]
        waiting[rows[0][1]["draft"]] = min(asked, default=inf)
    own = {draft: since for draft, since in waiting.items() if HELD_WORD in draft and '"forward_of"' not in draft}
    texts = {_text_of(draft): since for draft, since in own.items()}
    if not texts:
        return
    words = saying(texts)
    for user, way, at, given in given_to_users(case):
        for found in set(words.findall(given)):
            if user not in MODERATORS and at < texts[found]:
                yield f"{user} got {found!r}, which waits, by {way} at {at:.0f}: {given[:300]}"


def _text_of(draft: str) -> str:
    start = draft.index('"text ') + 1 if '"text ' in draft else draft.index("text ")
    return draft[start : draft.index(HELD_WORD)].strip()


def _decisions(case: Case, held_id: str) -> list[Operation]:
    return [one for one in case.operations("decide_held") if one.detail["held_id"] == held_id]


def decided_once(case: Case) -> Iterator[str]:
    """Whoever decides, and however often: one decision stands, and is what everybody is told."""
    held, stored = _held(case), _stored(case)
    for one in case.operations("decide_held", "list_held"):
        case.looked_at(one)
        if one.user not in MODERATORS and one.outcome == "ok":
            yield f"{one} was let through, and is for those who moderate"
    for held_id, rows in held.items():
        decisions = {row["review"]["decision"] for _, row in rows if row.get("review")}
        if len(decisions) > 1:
            yield f"{held_id} was decided as {decisions}"
        told = {one.detail["decision"] for one in _decisions(case, held_id) if one.outcome == "ok"}
        if not told <= decisions:
            yield f"{held_id} was answered as {told}, and is {decisions}"
        puts = stored.get(held_id, [])
        if len(puts) > 1:
            yield f"{held_id} stands at {[entry.message_id for _, entry in puts]}"
        if puts and decisions != {"approve"}:
            yield f"{held_id} stands at {puts[0][1].message_id}, and is {decisions or 'not decided'}"
        yield from _carried_out(case, held_id, rows[-1][1])


def _carried_out(case: Case, held_id: str, row: Item) -> Iterator[str]:
    """What was answered was done: an approved message has a place, of a rejected one its sender was told."""
    for one in _decisions(case, held_id):
        if one.outcome != "ok":
            continue
        if one.detail["decision"] == "approve":
            entry = case.past.at(one.ended or inf).entry(row["conversation_id"], row.get("seq") or 0)
            if entry is None or entry.sender_id != row["sender_id"]:
                yield f"{one} was approved, and stands at {row.get('seq')}"
        elif not any(sk == f"notice#held-{held_id}" for _, (_, _, sk), _, _ in case.past.changes):
            yield f"{one} was rejected, and its sender was not told"


def words_are_kept_to(case: Case) -> Iterator[str]:
    """Nothing with a blocked word is stored; and nothing with a held one that nobody has approved."""
    for _, entry in inserted(case.past):
        content = entry.seen_by(entry.sender_id).content or ""
        if BLOCKED_WORD in content:
            yield f"{entry.message_id} says {content!r}"
        if HELD_WORD in content and not entry.forwarded and entry.nonce not in _held(case):
            yield f"{entry.message_id} says {content!r}, and nobody has approved it"


def verdicts_are_fixed(case: Case) -> Iterator[str]:
    """Of one message all attempts hear the same: it is rejected for all of them, or for none."""
    heard: dict[tuple[Any, ...], list[Operation]] = defaultdict(list)
    for one in case.operations(*_SENDING):
        if one.detail.get("client_message_id") is not None:
            where = one.detail.get("conversation_id")
            heard[one.user, where, one.detail["client_message_id"], said_of(one)].append(one)
    for attempts in heard.values():
        yield from _agree(attempts)


def _agree(attempts: Sequence[Operation]) -> Iterator[str]:
    rejected = [one for one in attempts if one.code == "rejected"]
    taken = [one for one in attempts if one.outcome == "ok"]
    if rejected and taken:
        yield f"{rejected[0]}, and {taken[0]}"


RULES = (nobody_sees_what_waits, decided_once, words_are_kept_to, verdicts_are_fixed)
