"""Ways into groups, and pins: a link lets in as many as it says, who comes later sees what is theirs to see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus

from tests.simulation.judge.case import Case
from tests.simulation.judge.past import inserted
from tests.simulation.judge.readers import given_to_users, saying
from tests.simulation.limits import PINS
from tests.simulation.places import GROUP

_SEEN_BY_ALL = frozenset({"alice", "bob", "carol"})  # who are in the group from its start


def links_let_in_as_many_as_they_say(case: Case) -> Iterator[str]:
    """By what is stored, and by what who came was told."""
    for at, (table, pk, sk), _, new in case.past.changes:
        link = new if table == "members" and sk == "invite" and pk.startswith("invite#") else None
        if link is not None and link.get("max_uses") is not None and link.get("uses", 0) > link["max_uses"]:
            yield f"{pk} has let in {link['uses']} of {link['max_uses']} at {at:.0f}"
    came = Counter(one.detail["token"] for one in case.operations("come_by_link") if one.status == HTTPStatus.CREATED)
    most = {one.value["token"]: one.detail["most"] for one in case.operations("make_link") if one.outcome == "ok"}
    for token, times in came.items():
        if times > most[token]:
            yield f"{times} have come by a link for {most[token]}"
    for one in case.operations(
        "make_link", "come_by_link", "come_in", "let_in", "list_requests", "govern", "look_around"
    ):
        case.looked_at(one)


def newcomers_see_nothing_from_before(case: Case) -> Iterator[str]:
    """Who came for the first time when the group hid its past got no words of before, by any way."""
    written = [(entry.seq, entry.content) for _, entry in inserted(case.past) if entry.conversation_id == GROUP]
    begins: dict[str, int] = {}
    for _, (table, pk, sk), old, new in case.past.changes:
        is_theirs = table == "members" and sk == f"conversation#{GROUP}" and old is None and new is not None
        user = pk.removeprefix("user#")
        if is_theirs and user not in begins and user not in _SEEN_BY_ALL:
            begins[user] = new.get("visible_from", 0) if new is not None else 0
    for user, first in begins.items():
        before = [text for seq, text in written if seq < first and text]
        elsewhere = {entry.content for _, entry in inserted(case.past) if entry.conversation_id != GROUP}
        after = {text for seq, text in written if seq >= first}
        secret = [text for text in before if text not in after | elsewhere]
        words = saying(secret) if secret else None
        for reader, way, at, given in given_to_users(case) if words else ():
            if reader == user and words is not None and words.search(given):
                yield f"{user}, who came at {first}, got by {way} at {at:.0f}: {given[:300]}"


def pins_are_few_and_as_they_are_listed(case: Case) -> Iterator[str]:
    for name in case.logs:
        prefix = f"pins#{name}"
        for at, (table, pk, _), _, _ in case.past.changes:
            if table == "members" and pk == prefix and len(case.past.at(at).rows(prefix, "")) > PINS:
                yield f"{name} has more than {PINS} pins at {at:.0f}"
    for one in case.operations("pin", "list_pins"):
        case.looked_at(one)
        if one.kind != "list_pins" or one.outcome != "ok":
            continue
        where, shown = one.detail["conversation_id"], {pin["seq"] for pin in one.value["pins"]}
        ever = [set(now.rows(f"pins#{where}", "")) for now in case.during(one)]
        most = {int(seq) for rows in ever for seq in rows}
        if not shown <= most:
            yield f"{one} shows pins at {sorted(shown - most)}, which were none"


RULES = (links_let_in_as_many_as_they_say, newcomers_see_nothing_from_before, pins_are_few_and_as_they_are_listed)
