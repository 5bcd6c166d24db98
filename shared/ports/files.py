"""What files need from storage and from the object store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from shared.domain.files import QUOTA, DueFile, File

NEVER: Final = 2**53 - 1


class Files(Protocol):
    """What is known of each file, strongly consistent. ConversationLog counts the references to it."""

    def create(self, file: File, *, quota: int = QUOTA, due: int = NEVER) -> bool:
        """Note a file that is going to be uploaded, when it is due (ms), and its bytes as its owner's: all or none.

        False, and nothing changes, where all of the owner's files together would have more than `quota` bytes. A file
        counts from here until it is rejected, retired or forgotten; exactly, however many are announced at once.
        """

    def get(self, file_id: str) -> File | None:
        """One file, whatever its status."""

    def find(self, file_ids: Sequence[str]) -> Mapping[str, File]:
        """Those of up to 100 files that are there, whatever their status. One call."""

    def settle(self, file: File) -> bool:
        """Store the check's outcome, if the file is pending still; else False. A rejected file counts no more."""

    def messages(self, file_id: str) -> Mapping[tuple[str, int], bool]:
        """The messages that have this file: each a conversation and a seq. With whether it is known to end there."""

    def note_end(self, file_id: str, place: tuple[str, int], *, at: int | None) -> None:
        """A message (a conversation and a seq) has the file until then (ms): it is due then. None: for good.

        Idempotent.
        """

    def drop_ended(self, file_id: str, *, now: int) -> None:
        """Of messages that have the file no longer by now: they do not count any more. Idempotent."""

    def retire(self, file_id: str) -> bool:
        """Mark a ready file as deleted, and forget its name, if no message has it. False, and nothing changes, else.

        From then on no message can refer to it, and it counts no more. True also where it was so, or is not there.
        """

    def forget(self, file: File) -> bool:
        """Delete a file that is pending or rejected still, as it was read; it counts no more. Else False."""

    def due(self, now: int, *, limit: int) -> Sequence[DueFile]:
        """At most so many of the files that are due by now."""

    def note_due(self, due: DueFile) -> None:
        """Have a file looked at, at another time. Idempotent."""

    def settle_due(self, due: DueFile) -> None:
        """It was looked at. Idempotent."""
