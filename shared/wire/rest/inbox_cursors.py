"""The inbox's cursor: where a page ended, and what there was when the first one was read."""

from __future__ import annotations

from typing import Final

from shared.domain.inbox import InboxPosition, Snapshot
from shared.wire.cursors import decode_cursor, encode_cursor, invalid_cursor

_INBOX: Final = "inbox"


def encode_inbox_cursor(user_id: str, position: InboxPosition) -> str:
    """Where the next page of this user's inbox starts."""
    snapshot = position.snapshot
    return encode_cursor(user_id, _INBOX, [*position.before, snapshot.settled, "".join(sorted(snapshot.marks))])


def decode_inbox_cursor(user_id: str, cursor: str) -> InboxPosition:
    """The position, if the cursor is one of this user's inbox. Raises BadRequest for any other."""
    match decode_cursor(user_id, _INBOX, cursor):
        case [int(at), str(conversation_id), int(settled), str(marks)]:
            return InboxPosition((at, conversation_id), Snapshot(settled, Snapshot.marks_in(marks)))
    raise invalid_cursor()
