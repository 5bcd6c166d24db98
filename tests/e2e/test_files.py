"""Images and files on the deployed stack: by the Python client, and by nothing but HTTP."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import struct
import subprocess
import urllib.error
import urllib.request
import zlib
from email.message import Message as Headers
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from parley_client import File, Message, ParleyClient, ParleyError

from local.stack import Stack
from shared.domain.files import Upload
from shared.domain.text import private_conversation_id
from tests.e2e.pushes import until
from tests.e2e.raw_client import PATIENCE_S, connected, http, new_users
from tests.e2e.test_groups import make_group
from tests.e2e.test_python_client import client, messages
from tests.forms import post_form

LARGE = 20 * 1024 * 1024
WITHOUT_CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def png(width: int, height: int, *, data: bytes | None = None) -> bytes:
    """A picture of one bit per pixel, all black: a few kilobytes, however large it is once it is decoded."""
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height)) if data is None else data
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def pdf(size: int) -> bytes:
    head = b"%PDF-1.7\n"
    return head + os.urandom(size - len(head))


PICTURE = png(64, 48)


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def content_of(path: Path) -> bytes:
    return path.read_bytes()


def announced(stack: Stack, user: str, content: bytes, **more: Any) -> dict[str, Any]:
    body = {"name": "cat.png", "content_type": "image/png", "size": len(content), **more}
    status, answer = http(stack, "POST", "/v1/files", user_id=user, body=body)
    assert status == 201, answer
    file: dict[str, Any] = answer
    return file


def posted(file: dict[str, Any], content: bytes, **tampered: str) -> int:
    """The storage's answer to the form, with some of its fields changed."""
    form = file["upload"]
    return post_form(Upload(form["url"], form["fields"] | tampered, file["expires_at"]), content)


def look_at(stack: Stack, user: str, file_id: str) -> tuple[int, dict[str, Any]]:
    return http(stack, "GET", f"/v1/files/{file_id}", user_id=user)


async def verdict(stack: Stack, user: str, file_id: str) -> dict[str, Any]:
    """The file, once it is not pending any more."""

    def settled() -> dict[str, Any] | None:
        _, file = look_at(stack, user, file_id)
        return file if file["status"] != "pending" else None

    found: dict[str, Any] = await until(settled)
    return found


async def ready(stack: Stack, user: str, content: bytes = PICTURE, **more: Any) -> dict[str, Any]:
    file = announced(stack, user, content, **more)
    assert await asyncio.to_thread(posted, file, content) == 204
    settled = await verdict(stack, user, file["file_id"])
    assert settled["status"] == "ready", settled
    return settled


