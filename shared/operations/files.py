"""Announcing a file, and getting the form to upload it with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.domain.files import File, FileKind, Upload
from shared.errors import Conflict
from shared.files.kinds import SizeLimits, canonical, check_size, kind_for
from shared.files.names import clean_name
from shared.ports.files import Files, Objects

UPLOAD_MS: Final = 15 * 60 * 1_000
# After the form's end an announcement is looked at: an upload can begin in the last moment, its check can be late, and
# the owner wants to see how it went.
FORGOTTEN_MS: Final = 24 * 3_600 * 1_000


@dataclass(frozen=True, slots=True)
class NewFile:
    """What a client wants to upload, its type by any name. `size` is in bytes; without a `kind` the type decides."""

    owner_id: str
    name: str
    content_type: str
    size: int
    kind: FileKind | None = None


def begin_upload(
    asked: NewFile, *, file_id: str, limits: SizeLimits, files: Files, objects: Objects, now: int
) -> tuple[File, Upload]:
    """Note the file, and make the form for its bytes: good for 15 minutes, for exactly its type and size.

    `file_id` is fresh, and can't be guessed. Raises BadRequest (name, type, nothing in it), TooLarge, Conflict
    (the user's files together are as large as they may be), Unavailable.
    """
    content_type = canonical(asked.content_type)
    kind = kind_for(content_type, asked.kind)
    check_size(asked.size, kind, limits)
    file = File(
        file_id=file_id,
        owner_id=asked.owner_id,
        kind=kind,
        name=clean_name(asked.name),
        content_type=content_type,
        size=asked.size,
        created_at=now,
        expires_at=now + UPLOAD_MS,
    )
    if not files.create(file, quota=limits.quota, due=file.expires_at + FORGOTTEN_MS):
        raise Conflict(f"All of a user's files together have at most {limits.quota:,} bytes")
    return file, objects.upload(file)
