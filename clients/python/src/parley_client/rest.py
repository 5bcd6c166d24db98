"""The HTTP API, as far as this client uses it: tickets, history, the inbox, private conversations."""

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
from urllib.parse import quote, urlencode, urlsplit

from parley_client.errors import ParleyError
from parley_client.events import Frame, Message, as_message

_TIMEOUT_S: Final = 30.0  # the gateway gives up after 29


@dataclass(frozen=True, slots=True)
class History:
    """Messages, and whether there are more in the direction that was read."""

    messages: tuple[Message, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as the inbox shows it. `head` is 0 while nothing has been said."""

    id: str
    type: str
    head: int
    unread: int
    read_seq: int
    name: str | None = None
    members: tuple[str, ...] = ()
    last_message: Message | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Conversations, newest first. `next_cursor` gives the next page; None at the end."""

    conversations: tuple[Summary, ...]
    next_cursor: str | None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to wherever it points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class RestApi:
    """Calls run in a thread each, so they never hold up the connection."""

    base_url: str
    timeout_s: float = _TIMEOUT_S

    async def ticket(self, token: str) -> str:
        """A one-time ticket for the WebSocket handshake."""
        return str((await self.call("POST", "/v1/tickets", token))["ticket"])

    async def history(self, token: str, conversation_id: str, query: Mapping[str, int | None]) -> History:
        body = await self.call("GET", f"/v1/conversations/{quote(conversation_id, safe='')}/messages", token, query)
        messages = tuple(as_message(each) for each in body["messages"])
        return History(messages, body.get("has_more") is True)

    async def inbox(self, token: str, query: Mapping[str, int | str | None]) -> InboxPage:
        body = await self.call("GET", "/v1/conversations", token, query)
        return InboxPage(tuple(_summary(each) for each in body["conversations"]), body.get("next_cursor"))

    async def create_private(self, token: str, with_user: str) -> str:
        return str(
            (await self.call("POST", "/v1/conversations", token, body={"type": "private", "with": with_user}))["id"]
        )

    async def call(
        self,
        method: str,
        path: str,
        token: str,
        query: Mapping[str, int | str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The answer's JSON. Raises ParleyError: the server's own, or `unreachable`."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self.base_url.rstrip("/") + path + (f"?{urlencode(given)}" if given else "")
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  # checked to be http(s)
        return await asyncio.to_thread(self._fetch, request)

    def _fetch(self, request: urllib.request.Request) -> dict[str, Any]:
        proxies = [urllib.request.ProxyHandler({})] if is_loopback(request.full_url) else []
        opener = urllib.request.build_opener(_NoRedirects, *proxies)
        try:
            with opener.open(request, timeout=self.timeout_s) as response:
                return _object(response.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                body = _object(refusal.read())
            fallback = {"error": f"The server answered with status {refusal.code}", "retryable": refusal.code >= 500}  # noqa: PLR2004  # a server's fault may pass
            raise ParleyError.from_wire(fallback | body, status=refusal.code) from refusal
        except (OSError, http.client.HTTPException) as exc:
            reason = getattr(exc, "reason", None) or exc
            raise ParleyError("unreachable", f"{self.base_url} did not answer: {reason}", retryable=True) from exc


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
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _summary(body: Mapping[str, Any]) -> Summary:
    last = body.get("last_message")
    return Summary(
        id=str(body["id"]),
        type=str(body.get("type", "")),
        head=int(body.get("head") or 0),
        unread=int(body.get("unread") or 0),
        read_seq=int(body.get("read_seq") or 0),
        name=body.get("name"),
        members=tuple(map(str, body.get("members") or ())),
        last_message=as_message(last) if isinstance(last, Mapping) else None,
        raw=body,
    )
