"""What requests that go on side by side are to those who make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from shared.adapters.aws.transport import Response, TransportError


class Asked(Protocol):
    """Something that is asked of a service, and learns what comes of it."""

    def after(self, response: Response) -> int | None:
        """Take an answer. How many pauses were before another attempt; None where there is none."""

    def without(self, lost: TransportError) -> int | None:
        """There is no answer. As above."""

    def late(self) -> None:
        """There is no time for an attempt."""


class Called(Asked, Protocol):
    """A call of a JSON service."""

    operation: str
    request: Mapping[str, Any]


class Rerun(Protocol):
    """Answers calls in a service's place: a function runs anew that has had its first answers."""

    @property
    def knows_more(self) -> bool:
        """Whether the function has been further than this."""

    def answered(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """What the function's next call is answered. Raises what is raised in place of it."""
