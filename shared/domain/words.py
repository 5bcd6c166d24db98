"""Lists of words that a deployment does not want in messages, and how they are found.

Texts and words are compared as words, not as strings: compatibility forms are taken apart, case is folded, and what
shows nothing is left out. A word is found where it stands alone; `*` at one of its ends stands for any more of a word.
Signs that a listed word begins or ends with (`a$$`, `c++`) have to stand there: it would be found in any `a` and `c`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Literal

from shared.domain.text import is_ignorable

MAX_LISTS: Final = 20
MAX_WORDS: Final = 1_000
MAX_WORD_CHARACTERS: Final = 100
_ANY: Final = "*"
# What is written for a letter, or as a part of a name; with currencies, mathematical and other symbols. Other
# punctuation stands beside words.
_SIGNS: Final = frozenset("#%&@")
_SIGN_CATEGORIES: Final = frozenset(("Sc", "Sm", "So"))

Action = Literal["block", "hold", "mask"]
"""What is done with a message that has one of the words: it is refused, kept for review, or shown with stars."""
BLOCK: Final = "block"
HOLD: Final = "hold"
MASK: Final = "mask"
# Which of several counts.
_ORDER: Final[tuple[Action, ...]] = (BLOCK, HOLD, MASK)


@dataclass(frozen=True, slots=True)
class WordList:
    """`words` are as they were given. `updated_at` is milliseconds."""

    name: str
    action: Action
    words: tuple[str, ...]
    updated_at: int


@dataclass(frozen=True, slots=True)
class Found:
    """What is to be done with a text, None for nothing; and the text with stars where a list wants them."""

    action: Action | None
    masked: str


Token = tuple[str, int, int]
"""A word as it is compared, and from where to where it stands in the text."""


def tokens_of(text: str) -> list[Token]:
    """The words of a text."""
    if text.isascii():
        folded = [(character.lower(), place) for place, character in enumerate(text)]
    else:
        folded = [(one, place) for place, character in enumerate(text) for one in _folded(character)]
    tokens: list[Token] = []
    word: list[str] = []
    start = end = 0
    for character, place in [*folded, (" ", len(text))]:
        if _is_of_words(character):
            start = start if word else place
            end = place + 1
            word.append(character)
        elif word:
            tokens.append(("".join(word), start, end))
            word = []
    return tokens


def _folded(character: str) -> str:
    if is_ignorable(character):
        return ""
    apart = unicodedata.normalize("NFKD", character).casefold()
    return "".join(one for one in unicodedata.normalize("NFKD", apart) if not is_ignorable(one))


def _is_of_words(character: str) -> bool:
    """Letters, digits, and the marks on them."""
    return character.isalnum() or (not character.isascii() and unicodedata.category(character).startswith("M"))


def _is_sign(character: str) -> bool:
    return character in _SIGNS or unicodedata.category(character) in _SIGN_CATEGORIES


def _signs(characters: Iterable[str]) -> str:
    """The signs that these characters begin with, as they are compared."""
    return "".join(takewhile(_is_sign, (one for character in characters for one in _folded(character))))


def _past(text: str, start: int, step: int, signs: str) -> int | None:
    """Where the text goes on, from a place forwards (1) or backwards (-1), after these signs; None without them."""
    place, seen = start, ""
    while seen != signs:
        if not (0 <= place < len(text) and signs.startswith(seen)):
            return None
        seen += "".join(_folded(text[place])[::step])
        place += step
    return place


def is_word(text: str) -> bool:
    """Whether it can be in a list: something of it is compared."""
    return len(text) <= MAX_WORD_CHARACTERS and bool(tokens_of(text))


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Words in a row. `open_left`, `open_right`: more of a word may stand there.

    `before` and `after` are the signs at its ends, the former from the word outwards.
    """

    words: tuple[str, ...]
    open_left: bool
    open_right: bool
    action: Action
    before: str = ""
    after: str = ""

    def span(self, text: str, tokens: Sequence[Token], at: int) -> tuple[int, int] | None:
        """From where to where it stands in the text, with its first word at this token; None where it does not."""
        last = at + len(self.words) - 1
        if last >= len(tokens):
            return None
        if not all(self._fits(number, tokens[at + number][0]) for number in range(len(self.words))):
            return None
        start = _past(text, tokens[at][1] - 1, -1, self.before)
        end = _past(text, tokens[last][2], 1, self.after)
        return None if start is None or end is None else (start + 1, end)

    def _fits(self, number: int, token: str) -> bool:
        word = self.words[number]
        left, right = self.open_left and number == 0, self.open_right and number == len(self.words) - 1
        if left and right:
            return word in token
        if left:
            return token.endswith(word)
        return token.startswith(word) if right else token == word


class Matcher:
    """The words of all lists, ready to be looked for. Plain ones cost nothing, however many; those with `*` some."""

    def __init__(self, lists: Iterable[WordList]) -> None:
        self._plain: dict[str, list[_Phrase]] = {}
        self._open: list[_Phrase] = []
        for one in lists:
            for word in one.words:
                self._add(_phrase(word, one.action))

    def _add(self, phrase: _Phrase) -> None:
        if not phrase.words:
            return
        is_open = phrase.open_left or (phrase.open_right and len(phrase.words) == 1)
        (self._open if is_open else self._plain.setdefault(phrase.words[0], [])).append(phrase)

    def look(self, text: str) -> Found:
        """The strictest that any word in it asks for."""
        actions: set[Action] = set()
        masked = list(text)
        for phrase, start, end in self._matches(text):
            actions.add(phrase.action)
            if phrase.action == MASK:
                masked[start:end] = [one if one.isspace() else "*" for one in text[start:end]]
        return Found(next((one for one in _ORDER if one in actions), None), "".join(masked))

    def _matches(self, text: str) -> Iterator[tuple[_Phrase, int, int]]:
        tokens = tokens_of(text)
        for at, (token, _, _) in enumerate(tokens):
            for phrase in (*self._plain.get(token, ()), *self._open):
                span = phrase.span(text, tokens, at)
                if span is not None:
                    yield phrase, *span


def _phrase(word: str, action: Action) -> _Phrase:
    text = word.strip()
    tokens = tokens_of(text)
    before, after = (_signs(reversed(text[: tokens[0][1]])), _signs(text[tokens[-1][2] :])) if tokens else ("", "")
    words = tuple(token for token, _, _ in tokens)
    return _Phrase(words, text.startswith(_ANY), text.endswith(_ANY), action, before, after)
