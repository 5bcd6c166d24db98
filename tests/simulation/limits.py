"""The limits of a simulated deployment: small enough that a short history comes to their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import shared.adapters.dynamodb.broadcasts as scanning_module
import shared.domain.broadcasts as broadcasts_module
import shared.domain.entries as models_module
import shared.domain.fan_out as shards_module
import shared.domain.inbox as inbox_pages_module
import shared.domain.retention as retention_module
import shared.domain.rules as rules_module
import shared.operations.broadcast_pages as broadcast_pages_module
import shared.operations.broadcasts as broadcasting_module
import shared.operations.fan_out as fan_out_module
import shared.operations.files as sweeping_module
import shared.operations.files as uploads_module
import shared.operations.groups as groups_module
import shared.operations.heads as heads_module
import shared.operations.history as history_module
import shared.operations.jobs as jobs_module
import shared.operations.keeping as keeping_module
import shared.operations.messages as sending_module
import shared.operations.pins as pins_module
import shared.operations.removals as removals_module
import shared.operations.resends as resends_module
import shared.operations.sync as syncing_module
import shared.operations.tickets as tickets_module
import shared.operations.trimming as trimming_module
import shared.operations.turns as turns_module
from shared.domain.entries import AUTHORS_KEPT
from shared.domain.limits import Limit
from shared.domain.rules import MAX_REACTIONS_OF_ONE
from shared.limits.invites import HOUR_S
from shared.operations.files import FORGOTTEN_MS as SWEPT_FORGOTTEN_MS
from shared.operations.files import KEPT_UNSENT_MS as SWEPT_UNSENT_MS
from shared.operations.tickets import TICKET_LIFETIME_S

_LOOK_FOR_OUTSIDERS: Final = 100  # as docs/protocol.md has it


@dataclass(frozen=True, slots=True)
class Limits:
    """See docs/configuration.md; `shard` is how many members of a large group one message of the queue is for.

    `token_s` is how long a client's tokens live, in seconds. Where they are `tiny`, what no deployment can set is, too.
    `frames` are those of one connection, a second and at once; with `logged` each request writes its line. `quota`
    is bytes of all files of a user. With `moderated` messages are looked at before they are stored, with `hooked` by
    the team's hook, too. Messages are kept for `kept_days`, 0: for good; a day of theirs is `DAY_MS`. With
    `own_rules` conversations may have such days of their own. With `broadcasting` a broadcast has few segments, and
    small pages.
    """

    inline: int = 200
    shard: int = 100
    receipts: int = 100
    page: int = 5
    group: int = 10
    connections: int = 3
    devices: int = 3
    reminders: int = 3
    edit_window_s: int = 86_400
    token_s: float = 3_600.0
    rate: Limit = Limit(20, 200)  # noqa: RUF009  # frozen
    tiny: bool = False
    frames: tuple[int, int] = (50, 500)
    abuse: int = 100
    invites: Limit = Limit(200, 1_000, per_s=HOUR_S)  # noqa: RUF009  # frozen
    logged: bool = False
    quota: int = 5_368_709_120
    moderated: bool = False
    hooked: bool = False
    kept_days: int = 0
    own_rules: bool = False
    broadcasting: bool = False

    @property
    def digest(self) -> int:
        """Groups of more members are told of mentions at once, and of everything else by a digest; 0: none are."""
        return _LARGE if self.shard == 1 else 0

    @property
    def kept_unsent_ms(self) -> int:
        return KEPT_UNSENT_MS if self.tiny else SWEPT_UNSENT_MS

    @property
    def forgotten_ms(self) -> int:
        """After its announcement."""
        return FORGOTTEN_MS if self.tiny else uploads_module.UPLOAD_MS + SWEPT_FORGOTTEN_MS

    @property
    def ends_messages(self) -> bool:
        return self.kept_days > 0 or self.own_rules

    @property
    def row_kept_ms(self) -> int:
        return ROW_KEPT_MS

    @property
    def fan_out_rate(self) -> int:
        """Posts of one job in a second: few, where a broadcast is told, and a large group's messages need none."""
        return _FEW_POSTS if self.broadcasting and self.inline > _LARGE else 500

    @property
    def broadcasts_at_once(self) -> int:
        return BROADCASTS_AT_ONCE if self.broadcasting else broadcasting_module.MAX_AT_ONCE

    @property
    def ticket_s(self) -> int:
        """How long a ticket is good for."""
        return 1 if self.tiny else TICKET_LIFETIME_S

    @property
    def reactions(self) -> int:
        """How many emoji one user may put to a message."""
        return 1 if self.tiny else MAX_REACTIONS_OF_ONE

    @property
    def authors(self) -> int:
        """How many writers an entry remembers."""
        return _FEW_AUTHORS if self.tiny else AUTHORS_KEPT

    @property
    def for_outsiders(self) -> int:
        """Up to how many entries behind its `after` a resend of a member who has left is found."""
        return FOR_OUTSIDERS if self.tiny else _LOOK_FOR_OUTSIDERS

    def constants(self) -> list[tuple[Any, str, int]]:
        """What stands in the code, and is otherwise in this deployment."""
        stale_ms = fan_out_module.STALE_MS if self.shard > _LARGE else 0  # then every entry that is not the last is
        sharding = [(shards_module, "SHARD_SIZE", self.shard), (fan_out_module, "STALE_MS", stale_ms)]
        kept = _KEPT if self.ends_messages else ()
        few = [*(_FEW if self.moderated else ()), *(_PAGED if self.broadcasting else ())]
        return [*sharding, *(_TINY if self.tiny else ()), *few, *kept]


