"""Who is in a conversation, from what was read and the entries that were met since."""

from __future__ import annotations

from shared.domain.changes import ADMIN, MEMBER, OWNER, Added, Change, Removed, RolesChanged
from shared.domain.entries import Entry
from shared.domain.rules import Audience
from tests.changes import changed

READ = Audience({"alice": OWNER, "bob": MEMBER})


def entries(*changes: Change) -> list[Entry]:
    made: list[Entry] = []
    for change in changes:
        made.append(changed(change, made[-1] if made else None))
    return made


def test_the_last_change_of_each_user_counts() -> None:
    met = entries(
        Added(("carol",), size=3, roles={}, name=None), RolesChanged({"carol": ADMIN}), Removed(("bob",), size=2)
    )
    assert READ.after(met).roles == {"alice": OWNER, "carol": ADMIN}


def test_a_role_of_who_was_gone_already_when_it_was_read_brings_them_not_back() -> None:
    """The entry is met again: the reading reflects it, and the removal behind it."""
    assert READ.after(entries(RolesChanged({"carol": ADMIN}))).roles == READ.roles
