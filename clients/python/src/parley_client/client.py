"""The client: what an application uses."""

from __future__ import annotations

import random
import uuid
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import EllipsisType, TracebackType
from typing import Any, BinaryIO, Final, Self, Unpack, cast
from urllib.parse import urlsplit

from parley_client.background import Progress
from parley_client.changes import ChangeKind
from parley_client.core import Core
from parley_client.dial import Dialer
from parley_client.directory import DirectoryOperations
from parley_client.errors import ParleyError
from parley_client.events import Ack, Changed, Event, Presence
from parley_client.files import FileOperations, FileOptions
from parley_client.groups import GroupOperations, Pin
from parley_client.limits import MOST_FILES
from parley_client.notifying import NotificationOperations
from parley_client.operations import HttpOperations
from parley_client.outbox import Pending
from parley_client.rest import RestApi, check_http_url
from parley_client.settings import Options, Settings
from parley_client.shell import Shell
from parley_client.store import Store
from parley_client.tokens import Token, user_of

_MOST_TRIES: Final = 3  # what changes while it is asked for is asked for again


@dataclass(frozen=True, slots=True)
class Unacked:
    """A message without an ack. Sending it again with this id and this `after` is safe: it is stored once."""

    to: str | None
    conversation_id: str | None
    content: str | None
    client_message_id: str
    after: int
    forward_of: tuple[str, int] | None = None


