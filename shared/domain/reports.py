"""What users report to those who moderate, and what is decided about it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Literal, NamedTuple

from shared.domain.limits import Limit

MAX_REASON_CHARACTERS: Final = 100
MAX_COMMENT_CHARACTERS: Final = 1_000
# Reports of one user: so many at once, and as many in each hour.
MAX_REPORTS: Final = 30
REPORTS: Final = Limit(MAX_REPORTS, MAX_REPORTS, per_s=3_600)

ReportStatus = Literal["open", "decided"]
OPEN: Final = "open"
DECIDED: Final = "decided"

Verdict = Literal["dismiss", "delete", "ban"]
"""Nothing comes of it, the message is deleted, or whoever is reported is kept out."""
DISMISS: Final = "dismiss"
DELETE: Final = "delete"
BAN: Final = "ban"


@dataclass(frozen=True, slots=True)
class Decision:
    """What came of a report, by whom and when. `until`: when a ban ends (None: not by itself)."""

    verdict: Verdict
    by: str
    at: int
    until: int | None = None
    note: str = ""

    def is_same(self, other: Decision) -> bool:
        """Whether both decide alike, whoever did it and when."""
        return (self.verdict, self.until) == (other.verdict, other.until)


@dataclass(frozen=True, slots=True)
class Report:
    """`user_id` is who is reported: of a message, who wrote it. `message` is that as it stood then, as JSON."""

    report_id: str
    reporter: str
    user_id: str
    reason: str
    comment: str
    created_at: int
    conversation_id: str | None = None
    seq: int | None = None
    message: str | None = None
    decision: Decision | None = None

    @property
    def status(self) -> ReportStatus:
        return OPEN if self.decision is None else DECIDED

    @property
    def place(self) -> ReportPosition:
        return ReportPosition(self.created_at, self.report_id)


class ReportPosition(NamedTuple):
    """A place in a list of reports, which goes from the newest to the oldest."""

    at: int
    report_id: str = ""


def report_id(reporter: str, about: str, turn: int) -> str:
    """The id of the `turn`-th report of this user about this message or user: so a repetition is the same report."""
    return blake2b(f"{reporter}\x00{about}\x00{turn}".encode(), digest_size=16).hexdigest()
