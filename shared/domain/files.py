"""Files that users send each other: what is known of one beside its bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from shared.domain.text import is_file_name, without_unprintable
from shared.errors import BadRequest, TooLarge

FileKind = Literal["image", "audio", "video", "file"]
IMAGE: Final[FileKind] = "image"
AUDIO: Final[FileKind] = "audio"
VIDEO: Final[FileKind] = "video"
FILE: Final[FileKind] = "file"
KINDS: Final = frozenset({IMAGE, AUDIO, VIDEO, FILE})

FileStatus = Literal["pending", "ready", "rejected", "deleted"]
PENDING: Final[FileStatus] = "pending"
READY: Final[FileStatus] = "ready"
REJECTED: Final[FileStatus] = "rejected"
DELETED: Final[FileStatus] = "deleted"
Rejection = Literal["wrong_size", "wrong_type", "not_decodable", "too_many_pixels"]
"""Why a file was rejected. Clients read these."""
# Of all of a user's files together, in bytes, where a deployment says nothing else.
QUOTA: Final = 5 * 1_024**3
IMAGE_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
# What browsers and phones record, and what is passed around.
AUDIO_TYPES: Final = ("audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav", "audio/webm")
VIDEO_TYPES: Final = ("video/mp4", "video/webm", "video/quicktime")
# Nothing that a browser would run: no HTML, no SVG, and nothing that could be anything.
FILE_TYPES: Final = (
    *("application/pdf", "application/zip"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    *("text/plain", "text/csv"),
    *AUDIO_TYPES,
    *VIDEO_TYPES,
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
    **dict.fromkeys(("audio/x-webm",), "audio/webm"),
    **dict.fromkeys(("audio/x-wav", "audio/wave", "audio/vnd.wave", "audio/x-pn-wav"), "audio/wav"),
    **dict.fromkeys(("video/x-mp4", "video/m4v", "video/x-m4v"), "video/mp4"),
    **dict.fromkeys(("video/x-webm",), "video/webm"),
    **dict.fromkeys(("video/x-quicktime", "video/mov", "video/x-mov"), "video/quicktime"),
}
MAX_NAME_BYTES: Final = 255
MAX_DURATION_MS: Final = 24 * 60 * 60 * 1_000
# As many bars as a voice note shows, each 0 to 100.
MAX_WAVEFORM: Final = 128
LOUDEST: Final = 100
# An extension that is longer is none, and is cut like the rest of the name.
_MAX_EXTENSION_BYTES: Final = 32
# Direction marks make "gpj.exe" read "exe.jpg".
_DIRECTIONS: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PATH: Final = re.compile(r"[/\\]")
_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class File:
    """One file. `content_type` and `size` (bytes) are as its owner declared them, and as the upload is held to.

    `expires_at` (ms) is until when it can be uploaded. `reason` says why it was rejected. `width` and `height` are an
    image's as it is to be shown, after its orientation. `duration_ms` and `waveform` (bars of 0 to 100) are a sound's
    or a film's, as its owner says. `references` counts the messages that have it now.
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
    reason: Rejection | None = None
    width: int | None = None
    height: int | None = None
    has_thumbnail: bool = False
    references: int = 0
    duration_ms: int | None = None
    waveform: tuple[int, ...] = ()

    @property
    def media(self) -> str | None:
        """What a message shows of it before anybody fetches it, as JSON; None for nothing."""
        said = {} if self.duration_ms is None else {"duration_ms": self.duration_ms}
        shown = said | ({"waveform": list(self.waveform)} if self.waveform else {})
        return json.dumps(shown, separators=(",", ":")) if shown else None


@dataclass(frozen=True, slots=True)
class NewFile:
    """What a client wants to upload, its type by any name. `size` is in bytes; without a `kind` the type decides."""

    owner_id: str
    name: str
    content_type: str
    size: int
    kind: FileKind | None = None
    duration_ms: int | None = None
    waveform: tuple[int, ...] = ()


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

    reason: Rejection | None = None
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """What a deployment takes, in bytes. `quota` is of all files of one user together."""

    image: int
    file: int
    quota: int = QUOTA

    def of(self, kind: FileKind) -> int:
        return self.image if kind == IMAGE else self.file


