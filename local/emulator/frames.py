"""How much a client may send at once: a frame of 32 KB, and a message of 128 KB in several. More closes it (1009)."""

from typing import Any, Final

from hypercorn.protocol import ws_stream
from wsproto.events import Message, TextMessage

from local.emulator.connections import LARGEST_FRAME, LARGEST_MESSAGE

DROPPED: Final = "parley.dropped"  # what came behind is no message


class BoundedBuffer(ws_stream.WebsocketBuffer):  # type: ignore[misc]  # of a package of the emulator's environment
    """Counts the bytes of each frame and of the message. Hypercorn counts characters, and of the message alone.

    It raises once: where it did so for what comes behind, Hypercorn would not look at the client's goodbye.
    """

    def __init__(self, max_length: int) -> None:
        super().__init__(max_length)
        self._frame = self._message = 0
        self._is_over = False

    def extend(self, event: Message[Any]) -> None:
        if self._is_over:
            return
        size = len(event.data.encode()) if isinstance(event, TextMessage) else len(event.data)
        self._frame += size
        self._message += size
        if self._frame > LARGEST_FRAME or self._message > LARGEST_MESSAGE:
            self._is_over = True
            raise ws_stream.FrameTooLargeError
        if event.frame_finished:
            self._frame = 0
        super().extend(event)

    def to_message(self) -> dict[str, Any]:
        return {"type": DROPPED} if self._is_over else super().to_message()

    def clear(self) -> None:
        super().clear()
        self._message = 0


def install() -> None:
    """Bound what every WebSocket of this server takes. To be called before it starts serving."""
    ws_stream.WebsocketBuffer = BoundedBuffer
