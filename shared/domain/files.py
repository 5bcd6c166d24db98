"""Files that users send each other: what is known of one beside its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

FileKind = Literal["image", "file"]
IMAGE: Final[FileKind] = "image"
FILE: Final[FileKind] = "file"

FileStatus = Literal["pending", "ready", "rejected", "deleted"]
PENDING: Final[FileStatus] = "pending"
READY: Final[FileStatus] = "ready"
REJECTED: Final[FileStatus] = "rejected"
DELETED: Final[FileStatus] = "deleted"


@dataclass(frozen=True, slots=True)
class File:
    """One file. `content_type` and `size` (bytes) are as its owner declared them, and as the upload is held to.

    `expires_at` (ms) is until when it can be uploaded. `reason` says why it was rejected. `width` and `height` are an
    image's as it is to be shown, after its orientation. `references` counts the messages that have it now.
    """

    file_id: str
    owner_id: str
    kind: FileKind
    name: str
    content_type: str
    size: int
    created_at: int
    expires_at: int
    status: FileStatus = PENDING
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    has_thumbnail: bool = False
    references: int = 0


@dataclass(frozen=True, slots=True)
class DueFile:
    """That a file is to be looked at, from `at` (ms) on."""

    file_id: str
    at: int


@dataclass(frozen=True, slots=True)
class Upload:
    """Where the bytes go, by a form: `fields` and then `file`. Good until `expires_at` (ms), for this file alone."""

    url: str
    fields: dict[str, str]
    expires_at: int


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as the store has it. `etag` names these very bytes."""

    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What a look at the bytes found. `reason` is a stable code where they are not what was declared, else None."""

    reason: str | None = None
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None
