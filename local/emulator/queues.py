"""A stack keeps its queues when it moves to another port.

MiniStack knows a queue by its URL, in which its own port stands, and looks for the queues of event sources by the URL
with the port of today: after a move nobody would consume them. Nothing connects to the port in the URL: functions and
tools send it to the endpoint as the queue's name, and replies carry the port that was called.
"""

# ruff: noqa: SLF001  # MiniStack has no setting for this; its version is pinned

from typing import Final

from ministack.services import sqs

PORT: Final = "4577"


def install() -> None:
    """Name queues by one port, whatever the emulator listens at. To be called before its state is loaded."""
    sqs.DEFAULT_PORT = PORT
    sqs._CANONICAL_NETLOC = f"{sqs.DEFAULT_HOST}:{PORT}"
