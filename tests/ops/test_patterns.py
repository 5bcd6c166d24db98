from typing import Any

import pytest

from ops import patterns


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ({"a": ["x", "y"]}, True),
        ({"a": ["z"]}, False),
        ({"a": ["x"], "n": [1]}, True),
        ({"n": [True]}, False),
        ({"b": [True]}, True),
        ({"in": {"c": ["d"]}}, True),
        ({"in": {"c": ["x"]}}, False),
        ({"in": {"c": [{"exists": True}]}}, True),
        ({"in": {"c": [{"exists": False}]}}, False),
        ({"no": {"c": [{"exists": False}]}}, True),
        ({"no": {"c": [{"exists": True}]}}, False),
        ({"no": ["x"]}, False),
    ],
)
def test_patterns(pattern: dict[str, Any], fits: bool) -> None:
    event = {"a": "x", "n": 1, "b": True, "in": {"c": "d"}}
    assert patterns.matches(pattern, event) is fits


def test_an_operator_that_is_not_known_is_no_match_but_an_error() -> None:
    with pytest.raises(patterns.UnknownOperatorError, match="suffix"):
        patterns.matches({"a": ["x", {"suffix": "y"}]}, {"a": "x"})
