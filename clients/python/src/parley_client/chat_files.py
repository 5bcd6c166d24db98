"""The chat's commands about files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from parley_client.chat_lines import size_of
from parley_client.client import ParleyClient
from parley_client.conversation import is_group
from parley_client.errors import ParleyError
from parley_client.events import Message
from parley_client.terminal import Terminal, harmless

_QUARTERS: Final = 4


async def send_file(client: ParleyClient, terminal: Terminal, to: str, path: Path, caption: str) -> None:
    """Upload and send, with a line for each quarter. Raises ParleyError, OSError."""
    progress = progress_lines(terminal, harmless(path.name))
    if is_group(to):
        await client.send_file(path, caption, conversation_id=to, progress=progress)
    else:
        await client.send_file(path, caption, to=to, progress=progress)


async def get_file(client: ParleyClient, terminal: Terminal, conversation_id: str, seq: int, folder: Path) -> None:
    """Save the file of a message. Raises ParleyError, OSError."""
    message = await client.message(conversation_id, seq)
    if message.file_id is None:
        raise ParleyError("not_found", f"There is no file in #{seq}")
    place = await client.download(message.file_id, folder, progress=progress_lines(terminal, f"#{seq}"))
    terminal.show(f"* saved as {harmless(str(place))}", dim=True)


async def name_file(client: ParleyClient, terminal: Terminal, message: Message) -> None:
    """What the file of a message is called; nothing where that can't be said."""
    try:
        file = await client.file(message.file_id or "")
    except ParleyError:
        return
    terminal.show(f"  #{message.seq} is {harmless(file.name)}, {size_of(file.size)}", dim=True)


def progress_lines(terminal: Terminal, what: str) -> Callable[[int, int], None]:
    """A line for each quarter that is reached, not for each piece."""
    shown = 0

    def show(done: int, total: int) -> None:
        nonlocal shown
        quarter = done * _QUARTERS // total if total else 0
        if quarter > shown:
            shown = quarter
            terminal.show(f"  {what}: {quarter * 100 // _QUARTERS} % of {size_of(total)}", dim=True)

    return show
