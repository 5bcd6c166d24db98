"""What jobs on a user's data ask of storage and of the object store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

if TYPE_CHECKING:
    from shared.domain.entries import Entry
    from shared.domain.holds import Hold
    from shared.domain.jobs import Job, JobKind, JobStep, Row

TableName = Literal["members", "log", "sessions"]
MEMBERS: Final = "members"
LOG: Final = "log"
SESSIONS: Final = "sessions"
Listed = Literal["contact", "block"]
CONTACT: Final = "contact"
BLOCK: Final = "block"


class Jobs(Protocol):
    """A row for each user and kind: the latest job."""

    def get(self, kind: JobKind, user_id: str) -> Job | None:
        """Strongly consistent."""

    def begin(self, job: Job, *, anew: bool = False) -> bool:
        """Store a new job in place of one that is over, or of none. False, and nothing changes, where one runs.

        `anew`: also in place of that, which ends with its next step.
        """

    def save(self, job: Job) -> bool:
        """Store how far it has come. False, and nothing changes, where another took the step before this one."""

    def touch(self, job: Job, *, now: int) -> bool:
        """Note that it was looked after (`updated_at`). False, and nothing changes, where it has changed since."""


class Holds(Protocol):
    """Which users, and which conversations, are on legal hold."""

    def get(self, user_id: str) -> Hold | None:
        """Strongly consistent."""

    def among(self, names: Collection[str]) -> set[str]:
        """Those that are on hold, strongly consistent, 100 to a round trip."""

    def put(self, hold: Hold) -> None:
        """Also in place of another one."""

    def remove(self, user_id: str) -> None:
        """Idempotent."""


class JobQueue(Protocol):
    """Where a job's next step waits."""

    def put(self, step: JobStep, *, delay_s: int = 0) -> None:
        """Have it carried out at least once, so many seconds from now.

        Raises Unavailable where it should be tried again.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A row in which a user's id stands.

    `entry` is what it says where it is one of the log, and `file_id` which file of the user's it is. `is_theirs`: it is
    there for the user alone, or for others to find them by. `line` is what an export says of it, without secrets: None
    for what is no data of theirs. `where` is what kind of row it is, for a report; `place` the conversation whose log
    it is of. `listing`: as what another user has them in a list, and who that is.
    """

    table: TableName
    key: Row
    entry: Entry | None = None
    file_id: str | None = None
    is_theirs: bool = False
    line: Mapping[str, Any] | None = None
    where: str = ""
    place: str = ""
    listing: tuple[Listed, str] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What a page of a table has of a user. `looked_at` rows were read; `after` is the last, None at the end."""

    found: Sequence[Found]
    looked_at: int
    after: Row | None


class Walks(Protocol):
    """Tables from one end to the other, whatever the rows in them are."""

    def page(self, table: TableName, user_id: str, *, after: Row | None) -> Page:
        """A megabyte of the table behind `after`, strongly consistent: the rows with the user's id in them.

        The id stands by itself, or as a part of a key or of a conversation's id; of what people wrote nothing counts.
        """

    def drop(self, found: Found) -> None:
        """Delete the row. Idempotent."""

    def empty_message(self, found: Found) -> None:
        """Take from a deleted message what that leaves: its client's id, and what was decided of it. Idempotent."""

    def empty_ended(self, found: Found) -> bool:
        """Take all that an entry says that has ended, and whose place stays. False where it says nothing any more."""

    def drop_mention(self, found: Found, user_id: str) -> None:
        """Take a user from those whom a message mentions. Idempotent."""

    def empty_description(self, found: Found, said: str) -> None:
        """Have a change of what a conversation or a member says of itself say this instead. Idempotent."""

    def empty_file(self, found: Found) -> None:
        """Mark a file as deleted, and forget whose it is and its name. Idempotent."""

    def empty_session(self, found: Found) -> None:
        """Forget of a session all but what keeps its user out. Idempotent."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of an archive: its name, and its size in bytes."""

    name: str
    size: int


class Archive(Protocol):
    """Objects of exports, below the job's id. They end by themselves some days later."""

    def put(self, job_id: str, name: str, data: bytes) -> None:
        """Store an object, in place of one of this name."""

    def copy_file(self, job_id: str, file_id: str) -> bool:
        """Copy a kept file to `files/<its id>`. False where it is not there."""

    def listed(self, job_id: str, *, after: str, limit: int) -> Sequence[Stored]:
        """Objects behind this name, in the order of names."""

    def url(self, job_id: str, name: str, *, expires_in_s: int) -> str:
        """A link to one, for that long. No call is made."""
