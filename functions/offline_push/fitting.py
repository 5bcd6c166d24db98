"""Shortens what a push shows to what a provider takes, without breaking a character."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from typing import Final

ELLIPSIS: Final = "…"
_JOINER: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})


class DoesNotFit(ValueError):
    """It is too large even without the text that can be shortened."""


def fit(text: str | None, size: Callable[[str | None], int], *, limit: int) -> str | None:
    """The text, or as much of its beginning as `size(text)` lets through, with an ellipsis; None if nothing does.

    `size` is what the whole takes with a text in it, in bytes, and a longer text takes no less. What a reader sees as
    one character stays whole: letters with their accents, flags, emoji of several parts. Raises DoesNotFit.
    """
    if size(text) <= limit:
        return text
    if text is not None:
        ends = _ends(text[: limit + 1])  # no character takes less than a byte
        fitting = bisect_right(ends, limit, key=lambda end: size(_shortened(text, end)))
        if fitting:
            return _shortened(text, ends[fitting - 1])
    if size(None) <= limit:
        return None
    raise DoesNotFit


def _shortened(text: str, end: int) -> str:
    return text[:end].rstrip() + ELLIPSIS


def _ends(text: str) -> list[int]:
    """Where the text can be cut, in ascending order."""
    ends = []
    flag_letters = 0
    for index, character in enumerate(text):
        following = text[index + 1 : index + 2]
        flag_letters = flag_letters + 1 if _is_flag_letter(character) else 0
        half_a_flag = flag_letters % 2 == 1 and _is_flag_letter(following)
        if not (half_a_flag or character == _JOINER or _belongs_to_previous(following)):
            ends.append(index + 1)
    return ends


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _belongs_to_previous(character: str) -> bool:
    """The usual cases of Unicode's grapheme clusters: marks, joined emoji, skin tones, tags, Hangul's later parts."""
    return character != "" and (
        unicodedata.category(character) in _MARKS
        or character in (_JOINER, "\u200c")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
        or "\u1160" <= character <= "\u11ff"
    )
