"""What dataclasses share that a bundle's bytecode has written out (infra/dataclass_writer.py).

No source imports this: it stands for what `dataclasses` generates, which it imports where someone asks for that itself.
"""

from __future__ import annotations

from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Made:
    """The default of a field that has a factory."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __repr__(self) -> str:
        return "<factory>"  # as `dataclasses` shows it


class _Described:
    """`__dataclass_fields__` or `__dataclass_params__` of a class: made by the real decorator when it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, _: object, kind: type) -> Any:
        holder = next(one for one in kind.__mro__ if vars(one).get(self._name) is self)
        found = getattr(_twin(holder), self._name)
        setattr(holder, self._name, found)
        return found


FIELDS = _Described("__dataclass_fields__")
PARAMS = _Described("__dataclass_params__")


def _twin(kind: Any) -> type:
    """A class with the same fields and options, by the real decorator."""
    from dataclasses import MISSING, dataclass, field  # noqa: PLC0415  # it takes as long as all of the classes

    names, options, marked = kind.__written__
    given = dict(zip(names[::-1], (kind.__init__.__defaults__ or ())[::-1], strict=False))
    given |= kind.__init__.__kwdefaults__ or {}
    types: dict[str, Any] = {}
    for one in kind.__mro__[-2::-1]:  # but for `object`
        types |= one.__annotations__
    body: dict[str, Any] = {"__annotations__": {name: types[name] for name in names}}
    for name in names:
        default = given.get(name, MISSING)
        flags: dict[str, Any] = {flag: False for other, flag in marked if other == name}
        if isinstance(default, Made):
            body[name] = field(default_factory=default.make, **flags)
        elif default is not MISSING or flags:
            body[name] = field(default=default, **flags)
    return dataclass(**dict(options))(type(kind.__name__, (), body))


def _shown(value: Any) -> Sequence[str]:
    names, _, marked = value.__written__
    return [name for name in names if (name, "repr") not in marked]


@recursive_repr()
def represented(self: Any) -> str:
    return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in _shown(self))})"


def refuse_setting(self: Any, name: str, value: Any) -> None:
    if "__written__" in vars(type(self)) or name in self.__written__[0]:
        _refuse("assign to", name)
    object.__setattr__(self, name, value)


def refuse_deleting(self: Any, name: str) -> None:
    if "__written__" in vars(type(self)) or name in self.__written__[0]:
        _refuse("delete", name)
    object.__delattr__(self, name)


def _refuse(what: str, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415  # as above

    raise FrozenInstanceError(f"cannot {what} field {name!r}")


def state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__written__[0]]


def set_state(self: Any, values: Sequence[Any]) -> None:
    for name, value in zip(self.__written__[0], values, strict=False):
        object.__setattr__(self, name, value)


def replace(value: T, /, **changes: Any) -> T:
    """As `dataclasses` has it; so are these."""
    written = vars(type(value)).get("__written__")
    if written is None:
        from dataclasses import replace as replace_any  # noqa: PLC0415  # as above

        return replace_any(value, **changes)  # type: ignore[type-var]  # it checks for itself
    return type(value)(**{name: getattr(value, name) for name in written[0]} | changes)


def fields(value: Any) -> tuple[Any, ...]:
    from dataclasses import fields as fields_of_any  # noqa: PLC0415  # as above

    return fields_of_any(value)


def asdict(value: Any) -> dict[str, Any]:
    from dataclasses import asdict as any_as_dict  # noqa: PLC0415  # as above

    return any_as_dict(value)
