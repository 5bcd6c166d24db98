"""What can be uploaded: the types, and how large each kind may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.errors import BadRequest, TooLarge
from shared.files.models import FILE, IMAGE, FileKind

IMAGE_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
# Nothing that a browser would run: no HTML, no SVG, and nothing that could be anything.
FILE_TYPES: Final = (
    "application/pdf",
    "application/zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "text/plain",
    "text/csv",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/wav",
    "video/mp4",
    "video/webm",
    "video/quicktime",
)
TYPES: Final = (*IMAGE_TYPES, *FILE_TYPES)


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """What a deployment takes, in bytes."""

    image: int
    file: int

    def of(self, kind: FileKind) -> int:
        return self.image if kind == IMAGE else self.file


def kind_for(content_type: str, kind: FileKind | None) -> FileKind:
    """The kind that was asked for, or the one that the type suggests. Any type may be sent as a file.

    Raises BadRequest for a type that is not taken, and for an image that is none.
    """
    if content_type not in TYPES:
        raise BadRequest("This content type is not taken")
    if kind == IMAGE and content_type not in IMAGE_TYPES:
        raise BadRequest("An image is one of " + ", ".join(IMAGE_TYPES))
    return kind or (IMAGE if content_type in IMAGE_TYPES else FILE)


def check_size(size: int, kind: FileKind, limits: SizeLimits) -> None:
    """Raises TooLarge, BadRequest for a file of nothing."""
    if size < 1:
        raise BadRequest("An empty file can't be uploaded")
    limit = limits.of(kind)
    if size > limit:
        raise TooLarge(f"This may have at most {limit:,} bytes")
