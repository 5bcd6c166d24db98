"""What a team's server asks of Parley, with a token of the scope `admin`: over HTTP, without a connection."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from parley_client.answers import listed, understood
from parley_client.calls import conversation_path, path_of, present
from parley_client.dial import Dialer
from parley_client.directory import (
    DirectoryOperations,
    Report,
    User,
    as_report,
    as_user,
    in_parts,
)
from parley_client.events import Ack, Frame
from parley_client.groups import GroupOperations
from parley_client.notifying import NotifyOperations
from parley_client.operations import UNCHANGED, HttpOperations, Unchanged, given
from parley_client.parsing import as_ack
from parley_client.rest import RestApi, check_http_url
from parley_client.running import RunningOperations
from parley_client.tokens import Token

_AS: Final = "Parley-As"
_MOST: Final = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ban:
    """A user is kept out until `until` (ms), or for good (None). `closed`: how many connections that has ended."""

    user_id: str
    until: int | None
    reason: str
    at: int
    by: str
    closed: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """A live connection. Times are ms; `device_id` is empty where the client gave none."""

    connection_id: str
    device_id: str
    connected_at: int
    last_heard_at: int
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """What an administrator did: when (ms), by whom, as whom, and what was asked for."""

    at: int
    by: str
    acting_as: str | None
    method: str
    route: str
    arguments: Mapping[str, str]
    request_id: str
    raw: Frame = field(default_factory=dict, repr=False, compare=False, hash=False)


class Admin(HttpOperations, DirectoryOperations, GroupOperations, NotifyOperations, RunningOperations):
    """A team's server, by its token.

    ::

        admin = Admin("https://…", token=get_admin_token)
        await admin.put_user("bob", name="Bob Builder")
        await admin.acting_as("bob").post("dm:alice:bob", "I am on my way", client_message_id="m1")

    All of `HttpOperations`, `DirectoryOperations`, `GroupOperations` and `RunningOperations`, too: as the token's own
    user, or as another one. Each call is one request (a second one where a token was refused, and `token` is a
    callable), and none is repeated by itself. All raise ParleyError; `forbidden` for a token without the scope.
    """

    def __init__(self, http_url: str, *, token: Token) -> None:
        """Raises ValueError for what is no address. `token`: a JWT, or a callable (sync or async) that gives one."""
        self._dialer = _Caller("", token, RestApi(check_http_url(http_url)), False, {}, _anyone)

    def acting_as(self, user_id: str) -> Admin:
        """The same, whose requests are another user's: each leaves a row in the audit."""
        own = self._dialer
        rest = own.rest or RestApi("")
        other = Admin(rest.base_url, token=own.token)
        headers = {_AS: user_id}
        other._dialer = _Caller("", own.token, RestApi(rest.base_url, rest.timeout_s, headers), False, {}, _anyone)
        other._dialer.acting_as = user_id
        return other

    # --- the directory

    async def put_user(
        self,
        user_id: str,
        *,
        name: str | Unchanged | None = UNCHANGED,
        avatar: str | Unchanged | None = UNCHANGED,
        role: str | Unchanged | None = UNCHANGED,
        data: Mapping[str, Any] | Unchanged | None = UNCHANGED,
        email: str | Unchanged | None = UNCHANGED,
        deactivated: bool | Unchanged = UNCHANGED,
    ) -> User:
        """What the team says of a user: what is left out stays, None clears."""
        body = given(name=name, avatar=avatar, role=role, data=data, email=email, deactivated=deactivated)
        return as_user(await self._call("PUT", path_of("users", user_id), body=body))

    async def put_users(self, records: Iterable[Mapping[str, Any]]) -> tuple[User, ...]:
        """Any number of records, each with its `user_id`: a hundred a request. Safe to repeat after an error."""
        done: list[User] = []
        for part in in_parts([dict(each) for each in records], _MOST):
            done += listed("users", as_user, await self._call("POST", "/v1/users", body={"users": part}))
        return tuple(done)

    async def delete_user(self, user_id: str) -> None:
        """The record goes; what the user wrote stays. Safe to repeat."""
        await self._call("DELETE", path_of("users", user_id))

    # --- who is let in

    async def ban_user(self, user_id: str, *, until: int | None = None, reason: str = "") -> Ban:
        """Keep a user out until `until` (ms), or for good. When it returns, nothing of theirs passes any more."""
        body = {"until": until, **present(reason=reason or None)}
        return as_ban(await self._call("PUT", path_of("users", user_id, "ban"), body=body))

    async def unban_user(self, user_id: str) -> None:
        """The user may come again. Safe to repeat."""
        await self._call("DELETE", path_of("users", user_id, "ban"))

    async def ban_of(self, user_id: str) -> Ban | None:
        """None for who is not banned now."""
        found = await self._find(path_of("users", user_id, "ban"))
        return None if found is None else as_ban(found)

    async def revoke(self, user_id: str, issued_before: int) -> int:
        """Refuse tokens that were issued before a moment (ms). Returns how many connections that has closed."""
        body = {"issued_before": issued_before}
        return _closed(await self._call("POST", path_of("users", user_id, "revoke"), body=body))

    async def connections(self, user_id: str) -> tuple[Connection, ...]:
        """A user's live connections, the oldest first."""
        found = await self._call("GET", path_of("users", user_id, "connections"))
        return listed("connections", as_connection, found)

    async def disconnect(self, user_id: str) -> int:
        """Close them all; returns how many there were. The user's tokens stay good."""
        return _closed(await self._call("DELETE", path_of("users", user_id, "connections")))

    # --- what is said

    async def post(
        self,
        conversation_id: str,
        content: str | None,
        *,
        message_type: str = "text",
        client_message_id: str | None = None,
        after: int | None = None,
        reply_to: int | None = None,
        mentions: Iterable[str] = (),
        file_id: str | None = None,
        data: Mapping[str, Any] | None = None,
        attachments: Iterable[Mapping[str, Any]] = (),
    ) -> Ack:
        """A message, over HTTP. With a `client_message_id` it is safe to repeat: it is stored once."""
        body = present(
            content=content,
            message_type=message_type,
            client_message_id=client_message_id,
            after=after,
            reply_to=reply_to,
            mentions=list(mentions) or None,
            file_id=file_id,
            data=data,
            attachments=[dict(each) for each in attachments] or None,
        )
        return _ack(await self._call("POST", conversation_path(conversation_id, "messages"), body=body))

    async def post_system(
        self, conversation_id: str, content: str, *, client_message_id: str | None = None, **more: Any
    ) -> Ack:
        """A `system` message: the team's own words. `more`: as for `post`."""
        return await self.post(
            conversation_id, content, message_type="system", client_message_id=client_message_id, **more
        )

    async def edit(self, conversation_id: str, seq: int, content: str, **more: Any) -> Frame:
        """Change what a message of the own user, or of whom it is acted as, says. `more`: `data`."""
        path = conversation_path(conversation_id, "messages", str(seq))
        return await self._call("PATCH", path, body={"content": content, **more})

    async def delete(self, conversation_id: str, seq: int) -> Frame:
        """Take away what a message says, for all. Safe to repeat."""
        return await self._call("DELETE", conversation_path(conversation_id, "messages", str(seq)))

    async def react(self, conversation_id: str, seq: int, emoji: str, *, remove: bool = False) -> Frame:
        """Put a reaction, or take it off. Safe to repeat."""
        path = conversation_path(conversation_id, "messages", str(seq), "reactions", emoji)
        return await self._call("DELETE" if remove else "PUT", path)

    async def mark_read(self, conversation_id: str, seq: int) -> Frame:
        """Everything up to `seq` was read by whom it is acted as."""
        return await self._call("POST", conversation_path(conversation_id, "read"), body={"seq": seq})

    async def broadcast(
        self,
        title: str,
        body: str = "",
        *,
        data: Mapping[str, str] | None = None,
        store: bool = False,
        broadcast_id: str | None = None,
    ) -> Broadcast:
        """Tell everybody who is connected, and with `store` everybody known. Repeatable with an id of your own."""
        about = dict(data) if data else None
        said = present(title=title, body=body, store=store, data=about, broadcast_id=broadcast_id)
        return as_broadcast(await self._call("POST", "/v1/broadcasts", body=said))

    def broadcasts(self) -> AsyncIterator[Broadcast]:
        """All of them, the latest first. Page by page, as `audit`."""
        return self._all("/v1/broadcasts", "broadcasts", as_broadcast)

    async def broadcast_of(self, broadcast_id: str) -> Broadcast:
        """How far it is."""
        return as_broadcast(await self._call("GET", path_of("broadcasts", broadcast_id)))

    async def steer(self, broadcast_id: str, how: str) -> Broadcast:
        """pause, resume, or cancel, which is for good."""
        return as_broadcast(await self._call("POST", path_of("broadcasts", broadcast_id, how)))

    # --- a user's rights over their data

    async def export_user(self, user_id: str) -> Frame:
        """Begin to collect all that is stored of a user, or go on with it."""
        return await self._call("POST", path_of("users", user_id, "export"))

    async def export_of(self, user_id: str, *, cursor: str | None = None) -> Frame | None:
        """Where that is: its `status`, and once it is done its `objects`, with links; None where there is none."""
        return await self._find(path_of("users", user_id, "export"), {"cursor": cursor})

    # --- what users report: the scope `moderation` is enough

    def reports(self, *, status: str | None = None, user: str | None = None) -> AsyncIterator[Report]:
        """Reports, the newest first: `status` open or decided, or all about one `user`. Page by page, as `audit`."""
        return self._all("/v1/reports", "reports", as_report, status=status, user=user)

    async def report(self, report_id: str) -> Report | None:
        """One of them; None where there is none."""
        found = await self._find(path_of("reports", report_id))
        return None if found is None else as_report(found)

    async def decide(self, report_id: str, decision: str, *, until: int | None = None, note: str = "") -> Report:
        """dismiss, delete (the message) or ban (who is reported, `until` a moment in ms or for good).

        The same again completes what died half-way; another decision is a `conflict`.
        """
        body = present(decision=decision, until=until, note=note or None)
        return as_report(await self._call("POST", path_of("reports", report_id, "decision"), body=body))

    def held(self) -> AsyncIterator[Frame]:
        """Messages that wait for review, the oldest first, as the server tells of them. Page by page, as `audit`."""
        return self._all("/v1/held", "held", dict)

    async def held_message(self, held_id: str) -> Frame | None:
        """One of them; None where there is none."""
        return await self._find(path_of("held", held_id))

    async def review(self, held_id: str, *, approve: bool, reason: str = "") -> Frame:
        """Let a message through, or not; the `reason` is told to its sender. The same again is safe."""
        body = present(decision="approve" if approve else "reject", reason=reason or None)
        return await self._call("POST", path_of("held", held_id, "decision"), body=body)

    async def shadow_ban(self, user_id: str, reason: str = "") -> None:
        """Others see nothing of what the user writes from now on, and the user does not notice."""
        await self._call("PUT", path_of("users", user_id, "shadow-ban"), body=present(reason=reason or None))

    async def end_shadow_ban(self, user_id: str) -> None:
        """What they write from now on is seen again. Safe to repeat."""
        await self._call("DELETE", path_of("users", user_id, "shadow-ban"))

    async def erase_user(self, user_id: str) -> Frame:
        """Begin to erase a user and all that they wrote, for good. `conflict` while a legal hold stands."""
        return await self._call("POST", path_of("users", user_id, "erasure"))

    # --- what was done

    def audit(
        self, *, user: str | None = None, start: int | None = None, end: int | None = None
    ) -> AsyncIterator[AuditRow]:
        """What administrators did, the newest first, page by page: `async for row in admin.audit()`.

        `user`: who did it, as whom, or to whom. `start` and `end` in ms, the latter not within.
        """
        asked = {"user": user, "from": start, "to": end}
        return self._all("/v1/audit", "rows", as_audit_row, **asked)

    async def _all(self, path: str, name: str, make: Callable[[Any], T], **query: int | str | None) -> AsyncIterator[T]:
        """What the pages of a listing have under this name, page by page."""
        cursor: str | None = None
        while True:
            page = await self._call("GET", path, {**query, "limit": _MOST, "cursor": cursor})
            for one in listed(name, make, page):
                yield one
            cursor = page.get("next_cursor")
            if cursor is None:
                return


