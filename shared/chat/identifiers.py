"""The names of things: user ids, and conversation ids that say who is in a private conversation."""

from __future__ import annotations

import re
from typing import Final

from shared.errors import BadRequest

USER_ID_PATTERN: Final = "[A-Za-z0-9_.@-]{1,128}"
_USER_ID: Final = re.compile(USER_ID_PATTERN)
_PRIVATE: Final = "dm"


def is_user_id(text: str) -> bool:
    """1-128 of `A-Z a-z 0-9 _ . @ -`: no colon, so that a private conversation's id can be taken apart again."""
    return _USER_ID.fullmatch(text) is not None


def private_conversation_id(one: str, other: str) -> str:
    """`dm:<a>:<b>`, sorted: both sides name the same conversation, and membership needs no read.

    Raises BadRequest for a malformed id, or for a conversation with oneself.
    """
    for user_id in (one, other):
        if not is_user_id(user_id):
            raise BadRequest("A user id is 1 to 128 of A-Z a-z 0-9 _ . @ -")
    if one == other:
        raise BadRequest("A private conversation needs somebody else")
    first, second = sorted((one, other))
    return f"{_PRIVATE}:{first}:{second}"


def private_members(conversation_id: str) -> tuple[str, str] | None:
    """The two members of a private conversation; None where the id is not a private conversation's own."""
    parts = conversation_id.split(":")
    if len(parts) != 3 or parts[0] != _PRIVATE:  # noqa: PLR2004  # dm, a, b
        return None
    first, second = parts[1], parts[2]
    if not (is_user_id(first) and is_user_id(second)) or first >= second:
        return None
    return first, second
