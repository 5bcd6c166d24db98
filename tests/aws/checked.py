"""DynamoDB's API with a look at each request before it is made: one that AWS would refuse fails its test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.adapters.dynamodb.client import Calls
from tests.aws.calls import Call
from tests.aws.judging import problems_of
from tests.calls import Unhurried
from tests.dynamodb.tables import KEYS

_TABLES: Final = {name: name for name in KEYS}


class Checked(Unhurried):
    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        found = problems_of(Call("contract", "dynamodb", operation, request, "us-east-1", "POST", 0), _TABLES)
        assert not found, (operation, found)
        return self._calls.call(operation, request)
