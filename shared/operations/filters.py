"""What messages are filtered by, as administrators set it: lists of words that are not wanted, and shadow bans."""

from __future__ import annotations

from typing import Final

from shared.domain.changes import Happened
from shared.domain.shadows import SHADOWS_KEPT_MS, ShadowBan
from shared.domain.words import MAX_LISTS, WordList
from shared.errors import Conflict, NotFound
from shared.operations.about import happened, tell_about
from shared.operations.bans import SETTLE_MS
from shared.operations.context import Context
from shared.ports.stores import Stores

MAX_SHADOWED: Final = 1_000


def put_word_list(one: WordList, *, stores: Stores) -> bool:
    """Make or replace a list. Returns whether it is new. Raises Conflict for one too many."""
    names = {there.name for there in stores.word_lists.all()}
    if one.name not in names and len(names) >= MAX_LISTS:
        raise Conflict(f"There are at most {MAX_LISTS} lists of words")
    stores.word_lists.put(one)
    return one.name not in names


def delete_word_list(name: str, *, stores: Stores) -> None:
    """Raises NotFound."""
    if all(one.name != name for one in stores.word_lists.all()):
        raise NotFound("There is no such list")
    stores.word_lists.remove(name)


def shadow_ban(ban: ShadowBan, *, stores: Stores, context: Context) -> None:
    """Have others see nothing of what a user writes from now on. The last one counts.

    When it returns, every function knows: it waits for as long as they go by what they know, and for what was under
    way. Raises Conflict for more users than are read at once.
    """
    others = [one for one in stores.shadow_bans.all() if one.user_id != ban.user_id]
    if len(others) >= MAX_SHADOWED:
        raise Conflict(f"At most {MAX_SHADOWED:,} users are shadow-banned at a time")
    stores.shadow_bans.put(ban)
    tell_about(ban.user_id, lambda: _shadowed(ban.user_id, stores), log=stores.log, context=context)
    context.wait_ms(SHADOWS_KEPT_MS + SETTLE_MS)


def lift_shadow_ban(user_id: str, *, stores: Stores, context: Context) -> None:
    """What the user writes from now on (three seconds at most) is seen; what they wrote is not. Idempotent."""
    stores.shadow_bans.remove(user_id)
    tell_about(user_id, lambda: _shadowed(user_id, stores), log=stores.log, context=context)


def _shadowed(user_id: str, stores: Stores) -> Happened:
    """Whether the user is shadow-banned, as it stands."""
    for one in stores.shadow_bans.all():
        if one.user_id == user_id:
            return happened("user_shadow_banned", "shadow_ban", user_id=user_id, reason=one.reason, by=one.by)
    return happened("user_shadow_unbanned", "shadow_ban", user_id=user_id)


def shadow_ban_of(user_id: str, *, stores: Stores) -> ShadowBan:
    """Raises NotFound."""
    for one in stores.shadow_bans.all():
        if one.user_id == user_id:
            return one
    raise NotFound("This user is not shadow-banned")
