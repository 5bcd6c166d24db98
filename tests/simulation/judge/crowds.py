"""Many who write into one conversation at once: all are stored, and not at the price of puts without end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from tests.simulation.judge.case import Case

# Puts for each message, those in vain included. Of up to 8 that come in one moment it was 2.9 at most in 300 crowds, of
# up to 64 it was 3.9; where nobody waits it is 5 and more.
_FEW: Final = 8
_PUTS: Final = 4.0
_PUTS_OF_MANY: Final = 5.0
_FROM: Final = 4


def puts_are_few(case: Case) -> Iterator[str]:
    """Who loses a place lets others go first, instead of asking for one place after the other."""
    stored = Counter(name for (name, _) in case.first_said)
    for name, puts in case.scenario.deployment.puts.items():
        messages = stored[name]
        most = messages * (_PUTS if messages <= _FEW else _PUTS_OF_MANY)
        if messages >= _FROM and puts > most:
            yield f"{puts} puts for {messages} messages of {name}"


def nobody_is_turned_away(case: Case) -> Iterator[str]:
    """However many there are."""
    for one in case.operations("send"):
        if one.code == "unavailable":
            yield f"{one} found no place among many"


AT_ONCE = (puts_are_few, nobody_is_turned_away)
