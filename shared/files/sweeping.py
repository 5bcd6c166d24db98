"""Files that lead nowhere: one that was not uploaded or was rejected goes after a day, one never sent after 30."""

from __future__ import annotations

from typing import Final

from shared.domain.files import PENDING, READY, REJECTED, DueFile
from shared.files.releasing import release
from shared.ports.files import Files, Objects

_DAY_MS: Final = 24 * 3_600 * 1_000
# From its announcement, which is at most a quarter of an hour before its upload.
KEPT_UNSENT_MS: Final = 30 * _DAY_MS


def sweep(due: DueFile, *, files: Files, objects: Objects, now: int) -> bool:
    """Look at a file whose time has come, and drop it where it leads nowhere. True where it was dropped.

    A file that a message has is not looked at again: its last message takes it along. Can be repeated after any
    failure, and run beside itself: the note that it is due goes last.
    """
    file = files.get(due.file_id)
    dropped = False
    if file is None or file.status in {PENDING, REJECTED}:
        dropped = file is not None and files.forget(file)
        objects.drop_upload(due.file_id)
    elif file.status == READY and not file.references and now < (until := file.created_at + KEPT_UNSENT_MS):
        files.note_due(DueFile(file.file_id, until))
    elif not file.references:  # also of one that was retired, by a sweep or a release that died then
        dropped = release(file.file_id, files=files, objects=objects)
    files.settle_due(due)
    return dropped
