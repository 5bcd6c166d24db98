"""What counts as text: the same in every runtime, whatever its tables of characters know."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from parley_client.filenames import safe_name
from parley_client.terminal import harmless

from shared.domain.contacts import Profile
from shared.domain.files import clean_name
from shared.domain.rules import check_emoji, check_name, check_shows
from shared.domain.text import is_blank, is_emoji, is_label
from shared.errors import BadRequest
from shared.operations.contacts import UpdateContact, check_profile, update_contact
from shared.operations.notifications import NotificationRequest, check_notification
from tests.stores import simulated
from tests.wiring import parts

ROOT = Path(__file__).parents[3]
ALL = range(sys.maxunicode + 1)
NONCHARACTERS = {*range(0xFDD0, 0xFDF0), *(plane << 16 | low for plane in range(17) for low in (0xFFFE, 0xFFFF))}
# Formats of Arabic and other numerals, and an abbreviation's line, which show.
SHOWN_FORMATS = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
# Formats, fillers and what is reserved for them, which an older runtime does not know.
RESERVED = {0x180F, 0x2065, *range(0xFFF0, 0xFFF9), *range(0x13430, 0x13443), 0x16FE4, *range(0xE0000, 0xE1000)}
RESERVED |= {0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800, 0x1D159}
NEWER = ["\U0001fae9", "\U0001fadf", "\U0001facd", "\U0001f6d8", "\U0001faef", "\U0003fffd", "\u0378", "\U0001cc00"]
BLANK = ["", " ", "\t\n", "\u200b", "\u2800", "\u3164", "\u00ad", "\u2060", "\ufeff", "\u180e", "\u034f", "\ufe0f"]
BLANK += ["\u115f\u1160", "\uffa0", "\U000e0020", "\U000e01ef", "\u2028", "\u0085", "\u061c", "\U00013441", " \u3164\n"]


def named(text: str) -> None:
    check_name(text)


def displayed(text: str) -> None:
    check_profile(Profile(display_name=text))


def aliased(text: str) -> None:
    stores = simulated()
    stores.know("alice", "bob")
    update_contact(UpdateContact("alice", "bob", alias=text, rename=True), **parts(stores, 2))


def titled(text: str) -> None:
    check_notification(NotificationRequest(["alice"], text))


def called(text: str) -> None:
    clean_name(text)


def said(text: str) -> None:
    check_shows(text, None)


EVERYWHERE = pytest.mark.parametrize("check", [said, named, displayed, aliased, titled, called, check_emoji])
LABELS = pytest.mark.parametrize("check", [named, displayed, aliased, titled])


@EVERYWHERE
@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_what_is_blank_is_blank_everywhere(check: Callable[[str], None], text: str) -> None:
    with pytest.raises(BadRequest):
        check(text)


@EVERYWHERE
@pytest.mark.parametrize("text", NEWER, ids=ascii)
def test_what_no_runtime_knows_yet_is_taken_everywhere(check: Callable[[str], None], text: str) -> None:
    check(text)


@LABELS
@pytest.mark.parametrize(
    "text", ["a\0b", "a\nb", "a\x1b[31m", "a\u0085", "a\u2028b", "a\ufdd0", "a\U0010ffff", "a\ud800"]
)
def test_a_name_is_one_line_of_text(check: Callable[[str], None], text: str) -> None:
    with pytest.raises(BadRequest):
        check(text)


def test_a_name_that_was_taken_once_stays_good_while_something_else_is_changed() -> None:
    stored = Profile(display_name="\u3164")
    check_profile(Profile(display_name="\u3164", previews=False), stored=stored)
    with pytest.raises(BadRequest):
        check_profile(Profile(display_name="\u200b"), stored=stored)


@pytest.mark.parametrize(
    "emoji", ["/", "a/b", '"', "'", "\\", ".", "..", "a b", "a\u00a0b", "\ufffd", "\U0001f44d\uffff"]
)
def test_what_a_path_or_a_string_can_t_carry_is_no_emoji(emoji: str) -> None:
    with pytest.raises(BadRequest):
        check_emoji(emoji)
    check_emoji(emoji, is_there=True)  # it may have been put there once


@pytest.mark.parametrize("emoji", [":+1:", "<3", "100%", "?", "#1", "...", "a;b", "\u00bd", "^_^", "`", "{}", "~"])
def test_other_signs_are(emoji: str) -> None:
    check_emoji(emoji)


def test_a_character_alone_is_blank_exactly_where_it_shows_nothing() -> None:
    """By what this runtime knows of it."""
    for code in ALL:
        character = chr(code)
        category = unicodedata.category(character)
        nothing = category in {"Zs", "Zl", "Zp", "Cc", "Cs"} or code in NONCHARACTERS
        nothing = nothing or (category == "Cf" and code not in SHOWN_FORMATS)
        if nothing:
            assert is_blank(character), hex(code)
        elif category == "Cn" and code not in RESERVED:
            assert is_emoji(character), hex(code)
            assert is_label(character), hex(code)
        elif category[0] in "LNS" and code not in RESERVED:
            assert not is_blank(character), hex(code)


def test_no_verdict_rests_on_what_a_runtime_knows_of_unicode() -> None:
    asks = "unicodedata|isprintable|isspace|isalnum|isalpha"
    where = ["shared", "functions", "clients/python/src", "local"]
    command = ["git", "grep", "-lE", rf"\b({asks})\b", "--", *[f"{one}/*.py" for one in where]]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    # Where a text is cut, and how names are compared in a search: that refuses and hides nothing. And what a list of
    # words finds: that can be no better than what is known of letters.
    cut = {"functions/offline_push/providers.py", "shared/operations/push/letters.py"}
    assert set(found) == cut | {"shared/domain/users.py", "shared/domain/words.py"}


@pytest.mark.parametrize("text", [*NEWER, "\U0001f3f4\U000e0067\U000e007f", "\u0645\u200c\u06cc"], ids=ascii)
def test_the_client_shows_and_saves_what_its_python_does_not_know(text: str) -> None:
    assert (harmless(text), safe_name(text)) == (text, text)


@pytest.mark.parametrize("text", ["\x1b", "\x9b", "\u202e", "\u2066", "\ud800", "\ufdd0", "\u200f", "\r"], ids=ascii)
def test_and_nothing_that_could_move_what_is_there(text: str) -> None:
    assert text not in harmless(f"a{text}b")
    assert safe_name(f"a{text}b") == "ab"
