"""What writes and reads the bodies of a message's calls does it as the standard library does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.message.wiring import CODEC
from shared.adapters.aws.calls import PLAIN

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | _TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner),
    max_leaves=20,
)


@given(value=_VALUES)
def test_it_writes_the_same_and_reads_the_same(value: Any) -> None:
    written = CODEC.encode(value)
    assert json.loads(written) == value == json.loads(PLAIN.encode(value))
    assert CODEC.decode(written) == PLAIN.decode(written) == value


@pytest.mark.parametrize("codec", [CODEC, PLAIN], ids=["message", "plain"])
@pytest.mark.parametrize("data", [b"", b"{", b"{}x", b"<html>", b'"\xff"', b"{'a': 1}", b"\xef\xbb\xbf"])
def test_what_is_no_json_is_a_value_error(codec: Any, data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of which kind is the codec's own affair
        codec.decode(data)


@pytest.mark.parametrize("codec", [CODEC, PLAIN], ids=["message", "plain"])
def test_half_a_surrogate_pair_is_never_sent(codec: Any) -> None:
    with pytest.raises(UnicodeEncodeError):
        codec.encode({"S": "\ud800"})
