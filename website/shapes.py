"""JSON schemas as Markdown: a type in a few words, an object's fields as a table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]
# The name of a schema → where it is described.
Place = Callable[[str], str]

_MOST_VALUES: Final = 12
# As many as fit on a line.
_MOST_CHARACTERS: Final = 100
# What every integer of the API ends at: said of each of them it would say nothing.
_ANY_NUMBER: Final = 2**53 - 1


def kind(schema: Schema, place: Place) -> str:
    """What the value is, in a few words: links lead to the shapes that are named."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}]({place(name)})"
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        listed = [_code(value) for value in schema["enum"][:_MOST_VALUES]]
        return " or ".join(listed) + (" …" if len(schema["enum"]) > _MOST_VALUES else "")
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(kind(each, place) for each in schema[choice]))
    return _plain(schema, place)


def bounds(schema: Schema) -> str:
    """The limits that a schema names, in words; empty where there are none."""
    said = []
    for low, high, unit in (
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " items"),
        ("minimum", "maximum", ""),
        ("minProperties", "maxProperties", " names"),
    ):
        least, most = schema.get(low), schema.get(high)
        most = None if most == _ANY_NUMBER else most
        if most is not None:
            said.append(f"{least:,} to {most:,}{unit}" if least else f"at most {most:,}{unit}")
        elif least:
            said.append(f"at least {least:,}{unit}")
    if "default" in schema and schema["default"] is not None:
        said.append(f"default {_code(schema['default'])}")
    return ", ".join(said)


def fields(schema: Schema, place: Place) -> str:
    """A table of an object's fields; those that may be left out are marked."""
    required = schema.get("required", ())
    lines = ["| field | type | |", "|---|---|---|"]
    for name, of in schema.get("properties", {}).items():
        optional = "" if name in required else ", optional"
        lines.append(f"| `{name}` | {cell(kind(of, place))}{optional} | {cell(about(of))} |")
    return "\n".join(lines) + "\n"


def about(schema: Schema) -> str:
    told = str(schema.get("description", "")).strip()
    limits = bounds(schema) or next(filter(None, (bounds(each) for each in schema.get("anyOf", ()))), "")
    return ". ".join(each[:1].upper() + each[1:] for each in (told.removesuffix("."), limits) if each)


def block(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=2)
    short = json.dumps(value, ensure_ascii=False)
    fits = len(short) <= _MOST_CHARACTERS
    return f"```json\n{short if fits else text}\n```\n"


def cell(text: str) -> str:
    """Text on one line that fits into a table's cell, and in which nothing but code and links is markup."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()).replace("|", "\\|"))
    return "".join(
        each if at % 2 else each.replace("<", "&lt;").replace("{", "&#123;") for at, each in enumerate(parts)
    )


def _plain(schema: Schema, place: Place) -> str:
    said = schema.get("type")
    if isinstance(said, list):
        return " or ".join(str(each) for each in said)
    if said == "array":
        return f"list of {kind(schema.get('items', {}), place)}"
    if said == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {kind(schema['additionalProperties'], place)}"
    if said == "object" and schema.get("properties"):
        return "object with " + ", ".join(f"`{name}`" for name in schema["properties"])
    return str(said or "any value")


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"
