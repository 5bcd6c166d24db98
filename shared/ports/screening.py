"""Where it is kept what a deployment decides about messages; and whom it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from shared.domain.screening import Held, HeldPosition, Review, Ruled, Verdict
from shared.domain.shadows import ShadowBan
from shared.domain.words import WordList


class Verdicts(Protocol):
    """What a hook has said of each message. One that is asked for is asked for by one, and what it says stays said."""

    def claim(self, name: str, *, digest: str, nonce: str, until: int, now: int) -> Ruled | None:
        """None: whoever claims is to find the verdict, until then. Else what there is: a verdict, or another's claim.

        A claim that is over counts as none.
        """

    def settle(self, name: str, verdict: Verdict, *, nonce: str) -> Verdict:
        """Keep a verdict for 90 days, if the claim still counts. Returns the one that stands."""

    def release(self, name: str, *, nonce: str) -> None:
        """Give a claim up: whoever comes next claims."""

    def get(self, name: str) -> Ruled | None:
        """Strongly consistent."""


class HeldMessages(Protocol):
    """Messages that wait to be looked at."""

    def put(self, held: Held) -> Held:
        """Keep one, with its places in the lists, unless it is kept already. Returns it as it stands."""

    def get(self, held_id: str) -> Held | None:
        """Strongly consistent."""

    def waiting(self, *, after: HeldPosition, limit: int) -> Sequence[Held]:
        """At most `limit` that nobody has decided about, behind that place, oldest first."""

    def decide(self, held_id: str, review: Review) -> Held | None:
        """Keep what was decided, once. Returns it as it is then; None where there is none."""

    def store(self, held_id: str, seq: int) -> None:
        """Note where an approved one stands in its log."""

    def drop_of(self, user_id: str, *, limit: int) -> int:
        """Forget at most `limit` that this user sent, whatever was decided about them. Returns how many."""


class WordLists(Protocol):
    """The deployment's lists of words."""

    def all(self) -> Sequence[WordList]:
        """Every one, by name: one query, strongly consistent."""

    def put(self, one: WordList) -> None:
        """Keep a list, instead of any of its name."""

    def remove(self, name: str) -> None:
        """Idempotent."""


class ShadowBans(Protocol):
    """Users whose messages nobody else sees: not so many that they could not be read at once."""

    def all(self) -> Sequence[ShadowBan]:
        """Every one: one query, strongly consistent."""

    def put(self, ban: ShadowBan) -> None:
        """Keep one, instead of any of this user."""

    def remove(self, user_id: str) -> None:
        """Idempotent."""


class Hook(Protocol):
    """What a deployment's own code says of a draft, by a Lambda or over HTTPS."""

    def ask(self, draft: Mapping[str, Any], *, name: str) -> bytes:
        """Its answer as it came, at most 64 KB. `name` is the same for every call about the same draft.

        Raises HookFailed where there is none in time.
        """


class HookFailed(Exception):
    """No usable answer. Its text says why, and nothing of the message."""
