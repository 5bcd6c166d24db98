"""Names under which downloads are saved: what others called a file decides no place, and does no harm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Room for " (2)" and the like in the 255 bytes that file systems give a name.
_MAX_BYTES: Final = 240
_MAX_SUFFIX_BYTES: Final = 32
# Controls, line breaks, halves of surrogate pairs, noncharacters, and marks of direction.
_DROPPED: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    r"\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]"
)
_PATH: Final = re.compile(r"[/\\]")
# A colon names a stream of a file on Windows; the others are not allowed there.
_RESERVED: Final = re.compile(r'[<>:"|?*]')
# Devices, on Windows, whatever the extension.
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\.|$)", re.IGNORECASE)
_OTHERWISE: Final = "file"


def safe_name(name: str) -> str:
    """One that is a single part of a path on every system, is not hidden, and is no device: never empty."""
    last = _PATH.split(name)[-1]
    plain = _trimmed(_RESERVED.sub("_", _DROPPED.sub("", last)))
    if plain.startswith("."):
        plain = "_" + plain[1:]
    if _DEVICES.match(plain):
        plain = "_" + plain
    plain = _cut(plain)
    return plain if plain.strip("._ ") else _OTHERWISE


def candidates(folder: Path, name: str) -> Iterator[Path]:
    """Where to save a file called that, safely: "cat.png", then "cat (2).png", and so on without an end."""
    plain = Path(safe_name(name))
    yield folder / plain
    number = 2
    while True:
        yield folder / f"{plain.stem} ({number}){plain.suffix}"
        number += 1


def _trimmed(name: str) -> str:
    """Windows drops dots and blanks at the end, and names would be the same that are not."""
    return name.strip().rstrip(". ")


def _cut(name: str) -> str:
    if len(name.encode()) <= _MAX_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    kept = f"{dot}{suffix}".encode()
    if not stem or len(kept) > _MAX_SUFFIX_BYTES:
        stem, kept = name, b""
    return _trimmed(stem.encode()[: _MAX_BYTES - len(kept)].decode(errors="ignore") + kept.decode())
