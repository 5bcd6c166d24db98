"""Histories in which somebody moderates, by numbers of their own: no other history is another for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

# In this many.
SHARE: Final = 0.06
_READING: Final[Mapping[str, int]] = {"look": 3, "page": 3, "inbox": 4, "summary": 3, "message": 6, "members": 1}
_TALKING: Final[Mapping[str, int]] = {
    "send_private": 8,
    "send_to_group": 8,
    "send_first": 2,
    "send_again": 4,
    "post": 3,
    "post_with_id": 4,
    "post_named": 2,
    "forward": 4,
    "edit": 4,
    "delete": 3,
    "react": 4,
    "read": 3,
    "read_over_http": 2,
    "type": 2,
}


@dataclass(frozen=True, slots=True)
class Moderation:
    """What a history of this kind is about. `begins` are done early in it; `ends` (ms) is when it is over.

    `hooked` is how many of them have a hook.
    """

    weights: Mapping[str, int]
    begins: Sequence[str] = ()
    ends: float = 4_000.0
    hooked: float = 0.0


THEMES: Final = (
    Moderation(
        {**_TALKING, **_READING, "shadow_ban": 2, "lift_shadow_ban": 2, "remind": 3, "leave": 3, "come_back": 6},
        begins=("shadow_ban", "shadow_ban"),
        ends=11_000.0,
    ),
    Moderation(
        {**_TALKING, **_READING, "export": 3, "report": 6, "notify": 1, "delete": 8, "forward": 8, "edit": 8},
        begins=("shadow_ban",),
        ends=9_000.0,
    ),
    Moderation({**_TALKING, "send_words": 60, "decide_held": 30, "list_held": 2, "send_again": 30, "block": 2}),
    Moderation({**_TALKING, "send_words": 20, "decide_held": 25, "send_again": 50, "quit": 3}, hooked=1.0),
    Moderation({**_TALKING, "send_words": 40, "decide_held": 20, "shadow_ban": 5}, ("shadow_ban",), 9_000.0, 0.3),
    Moderation(
        {
            "send_to_group": 8,
            "post": 3,
            "edit": 2,
            "react": 2,
            "read": 2,
            "add": 2,
            "remove": 3,
            "govern": 4,
            "make_link": 6,
            "come_by_link": 16,
            "come_in": 8,
            "let_in": 6,
            "read_as_newcomer": 14,
        },
        begins=("hide_the_past", "make_link"),
        ends=6_000.0,
    ),
    Moderation({**_TALKING, **_READING, "pin": 40, "list_pins": 14, "delete": 6}),
    Moderation({**_TALKING, **_READING, "remove_all": 8, "send_words": 4, "export": 2}, ends=6_000.0),
)


def draw_moderation(random: Random) -> tuple[Moderation, list[tuple[float, str]]]:
    """What it is about, and what is done when."""
    theme = random.choice(THEMES)
    how_many = random.choice((4, 8, 12, 20, 30))
    done = [(random.random() * 1_500.0, name) for name in theme.begins]
    chosen = random.choices(list(theme.weights), list(theme.weights.values()), k=how_many)
    slots = [random.random() * theme.ends for _ in range(random.choice((1, 2, 4, how_many)))]
    done += [(min(random.choice(slots) + random.random() * 300.0, theme.ends), name) for name in chosen]
    return theme, sorted(done)
