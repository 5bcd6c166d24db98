"""One conversation on the screen: what comes is shown, what is typed is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from parley_client.chat_commands import Commands
from parley_client.chat_files import name_file
from parley_client.chat_lines import line_of, message_line, notification_line, said
from parley_client.chat_people import OwnTyping, People, presence_text
from parley_client.chat_places import Place, Places
from parley_client.chat_ticks import READ, STORED, Ticks
from parley_client.client import ParleyClient
from parley_client.errors import ParleyError
from parley_client.events import (
    ConnectionChanged,
    ConversationUpdated,
    Entry,
    Event,
    MembersAdded,
    MembershipLost,
    MembersRemoved,
    Message,
    Notification,
    Presence,
    ReadReceipt,
    SendFailed,
    Typing,
)
from parley_client.terminal import Terminal, harmless, one_line

_RECENT: Final = 20
_PATIENCE_S: Final = 2.0
_LABEL: Final = 200


class Chat:
    """Starts in `place`; commands may go to another one. `before`: the state that the client goes on from."""

    def __init__(
        self, client: ParleyClient, terminal: Terminal, places: Places, place: Place, before: Mapping[str, Any] | None
    ) -> None:
        self._client, self._terminal, self._places, self._before = client, terminal, places, before
        self._place = place
        self._ticks = Ticks(place.conversation_id, client.user_id or "")
        self._people = People(client, self._refresh)
        self._typing = OwnTyping(client)
        self._commands = Commands(client, terminal, self, places)
        self._sending: set[asyncio.Task[None]] = set()
        self._beside: set[asyncio.Task[None]] = set()
        self._unread = asyncio.Event()
        self._shown = 0
        self._elsewhere = 0
        self._offline = ""
        self._question = ""
        self._early: list[Event] | None = []

    async def run(self) -> None:
        """Until the user leaves, or the input ends and everything is acknowledged. Raises ParleyError."""
        self._client.open_conversation = self._place.conversation_id
        self._refresh()
        tasks = [asyncio.create_task(work) for work in (self._follow(), self._begin(), self._read(), self._mark())]
        with self._listening():
            try:
                await _first_to_fail(tasks, last=tasks[2])
            finally:
                everything = (*tasks, *self._sending, *self._beside)
                for task in everything:
                    task.cancel()
                await asyncio.gather(*everything, return_exceptions=True)
                await self._client.close()

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self._terminal.on_change = lambda text: self._typing.typed(text, self._place.conversation_id)
        try:
            yield
        finally:
            self._terminal.on_change = lambda _: None

    # --- what comes

    async def _follow(self) -> None:
        async for event in self._client.events():
            if self._early is not None and not isinstance(event, ConnectionChanged):
                self._early.append(event)
            else:
                self._show(event)

    async def _begin(self) -> None:
        """First what was said before, then what has come since."""
        known = _cursor(self._before, self._place.conversation_id)
        await self._client.sync()
        start = known if known is not None else self._client.held(self._place.conversation_id) or 0
        await self._look_around()
        if start:
            await self._show_page(_RECENT, before=start + 1)
        self._shown = max(self._shown, start)
        early, self._early = self._early or [], None
        for event in early:
            self._show(event)
        self._unread.set()

    async def _look_around(self) -> None:
        """Who is in this conversation, how far they have read, and who of them is there."""
        place = self._place
        others = [] if place.is_group else [place.to]
        with suppress(ParleyError):  # it has no members yet, or they come with the next look
            members = await self._client.members(place.conversation_id)
            self._ticks.seed(members)
            if place.is_group:
                others = [each.user_id for each in members if each.user_id != self._client.user_id]
        self._aside(self._people.watch(place, others))

    def _show(self, event: Event) -> None:
        if isinstance(event, Entry):
            self._places.learn(event)
            self._show_entry(event)
        elif isinstance(event, ReadReceipt | Typing | Presence):
            self._show_people(event)
        else:
            self._show_notice(event)

    def _show_people(self, event: ReadReceipt | Typing | Presence) -> None:
        match event:
            case ReadReceipt(conversation_id=where) if where == self._place.conversation_id:
                if (seq := self._ticks.read(event)) is not None:
                    self._terminal.show(f"  {READ} #{seq} read by {one_line(event.user_id)}", dim=True)
            case Typing():
                if self._people.types(event):
                    self._look_for(event.user_id)
                    if not self._terminal.interactive:
                        self._terminal.show(f"* {one_line(event.user_id)} is typing …")
            case Presence():
                if self._people.came_or_went(event) and event.user_id == self._place.to:
                    self._terminal.show(f"* {presence_text(event)}", dim=True)

    def _show_notice(self, event: Event) -> None:
        match event:
            case ConnectionChanged():
                self._show_connection(event)
            case Notification():
                self._terminal.show(notification_line(event))
                self.go(self._acknowledge(event))
            case SendFailed():
                what = f": {harmless(event.content)}" if event.content else ""
                self._terminal.show(f"! A message of an earlier run was not sent{what}: {event.reason} ({event.code})")
            case MembershipLost(conversation_id=where) if where == self._place.conversation_id:
                self._terminal.show("! You are not a member of this conversation any more")

    def _show_entry(self, entry: Entry) -> None:
        if entry.conversation_id != self._place.conversation_id:
            self._show_elsewhere(entry)
        elif entry.seq > self._shown:
            self._shown = entry.seq
            if isinstance(entry, Message):
                self._people.stopped(entry.sender_id)
                self._look_for(entry.sender_id)
                self._show_message(entry)
                if entry.file_id is not None:
                    self.go(name_file(self._client, self._terminal, entry))
            elif line := line_of(entry):
                self._terminal.show(line, dim=True)
            self._follow_members(entry)
            self._unread.set()

    def _look_for(self, user_id: str) -> None:
        """Who writes may be seen from now on, also where that could not be before both had written."""
        if user_id == self._place.to and not self._people.is_online(user_id):
            self._aside(self._people.watch(self._place, [user_id]))

    def _follow_members(self, entry: Entry) -> None:
        if isinstance(entry, MembersAdded):
            self._ticks.joined(entry)
            self._aside(self._look_around())
        elif isinstance(entry, MembersRemoved):
            self._ticks.left(entry)
            self._aside(self._look_around())
        elif isinstance(entry, ConversationUpdated) and entry.name is not None:
            self._place = self._places.group(self._place.to)
            self._refresh()

    def _show_elsewhere(self, entry: Entry) -> None:
        where = self._places.name(entry.conversation_id)
        if isinstance(entry, Message) and entry.sender_id != self._client.user_id:
            sender = one_line(entry.sender_id)
            who = sender if sender == where else f"{sender} in {where}"
            self._terminal.show(f"{who}, elsewhere: {harmless(said(entry))}", dim=True)
            self._elsewhere += 1
            self._refresh()
        elif isinstance(entry, MembersAdded) and self._client.user_id in set(entry.users) - {entry.user_id}:
            self._aside(self._tell_of(entry))

    async def _tell_of(self, entry: MembersAdded) -> None:
        """The user was added to another group. Only the entry of its creation says what that is called."""
        where = await self._places.look_up(entry.conversation_id)
        self._terminal.show(f"* {one_line(entry.user_id)} has added you to {where}: /to {where}", dim=True)

    def _show_message(self, message: Message) -> None:
        tick = self._ticks.of(message)
        self._terminal.show(message_line(message, me=self._client.user_id, tick=tick))
        self._shown = max(self._shown, message.seq)

    def _show_connection(self, event: ConnectionChanged) -> None:
        if event.state == "online":
            self._offline = ""
            self._terminal.show("* connected", dim=True)
        elif event.state == "offline" and event.reason != self._offline:  # else it is still so
            self._offline = event.reason
            again = f"trying again in {event.retry_in:.1f} s" if event.retry_in is not None else ""
            self._terminal.show(f"* not connected: {event.reason}; {again}", dim=True)
        self._refresh()

    async def _show_page(self, count: int, before: int | None = None) -> None:
        try:
            page = await self._client.history(self._place.conversation_id, before=before, limit=count)
        except ParleyError as error:
            if error.code not in ("not_a_member", "not_found"):  # nothing was said here yet
                self._terminal.show(f"! The history can't be shown: {one_line(str(error))}")
            return
        for message in reversed(page.messages):
            self._show_message(message)

    # --- what goes

    async def _read(self) -> None:
        while (line := await self._terminal.lines.get()) is not None:
            text = line.strip()
            if text == "/quit":
                return
            if text.startswith("/") and not text.startswith("//"):
                await self._commands.run(text)
            elif text:
                self.go(self.send(text.removeprefix("/") if text.startswith("//") else text))
                await asyncio.sleep(0)  # it is in the outbox after this: what is typed next comes behind it
        waiting = len(self._client.unacked)
        if waiting:
            self._terminal.show(f"* waiting until {waiting} more can be sent", dim=True)
        while self._sending:
            await asyncio.gather(*self._sending)

    async def send(self, text: str | None, place: Place | None = None, **options: Any) -> None:
        """A message into this conversation, or into another place. What is refused is shown."""
        to = place or self._place
        self._typing.sent()
        label = _shortened(text) if text is not None else f"what is forwarded to {to.title}"
        patience = asyncio.get_running_loop().call_later(_PATIENCE_S, self._terminal.show, f"… on its way: {label}")
        try:
            if to.is_group:
                ack = await self._client.send(text, conversation_id=to.to, **options)
            else:
                ack = await self._client.send(text, to=to.to, **options)
        except ParleyError as error:
            if self._client.connection != "stopped":
                self._terminal.show(f"! Not sent: {label}: {error.message} ({error.code})")
        else:
            if ack.conversation_id != self._place.conversation_id:
                self._terminal.show(f"  {STORED} {label}", dim=True)
        finally:
            patience.cancel()

    async def _mark(self) -> None:
        """Tell how far was shown."""
        while True:
            await self._unread.wait()
            self._unread.clear()
            if self._early is None and self._shown:
                with suppress(ParleyError):  # the client has ended
                    self._client.note_read(self._place.conversation_id, self._shown)

    async def _acknowledge(self, notification: Notification) -> None:
        """Another run shows it where this does not go through."""
        with suppress(ParleyError):
            await self._client.acknowledge(notification.id)

    # --- what commands do here

    @property
    def place(self) -> Place:
        return self._place

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it meanwhile; at the end of the input it is waited for."""
        _keep(self._sending, work)

    def _aside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it meanwhile; the end of the input is its end, too."""
        _keep(self._beside, work)

    async def move_to(self, place: Place) -> None:
        """Another conversation from now on, with what was said there before."""
        self._place, self._elsewhere = place, 0
        self._ticks = Ticks(place.conversation_id, self._client.user_id or "")
        self._client.open_conversation = place.conversation_id
        self._shown = start = self._client.held(place.conversation_id) or 0
        self._terminal.show(f"* you write to {place.title} now", dim=True)
        self._refresh()
        await self._look_around()
        if start:
            await self._show_page(_RECENT, before=start + 1)
        self._unread.set()

    async def show_history(self, count: int) -> None:
        await self._look_around()
        await self._show_page(count)

    async def show_members(self) -> None:
        for member in await self._client.members(self._place.conversation_id):
            role = "" if member.role == "member" else f" ({one_line(member.role)})"
            there = ", online" if self._people.is_online(member.user_id) else ""
            self._terminal.show(f"  {one_line(member.user_id)}{role}{there}")

    async def ask(self, question: str) -> bool:
        """The next line answers. Anything but yes is no."""
        self._question = question
        if not self._terminal.interactive:
            self._terminal.show(f"{question} [y/N]")
        self._refresh()
        try:
            answer = await self._terminal.lines.get()
        finally:
            self._question = ""
            self._refresh()
        if answer is None:
            self._terminal.lines.put_nowait(None)  # it ends the chat, too
        return (answer or "").strip().casefold() in ("y", "yes")

    def _refresh(self) -> None:
        elsewhere = f"{self._elsewhere} new elsewhere" if self._elsewhere else ""
        people = "not connected" if self._offline else self._people.status()
        status = " · ".join(part for part in (people, elsewhere) if part)
        if self._question:
            self._terminal.prompt("[y/N] ", self._question)
        else:
            self._terminal.prompt(f"{self._client.user_id} → {self._place.title}> ", status)


def _shortened(text: str) -> str:
    """Enough of it to know it by."""
    return harmless(text if len(text) <= _LABEL else f"{text[:_LABEL]}…")


def _keep(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)


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
