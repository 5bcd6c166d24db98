"""Arbitrary input, near to what is valid and far from it; and how much of it is tried.

In the suite each property is tried with the same few examples every time. `python -m tests.bad_input --examples 20000`
tries as many of each, others every time; what fails is printed with how to repeat it.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.bad_input.frames_content import BLANK
from tests.bad_input.frames_fields import SPOOFED, STRANGE, SYNTAX

EXAMPLES: Final = "BAD_INPUT_EXAMPLES"

_HALVES: Final = ("\ud800", "\udc00x", "x\udfff")
_WORDS: Final = (
    *("alice", "bob", "carol", "mallory", "dm:alice:bob", "group:0123456789abcdef", "message", "text", "all", "owner"),
    *("private", "group", "fcm", "x" * 64, "x" * 65, "x" * 128, "x" * 129, "x" * 300, "x" * 5_001, "\U0001f600" * 300),
)
_NUMBERS: Final = (
    *(0, 1, -1, 2, 3, 4, 99, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**40, 10**400),
    *(0.0, -0.0, 1.0, 1.5, 1e20, 1e308, -1e308, 5e-324, float("inf"), float("-inf"), float("nan")),
)


def tried(gate: int) -> Callable[[Any], Any]:
    """How many examples: `gate` in the suite, as many as were asked for elsewhere."""
    wanted = os.environ.get(EXAMPLES)
    return settings(
        max_examples=int(wanted) if wanted else gate,
        derandomize=not wanted,
        database=None,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


texts: Final = st.one_of(
    st.text(max_size=12), st.sampled_from((*_WORDS, *SYNTAX, *STRANGE, *BLANK)), st.sampled_from(_HALVES)
)
numbers: Final = st.one_of(st.integers(), st.sampled_from(_NUMBERS), st.floats())
_leaves: Final = st.one_of(st.none(), st.booleans(), numbers, texts)
values: Final = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)
_extra_names: Final = st.one_of(st.sampled_from((*SPOOFED, "type", "id", "", "__proto__")), texts)


@st.composite
def mutated(draw: st.DrawFn, valid: Sequence[Mapping[str, Any]], *, most: int = 3) -> dict[str, Any]:
    """One of the valid objects with up to `most` changes somewhere in it."""
    changed: dict[str, Any] = copy.deepcopy(dict(draw(st.sampled_from(valid))))
    for _ in range(draw(st.integers(0, most))):
        _mutate(draw, changed, valid)
    return changed


def _mutate(draw: st.DrawFn, whole: dict[str, Any], valid: Sequence[Mapping[str, Any]]) -> None:
    inside: Any = whole
    while inside and draw(st.booleans()):  # ever deeper
        deeper = [
            one for one in (inside.values() if isinstance(inside, dict) else inside) if isinstance(one, dict | list)
        ]
        if not deeper:
            break
        inside = draw(st.sampled_from(deeper))
    if isinstance(inside, list):
        inside.insert(draw(st.integers(0, len(inside))), draw(values))
        return
    match draw(st.sampled_from(("replace", "remove", "add", "swap", "borrow"))):
        case "remove" if inside:
            del inside[draw(st.sampled_from(list(inside)))]
        case "swap" if len(inside) > 1:
            one, other = draw(st.permutations(list(inside)))[:2]
            inside[one], inside[other] = inside[other], inside[one]
        case "borrow":
            inside.update(copy.deepcopy(draw(st.sampled_from(valid))))
        case "add":
            inside[draw(_extra_names)] = draw(values)
        case _ if inside:
            inside[draw(st.sampled_from(list(inside)))] = draw(values)


def as_json(value: Any) -> str:
    """As a careless client would write it: with NaN, and with halves of surrogate pairs as escapes."""
    return json.dumps(value)


@st.composite
def bent(draw: st.DrawFn, text: st.SearchStrategy[str]) -> str:
    """The text, cut, doubled, or with something put into it."""
    whole = draw(text)
    at, to = sorted((draw(st.integers(0, len(whole))), draw(st.integers(0, len(whole)))))
    match draw(st.sampled_from(("as it is", "as it is", "cut", "without", "twice", "with", "again"))):
        case "cut":
            return whole[:at]
        case "without":
            return whole[:at] + whole[to:]
        case "twice":
            return whole[:to] + whole[at:]
        case "with":
            inserted = draw(
                st.one_of(texts, st.sampled_from(('"', "\\", "{", "}", "[", "]", ",", ":", "\0", "e9", "-")))
            )
            return whole[:at] + inserted + whole[at:]
        case "again":
            return whole + whole
    return whole


def json_texts(valid: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[str]:
    """Objects like the valid ones as JSON, bent now and then; sometimes any value, and sometimes any text."""
    near = mutated(valid).map(as_json)
    return st.one_of(near, near, bent(near), values.map(as_json), texts)
