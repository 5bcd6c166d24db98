"""Keeping users out: bans, and tokens that are revoked.

The mark comes first, in the item that every handshake writes on condition of it; then all that is open is closed. So a
handshake that does not see the mark has written before it, and is among what is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from shared.domain.bans import FOREVER, Ban, Bars
from shared.domain.changes import Happened
from shared.domain.connections import BANNED, CONNECTING_MS, REVOKED, Closing, Connection, Identity
from shared.domain.devices import Device
from shared.errors import BadRequest
from shared.operations.about import happened, tell_about
from shared.operations.context import Context
from shared.operations.sessions import close_these, refuse
from shared.ports.services import RestServices
from shared.ports.stores import SessionStores, Stores

MAX_REASON_CHARACTERS: Final = 500
# What had been handed to a function before its connection was closed is mostly through by then.
SETTLE_MS: Final = 1_000
# By this the clock of who revokes may be ahead of ours.
CLOCKS_MS: Final = 60_000


def check_bars(identity: Identity, *, stores: SessionStores, now: int) -> None:
    """One strongly consistent read. Raises Banned, and Revoked for a token that was issued too early."""
    barred = stores.sessions.bars(identity.user_id).against(now, identity.issued_at)
    if barred is not None:
        refuse(barred)


def ban_user(user_id: str, ban: Ban, *, stores: Stores, services: RestServices, context: Context) -> int:
    """Keep a user out from now on, whether or not they were heard of: the last ban counts.

    Returns how many connections were closed. Their devices are forgotten, so nothing is pushed to them. Raises
    BadRequest for an end that is not in the future. Repeating it completes what died half-way.
    """
    if ban.until <= ban.at:
        raise BadRequest("`until` is in the future, or null for a ban without an end")
    stores.sessions.ban(user_id, ban)
    tell_about(user_id, lambda: _barred(user_id, stores=stores, now=ban.at), log=stores.log, context=context)
    closed = _close(user_id, lambda _: True, BANNED, stores=stores, services=services, context=context)
    _forget_devices(user_id, lambda _: True, stores=stores)
    return closed


def unban_user(user_id: str, *, stores: Stores, context: Context) -> None:
    """Let a user in again. Idempotent."""
    stores.sessions.unban(user_id)
    now = context.now()
    tell_about(user_id, lambda: _barred(user_id, stores=stores, now=now), log=stores.log, context=context)


def _barred(user_id: str, *, stores: Stores, now: int) -> Happened:
    """Whether the user is banned, as it stands."""
    ban = stores.sessions.bars(user_id).ban_at(now)
    if ban is None:
        return happened("user_unbanned", "ban", user_id=user_id)
    until = None if ban.until == FOREVER else ban.until
    return happened("user_banned", "ban", user_id=user_id, until=until, reason=ban.reason, by=ban.by)


def revoke_tokens(
    user_id: str, issued_before: int, *, stores: Stores, services: RestServices, context: Context
) -> tuple[int, int]:
    """Refuse all tokens of a user that were issued before then (ms), and close what was opened with one of them.

    The latest such moment counts. Returns it, and how many connections were closed. Devices that registered before it
    are forgotten. Raises BadRequest for a moment in the future, whose tokens nobody could tell from good ones.
    """
    if issued_before > context.now() + CLOCKS_MS:
        raise BadRequest("`issued_before` is not in the future")
    holds = stores.sessions.revoke(user_id, issued_before)
    bars = Bars(issued_before=holds)
    revoked = happened("tokens_revoked", "tokens", user_id=user_id, issued_before=holds)
    tell_about(user_id, lambda: revoked, log=stores.log, context=context)

    def is_revoked(connection: Connection) -> bool:
        return bars.revokes(connection.issued_at)

    closed = _close(user_id, is_revoked, REVOKED, stores=stores, services=services, context=context)
    _forget_devices(user_id, lambda device: device.registered_at < holds, stores=stores)
    return holds, closed


def _close(
    user_id: str,
    barred: Callable[[Connection], bool],
    closing: Closing,
    *,
    stores: Stores,
    services: RestServices,
    context: Context,
) -> int:
    """Close the connections that are barred; those whose handshake is still under way once more when it is over.

    The gateway does not know a connection while its `$connect` runs, so it can't close it then.
    """
    found = [one for one in stores.sessions.of([user_id]).get(user_id, ()) if barred(one)]
    closed = close_these(found, closing, stores=stores, services=services, now=context.now())
    young = [one for one in found if one.may_be_connecting(context.now())]
    context.wait_ms(SETTLE_MS)
    if young:
        context.wait_ms(max(0, max(one.connected_at for one in young) + CONNECTING_MS - context.now()))
        for one in young:
            services.gateway.close(one.connection_id)
    return closed


def _forget_devices(user_id: str, barred: Callable[[Device], bool], *, stores: Stores) -> None:
    for device in stores.devices.of([user_id]).get(user_id, ()):
        if barred(device):
            stores.devices.forget(user_id, device.device_id)
