"""Stand-ins for DynamoDB's calls have this in common: nobody waits between two attempts."""

from __future__ import annotations


class Unhurried:
    """The half of `Calls` that takes time."""

    def pause(self, attempt: int) -> None:
        """What is there now would be there after a while, too."""
