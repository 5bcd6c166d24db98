"""Texts are shortened to size, and no character that a reader sees is broken."""

from __future__ import annotations

import pytest

from functions.offline_push.providers import DoesNotFit, fit


def size(text: str | None) -> int:
    """As in a payload of 10 bytes without the text."""
    return 10 + len((text or "").encode())


def test_what_fits_stays_as_it_is() -> None:
    assert fit("hello", size, limit=15) == "hello"
    assert fit("", size, limit=10) == ""
    assert fit(None, size, limit=10) is None


def test_what_does_not_ends_in_an_ellipsis_and_fills_what_there_is() -> None:
    assert fit("hello world", size, limit=18) == "hello…"
    assert fit("x" * 1_000, size, limit=100) == "x" * 87 + "…"


def test_no_blank_is_left_before_the_ellipsis() -> None:
    assert fit("hello world", size, limit=19) == "hello…"


@pytest.mark.parametrize(
    "character",
    [
        "😀",
        "e\u0301\u0323",
        "👍🏽",
        "👩\u200d👩\u200d👧\u200d👦",
        "❤\ufe0f",
        "🇩🇪",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "\u1112\u1161\u11ab",
        "नि",
    ],
    ids=["emoji", "accents", "skin", "family", "variation", "flag", "tags", "hangul", "devanagari"],
)
def test_characters_of_several_parts_stay_whole(character: str) -> None:
    whole = character * 20
    for limit in range(14, size(whole)):
        text = fit(whole, size, limit=limit)
        if text is None:
            assert size(character + "…") > limit
        else:
            count, rest = divmod(len(text) - 1, len(character))
            assert (text, rest) == (character * count + "…", 0)
            assert size(text) <= limit < size(character * (count + 1) + "…")


def test_a_text_that_does_not_fit_at_all_is_left_out() -> None:
    assert fit("😀😀", size, limit=12) is None


def test_too_much_without_the_text_is_an_error() -> None:
    with pytest.raises(DoesNotFit):
        fit("x", size, limit=9)
    with pytest.raises(DoesNotFit):
        fit(None, size, limit=9)


def test_a_huge_text_is_not_looked_at_to_its_end() -> None:
    asked: list[int] = []

    def measured(text: str | None) -> int:
        asked.append(len(text or ""))
        return size(text)

    fit("ä" * 1_000_000, measured, limit=4_096)
    assert len(asked) < 20
    assert sorted(asked)[-2] < 5_000  # all but the first question
