"""One conversation on the screen: what comes is shown, what is typed is sent."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from parley_client.chat_commands import Commands
from parley_client.chat_files import name_file
from parley_client.chat_lines import line_of, message_line, notification_line, said
from parley_client.client import ParleyClient
from parley_client.conversation import is_group
from parley_client.errors import ParleyError
from parley_client.events import (
    ConnectionChanged,
    Entry,
    Event,
    MembersAdded,
    MembershipLost,
    Message,
    Notification,
    ReadReceipt,
    SendFailed,
)
from parley_client.terminal import Terminal, harmless

_RECENT = 20
_PATIENCE_S = 2.0
_SENT, _READ = "✓", "✓✓"


class Chat:
    """`to` is a user, or the id of a group; commands may go to another one. `before`: the state to go on from."""

    def __init__(
        self, client: ParleyClient, terminal: Terminal, to: str, before: Mapping[str, Any] | None = None
    ) -> None:
        self._client, self._terminal, self._to, self._before = client, terminal, to, before
        self._sending: set[asyncio.Task[None]] = set()
        self._unread = asyncio.Event()
        self._shown = 0
        self._early: list[Event] | None = []
        self._own: dict[int, str] = {}
        self._commands = Commands(client, terminal, self)

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

    # --- what comes

    async def _follow(self) -> None:
        async for event in self._client.events():
            if self._early is not None and not isinstance(event, ConnectionChanged):
                self._early.append(event)
            else:
                self._show(event)

    async def _begin(self) -> None:
        """First what was said before, then what has come since."""
        known = _cursor(self._before, self.conversation)
        await self._client.sync()
        start = known if known is not None else self._client.held(self.conversation) or 0
        if start:
            await self.show_history(_RECENT, before=start + 1)
        self._shown = max(self._shown, start)
        early, self._early = self._early or [], None
        for event in early:
            self._show(event)
        self._mark_read()

    def _show(self, event: Event) -> None:
        match event:
            case ReadReceipt(conversation_id=where, user_id=user) if where == self.conversation:
                if user != self._client.user_id:
                    self._show_read(event)
            case ConnectionChanged():
                self._show_connection(event)
            case Notification():
                self._terminal.show(notification_line(event))
                self.go(self._acknowledge(event))
            case SendFailed():
                what = f": {harmless(event.content)}" if event.content else ""
                self._terminal.show(f"! A message of an earlier run was not sent{what}: {event.reason} ({event.code})")
            case MembershipLost(conversation_id=where) if where == self.conversation:
                self._terminal.show("! You are not a member of this conversation any more")
            case _ if isinstance(event, Entry):
                self._show_entry(event)

    def _show_entry(self, entry: Entry) -> None:
        if entry.conversation_id != self.conversation:
            self._show_elsewhere(entry)
        elif entry.seq > self._shown:
            if isinstance(entry, Message):
                self._show_message(entry)
                if entry.file_id is not None:
                    self.go(name_file(self._client, self._terminal, entry))
            elif line := line_of(entry):
                self._terminal.show(line, dim=True)
            self._shown = entry.seq
            self._mark_read()

    def _show_elsewhere(self, entry: Entry) -> None:
        if isinstance(entry, Message):
            text = f"{harmless(entry.sender_id)}, elsewhere: {harmless(said(entry))}"
            self._terminal.show(text, dim=True)
        elif isinstance(entry, MembersAdded) and self._client.user_id in set(entry.users) - {entry.user_id}:
            name = harmless(entry.name or "a group")
            self._terminal.show(f"* you are in {name} now: /to {harmless(entry.conversation_id)}", dim=True)

    def _show_message(self, message: Message) -> None:
        own = message.sender_id == self._client.user_id
        self._terminal.show(message_line(message) + (f"  {_SENT}" if own else ""))
        self._shown = max(self._shown, message.seq)
        if own:
            self._own[message.seq] = harmless(said(message))

    def _show_read(self, receipt: ReadReceipt) -> None:
        """In a group the first reader counts."""
        read = [each for each in self._own if each <= receipt.seq]
        if read:
            text = f"         {_READ} read by {harmless(receipt.user_id)}: {self._own[max(read)]}"
            self._terminal.show(text, dim=True)
        for each in read:
            del self._own[each]

    def _show_connection(self, event: ConnectionChanged) -> None:
        if event.state == "online":
            self._terminal.show("* connected", dim=True)
        elif event.state == "offline":
            again = f"trying again in {event.retry_in:.1f} s" if event.retry_in is not None else ""
            self._terminal.show(f"* not connected: {event.reason}; {again}", dim=True)

    async def show_history(self, count: int, before: int | None = None) -> None:
        try:
            page = await self._client.history(self.conversation, before=before, limit=count)
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
                await self._commands.run(text)
            elif text:
                self.go(self._send(text.removeprefix("/") if text.startswith("//") else text))
        if self._sending:
            self._terminal.show(f"* waiting until {len(self._sending)} more can be sent", dim=True)
            await asyncio.gather(*self._sending)

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it meanwhile; at the end of the input it is waited for."""
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def move_to(self, to: str) -> None:
        """Another conversation from now on, with what was said there before."""
        self._to, self._shown = to, 0
        self._own.clear()
        self._client.open_conversation = self.conversation
        self._shown = start = self._client.held(self.conversation) or 0
        if start:
            await self.show_history(_RECENT, before=start + 1)
        self._mark_read()

    async def _send(self, text: str) -> None:
        waiting = f"… on its way: {text}"
        patience = asyncio.get_running_loop().call_later(_PATIENCE_S, self._terminal.show, waiting)
        try:
            if is_group(self._to):
                await self._client.send(text, conversation_id=self._to)
            else:
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
                    await self._client.mark_read(self.conversation, self._shown)

    async def _acknowledge(self, notification: Notification) -> None:
        """Another run shows it where this does not go through."""
        with suppress(ParleyError):
            await self._client.acknowledge(notification.id)

    @property
    def to(self) -> str:
        return self._to

    @property
    def conversation(self) -> str:
        return self._to if is_group(self._to) else self._client.private_with(self._to) or ""


def _cursor(state: Mapping[str, Any] | None, conversation_id: str) -> int | None:
    """Where the conversation is gone on with; None where the client has yet to find out where to start."""
    if state is None or not state["synced"]:
        return None
    cursor: int = state["conversations"].get(conversation_id, 0)
    return cursor


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
