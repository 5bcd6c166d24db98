"""What a function does about the outcome of a broadcast, and about what could not be told."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.errors import ParleyError
from shared.observability import count, describe, make_logger
from shared.ports.services import PresenceChecks

if TYPE_CHECKING:  # `$connect` delivers nothing, and does not pay for loading it
    from shared.operations.delivery import Delivered


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


def try_to_tell(function: str, tell: Callable[[], object]) -> None:
    """Tell others of a change that is stored. Where they can't be told it stands all the same: who asks sees it."""
    try:
        tell()
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not make a failure of what has succeeded
        make_logger(function, "").warning("presence not announced", extra=describe(error))
        count("PresenceNotAnnounced", function=function)