def fetched(url: str) -> tuple[int, Headers, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.headers, refusal.read()


def extended_filename(headers: Headers) -> str:
    """`filename*`, which counts where it is understood, and stands behind one that everybody understands."""
    (plain, extended) = headers["Content-Disposition"].split("; filename")[1:]
    assert re.fullmatch(r'="[\x20-\x7e]*"', plain)
    encoded = re.fullmatch(r"\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]+)", extended)
    assert encoded
    return unquote(encoded[1], errors="strict")


async def gone(url: str) -> None:
    await until(lambda: fetched(url)[0] == 404)


# --- up and down


def test_an_image_and_a_large_file_go_from_one_client_to_the_other(stack: Stack, tmp_path: Path) -> None:
    async def chat() -> None:
        one, other = new_users(2)
        async with client(stack, one) as alice, client(stack, other) as bob:
            await bob.sync()
            for path in (written(tmp_path, "cat.png", PICTURE), written(tmp_path, "large.pdf", pdf(LARGE))):
                up: list[tuple[int, int]] = []
                down: list[tuple[int, int]] = []
                size = len(content_of(path))
                ack = await alice.send_file(path, to=other, progress=lambda *moved, to=up: to.append(moved))
                (message,) = await messages(bob, 1)
                assert (message.seq, message.content, message.type) == (
                    ack.seq,
                    "",
                    "image" if size < LARGE else "file",
                )
                place = await bob.download(
                    message.file_id or "", tmp_path / "came", progress=lambda *moved, to=down: to.append(moved)
                )
                assert content_of(place) == content_of(path)
                for seen in (up, down):
                    assert seen == sorted(seen)
                    assert (seen[0], seen[-1]) == ((0, size), (size, size))
                assert size < LARGE or min(len(up), len(down)) > 100
                await look_closely(bob, message, tmp_path)

    async def look_closely(of: ParleyClient, message: Message, folder: Path) -> None:
        file: File = await of.file(message.file_id or "")
        if message.type == "file":
            assert (file.thumbnail_url, file.width) == (None, None)
            return
        assert (file.width, file.height) == (64, 48)
        small = await of.download(file.id, folder, thumbnail=True)
        assert content_of(small)[:3] == b"\xff\xd8\xff"

    asyncio.run(chat())


@WITHOUT_CURL
def test_curl_uploads_and_downloads_an_image_and_a_large_file(stack: Stack, tmp_path: Path) -> None:
    async def transfer() -> None:
        (user,) = new_users(1)
        for name, content_type, content in (
            ("cat.png", "image/png", PICTURE),
            ("large.pdf", "application/pdf", pdf(LARGE)),
        ):
            path = written(tmp_path, name, content)
            file = announced(stack, user, content, name=name, content_type=content_type)
            options = [
                part
                for field, value in file["upload"]["fields"].items()
                for part in ("--form-string", f"{field}={value}")
            ]
            curl(*options, "-F", f"file=@{path}", file["upload"]["url"], "-w", "%{http_code}", expected=b"204")
            settled = await verdict(stack, user, file["file_id"])
            assert (settled["status"], settled["size"]) == ("ready", len(content))
            curl(
                "-o",
                str(tmp_path / "came"),
                settled["url"],
                "-w",
                "%{http_code} %{content_type}",
                expected=f"200 {content_type}".encode(),
            )
            assert content_of(tmp_path / "came") == content

    def curl(*arguments: str, expected: bytes) -> None:
        done = subprocess.run(
            ["curl", "-sS", *arguments], capture_output=True, timeout=PATIENCE_S, check=True, stdin=subprocess.DEVNULL
        )
        assert done.stdout.strip().splitlines()[-1] == expected

    asyncio.run(transfer())


# --- what is refused


def test_what_can_not_be_announced(stack: Stack) -> None:
    (user,) = new_users(1)
    good = {"name": "cat.png", "content_type": "image/png", "size": 100}
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"content_type": "application/octet-stream"}, 400, "bad_request"),
        ({"content_type": "text/html"}, 400, "bad_request"),
        ({"content_type": "image/svg+xml"}, 400, "bad_request"),
        ({"content_type": "image/png,image/gif"}, 400, "bad_request"),
        ({"content_type": "application/pdf", "kind": "image"}, 400, "bad_request"),
        ({"kind": "text"}, 400, "bad_request"),
        ({"size": 0}, 400, "bad_request"),
        ({"size": -1}, 400, "bad_request"),
        ({"size": 1.5}, 400, "bad_request"),
        ({"size": 10 * 1024 * 1024 + 1}, 413, "too_large"),
        ({"size": 100 * 1024 * 1024 + 1, "kind": "file"}, 413, "too_large"),
        ({"name": " \r\n"}, 400, "bad_request"),
        ({"name": "folder/.."}, 400, "bad_request"),
    ]
    for more, status, code in cases:
        refused = http(stack, "POST", "/v1/files", user_id=user, body=good | more)
        assert (refused[0], refused[1].get("code")) == (status, code), more
    assert http(stack, "POST", "/v1/files", body=good)[0] == 401


def test_a_type_by_another_name_is_announced_by_its_own(stack: Stack) -> None:
    (user,) = new_users(1)
    for alias, known in (
        ("IMAGE/PNG", "image/png"),
        ("image/jpg", "image/jpeg"),
        ("text/plain;charset=x", "text/plain"),
    ):
        body = {"name": "cat", "content_type": alias, "size": 100}
        status, announced = http(stack, "POST", "/v1/files", user_id=user, body=body)
        assert (status, announced["content_type"]) == (201, known)
        assert announced["upload"]["fields"]["Content-Type"] == known


