"""What can be uploaded: the types, and how large each kind may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.domain.files import FILE, IMAGE, FileKind
from shared.errors import BadRequest, TooLarge
from shared.ports.files import QUOTA

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
# What systems and browsers call the same types, beside their names (Windows, older Macs, libraries of MIME types).
ALIASES: Final = {
    **dict.fromkeys(("image/jpg", "image/pjpeg", "image/x-jpeg", "image/x-jpg", "image/jfif"), "image/jpeg"),
    **dict.fromkeys(("image/x-png", "image/apng"), "image/png"),
    **dict.fromkeys(("image/x-gif",), "image/gif"),
    **dict.fromkeys(("image/x-webp",), "image/webp"),
    **dict.fromkeys(("application/x-pdf", "application/acrobat", "text/pdf", "text/x-pdf"), "application/pdf"),
    **dict.fromkeys(
        ("application/x-zip-compressed", "application/x-zip", "application/zip-compressed", "multipart/x-zip"),
        "application/zip",
    ),
    **dict.fromkeys(("text", "text/x-log", "text/x-plain", "application/txt"), "text/plain"),
    **dict.fromkeys(("application/csv", "application/x-csv", "text/x-csv", "text/comma-separated-values"), "text/csv"),
    **dict.fromkeys(
        ("audio/mp3", "audio/x-mp3", "audio/x-mpeg", "audio/mpeg3", "audio/x-mpeg-3", "audio/mpg"), "audio/mpeg"
    ),
    **dict.fromkeys(("audio/m4a", "audio/x-m4a", "audio/x-mp4"), "audio/mp4"),
    **dict.fromkeys(("audio/x-ogg", "application/ogg", "audio/vorbis", "audio/opus"), "audio/ogg"),
    **dict.fromkeys(("audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav"), "audio/wav"),
    **dict.fromkeys(("video/x-mp4", "video/m4v", "video/x-m4v"), "video/mp4"),
    **dict.fromkeys(("video/x-webm",), "video/webm"),
    **dict.fromkeys(("video/x-quicktime", "video/mov", "video/x-mov"), "video/quicktime"),
}


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """What a deployment takes, in bytes. `quota` is of all files of one user together."""

    image: int
    file: int
    quota: int = QUOTA

    def of(self, kind: FileKind) -> int:
        return self.image if kind == IMAGE else self.file


def canonical(content_type: str) -> str:
    """The type on the list that is meant: without parameters, in small letters, and not by an alias.

    Raises BadRequest for any other, which names the list.
    """
    plain = content_type.partition(";")[0].strip(" \t").lower()
    known = ALIASES.get(plain, plain)
    if known not in TYPES or not content_type.isascii():
        raise BadRequest("This content type is not taken. Those that are: " + ", ".join(TYPES))
    return known


def kind_for(content_type: str, kind: FileKind | None) -> FileKind:
    """The kind that was asked for, or the one that a canonical type suggests. Any type may be sent as a file.

    Raises BadRequest for an image that is none.
    """
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
