"""What all operations over HTTP have in common: one request with the connection's token."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from parley_client.dial import Dialer
from parley_client.errors import ParleyError


class Calls:
    """Each is one request with the connection's token, and a second one with a fresh token where that was refused.

    They need no connection, and are not repeated by themselves. All raise ParleyError: the server's refusal, or
    `unreachable`, which leaves open whether it was done.
    """

    _dialer: Dialer

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, int | str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        return await self._dialer.call(method, path, query, body)

    async def _find(self, path: str, query: Mapping[str, int | str | None] | None = None) -> dict[str, Any] | None:
        """What there is; None for what is not there, or not for the own user."""
        try:
            return await self._call("GET", path, query)
        except ParleyError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None


def conversation_path(conversation_id: str, *more: str) -> str:
    return path_of("conversations", conversation_id, *more)


def present(**fields: Any) -> dict[str, Any]:
    """What a request says: of what is None, nothing."""
    return {name: value for name, value in fields.items() if value is not None}


def path_of(*parts: str) -> str:
    """A path of the HTTP API; whatever is in its parts stays in its part."""
    return "/".join(("/v1", *(quote(part, safe="") for part in parts)))
