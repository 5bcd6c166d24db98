"""The chat page, served beside the emulator's APIs, and tokens for it: on this machine everybody may be anybody.

Nothing of this is a part of the product. It stands below `/ui/`: no bucket can have a name of two characters, so that
nothing of the emulator's is hidden by it.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "/ui/"
HOUR = 3_600
MOST_BYTES = 1_000
# The protocol's rule for user ids.
USER_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.@-]{1,128}")
HOSTS = ("localhost", "127.0.0.1", "[::1]")
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Page:
    """An ASGI application: the built page in `folder`, for the stack whose `stack.json` is in `home`."""

    def __init__(self, folder: Path, home: Path) -> None:
        self._folder = folder.resolve()
        self._stack_file = home / "stack.json"

    def takes(self, path: str) -> bool:
        """Whether a request for this path is the page's."""
        return f"{path}/" == PREFIX or path.startswith(PREFIX)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if not is_own(headers):
            await answer(send, 403)
        elif f"{path}/" == PREFIX:
            await answer(send, 308, headers={"location": PREFIX})
        elif method == "POST" and path == f"{PREFIX}token":
            await self._token(headers, receive, send)
        elif method not in {"GET", "HEAD"}:
            await answer(send, 405)
        elif path == f"{PREFIX}config.json":
            await self._config(send)
        else:
            await self._file(path.removeprefix(PREFIX) or "index.html", send)

    async def _config(self, send: Send) -> None:
        if (stack := self._stack()) is None:
            return await answer(send, 503)
        config = {"ws_url": stack["ws_url"], "http_url": stack["http_url"]}
        if stack.get("jwt_secret_file"):
            config["tokens_url"] = f"{PREFIX}token"
        return await answer(send, 200, json.dumps(config).encode(), TYPES[".json"])

    async def _token(self, headers: dict[str, str], receive: Receive, send: Send) -> None:
        # JSON: a page of another origin can't send it without asking first, and is not answered.
        if headers.get("content-type") != "application/json":
            return await answer(send, 415)
        user = _user_of(await _body(receive))
        stack = self._stack()
        if user is None or stack is None or not stack.get("jwt_secret_file"):
            return await answer(send, 400 if user is None else 404)
        token = _mint(stack, user)
        return await answer(send, 200, json.dumps({"token": token}).encode(), TYPES[".json"])

    async def _file(self, name: str, send: Send) -> None:
        path = (self._folder / name).resolve()
        kind = TYPES.get(path.suffix)
        if kind is None or not path.is_relative_to(self._folder) or not path.is_file():
            return await answer(send, 404)
        # Names below `assets/` hold a digest of what is in the file.
        lasting = "public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
        headers = {"cache-control": lasting, "content-security-policy": self._policy()}
        return await answer(send, 200, path.read_bytes(), kind, headers)

    def _policy(self) -> str:
        """Nothing but the page's own files, and the stack's addresses."""
        stack = self._stack() or {}
        urls = [urlsplit(stack[name]) for name in ("ws_url", "http_url") if name in stack]
        origins = " ".join(f"{url.scheme}://{url.netloc}" for url in urls)
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors 'none'; img-src 'self' blob: https: {origins}; "
            f"media-src 'self' blob: {origins}; connect-src 'self' {origins}"
        )

    def _stack(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(self._stack_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if {"ws_url", "http_url"} <= found.keys() else None


def is_own(headers: dict[str, str]) -> bool:
    """Whether a page of this very place asks, or a browser by itself: other names that lead here don't count."""
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    origin = headers.get("origin")
    return host in HOSTS and (origin is None or urlsplit(origin).netloc == headers["host"])


def _user_of(body: bytes) -> str | None:
    try:
        user = json.loads(body)["user"]
    except (ValueError, LookupError, TypeError):
        return None
    return user if isinstance(user, str) and USER_ID.fullmatch(user) else None


def _mint(stack: dict[str, Any], user: str) -> str:
    """An HS256 token for an hour. The emulator's environment has no library for it, and needs no more of one."""
    issued = int(time.time())
    claims = {"sub": user, "iat": issued, "exp": issued + HOUR}
    claims |= {name: stack[name] for name in ("iss", "aud") if name in stack}
    signed = b".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    secret = Path(stack["jwt_secret_file"]).read_bytes()
    return b".".join((signed, _encoded(hmac.digest(secret, signed, hashlib.sha256)))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


async def _body(receive: Receive) -> bytes:
    """The request's body; of one that is too long, its beginning, which is no JSON."""
    body, more = b"", True
    while more and len(body) <= MOST_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body[:MOST_BYTES]


async def answer(
    send: Send, status: int, body: bytes = b"", kind: str = "text/plain", headers: dict[str, str] | None = None
) -> None:
    safe = {
        "content-type": kind,
        "content-length": str(len(body)),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cache-control": "no-store",
    }
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in {**safe, **(headers or {})}.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
