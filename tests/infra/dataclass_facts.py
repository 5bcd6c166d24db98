"""What a dataclass does, as text that can be compared: with the decorator, and written out by the bundler."""

from __future__ import annotations

import ast
import copy
import dataclasses
import importlib
import inspect
import json
import pickle
import re
import sys
import weakref
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

from infra.dataclass_writer import write_out

ROOT = Path(__file__).parents[2]
_OURS = ("shared", "functions")
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class _Writing(PathFinder):
    """Finds our own modules, to be loaded as bundles have them."""

    @classmethod
    def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        found = super().find_spec(fullname, path, target) if fullname.partition(".")[0] in _OURS else None
        if found is None or found.origin is None:
            return None
        return spec_from_file_location(fullname, found.origin, loader=_WritingLoader(fullname, found.origin))


class _WritingLoader(SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = compile(write_out(ast.parse(self.get_data(path), path)), path, "exec", dont_inherit=True)
        return code


def write_out_imports() -> None:
    sys.meta_path.insert(0, _Writing)


def _modules() -> Iterator[str]:
    for folder in _OURS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts)


def classes_of(module: Any) -> Iterator[type]:
    """The dataclasses that a module itself defines, those within classes too."""
    waiting = [value for value in vars(module).values() if isinstance(value, type)]
    while waiting:
        one = waiting.pop(0)
        if one.__module__ == module.__name__:
            waiting += [value for value in vars(one).values() if isinstance(value, type) and value is not type]
            if "__dataclass_fields__" in vars(one):
                yield one


def _said(value: object) -> str:
    return _ADDRESS.sub("", repr(value))


def _tried(act: Callable[..., object], *arguments: object) -> str:
    """What comes of it: a value, or an error and its words."""
    try:
        return _said(act(*arguments))
    except Exception as exc:  # noqa: BLE001  # whatever it is, the two have to have the same
        return f"{type(exc).__mro__[:-1]} {_ADDRESS.sub('', str(exc))}"


def facts(kind: Any) -> dict[str, Any]:
    """Everything that code can tell of a dataclass and its values, by name."""
    return {**_shape(kind), **_values(kind)}


def _shape(kind: Any) -> dict[str, Any]:
    parameters = inspect.signature(kind.__init__).parameters.values()
    return {
        "fields": {
            one.name: _said(
                (one.type, one.default, one.default_factory, one.repr, one.compare, one.hash, one.init, one.kw_only)
            )
            for one in dataclasses.fields(kind)
        },
        "params": _said(kind.__dataclass_params__),
        "is one": dataclasses.is_dataclass(kind),
        "match": getattr(kind, "__match_args__", None),
        "slots": vars(kind).get("__slots__"),
        "bases": _said(kind.__mro__),
        "annotations": _said(kind.__annotations__),
        "init": [(one.name, str(one.kind), _said(one.default)) for one in parameters],
        "named": (kind.__qualname__, kind.__module__, kind.__init__.__qualname__, kind.__init__.__module__),
        "has no hash": kind.__hash__ is None,
        "class attributes": {
            one.name: _tried(lambda one: vars(kind)[one.name], one) for one in dataclasses.fields(kind)
        }
        if "__slots__" not in vars(kind)
        else {},
    }