def announced(asked: NewFile, limits: SizeLimits, *, file_id: str, now: int, expires_at: int) -> File:
    """The file that a client announces. Raises BadRequest (name, type, empty) and TooLarge."""
    content_type = canonical(asked.content_type)
    kind = kind_for(content_type, asked.kind)
    check_size(asked.size, kind, limits)
    _check_media(asked, kind)
    return File(
        file_id,
        asked.owner_id,
        kind,
        clean_name(asked.name),
        content_type,
        asked.size,
        now,
        expires_at,
        duration_ms=asked.duration_ms,
        waveform=asked.waveform,
    )


def _check_media(asked: NewFile, kind: FileKind) -> None:
    """Raises BadRequest for a duration of what has none, and for what is no waveform of a sound."""
    if asked.duration_ms is not None and kind not in {AUDIO, VIDEO}:
        raise BadRequest("Only audio and video have a `duration_ms`")
    if asked.duration_ms is not None and not 0 <= asked.duration_ms <= MAX_DURATION_MS:
        raise BadRequest(f"A duration is 0 to {MAX_DURATION_MS:,} ms")
    if asked.waveform and kind != AUDIO:
        raise BadRequest("Only audio has a `waveform`")
    if len(asked.waveform) > MAX_WAVEFORM or not all(0 <= bar <= LOUDEST for bar in asked.waveform):
        raise BadRequest(f"A waveform has at most {MAX_WAVEFORM} bars of 0 to {LOUDEST}")


def canonical(content_type: str) -> str:
    """The type on the list that is meant, without parameters and aliases. Raises BadRequest, naming the list."""
    plain = content_type.partition(";")[0].strip(" \t").lower()
    known = ALIASES.get(plain, plain)
    if known not in TYPES or not content_type.isascii():
        raise BadRequest("This content type is not taken. Those that are: " + ", ".join(TYPES))
    return known


_TYPES_OF: Final[dict[FileKind, tuple[str, ...]]] = {IMAGE: IMAGE_TYPES, AUDIO: AUDIO_TYPES, VIDEO: VIDEO_TYPES}


def kind_for(content_type: str, kind: FileKind | None) -> FileKind:
    """The kind that was asked for, or that a canonical type suggests: an image or a file.

    Raises BadRequest for an image, a sound or a film that is none.
    """
    if kind in _TYPES_OF and content_type not in _TYPES_OF[kind]:
        raise BadRequest(f"{kind} is one of " + ", ".join(_TYPES_OF[kind]))
    return kind or (IMAGE if content_type in IMAGE_TYPES else FILE)


def check_size(size: int, kind: FileKind, limits: SizeLimits) -> None:
    """Raises TooLarge, BadRequest for a file of nothing."""
    if size < 1:
        raise BadRequest("An empty file can't be uploaded")
    limit = limits.of(kind)
    if size > limit:
        raise TooLarge(f"This may have at most {limit:,} bytes")


def clean_name(name: str) -> str:
    """The last part of the name, at most 255 bytes with its extension. Raises BadRequest where nothing is left."""
    last = _PATH.split(name)[-1]
    shown = "".join(one for one in without_unprintable(last) if one not in _DIRECTIONS)
    cut = _cut(shown.strip())
    if not is_file_name(cut):
        raise BadRequest("A file needs a name")
    return cut


def content_disposition(name: str, *, attachment: bool) -> str:
    """The header's value (RFC 6266): a name for everyone who reads ASCII, and the real one for everyone else."""
    fallback = _NOT_ASCII.sub("_", name).replace("\\", "\\\\").replace('"', '\\"')
    # What may stand unescaped in an extended value (RFC 8187) beside letters and digits.
    extended = quote(name, safe="!#$&+-.^_`|~")
    return f"{'attachment' if attachment else 'inline'}; filename=\"{fallback}\"; filename*=UTF-8''{extended}"


def _cut(name: str) -> str:
    if len(name.encode()) <= MAX_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    kept = f"{dot}{extension}".encode()
    if not stem or len(kept) > _MAX_EXTENSION_BYTES:
        return _first(name, MAX_NAME_BYTES)
    return _first(stem, MAX_NAME_BYTES - len(kept)) + kept.decode()


def _first(text: str, size: int) -> str:
    """As many whole characters as fit into `size` bytes, without blanks at the end."""
    return text.encode()[:size].decode(errors="ignore").rstrip()
