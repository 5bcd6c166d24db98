"""What is uploaded: a file on disk, an open one, or bytes; and the form that it goes out in."""

from __future__ import annotations

import io
import mimetypes
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from parley_client.errors import ParleyError

CHUNK: Final = 65_536
# As the server writes them; what a system's own tables say differs.
_TYPES: Final = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
}


@dataclass(frozen=True, slots=True)
class Source:
    """`size` bytes of `stream`, from where it stands."""

    stream: BinaryIO
    size: int
    name: str | None


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form with the bytes as its last part: what goes before and after them."""

    content_type: str
    before: bytes
    after: bytes

    def length(self, size: int) -> int:
        return len(self.before) + size + len(self.after)


@contextmanager
def opened(source: Path | bytes | BinaryIO) -> Iterator[Source]:
    """What is opened here is closed here, too. Raises OSError, and ParleyError for a stream of unknown length."""
    if isinstance(source, bytes):
        yield Source(io.BytesIO(source), len(source), None)
    elif isinstance(source, Path):
        with source.open("rb") as stream:
            yield Source(stream, os.fstat(stream.fileno()).st_size, source.name)
    else:
        yield _of_stream(source)


def type_of(name: str) -> str:
    """The content type that a name suggests. Raises ParleyError where it suggests none."""
    guessed = _TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0]
    if guessed is None:
        raise ParleyError("bad_request", "The name does not say what the file is: give its content_type")
    return guessed


def form_of(fields: Mapping[str, str], content_type: str) -> Form:
    """The fields as they are, and the file after them: what comes behind it would not count."""
    boundary = secrets.token_hex(24)
    parts = [f"{_part(boundary, name)}\r\n\r\n{value}\r\n" for name, value in fields.items()]
    file = f'{_part(boundary, "file")}; filename="file"\r\nContent-Type: {content_type}\r\n\r\n'
    before = "".join((*parts, file)).encode()
    return Form(f"multipart/form-data; boundary={boundary}", before, f"\r\n--{boundary}--\r\n".encode())


def chunks(source: Source) -> Iterator[bytes]:
    """Exactly `size` bytes. Raises ParleyError where there are fewer by now."""
    left = source.size
    while left:
        chunk = source.stream.read(min(CHUNK, left))
        if not chunk:
            raise ParleyError("bad_request", "The file became shorter while it was uploaded")
        left -= len(chunk)
        yield chunk


def _of_stream(stream: BinaryIO) -> Source:
    try:
        start = stream.tell()
        size = stream.seek(0, io.SEEK_END) - start
        stream.seek(start)
    except (OSError, AttributeError) as exc:
        raise ParleyError("bad_request", "How long a stream is has to be known first: give one that can seek") from exc
    name = getattr(stream, "name", None)
    return Source(stream, size, Path(name).name if isinstance(name, str) else None)


def _part(boundary: str, name: str) -> str:
    quoted = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{quoted}"'
