"""What the guides show, carried out on the deployed stack: programs, pages, the requests of the first five minutes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from parley_client import Message, ParleyClient

from local.stack import Stack
from local.tokens import mint
from tests.e2e.examples import commands, programs, run
from tests.e2e.raw_client import http, new_users
from tests.web.player import play
from tests.website.serving import served

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 90


def variables(stack: Stack, user: str, **more: str) -> dict[str, str]:
    """What the programs are told of the stack and of who they are."""
    given = {"PARLEY_WS_URL": stack.ws_url, "PARLEY_HTTP_URL": stack.http_url, "PARLEY_TOKEN": mint(stack, user)}
    return {**os.environ, **given, "PARLEY_ADMIN_TOKEN": mint(stack, "backend", scope="admin"), **more}


@asynccontextmanager
async def started(
    page: str, name: str, command: list[str], folder: Path, environment: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program of a page, running; its end is waited for."""
    (folder / name).write_text(programs(page)[name], encoding="utf-8")
    program = await asyncio.create_subprocess_exec(
        *command, name, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield program
    finally:
        if program.returncode is None:
            program.terminate()
        await asyncio.wait_for(program.wait(), PATIENCE_S)


async def line(program: asyncio.subprocess.Process, holds: Callable[[str], bool] = bool) -> str:
    """The next line that it prints of which this holds."""
    assert program.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while not holds(text := (await program.stdout.readline()).decode().strip()):
            assert text, "it has ended"
    return text


def _of_users(text: str, alice: str, bob: str) -> str:
    """A page's program with other users: its own are everybody's, and other tests ban and block them."""
    return re.sub(r"\bbob\b", bob, re.sub(r"\balice\b", alice, text))


def write(stack: Stack, user: str, other: str, text: str) -> None:
    """A message to another user, by HTTP."""
    _, made = http(stack, "POST", "/v1/conversations", user_id=user, body={"type": "private", "with": other})
    path = f"/v1/conversations/{made['id']}/messages"
    status, _ = http(stack, "POST", path, user_id=user, body={"content": text})
    assert status == 201


async def test_the_requests_of_the_first_five_minutes(stack: Stack) -> None:
    a, b = new_users(2)
    *_, script = commands("docs/start.md", "5. Write a program")
    script = _of_users(script, a, b)
    asked = {"HTTP_URL": stack.http_url, "TOKEN": mint(stack, a)}
    made, sent, history = await asyncio.to_thread(run, script, **asked)
    assert made["id"] == sent["conversation_id"] == f"dm:{a}:{b}"
    assert history["messages"][0]["content"] == "Hello from a program"
    _, again, _ = await asyncio.to_thread(run, script, **asked)
    assert (again["seq"], again["duplicate"]) == (sent["seq"], True)


async def test_the_python_program_writes_and_hears_the_answer(stack: Stack, tmp_path: Path) -> None:
    a, b = new_users(2)
    environment = variables(stack, a, TO=b)
    async with started("docs/guides/python.md", "hello.py", [sys.executable], tmp_path, environment) as program:
        assert (await line(program)).startswith("stored as dm:")
        await asyncio.to_thread(write, stack, b, a, "Hello!")
        assert await line(program) == f"{b}: Hello!"
        assert await asyncio.wait_for(program.wait(), PATIENCE_S) == 0


async def test_the_python_server_tells_a_user_something_once(stack: Stack, tmp_path: Path) -> None:
    (a,) = new_users(1)
    for _ in range(2):
        environment = variables(stack, a, TO=a)
        async with started("docs/guides/python.md", "tell.py", [sys.executable], tmp_path, environment) as program:
            assert (await line(program)).endswith(" 1")


async def test_the_raw_client_shows_two_replies_and_what_comes(stack: Stack, tmp_path: Path) -> None:
    a, b = new_users(2)
    environment = variables(stack, a, TO=b)
    async with started("docs/guides/own-client.md", "raw.py", [sys.executable], tmp_path, environment) as program:
        replies = [json.loads(await line(program)) for _ in range(2)]
        assert [(each["success"], each["id"]) for each in replies] == [(True, "1"), (True, "2")]
        await asyncio.to_thread(write, stack, b, a, "hello")
        event = json.loads(await line(program, lambda text: '"new_message"' in text))
        assert event["message"]["content"] == "hello"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages in it, built, as an application has them installed."""
    folder = tmp_path_factory.mktemp("application")
    for name, of in (("client", "clients/js"), ("react", "clients/js/react")):
        place = folder / "node_modules/@parley" / name
        arguments = ["build", "--outDir", str(place / "dist"), "--emptyOutDir", "false", "--logLevel", "error"]
        subprocess.run([ROOT / "node_modules/.bin/vite", *arguments], cwd=ROOT / of, check=True)
        manifest = json.loads((ROOT / of / "package.json").read_text(encoding="utf-8"))
        entries = {path: {"import": to["import"]} for path, to in manifest["exports"].items()}
        (place / "package.json").write_text(json.dumps({**manifest, "exports": entries}), encoding="utf-8")
    for name in ("ws", "react", "react-dom", "scheduler"):
        (folder / "node_modules" / name).symlink_to(ROOT / "node_modules" / name)
    return folder


async def test_the_node_bot_answers_each_message_once_over_its_ends(stack: Stack, packages: Path) -> None:
    bot, a = new_users(2)
    environment = variables(stack, bot)
    async with ParleyClient(stack.ws_url, token=mint(stack, a), http_url=stack.http_url) as alice:
        heard = alice.events()

        async def answer() -> str | None:
            async with asyncio.timeout(PATIENCE_S):
                async for event in heard:
                    if isinstance(event, Message) and event.sender_id == bot:
                        return event.content
            return None

        async with started("docs/guides/node.md", "bot.mjs", ["node"], packages, environment) as program:
            assert await line(program) == "ready"
            await alice.send("one", to=bot)
            assert await answer() == "You said: one"
        await alice.send("two", to=bot)
        async with started("docs/guides/node.md", "bot.mjs", ["node"], packages, environment) as program:
            assert await line(program) == "ready"
            assert await answer() == "You said: two"
            await alice.send("three", to=bot)
            assert await answer() == "You said: three"


async def test_the_node_server_tells_a_user_something_once(stack: Stack, packages: Path) -> None:
    (a,) = new_users(1)
    environment = variables(stack, a, TO=a)
    told = []
    for _ in range(2):
        async with started("docs/guides/node.md", "send.mjs", ["node"], packages, environment) as program:
            told.append(json.loads(await line(program)))
    assert [(each["seq"], each["duplicate"]) for each in told] == [(1, False), (1, True)]


@pytest.mark.parametrize("guide", ["browser", "react"])
def test_the_page_of_the_guide_chats(guide: str, stack: Stack, packages: Path, tmp_path: Path) -> None:
    a, b = new_users(2)
    source, built = packages / guide, tmp_path / "built"
    source.mkdir()
    for name, code in programs(f"docs/guides/{guide}.md").items():
        (source / name).write_text(_of_users(code, a, b), encoding="utf-8")
    if guide == "react":
        (source / "index.html").write_text('<div id="root"></div><script type="module" src="./main.jsx"></script>')
    arguments = ["build", str(source), "--outDir", str(built), "--base", "./", "--logLevel", "error"]
    subprocess.run([ROOT / "node_modules/.bin/vite", *arguments], cwd=ROOT, check=True)
    told: dict[str, Any] = {"url": stack.ws_url, "httpUrl": stack.http_url, "token": mint(stack, a)}
    (built / "parley.json").write_text(json.dumps(told), encoding="utf-8")
    write(stack, b, a, f"For {guide}")
    given = {"http_url": stack.http_url, "token": mint(stack, b), "guide": guide, "me": a, "other": b}
    with served(built) as address:
        play("guide", f"{address}/", tmp_path, **given)
    shutil.rmtree(source)
