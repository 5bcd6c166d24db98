"""The WebSocket API as one page: every frame, reply and event of docs/asyncapi.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from website.shapes import Schema, block, cell, fields, kind

ADDRESS: Final = "reference/frames.md"
_HEAD: Final = """---
editLink: false
---

# Frames, replies and events

Every shape that goes over the WebSocket, made from [AsyncAPI](../asyncapi.yaml){target="_self"}. What they mean, and
what a client has to do with them, says [the protocol](../protocol.md).
"""
# Key of the document → the heading of the protocol that tells about it, where that is another one than the key.
_TOLD: Final = {"read": "read-delivered", "delivered": "read-delivered"}


def page(document: Mapping[str, Any]) -> str:
    messages = document["components"]["messages"]
    sections: dict[str, list[str]] = {"Frames": [], "Replies": [], "Events": []}
    for key, message in messages.items():
        title = str(_payload(document, message).get("title", key))
        section = "Events" if key.endswith("Event") else "Frames" if title.endswith("Frame") else "Replies"
        sections[section] += _message(document, key, message)
    parts = [_HEAD]
    for name, made in sections.items():
        parts += [f"## {name}\n", *made]
    parts += ["## Shapes\n", *_shapes(document)]
    return "\n".join(parts)


def _place(name: str) -> str:
    return f"#shape-{name}"


def _message(document: Mapping[str, Any], key: str, message: Schema) -> list[str]:
    payload = _payload(document, message)
    parts = [f"### {key} {{#{key}}}\n"]
    if payload.get("title", "").endswith("Frame"):
        parts.append(f"[What it does](../protocol.md#{_TOLD.get(key, key)})\n")
    if "$ref" in message["payload"]:
        parts.append(f"{kind(message['payload'], _place)}\n")
    elif payload.get("properties"):
        parts.append(fields(payload, _place))
    examples = message.get("examples", [])
    return [*parts, *(block(each["payload"]) for each in examples)]


def _payload(document: Mapping[str, Any], message: Schema) -> Schema:
    """What the message holds; of a reply what is in `data`, since the envelope is the same for all."""
    payload: Schema = message["payload"]
    if "$ref" in payload:
        found: Schema = document["components"]["schemas"][payload["$ref"].rpartition("/")[2]]
        return found
    if "allOf" in payload:
        data: Schema = payload["allOf"][1]["properties"]["data"]
        return {**data, "title": payload["title"]}
    return payload


def _shapes(document: Mapping[str, Any]) -> list[str]:
    parts = []
    for name, schema in document["components"]["schemas"].items():
        parts.append(f"### {name} {{#shape-{name}}}\n")
        if schema.get("description"):
            parts.append(f"{cell(str(schema['description']))}\n")
        parts.append(fields(schema, _place) if schema.get("properties") else f"{kind(schema, _place)}\n")
    return parts
