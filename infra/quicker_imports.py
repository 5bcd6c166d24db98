"""What libraries import that a function has no use for, left out of a bundle's bytecode (docs/adr/0033-cold-starts.md).

A package whose `__init__` imports everything that it has imports a name when it is asked for: Powertools' HTTP resolver
comes with resolvers for five other services, and one of them with asyncio. The sources beside the bytecode are the
package's own. Runs in Pyodide too: it imports the standard library and nothing else.
"""

from __future__ import annotations

import ast
import typing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LOADER: Final = """
def __getattr__(name):
    place = _places_.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib
    value = getattr(importlib.import_module(place[0], __name__), place[1])
    globals()[name] = value
    return value
"""


def wait_for_names(tree: ast.Module) -> ast.Module:
    """The module, in place, with its `from … import …` of names put off, but for those that it uses itself.

    A name that is a submodule's, too, is imported at once: whoever imports that submodule would put it in its place.
    """
    used = {one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}
    places: dict[str, tuple[str, str]] = {}
    body: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module and statement.module != "__future__":
            module = f"{'.' * statement.level}{statement.module}"
            waiting = [one for one in statement.names if _may_wait(one, module, used)]
            places |= {one.asname or one.name: (module, one.name) for one in waiting}
            statement.names = [one for one in statement.names if one not in waiting]
            if not statement.names:
                continue
        body.append(statement)
    end = tree.body[-1] if tree.body else tree
    for statement in ast.parse(f"_places_ = {places!r}{_LOADER}").body:
        for part in ast.walk(statement):
            if isinstance(part, ast.stmt | ast.expr | ast.arg | ast.keyword | ast.alias):
                ast.copy_location(part, end)
        body.append(statement)
    tree.body = body
    return ast.fix_missing_locations(tree)


def _may_wait(one: ast.alias, module: str, used: set[str]) -> bool:
    name = one.asname or one.name
    return name != "*" and name not in used and name not in module.split(".")


def prefer_typing(tree: ast.Module) -> ast.Module:
    """The module, in place, which takes from `typing` what that has, instead of from `typing_extensions`."""
    for statement in ast.walk(tree):
        if not (isinstance(statement, ast.ImportFrom) and statement.module == "typing_extensions"):
            continue
        if all(hasattr(typing, one.name) for one in statement.names):
            statement.module = "typing"
    return tree


QUICKER: Final[Mapping[str, Callable[[ast.Module], ast.Module]]] = {
    "aws_lambda_powertools/__init__.py": wait_for_names,
    "aws_lambda_powertools/event_handler/__init__.py": wait_for_names,
    "aws_lambda_powertools/utilities/data_classes/__init__.py": wait_for_names,
    "jwt/__init__.py": wait_for_names,
    # It does so itself where there is no typing_extensions, whose import takes as long as all frames.
    "msgspec/_utils.py": prefer_typing,
}
