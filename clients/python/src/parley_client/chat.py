"""A small chat for the terminal: `python -m parley_client.chat --user alice --to bob`.

It is also an example of the client: a stream of events, messages that survive a cut connection, and a state file with
which another process goes on where this one stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from parley_client.chat_door import Door, Doors
from parley_client.chat_places import NoSuchPlaceError, Place, Places
from parley_client.chat_screen import Chat
from parley_client.client import ParleyClient
from parley_client.errors import ParleyError, RefusedError
from parley_client.store import StateFile
from parley_client.terminal import Terminal, make_sane, one_line, open_terminal

_LOOK_S: Final = 1.0
_FRESH: Final = "Get a fresh one, and give it by PARLEY_TOKEN or --token."


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="parley-chat", description="Chat in the terminal.")
    environment = os.environ.get
    parser.add_argument("--user", help="who you are; must be the token's user")
    parser.add_argument("--to", required=True, help="whom to write to: a user, or a group by its name or id")
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


class _Sessions:
    """One client after another, each for the server that there is then; the terminal stays."""

    def __init__(self, doors: Doors, terminal: Terminal, user: str | None, to: str) -> None:
        self._doors, self._terminal, self._user, self._to = doors, terminal, user, to
        self._moved = False

    async def run(self) -> None:
        self._terminal.prompt(f"{self._user or 'you'} → {one_line(self._to)}> ", "connecting …")
        door = self._doors()
        while door is not None or (door := await self._next_door()) is not None:
            try:
                left = await self._session(door)
            except ParleyError:
                if self._is_the_same(door):
                    raise
                left = False
            if left:
                return
            self._moved = True
            self._terminal.show("* this server is gone; what was not sent to it is not sent any more", dim=True)
            door = self._doors()

    async def _session(self, door: Door) -> bool:
        """Returns whether the user has left; else there is another server now."""
        store = StateFile(door.state, of=door.of) if door.state else None
        before = store.load() if store else None
        client = ParleyClient(
            door.ws_url,
            token=door.token,
            http_url=door.http_url,
            user_id=self._user,
            platform="terminal",
            state=before,
            store=store,
        )
        async with client:
            if client.user_id is None:
                raise ParleyError("bad_request", "The token does not say who you are: give --user")
            places = Places(client)
            place = await self._start(places, door.partner if self._moved else None)
            self._terminal.show(
                f"You are {client.user_id}, and write to {place.title}. /help shows what else there is."
            )
            return await self._until_gone(door, Chat(client, self._terminal, places, place, before))

    async def _start(self, places: Places, instead: str | None) -> Place:
        """Where to begin. A user can be written to also while the server can't be asked about groups."""
        try:
            return await places.find_or_guess(self._to)
        except NoSuchPlaceError as error:
            if instead is None:
                raise
            self._terminal.show(f"! {error}")
            return places.private(instead)

    async def _until_gone(self, door: Door, chat: Chat) -> bool:
        chatting, gone = asyncio.create_task(chat.run()), asyncio.create_task(self._gone(door))
        try:
            await asyncio.wait((chatting, gone), return_when=asyncio.FIRST_COMPLETED)
            if chatting.done():
                chatting.result()
                return True
            return False
        finally:
            for task in (chatting, gone):
                task.cancel()
            await asyncio.gather(chatting, gone, return_exceptions=True)

    async def _gone(self, door: Door) -> None:
        """Returns when this server is no more. One that is just away comes back as it was."""
        while self._is_the_same(door):  # noqa: ASYNC110  # a file tells of no change
            await asyncio.sleep(_LOOK_S)

    def _is_the_same(self, door: Door) -> bool:
        now = self._doors()
        return now is not None and now.of == door.of

    async def _next_door(self) -> Door | None:
        """Wait for a server; None where the user leaves before there is one."""
        self._terminal.show("* waiting for a server", dim=True)
        self._terminal.prompt(f"{self._user or ''} (no server)> ")
        while (door := self._doors()) is None:
            with suppress(TimeoutError):
                line = await asyncio.wait_for(self._terminal.lines.get(), _LOOK_S)
                if line is None or line.strip() == "/quit":
                    return None
                self._terminal.show(f"! Not sent: {one_line(line)}: there is no server")
        return door


async def converse(doors: Doors, terminal: Terminal, *, user: str | None, to: str) -> None:
    """Until the user leaves. Raises ParleyError, NoSuchPlaceError, ValueError, OSError."""
    me = asyncio.current_task()
    assert me is not None  # noqa: S101  # asyncio.run makes one
    terminal.on_interrupt = me.cancel
    with _stopped_by_signals(me.cancel), terminal.reading():
        try:
            await _Sessions(doors, terminal, user, to).run()
        except asyncio.CancelledError:
            me.uncancel()  # asked for by the user: that is no failure


@contextmanager
def _stopped_by_signals(stop: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C, SIGTERM and the end of the terminal end the chat in good order."""
    loop = asyncio.get_running_loop()
    signals = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    with suppress(NotImplementedError):  # not on every system
        for each in signals:
            loop.add_signal_handler(each, stop)
    try:
        yield
    finally:
        with suppress(NotImplementedError):
            for each in signals:
                loop.remove_signal_handler(each)


def run(doors: Doors, *, user: str | None, to: str, state: Path | None = None) -> int:
    """Chat until the user leaves. The exit code is as `main`'s."""
    try:
        asyncio.run(converse(doors, open_terminal(), user=user, to=to))
    except (ParleyError, NoSuchPlaceError, OSError, ValueError, KeyError) as error:
        return _failed(error, state)
    finally:
        make_sane()
    return 0


def _failed(error: Exception, state: Path | None) -> int:
    """Says in a line what has ended the chat. Returns the exit code."""
    text, code = str(error), 2
    match error:
        case RefusedError():
            text, code = f"The server refused the token ({error.status}). {_FRESH}", 1
        case ParleyError():
            stale = error.code in ("wrong_user", "log_lost") and state is not None
            text, code = error.message + (f"\nStart without {state}, or remove it." if stale else ""), 1
        case BrokenPipeError():  # who has read our output has left
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            text, code = "The output was closed", 1
        case OSError():
            text, code = f"The state can't be kept: {error}", 1
        case ValueError() | KeyError():
            text = f"This can't work: {error}"
    print(text, file=sys.stderr)
    return code


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 after leaving, 1 where the server or the state did not let us in, 2 for wrong usage."""
    given = _arguments(argv)
    door = Door(given.ws_url, given.http_url, given.token, given.state)
    return run(lambda: door, user=given.user, to=given.to, state=given.state)


if __name__ == "__main__":
    sys.exit(main())