def test_a_form_is_good_for_what_it_says_and_nothing_else(stack: Stack) -> None:
    (user,) = new_users(1)
    file = announced(stack, user, PICTURE)
    other = announced(stack, user, PICTURE)
    key = file["upload"]["fields"]["key"]
    tampered = [
        posted(file, PICTURE, key="files/mine"),
        posted(file, PICTURE, key=key + "x"),
        posted(file, PICTURE, key=other["upload"]["fields"]["key"]),
        posted(file, PICTURE, **{"Content-Type": "text/html"}),
        posted(file, PICTURE, **{"x-amz-acl": "public-read"}),
        posted(file, PICTURE, policy=other["upload"]["fields"]["policy"]),
        posted(file, PICTURE + b"x"),
        posted(file, PICTURE[:-1]),
    ]
    assert set(tampered) <= {400, 403}
    assert {look_at(stack, user, each["file_id"])[1]["status"] for each in (file, other)} == {"pending"}
    assert posted(file, PICTURE) == 204
    assert asyncio.run(verdict(stack, user, file["file_id"]))["status"] == "ready"


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("content", "content_type", "reason"),
    [
        pytest.param(b"<!DOCTYPE html><script>alert(1)</script>", "image/png", "wrong_type", id="html"),
        pytest.param(SVG, "image/png", "wrong_type", id="svg"),
        pytest.param(SVG, "text/plain", "wrong_type", id="svg as text"),
        pytest.param(PICTURE, "image/jpeg", "wrong_type", id="another image"),
        pytest.param(PICTURE, "application/pdf", "wrong_type", id="an image as a file"),
        pytest.param(png(8, 8, data=b"no pixels"), "image/png", "not_decodable", id="broken"),
        pytest.param(png(10_000, 10_000), "image/png", "too_many_pixels", id="bomb"),
    ],
)
async def test_what_is_not_what_it_was_declared_is_rejected(
    stack: Stack, content: bytes, content_type: str, reason: str
) -> None:
    (user,) = new_users(1)
    async with client(stack, user) as alice:
        with pytest.raises(ParleyError) as rejected:
            await alice.upload(content, name="cat", content_type=content_type)
        assert rejected.value.code == "file_rejected"
        assert reason in rejected.value.message


async def test_what_was_rejected_goes_nowhere(stack: Stack) -> None:
    one, other = new_users(2)
    file = announced(stack, one, SVG)
    assert posted(file, SVG) == 204
    settled = await verdict(stack, one, file["file_id"])
    assert (settled["status"], settled["reason"]) == ("rejected", "wrong_type")
    assert (settled["url"], settled["thumbnail_url"], settled["expires_in"]) == (None, None, None)
    assert look_at(stack, other, file["file_id"])[0] == 404
    async with connected(stack, one) as alice:
        fields = {"to": other, "message_type": "image", "file_id": file["file_id"]}
        assert (await alice.call("message", **fields))["code"] == "not_found"


async def test_only_an_own_file_that_is_ready_and_of_the_kind_can_be_sent(stack: Stack) -> None:
    one, other = new_users(2)
    pending = announced(stack, one, PICTURE)["file_id"]
    foreign = (await ready(stack, other))["file_id"]
    own = (await ready(stack, one))["file_id"]
    async with connected(stack, one) as alice:
        for file_id, kind in ((pending, "image"), (foreign, "image"), ("x" * 43, "image"), (own, "file")):
            refused = await alice.call("message", to=other, message_type=kind, file_id=file_id)
            assert (refused["code"], refused["retryable"]) == ("not_found", False)
        await alice.ask("message", to=other, message_type="image", file_id=own)
    where = private_conversation_id(one, other)
    _, page = http(stack, "GET", f"/v1/conversations/{where}/messages", user_id=other)
    assert [message["file_id"] for message in page["messages"]] == [own]


