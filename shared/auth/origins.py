"""Which web pages may connect. Only browsers send an Origin, and only they need the check."""

from __future__ import annotations

from collections.abc import Mapping

from shared.errors import Forbidden


def check_origin(headers: Mapping[str, str], allowed_origins: str) -> None:
    """`allowed_origins` is a comma-separated list of exact origins; a port may be `*`. Raises Forbidden.

    A request without an Origin header does not come from a page, and passes.
    """
    origins = [value for name, value in headers.items() if name.lower() == "origin"]
    allowed = [entry.strip().lower() for entry in allowed_origins.split(",") if entry.strip()]
    for origin in origins:
        # Browsers send ASCII only; lower() would turn some other characters, the Kelvin sign for one, into ASCII.
        if not origin.isascii() or not any(_matches(origin.lower(), entry) for entry in allowed):
            raise Forbidden("This origin may not connect")


def _matches(origin: str, allowed: str) -> bool:
    if not allowed.endswith(":*"):
        return origin == allowed
    host, _, port = origin.rpartition(":")
    return origin == allowed[:-2] or (host == allowed[:-2] and port.isdecimal())
