"""Requests pass the HTTP API as they do in AWS, whatever a client sends.

- A body that is no UTF-8 reaches the function as it is. MiniStack puts U+FFFD in, so that nothing is left to refuse.
- An OPTIONS request goes to the default route of an API that configures no CORS. MiniStack refuses it on its own.
"""

# ruff: noqa: SLF001  # MiniStack has no hooks for any of this; its version is pinned

from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import apigateway

Response = tuple[int, dict[str, str], bytes]


class _Passing(str):
    """A method that MiniStack does not recognise as OPTIONS, and hands over as it is."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


def install() -> None:
    """Take over what passes the HTTP API. To be called before the emulator starts serving."""
    execute: Callable[..., Awaitable[Response]] = apigateway._handle_execute_in_scope
    invoke: Callable[..., Awaitable[Response]] = apigateway._invoke_lambda_proxy

    async def executing(api_id: str, stage: str, path: str, method: str, *more: Any) -> Response:
        passes = method == "OPTIONS" and not (apigateway._apis.get(api_id) or {}).get("corsConfiguration")
        return await execute(api_id, stage, path, _Passing(method) if passes else method, *more)

    async def invoking(  # noqa: PLR0913, PLR0917  # MiniStack's own order
        integration: Any,
        api_id: str,
        stage: str,
        path: str,
        method: str,
        headers: Any,
        body: Any,
        *more: Any,
        **named: Any,
    ) -> Response:
        if body and not _is_utf_8(body):
            length = {"content-type": "application/octet-stream", "content-length": str(len(body))}
            headers = {**{name.lower(): value for name, value in headers.items()}, **length}
        return await invoke(integration, api_id, stage, path, str(method), headers, body, *more, **named)

    apigateway._handle_execute_in_scope = executing
    apigateway._invoke_lambda_proxy = invoking


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
