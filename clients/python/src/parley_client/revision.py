"""Whether what has to survive this process has changed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Revision:
    """Counts the changes of a part of `Core.state()`: each has to be kept before anything that follows is told."""

    number: int = 0

    def changed(self) -> None:
        self.number += 1
