"""Sessions in DynamoDB: one item per user, all its connections in one map, every change one conditional update."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from shared.adapters.dynamodb.client import TTL, USER_ID, Calls, Item, Refused, Table, conditionally, from_item
from shared.clock import SECOND_MS
from shared.domain import connections as live
from shared.domain.bans import Ban, Bars
from shared.domain.text import is_channel_id

CONNECTIONS: Final = "connections"
LAST_SEEN: Final = "last_seen"
SHOWN: Final = "shown"
HIDDEN: Final = "hidden"
LARGE_GROUPS: Final = "large_groups"
CHANNELS: Final = "channels"
TICKET: Final = "ticket"
BANNED_UNTIL: Final = "banned_until"
BAN: Final = "ban"
ISSUED_BEFORE: Final = "issued_before"
_NOT_REVOKED: Final = f"(attribute_not_exists({ISSUED_BEFORE}) OR {ISSUED_BEFORE} <= :issued)"
# A connection that was opened before a ban's end is not registered again after it.
_ALLOWED: Final = f"(attribute_not_exists({BANNED_UNTIL}) OR {BANNED_UNTIL} <= :opened) AND {_NOT_REVOKED}"
_NO_MAP: Final = f"attribute_not_exists({CONNECTIONS})"


def _no_longer(name: str) -> str:
    """That the connection is not authenticated beyond `:until`: of two tokens at once the later end counts."""
    path = f"{CONNECTIONS}.{name}.authenticated_until"
    return f"(attribute_not_exists({path}) OR {path} <= :until)"


class DynamoDbSessions:
    """Sessions on the sessions table."""

    def __init__(self, calls: Calls, *, sessions_table: str) -> None:
        self._table = Table(calls, sessions_table)

    def register(
        self, connection: live.Connection, *, limit: int, drop: Collection[str] = ()
    ) -> live.Registered | live.LimitReached | live.Barred:
        answer = self._register(connection, limit=limit, drop=list(drop))
        if answer is None:  # the user's very first connection: there is no map yet to put it into
            answer = self._start(connection)
        if isinstance(answer, Refused):
            barred = bars_from(answer.item or {}).against(connection.connected_at, connection.issued_at)
            if barred is not None:
                return barred
            return live.LimitReached(list(connections_from(answer.item, connection.user_id).values()))
        before = session_from(from_item(answer.get("Attributes", {})), connection.user_id)
        kept = [one for one in before.connections if one.connection_id not in {connection.connection_id, *drop}]
        # Where it was there, this may be the repetition of the write that stored it, and no one was told anything yet.
        is_new = all(one.connection_id != connection.connection_id for one in before.connections)
        groups = frozenset({*before.large_groups, *before.channels})
        return live.Registered(kept, before.shown if is_new else None, before.last_seen, before.hidden, groups)

    def _register(self, connection: live.Connection, *, limit: int, drop: list[str]) -> dict[str, Any] | Refused | None:
        """None where the user has no map of connections yet: an update inside it can't make one."""
        names = {"new": connection.connection_id, **{f"d{i}": key for i, key in enumerate(drop)}}
        dropped = [f"{CONNECTIONS}.#d{i}" for i in range(len(drop))]
        is_new, is_there = f"attribute_not_exists({CONNECTIONS}.#new)", f"attribute_exists({CONNECTIONS}.#new)"
        room = f"({is_new} AND size({CONNECTIONS}) < :limit OR {is_there} AND {_no_longer('#new')})"
        # Those to drop must still be there, or two that evict the same connection would both find room.
        conditions = [room, *(f"attribute_exists({path})" for path in dropped)]
        values = {
            ":new": connection_value(connection),
            ":limit": limit + len(drop),
            ":online": live.ONLINE,
            ":until": connection.authenticated_until,
            **_allowing(connection),
        }
        answer = self._table.update(
            {USER_ID: connection.user_id},
            f"SET {CONNECTIONS}.#new = :new, {SHOWN} = :online" + (f" REMOVE {', '.join(dropped)}" if dropped else ""),
            values,
            condition=f"attribute_exists({CONNECTIONS}) AND {_ALLOWED} AND " + " AND ".join(conditions),
            names=names,
            returns="ALL_OLD",
        )
        has_map = not isinstance(answer, Refused) or (answer.item is not None and CONNECTIONS in answer.item)
        return answer if has_map else None

    def _start(self, connection: live.Connection) -> dict[str, Any] | Refused:
        """Refused if another connection was the first after all."""
        change = f"SET {CONNECTIONS} = :map, {SHOWN} = :online"
        values = {":map": {connection.connection_id: connection_value(connection)}, ":online": live.ONLINE}
        key, condition = {USER_ID: connection.user_id}, f"{_NO_MAP} AND {_ALLOWED}"
        return self._table.update(key, change, values | _allowing(connection), condition=condition, returns="ALL_OLD")

    def touch(self, connection: live.Connection, *, fresh_token: bool = False) -> live.Connection | live.Barred | None:
        until, condition = "", f"attribute_exists({CONNECTIONS}.#id)"
        values = {":expires": _given_up_at(connection)}
        if fresh_token:
            until = f", {CONNECTIONS}.#id.authenticated_until = :until"
            condition += f" AND {_no_longer('#id')} AND {_ALLOWED}"
            values |= {":until": connection.authenticated_until, **_allowing(connection)}
            until += f", {CONNECTIONS}.#id.issued_at = :issued"
        answer = self._table.update(
            {USER_ID: connection.user_id},
            f"SET {CONNECTIONS}.#id.expires_at = :expires{until}",
            values,
            condition=condition,
            names={"id": connection.connection_id},
            returns="ALL_OLD",
        )
        if fresh_token and isinstance(answer, Refused):
            barred = bars_from(answer.item or {}).against(connection.connected_at, connection.issued_at)
            if barred is not None:
                return barred
        item = answer.item if isinstance(answer, Refused) else from_item(answer.get("Attributes", {}))
        return connections_from(item, connection.user_id).get(connection.connection_id)

    def bars(self, user_id: str) -> Bars:
        return bars_from(next(iter(self._table.find([{USER_ID: user_id}])), {}))

    def ban(self, user_id: str, ban: Ban) -> None:
        change = f"SET {BANNED_UNTIL} = :until, {BAN} = :ban"
        values = {":until": ban.until, ":ban": {"reason": ban.reason, "at": ban.at, "by": ban.by}}
        self._table.update({USER_ID: user_id}, change, values)

    def unban(self, user_id: str) -> None:
        self._table.update({USER_ID: user_id}, f"REMOVE {BANNED_UNTIL}, {BAN}", {})

    def revoke(self, user_id: str, issued_before: int) -> int:
        answer = self._table.update(
            {USER_ID: user_id},
            f"SET {ISSUED_BEFORE} = :moment",
            {":moment": issued_before},
            condition=f"attribute_not_exists({ISSUED_BEFORE}) OR {ISSUED_BEFORE} < :moment",
        )
        known = (answer.item or {}) if isinstance(answer, Refused) else {}
        held: int = known.get(ISSUED_BEFORE, 0)
        return max(issued_before, held)

    def remove(self, user_id: str, connection_id: str, *, now: int) -> live.Removed:
        answer = self._table.update(
            {USER_ID: user_id},
            f"REMOVE {CONNECTIONS}.#gone SET {LAST_SEEN} = :now",
            {":now": now},
            condition=f"attribute_exists({CONNECTIONS}.#gone)",
            names={"gone": connection_id},
            returns="ALL_OLD",
        )
        refused = isinstance(answer, Refused)
        item = answer.item if isinstance(answer, Refused) else from_item(answer.get("Attributes", {}))
        before = connections_from(item, user_id)
        just_now = refused and (item or {}).get(LAST_SEEN) == now
        shown = (item or {}).get(SHOWN)
        return live.Removed(before.pop(connection_id, None), list(before.values()), just_now=just_now, shown=shown)

    def of(self, user_ids: Collection[str], *, consistent: bool = True) -> live.SessionsByUser:
        items = self._table.find(({USER_ID: user_id} for user_id in sorted(set(user_ids))), consistent=consistent)
        return {item[USER_ID]: list(connections_from(item, item[USER_ID]).values()) for item in items}

    def whole(self, user_ids: Collection[str]) -> Mapping[str, live.Session]:
        items = self._table.find({USER_ID: user_id} for user_id in sorted(set(user_ids)))
        return {item[USER_ID]: session_from(item, item[USER_ID]) for item in items}

    def list_in(self, user_id: str, conversation_id: str, *, now: int) -> Sequence[live.Connection] | None:
        key, name = {USER_ID: user_id}, {"one": conversation_id}
        kind, most = _named_in(conversation_id)
        room = f"(attribute_exists({kind}.#one) OR size({kind}) < :most)"
        answer = self._table.update(
            key,
            f"SET {kind}.#one = :now",
            {":now": now, ":most": most},
            condition=f"attribute_exists({kind}) AND {room}",
            names=name,
            returns="ALL_NEW",
        )
        if isinstance(answer, Refused) and kind not in (answer.item or {}):
            # The user's first: there is no map yet to put it into.
            change, is_first = f"SET {kind} = :map", f"attribute_not_exists({kind})"
            values = {":map": {conversation_id: now}}
            answer = self._table.update(key, change, values, condition=is_first, returns="ALL_NEW")
        if isinstance(answer, Refused):
            return None
        return session_from(from_item(answer["Attributes"]), user_id).connections

    def unlist(self, user_id: str, conversation_id: str, *, since: int) -> None:
        kind, _ = _named_in(conversation_id)
        change, unchanged = f"REMOVE {kind}.#one", f"{kind}.#one = :since"
        names = {"one": conversation_id}
        self._table.update({USER_ID: user_id}, change, {":since": since}, condition=unchanged, names=names)

    def show_offline(self, user_id: str, session: live.Session) -> bool:
        """The whole map is compared: a connection that came, went or was heard of since makes it another one."""
        connections = {one.connection_id: connection_value(one) for one in session.connections}
        values = {":offline": live.OFFLINE, ":online": live.ONLINE, ":connections": connections}
        unchanged = f"{SHOWN} = :online AND {CONNECTIONS} = :connections"
        answer = self._table.update({USER_ID: user_id}, f"SET {SHOWN} = :offline", values, condition=unchanged)
        return not isinstance(answer, Refused)

    def hide(self, user_id: str, session: live.Session, *, hidden: bool, shown: live.Status) -> bool:
        """Which connections are there is compared, and not when they expire: pings go on."""
        names = {f"c{number}": one.connection_id for number, one in enumerate(session.connections)}
        values: dict[str, Any] = {":hidden": hidden, ":shown": shown, ":was": session.hidden, ":count": len(names)}
        same_wish = f"#{HIDDEN} = :was"  # a reserved word
        if not session.hidden:
            same_wish = f"(attribute_not_exists(#{HIDDEN}) OR {same_wish})"
        same_shown = f"attribute_not_exists({SHOWN})"
        if session.shown is not None:
            same_shown, values[":told"] = f"{SHOWN} = :told", session.shown
        same_size = f"size({CONNECTIONS}) = :count"
        if not names:
            same_size = f"({_NO_MAP} OR {same_size})"
        same_connections = [same_size, *(f"attribute_exists({CONNECTIONS}.#{name})" for name in names)]
        unchanged = " AND ".join([same_wish, same_shown, *same_connections])
        change = f"SET #{HIDDEN} = :hidden, {SHOWN} = :shown"
        answer = self._table.update({USER_ID: user_id}, change, values, condition=unchanged, names=names)
        return not isinstance(answer, Refused)


