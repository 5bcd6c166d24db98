"""Nothing changes that nobody has asked for: each change of what users have said is an operation's of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from shared.adapters.dynamodb.client import Item
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case

Cause = Callable[[Operation, str, str, Item | None], bool]
"""Whether an operation may have changed a user's row, by what its key says behind the prefix, and its new value."""


def _block(one: Operation, user: str, other: str, new: Item | None) -> bool:
    return (one.kind, one.user, one.detail.get("other"), one.detail.get("on")) == (
        "block",
        user,
        other,
        new is not None,
    )


def _contact(one: Operation, user: str, other: str, new: Item | None) -> bool:
    """Both sides change together; an alias is one's own."""
    kinds = {"end_contact"} if new is None else {"request_contact", "update_contact"}
    return one.kind in kinds and {one.user, one.detail.get("other")} == {user, other}


def _profile(one: Operation, user: str, _: str, __: Item | None) -> bool:
    return (one.kind, one.user) == ("change_profile", user)


def _notice(one: Operation, user: str, name: str, new: Item | None) -> bool:
    if new is not None and new.get("acknowledged"):
        return (one.kind, one.user, one.detail.get("notification_id")) == ("acknowledge", user, name)
    if new is not None and new["kind"] == "reminder":
        return (one.kind, one.user) == ("remind", user)
    if name.startswith("held-"):
        return (one.kind, one.detail.get("decision")) == ("decide_held", "reject")
    return one.kind == "notify" and one.user == "server" and user in one.detail["users"]


_CAUSES: Final[dict[str, Cause]] = {
    "block#": _block,
    "contact#": _contact,
    "profile": _profile,
    "notice#": _notice,
}
_BY_THEMSELVES: Final = frozenset({"notice#"})  # a reminder's comes later than the wish for it


def every_change_was_asked_for(case: Case) -> Iterator[str]:
    for at, (table, pk, sk), _, new in case.past.changes:
        if table != "members" or not pk.startswith("user#"):
            continue
        for prefix, causes in _CAUSES.items():
            if not str(sk).startswith(prefix):
                continue
            user, name = pk.removeprefix("user#"), sk.removeprefix(prefix)
            if name in case.broadcasts and not (new or {}).get("acknowledged"):
                continue  # `broadcasts` looks at those
            if not any(
                causes(one, user, name, new) and _is_under_way(one, at, late=_is_late(prefix, new))
                for one in case.operations()
            ):
                yield f"{pk} {sk} became {new} at {at:.0f}, which nobody asked for"


def _is_late(prefix: str, new: Item | None) -> bool:
    return prefix in _BY_THEMSELVES and new is not None and new.get("kind") == "reminder"


def _is_under_way(one: Operation, at: float, *, late: bool) -> bool:
    """Also after a refusal that leaves open whether it was done."""
    is_over = one.outcome == "ok" and one.ended is not None and one.ended < at
    return one.began <= at and (late or not is_over)


RULES: Final[tuple[Any, ...]] = (every_change_was_asked_for,)
