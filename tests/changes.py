"""Entries that record a change, made in one place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.domain.changes import OWNER, Added, Change, Role
from shared.domain.entries import Entry, change_entry

GROUP: Final = "group:0123456789abcdef"


def changed(
    change: Change,
    base: Entry | None = None,
    *,
    by: str = "alice",
    place: str | None = None,
    at: int = 1,
    nonce: str = "n",
    fan_out: bool = False,
) -> Entry:
    """The entry that records it right behind `base`, in its conversation; without one as the first of a group."""
    place = place or (base.conversation_id if base else GROUP)
    return change_entry(
        change, base=base, conversation_id=place, sender_id=by, created_at=at, nonce=nonce, fan_out=fan_out
    )


def founding(
    *users: str, roles: Mapping[str, Role] | None = None, name: str = "the group", place: str = GROUP, at: int = 1
) -> Entry:
    """The first entry of a group of any size. The first user is its owner, where `roles` do not say more."""
    added = Added(users, size=len(users), roles=roles or {users[0]: OWNER}, name=name)
    return changed(added, by=users[0], place=place, at=at, nonce=place)