class DynamoDbTickets:
    """Tickets on the tickets table."""

    def __init__(self, calls: Calls, *, tickets_table: str) -> None:
        self._calls = calls
        self._table = Table(calls, tickets_table)

    def put(self, ticket: live.StoredTicket) -> None:
        self._table.put(ticket_item(ticket))

    def take(self, ticket_hash: str) -> live.StoredTicket | None:
        """Of several at once the condition holds for one, and only who is shown the old item has taken it."""
        request = self._table.deleted({TICKET: ticket_hash}, condition=f"attribute_exists({TICKET})", values={})
        answer = conditionally(self._calls, "DeleteItem", {**request, "ReturnValues": "ALL_OLD"})
        taken = None if isinstance(answer, Refused) else answer.get("Attributes")
        return ticket_from(from_item(taken)) if taken else None


def _named_in(conversation_id: str) -> tuple[str, int]:
    """Which map of the session names it, and how many that takes."""
    if is_channel_id(conversation_id):
        return CHANNELS, live.MAX_CHANNELS
    return LARGE_GROUPS, live.MAX_LARGE_GROUPS


def _allowing(connection: live.Connection) -> dict[str, Any]:
    """The values of _ALLOWED."""
    return {":opened": connection.connected_at, ":issued": connection.issued_at}


