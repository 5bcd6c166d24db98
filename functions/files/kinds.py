"""What bytes are: whether a file begins as its declared type does.

The declared type's mark has to stand at the very start. What else a file may be to others (a ZIP is read from its end,
a JPEG may carry a comment) does not matter: it is only ever handed out with the declared type.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from shared.domain.files import File

_MP4_AUDIO: Final = "audio/mp4"
_QUICKTIME: Final = "video/quicktime"
_ZIP: Final = "application/zip"

_ENTRY: Final = re.compile(rb"PK\x03\x04.{22}(..)..", re.DOTALL)
_FOLDERS: Final = ("word/", "xl/", "ppt/")
# What an Office file may begin with before it says which program's it is.
_COMMON: Final = ("[Content_Types].xml", "_rels/", "docProps/", "customXml/")

# Layer III of any version, then a bit rate and a sampling rate that exist.
_RATES: Final = bytes(16 * bits + low for bits in range(1, 15) for low in range(12))
_MP3_FRAME: Final = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + re.escape(_RATES) + rb"]")
# EBML's DocType (RFC 8794): its size, and then the name. Matroska's begins alike.
_WEBM: Final = re.compile(rb"\x1a\x45\xdf\xa3.{1,200}?\x42\x82.{1,8}?webm", re.DOTALL)

_GENERAL_BRAND: Final = re.compile(rb"iso[m2-9a-z]|mp4[12]|avc1|dash|mmp4|3g[egp2].", re.DOTALL)
_AUDIO_BRANDS: Final = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
_VIDEO_BRANDS: Final = frozenset({b"M4V ", b"M4VH", b"M4VP", b"F4V "})
_QUICKTIME_BRAND: Final = b"qt  "
# HEIC, AVIF and JPEG 2000: told from films by nothing else.
_PICTURE_BRAND: Final = re.compile(rb"he[iv][cmsx]|mi[fa][1f]|msf1|avi[fs]|crx |jp[2xm] |jpeg")
_QUICKTIME_BOXES: Final = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_BOX_HEADER: Final = 8
# To the end of the file; and a longer size follows.
_SPECIAL_LENGTHS: Final = frozenset({0, 1})
_BRANDS_END: Final = 256

# What stands for nothing in Windows-1252, which holds Latin-1: most controls, and five bytes that were left free.
_NO_LATIN: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x81\x8d\x8f\x90\x9d]")
_MARKUP_CHARS: Final = 4_096
# Pages, pictures and programs that are written as text. A "<" alone is none: logs of chats are full of "<alice> hello".
_MARKUP: Final = re.compile(
    r"""
    \#! | @echo\b | %PDF- | %!PS | \{\\rtf
    | <[!?%]
    | <(?:html|head|title|meta|link|base|style|script|body|iframe|frameset|object|embed|svg|math|xml|xsl:\w+
        |h[1-6]|div|span|p|a|b|br|hr|img|table|form|input|button|font|center|video|audio)(?=[\s/>])
    | <[a-z][\w:.-]*\s[^<>]*=
    | <[a-z][\w:.-]*(?:\s[^<>]*)?>\s*<[a-z/!?]
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_as_declared(file: File, head: bytes) -> bool:
    """Whether `head`, all of the file or its beginning, is what such a file begins with. False for types unheard of."""
    check = _CHECKS.get(file.content_type)
    return check is not None and check(file, head)


def _is_marked(name: str, length: int, _file: File, head: bytes) -> bool:
    """Whether puremagic finds its mark `name` of `length` bytes: some of its marks are too short, like RIFF alone."""
    import puremagic  # noqa: PLC0415  # reads its list of marks, and text needs none of them

    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):  # nothing that it knows; nothing at all
        return False
    marks = [mark.byte_match for mark in found if mark.mime_type == name]
    return any(len(mark) == length and head.startswith(mark) for mark in marks)