def _values(kind: Any) -> dict[str, Any]:
    known = [one for one in dataclasses.fields(kind) if one.init]
    given = {one.name: f"{one.name}'s" for one in known}
    needed = {
        one.name: given[one.name]
        for one in known
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    }
    other = {name: {**given, name: "another"} for name in given}
    # With both the decorator's own refusal of what is no field fails (python/cpython#90562); the writer's doesn't.
    names = [*given, *([] if _is_frozen_with_slots(kind) else ["unknown"])]
    made: Any = kind(**given)
    lean = kind(**needed)
    return {
        "shown": _tried(lambda: made),
        "by default": {one.name: _said(getattr(lean, one.name)) for one in known},
        "made anew": {
            one.name: getattr(lean, one.name) is not getattr(kind(**needed), one.name)
            for one in known
            if one.default_factory in (dict, list, set)
        },
        "equal": (_tried(lambda: made == kind(**given)), _tried(lambda: made == made)),  # noqa: PLR0124
        "other": {name: _tried(lambda c: made == kind(**c), changed) for name, changed in other.items()},
        "foreign": (made == "text", made == tuple(given.values())),
        "ordered": _tried(lambda: made < kind(**given)),
        "hash": _tried(lambda: hash(made) == hash(kind(**given))),
        "hash of other": {
            name: _tried(lambda c: hash(made) == hash(kind(**c)), changed) for name, changed in other.items()
        },
        "by place": _tried(lambda: kind(*given.values()) == made),
        "missing": _tried(kind),
        "each missing": {
            name: _tried(lambda n: kind(**{k: v for k, v in given.items() if k != n}), name) for name in needed
        },
        "unknown": _tried(lambda: kind(**given, unknown=1)),
        "too many": _tried(lambda: kind(*given.values(), 1, 2, 3)),
        "set": {name: _tried(lambda n: setattr(kind(**given), n, 1), name) for name in names},
        "deleted": {name: _tried(lambda n: delattr(kind(**given), n), name) for name in names},
        "unknown set": not _tried(lambda: setattr(kind(**given), "unknown", 1)).startswith("(<class"),
        "replaced": {
            name: _tried(lambda n: _state(dataclasses.replace(made, **{n: "new"})), name)
            for name in (*given, "unknown")
        },
        "as dict": _tried(lambda: dataclasses.asdict(made)),
        "as tuple": _tried(lambda: dataclasses.astuple(made)),
        "copied": _tried(lambda: _state(copy.copy(made))),
        "copied to the depth": _tried(lambda: _state(copy.deepcopy(made))),
        "pickled": _tried(lambda: _state(pickle.loads(pickle.dumps(made)))),
        "dict": hasattr(made, "__dict__"),
        "weak": _tried(lambda: bool(weakref.ref(made))),
        **_of_heirs(kind, given),
    }


def _of_heirs(kind: Any, given: dict[str, Any]) -> dict[str, Any]:
    """What is made of the class later: a plain class below it, and another dataclass."""
    heir = type("Heir", (kind,), {"__module__": kind.__module__})
    made = heir(**given)
    options = {"frozen": kind.__dataclass_params__.frozen}
    young = dataclasses.make_dataclass(
        "Young", [("young", str, dataclasses.field(kw_only=True))], bases=(kind,), **options
    )
    return {
        "heir": (_tried(lambda: made), _tried(lambda: made == heir(**given)), _tried(lambda: made == kind(**given))),
        "heir's own": None if _is_frozen_with_slots(kind) else _tried(lambda: setattr(made, "own", 1)),
        "heir's": {name: _tried(lambda n: setattr(made, n, 1), name) for name in given},
        "heir replaced": _tried(lambda: type(dataclasses.replace(made))),
        "young": _tried(lambda: young(**given, young="y")),
        "young's": [one.name for one in dataclasses.fields(young)],
        "young set": {
            name: _tried(lambda n: setattr(young(**given, young="y"), n, 1), name) for name in (*given, "young")
        },
    }


def _is_frozen_with_slots(kind: Any) -> bool:
    return bool(kind.__dataclass_params__.frozen) and "__slots__" in vars(kind)


def _state(made: Any) -> dict[str, str]:
    return {one.name: _said(getattr(made, one.name)) for one in dataclasses.fields(made)}


def main() -> None:
    """Print the facts of every dataclass of shared/ and functions/, as they are or (with an argument) written out."""
    sys.path.insert(0, str(ROOT))
    if len(sys.argv) > 1:
        write_out_imports()
    found = {}
    for name in _modules():
        for kind in classes_of(importlib.import_module(name)):
            own = "__written__" in vars(kind)
            found[f"{kind.__module__}.{kind.__qualname__}"] = {"is written out": own, **facts(kind)}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
