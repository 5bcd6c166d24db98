"""Lambda's event patterns: which records of a stream a function is handed.

As far as this project's event sources use them. Anything else is an error: a guess could replay what must not be.
"""

from collections.abc import Mapping
from typing import Any


class UnknownOperatorError(Exception):
    """A pattern has an operator that this module doesn't know."""


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether the event has, for every key of the pattern, one of the values listed there.

    Raises:
        UnknownOperatorError: only a wiser reader can tell.

    """
    return all(_fits(wanted, event, key) for key, wanted in pattern.items())


def _fits(wanted: Any, event: Mapping[str, Any], key: str) -> bool:
    if isinstance(wanted, Mapping):
        inner = event.get(key)
        return matches(wanted, inner if isinstance(inner, Mapping) else {})
    return any([_is_one(choice, event, key) for choice in wanted])  # noqa: C419  # an operator unknown is one in any place


def _is_one(choice: Any, event: Mapping[str, Any], key: str) -> bool:
    if not isinstance(choice, Mapping):
        return key in event and type(event[key]) is type(choice) and bool(event[key] == choice)
    if list(choice) == ["exists"]:
        return (key in event) is choice["exists"]
    raise UnknownOperatorError(f"Filter operator {', '.join(choice)}")