def _is_mp3(file: File, head: bytes) -> bool:
    """ID3 before the frames, or a frame at once."""
    return _is_marked("audio/mpeg", 3, file, head) or _MP3_FRAME.match(head) is not None


def _is_film(file: File, head: bytes) -> bool:
    """ISO base media (MP4, M4A) by its brands; QuickTime also as it was before there were any."""
    declared, length = file.content_type, int.from_bytes(head[:4])
    if head[4:8] != b"ftyp":
        fits = length in _SPECIAL_LENGTHS or _BOX_HEADER <= length <= file.size
        return declared == _QUICKTIME and head[4:8] in _QUICKTIME_BOXES and fits
    major = head[8:12]
    if declared == _QUICKTIME or major == _QUICKTIME_BRAND:
        return declared == _QUICKTIME and major == _QUICKTIME_BRAND
    if major in _AUDIO_BRANDS or major in _VIDEO_BRANDS:
        return (declared == _MP4_AUDIO) == (major in _AUDIO_BRANDS)
    compatible = head[16 : min(length, _BRANDS_END)]
    brands = [major, *(compatible[at : at + 4] for at in range(0, len(compatible), 4))]
    return not _PICTURE_BRAND.fullmatch(major) and any(_GENERAL_BRAND.fullmatch(brand) for brand in brands)


def _is_office(folder: str, file: File, head: bytes) -> bool:
    """Whose it is says the first entry in a program's folder, unless that comes too late to be seen."""
    if not _is_marked(_ZIP, 4, file, head):
        return False
    names = list(_entries(head))
    for name in names:
        for known in _FOLDERS:
            if name.startswith(known):
                return known == folder
    return bool(names) and all(name.startswith(_COMMON) for name in names)


def _entries(head: bytes) -> Iterator[str]:
    """The names of a ZIP's entries, as far as `head` shows them."""
    for entry in _ENTRY.finditer(head):
        length = int.from_bytes(entry[1], "little")
        yield head[entry.end() : entry.end() + length].decode(errors="replace")


def _is_text(file: File, head: bytes) -> bool:
    """UTF-8, UTF-16 that says so, or Latin-1 and its like, without NULs, and nothing that is a page or a program."""
    utf_16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16" if utf_16 else "utf-8-sig")()
    try:
        text = decoder.decode(head, final=len(head) >= file.size)
    except UnicodeDecodeError:
        if utf_16 or head.startswith(codecs.BOM_UTF8) or _NO_LATIN.search(head):
            return False
        text = head.decode("latin-1")
    return "\0" not in text and not _MARKUP.match(text.lstrip()[:_MARKUP_CHARS])


_OPENXML: Final = "application/vnd.openxmlformats-officedocument."
_CHECKS: Final[Mapping[str, Callable[[File, bytes], bool]]] = {
    "image/jpeg": partial(_is_marked, "image/jpeg", 3),
    "image/png": partial(_is_marked, "image/png", 8),
    "image/gif": partial(_is_marked, "image/gif", 6),
    "image/webp": partial(_is_marked, "image/webp", 12),
    "application/pdf": partial(_is_marked, "application/pdf", 4),
    _ZIP: partial(_is_marked, _ZIP, 4),
    f"{_OPENXML}wordprocessingml.document": partial(_is_office, "word/"),
    f"{_OPENXML}spreadsheetml.sheet": partial(_is_office, "xl/"),
    f"{_OPENXML}presentationml.presentation": partial(_is_office, "ppt/"),
    "text/plain": _is_text,
    "text/csv": _is_text,
    "audio/mpeg": _is_mp3,
    "audio/ogg": partial(_is_marked, "audio/ogg", 4),
    "audio/wav": partial(_is_marked, "audio/wave", 12),
    _MP4_AUDIO: _is_film,
    "video/mp4": _is_film,
    _QUICKTIME: _is_film,
    **dict.fromkeys(("audio/webm", "video/webm"), lambda _, head: _WEBM.match(head) is not None),
}
