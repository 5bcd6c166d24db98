"""What the chat understands besides text."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from parley_client.chat_files import get_file, path_and_rest, send_file
from parley_client.client import ParleyClient
from parley_client.errors import ParleyError
from parley_client.terminal import Terminal, harmless

HELP = """/history [n]        the last n messages (20)
/edit N text        change your message #N
/delete N           take message #N back
/react N emoji      react to message #N; /react N -emoji takes it back
/file path text     send a file, with words or without; quotes around a path with blanks
/get N folder       save the file of message #N (here, without a folder)
/remind N 10m       be reminded of message #N in 10 minutes (s, m, h, d)
/group name user…   create a group, and go there
/to user-or-group   go to another conversation
/add user…          add members to the group
/members            who is here
/leave              leave the group
/block user         nothing from this user any more; /unblock user
/quit               leave the chat
/help               this
//text              a message that begins with a slash"""
_RECENT = 20
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Screen(Protocol):
    """The chat's side: what commands do to it."""

    @property
    def conversation(self) -> str: ...

    @property
    def to(self) -> str: ...

    def go(self, work: Coroutine[Any, Any, None]) -> None: ...

    async def move_to(self, to: str) -> None: ...

    async def show_history(self, count: int, before: int | None = None) -> None: ...


class Commands:
    """What changes a message goes on while more is typed, over reconnects; everything else is waited for."""

    def __init__(self, client: ParleyClient, terminal: Terminal, screen: Screen) -> None:
        self._client, self._terminal, self._screen = client, terminal, screen
        self._known: dict[str, Callable[[list[str]], Awaitable[None]]] = {
            "/help": self._help,
            "/history": self._history,
            "/edit": self._edit,
            "/delete": self._delete,
            "/react": self._react,
            "/remind": self._remind,
            "/group": self._group,
            "/to": self._to,
            "/add": self._add,
            "/members": self._members,
            "/leave": self._leave,
            "/block": self._block,
            "/unblock": self._unblock,
        }

        self._of_files: dict[str, Callable[[str], None]] = {"/file": self._file, "/get": self._get}

    async def run(self, text: str) -> None:
        name, rest = _split(text)
        command, about_files = self._known.get(name), self._of_files.get(name)
        if command is None and about_files is None:
            self._terminal.show(f"! There is no {harmless(name)}; /help says what there is")
            return
        try:
            if about_files is not None:
                about_files(rest)
            elif command is not None:
                await command(rest.split())
        except (ValueError, IndexError):
            self._terminal.show(f"! {name} needs something else; /help says what")
        except ParleyError as error:
            self._refused(name, error)

    async def _help(self, _: list[str]) -> None:
        self._terminal.show(HELP)

    async def _history(self, words: list[str]) -> None:
        await self._screen.show_history(max(1, min(100, int(words[0]) if words else _RECENT)))

    async def _edit(self, words: list[str]) -> None:
        where, seq, text = self._screen.conversation, _number(words[0]), " ".join(words[1:])
        self._meanwhile("/edit", lambda: self._client.edit(where, seq, text))

    async def _delete(self, words: list[str]) -> None:
        where, seq = self._screen.conversation, _number(words[0])
        self._meanwhile("/delete", lambda: self._client.delete(where, seq))

    async def _react(self, words: list[str]) -> None:
        where, seq, emoji = self._screen.conversation, _number(words[0]), words[1]
        remove = emoji.startswith("-") and len(emoji) > 1
        wanted = emoji[1:] if remove else emoji
        self._meanwhile("/react", lambda: self._client.react(where, seq, wanted, remove=remove))

    def _file(self, rest: str) -> None:
        path, caption = path_and_rest(rest)
        to = self._screen.to
        self._meanwhile("/file", lambda: send_file(self._client, self._terminal, to, path, caption))

    def _get(self, rest: str) -> None:
        seq, folder = _split(rest)
        where, number = self._screen.conversation, _number(seq)
        place = path_and_rest(folder)[0] if folder else Path()
        self._meanwhile("/get", lambda: get_file(self._client, self._terminal, where, number, place))

    async def _remind(self, words: list[str]) -> None:
        seq, wait = _number(words[0]), duration_ms(words[1])
        at = int(time.time() * 1_000) + wait
        await self._client.remind(self._screen.conversation, seq, at)
        shown = datetime.fromtimestamp(at / 1_000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        self._terminal.show(f"* you will be reminded of #{seq} at {shown}", dim=True)

    async def _group(self, words: list[str]) -> None:
        name, *users = words
        group = await self._client.create_group(name, users)
        self._terminal.show(f"* you are in {harmless(group.name)} now: {harmless(group.id)}", dim=True)
        await self._screen.move_to(group.id)

    async def _to(self, words: list[str]) -> None:
        self._terminal.show(f"* you write to {harmless(words[0])} now", dim=True)
        await self._screen.move_to(words[0])

    async def _add(self, words: list[str]) -> None:
        added = await self._client.add_members(self._screen.conversation, words)
        if not added.users:
            self._terminal.show("* they are members already", dim=True)

    async def _members(self, _: list[str]) -> None:
        for member in await self._client.members(self._screen.conversation):
            role = "" if member.role == "member" else f" ({harmless(member.role)})"
            self._terminal.show(f"  {harmless(member.user_id)}{role}")

    async def _leave(self, _: list[str]) -> None:
        await self._client.leave(self._screen.conversation)

    async def _block(self, words: list[str]) -> None:
        await self._client.block(words[0])
        self._terminal.show(f"* {harmless(words[0])} is blocked", dim=True)

    async def _unblock(self, words: list[str]) -> None:
        await self._client.unblock(words[0])
        self._terminal.show(f"* {harmless(words[0])} is not blocked any more", dim=True)

    def _meanwhile(self, name: str, change: Callable[[], Awaitable[object]]) -> None:
        async def outcome() -> None:
            try:
                await change()
            except ParleyError as error:
                if self._client.connection != "stopped":
                    self._refused(name, error)
            except OSError as error:
                self._terminal.show(f"! {name} can't be done: {harmless(str(error))}")

        self._screen.go(outcome())

    def _refused(self, name: str, error: ParleyError) -> None:
        self._terminal.show(f"! {name} was refused: {error.message} ({error.code})")


def duration_ms(text: str) -> int:
    """How long "30s", "10m", "2h" or "1d" is. Raises ValueError for anything else."""
    number, unit = int(text[:-1]), _UNITS_S.get(text[-1:])
    if unit is None or number <= 0:
        raise ValueError("no duration")
    return number * unit * 1_000


def _split(text: str) -> tuple[str, str]:
    """The first word, and the rest as it was typed."""
    first, *rest = text.split(maxsplit=1)
    return first, rest[0].strip() if rest else ""


def _number(word: str) -> int:
    return int(word.removeprefix("#"))
