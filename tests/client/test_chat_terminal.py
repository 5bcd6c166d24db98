"""The chat on a terminal: what is drawn, and how the terminal is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from parley_client import chat
from parley_client.chat_door import Door
from parley_client.terminal import Pipe

from tests.client.fake_server import FakeServer
from tests.client.test_chat import DM, command, saved

termios = pytest.importorskip("termios")
pty = pytest.importorskip("pty")


class Screen:
    """The other end of a terminal. `output` is what was written to it since it was last forgotten."""

    def __init__(self) -> None:
        self.main, self.terminal = pty.openpty()
        self.output, self._more = "", asyncio.Event()
        asyncio.get_running_loop().add_reader(self.main, self._read)

    def type(self, text: str) -> None:
        os.write(self.main, text.encode())

    async def shows(self, pattern: str) -> None:
        while not re.search(pattern, self.output, re.DOTALL):
            self._more.clear()
            await self._more.wait()

    @property
    def plain(self) -> str:
        """Without the sequences that draw."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", self.output)

    def has_echo(self) -> bool:
        local = termios.tcgetattr(self.terminal)[3]
        return bool(local & termios.ECHO and local & termios.ICANON and local & termios.ISIG)

    def spoil(self) -> None:
        """As a program leaves it that was killed while it read keys."""
        attributes = termios.tcgetattr(self.terminal)
        attributes[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
        attributes[0] &= ~termios.ICRNL
        termios.tcsetattr(self.terminal, termios.TCSANOW, attributes)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.main)
        os.close(self.main)
        os.close(self.terminal)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            self.output += os.read(self.main, 65_536).decode(errors="replace")
            self._more.set()


@asynccontextmanager
async def on_terminal(
    server: FakeServer, *more: str, screen: Screen | None = None
) -> AsyncGenerator[tuple[Screen, Any]]:
    mine = screen or Screen()
    process = await asyncio.create_subprocess_exec(
        *command("--user", "alice", "--to", "bob", "--ws-url", server.url, "--http-url", server.http_url, *more),
        env={**os.environ, "PARLEY_TOKEN": server.admit("alice"), "TERM": "xterm", "PYTHONUTF8": "1"},
        stdin=mine.terminal,
        stdout=mine.terminal,
        start_new_session=True,
    )
    try:
        yield mine, process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if screen is None:
            mine.close()


async def test_what_is_typed_stays_whole_while_messages_come() -> None:
    async with FakeServer() as server:
        await server.post("bob", "alice", "from before")
        async with on_terminal(server) as (screen, process):
            await screen.shows("from before")
            screen.type("half a sen")
            await screen.shows("alice → bob>.*half a sen")
            await server.post("bob", "alice", "interrupting")
            await screen.shows("bob: interrupting.*alice → bob>.*half a sen")
            screen.type("tence\r")
            await screen.shows("alice: half a sentence  ✓")
            screen.type("/quit\r")
            assert await process.wait() == 0

    assert server.sent("message")[0]["content"] == "half a sentence"


async def test_a_local_answer_leaves_no_prompt_behind() -> None:
    async with FakeServer() as server, on_terminal(server) as (screen, process):
        await screen.shows("connected.*alice → bob>")
        screen.type("/dance\r")
        await screen.shows("! There is no /dance.*alice → bob>")
        screen.type("/edit\r")
        await screen.shows("! usage: /edit N text.*alice → bob>")
        screen.type("\x04")
        assert await process.wait() == 0

    # What is written above the prompt begins where the prompt was erased, or at the beginning of a line.
    for line in ("! There is no /dance", "! usage: /edit"):
        before = screen.output[: screen.output.index(line)]
        assert re.search(r"(\n|\x1b\[J(\x1b\[[0-9;?]*[a-zA-Z])*)$", before), repr(before[-60:])


