"""The WebSocket API's routes: the values that a frame's `type` may have, and the three of the gateway's own."""

from __future__ import annotations

from typing import Final

FRAME_ROUTES: Final = (
    *("message", "edit", "delete", "react", "read", "delivered", "receipts", "typing"),
    *("presence", "sync", "ping", "auth", "$default"),
)
# They have no route response: whether the gateway sends, and charges for, one that is empty is said nowhere, and it has
# been seen to. What there is to say is posted.
UNANSWERED_ROUTES: Final = frozenset({"read", "delivered", "receipts"})
ROUTES: Final = ("$connect", "$disconnect", *FRAME_ROUTES)
