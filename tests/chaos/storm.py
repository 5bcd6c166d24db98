"""What a bad network does to one connection."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal, Protocol

from tests.chaos.deck import Deck

Direction = Literal["up", "down"]
"""From the client to the gateway, and back."""

BOTH: Final[tuple[Direction, ...]] = ("up", "down")


class Trouble(Enum):
    """The value is how a report calls it.

    Nothing is doubled: TCP delivers each byte once at most, so no network does that. What comes twice does so higher
    up, where a client sends again or the server posts again, and both happen here because answers are lost.
    """

    REFUSED = "refused"
    HANDSHAKE_LOST = "lost the answer to a handshake"
    DROPPED = "dropped"
    HALVED_UP = "halved a frame up"
    HALVED_DOWN = "halved a frame down"
    STALLED_UP = "stalled up"
    STALLED_DOWN = "stalled down"
    STALLED = "stalled both ways"
    HTTP_CUT = "cut a request or an answer of HTTP"
    DELAYED = "delayed a frame"
    OVERTAKEN = "let a frame overtake others"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of a connection.

    `end` comes after so many frames, both directions counted; a drop minds no frames and comes after so many bytes.
    Each frame takes up to `delay_s` on top, in its order; one in `late` takes more than that, and those behind it may
    overtake it. An HTTP connection has no frames: it is cut behind `http_after` bytes of its bodies.
    """

    end: Trouble | None = None
    after: int = 0
    http_after: int | None = None
    delay_s: float = 0.0
    late: float = 0.0

    @property
    def stalls(self) -> tuple[Direction, ...]:
        match self.end:
            case Trouble.STALLED:
                return BOTH
            case Trouble.STALLED_UP:
                return ("up",)
            case Trouble.STALLED_DOWN:
                return ("down",)
        return ()


CALM: Final = Plan()
HTTP_ODDS: Final = 0.2


class FaultModel(Protocol):
    """Decides about each new connection."""

    def plan(self) -> Plan: ...


class NoFaults:
    def plan(self) -> Plan:
        return CALM


_NO_ENDS: Final = (Trouble.HTTP_CUT, Trouble.DELAYED, Trouble.OVERTAKEN)
ENDS: Final = tuple(one for one in Trouble if one not in _NO_ENDS)
"""How a WebSocket comes to its end in a storm."""
_FRAME_BYTES: Final = 60


class Storm:
    """Every WebSocket comes to a bad end sooner or later, and its frames are late until then; so do some of HTTP's."""

    def __init__(self, rng: random.Random, *, frames: int = 60, delay_s: float = 0.03, late: float = 0.2) -> None:
        self._rng = rng
        self._ends = Deck(list(ENDS), rng)
        self._frames, self._delay_s, self._late = frames, delay_s, late

    def plan(self) -> Plan:
        end, after = self._ends.deal(), self._rng.randint(1, self._frames)
        return Plan(
            end=end,
            after=after * self._rng.randint(1, _FRAME_BYTES) if end is Trouble.DROPPED else after,
            http_after=self._rng.randint(0, 400) if self._rng.random() < HTTP_ODDS else None,
            delay_s=self._delay_s,
            late=self._late,
        )
