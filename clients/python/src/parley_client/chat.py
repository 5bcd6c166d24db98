"""A small chat for the terminal: `python -m parley_client.chat --user alice --to bob`.

It is also an example of the client: a stream of events, messages that survive a cut connection, and a state file with
which another process goes on where this one stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from parley_client.client import ParleyClient
from parley_client.errors import ParleyError, RefusedError
from parley_client.events import ConnectionChanged, Event, MembershipLost, Message, ReadReceipt, SendFailed
from parley_client.terminal import Terminal, harmless

_HELP = """/history [n]  the last n messages (20)
/quit         leave
/help         this
//text        a message that begins with a slash"""
_RECENT = 20
_PATIENCE_S = 2.0
_SENT, _READ = "✓", "✓✓"


class Chat:
    """One conversation on the screen. `start` is the entry after which everything comes as an event."""

    def __init__(self, client: ParleyClient, terminal: Terminal, to: str, state: StateFile) -> None:
        self._client, self._terminal, self._to, self._state = client, terminal, to, state
        self._sending: set[asyncio.Task[None]] = set()
        self._unread = asyncio.Event()
        self._shown = 0
        self._early: list[Event] | None = []
        self._own: dict[int, str] = {}

    async def run(self) -> None:
        """Until the user leaves, or the input ends and everything is acknowledged. Raises ParleyError."""
        tasks = [asyncio.create_task(work) for work in (self._follow(), self._begin(), self._read(), self._mark())]
        try:
            with self._terminal.reading(), _until_stopped(tasks[2]):
                await _first_to_fail(tasks, last=tasks[2])
        finally:
            for task in (*tasks, *self._sending):
                task.cancel()
            await asyncio.gather(*tasks, *self._sending, return_exceptions=True)
            await self._client.close()
            self._save()

    # --- what comes

    async def _follow(self) -> None:
        async for event in self._client.events():
            if self._early is not None and not isinstance(event, ConnectionChanged):
                self._early.append(event)
            else:
                self._show(event)
                self._save()

    async def _begin(self) -> None:
        """First what was said before, then what has come since."""
        known = self._state.cursor(self._conversation)
        await self._client.sync()
        start = known if known is not None else self._client.held(self._conversation) or 0
        if start:
            await self._show_history(_RECENT, before=start + 1)
        self._shown = max(self._shown, start)
        early, self._early = self._early or [], None
        for event in early:
            self._show(event)
        self._mark_read()
        self._save()

    def _show(self, event: Event) -> None:
        match event:
            case Message(conversation_id=where) if where == self._conversation:
                if event.seq > self._shown:
                    self._show_message(event)
                    self._mark_read()
            case Message():
                text = f"{harmless(event.sender_id)}, elsewhere: {harmless(event.content or '')}"
                self._terminal.show(text, dim=True)
            case ReadReceipt(conversation_id=where, user_id=user) if where == self._conversation and user == self._to:
                self._show_read(event.seq)
            case ConnectionChanged():
                self._show_connection(event)
            case SendFailed():
                self._terminal.show(f"! A message of an earlier run was not sent: {event.reason} ({event.code})")
            case MembershipLost(conversation_id=where) if where == self._conversation:
                self._terminal.show("! You are not a member of this conversation any more")

    def _show_message(self, message: Message) -> None:
        own = message.sender_id == self._client.user_id
        text = "(deleted)" if message.content is None else harmless(message.content)
        time = datetime.fromtimestamp(message.created_at / 1_000).astimezone().strftime("%H:%M:%S")
        self._terminal.show(f"{time} {harmless(message.sender_id)}: {text}{f'  {_SENT}' if own else ''}")
        self._shown = max(self._shown, message.seq)
        if own:
            self._own[message.seq] = text

    def _show_read(self, seq: int) -> None:
        read = [each for each in self._own if each <= seq]
        if read:
            self._terminal.show(f"         {_READ} read by {self._to}: {self._own[max(read)]}", dim=True)
        for each in read:
            del self._own[each]

    def _show_connection(self, event: ConnectionChanged) -> None:
        if event.state == "online":
            self._terminal.show("* connected", dim=True)
        elif event.state == "offline":
            again = f"trying again in {event.retry_in:.1f} s" if event.retry_in is not None else ""
            self._terminal.show(f"* not connected: {event.reason}; {again}", dim=True)

    async def _show_history(self, count: int, before: int | None = None) -> None:
        try:
            page = await self._client.history(self._conversation, before=before, limit=count)
        except ParleyError as error:
            if error.code not in ("not_a_member", "not_found"):  # nothing was said here yet
                self._terminal.show(f"! The history can't be shown: {error}")
            return
        for message in reversed(page.messages):
            self._show_message(message)

    # --- what goes

    async def _read(self) -> None:
        while (line := await self._terminal.lines.get()) is not None:
            self._terminal.accept(line)
            text = line.strip()
            if text == "/quit":
                return
            if text.startswith("/") and not text.startswith("//"):
                await self._command(text)
            elif text:
                task = asyncio.create_task(self._send(text.removeprefix("/") if text.startswith("//") else text))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
                await asyncio.sleep(0)  # it is in the outbox after this, and goes out after the state is saved
                self._save()
        if self._sending:
            self._terminal.show(f"* waiting until {len(self._sending)} more can be sent", dim=True)
            await asyncio.gather(*self._sending)

    async def _command(self, text: str) -> None:
        name, _, argument = text.partition(" ")
        if name == "/help":
            self._terminal.show(_HELP)
        elif name == "/history" and (not argument or argument.isdecimal()):
            await self._show_history(max(1, min(100, int(argument or _RECENT))))
        else:
            self._terminal.show(f"! There is no {harmless(text)}; /help says what there is")

    async def _send(self, text: str) -> None:
        waiting = f"… on its way: {text}"
        patience = asyncio.get_running_loop().call_later(_PATIENCE_S, self._terminal.show, waiting)
        try:
            await self._client.send(text, to=self._to)
        except ParleyError as error:
            if self._client.connection != "stopped":
                self._terminal.show(f"! Not sent: {text}: {error.message} ({error.code})")
        finally:
            patience.cancel()

    def _mark_read(self) -> None:
        self._unread.set()

    async def _mark(self) -> None:
        """Tell how far was shown: one request at a time, the next for all that was shown meanwhile."""
        while True:
            await self._unread.wait()
            self._unread.clear()
            if self._early is None and self._shown:
                with suppress(ParleyError):  # the next one says the same or more
                    await self._client.mark_read(self._conversation, self._shown)

    @property
    def _conversation(self) -> str:
        return self._client.private_with(self._to) or ""

    def _save(self) -> None:
        """Not while something was taken and not shown: it would be lost."""
        if not self._early:
            self._state.save(self._client.state())


