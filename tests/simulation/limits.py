"""The limits of a simulated deployment: small enough that a short history comes to their ends."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from shared.limits.buckets import Limit


@dataclass(frozen=True, slots=True)
class Limits:
    """See docs/configuration.md; `shard` is how many members of a large group one message of the queue is for.

    `token_s` is how long a client's tokens live, in seconds.
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


_LARGE: Final = 2


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
        rate=random.choice((Limit(20, 200), Limit(20, 200), Limit(20, 200), Limit(1, 10))),
    )