@dataclass(frozen=True, slots=True)
class Broadcast:
    """`state` is running, paused, cancelled or done; `posted`, `stored` and `failed` say whom it has reached."""

    id: str
    title: str
    state: str
    posted: int = 0
    stored: int = 0
    failed: int = 0
    progress: float = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(slots=True)
class _Caller(Dialer):
    """Calls over HTTP alone. `acting_as`: whose they are."""

    acting_as: str | None = None

    async def user(self) -> str:
        return self.acting_as or await Dialer.user(self)


def _anyone(_: str) -> None:
    """A server's token may be anybody's."""


@understood
def as_broadcast(body: Frame) -> Broadcast:
    posted, stored, failed = (int(body.get(name) or 0) for name in ("posted", "stored", "failed"))
    progress = float(body.get("progress") or 0)
    return Broadcast(str(body["id"]), str(body["title"]), str(body["state"]), posted, stored, failed, progress, body)


@understood
def as_ban(body: Frame) -> Ban:
    user_id, reason, by = str(body["user_id"]), str(body.get("reason") or ""), str(body.get("by") or "")
    return Ban(user_id, body.get("until"), reason, int(body.get("at") or 0), by, body.get("closed"), body)


@understood
def as_connection(body: Frame) -> Connection:
    times = int(body.get("connected_at") or 0), int(body.get("last_heard_at") or 0)
    return Connection(str(body["connection_id"]), str(body.get("device_id") or ""), *times, body)


@understood
def as_audit_row(body: Frame) -> AuditRow:
    arguments = {str(name): str(value) for name, value in body["arguments"].items()}
    by, acting_as = str(body["by"]), body.get("acting_as")
    method, route = str(body["method"]), str(body["route"])
    return AuditRow(int(body["at"]), by, acting_as, method, route, arguments, str(body.get("request_id") or ""), body)


@understood
def _closed(body: Frame) -> int:
    return int(body["closed"])


@understood
def _ack(body: Frame) -> Ack:
    ack = as_ack(body)
    if ack is None:
        raise ValueError("no ack")
    return ack
