"""What files are called: whatever is given, what is kept is short, harmless, and the same the second time."""

from __future__ import annotations

import re
import unicodedata
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain.files import MAX_NAME_BYTES, clean_name, content_disposition
from shared.errors import BadRequest

CAT = "\U0001f408\u200d\u2b1b"
NAMES = st.text(st.characters(codec=None, exclude_categories=())) | st.text(
    "ab./\\ \n\r\t\"'%\u202e\U0001f408", max_size=400
)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("cat.png", "cat.png"),
        ("/etc/passwd", "passwd"),
        ("../../cat.png", "cat.png"),
        ("C:\\Users\\alice\\cat.png", "cat.png"),
        ("a/b\\c/d.txt", "d.txt"),
        ("cat\r\nSet-Cookie: a=b.png", "catSet-Cookie: a=b.png"),
        ("c\x00at\x7f\x85\u2028\u2029.png", "cat.png"),
        ("  cat .png\t ", "cat .png"),
        (f'"{CAT}".png', f'"{CAT}".png'),
        ("\u202egnp.exe", "gnp.exe"),
        (".profile", ".profile"),
        ("cat..png", "cat..png"),
        ("\ud83dcat.png", "cat.png"),
        ("\u00e9t\u00e9.txt", "\u00e9t\u00e9.txt"),
    ],
)
def test_a_name_keeps_what_is_harmless(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@pytest.mark.parametrize(
    "name", ["", " ", ".", "..", " . .. ", "a/", "a\\..", "\r\n", "\x00", "\u200b", "\u202e.", "\ud83d"]
)
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        clean_name(name)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("x" * 255, "x" * 255),
        ("x" * 256, "x" * 255),
        ("x" * 252 + ".png", "x" * 251 + ".png"),
        ("x" * 300 + ".jpeg", "x" * 250 + ".jpeg"),
        ("\u00e9" * 200 + ".png", "\u00e9" * 125 + ".png"),
        ("\U0001f408" * 100, "\U0001f408" * 63),
        ("x" * 249 + " " * 9 + "y.png", "x" * 249 + ".png"),
        ("x" * 300 + "." + "y" * 32, "x" * 255),
        ("x" * 300 + "." + "y" * 31, "x" * 223 + "." + "y" * 31),
        ("." + "x" * 300, "." + "x" * 254),
    ],
)
def test_a_long_name_is_cut_and_keeps_its_extension_where_it_can(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@given(NAMES)
def test_whatever_is_given_what_is_kept_is_harmless(name: str) -> None:
    try:
        kept = clean_name(name)
    except BadRequest:
        assume(False)
    assert 1 <= len(kept.encode()) <= MAX_NAME_BYTES
    assert not set(kept) & {"/", "\\"}
    assert not {unicodedata.category(one) for one in kept} & {"Cc", "Cs", "Zl", "Zp"}
    assert (kept, kept.strip(".")) == (kept.strip(), kept.strip("."))
    assert kept.strip(". ")
    assert clean_name(kept) == kept


@given(NAMES, st.booleans())
def test_the_header_is_ascii_and_holds_the_name_and_nothing_else(name: str, attachment: bool) -> None:
    try:
        kept = clean_name(name)
    except BadRequest:
        assume(False)
    header = content_disposition(kept, attachment=attachment)
    assert re.fullmatch(r"[\x20-\x7e]+", header)
    parts = re.fullmatch(
        r"(inline|attachment); filename=\"((?:[^\"\\]|\\.)*)\"; filename\*=UTF-8''([^;\s\"']+)", header
    )
    assert parts is not None
    assert (parts[1] == "attachment") is attachment
    assert len(re.sub(r"\\(.)", r"\1", parts[2])) == len(kept)
    assert unquote(parts[3], errors="strict") == kept


@pytest.mark.parametrize("name", ["cat.png", f"\u00e9 {CAT} 100%.pdf", "a'b\u2019c.txt", "semi;colon.txt"])
def test_another_reader_of_such_headers_finds_the_name(name: str) -> None:
    message = Message()
    message["Content-Disposition"] = content_disposition(name, attachment=True).replace('filename="', 'ignored="')
    assert message.get_filename() == name


def test_the_fallback_is_quoted() -> None:
    header = content_disposition('a "b" \u00fc.txt', attachment=False)
    assert header == 'inline; filename="a \\"b\\" _.txt"; filename*=UTF-8\'\'a%20%22b%22%20%C3%BC.txt'
