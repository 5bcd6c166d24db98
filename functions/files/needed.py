"""What of an image is needed to show it. Everything else is taken out before a decoder sees it.

Texts, colour profiles, previews and application data can be larger than decoders let them be, or broken in ways that
decoders don't forgive, and show nothing here. So no limit of a library on such parts decides about an image: what is
taken out is never unpacked, and costs one copy of the bytes.
"""

from __future__ import annotations

import re
from typing import Final

_PNG: Final = b"\x89PNG\r\n\x1a\n"
# A chunk is its length, its name, so many bytes, and a checksum of four.
_FRAME: Final = 12
# A name whose first letter is small belongs to a part that is not needed to decode (PNG, 5.4); these two are looked at.
_SMALL: Final = 0x20
_LOOKED_AT: Final = frozenset({b"tRNS", b"eXIf"})
_CHUNK_NAME: Final = re.compile(rb"[A-Za-z]{4}")

_SOI: Final = b"\xff\xd8"
_EXIF: Final = b"Exif\0\0"
_APP0, _APP1, _APP14, _APP15, _COM = 0xE0, 0xE1, 0xEE, 0xEF, 0xFE
# Tables and the frame's header come before the first scan; from there on everything stays as it is.
_TABLES: Final = frozenset({0xDB, 0xDD, *range(0xC0, 0xD0)} - {0xC8})


def needed(data: bytes, content_type: str) -> bytes:
    """The image without the parts that show nothing. From the first byte that is no such part on it stays as it is."""
    if content_type == "image/png" and data.startswith(_PNG):
        return _of_png(data)
    if content_type == "image/jpeg" and data.startswith(_SOI):
        return _of_jpeg(data)
    return data


def _of_png(data: bytes) -> bytes:
    kept, at = [_PNG], len(_PNG)
    while at + _FRAME <= len(data):
        name = data[at + 4 : at + 8]
        end = at + _FRAME + int.from_bytes(data[at : at + 4])
        if end > len(data) or not _CHUNK_NAME.fullmatch(name):
            break
        if not name[0] & _SMALL or name in _LOOKED_AT:
            kept.append(data[at:end])
        at = end
    return b"".join((*kept, data[at:]))


def _of_jpeg(data: bytes) -> bytes:
    kept, at = [_SOI], len(_SOI)
    while at + 4 <= len(data) and data[at] == 0xFF:  # noqa: PLR2004  # how every marker begins
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4])
        is_application = _APP0 <= marker <= _APP15 or marker == _COM
        if end > len(data) or not (is_application or marker in _TABLES):
            break
        is_exif = marker == _APP1 and data.startswith(_EXIF, at + 4)
        if not is_application or marker in {_APP0, _APP14} or is_exif:
            kept.append(data[at:end])
        at = end
    return b"".join((*kept, data[at:]))
