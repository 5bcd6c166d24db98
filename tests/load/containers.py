"""What a function keeps between its invocations: every container and cache that its modules' globals lead to."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

_OURS: Final = ("functions.", "shared.")
_ATOMS: Final = (str, bytes, int, float, bool, complex, type(None), type, ModuleType, BuiltinFunctionType)
# What a client of boto3 keeps is its own; that nothing of it grows is counted by objects (`growth.py`).
_VENDORS: Final = ("boto3.", "botocore.")
_CONTAINERS: Final = (dict, list, set, deque, bytearray)


def containers() -> dict[str, int]:
    """Path → size: of containers that can grow, and of caches. Several at one path count as their largest."""
    sizes: dict[str, int] = {}
    seen: set[int] = {id(sys.modules)}
    for name, module in sorted(sys.modules.items()):
        if not name.startswith(_OURS):
            continue
        waiting: deque[tuple[str, Any]] = deque((f"{name}.{key}", value) for key, value in vars(module).items())
        while waiting:
            path, value = waiting.popleft()
            if isinstance(value, _ATOMS) and not _is_our_class(value):
                continue
            if id(value) in seen or type(value).__module__.startswith(_VENDORS):
                continue
            seen.add(id(value))
            if (size := _size(value)) is not None:
                sizes[path] = max(size, sizes.get(path, 0))
            waiting.extend((path + step, inner) for step, inner in _inside(value))
    return sizes


def _is_our_class(value: Any) -> bool:
    return isinstance(value, type) and value.__module__.startswith(_OURS)


def _size(value: Any) -> int | None:
    if isinstance(value, _CONTAINERS):
        return len(value)
    info = getattr(value, "cache_info", None)
    return info().currsize if callable(info) and not isinstance(value, type) else None


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    """Where one gets from a value, and by which step."""
    if isinstance(value, Mapping):
        yield from (("[]", each) for pair in list(value.items()) for each in pair)
    elif isinstance(value, list | tuple | set | frozenset | deque):
        yield from (("[]", each) for each in list(value))
    elif isinstance(value, FunctionType):
        yield from _of_function(value)
    elif isinstance(value, MethodType):
        yield ".__self__", value.__self__
    elif isinstance(value, type):
        yield from ((f".{name}", each) for name, each in vars(value).items() if not isinstance(each, FunctionType))
    yield from _attributes(value)


def _of_function(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield f".{name}", cell.cell_contents
        except ValueError:  # it is not set yet
            continue
    yield from ((".defaults[]", each) for each in function.__defaults__ or ())


def _attributes(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, type):
        return
    names = dict(vars(value)) if hasattr(value, "__dict__") else {}
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in [slots] if isinstance(slots, str) else slots:
            if hasattr(value, name):
                names[name] = getattr(value, name)
    yield from ((f".{name}", each) for name, each in names.items())
