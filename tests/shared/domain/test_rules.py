"""The rules of the chat that need no conversation."""

from __future__ import annotations

import pytest

from shared.domain.rules import check_emoji, check_name, check_shows
from shared.errors import BadRequest

FILLERS = [
    "\u034f",  # a joiner of graphemes
    "\u115f\u1160\u3164\uffa0",  # Hangul's fillers, which are letters
    "\u17b4\u17b5",  # Khmer's inherent vowels
    "\u180b",
    "\u2800",  # braille without a dot
    "\ufe0e\ufe0f",
    "\U000e0100\U000e01ef",
    " \u3164\u200b\ufe0f\n",
]


@pytest.mark.parametrize("text", FILLERS, ids=ascii)
def test_text_that_shows_nothing_is_blank_whatever_unicode_calls_it(text: str) -> None:
    with pytest.raises(BadRequest):
        check_shows(text, None)
    with pytest.raises(BadRequest):
        check_name(text)
    with pytest.raises(BadRequest):
        check_emoji(text)
    check_shows(f"{text}x", None)


@pytest.mark.parametrize(
    "emoji", ["\u2764\ufe0f", "1\ufe0f\u20e3", "\U0001f468\u200d\U0001f469", "\u1100\u1161"], ids=ascii
)
def test_what_is_shown_with_their_help_is_not(emoji: str) -> None:
    check_emoji(emoji)
    check_shows(emoji, None)
