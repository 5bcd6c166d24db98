"""What connections need from storage and from the gateway."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from shared.domain import connections as live
from shared.domain.bans import Ban, Bars


class Transitions(Protocol):
    """How users come and go, for the team's backend: what those who watch were told last, as their sessions say."""

    def note(self, user_id: str, *, now: int) -> None:
        """Make how it stands the last word; nothing where it is that already. Of several at once the last is right.

        Raises where it could not be noted and nobody else will try again.
        """


class Sessions(Protocol):
    """All live connections of a user, in one item that is read and changed at once."""

    def register(
        self, connection: live.Connection, *, limit: int, drop: Collection[str] = ()
    ) -> live.Registered | live.LimitReached | live.Barred:
        """Store the connection, new or again, and remove those in `drop`: one conditional write. Barred: see `bars`.

        The limit holds however many open at once. LimitReached also where one of `drop` is gone already, and where
        this connection is stored with a token that ends later: look again.
        """

    def touch(self, connection: live.Connection, *, fresh_token: bool = False) -> live.Connection | live.Barred | None:
        """Store when a connection expires; with a `fresh_token` also until when it is authenticated, if that is later.

        One conditional write. Returns it as it was stored before; None, and nothing changes, where it is not there.
        With a `fresh_token` Barred, and nothing changes, where `bars` say so of this user or token.
        """

    def bars(self, user_id: str) -> Bars:
        """What keeps the user out, strongly consistent. From the write on no connection is registered against it."""

    def ban(self, user_id: str, ban: Ban) -> None:
        """Keep the user out: one write, also of somebody unknown. The last one counts."""

    def unban(self, user_id: str) -> None:
        """Idempotent."""

    def revoke(self, user_id: str, issued_before: int) -> int:
        """Refuse tokens issued before then (ms): one conditional write. Returns the latest such moment, which holds."""

    def remove(self, user_id: str, connection_id: str, *, now: int) -> live.Removed:
        """Remove one connection by its own id, and only that. Idempotent; who repeats it in one go learns of that."""

    def of(self, user_ids: Collection[str], *, consistent: bool = True) -> live.SessionsByUser:
        """The users' connections, stale ones included; users without any may be left out.

        Unless `consistent`, at half the price: who has just come or gone may not be told.
        """

    def whole(self, user_ids: Collection[str]) -> Mapping[str, live.Session]:
        """All that is known of these users, strongly consistent; who was never connected may be left out."""

    def show_offline(self, user_id: str, session: live.Session) -> bool:
        """Note that watchers are told, if nothing changed since `session` was read. Of several at once one succeeds."""

    def hide(self, user_id: str, session: live.Session, *, hidden: bool, shown: live.Status) -> bool:
        """Note whether the user hides their presence, and what watchers are told with that: one conditional write.

        False, and nothing changes, where since `session` was read a connection came or went, the user has hidden or
        shown themselves, or watchers were told something.
        """

    def list_in(self, user_id: str, conversation_id: str, *, now: int) -> Sequence[live.Connection] | None:
        """From now on every connection that is registered becomes an attendee of this large group.

        The same for a channel. Returns the connections that are there already: one conditional write. None, and nothing
        changes, where the user has MAX_LARGE_GROUPS others, or MAX_CHANNELS.
        """

    def unlist(self, user_id: str, conversation_id: str, *, since: int) -> None:
        """Take that back, if it was said at `since` the last time: one conditional write. Idempotent."""


class Attendance(Protocol):
    """Which connections are attendees of a large group: a row each, which goes by itself when the connection ends."""

    def enter(self, connection: live.Connection, conversation_ids: Collection[str]) -> None:
        """The connection is one of these groups' attendees until its end: 25 rows to a call."""

    def leave(self, connection_id: str, conversation_id: str) -> None:
        """It is none any more. Idempotent."""

    def lacking(self, connection: live.Connection, conversation_ids: Collection[str]) -> Mapping[str, bool]:
        """Those groups whose row of the connection is not there, or ends before it does; and whether it is there.

        Strongly consistent, 100 to a round trip.
        """

    def of(self, conversation_id: str) -> Sequence[live.Connection]:
        """The group's attendees, ended ones included: one strongly consistent query. Without devices."""

    def in_part(self, conversation_id: str, part: int, *, after: str = "", limit: int) -> Sequence[live.Connection]:
        """Attendees of one part of a channel behind the connection `after`, as `of` has a group's."""

    def count(self, conversation_id: str, part: int) -> int:
        """How many rows there are in one part of a channel, strongly consistent."""

    def mark_listed(self, conversation_id: str, user_id: str) -> None:
        """Note at the member's seat that all their connections are attendees. Nothing for who is no member."""


class Watches(Protocol):
    """Who wants to hear of whose presence, by connection."""

    def replace(self, watcher: str, connection_id: str, users: Collection[str], *, expires_at: int) -> None:
        """From now on this connection watches these users and no others. It forgets by itself after `expires_at`.

        Of several at once one is the last, and then holds whole. Raises Unavailable where there are too many.
        """

    def prolong(self, watcher: str, connection_id: str, *, expires_at: int) -> None:
        """What this connection watches, it watches until then."""

    def of(self, user_id: str) -> Sequence[live.Watch]:
        """Every connection that watches the user, ended ones included."""

    def by(self, user_id: str) -> Sequence[live.Watch]:
        """Whom the user's connections watch, each by each, ended ones included: one strongly consistent query."""

    def remove(self, watch: live.Watch) -> None:
        """Forget one watch. Idempotent."""


class Tickets(Protocol):
    """One-time entry tickets for clients that can't set a header."""

    def put(self, ticket: live.StoredTicket) -> None:
        """Keep a ticket until it expires."""

    def take(self, ticket_hash: str) -> live.StoredTicket | None:
        """Remove a ticket and return it: of several that take the same one at once, one gets it."""