class ParleyClient(HttpOperations, DirectoryOperations, GroupOperations, FileOperations, NotificationOperations):
    """One user's connection to Parley, kept up, with all messages once and in order.

    ::

        async with ParleyClient("wss://…/prod", token=get_token) as client:
            ack = await client.send(to="bob", content="hi")
            async for event in client.events():
                ...

    `token`: a JWT, or a callable (sync or async) that gives a fresh one; it is called for each connection, and shortly
    before the token of a connection expires.
    `http_url`: of the HTTP API, for tickets and for everything in `HttpOperations`.
    `by_ticket`: connect by a one-time ticket instead of the `Authorization` header.
    `user_id`: only needed where the token is not a JWT that says it.
    `state`: what `state()` of an earlier client returned: unacknowledged messages are sent, and everything since comes.
    `store`: keeps the state by itself, and this client goes on from what it holds: a `StateFile`, or one of your own.
        Whatever the application is told, by an event, a result or an error, is saved before.
    Everything else: see `Settings`.

    Entering the context starts connecting, and does not wait for it. What can't be mended (a refused token) is raised
    by whatever waits: `connected`, `send`, `events` …
    """

    def __init__(
        self,
        url: str,
        *,
        token: Token,
        http_url: str | None = None,
        by_ticket: bool = False,
        user_id: str | None = None,
        device_id: str | None = None,
        platform: str | None = None,
        app_version: str | None = None,
        state: Mapping[str, Any] | None = None,
        store: Store | None = None,
        **options: Unpack[Options],
    ) -> None:
        """Raises ValueError for addresses or settings that can't work, ParleyError for another user's state."""
        if urlsplit(url).scheme not in ("ws", "wss"):
            raise ValueError(f"An address of the WebSocket API starts with ws:// or wss://, not {url!r}")
        if by_ticket and http_url is None:
            raise ValueError("A ticket comes from the HTTP API: give http_url, too")
        if store is not None and state is None:
            state = store.load()
        self._core = Core(
            new_id=lambda: uuid.uuid4().hex,
            random=random.random,
            settings=Settings(**options),
            user_id=user_id,
            state=state,
            over_http=bool(http_url),
        )
        own = user_of(token) if isinstance(token, str) else None
        if own is not None:
            self._core.identify(own)
        rest = RestApi(check_http_url(http_url)) if http_url else None
        query = {"device_id": device_id, "platform": platform, "app_version": app_version}
        self._dialer = Dialer(url, token, rest, by_ticket, query, self._core.identify)
        self._shell = Shell(self._core, self._dialer, store)

    async def __aenter__(self) -> Self:
        self._core.start()
        self._shell.perform()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # --- what there is to know

    @property
    def user_id(self) -> str | None:
        """Whose client this is; None until the first token says so."""
        return self._core.user_id

    @property
    def connection(self) -> str:
        """One of idle, waiting (to reconnect), connecting, online, stopped."""
        return self._core.connection

    @property
    def unacked(self) -> tuple[Unacked, ...]:
        """Messages on their way, in the order in which they were written."""
        return tuple(_unacked(item) for item in self._core.unacked)

    @property
    def dropped(self) -> int:
        """Receipts, typing and presence that came while `events()` was too far behind to take them."""
        return self._core.dropped

    def held(self, conversation_id: str) -> int | None:
        """The last entry of this conversation that was passed on; None for one that is not known."""
        return self._core.held(conversation_id)

    def pinned(self, conversation_id: str) -> tuple[int, ...] | None:
        """What is pinned there, the latest pin first: known once `pins` was asked, and kept up to date by `events()`.

        None where it was not asked for, or the own user is no member any more.
        """
        return self._core.pinned(conversation_id)

    async def pins(self, conversation_id: str) -> tuple[Pin, ...]:
        """What is pinned, the latest pin first. From then on `pinned` has it, over restarts, too."""
        found: tuple[Pin, ...] = ()
        for _ in range(_MOST_TRIES):
            as_of = self._core.pin_changes(conversation_id)
            found = await super().pins(conversation_id)
            if self._core.note_pins(conversation_id, (pin.seq for pin in found), as_of):
                self._shell.perform()
                break
        return found

    def private_with(self, user_id: str) -> str | None:
        """The id of the private conversation with a user; None while it is not known who this client is."""
        return self._core.private_with(user_id)

    def state(self) -> dict[str, Any]:
        """All that another client needs to go on, for JSON: where `events()` stands, and what is not acknowledged.

        It covers every event that `events()` has handed out: take it when those are dealt with. With a `store` there is
        no need to.
        """
        return self._core.state()

    @property
    def open_conversation(self) -> str | None:
        """The one the user looks at: heartbeats ask about it. By default the one in which something happened last."""
        return self._core.open_conversation

    @open_conversation.setter
    def open_conversation(self, conversation_id: str | None) -> None:
        self._core.open_conversation = conversation_id

    # --- the stream

    async def events(self) -> AsyncGenerator[Event]:
        """Everything that happens, each conversation in order. Ends with `close`; raises what stopped the client.

        One consumer at a time: two would share the events between them.
        """
        while True:
            event = self._core.next_event(self._shell.now())
            if event is not None:
                self._shell.perform()
                self._shell.check_kept()
                yield event
            elif self._core.connection != "stopped":
                await self._shell.news()
            elif self._core.error is not None:
                raise self._core.error
            else:
                return

    async def connected(self) -> None:
        """Wait for a connection. Raises ParleyError where there will be none."""
        await self._shell.until(lambda: self._core.connection == "online")

    async def flush(self) -> None:
        """Wait until every message is acknowledged or refused. Raises ParleyError where that will not happen."""
        await self._shell.until(lambda: not self._core.unacked)

    # --- what to do

    async def send(
        self,
        content: str | None = None,
        *,
        to: str | None = None,
        conversation_id: str | None = None,
        message_type: str = "text",
        reply_to: int | None = None,
        mentions: Iterable[str] = (),
        file_id: str | None = None,
        data: Mapping[str, Any] | None = None,
        attachments: Iterable[Mapping[str, Any]] = (),
        client_message_id: str | None = None,
        after: int | None = None,
        forward_of: tuple[str, int] | None = None,
    ) -> Ack:
        """Send a message, and wait until it is stored: over reconnects and retries, for as long as that takes.

        `file_id`: of an own file that is ready; `message_type` is its kind then, and there may be no words.
        `data`: an object of your own; `attachments`: up to ten, each with a `type`, maybe with the `file_id` of a file.
        `forward_of`: instead of `content`, the conversation and the seq of a message to pass on.
        Cancelling stops the waiting, not the sending. `client_message_id` and `after` are for repeating a message of an
        earlier client: both together make that safe (an id alone only within this client). Raises ParleyError: the
        server's refusal, `outbox_full`, or ClosedError where the client was closed before the ack.
        """
        call = self._core.send(
            content,
            self._shell.now(),
            to=to,
            conversation_id=conversation_id,
            message_type=message_type,
            reply_to=reply_to,
            mentions=mentions,
            file_id=file_id,
            data=data,
            attachments=attachments,
            client_message_id=client_message_id,
            after=after,
            forward_of=forward_of,
        )
        return cast("Ack", await self._shell.outcome(call))

    async def send_file(
        self,
        source: Path | bytes | BinaryIO,
        caption: str = "",
        *,
        to: str | None = None,
        conversation_id: str | None = None,
        progress: Progress | None = None,
        **more: Unpack[FileOptions],
    ) -> Ack:
        """Upload a file (see `upload` for `more`), and send it, with or without words.

        Cancelling stops the upload; after that, it stops the waiting, and not the sending. Making it again uploads
        again: `upload` and `send(file_id=)` are for those who want to repeat only one of them.
        """
        if (to is None) == (conversation_id is None):
            raise ParleyError("bad_request", "A message goes either `to` a user or into a `conversation_id`")
        file = await self.upload(source, progress=progress, **more)
        return await self.send(caption, to=to, conversation_id=conversation_id, message_type=file.kind, file_id=file.id)

    async def send_files(
        self,
        sources: Iterable[Path | bytes | BinaryIO],
        caption: str | None = None,
        *,
        to: str | None = None,
        conversation_id: str | None = None,
        names: Iterable[str] = (),
    ) -> Ack:
        """Upload up to ten files, one after the other, and send them as attachments of one message.

        `names`: theirs, in this order, for those that have none of their own. Each attachment has the `type` (the
        file's kind), `file_id`, `name` and `size`. Where one is not taken nothing is sent. See `send_file`.
        """
        given, called = list(sources), list(names)
        if (to is None) == (conversation_id is None) or not 0 < len(given) <= MOST_FILES:
            raise ParleyError("bad_request", f"1 to {MOST_FILES} files go either `to` a user or into a conversation")
        files = [await self.upload(each, name=name) for each, name in zip_longest(given, called[: len(given)])]
        attachments = [{"type": one.kind, "file_id": one.id, "name": one.name, "size": one.size} for one in files]
        return await self.send(caption, to=to, conversation_id=conversation_id, attachments=attachments)

    async def edit(
        self, conversation_id: str, seq: int, content: str, *, data: Mapping[str, Any] | EllipsisType | None = ...
    ) -> Changed:
        """New text for an own message; with `data` that, too: an object, or None to take it off.

        Like `delete` and `react` it goes on over reconnects and refusals that may pass. Cancelling stops the waiting.
        Raises ParleyError: the server's refusal, the last one after `max_attempts`, or ClosedError; a change that was
        not confirmed by then may be in effect or not, and is safe to repeat.
        """
        hung = {} if data is ... else {"data": data}
        return await self._change("edit", conversation_id, seq, content=content, **hung)

    async def delete(self, conversation_id: str, seq: int) -> Changed:
        """Take back an own message, or as a moderator another member's. Its place stays. See `edit`."""
        return await self._change("delete", conversation_id, seq)

    async def react(
        self, conversation_id: str, seq: int, emoji: str, *, remove: bool = False, user_id: str | None = None
    ) -> Changed:
        """React to a message, or take that back. See `edit`.

        `user_id`: whose reaction to take off (`remove`), which is for owners and admins of a group.
        """
        whose = {} if user_id is None else {"user_id": user_id}
        return await self._change("react", conversation_id, seq, emoji=emoji, remove=remove, **whose)

    async def mark_read(self, conversation_id: str, seq: int) -> None:
        """Everything up to `seq` was read. Cumulative; backwards changes nothing."""
        await self._shell.outcome(self._core.mark("read", conversation_id, seq, self._shell.now()))

    def note_read(self, conversation_id: str, seq: int) -> None:
        """Everything up to `seq` was read, without waiting until the server knows: which costs less.

        It goes out with the next message of the conversation, or after `read_delay`, and again after a reconnect. What
        the server refuses of it is let go. Raises ParleyError once the client has ended.
        """
        self._core.note_read(conversation_id, seq, self._shell.now())
        self._shell.perform()

    async def mark_delivered(self, conversation_id: str, seq: int) -> None:
        """Everything up to `seq` has arrived. With `auto_delivered` this happens by itself."""
        await self._shell.outcome(self._core.mark("delivered", conversation_id, seq, self._shell.now()))

    async def typing(self, conversation_id: str, *, active: bool = True) -> None:
        """Say that the user types, or has stopped. Sent once; raises ParleyError where there is no connection."""
        await self.request("typing", conversation_id=conversation_id, active=active)

    async def presence(self, users: Iterable[str]) -> tuple[Presence, ...]:
        """How these users are (at most 100), and from now on an event for each change; it does not end by itself.

        It replaces what was watched before, and is renewed after each reconnect, when an event says how each user is.
        """
        return cast("tuple[Presence, ...]", await self._shell.outcome(self._core.watch(users, self._shell.now())))

    async def authenticate(self, token: str) -> int | None:
        """A fresh token for the living connection, and for HTTP. Returns when it expires (ms).

        Only needed where the client was given a plain token: a callable is asked by itself, in time.
        """
        self._dialer.check(token)
        call = self._core.authenticate(token, self._dialer.left(token), self._shell.now())
        answer = await self._shell.outcome(call)
        self._dialer.adopt(token)
        return cast("int | None", answer.get("expires_at"))

    async def sync(self) -> None:
        """Compare all conversations, and wait until what was missing is in the stream (or the stream is full)."""
        await self._shell.outcome(self._core.sync(self._shell.now()))

    async def ping(self) -> dict[str, Any]:
        """A heartbeat out of turn: the data of its reply. If the open conversation is behind, it catches up."""
        return cast("dict[str, Any]", await self._shell.outcome(self._core.ping(self._shell.now())))

    async def request(self, frame_type: str, **fields: Any) -> dict[str, Any]:
        """Send any other frame, once, and return the data of its reply. Fails where the connection is lost first."""
        return cast(
            "dict[str, Any]", await self._shell.outcome(self._core.request(frame_type, fields, self._shell.now()))
        )

    async def _change(self, kind: ChangeKind, conversation_id: str, seq: int, **fields: Any) -> Changed:
        call = self._core.change(kind, conversation_id, seq, fields, self._shell.now())
        return cast("Changed", await self._shell.outcome(call))

    async def close(self) -> tuple[Unacked, ...]:
        """Leave. Calls that wait get ClosedError. Returns what is not acknowledged, which `state()` holds, too."""
        await self._shell.close()
        return self.unacked


def _unacked(item: Pending) -> Unacked:
    body, source = item.body, item.body.get("forward_of")
    return Unacked(
        to=item.to,
        conversation_id=item.conversation_id,
        content=body.get("content"),
        client_message_id=item.client_message_id,
        after=item.after,
        forward_of=(source["conversation_id"], source["seq"]) if source else None,
    )
