"""Frames to text and back."""

from __future__ import annotations

import json
from typing import Any

from parley_client.errors import ParleyError
from parley_client.events import Frame
from parley_client.limits import MAX_FRAME_BYTES, MAX_FRAME_ID

# The gateway closes the connection on a larger frame: refusing it here keeps it from being resent for ever.


def encode(frame: Frame) -> str:
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def decode(text: str | bytes) -> dict[str, Any] | None:
    """The object in this text, or None: a client survives what it does not understand."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return frame if isinstance(frame, dict) else None


def check_size(frame: Frame) -> None:
    """Raises ParleyError where a frame could not be sent at all."""
    try:
        size = len(encode(frame).encode())
    except UnicodeEncodeError as exc:
        raise ParleyError("bad_request", "The text holds half a surrogate pair") from exc
    if size + MAX_FRAME_ID > MAX_FRAME_BYTES:
        raise ParleyError("too_large", f"A frame holds at most {MAX_FRAME_BYTES:,} bytes")
