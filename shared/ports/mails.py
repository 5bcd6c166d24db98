"""What mail digests take: who is to be looked at, and who was mailed; and what sends a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a port costs nothing where it is not used
    from collections.abc import Collection, Sequence

    from shared.domain.mails import Letter, MailLook, MailStanding, MailState
    from shared.domain.pushes import PushResult


class Mails(Protocol):
    """Looks that wait, in `parts`, and the state of each user's mails."""

    @property
    def parts(self) -> int:
        """How many parts there are."""

    def unscheduled(self, user_ids: Collection[str], *, now: int) -> Sequence[str]:
        """Those who have an address and whom no look waits for, as any copy has it."""

    def schedule(self, look: MailLook) -> None:
        """Have the user looked at then; for one who has no address, nothing. The same again is the same look."""

    def due(self, part: int, *, until: int, after: MailLook | None, limit: int) -> Sequence[MailLook]:
        """The looks of a part that are due, in the order of their times."""

    def done(self, look: MailLook) -> None:
        """Take the look away. Idempotent."""

    def standing(self, user_id: str) -> MailStanding:
        """Strongly consistent."""

    def state(self, user_id: str) -> MailState:
        """Strongly consistent."""

    def claim(self, user_id: str, was: MailState, *, secret: str, now: int) -> bool:
        """The right to mail the user as of `now`, where nobody has had it since `was` was read. Kept for good."""

    def release(self, user_id: str, was: MailState, *, now: int) -> None:
        """Give a claim of `now` back, of which no mail has come. Nothing where it is another's by now."""


class Mailer(Protocol):
    """Sends letters."""

    def send(self, letter: Letter) -> PushResult:
        """Hand over one letter, once. Never raises. `Busy` and `Misconfigured`: it is certain that none was sent."""
