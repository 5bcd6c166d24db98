"""What a simulated deployment has messages go through: lists of words, shadow bans, and a hook that is of two minds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.domain.words import BLOCK, HOLD, WordList
from shared.operations.screening import Asking, Screen, shadows_of, words_of
from shared.ports.screening import HookFailed, Verdicts

if TYPE_CHECKING:
    from shared.operations.context import Context
    from shared.ports.services import Observer
    from tests.simulation.scheduler import Hub
    from tests.stores import Stores

HELD_WORD: Final = "patience"
BLOCKED_WORD: Final = "scoundrel"
LISTS: Final = (WordList("waiting", HOLD, (HELD_WORD,), 0), WordList("insults", BLOCK, (BLOCKED_WORD,), 0))
_DEADLINE_MS: Final = 200
# What it says by itself, whatever it is asked: so that only what is kept of it can be the same twice.
_ANSWERS: Final[tuple[Mapping[str, Any], ...]] = (
    *[{"verdict": "allow"}] * 4,
    {"verdict": "rewrite", "data": {"checked": True}},
    {"verdict": "hold"},
    {"verdict": "reject", "code": "not_today"},
)
_FAILS: Final = 0.15


class Doubtful:
    """The team's hook. What it decides hangs on the moment, and now and then it does not answer."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def ask(self, draft: Mapping[str, Any], *, name: str) -> bytes:  # the message does not matter
        random = self._hub.random
        self._hub.step()
        if random.random() < _FAILS:
            self._hub.wait(_DEADLINE_MS)
            raise HookFailed("no answer")
        self._hub.wait(random.random() * _DEADLINE_MS)
        return json.dumps(random.choice(_ANSWERS)).encode()


def asking(hub: Hub, verdicts: Verdicts) -> Asking:
    return Asking(Doubtful(hub), _DEADLINE_MS, fails_open=False, verdicts=verdicts)


def screen_of(stores: Stores, context: Context, asking: Asking | None, observer: Observer) -> Screen:
    """As `shared/screens.py` makes it of a deployment's settings."""
    return Screen(
        held=stores.held,
        now=context.now,
        wait_ms=context.wait_ms,
        new_nonce=context.new_nonce,
        observer=observer,
        bounds=context.limits.bounds,
        words=words_of(stores.word_lists, context.now),
        asking=asking,
        shadows=shadows_of(stores.shadow_bans, context.now),
    )
