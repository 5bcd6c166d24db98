"""What offline push needs from the world."""

from __future__ import annotations

from typing import Protocol

from shared.notification.models import Push


class PushGateway(Protocol):
    """Hands a push to whoever can wake the user's devices."""

    def push(self, push: Push) -> None:
        """Hand over one push. Idempotent per message and user, as far as the provider allows.

        Raises Unavailable where it should be tried again.
        """
        ...
