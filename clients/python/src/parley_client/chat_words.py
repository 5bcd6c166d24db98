"""How the arguments of a command are read. Each raises WrongArgumentsError for what it can't read."""

from __future__ import annotations

from typing import Final

_QUOTES: Final = "\"'"
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
# Of a number; more of them name no message and no time.
_DIGITS: Final = 12


class WrongArgumentsError(Exception):
    """The command is used in another way: its usage says how."""


def word_and_rest(text: str) -> tuple[str, str]:
    """The first word, in quotes where it has blanks, and the rest as it was typed."""
    if text[:1] and text[0] in _QUOTES:
        word, closing, rest = text[1:].partition(text[0])
        if not closing:
            raise WrongArgumentsError
    else:
        word, _, rest = text.partition(" ")
    if not word:
        raise WrongArgumentsError
    return word, rest.strip()


def number_and_rest(text: str) -> tuple[int, str]:
    """The number of a message, as `12` or `#12`, and the rest."""
    word, rest = word_and_rest(text)
    return _number(word.removeprefix("#")), rest


def only_number(text: str) -> int:
    number, rest = number_and_rest(text)
    nothing(rest)
    return number


def only_word(text: str) -> str:
    word, rest = word_and_rest(text)
    nothing(rest)
    return word


def words(text: str) -> list[str]:
    """At least one."""
    found = text.split()
    if not found:
        raise WrongArgumentsError
    return found


def some(text: str) -> str:
    """Text, with or without quotes around all of it."""
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        text = text[1:-1].strip()
    if not text:
        raise WrongArgumentsError
    return text


def nothing(text: str) -> None:
    if text:
        raise WrongArgumentsError


def duration_ms(text: str) -> int:
    """How long "30s", "10m", "2h" or "1d" is."""
    unit = _UNITS_S.get(text[-1:])
    if unit is None:
        raise WrongArgumentsError
    return _number(text[:-1]) * unit * 1_000


def _number(digits: str) -> int:
    """From 1 on."""
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _DIGITS and int(digits)):
        raise WrongArgumentsError
    return int(digits)
