"""Which web pages may connect with a ticket, and read answers.

Native apps send origins, too. They prove who they are by a token in a header, which no page can have a browser send.
"""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import Forbidden


def check_origin(headers: Mapping[str, str], allowed_origins: str) -> None:
    """Raises Forbidden for an Origin that is not on the list. A request without one does not come from a page."""
    origins = [value for name, value in headers.items() if name.lower() == "origin"]
    if not all(is_allowed(origin, allowed_origins) for origin in origins):
        raise Forbidden("This origin may not connect")


def is_allowed(origin: str, allowed_origins: str) -> bool:
    """`allowed_origins` is a comma-separated list of exact origins of any scheme, or `null`; a port may be `*`."""
    # Browsers send ASCII only; lower() would turn some other characters, the Kelvin sign for one, into ASCII.
    allowed = [entry.strip().lower() for entry in allowed_origins.split(",") if entry.strip()]
    return origin.isascii() and any(_matches(origin.lower(), entry) for entry in allowed)


def _matches(origin: str, allowed: str) -> bool:
    if not allowed.endswith(":*"):
        return origin == allowed
    host, _, port = origin.rpartition(":")
    return origin == allowed[:-2] or (host == allowed[:-2] and port.isdecimal())
