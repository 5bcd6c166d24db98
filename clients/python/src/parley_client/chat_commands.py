"""What the chat understands besides text."""

from __future__ import annotations

import errno
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from parley_client.chat_files import get_file, send_file
from parley_client.chat_lists import Lists
from parley_client.chat_places import NoSuchPlaceError, Place, Places
from parley_client.chat_ways import Ways
from parley_client.chat_words import (
    WrongArgumentsError,
    duration_ms,
    nothing,
    number_and_rest,
    only_number,
    only_word,
    some,
    word_and_rest,
    words,
)
from parley_client.client import ParleyClient
from parley_client.errors import ParleyError
from parley_client.events import Changed
from parley_client.limits import MAX_PAGE
from parley_client.terminal import Terminal, one_line

_RECENT: Final = 20
_ROLES: Final = ("owner", "admin", "member")


class Screen(Protocol):
    """The chat's side: what commands do to it."""

    @property
    def place(self) -> Place: ...

    def go(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it meanwhile."""
        ...

    async def send(self, text: str | None, place: Place | None = None, **options: Any) -> None: ...

    async def move_to(self, place: Place) -> None: ...

    async def show_history(self, count: int) -> None: ...

    async def show_members(self) -> None: ...

    async def ask(self, question: str) -> bool: ...


@dataclass(slots=True)
class Commands:
    """What changes a message goes on while more is typed, over reconnects; everything else is waited for."""

    client: ParleyClient
    terminal: Terminal
    screen: Screen
    places: Places

    async def run(self, text: str) -> None:
        """One line that begins with a slash."""
        name, _, rest = text.partition(" ")
        command = _COMMANDS.get(name)
        if command is None:
            self.terminal.show(f"! There is no {one_line(name)}; /help says what there is")
            return
        try:
            await command.run(self, rest.strip())
        except WrongArgumentsError:
            self.terminal.show(f"! usage: {command.usage}")
        except NoSuchPlaceError as error:
            self.terminal.show(f"! {error}")
        except ParleyError as error:
            self._refused(name, error)

    @property
    def lists(self) -> Lists:
        return Lists(self.client, self.terminal, self.places)

    @property
    def ways(self) -> Ways:
        return Ways(self.client, self.terminal, self.screen.place.conversation_id)

    async def help(self, rest: str) -> None:
        nothing(rest)
        width = max(len(command.usage) for command in _COMMANDS.values())
        for command in _COMMANDS.values():
            self.terminal.show(f"{command.usage:<{width}}  {command.does}")
        self.terminal.show(f"{'//text':<{width}}  a message that begins with a slash")

    async def quit(self, rest: str) -> None:
        """Alone on its line it ends the reading of lines, before it gets here."""
        nothing(rest)

    # --- messages

    async def history(self, rest: str) -> None:
        await self.screen.show_history(min(MAX_PAGE, only_number(rest)) if rest else _RECENT)

    async def reply(self, rest: str) -> None:
        seq, text = number_and_rest(rest)
        self.screen.go(self.screen.send(some(text), reply_to=seq))

    async def mention(self, rest: str) -> None:
        named, text = word_and_rest(rest)
        users = [user.removeprefix("@") for user in named.split(",")]
        if not text or not all(users):
            raise WrongArgumentsError
        said = " ".join([*(f"@{user}" for user in users), text])
        self.screen.go(self.screen.send(said, mentions=users))

    async def forward(self, rest: str) -> None:
        seq, target = number_and_rest(rest)
        source = (self.screen.place.conversation_id, seq)
        place = await self.places.find_or_guess(some(target))
        self.screen.go(self.screen.send(None, place, forward_of=source))

    async def edit(self, rest: str) -> None:
        where = self.screen.place.conversation_id
        seq, text = number_and_rest(rest)
        if not text and not await self._gives_up_caption(where, seq):
            return
        self._meanwhile("/edit", lambda: self.client.edit(where, seq, text))

    async def _gives_up_caption(self, where: str, seq: int) -> bool:
        """An edit without words leaves a file without its caption, and is a slip where there is no file."""
        message = await self.client.message(where, seq)
        if message.file_id is None:
            raise WrongArgumentsError
        if not message.content:
            self.terminal.show(f"* #{seq} has no caption", dim=True)
            return False
        if await self.screen.ask(f"Drop the caption of #{seq}, “{one_line(message.content)}”?"):
            return True
        self.terminal.show("* the caption stays", dim=True)
        return False

    async def delete(self, rest: str) -> None:
        where, seq = self.screen.place.conversation_id, only_number(rest)
        self._meanwhile("/delete", lambda: self.client.delete(where, seq))

    async def react(self, rest: str) -> None:
        where = self.screen.place.conversation_id
        seq, emoji = number_and_rest(rest)
        wanted = only_word(emoji)
        remove = wanted.startswith("-") and len(wanted) > 1
        wanted = wanted[1:] if remove else wanted
        self._meanwhile("/react", lambda: self.client.react(where, seq, wanted, remove=remove))

    async def file(self, rest: str) -> None:
        path, caption = word_and_rest(rest)
        to = self.screen.place.to
        self._meanwhile("/file", lambda: send_file(self.client, self.terminal, to, _path(path), caption))

    async def get(self, rest: str) -> None:
        where = self.screen.place.conversation_id
        seq, folder = number_and_rest(rest)
        place = _path(only_word(folder)) if folder else Path()
        self._meanwhile("/get", lambda: get_file(self.client, self.terminal, where, seq, place))

    async def remind(self, rest: str) -> None:
        seq, wait = number_and_rest(rest)
        at = int(time.time() * 1_000) + duration_ms(only_word(wait))
        await self.client.remind(self.screen.place.conversation_id, seq, at)
        shown = datetime.fromtimestamp(at / 1_000).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        self.terminal.show(f"* you will be reminded of #{seq} at {shown}", dim=True)

    # --- conversations

    async def to(self, rest: str) -> None:
        await self.screen.move_to(await self.places.find_or_guess(some(rest)))

    async def inbox(self, rest: str) -> None:
        await self.lists.inbox(min(MAX_PAGE, only_number(rest)) if rest else _RECENT)

    async def group(self, rest: str) -> None:
        name, users = word_and_rest(rest)
        group = await self.client.create_group(name, users.split())
        others = ", ".join(one_line(user) for user in group.members if user != self.client.user_id)
        company = f", with {others}" if others else ""
        self.terminal.show(f"* you are in {one_line(group.name)} now{company}: {one_line(group.id)}", dim=True)
        await self.screen.move_to(self.places.group(group.id, group.name))

    async def join(self, rest: str) -> None:
        group = await self.ways.join(rest)
        if group is not None:
            await self.screen.move_to(self.places.group(group.id, group.name))

    async def pins(self, rest: str) -> None:
        nothing(rest)
        await self.ways.pins()

    async def name(self, rest: str) -> None:
        name = some(rest)
        await self.client.rename(self._group(), name)

    async def add(self, rest: str) -> None:
        users = words(rest)
        added = await self.client.add_members(self._group(), users)
        if not added.users:
            self.terminal.show("* they are members already", dim=True)

    async def remove(self, rest: str) -> None:
        user = only_word(rest)
        await self.client.remove_member(self._group(), user)

    async def role(self, rest: str) -> None:
        user, role = word_and_rest(rest)
        if role not in _ROLES:
            raise WrongArgumentsError
        await self.client.set_role(self._group(), user, role)

    async def members(self, rest: str) -> None:
        nothing(rest)
        await self.screen.show_members()

    async def leave(self, rest: str) -> None:
        nothing(rest)
        await self.client.leave(self._group())

    # --- people: what is asked about one of them alone

    def about_user(self, ask: Callable[[Lists, str], Awaitable[None]], rest: str) -> Awaitable[None]:
        return ask(self.lists, self.places.private(only_word(rest)).to)

    def about_all(self, ask: Callable[[Lists], Awaitable[None]], rest: str) -> Awaitable[None]:
        nothing(rest)
        return ask(self.lists)

    def _group(self) -> str:
        if not self.screen.place.is_group:
            raise NoSuchPlaceError("This is no group: /to goes to one, /group makes one")
        return self.screen.place.conversation_id

    def _meanwhile(self, name: str, change: Callable[[], Awaitable[object]]) -> None:
        async def outcome() -> None:
            try:
                done = await change()
            except ParleyError as error:
                if self.client.connection != "stopped":
                    self._refused(name, error)
            except OSError as error:
                self.terminal.show(f"! {name} can't be done: {one_line(_cause(error))}")
            else:
                if isinstance(done, Changed) and done.entry_seq is None:
                    self.terminal.show("* nothing changes: it is so already", dim=True)

        self.screen.go(outcome())

    def _refused(self, name: str, error: ParleyError) -> None:
        if error.code == "unreachable":
            self.terminal.show(f"! {name} can't be done now: the server does not answer")
        else:
            self.terminal.show(f"! {name} was refused: {one_line(error.message)} ({error.code})")


def _path(text: str) -> Path:
    """Raises OSError for what can be no path."""
    if "\0" in text:
        raise OSError(errno.EINVAL, "No path can be this", text)
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise OSError(errno.ENOENT, "There is no such user", text) from None


def _cause(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)


@dataclass(frozen=True, slots=True)
class _Command:
    usage: str
    does: str
    run: Callable[[Commands, str], Awaitable[None]]


_COMMANDS: Final = {
    command.usage.split()[0]: command
    for command in (
        _Command("/history [n]", f"the last n messages ({_RECENT})", Commands.history),
        _Command("/reply N text", "answer message #N", Commands.reply),
        _Command("/mention user[,user…] text", "a message that names members", Commands.mention),
        _Command("/forward N user-or-group", "send on what message #N says", Commands.forward),
        _Command("/edit N text", "change your message #N", Commands.edit),
        _Command("/delete N", "take message #N back", Commands.delete),
        _Command("/react N emoji", "react to message #N; -emoji takes it back", Commands.react),
        _Command("/file path [text]", "send a file; quotes around a path with blanks", Commands.file),
        _Command("/get N [folder]", "save the file of message #N (here)", Commands.get),
        _Command("/remind N 10m", "be told of message #N again (s, m, h, d)", Commands.remind),
        _Command("/pin N", "pin message #N, for all to see", lambda c, t: c.ways.pin(t)),
        _Command("/unpin N", "take its pin off", lambda c, t: c.ways.unpin(t)),
        _Command("/pins", "what is pinned here", Commands.pins),
        _Command("/report N reason [text]", "tell the moderators of message #N", lambda c, t: c.ways.report(t)),
        _Command("/to user-or-group", "go to another conversation; user:NAME is a user", Commands.to),
        _Command("/inbox [n]", "your conversations, the latest first", Commands.inbox),
        _Command("/group name [user…]", "create a group, and go there; quotes around blanks", Commands.group),
        _Command("/join group-or-link", "come into a group or channel, by its id or a link", Commands.join),
        _Command("/name text", "rename the group", Commands.name),
        _Command("/add user…", "add members to the group", Commands.add),
        _Command("/remove user", "take a member out of the group", Commands.remove),
        _Command("/role user owner|admin|member", "what a member may do", Commands.role),
        _Command("/members", "who is here", Commands.members),
        _Command("/leave", "leave the group", Commands.leave),
        _Command("/contacts", "your contacts, and who asks to be one", lambda c, t: c.about_all(Lists.contacts, t)),
        _Command("/contact user", "ask to be a contact", lambda c, t: c.about_user(Lists.request_contact, t)),
        _Command("/accept user", "accept who asks", lambda c, t: c.about_user(Lists.accept_contact, t)),
        _Command("/uncontact user", "end, decline or withdraw it", lambda c, t: c.about_user(Lists.remove_contact, t)),
        _Command("/block user", "nothing from this user any more", lambda c, t: c.about_user(Lists.block, t)),
        _Command("/unblock user", "let them write again", lambda c, t: c.about_user(Lists.unblock, t)),
        _Command("/blocks", "who is blocked", lambda c, t: c.about_all(Lists.blocks, t)),
        _Command("/help", "this", Commands.help),
        _Command("/quit", "leave the chat", Commands.quit),
    )
}
NAMES: Final = tuple(_COMMANDS)
