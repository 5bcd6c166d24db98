"""What a function does about the outcome of a broadcast."""

from __future__ import annotations

from collections.abc import Callable

from shared.chat.delivery import Delivered
from shared.connection.ports import PresenceChecks
from shared.errors import ParleyError
from shared.observability import count


def reporter(function: str, checks: PresenceChecks) -> Callable[[Delivered], None]:
    """Counts posts that failed, and has a second look taken at users whose last connection turned out to be dead."""

    def report(delivered: Delivered) -> None:
        if delivered.failed:
            count("PostsFailed", function=function, value=delivered.failed)
        for gone in delivered.gone:
            try:
                checks.schedule(gone)
            except ParleyError:  # nobody is told, and whoever asks sees the truth
                count("PresenceChecksFailed", function=function)

    return report
