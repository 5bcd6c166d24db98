"""Writes out what `@dataclass` would generate and compile at every cold start, for the bytecode of our own modules.

The sources keep their dataclasses; a bundle's bytecode is made of a tree in which the methods stand already, on the
line of the decorator (docs/adr/0033-cold-starts.md). What is out of the ordinary keeps the decorator. Runs in Pyodide
too, so it imports the standard library and nothing else.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Final

_SUPPORT: Final = "shared.dataclass_support"
# What the written methods use.
_HEAD: Final = f"import {_SUPPORT} as _support_\n_put_ = object.__setattr__\n_made_ = _support_.Made"
# What the support module has of its own, so that nothing imports `dataclasses` and its `inspect` for it.
_SUPPORTED: Final = frozenset({"replace", "fields", "asdict"})
_OPTIONS: Final = {"frozen": False, "slots": False, "eq": True, "repr": True, "kw_only": False}
_FIELD_OPTIONS: Final = frozenset({"default", "default_factory", "repr", "compare"})
# Where a class has one of these of its own, what the decorator does depends on more than its fields.
_OWN: Final = frozenset(
    {
        *("__init__", "__eq__", "__hash__", "__setattr__", "__delattr__", "__getstate__", "__setstate__"),
        *("__replace__", "__slots__", "__match_args__", "__dataclass_fields__", "__dataclass_params__"),
    }
)
_UNUSUAL_TYPES: Final = ("ClassVar", "InitVar", "KW_ONLY")


@dataclass(slots=True)
class _Field:
    name: str
    default: ast.expr | None = None
    factory: ast.expr | None = None
    repr: bool = True
    compare: bool = True

    @property
    def is_optional(self) -> bool:
        return self.default is not None or self.factory is not None


@dataclass(slots=True)
class _Class:
    """A class whose methods are written out. `fields` are all, those of its base first; `new` are not its base's."""

    options: dict[str, bool]
    fields: dict[str, _Field]
    new: list[str]

    def has(self, option: str) -> bool:
        return self.options.get(option, _OPTIONS[option])


def write_out(tree: ast.Module) -> ast.Module:
    """The module with its dataclasses written out, in place. Lines stay as they are."""
    imported = {name.name for one in _imports(tree) for name in one.names if name.asname is None}
    if not imported:
        return tree
    writer = _Writer()
    if "dataclass" in imported and ("field" in imported or not _calls_field(tree)):
        writer.visit(tree)
    _import_support(tree, has_written=writer.has_written)
    return ast.fix_missing_locations(tree)


def _imports(tree: ast.Module) -> list[ast.ImportFrom]:
    return [one for one in tree.body if isinstance(one, ast.ImportFrom) and one.module == "dataclasses"]


def _calls_field(tree: ast.Module) -> bool:
    """Whether anything is called by the name that makes fields; it may be another's."""
    return any(isinstance(one, ast.Call) and _is_field(one) for one in ast.walk(tree))


