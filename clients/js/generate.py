"""Writes the TypeScript types of the client from what the server says of itself.

`src/generated/http.ts` is made from the OpenAPI document, which the code makes, and `src/generated/frames.ts` from
docs/asyncapi.yaml. Both are checked in, so that the client builds without Python; a test holds them to their sources.

    .venv/bin/python clients/js/generate.py
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / "clients/js/src/generated"
_METHODS: Final = ("get", "put", "post", "patch", "delete")
_PLAIN: Final = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_HEAD: Final = "// Made by clients/js/generate.py from {source}. Do not edit: a test compares.\n"

Schema = Mapping[str, Any]


def http_types(document: Schema) -> str:
    """Each schema of the document by its name, and `Operations`: what each request takes and gives."""
    lines = [_HEAD.format(source="the OpenAPI document")]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines.append(f"export type {name} = {_type(schema)};\n")
    lines.append("export type Operations = {")
    for path, methods in sorted(document["paths"].items()):
        asked = [method for method in _METHODS if method in methods]
        lines += [f'  "{method.upper()} {path}": {_operation(methods[method])};' for method in asked]
    lines.append("};")
    return "\n".join(lines) + "\n"


def frame_types(document: Schema) -> str:
    """The shared schemas, each message's payload, and the unions `Frame`, `Reply` and `Event`."""
    parts = document["components"]
    named: dict[str, Schema] = {name: schema for name, schema in parts["schemas"].items() if name != "Success"}
    unions: dict[str, list[str]] = {"ClientFrame": [], "ServerReply": [], "ServerEvent": []}
    success = parts["schemas"]["Success"]
    for key, message in parts["messages"].items():
        payload = message["payload"]
        name = _reference(payload["$ref"]) if "$ref" in payload else str(payload["title"])
        if "$ref" not in payload:
            named[name] = _merged(payload, success)
        union = "ServerEvent" if key.endswith("Event") else "ClientFrame" if name.endswith("Frame") else "ServerReply"
        unions[union].append(name)
    lines = [_HEAD.format(source="docs/asyncapi.yaml")]
    lines += [f"export type {name} = {_type(schema)};\n" for name, schema in sorted(named.items())]
    lines += [f"export type {name} = {' | '.join(members)};\n" for name, members in unions.items()]
    return "\n".join(lines)


def _merged(payload: Schema, success: Schema) -> Schema:
    """`allOf` the envelope and what is in it, as one object."""
    if "allOf" not in payload:
        return payload
    inner = payload["allOf"][1]["properties"]
    return {**success, "properties": {**success["properties"], **inner}}


def _operation(operation: Schema) -> str:
    fields = []
    for place in ("path", "query"):
        given = [each for each in operation.get("parameters", ()) if each["in"] == place]
        if given:
            of = [f"{each['name']}{'' if each['required'] else '?'}: {_type(each['schema'])}" for each in given]
            fields.append(f"{place}: {{ {'; '.join(of)} }}")
    if "requestBody" in operation:
        fields.append(f"body: {_type(_json(operation['requestBody']))}")
    answers = {
        _type(_json(answer)) if "content" in answer else "undefined"
        for status, answer in operation["responses"].items()
        if status.startswith("2")
    }
    fields.append(f"answer: {' | '.join(sorted(answers))}")
    return f"{{ {'; '.join(fields)} }}"


def _json(holder: Schema) -> Schema:
    schema: Schema = holder["content"]["application/json"]["schema"]
    return schema


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        return _reference(schema["$ref"])
    choices = schema.get("anyOf", schema.get("oneOf"))
    if choices is not None and "properties" not in schema:
        return " | ".join(dict.fromkeys(_type(each) for each in choices))
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values is not None:
        return " | ".join(json.dumps(each) for each in values)
    return _of_kind(schema, schema.get("type"))


def _of_kind(schema: Schema, kind: str | list[str] | None) -> str:
    if isinstance(kind, list):
        return " | ".join(_of_kind(schema, each) for each in kind)
    if kind == "array":
        of = _type(schema["items"])
        return f"({of})[]" if "|" in of else f"{of}[]"
    if kind == "object":
        return _object(schema)
    return _PLAIN.get(str(kind), "unknown")


def _object(schema: Schema) -> str:
    properties = schema.get("properties")
    if properties is None:
        of = schema.get("additionalProperties")
        return f"Record<string, {_type(of) if isinstance(of, Mapping) else 'unknown'}>"
    required = schema.get("required", ())
    fields = [f"{_key(name)}{'' if name in required else '?'}: {_type(of)}" for name, of in properties.items()]
    if schema.get("additionalProperties") is True:
        fields.append("[name: string]: unknown")
    return f"{{ {'; '.join(fields)} }}"


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _reference(pointer: str) -> str:
    return pointer.rpartition("/")[2]


def made() -> dict[Path, str]:
    """What the files have to hold."""
    sys.path.insert(0, str(ROOT))
    import yaml  # type: ignore[import-untyped]  # noqa: PLC0415

    import tests.functions.environment  # noqa: F401, PLC0415  # the handler reads it when it is imported
    from tests.functions.rest.document import document  # noqa: PLC0415

    frames = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8"))
    return {FOLDER / "http.ts": http_types(document()), FOLDER / "frames.ts": frame_types(frames)}


def main() -> None:
    """Write them."""
    for path, text in made().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
