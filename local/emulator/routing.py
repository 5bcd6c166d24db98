"""A frame that is nested too deeply goes to `$default`, as any other that the gateway can't read.

On its own MiniStack lets the JSON parser's RecursionError end the connection.
"""

# ruff: noqa: SLF001  # MiniStack has no hook for this; its version is pinned

from collections.abc import Callable

from ministack.services import apigateway


def install() -> None:
    """Guard the route selection. To be called before the emulator starts serving."""
    evaluate: Callable[[str, str], str] = apigateway._evaluate_route_selection

    def guarded(expression: str, frame: str) -> str:
        try:
            return evaluate(expression, frame)
        except RecursionError:
            return "$default"

    apigateway._evaluate_route_selection = guarded