@pytest.mark.parametrize("end", ["/quit\r", "\x03", "\x04", signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=repr)
async def test_a_terminal_that_a_killed_program_left_behind_is_set_right_at_start_and_at_each_end(
    end: str | signal.Signals,
) -> None:
    screen = Screen()
    screen.spoil()
    async with FakeServer() as server, on_terminal(server, screen=screen) as (_, process):
        await screen.shows("connected.*alice → bob>")
        if isinstance(end, signal.Signals):
            process.send_signal(end)
        else:
            screen.type(end)
        assert await process.wait() == 0
        assert screen.has_echo()
    screen.close()


async def test_typing_is_told_while_a_message_is_written_and_not_for_a_command() -> None:
    async with FakeServer() as server, on_terminal(server) as (screen, process):
        await server.post("bob", "alice", "hi")
        await screen.shows("bob: hi.*alice → bob>")
        screen.type("/hist")
        await screen.shows("/hist")
        screen.type("\x15")
        assert server.sent("typing") == []
        screen.type("well")
        await server.until(lambda: bool(server.sent("typing")))
        screen.type("\x15")
        await server.until(lambda: len(server.sent("typing")) == 2)
        screen.type("\x04")
        assert await process.wait() == 0

    assert [(frame["conversation_id"], frame["active"]) for frame in server.sent("typing")] == [(DM, True), (DM, False)]


async def test_the_status_line_says_who_is_there_and_who_types() -> None:
    async with FakeServer() as server, on_terminal(server) as (screen, process):
        await server.post("bob", "alice", "hi")
        await screen.shows("bob: hi")
        await server.tell("alice", {"type": "presence", "user_id": "bob", "status": "online", "timestamp": 1})
        await server.tell("alice", {"type": "typing", "conversation_id": DM, "user_id": "bob", "active": True})
        await screen.shows("bob is online · bob is typing …")
        screen.type("/group team bob\r")
        await screen.shows("alice → team>")
        screen.type("/to bob\r")
        await screen.shows("you write to bob now")
        screen.type("\x04")
        assert await process.wait() == 0


def door(server: FakeServer, path: Path, of: str) -> Door:
    return Door(server.url, server.http_url, server.admit("alice"), path, of)


class Told(Pipe):
    """Lines from the test, and what is shown to it."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []
        self._more = asyncio.Event()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        yield

    def show(self, text: str, *, dim: bool = False) -> None:
        self.shown.append(text)
        self._more.set()

    async def shows(self, part: str) -> None:
        while not any(part in line for line in self.shown):
            self._more.clear()
            await self._more.wait()


async def test_a_server_that_was_made_anew_is_gone_on_with_and_its_state_begins_empty(tmp_path: Path) -> None:
    """As over a `make reset` and `make up` beside the chat: another address, another log, nothing of the old state."""
    path, terminal, doors = tmp_path / "state.json", Told(), list[Door | None]()
    async with FakeServer() as old:
        await old.post("bob", "alice", "of the old one")
        doors.append(door(old, path, "old"))
        chatting = asyncio.create_task(chat.converse(lambda: doors[-1], terminal, user="alice", to="bob"))
        await terminal.shows("of the old one")
        doors.append(None)
    async with FakeServer() as new:
        doors.append(door(new, path, "new"))
        await terminal.shows("this server is gone")
        terminal.lines.put_nowait("hi again")
        await terminal.shows("#1 alice: hi again  ✓")
        terminal.lines.put_nowait("/quit")
        await chatting

    assert [each["content"] for each in new.model.messages(DM)] == ["hi again"]
    assert saved(str(path))["of"] == "new"


async def test_while_there_is_no_server_what_is_typed_is_not_kept_for_another() -> None:
    terminal = Told()
    chatting = asyncio.create_task(chat.converse(lambda: None, terminal, user="alice", to="bob"))
    await terminal.shows("waiting for a server")
    terminal.lines.put_nowait("hello?")
    await terminal.shows("! Not sent: hello?: there is no server")
    terminal.lines.put_nowait("/quit")
    await chatting
