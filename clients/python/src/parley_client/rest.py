"""JSON over HTTP: one call, and what can go wrong with it. `operations.py` has what there is to call."""

from __future__ import annotations

import asyncio
import http.client
import ipaddress
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from parley_client.errors import ParleyError

NOTIFICATIONS: Final = "/v1/notifications"
_TIMEOUT_S: Final = 30.0  # the gateway gives up after 29


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class RestApi:
    """Calls run in a thread each, so they never hold up the connection."""

    base_url: str
    timeout_s: float = _TIMEOUT_S
    headers: Mapping[str, str] = field(default_factory=dict)

    async def ticket(self, token: str) -> str:
        """A one-time ticket for the WebSocket handshake."""
        ticket = (await self.call("POST", "/v1/tickets", token)).get("ticket")
        if not isinstance(ticket, str):
            raise ParleyError("unreachable", "The server's answer has no ticket", retryable=True)
        return ticket

    async def call(
        self,
        method: str,
        path: str,
        token: str,
        query: Mapping[str, int | str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The answer's JSON; empty where there is none. Raises ParleyError: the server's own, or `unreachable`."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self.base_url.rstrip("/") + path + (f"?{urlencode(given)}" if given else "")
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}
        headers |= self.headers
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  # checked to be http(s)
        return await asyncio.to_thread(self._fetch, request)

    def _fetch(self, request: urllib.request.Request) -> dict[str, Any]:
        proxies = [urllib.request.ProxyHandler({})] if is_loopback(request.full_url) else []
        opener = urllib.request.build_opener(NoRedirects, *proxies)
        try:
            with opener.open(request, timeout=self.timeout_s) as response:
                return _object(response.read())
        except urllib.error.HTTPError as refusal:
            body = self._body_of(refusal)
            fallback = {"error": f"The server answered with status {refusal.code}", "retryable": refusal.code >= 500}  # noqa: PLR2004  # a server's fault may pass
            raise ParleyError.from_wire(fallback | body, status=refusal.code) from refusal
        except (OSError, http.client.HTTPException) as exc:
            raise self._unreachable(exc) from exc

    def _body_of(self, refusal: urllib.error.HTTPError) -> dict[str, Any]:
        """What the server says with a refusal. A connection that ends within it has said nothing."""
        try:
            with refusal:
                return _object(refusal.read())
        except (OSError, http.client.HTTPException) as exc:
            raise self._unreachable(exc) from exc

    def _unreachable(self, exc: Exception) -> ParleyError:
        reason = getattr(exc, "reason", None) or exc
        return ParleyError("unreachable", f"{self.base_url} did not answer: {reason}", retryable=True)


def check_http_url(url: str) -> str:
    """Raises ValueError for what is no address of an HTTP API."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"An address of the HTTP API starts with http:// or https://, not {url!r}")
    return url


def is_loopback(url: str) -> bool:
    """Whether this address is on this machine: proxies are for the world outside."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
