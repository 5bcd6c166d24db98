"""A body in chunks. The services that are called here give a length: whoever stands in between may do otherwise."""

from __future__ import annotations

import re
from typing import Final

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[\t ]*(?:;[\t -~\x80-\xff]*)?")
_TRAILER: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*")
# Of a chunk's size with its extensions, or of a trailer; and of all of them behind the last chunk.
_MOST_LINE: Final = 4_096
_MOST_TRAILERS: Final = 32_768


class Chunks:
    """The chunks so far. `take` is given what has come since, and says when they are all there."""

    __slots__ = ("_data", "_left", "_most", "_trailers", "body")

    def __init__(self, most: int) -> None:
        """`most`: bytes of the whole body."""
        self._data = bytearray()
        self._left = 0  # of a chunk, with the line's end behind it
        self._most = most
        self._trailers: int | None = None
        self.body = bytearray()

    def take(self, data: bytes | bytearray) -> int | None:
        """How many bytes are over, once all chunks and what follows them are there; None before. Raises ValueError."""
        self._data += data
        at = 0
        while True:
            if self._left:
                at = self._take_chunk(at)
                if self._left:
                    break
            end = self._data.find(b"\r\n", at, at + _MOST_LINE)
            if end < 0:
                if len(self._data) - at >= _MOST_LINE:
                    raise ValueError("a line between chunks that has no end")
                break
            line, at = bytes(self._data[at:end]), end + 2
            if self._trailers is not None and self._take_trailer(line):
                return len(self._data) - at
            if self._trailers is None:
                self._begin(line)
        del self._data[:at]
        return None

    def _take_chunk(self, at: int) -> int:
        """As much of a chunk as there is, and the end of its line all at once. Returns where the rest begins."""
        taken = min(len(self._data) - at, max(0, self._left - 2))
        self.body += self._data[at : at + taken]
        self._left -= taken
        at += taken
        if self._left == 2 and len(self._data) - at >= 2:  # noqa: PLR2004  # CR and LF
            if self._data[at : at + 2] != b"\r\n":
                raise ValueError("a chunk that is longer than it says")
            self._left = 0
            at += 2
        return at

    def _begin(self, line: bytes) -> None:
        said = _SIZE.fullmatch(line)
        if said is None:
            raise ValueError("a chunk of no size")
        size = int(said[1], 16)
        if len(self.body) + size > self._most:
            raise ValueError("too long a body")
        if size:
            self._left = size + 2
        else:
            self._trailers = 0

    def _take_trailer(self, line: bytes) -> bool:
        """Whether it is the last, empty line. What trailers say is of no use here."""
        if not line:
            return True
        self._trailers = (self._trailers or 0) + len(line)
        if self._trailers > _MOST_TRAILERS or _TRAILER.fullmatch(line) is None:
            raise ValueError("a trailer that is none, or too many")
        return False