# --- names


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\temp\\evil.txt", "evil.txt"),
        ("line\r\nSet-Cookie: a=b.txt", "lineSet-Cookie: a=b.txt"),
        ('a "quoted" \\".txt', '".txt'),
        ('a "quoted" name.txt', 'a "quoted" name.txt'),
        ("🐈 Straße; x=1%.txt", "🐈 Straße; x=1%.txt"),
        ("\u202egpj.txt\x00 ", "gpj.txt"),
        ("x" * 300 + ".txt", "x" * 251 + ".txt"),
    ],
)
async def test_a_name_is_kept_without_what_does_harm(stack: Stack, tmp_path: Path, given: str, kept: str) -> None:
    (user,) = new_users(1)
    file = await ready(stack, user, b"just words", name=given, content_type="text/plain")
    assert file["name"] == kept
    status, headers, content = fetched(file["url"])
    assert (status, content, headers.get_content_type()) == (200, b"just words", "text/plain")
    assert headers.get_content_disposition() == "attachment"
    assert extended_filename(headers) == kept
    assert "set-cookie" not in headers
    async with client(stack, user) as alice:
        place = await alice.download(file["file_id"], tmp_path)
    assert (place.parent, content_of(place)) == (tmp_path, b"just words")


def test_an_image_is_shown_in_place(stack: Stack) -> None:
    (user,) = new_users(1)
    file = asyncio.run(ready(stack, user))
    status, headers, _ = fetched(file["url"])
    assert (status, headers.get_content_type(), headers.get_content_disposition()) == (200, "image/png", "inline")


# --- who may have it, and for how long


async def test_members_download_and_nobody_else(stack: Stack) -> None:
    owner, member, outsider = new_users(3)
    group = make_group(stack, owner, [member])
    file_id = (await ready(stack, owner))["file_id"]
    assert look_at(stack, member, file_id)[0] == 404  # nothing says it to them yet
    async with connected(stack, owner) as alice:
        await alice.ask("message", conversation_id=group, message_type="image", file_id=file_id)
    status, file = look_at(stack, member, file_id)
    assert (status, fetched(file["url"])[2]) == (200, PICTURE)
    refused = look_at(stack, outsider, file_id)
    assert (refused[0], refused[1]["code"]) == (404, "not_found")
    assert http(stack, "DELETE", f"/v1/conversations/{group}/members/{member}", user_id=owner)[0] == 204
    assert look_at(stack, member, file_id)[0] == 404
    assert look_at(stack, owner, file_id)[0] == 200


async def test_the_last_message_takes_the_file_along_and_a_forwarded_copy_keeps_it(stack: Stack) -> None:
    one, other, third = new_users(3)
    kept, single = await ready(stack, one), await ready(stack, one)
    where, onward = private_conversation_id(one, other), private_conversation_id(other, third)
    async with connected(stack, one) as alice, connected(stack, other) as bob:
        seqs = [
            (await alice.ask("message", to=other, message_type="image", file_id=file["file_id"]))["seq"]
            for file in (kept, single)
        ]
        source = {"conversation_id": where, "seq": seqs[0]}
        copy = await bob.ask("message", to=third, forward_of=source)
        for seq in seqs:
            await alice.ask("delete", conversation_id=where, seq=seq)
        # Deletions of one conversation are worked in one after the other: the first was, when the second one shows.
        await gone(single["url"])
        assert look_at(stack, one, single["file_id"])[0] == 404
        status, file = look_at(stack, third, kept["file_id"])
        assert (status, fetched(file["url"])[2]) == (200, PICTURE)
        assert fetched(file["thumbnail_url"])[0] == 200
        await bob.ask("delete", conversation_id=onward, seq=copy["seq"])
        await gone(file["url"])
        await gone(file["thumbnail_url"])
    for user in (one, other, third):
        assert look_at(stack, user, kept["file_id"])[0] == 404
