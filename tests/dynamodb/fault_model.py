"""What DynamoDB leaves open, and a store therefore decides by a fault model."""

from __future__ import annotations

from typing import Protocol


class FaultModel(Protocol):
    """What a store may do to its callers. Asked only where it would make a difference."""

    def stale(self) -> bool:
        """Whether an eventually consistent read answers from before the item's last write."""

    def page(self) -> int | None:
        """After how many items (at least one) a query's page ends although more follow; None: at 1 MB."""

    def unprocessed(self, keys: int) -> int:
        """How many of a batch's keys or requests come back unprocessed: 0 to all."""


class NoFaults:
    """Nothing of it."""

    def stale(self) -> bool:
        return False

    def page(self) -> int | None:
        return None

    def unprocessed(self, keys: int) -> int:
        return 0
