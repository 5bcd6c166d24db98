"""Names of files: safe to store and to save under, and still what people called them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from shared.domain.text import is_file_name, without_unprintable
from shared.errors import BadRequest

MAX_NAME_BYTES: Final = 255
# An extension that is longer is none, and is cut like the rest of the name.
_MAX_EXTENSION_BYTES: Final = 32
# Direction marks make "gpj.exe" read "exe.jpg".
_DIRECTIONS: Final = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_PATH: Final = re.compile(r"[/\\]")
_NOT_ASCII: Final = re.compile(r"[^\x20-\x7e]")


def clean_name(name: str) -> str:
    """What a file is called from now on: at most 255 bytes of UTF-8, with its extension where there is room for that.

    Of a path the last part counts. Raises BadRequest where nothing that shows is left, or only dots.
    """
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
