"""Opening a connection: by header or by ticket, with a token that is fresh."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from parley_client.errors import BANNED, ParleyError, RefusedError
from parley_client.rest import RestApi, is_loopback
from parley_client.tokens import Token, expiry_of, obtain, user_of

_OPEN_TIMEOUT_S: Final = 15.0  # a cold start of the authorizer and of $connect, and some
_CLOSE_TIMEOUT_S: Final = 1.0
_TOKEN_TIMEOUT_S: Final = 30.0  # what a call over HTTP may take, too
_REFUSED: Final = (401, 403)

T = TypeVar("T")


@dataclass(slots=True)
class Dialer:
    """`identify` is told whose token it is, as soon as that shows, and may refuse by raising ParleyError.

    `clock` is the time of day, in seconds since the epoch: tokens expire by it.
    """

    url: str
    token: Token
    rest: RestApi | None
    by_ticket: bool
    query: Mapping[str, str | None]
    identify: Callable[[str], None]
    clock: Callable[[], float] = time.time
    _last: str | None = field(default=None, repr=False)

    async def dial(self) -> ClientConnection:
        """A connection that is open. Raises ParleyError: `retryable` says whether trying again may help."""
        self._last = await self._fresh()
        return await self._trying_twice(self._open)

    def left(self, token: str | None = None) -> float | None:
        """For how many seconds a token (the latest) is good. None: not known."""
        expiry = expiry_of(token or self._last or "")
        return None if expiry is None else expiry - self.clock()

    @property
    def renews(self) -> bool:
        """Whether there are other tokens after this one."""
        return not isinstance(self.token, str)

    async def renew(self) -> str:
        """A fresh token. Raises ParleyError where there is none."""
        self._last = await self._fresh()
        return self._last

    def adopt(self, token: str) -> None:
        """A token that the server has taken: good for HTTP, and for the next connection if there is no other source."""
        self._last = token
        if isinstance(self.token, str):
            self.token = token

    async def with_token(self, call: Callable[[str], Awaitable[T]]) -> T:
        """A call of the HTTP API, with the token of the connection as long as that is good."""
        if self._last is None:
            self._last = await self._fresh()
        return await self._trying_twice(call)

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, int | str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One call of the HTTP API. Raises ParleyError, also where the client has none."""
        rest = self.rest
        if rest is None:
            raise ParleyError("bad_request", "This needs the HTTP API: give the client an http_url")
        return await self.with_token(lambda token: rest.call(method, path, token, query, body))

    async def _trying_twice(self, call: Callable[[str], Awaitable[T]]) -> T:
        """A refused token is replaced once, if the source of tokens has another one."""
        token = self._last or ""
        try:
            return await call(token)
        except ParleyError as error:
            if error.status not in _REFUSED or error.code == BANNED or isinstance(self.token, str):
                raise
            self._last = await self._fresh()
            if self._last == token:
                raise
        return await call(self._last)

    async def _fresh(self) -> str:
        try:
            async with asyncio.timeout(_TOKEN_TIMEOUT_S):
                token = await obtain(self.token)
        except ParleyError:
            raise
        except TimeoutError as exc:
            raise ParleyError("timeout", "There was no token in time", retryable=True) from exc
        except Exception as exc:  # whatever it is made of: the connection is tried again, as with any other failure
            raise ParleyError("unreachable", f"There is no token: {exc!r}", retryable=True) from exc
        self.check(token)
        return token

    async def user(self) -> str:
        """Whose token it is. Raises ParleyError where it does not say so, or there is none."""
        if self._last is None:
            self._last = await self._fresh()
        user = user_of(self._last)
        if user is None:
            raise ParleyError("bad_request", "The token does not say whose it is")
        return user

    def check(self, token: str) -> None:
        """Raises ParleyError for another user's token."""
        user_id = user_of(token)
        if user_id is not None:
            self.identify(user_id)

    async def _open(self, token: str) -> ClientConnection:
        query = {name: value for name, value in self.query.items() if value is not None}
        headers = {}
        if self.by_ticket and self.rest is not None:
            query["ticket"] = await self._ticket(self.rest, token)
        else:
            headers["Authorization"] = f"Bearer {token}"
        separator = "&" if urlsplit(self.url).query else "?"
        url = self.url + (separator + urlencode(query) if query else "")
        try:
            return await connect(
                url,
                additional_headers=headers,
                compression=None,  # the gateway has none
                ping_interval=None,  # the protocol has a ping of its own, which the server counts as presence
                open_timeout=_OPEN_TIMEOUT_S,
                close_timeout=_CLOSE_TIMEOUT_S,
                proxy=None if is_loopback(url) else True,
            )
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            if status in _REFUSED:
                raise await self._refusal(status, token) from refusal
            raise ParleyError(
                "unreachable", f"The server answered with status {status}", retryable=True, status=status
            ) from refusal
        except (OSError, TimeoutError, WebSocketException) as exc:
            raise ParleyError("unreachable", _reason(exc), retryable=True) from exc

    async def _ticket(self, rest: RestApi, token: str) -> str:
        try:
            return await rest.ticket(token)
        except ParleyError as error:
            if error.status in _REFUSED:
                raise RefusedError.of(error) from error
            raise

    async def _refusal(self, status: int, token: str) -> RefusedError:
        """A handshake that is refused does not say why: any request says whether the user is banned."""
        if self.rest is not None:
            try:
                await self.rest.call("GET", "/v1/me", token)
            except ParleyError as error:
                if error.code == BANNED:
                    return RefusedError.of(error)
        return RefusedError(status)


def _reason(exc: Exception) -> str:
    """For people: "Connection refused" says more than an errno and a tuple."""
    if isinstance(exc, OSError) and exc.errno:
        return os.strerror(exc.errno)
    return str(exc) or "There was no answer in time"