FOR_OUTSIDERS: Final = 3
# A file that was not uploaded is forgotten after so long, and one that was not sent.
FORGOTTEN_MS: Final = 600
KEPT_UNSENT_MS: Final = 1_600

_FEW_AUTHORS: Final = 2
# Pages, and what is kept of each: so that a dozen entries are several of them.
_TINY: Final[Sequence[tuple[Any, str, int]]] = (
    (groups_module, "MAX_USERS_PER_CHANGE", 2),
    (history_module, "_PAGE", 3),
    (inbox_pages_module, "_PAGE", 2),
    (turns_module, "_PAGE", 2),
    (resends_module, "_PAGE", 2),
    (models_module, "AUTHORS_KEPT", _FEW_AUTHORS),
    (rules_module, "MAX_REACTIONS_OF_ONE", 1),
    (sending_module, "_TAIL", 2),
    (sending_module, "_LOOK_FOR_OUTSIDERS", FOR_OUTSIDERS),
    (syncing_module, "MAX_HEADS", 2),
    (syncing_module, "FEW", 1),
    (syncing_module, "LOOKED_UP", 2),
    (heads_module, "FEW", 1),
    (heads_module, "LOOKED_UP", 2),
    (heads_module, "_STRAGGLERS", 1),
    (heads_module, "_NEAR", 2),
    (heads_module, "_FAR_TOGETHER", 1),
    (sweeping_module, "KEPT_UNSENT_MS", KEPT_UNSENT_MS),
    (tickets_module, "TICKET_LIFETIME_S", 1),
    (uploads_module, "FORGOTTEN_MS", FORGOTTEN_MS),
    (uploads_module, "UPLOAD_MS", 0),
)


# Where somebody moderates.
PINS: Final = 2
_FEW: Final[Sequence[tuple[Any, str, int]]] = ((pins_module, "MAX_PINS", PINS), (removals_module, "MAX_REMOVED", 2))

# Where everybody is told something: two segments of each table, of several pages each.
BROADCASTS_AT_ONCE: Final = 2
_FEW_POSTS: Final = 2
_PAGED: Final[Sequence[tuple[Any, str, int]]] = (
    (broadcasting_module, "MAX_AT_ONCE", BROADCASTS_AT_ONCE),
    (broadcast_pages_module, "_ROWS", 2),
    (broadcast_pages_module, "_PAGES", 2),
    *((module, "SEGMENTS", 2) for module in (broadcasts_module, scanning_module, broadcast_pages_module)),
)

# Where messages are kept for some days. A row stays longer than any request goes on, by any clock.
DAY_MS: Final = 1_500
ROW_KEPT_MS: Final = 14_000
AGAIN_S: Final = 6  # as above; and a row is still there then
_KEPT: Final[Sequence[tuple[Any, str, int]]] = (
    (retention_module, "DAY_MS", DAY_MS),
    (keeping_module, "ROW_KEPT_MS", ROW_KEPT_MS),
    (keeping_module, "DAY_MS", DAY_MS),
    (keeping_module, "MAX_KEPT", 3),
    (keeping_module, "_AT_ONCE", 2),
    (jobs_module, "_AGAIN_S", AGAIN_S),
    (trimming_module, "ROW_KEPT_MS", ROW_KEPT_MS),
)

_LARGE: Final = 2
_LOGGED_SHARE: Final = 0.25
FRAMES: Final = (50, 500)
_INVITES: Final = Limit(200, 1_000, per_s=HOUR_S)
_TINY_SHARE: Final = 0.4


def draw_limits(random: Random) -> Limits:
    """One deployment's."""
    inline = random.choice((200, 200, 200, _LARGE))
    return Limits(
        inline=inline,
        shard=random.choice((1, 2, 100)) if inline == _LARGE else 100,
        receipts=random.choice((100, 100, 2)),
        page=random.choice((1, 2, 3, 5, 5, 100)),
        group=random.choice((4, 10, 10)),
        connections=random.choice((1, 2, 3, 3, 3)),
        devices=random.choice((1, 2, 3)),
        reminders=random.choice((1, 2, 3)),
        edit_window_s=random.choice((0, 2, 86_400, 86_400)),
        token_s=random.choice((*[3_600.0] * 9, 2.5)),
        rate=random.choice((*[Limit(20, 200)] * 4, Limit(1, 10), Limit(1, 12))),
        tiny=random.random() < _TINY_SHARE,
        frames=random.choice((*[FRAMES] * 7, (2, 8))),
        abuse=random.choice((100, 4)),
        invites=random.choice((_INVITES, _INVITES, Limit(720, 4, per_s=HOUR_S))),
        logged=random.random() < _LOGGED_SHARE,
        quota=random.choice((Limits().quota, 160)),
    )