def bars_from(item: Item) -> Bars:
    """What a session item says of who is kept out."""
    until, told = item.get(BANNED_UNTIL), item.get(BAN, {})
    ban = None if until is None else Ban(until, told.get("reason", ""), told.get("at", 0), told.get("by", ""))
    return Bars(ban, item.get(ISSUED_BEFORE, 0))


def connection_value(connection: live.Connection) -> dict[str, Any]:
    issued = {"issued_at": connection.issued_at} if connection.issued_at else {}
    return {
        "device_id": connection.device_id,
        "connected_at": connection.connected_at,
        "expires_at": _given_up_at(connection),
        "authenticated_until": connection.authenticated_until,
        **issued,
    }


def _given_up_at(connection: live.Connection) -> int:
    """What is stored: after a ping the end of its window, also beyond the connection's end, for it tells both."""
    return connection.heard_at + live.HEARTBEAT_WINDOW_MS if connection.heard_at else connection.expires_at


def connections_from(item: Item | None, user_id: str) -> dict[str, live.Connection]:
    """A session item's connections by id; none for an item that isn't there."""
    known = item or {}
    groups = frozenset({*known.get(LARGE_GROUPS, ()), *known.get(CHANNELS, ())})
    stored = known.get(CONNECTIONS, {})
    return {name: _connection(name, user_id, value, groups) for name, value in stored.items()}


