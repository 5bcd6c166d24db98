"""One-time tickets: how a browser, which can't set a header on the handshake, gets in without a JWT in a URL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from shared.clock import SECOND_MS
from shared.domain.connections import GUEST, Identity, StoredTicket
from shared.errors import Unauthenticated
from shared.ports.connections import Tickets

TICKET_LIFETIME_S: Final = 30


@dataclass(frozen=True, slots=True)
class Ticket:
    """`ticket` is shown once, here; only its hash is kept. `expires_in` is seconds."""

    ticket: str
    expires_in: int


def issue_ticket(identity: Identity, *, tickets: Tickets, now: int, new_secret: Callable[[], str]) -> Ticket:
    """A ticket for one handshake within 30 s. The connection lives no longer than the token it was issued for."""
    secret = new_secret()
    expires_at = min(now + TICKET_LIFETIME_S * SECOND_MS, identity.expires_at)
    whose = identity.user_id, identity.expires_at, expires_at, identity.issued_at, identity.is_guest
    tickets.put(StoredTicket(_hash(secret), *whose))
    return Ticket(secret, expires_in=(expires_at - now) // SECOND_MS)


def redeem_ticket(secret: str, *, tickets: Tickets, now: int) -> Identity:
    """Who the ticket was issued to. It is used up by this call. Raises Unauthenticated."""
    ticket = tickets.take(_hash(secret))
    if ticket is None or ticket.expires_at <= now:
        raise Unauthenticated("The ticket is unknown, used or expired")
    scopes = frozenset({GUEST} if ticket.is_guest else ())
    return Identity(ticket.user_id, ticket.token_expires_at, scopes, ticket.token_issued_at)


def _hash(secret: str) -> str:
    # Half a surrogate pair has no UTF-8; a made-up ticket is refused as unknown, not by a fault of ours.
    return sha256(secret.encode(errors="surrogatepass")).hexdigest()
