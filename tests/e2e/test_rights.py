"""Import, export, hold and erasure on the deployed stack, by the commands of docs/operations.md."""

from __future__ import annotations

import asyncio
import json
import shutil
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from local.tokens import mint
from shared.domain.text import private_conversation_id
from tests.e2e.examples import commands, run
from tests.e2e.raw_client import PATIENCE_S, http, new_users
from tests.e2e.test_files import PICTURE, written
from tests.e2e.test_python_client import client


async def asked(stack: Stack, method: str, path: str) -> tuple[int, Any]:
    """A request of an administrator's."""
    token = mint(stack, "backend", scope="admin")
    return await asyncio.to_thread(lambda: http(stack, method, path, token=token))


async def over(stack: Stack, user: str, kind: str) -> Any:
    """The job when it no longer runs."""
    for _ in range(600):
        status, found = await asked(stack, "GET", f"/v1/users/{user}/{kind}")
        assert status == 200, found
        if found["status"] != "running":
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        data: bytes = answer.read()
    return data


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl or jq is not installed")
async def test_history_comes_in_all_of_a_user_goes_out_and_is_taken_away(stack: Stack, tmp_path: Path) -> None:
    alice, bob = new_users(2)
    given = {"HTTP_URL": stack.http_url, "TOKEN": mint(stack, "backend", scope="admin")}
    place = private_conversation_id(alice, bob)
    scripts = commands("docs/operations.md", "What is stored of a user")
    export, erasure, importing = (script.replace("users/bob/", f"users/{bob}/") for script in scripts)
    line = {"type": "message", "conversation_id": place, "sender_id": bob}
    long = "é" * 300  # a hundred of those are more than a request takes
    old = [{**line, "id": f"m{number}", "content": f"{number} {long}", "created_at": number} for number in range(150)]
    (tmp_path / "history.ndjson").write_text("".join(f"{json.dumps(one)}\n" for one in old))
    for _ in range(2):  # the second time doubles nothing
        assert await asyncio.to_thread(run, importing, tmp_path, **given) == []
    async with client(stack, alice) as reader, client(stack, bob) as writer:
        await reader.sync()
        await writer.sync()
        status, _ = await asyncio.to_thread(
            lambda: http(stack, "PUT", "/v1/me", user_id=bob, body={"display_name": "Bob"})
        )
        assert status == 200
        sent = await writer.send_file(written(tmp_path, "cat.png", PICTURE), "a cat", to=alice)
        assert sent.seq == 151
        begun, _ = await asyncio.to_thread(run, export, **given)
        assert begun["status"] in {"running", "done"}
        done = await over(stack, bob, "export")
        parts = [one["url"] for one in done["objects"] if one["name"].startswith("part-")]
        lines = [json.loads(line) for url in parts for line in fetched(url).splitlines()]
        assert lines[-1] == {"type": "end", "lines": len(lines), "files": 1}
        assert len([line for line in lines if line["type"] == "message"]) == 151
        (file_id,) = [line["file_id"] for line in lines if line["type"] == "file"]
        (copied,) = [one["url"] for one in done["objects"] if one["name"].startswith("files/")]
        assert fetched(copied) == PICTURE
        *_, held = await asyncio.to_thread(run, erasure, **given)
        assert held["reason"] == "case 4711"
        assert (await over(stack, bob, "erasure"))["status"] in {"stopped", "done"}
        status, refused = await asked(stack, "POST", f"/v1/users/{bob}/erasure")
        assert (status, refused["code"]) == (409, "conflict")
        for method, path in (("DELETE", f"/v1/users/{bob}/hold"), ("POST", f"/v1/users/{bob}/erasure")):
            status, _ = await asked(stack, method, path)
            assert status in {202, 204}
        report = await over(stack, bob, "erasure")
        assert report["status"] == "done"
        assert not {"undone", "other"} & {one["where"] for one in report["left"]}
    status, history = await asyncio.to_thread(
        lambda: http(stack, "GET", f"/v1/conversations/{place}/messages", user_id=alice)
    )
    assert status == 200
    assert {message["content"] for message in history["messages"]} == {None}
    status, _ = await asyncio.to_thread(lambda: http(stack, "GET", f"/v1/files/{file_id}", user_id=alice))
    assert status == 404


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl or jq is not installed")
async def test_a_user_exports_what_is_their_own_once_a_day(stack: Stack, tmp_path: Path) -> None:
    alice, bob = new_users(2)
    async with client(stack, alice) as one, client(stack, bob) as other:
        await one.sync()
        await one.send(f"by {alice}", to=bob)
        await other.sync()
        await other.send(f"by {bob}", to=alice)
    (script,) = commands("docs/operations.md", "Exports that users begin")
    given = {"HTTP_URL": stack.http_url, "USER_TOKEN": mint(stack, alice)}
    begun, *lines = await asyncio.to_thread(run, script, tmp_path, **given)
    assert (begun["user_id"], begun["by"]) == (alice, alice)
    assert [line["type"] for line in (lines[0], lines[-1])] == ["export", "end"]
    assert {"type": "message"} in lines
    job = json.loads((tmp_path / "export.json").read_text())
    (part, *_) = [one["url"] for one in job["objects"] if one["name"].startswith("part-")]
    assert fetched(part)
    texts = b"".join([fetched(one["url"]) for one in job["objects"]])
    assert f"by {alice}".encode() in texts
    assert f"by {bob}".encode() not in texts
    for method, token, expected in (
        ("POST", mint(stack, alice), (429, "rate_limited")),
        ("GET", mint(stack, bob), (404, "not_found")),
        ("POST", mint(stack, alice, scope="guest"), (403, "forbidden")),
        ("GET", mint(stack, alice, scope="guest"), (403, "forbidden")),
    ):
        status, body = await asyncio.to_thread(http, stack, method, "/v1/me/export", token=token)
        assert (status, body["code"]) == expected
