"""Whatever is sent, allowed by the document or not: the answer is one that it lists, and never a fault of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from tests.functions.events import http_event
from tests.functions.rest.document import document, operations
from tests.functions.rest.harness import DM, RestHarness, settled, token

_SETTINGS = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# These take nothing that could be wrong.
_NO_INPUT = {name for name, (_, _, one) in operations().items() if not {"parameters", "requestBody"} & one.keys()}


def event_of(case: Any, *, inside: bool) -> dict[str, Any]:
    """The generated request as the gateway hands it over; half of them in a conversation that is there."""
    body = case.body if isinstance(case.body, dict | list | str | int | float | bool | None) else None
    if inside and "conversation_id" in (case.path_parameters or {}):
        case.path_parameters["conversation_id"] = DM
    query = {name: str(value) for name, value in (case.query or {}).items()}
    bearer = token("alice", scope="admin notifications:send")
    text = None if body is None else json.dumps(body)
    headers = {name: str(value) for name, value in (case.headers or {}).items()}
    return http_event(case.method.upper(), case.formatted_path, token=bearer, body=text, query=query, headers=headers)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", sorted(operations().keys() - _NO_INPUT))
def test_any_request_gets_an_answer_that_the_document_lists(name: str, mode: GenerationMode) -> None:
    method, path, _ = operations()[name]
    harness: RestHarness = settled()
    strategy = schemathesis.openapi.from_dict(document())[path][method].as_strategy(generation_mode=mode)

    @_SETTINGS
    @given(case=strategy)
    def ask(case: Any) -> None:
        for inside in (False, True):
            harness.request(event_of(case, inside=inside))  # holds the answer to the document
            assert harness.unexpected == []

    ask()