def _is_field(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "field"


class _Writer(ast.NodeTransformer):
    def __init__(self) -> None:
        self.written: dict[str, _Class] = {}
        self.has_written = False

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        found = self._described(node)
        self.generic_visit(node)  # what is nested
        self.written.pop(node.name, None)  # another one of this name
        if found is not None:
            _write(node, found)
            self.written[node.name] = found
            self.has_written = True
        return node

    def _described(self, node: ast.ClassDef) -> _Class | None:
        options = _options(node)
        if options is None or node.keywords or getattr(node, "type_params", None) or _defined(node) & _OWN:
            return None
        inherited = self._inherited(node, options)
        own = _own_fields(node)
        if inherited is None or own is None:
            return None
        new = [one.name for one in own if one.name not in inherited]
        return _Class(options, {**inherited, **{one.name: one for one in own}}, new)

    def _inherited(self, node: ast.ClassDef, options: dict[str, bool]) -> dict[str, _Field] | None:
        """The fields of the one base that the class may have: a class written out in this module, of the same options.

        None where it has others, or where a default would have to be evaluated a second time.
        """
        if not node.bases:
            return {}
        name = node.bases[0]
        base = self.written.get(name.id) if len(node.bases) == 1 and isinstance(name, ast.Name) else None
        if base is None or base.options != options or any(one.is_optional for one in base.fields.values()):
            return None
        return base.fields


def _options(node: ast.ClassDef) -> dict[str, bool] | None:
    """What `@dataclass` was given; None where it is not the one decorator, or was given something else."""
    if len(node.decorator_list) != 1:
        return None
    (decorator,) = node.decorator_list
    called = decorator if isinstance(decorator, ast.Call) else None
    name = called.func if called else decorator
    if not (isinstance(name, ast.Name) and name.id == "dataclass") or (called and called.args):
        return None
    options: dict[str, bool] = {}
    for one in called.keywords if called else ():
        if one.arg not in _OPTIONS or not (isinstance(one.value, ast.Constant) and isinstance(one.value.value, bool)):
            return None
        options[one.arg] = one.value.value
    return options


def _defined(node: ast.ClassDef) -> set[str]:
    """Every name that the class body binds, but for its annotated fields."""
    found: set[str] = set()
    for statement in node.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(statement.name)
        elif not isinstance(statement, ast.AnnAssign):
            found.update(one.id for one in ast.walk(statement) if isinstance(one, ast.Name))
    return found


def _own_fields(node: ast.ClassDef) -> list[_Field] | None:
    """The fields that the class itself declares; None where one of them is unusual."""
    found: list[_Field] = []
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign):
            continue
        text = ast.unparse(statement.annotation)
        one = _field(statement)
        if one is None or any(name in text for name in _UNUSUAL_TYPES) or one.name in {other.name for other in found}:
            return None
        found.append(one)
    bound = _defined(node)  # a method of a field's name is its default
    return None if any(one.name in bound or one.name in {"self", "_"} for one in found) else found


def _field(statement: ast.AnnAssign) -> _Field | None:
    if not isinstance(statement.target, ast.Name) or not statement.simple or statement.target.id.startswith("__"):
        return None
    name, value = statement.target.id, statement.value
    if not (isinstance(value, ast.Call) and _is_field(value)):
        return _Field(name, default=value)
    given = {one.arg or "**": one.value for one in value.keywords}
    if value.args or not given.keys() <= _FIELD_OPTIONS or {"default", "default_factory"} <= given.keys():
        return None
    flags: dict[str, bool] = {}
    for flag in given.keys() & {"repr", "compare"}:
        constant = given[flag]
        if not (isinstance(constant, ast.Constant) and isinstance(constant.value, bool)):
            return None
        flags[flag] = constant.value
    return _Field(name, given.get("default"), given.get("default_factory"), **flags)


def _write(node: ast.ClassDef, found: _Class) -> None:
    """Replace the decorator by what it does."""
    slots = found.has("slots")
    for statement in node.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            one = found.fields[statement.target.id]
            statement.value = None if slots else one.default
    has_post_init = "__post_init__" in _defined(node)
    line = node.decorator_list[0]
    node.decorator_list = []
    written = ast.parse("\n".join(_source(found, own_repr="__repr__" in _defined(node), post_init=has_post_init))).body
    for statement in written:
        _place(statement, line)
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            _set_defaults(statement, found)
    node.body.extend(written)


def _set_defaults(function: ast.FunctionDef, found: _Class) -> None:
    """The fields' own expressions, evaluated once, where the class is made; of a factory what calls it."""
    arguments = function.args
    for parameters, defaults in ((arguments.args, arguments.defaults), (arguments.kwonlyargs, arguments.kw_defaults)):
        for parameter, place in zip(parameters[::-1], range(len(defaults))[::-1], strict=False):
            one = found.fields[parameter.arg]
            if one.factory is not None:
                call = ast.Call(ast.Name("_made_", ast.Load()), [one.factory], [])
                defaults[place] = ast.copy_location(call, one.factory)
            elif one.default is not None:
                is_kept = not found.has("slots")
                name = ast.copy_location(ast.Name(one.name, ast.Load()), one.default)
                defaults[place] = name if is_kept else one.default


