"""The OpenAPI document: valid, complete, and true of what is served."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # without types
from openapi_spec_validator import validate as validate_openapi

from functions.rest import handler
from functions.rest.api import make_api, respond
from functions.rest.documentation import OPERATIONS, TAGS
from shared import errors
from shared.errors import ParleyError
from tests.functions.environment import VARIABLES
from tests.functions.events import http_event
from tests.functions.rest.document import document, operations, validate
from tests.functions.rest.harness import RestHarness

ROOT = Path(__file__).parents[2]
EACH = pytest.mark.parametrize("name", sorted(OPERATIONS))


def media(name: str) -> list[dict[str, Any]]:
    """Every schema with examples that an operation has: of its body, and of its answers."""
    operation = operations()[name][2]
    contents = [operation.get("requestBody", {}), *map(resolved, operation["responses"].values())]
    return [one["content"]["application/json"] for one in contents if "content" in one]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    target: dict[str, Any] = document()
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target


def test_the_document_is_valid() -> None:
    validate_openapi(document())
    assert document()["openapi"] == "3.1.0"


def test_the_document_lists_exactly_what_is_served() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "functions/rest").glob("*.py")))
    served = re.findall(r'app\.(get|post|put|patch|delete)\(\s*"(/v1/[^"]+)"', code)
    listed = {(method, path) for method, path, _ in operations().values()}
    assert {(method.upper(), re.sub(r"<(\w+)>", r"{\1}", path)) for method, path in served} == listed
    assert operations().keys() == OPERATIONS.keys()


@EACH
def test_an_operation_has_a_summary_a_known_tag_and_its_path_s_parameters(name: str) -> None:
    _, path, operation = operations()[name]
    assert operation["summary"]
    assert set(operation["tags"]) <= TAGS.keys()
    parameters = {one["name"]: one for one in operation.get("parameters", [])}
    in_path = {key for key, one in parameters.items() if one["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", path))
    assert all(one["description"] for one in parameters.values())


@EACH
def test_everything_sent_and_answered_has_examples_that_are_what_its_schema_says(name: str) -> None:
    for one in media(name):
        assert one["examples"]
        for example in one["examples"].values():
            validate(one["schema"], example["value"])


@EACH
def test_a_token_is_needed_but_for_what_is_public(name: str) -> None:
    operation = operations()[name][2]
    is_public = operation.get("security", document()["security"]) == []
    assert is_public == (name in {"get_health", "get_openapi"})
    assert is_public == ("401" not in operation["responses"])


def test_every_schema_is_one_and_its_examples_fit() -> None:
    for name, schema in document()["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        for example in schema.get("examples", []):
            validate({"$ref": f"#/components/schemas/{name}"}, example)


def test_errors_have_their_own_status_and_stable_code() -> None:
    by_code = {one.code: one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ParleyError)}
    for name in OPERATIONS:
        for status, response in operations()[name][2]["responses"].items():
            if int(status) >= 400:
                examples = resolved(response)["content"]["application/json"]["examples"]
                assert {by_code[code].status for code in examples} == {int(status)}


def test_a_body_that_the_models_take_is_one_that_the_document_describes() -> None:
    """A few that are easy to get wrong: null, left out, and nothing at all."""
    settings = {"$ref": "#/components/schemas/SettingsChange"}
    validator = Draft202012Validator({**settings, "components": document()["components"]})
    assert validator.is_valid({"muted_until": None})
    assert not validator.is_valid({})
    assert not validator.is_valid({"notify": None})


def test_the_document_is_served_and_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    harness = RestHarness()
    first = harness.request(http_event("GET", "/v1/openapi.json"))
    monkeypatch.setattr("functions.rest.openapi.openapi_json", lambda *_, **__: pytest.fail("made again"))
    second = harness.request(http_event("GET", "/v1/openapi.json"))
    assert first.body == second.body
    assert first.body == document()


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("", "https://abcdef1234.execute-api.us-east-1.amazonaws.com"),
        ("http://localhost:4577", "http://localhost:4577/_aws/execute-api/abcdef1234/$default"),
    ],
)
def test_the_document_names_where_it_was_got(endpoint: str, url: str) -> None:
    harness = RestHarness()
    api = make_api(replace(harness.wired, endpoint_url=endpoint), unexpected=harness.unexpected.append)
    served = json.loads(respond(http_event("GET", "/v1/openapi.json"), api)["body"])
    assert served["servers"] == [{"url": url}]


def class_name(*parts: str) -> str:
    """What generators make of a schema's name, or of that and a field's: words run together, each with a capital."""
    words = re.split(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])", "_".join(parts))
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def inline(name: str, schema: Any) -> Iterator[str]:
    """The names of types that stand within others, and get theirs from there."""
    if not isinstance(schema, dict):
        return
    if "enum" in schema or (schema.get("type") == "object" and "properties" in schema):
        yield name
    for field, inner in schema.get("properties", {}).items():
        yield from inline(class_name(name, inner.get("title", field)), inner)
    for number, inner in enumerate(schema.get("anyOf", [])):
        yield from inline(class_name(name, inner.get("title", f"type_{number}")), inner)
    yield from inline(class_name(name, "item"), schema.get("items"))


def test_no_two_types_of_a_generated_client_have_the_same_name() -> None:
    """As openapi-python-client names them, which leaves out both of two that collide."""
    schemas = document()["components"]["schemas"]
    names = [class_name(name) for name in schemas]
    for name, schema in schemas.items():
        for field, inner in schema.get("properties", {}).items():
            names += inline(class_name(name, inner.get("title", field)), inner)
    names += [class_name(name, "body") for name, (_, _, one) in operations().items() if "requestBody" in one]
    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert len({name.lower() for name in names}) == len(names)


def test_every_type_with_fields_is_one_and_no_union_which_generated_clients_leave_out() -> None:
    unions = {"anyOf", "oneOf", "allOf"}
    schemas = document()["components"]["schemas"]
    assert [name for name, schema in schemas.items() if "properties" in schema and unions & schema.keys()] == []


@pytest.mark.parametrize(
    ("device", "is_valid"),
    [
        ({"token": "t"}, True),
        ({"installation_id": "i"}, True),
        ({"token": "t", "installation_id": "i"}, False),
        ({}, False),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_device_of_firebase_has_one_of_two_addresses(device: dict[str, str], is_valid: bool) -> None:
    schema = {"$ref": "#/components/schemas/FcmDevice", "components": document()["components"]}
    assert Draft202012Validator(schema).is_valid({"platform": "fcm", **device}) is is_valid


def test_an_error_has_one_of_the_known_codes() -> None:
    codes = {one.code for one in vars(errors).values() if isinstance(one, type) and issubclass(one, ParleyError)}
    assert set(document()["components"]["schemas"]["Error"]["properties"]["code"]["enum"]) == codes


def test_a_cold_start_makes_no_document() -> None:
    code = """
import json, sys
import functions.rest.handler
late = ("functions.rest.openapi", "functions.rest.documentation", "shared.wire.shapes")
print(json.dumps([name for name in sys.modules if name.startswith(late)]))
"""
    environ = {**VARIABLES, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == []


def test_the_wired_function_serves_the_same_document() -> None:
    answer = handler.handler(http_event("GET", "/v1/openapi.json"))
    assert json.loads(answer["body"]) == document()
