"""A living connection: kept, registered again where it was given up, and carried over to a fresh token."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.connections import FORESIGHT_MS, LAST_PING_MS, Barred, Connection, Identity, SessionsByUser
from shared.errors import Forbidden
from shared.operations.attendance import ensure_attending
from shared.operations.context import Context
from shared.operations.delivery import check_presence
from shared.operations.presence import Now, announce_online
from shared.operations.sessions import ends_soon, open_connection, refuse
from shared.ports.services import PresenceServices, Services
from shared.ports.stores import ChatStores, PresenceStores


def register(
    connection: Connection, *, limit: int, stores: PresenceStores, services: PresenceServices, now: Now
) -> None:
    """Register a connection that was given up, and speaks after all: it brings its user back."""
    opened = open_connection(connection, limit=limit, stores=stores, services=services, now=now())
    if opened.announce:
        announce_online(connection.user_id, stores=stores, services=services, now=now())


def keep_alive(connection: Connection, *, stores: ChatStores, services: Services, context: Context) -> None:
    """Note that the connection is alive: one write. Register it again should it be missing: more, and rarely.

    Of a user who is listed in large groups one read tells that it is an attendee there.
    """
    now, limit = context.now(), context.limits.connection_limit
    stored = stores.sessions.touch(connection.heard_from(now))
    if isinstance(stored, Barred):
        refuse(stored)
    if stored is None:
        register(connection.heard_from(now), limit=limit, stores=stores, services=services, now=context.now)
    elif stored.authenticated_until > connection.authenticated_until:  # by an `auth` that this caller did not know of
        connection = connection.extended(stored.authenticated_until)
        stores.sessions.touch(connection.heard_from(now))
    if stored is not None:
        ensure_attending(connection, stored.large_groups, stores=stores, services=services)
    look_after_end(connection, within_ms=LAST_PING_MS, services=services, now=context.now())


def renew(
    connection: Connection, fresh: Identity, *, stores: ChatStores, services: Services, context: Context
) -> Connection:
    """Have the connection live until a fresh token of the same user ends. Raises Forbidden, Revoked and Banned."""
    if fresh.user_id != connection.user_id:
        raise Forbidden("This token is another user's")
    renewed = replace(connection.extended(fresh.expires_at), issued_at=fresh.issued_at)
    before = stores.sessions.touch(renewed, fresh_token=True)
    if isinstance(before, Barred):
        refuse(before)
    if before is not None:  # another `auth`, beside this one, may have shown a token that ends later
        renewed = renewed.extended(before.authenticated_until)
    if before is None or not before.is_live(context.now()) or before.authenticated_until >= fresh.expires_at:
        # It is back after its end; or this is sent again, and what came before has died without telling that it is.
        limit = context.limits.connection_limit
        register(renewed, limit=limit, stores=stores, services=services, now=context.now)
    if before is not None:
        ensure_attending(renewed, before.large_groups, stores=stores, services=services)
    stores.watches.prolong(renewed.user_id, renewed.connection_id, expires_at=renewed.expires_at)
    look_after_end(renewed, within_ms=FORESIGHT_MS, services=services, now=context.now())
    return renewed


def ensure_registered(
    connection: Connection,
    known: SessionsByUser,
    *,
    stores: PresenceStores,
    services: PresenceServices,
    context: Context,
) -> None:
    """Register a connection that its user's session, read anyway, lacks, or that is about to expire."""
    lost = connection.missing_in(known, context.now())
    if lost is not None:
        register(lost, limit=context.limits.connection_limit, stores=stores, services=services, now=context.now)


def look_after_end(connection: Connection, *, within_ms: int, services: Services, now: int) -> None:
    """Have it checked whether the user is offline once this connection has ended, if that is so near."""
    gone = ends_soon(connection, within_ms=within_ms, now=now)
    if gone is not None:
        check_presence(gone, services=services)
