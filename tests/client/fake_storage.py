"""The storage beside the fake server: forms that are held to what was signed, links, and faults on request."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import ssl
from dataclasses import dataclass, field
from typing import Self

from tests.client.model import Frame, Refusal

_PART = re.compile(
    rb'Content-Disposition: form-data; name="([^"]*)"[^\r]*((?:\r\n[^\r]+)*)\r\n\r\n(.*)\r\n\Z', re.DOTALL
)


def refusal(code: str, message: str = "No") -> bytes:
    return f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()


@dataclass
class FakeStorage:
    """refusals: the next requests are answered with these at once, unread. stalls: nothing is ever answered;
    deaf: nor read. tls: to be set before it starts.

    short: downloads break off after so many bytes. headers: of every request, lower case.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    refusals: list[tuple[int, bytes]] = field(default_factory=list)
    stalls: bool = False
    deaf: bool = False
    tls: ssl.SSLContext | None = None
    short: int | None = None
    headers: list[dict[str, str]] = field(default_factory=list)
    living: int = 0
    url: str = ""
    _signed: dict[str, tuple[dict[str, str], int]] = field(default_factory=dict)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0, ssl=self.tls)
        host = "https://localhost" if self.tls else "http://127.0.0.1"
        self.url = f"{host}:{self._server.sockets[0].getsockname()[1]}/bucket"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._over.set()
        self._server.close()
        await self._server.wait_closed()

    async def until(self, reached: int) -> None:
        """Until so many requests are under way."""
        while self.living != reached:
            self._news.clear()
            await self._news.wait()

    def form(self, key: str, content_type: str, size: int) -> Frame:
        fields = {"key": key, "Content-Type": content_type, "policy": "p" * 80, "x-amz-signature": secrets.token_hex()}
        self._signed[key] = (fields, size)
        return {"url": self.url, "fields": fields}

    def link(self, key: str) -> str:
        return f"{self.url}/{key}?X-Amz-Signature=secret"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count(1)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
            self.headers.append(headers)
            self._news.set()
            if self.deaf:
                await self._over.wait()
                return
            if self.stalls:
                while await reader.read(65_536):
                    pass
                return
            status, content = await self._respond(head[0], headers, reader)
            more = "Location: http://127.0.0.1:9/elsewhere\r\n" if 300 <= status < 400 else ""
            first = f"HTTP/1.1 {status} Status\r\nContent-Length: {len(content)}\r\n{more}Connection: close\r\n\r\n"
            writer.write(first.encode() + content[: self.short if status == 200 else None])
            await writer.drain()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError):
            pass
        finally:
            self._count(-1)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    def _count(self, more: int) -> None:
        self.living += more
        self._news.set()

    async def _respond(self, first: str, headers: dict[str, str], reader: asyncio.StreamReader) -> tuple[int, bytes]:
        if self.refusals:
            return self.refusals.pop(0)
        method, target, _ = first.split(" ")
        if "authorization" in headers:
            return 400, refusal("InvalidArgument", "Only one auth mechanism allowed")
        if method == "POST":
            return self._take(headers["content-type"], await reader.readexactly(int(headers["content-length"])))
        key = target.partition("?")[0].removeprefix("/bucket/")
        return (200, self.objects[key]) if key in self.objects else (404, refusal("NoSuchKey"))

    def _take(self, content_type: str, body: bytes) -> tuple[int, bytes]:
        boundary = content_type.removeprefix("multipart/form-data; boundary=").encode()
        *parts, end = (b"\r\n" + body).split(b"\r\n--" + boundary)
        fields: dict[str, bytes] = {}
        for part in parts[1:]:
            found = _PART.search(part + b"\r\n")
            if found is None:
                return 400, refusal("MalformedPOSTRequest")
            fields[found[1].decode()] = found[3]
        if end != b"--\r\n" or not fields or list(fields)[-1] != "file":
            return 400, refusal("MalformedPOSTRequest")
        content = fields.pop("file")
        signed, size = self._signed.get(fields.get("key", b"").decode(), ({}, 0))
        if {name: value.decode() for name, value in fields.items()} != signed:
            return 403, refusal("AccessDenied", "Invalid according to Policy")
        if len(content) != size:
            return 400, refusal("EntityTooLarge" if len(content) > size else "EntityTooSmall")
        self.objects[signed["key"]] = content
        self.types[signed["key"]] = signed["Content-Type"]
        return 204, b""


@dataclass
class FileModel:
    """What the server knows of files. verdicts: reasons for the next uploads; None is ready.

    unchecked: so many questions about an uploaded file find it pending yet.
    """

    storage: FakeStorage
    files: dict[str, Frame] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    verdicts: list[str | None] = field(default_factory=list)
    unchecked: int = 0

    def announce(self, user: str, body: Frame) -> Frame:
        if body["content_type"] == "application/octet-stream":
            raise Refusal("bad_request")
        file_id = f"file-{len(self.files) + 1}"
        is_image = body["content_type"].startswith("image/")
        name = body["name"].replace("\\", "/").rpartition("/")[2]
        described = {"file_id": file_id, "kind": body.get("kind") or ("image" if is_image else "file"), "name": name}
        described |= {"content_type": body["content_type"], "size": body["size"], "status": "pending"}
        self.files[file_id], self.owners[file_id] = described, user
        upload = self.storage.form(f"uploads/{file_id}", body["content_type"], body["size"])
        return {**described, "upload": upload, "expires_at": 1}

    def get(self, user: str, file_id: str) -> Frame:
        file = self.files.get(file_id)
        if file is None:
            raise Refusal("not_found")
        self._check(file)
        nothing = {
            "reason": None,
            "width": None,
            "height": None,
            "url": None,
            "thumbnail_url": None,
            "expires_in": None,
        }
        answer = {**nothing, **file}
        if file["status"] == "ready":
            small = file["kind"] == "image"
            answer |= {"url": self.storage.link(f"files/{file_id}"), "expires_in": 300}
            answer["thumbnail_url"] = self.storage.link(f"thumbnails/{file_id}") if small else None
        elif self.owners[file_id] != user:
            raise Refusal("not_found")
        return answer

    def _check(self, file: Frame) -> None:
        content = self.storage.objects.get(f"uploads/{file['file_id']}")
        if content is None or file["status"] != "pending":
            return
        if self.unchecked:
            self.unchecked -= 1
            return
        reason = self.verdicts.pop(0) if self.verdicts else None
        file |= {"status": "rejected", "reason": reason} if reason else {"status": "ready"}
        if reason is None:
            self.storage.objects[f"files/{file['file_id']}"] = content
            self.storage.objects[f"thumbnails/{file['file_id']}"] = content[:10]
            if file["kind"] == "image":
                file |= {"width": 2, "height": 1}