def _source(found: _Class, *, own_repr: bool, post_init: bool) -> list[str]:
    """What is added to the class, for its fields in their order."""
    names, options = tuple(found.fields), found.options
    marked = tuple(
        (one.name, flag) for one in found.fields.values() for flag in ("repr", "compare") if not getattr(one, flag)
    )
    lines = [f"__written__ = {(names, tuple(options.items()), marked)!r}"]
    lines += ["__dataclass_fields__ = _support_.FIELDS", "__dataclass_params__ = _support_.PARAMS"]
    lines += [f"__match_args__ = {() if found.has('kw_only') else names!r}", "__replace__ = _support_.replace"]
    if found.has("slots"):
        lines.append(f"__slots__ = {tuple(found.new)!r}")
    if found.has("repr") and not own_repr:
        lines.append("__repr__ = _support_.represented")
    if found.has("frozen"):
        lines += ["__setattr__ = _support_.refuse_setting", "__delattr__ = _support_.refuse_deleting"]
        if found.has("slots"):
            lines += ["__getstate__ = _support_.state", "__setstate__ = _support_.set_state"]
    return [*lines, *_init(found, post_init=post_init), *_comparison(found)]


def _init(found: _Class, *, post_init: bool) -> list[str]:
    fields = list(found.fields.values())
    parameters = [f"{one.name}=None" if one.is_optional else one.name for one in fields]
    head = ", ".join(["self", *(["*"] if found.has("kw_only") and fields else []), *parameters])
    lines = [f"def __init__({head}):"]
    for one in fields:
        value = (
            one.name if one.factory is None else f"{one.name}.make() if {one.name}.__class__ is _made_ else {one.name}"
        )
        lines.append(f" _put_(self, {one.name!r}, {value})" if found.has("frozen") else f" self.{one.name} = {value}")
    return [*lines, *([" self.__post_init__()"] if post_init else []), " return None"]


def _comparison(found: _Class) -> list[str]:
    """Equality, and a hash where it is frozen: mutable values that compare have none, which Python sees to."""
    if not found.has("eq"):
        return []
    compared = [name for name, one in found.fields.items() if one.compare]
    terms = " and ".join(f"self.{name} == other.{name}" for name in compared) or "True"
    lines = ["def __eq__(self, other):", " if self is other:", "  return True"]
    lines += [" if other.__class__ is self.__class__:", f"  return {terms}", " return NotImplemented"]
    if found.has("frozen"):
        values = "".join(f"self.{name}, " for name in compared)
        lines += ["def __hash__(self):", f" return hash(({values}))"]
    return lines


def _import_support(tree: ast.Module, *, has_written: bool) -> None:
    """What the written classes use, and `dataclasses` for no more than what is still used of it."""
    used = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name)}
    first, *others = _imports(tree)
    names = [one for statement in (first, *others) for one in statement.names]
    kept = [one for one in names if one.asname or (one.name in used and one.name not in _SUPPORTED)]
    ours = [one for one in names if not one.asname and one.name in _SUPPORTED]
    new: list[ast.stmt] = ast.parse(_HEAD).body if has_written else []
    new += [ast.ImportFrom(_SUPPORT, ours, 0)] if ours else []
    new += [ast.ImportFrom("dataclasses", kept, 0)] if kept else []
    for statement in new:
        _place(statement, first)
    place = tree.body.index(first)
    tree.body[place : place + 1] = new
    tree.body = [one for one in tree.body if one not in others]


def _place(written: ast.AST, line: ast.AST) -> None:
    """Everything of what is written has the line of what it stands for."""
    for part in ast.walk(written):
        if isinstance(part, ast.stmt | ast.expr | ast.arg | ast.keyword | ast.alias):
            ast.copy_location(part, line)
