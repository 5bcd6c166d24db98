"""What all operations over HTTP have in common: one request with the connection's token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from parley_client.dial import Dialer
from parley_client.errors import ParleyError
from parley_client.rest import RestApi


class Calls:
    """Each is one request with the connection's token, and a second one with a fresh token where that was refused.

    They need no connection, and are not repeated by themselves. All raise ParleyError: the server's refusal, or
    `unreachable`, which leaves open whether it was done.
    """

    _dialer: Dialer
    _rest: RestApi | None

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, int | str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        rest = self._http_api()
        return await self._dialer.with_token(lambda token: rest.call(method, path, token, query, body))

    def _http_api(self) -> RestApi:
        if self._rest is None:
            raise ParleyError("bad_request", "This needs the HTTP API: give the client an http_url")
        return self._rest


def conversation_path(conversation_id: str, *more: str) -> str:
    return path_of("conversations", conversation_id, *more)


def path_of(*parts: str) -> str:
    """A path of the HTTP API; whatever is in its parts stays in its part."""
    return "/".join(("/v1", *(quote(part, safe="") for part in parts)))
