"""What offline push needs from the world."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.chat.fan_out import Shard
from shared.notification.models import Push


class PushGateway(Protocol):
    """Hands a push to whoever can wake the user's devices."""

    def push(self, push: Push) -> None:
        """Hand over one push. Idempotent per message and user, as far as the provider allows.

        Raises Unavailable where it should be tried again.
        """
        ...


class ShardQueue(Protocol):
    """Where the shards of a large group wait to be delivered, side by side and apart from everything else."""

    def put(self, shards: Sequence[Shard]) -> None:
        """Have each delivered at least once. Raises Unavailable where it should be tried again."""
        ...
