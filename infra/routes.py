"""The WebSocket API's routes: the values that a frame's `type` may have, and the three of the gateway's own."""

from __future__ import annotations

from typing import Final

FRAME_ROUTES: Final = (
    *("message", "edit", "delete", "react", "read", "delivered", "typing"),
    *("presence", "sync", "ping", "auth", "$default"),
)
ROUTES: Final = ("$connect", "$disconnect", *FRAME_ROUTES)
