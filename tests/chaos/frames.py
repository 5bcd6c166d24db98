"""WebSocket frames in a stream of bytes, as far as a proxy has to know them: where each ends, and what kind it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_LONG: Final = 126
_LONGEST: Final = 127
_MASK_BYTES: Final = 4
_TEXT: Final = 1
_FIRST_CONTROL: Final = 8


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame with its header. `payload` is readable where it is not masked: a server's."""

    raw: bytes
    opcode: int
    is_final: bool
    payload: bytes

    @property
    def is_control(self) -> bool:
        """Ping, pong, close. What was sent before a close is delivered before it."""
        return self.opcode >= _FIRST_CONTROL

    @property
    def is_whole_text(self) -> bool:
        """A message that is in no need of other frames."""
        return self.opcode == _TEXT and self.is_final


class Frames:
    """Cuts what comes in at the frames' boundaries."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now."""
        self._buffer += data
        found = []
        while (frame := _first(self._buffer)) is not None:
            self._buffer = self._buffer[len(frame.raw) :]
            found.append(frame)
        return found


def _first(data: bytes) -> Frame | None:
    """RFC 6455, section 5.2."""
    if len(data) < 2:  # the shortest header
        return None
    length, start = data[1] & 0x7F, 2
    if length >= _LONG:
        start += 8 if length == _LONGEST else 2
        if len(data) < start:
            return None
        length = int.from_bytes(data[2:start], "big")
    if data[1] & 0x80:
        start += _MASK_BYTES
    end = start + length
    if len(data) < end:
        return None
    return Frame(data[:end], data[0] & 0x0F, bool(data[0] & 0x80), data[start:end])
