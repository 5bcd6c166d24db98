"""Everything that the HTTP API reaches the world through, and who calls it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from shared.auth.tokens import TokenVerifier, bearer_token
from shared.domain.connections import Identity
from shared.errors import Unauthenticated
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

    def caller(self, app: APIGatewayHttpResolver) -> Identity:
        """Whose token this is. Raises Unauthenticated, TokenExpired, and Unavailable where that can't be told now."""
        token = bearer_token(app.current_event.headers)
        if token is None:
            raise Unauthenticated
        identity = self.verifier.verify(token)
        app.context["user_id"] = identity.user_id  # for the request log
        return identity

    def writer(self, app: APIGatewayHttpResolver) -> str:
        """The caller of what counts as a message: it writes what others get to see. Raises RateLimited, too."""
        user_id = self.caller(app).user_id
        self.limiter.take(user_id)
        return user_id
