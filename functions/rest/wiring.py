"""Everything that the HTTP API reaches the world through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from shared.auth.tokens import TokenVerifier
from shared.limits.invites import InviteLimiter
from shared.limits.limiters import RateLimiter
from shared.operations.context import Context
from shared.ports.services import RestServices
from shared.ports.stores import Stores


class Parts(TypedDict):
    """What operations take."""

    stores: Stores
    services: RestServices
    context: Context


@dataclass(frozen=True, slots=True)
class Wiring:
    """`begin` starts the time that a request may take."""

    stores: Stores
    services: RestServices
    context: Context
    verifier: TokenVerifier
    limiter: RateLimiter
    invites: InviteLimiter
    begin: Callable[[], None]
    endpoint_url: str = ""
    """The emulator's address on a laptop, empty on AWS."""

    @property
    def parts(self) -> Parts:
        return {"stores": self.stores, "services": self.services, "context": self.context}
