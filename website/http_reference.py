"""The HTTP API as pages: one for each group of requests of the OpenAPI document, and one for the shapes they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from website.shapes import Schema, about, block, cell, fields, kind

FOLDER: Final = "reference/http"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_MOST_EXAMPLES: Final = 3
_HEAD: Final = "---\neditLink: false\n---\n\n"
_INDEX: Final = f"""{_HEAD}# HTTP API

Every request of the HTTP API, made from the OpenAPI document that a deployment itself serves at `GET /v1/openapi.json`.
What they mean together says [the protocol](../../protocol.md#http).

`Authorization: Bearer <JWT>` goes with each request but the two that say otherwise; bodies are JSON. Errors have a
stable `code`: [all of them](../../protocol.md#errors).
"""


def pages(document: Mapping[str, Any]) -> dict[str, str]:
    """Address → Markdown."""
    made = {f"{FOLDER}/index.md": _index(document), f"{FOLDER}/shapes.md": _shapes(document)}
    for tag in document["tags"]:
        made[f"{FOLDER}/{tag['name']}.md"] = _group(document, tag)
    return made


def _place(name: str) -> str:
    return f"shapes.md#{name}"


def _requests(document: Mapping[str, Any], tag: str) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods and tag in methods[method]["tags"]:
                yield method.upper(), path, methods[method]


def _index(document: Mapping[str, Any]) -> str:
    lines = [_INDEX]
    for tag in document["tags"]:
        lines += [f"## {tag['name']}\n", f"{tag['description']}\n", "| request | |", "|---|---|"]
        for method, path, operation in _requests(document, tag["name"]):
            link = f"{tag['name']}.md#{operation['operationId']}"
            lines.append(f"| [`{method} {path}`]({link}) | {cell(operation['summary'])} |")
        lines.append("")
    return "\n".join(lines)


def _group(document: Mapping[str, Any], tag: Mapping[str, str]) -> str:
    parts = [_HEAD + f"# HTTP: {tag['name']}\n", f"{tag['description']}\n"]
    for method, path, operation in _requests(document, tag["name"]):
        parts += _operation(document, method, path, operation)
    return "\n".join(parts)


def _operation(document: Mapping[str, Any], method: str, path: str, operation: Schema) -> list[str]:
    parts = [f"## {operation['summary']} {{#{operation['operationId']}}}\n", f"`{method} {path}`\n"]
    if operation.get("description"):
        parts.append(f"{cell(operation['description'])}\n")
    if operation.get("parameters"):
        parts += ["| parameter | in | type | |", "|---|---|---|---|"]
        parts += [_parameter(each) for each in operation["parameters"]]
        parts.append("")
    if "requestBody" in operation:
        parts += _body(document, operation["requestBody"]["content"]["application/json"])
    return [*parts, *_answers(operation["responses"])]


def _parameter(of: Schema) -> str:
    needed = "" if of["required"] else ", optional"
    told = about({**of["schema"], "description": of.get("description", "")})
    return f"| `{of['name']}` | {of['in']} | {cell(kind(of['schema'], _place))}{needed} | {cell(told)} |"


def _body(document: Mapping[str, Any], content: Schema) -> list[str]:
    parts = ["**Body**\n"]
    for schema in content["schema"].get("anyOf", content["schema"].get("oneOf", [content["schema"]])):
        shape = _resolved(document, schema)
        parts.append(fields(shape, _place) if shape.get("properties") else f"{kind(schema, _place)}\n")
    return [*parts, *_examples(content)]


def _answers(responses: Schema) -> list[str]:
    parts, shown = ["| answer | | shape |", "|---|---|---|"], []
    for status, answer in responses.items():
        if "$ref" in answer:
            codes = answer["$ref"].rpartition("/")[2].split("-")
            told = " or ".join(f"`{code}`" for code in codes)
            parts.append(f"| {status} | {told} | |")
            continue
        content = answer.get("content", {}).get("application/json")
        shape = kind(content["schema"], _place) if content else ""
        parts.append(f"| {status} | {cell(answer['description'])} | {cell(shape)} |")
        if content and status.startswith("2"):
            shown += [example for example in _examples(content) if example not in shown]
    return [*parts, "", *shown]


def _examples(content: Schema) -> list[str]:
    values = [each["value"] for each in content.get("examples", {}).values()]
    return [block(value) for value in values[:_MOST_EXAMPLES]]


def _resolved(document: Mapping[str, Any], schema: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _shapes(document: Mapping[str, Any]) -> str:
    parts = [_HEAD + "# HTTP: shapes\n", "What bodies and answers are made of, by name.\n"]
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts.append(f"## {name} {{#{name}}}\n")
        if schema.get("description"):
            parts.append(f"{cell(schema['description'])}\n")
        parts.append(fields(schema, _place) if schema.get("properties") else f"{kind(schema, _place)}\n")
    return "\n".join(parts)
