"""The OpenAPI document as the tests use it: every answer that any of them gets is held to it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # without types

from functions.rest import handler
from functions.rest.openapi import openapi
from functions.rest.requests import whole_ids

# Of the events that tests make.
URL = "https://abcdef1234.execute-api.us-east-1.amazonaws.com"
METHODS = ("get", "post", "put", "patch", "delete")


@cache
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(openapi(handler._API, url=URL)))
    return made


@cache
def _strict() -> dict[str, Any]:
    """The document's components, but nothing may be in an answer that they don't name."""
    components: dict[str, Any] = json.loads(json.dumps(document()["components"]))
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return components


@cache
def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Operation id → method, path, operation."""
    return {
        operation["operationId"]: (method.upper(), path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
    }


def operation_of(method: str, path: str) -> str | None:
    path = whole_ids(path)
    for name, (verb, template, _) in operations().items():
        if verb == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return name
    return None


def response(operation: str, status: int) -> dict[str, Any]:
    """What the document says of one status. Raises KeyError where it says nothing."""
    found: dict[str, Any] = operations()[operation][2]["responses"][str(status)]
    if "$ref" in found:
        found = document()["components"]["responses"][found["$ref"].rpartition("/")[2]]
    return found


def codes(operation: str, status: int) -> list[str]:
    return list(response(operation, status)["content"]["application/json"]["examples"])


def validate(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator({**schema, "components": _strict()}).validate(value)


def check_documented(method: str, path: str, status: int, headers: dict[str, str], body: Any) -> None:
    """The status, the body and the headers are what the document says of this operation."""
    operation = operation_of(method, path)
    if operation is None:
        assert status == 404
        return
    described = response(operation, status)
    assert set(described.get("headers", {})) <= set(headers)
    if "content" not in described:
        assert body is None
        return
    assert headers["Content-Type"] == "application/json"
    if status >= 400:  # the first of the refusals
        assert body["code"] in codes(operation, status)
    validate(described["content"]["application/json"]["schema"], body)
