"""Users as the team's directory has them, and channels to read: over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from parley_client.answers import listed, understood
from parley_client.calls import Calls, conversation_path, path_of, present
from parley_client.errors import ParleyError
from parley_client.events import Frame
from parley_client.resources import Group, as_group

# What one request takes.
MOST_USERS: Final = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class User:
    """A record. `version` grows with each change; 0 where the team says nothing of the user, who says it themselves.

    `role` is the team's own word. Who is `deactivated` is found by no search, and shown as such.
    """

    user_id: str
    name: str | None = None
    avatar: str | None = None
    role: str | None = None
    data: Frame = field(default_factory=dict, hash=False)
    deactivated: bool = False
    version: int = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class UserPage:
    """Users, by name. `next_cursor` gives the next page; None at the end. A page may be short and not the last."""

    users: tuple[User, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What a user has told the moderators: of a user, or of a message of theirs (`conversation_id`, `seq`).

    Moderators see more: `reporter`, `status` (open, decided), the `decision`, and in `raw` the message as it stood.
    """

    id: str
    user_id: str
    reason: str
    comment: str = ""
    created_at: int = 0
    conversation_id: str | None = None
    seq: int | None = None
    reporter: str | None = None
    status: str = "open"
    decision: Frame | None = field(default=None, hash=False)
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Banned:
    """The own user is kept out: until `until` (ms), or for good (None)."""

    until: int | None
    reason: str


class DirectoryOperations(Calls):
    """See `Calls` for what they raise, and when."""

    async def user(self, user_id: str) -> User | None:
        """A user's record; None where nothing is known of them, or the own user may not see them."""
        found = await self._find(path_of("users", user_id))
        return None if found is None else as_user(found)

    async def users(self, ids: Iterable[str]) -> tuple[User, ...]:
        """Those of them of whom something is known, in their order. Any number: a hundred are asked for at a time."""
        found: list[User] = []
        for part in in_parts(list(ids), MOST_USERS):
            found += listed("users", as_user, await self._call("GET", "/v1/users", {"ids": ",".join(part)}))
        return tuple(found)

    async def find_users(self, prefix: str, *, limit: int | None = None, cursor: str | None = None) -> UserPage:
        """Users a word of whose name begins so: 30 of them, or `limit` (1 to 100)."""
        found = await self._call("GET", "/v1/users", {"prefix": prefix, "limit": limit, "cursor": cursor})
        return UserPage(listed("users", as_user, found), found.get("next_cursor"))

    async def create_channel(
        self, name: str, *, is_open: bool = False, client_conversation_id: str | None = None
    ) -> Group:
        """A new channel, with the own user as its owner: few write, many read. With an id of your own safe to repeat.

        `is_open`: whoever knows its id may join; else its owners and admins add who reads.
        """
        way = "open" if is_open else "closed"
        body = present(type="channel", name=name, join=way, client_conversation_id=client_conversation_id)
        return as_group(await self._call("POST", "/v1/conversations", body=body))

    async def join_channel(self, conversation_id: str) -> Group:
        """Read an open channel from now on. Safe to repeat; `not_a_member` where there is none, or it is closed."""
        path = conversation_path(conversation_id, "members", await self._dialer.user())
        return as_group(await self._call("PUT", path))

    async def report_message(self, conversation_id: str, seq: int, reason: str, comment: str = "") -> Report:
        """Tell the team's moderators of a message. Its author is told nothing. Again, it is the first report."""
        return await self._report({"conversation_id": conversation_id, "seq": seq}, reason, comment)

    async def report_user(self, user_id: str, reason: str, comment: str = "") -> Report:
        """Tell the team's moderators of a user, who is told nothing. Once at a time."""
        return await self._report({"user_id": user_id}, reason, comment)

    async def ban(self) -> Banned | None:
        """Whether the own user is kept out: a connection that ends with `banned` does not say until when."""
        try:
            await self._call("GET", "/v1/me")
        except ParleyError as error:
            if error.code != "banned":
                raise
            return Banned(error.until, error.message)
        return None

    async def _report(self, of: Mapping[str, Any], reason: str, comment: str) -> Report:
        body = {**of, **present(reason=reason, comment=comment or None)}
        return as_report(await self._call("POST", "/v1/reports", body=body))


@understood
def as_report(body: Frame) -> Report:
    decision = body.get("decision")
    return Report(
        id=str(body["id"]),
        user_id=str(body["user_id"]),
        reason=str(body.get("reason") or ""),
        comment=str(body.get("comment") or ""),
        created_at=int(body.get("created_at") or 0),
        conversation_id=body.get("conversation_id"),
        seq=body.get("seq"),
        reporter=body.get("reporter"),
        status=str(body.get("status") or "open"),
        decision=dict(decision) if decision else None,
        raw=body,
    )


@understood
def as_user(body: Frame) -> User:
    return User(
        user_id=str(body["user_id"]),
        name=body.get("name"),
        avatar=body.get("avatar"),
        role=body.get("role"),
        data=body.get("data") or {},
        deactivated=body.get("deactivated") is True,
        version=int(body.get("version") or 0),
        raw=body,
    )


def in_parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """All of them, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
