"""The deployed HTTP API against the document that it serves: whatever is asked, the answer is one that is listed."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local.stack import Stack
from local.tokens import mint
from shared.domain.text import private_conversation_id
from tests.e2e.raw_client import http, new_users

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Each case is a request through the emulator; the same document is asked much more, and faster, in tests/openapi.
EXAMPLES = 8
TOO_LONG = {414, 431}
LONG_URL = 8_000
# What these are given by chance would be so for all tests on this stack, or would lead out of this machine.
FOR_EVERYBODY = {"put_word_list", "post_broadcast", "put_webhook"}


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_no_request_gets_a_fault_or_an_answer_that_is_not_documented(stack: Stack, mode: GenerationMode) -> None:
    alice, bob = new_users(2)
    assert http(stack, "POST", "/v1/conversations", user_id=alice, body={"type": "private", "with": bob})[0] == 201
    status, document = http(stack, "GET", "/v1/openapi.json")
    assert (status, document["openapi"][:3]) == (200, "3.1")
    headers = {"Authorization": f"Bearer {mint(stack, alice, scope='admin')}"}
    schema = schemathesis.openapi.from_dict(document)
    asked = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            takes_input = bool({"parameters", "requestBody"} & operation.keys())
            if mode is GenerationMode.NEGATIVE and not takes_input:
                continue  # it takes nothing that could be wrong
            if mode is GenerationMode.POSITIVE and operation["operationId"] in FOR_EVERYBODY:
                continue

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=schema[path][method].as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal asked
                asked += 1
                if asked % 2 and "conversation_id" in (case.path_parameters or {}):
                    case.path_parameters["conversation_id"] = private_conversation_id(alice, bob)
                answer = case.call(base_url=stack.http_url, headers=headers)
                if answer.status_code in TOO_LONG and len(answer.request.url or "") > LONG_URL:
                    return  # the gateway's own refusal, before the API
                case.validate_response(answer, checks=CHECKS)

            ask()
    assert asked >= 100