class StateFile:
    """Where the client's state is kept between runs; nowhere without a path."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.content: dict[str, Any] | None = None
        if path is not None and path.exists():
            self.content = json.loads(path.read_text(encoding="utf-8"))
            if not isinstance(self.content, dict):
                raise ValueError("it holds no state")

    def cursor(self, conversation_id: str) -> int | None:
        """Where the conversation is gone on with; None where the client has yet to find out where to start."""
        if self.content is None or not self.content["synced"]:
            return None
        cursor: int = self.content["conversations"].get(conversation_id, 0)
        return cursor

    def save(self, state: dict[str, Any]) -> None:
        """Whole or not at all, whenever this process is killed."""
        if self._path is not None:
            draft = self._path.with_name(f"{self._path.name}.new")
            draft.write_text(json.dumps(state), encoding="utf-8")
            draft.replace(self._path)


async def _first_to_fail(tasks: Sequence[asyncio.Task[None]], *, last: asyncio.Task[None]) -> None:
    """Wait for `last`, unless another one fails before."""
    pending = set(tasks)
    while last in pending:
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if not task.cancelled():
                task.result()


@contextmanager
def _until_stopped(task: asyncio.Task[None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the input, and with it the chat, in good order."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    with suppress(NotImplementedError):  # not on every system
        for each in signals:
            loop.add_signal_handler(each, task.cancel)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for each in signals:
                loop.remove_signal_handler(each)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="parley-chat", description="Chat with somebody in the terminal.")
    environment = os.environ.get
    parser.add_argument("--user", help="who you are; must be the token's user")
    parser.add_argument("--to", required=True, help="whom to write to")
    parser.add_argument("--ws-url", default=environment("PARLEY_WS_URL"), help="default: $PARLEY_WS_URL")
    parser.add_argument("--http-url", default=environment("PARLEY_HTTP_URL"), help="default: $PARLEY_HTTP_URL")
    parser.add_argument("--token", default=environment("PARLEY_TOKEN"), help="default: $PARLEY_TOKEN")
    parser.add_argument("--state", type=Path, help="a file to go on from, and to keep what was not sent yet")
    given = parser.parse_args(argv)
    missing = [name for name in ("ws_url", "http_url", "token") if not getattr(given, name)]
    if missing:
        wanted = ", ".join(f"--{name.replace('_', '-')} or PARLEY_{name.upper()}" for name in missing)
        parser.error(f"missing: {wanted}")
    return given


async def _chat(given: argparse.Namespace, state: StateFile) -> None:
    client = ParleyClient(
        given.ws_url,
        token=given.token,
        http_url=given.http_url,
        user_id=given.user,
        platform="terminal",
        state=state.content,
    )
    async with client:
        if client.user_id is None:
            raise ParleyError("bad_request", "The token does not say who you are: give --user")
        client.open_conversation = client.private_with(given.to)
        terminal = Terminal(prompt=f"{client.user_id}> ")
        terminal.show(f"You are {client.user_id}, and write to {given.to}. /help shows what else there is.")
        await Chat(client, terminal, given.to, state).run()


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 after leaving, 1 where the server or the state did not let us in, 2 for wrong usage."""
    given = _arguments(argv)
    try:
        asyncio.run(_chat(given, StateFile(given.state)))
    except RefusedError as error:
        print(
            f"The server refused the token ({error.status}). Get a fresh one, and give it by PARLEY_TOKEN or --token.",
            file=sys.stderr,
        )
        return 1
    except ParleyError as error:
        print(error.message, file=sys.stderr)
        if error.code in ("wrong_user", "log_lost") and given.state:
            print(f"Start without {given.state}, or remove it.", file=sys.stderr)
        return 1
    except (ValueError, KeyError) as error:
        print(f"This can't work: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
