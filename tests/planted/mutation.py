"""One mistake in the product's source, made while it runs: the functions that it changes get other code.

A module that has imported a function keeps it, so nothing has to be imported anew, and all see the mistake at once.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from inspect import CO_OPTIMIZED, getattr_static, unwrap
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
_CLIENT: Final = "clients/python/src/"
# Everything of a code object that decides what it does. Places of lines do not.
_PARTS: Final = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_flags", "co_exceptiontable")


class NotPlantableError(Exception):
    """The mistake is not in the source any more, or is not inside of a function."""


@dataclass(frozen=True)
class Bug:
    """In the file at `path`, `old` (which stands there once) says `new` instead. `name` is what is wrong then."""

    name: str
    path: str
    old: str
    new: str

    @cached_property
    def module(self) -> ModuleType:
        dotted = self.path.removeprefix(_CLIENT).removesuffix(".py").replace("/", ".")
        return importlib.import_module(dotted)

    @property
    def sources(self) -> tuple[str, str]:
        """The file as it is, and with the mistake. Raises NotPlantableError where `old` does not stand there once."""
        source = (ROOT / self.path).read_text()
        if source.count(self.old) != 1:
            raise NotPlantableError(f"{self.path} has {self.old!r} {source.count(self.old)} times")
        return source, source.replace(self.old, self.new)


Exchange = tuple[FunctionType, CodeType]
"""A function as it lives in its module, and the code that it gets."""


def changed(bug: Bug) -> list[Exchange]:
    """The functions that the mistake is in, and the code that they get."""
    right, wrong = (compile(source, bug.path, "exec", dont_inherit=True) for source in bug.sources)
    found = changed_by(bug.module, right, wrong)
    if not found:
        raise NotPlantableError(f"{bug.name}: the code does the same")
    return found


def changed_by(module: ModuleType, right: CodeType, wrong: CodeType) -> list[Exchange]:
    """What of the module is another function in `wrong` than in `right`."""
    return [(_living(module, code.co_qualname), code) for code in _differing(right, wrong)]


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The product with this bug in it."""
    with exchanged(changed(bug)):
        yield


@contextmanager
def exchanged(functions: Sequence[Exchange]) -> Iterator[None]:
    """These functions with the code that they get."""
    was = [(function, function.__code__) for function, _ in functions]
    try:
        for function, code in functions:
            function.__code__ = code
        yield
    finally:
        for function, code in was:
            function.__code__ = code


def _differing(right: CodeType, wrong: CodeType) -> Iterator[CodeType]:
    """The outermost functions that are not the same any more. A module and a class are looked into."""
    if right.co_flags & CO_OPTIMIZED:
        if not _is_same(right, wrong):
            yield wrong
        return
    if _plain(right) != _plain(wrong):
        raise NotPlantableError(f"{right.co_qualname}: what runs when it is imported would change")
    for one, other in zip(_nested(right), _nested(wrong), strict=True):
        yield from _differing(one, other)


def _is_same(right: CodeType, wrong: CodeType) -> bool:
    if _plain(right) != _plain(wrong):
        return False
    return all(_is_same(one, other) for one, other in zip(_nested(right), _nested(wrong), strict=True))


def _plain(code: CodeType) -> tuple[Any, ...]:
    constants = [repr(one) for one in code.co_consts if not isinstance(one, CodeType)]
    return (*(getattr(code, part) for part in _PARTS), code.co_argcount, constants, len(_nested(code)))


def _nested(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _living(module: ModuleType, name: str) -> FunctionType:
    """The function of this name, out of whatever its decorators have made of it."""
    place: Any = module
    for part in name.split("."):
        place = getattr_static(place, part)
    for wrapped in ("__func__", "fget"):
        place = getattr(place, wrapped, place)
    function = unwrap(place)
    if not isinstance(function, FunctionType):
        raise NotPlantableError(f"{name} of {module.__name__} is no function")
    return function
