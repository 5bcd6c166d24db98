"""Whether parameters are what a service's own model says of them: members, types, enums, lengths, ranges, patterns.

botocore checks the first half of that before it sends; our thin transport checks nothing, and no emulator all of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from tests.aws.calls import Call, model_of

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "character": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "timestamp": (int, float, str),
    "blob": (bytes, str),
}
_NUMBERS: Final = frozenset({"integer", "long", "float", "double"})


def shape_problems(call: Call) -> Iterator[str]:
    """What the model of the service objects to. A form of S3 is no operation of it."""
    if call.operation == "PostObject":
        return
    shape = model_of(call.service).operation_model(call.operation).input_shape
    if shape is not None:
        # What stands in a path, a query or a header is text, whatever it means.
        texts = {name for name, one in shape.members.items() if "location" in one.serialization}
        yield from _structure(shape, call.parameters, "", texts)


def _of(shape: Shape, value: Any, at: str) -> Iterator[str]:
    if isinstance(shape, StructureShape):
        if not isinstance(value, Mapping):
            yield f"{at} is no structure"
        elif shape.metadata.get("document"):
            json.dumps(value)
        else:
            yield from _structure(shape, value, at, set())
    elif isinstance(shape, ListShape):
        yield from _list(shape, value, at)
    elif isinstance(shape, MapShape):
        yield from _map(shape, value, at)
    else:
        yield from _scalar(shape, value, at)


def _structure(shape: StructureShape, value: Mapping[str, Any], at: str, texts: set[str]) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield f"{at}.{name} is missing"
    if shape.is_tagged_union and len(value) != 1:
        yield f"{at} is {len(value)} of a union"
    for name, one in value.items():
        if name not in shape.members:
            yield f"{at}.{name} is unknown"
        elif name in texts:
            yield from _text(shape.members[name], one, f"{at}.{name}")
        else:
            yield from _of(shape.members[name], one, f"{at}.{name}")


def _text(shape: Shape, value: Any, at: str) -> Iterator[str]:
    """A parameter that is sent as text: what is a number in truth has to read as one."""
    if shape.type_name in _NUMBERS:
        try:
            value = float(value)
        except ValueError:
            yield f"{at} is no number"
            return
        yield from _bounds(shape, value, at)
    elif shape.type_name == "string":
        yield from _scalar(shape, value, at)


def _list(shape: ListShape, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{at} is no list"
        return
    yield from _bounds(shape, len(value), f"the length of {at}")
    for number, one in enumerate(value):
        yield from _of(shape.member, one, f"{at}[{number}]")


def _map(shape: MapShape, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{at} is no map"
        return
    yield from _bounds(shape, len(value), f"the size of {at}")
    for name, one in value.items():
        yield from _of(shape.key, name, f"a key of {at}")
        yield from _of(shape.value, one, f"{at}.{name}")


def _scalar(shape: Shape, value: Any, at: str) -> Iterator[str]:
    types = _TYPES[shape.type_name]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        yield f"{at} is a {type(value).__name__}, and no {shape.type_name}"
        return
    if isinstance(value, str | bytes):
        yield from _bounds(shape, len(value), f"the length of {at}")
        pattern = shape.metadata.get("pattern")
        if isinstance(value, str) and pattern and not _fits(pattern, value):
            yield f"{at} does not fit {pattern}"
        if isinstance(shape, StringShape) and shape.enum and value not in shape.enum:
            yield f"{at} is none of {shape.enum}"
    elif shape.type_name in _NUMBERS:
        yield from _bounds(shape, value, at)


def _fits(pattern: str, value: str) -> bool:
    """The models' patterns are Java's: of their classes Python knows no \\p{…}, which stand here for any character."""
    return re.fullmatch(re.sub(r"\\[pP]\{\w+\}", r"\\w\\W", pattern), value) is not None


def _bounds(shape: Shape, value: Any, at: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield f"{at} is {value}, less than {low}"
    if high is not None and value > high:
        yield f"{at} is {value}, more than {high}"