def _connection(connection_id: str, user_id: str, value: Mapping[str, Any], groups: frozenset[str]) -> live.Connection:
    connected_at, given_up_at = value["connected_at"], value["expires_at"]
    until = value.get("authenticated_until", given_up_at)
    end = min(connected_at + live.MAX_LIFETIME_MS, until or given_up_at)
    heard_at = given_up_at - live.HEARTBEAT_WINDOW_MS
    if given_up_at == end or heard_at < connected_at:  # no ping yet
        heard_at = 0
    expires_at = min(given_up_at, end) if heard_at else given_up_at
    issued_at = value.get("issued_at", 0)
    return live.Connection(
        connection_id, user_id, value["device_id"], connected_at, expires_at, until, heard_at, groups, issued_at
    )


def session_from(item: Item | None, user_id: str) -> live.Session:
    """All that a session item says; the empty session for one that isn't there."""
    known = item or {}
    return live.Session(
        connections=list(connections_from(known, user_id).values()),
        last_seen=known.get(LAST_SEEN, 0),
        hidden=known.get(HIDDEN, False),
        shown=known.get(SHOWN),
        large_groups=known.get(LARGE_GROUPS, {}),
        channels=known.get(CHANNELS, {}),
    )


def ticket_item(ticket: live.StoredTicket) -> Item:
    return {
        TICKET: ticket.ticket_hash,
        USER_ID: ticket.user_id,
        "token_expires_at": ticket.token_expires_at,
        "token_issued_at": ticket.token_issued_at,
        "is_guest": ticket.is_guest or None,
        "expires_at": ticket.expires_at,
        TTL: ticket.expires_at // SECOND_MS + 1,
    }


def ticket_from(item: Item) -> live.StoredTicket:
    return live.StoredTicket(
        item[TICKET],
        item[USER_ID],
        item["token_expires_at"],
        item["expires_at"],
        item.get("token_issued_at", 0),
        item.get("is_guest", False),
    )
