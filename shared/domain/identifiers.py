"""The names of things: user ids, and conversation ids that say of what kind a conversation is."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from shared.domain.text import id_pattern
from shared.errors import BadRequest

MAX_USER_ID: Final = 128
MAX_CONVERSATION_ID: Final = 300
# Of what clients give an id to, or are given one for: messages, files.
MAX_CLIENT_ID: Final = 128
MAX_DEVICE_ID: Final = 64
# Of every number: JavaScript's bound, beyond which clients can't count.
MAX_NUMBER: Final = 2**53 - 1
USER_ID_PATTERN: Final = id_pattern("A-Za-z0-9_@-", MAX_USER_ID)
USER_ID_RULE: Final = f"1 to {MAX_USER_ID} of A-Z a-z 0-9 _ . @ -, and neither . nor .."
_USER_ID: Final = re.compile(USER_ID_PATTERN)
# The first edition took "." and ".." for users, too. What was said with them stays readable.
_STORED_USER_ID: Final = re.compile(f"[A-Za-z0-9_.@-]{{1,{MAX_USER_ID}}}")
_PRIVATE: Final = "dm"
_GROUP_ID: Final = re.compile("group:[A-Za-z0-9_-]{16,64}")


def is_user_id(text: str) -> bool:
    """1-128 of `A-Z a-z 0-9 _ . @ -`: no colon, so that a private conversation's id can be taken apart again.

    Neither "." nor "..": whatever handles a path may take them for steps in it.
    """
    return _USER_ID.fullmatch(text) is not None


def check_user_id(user_id: str) -> None:
    """Raises BadRequest for a malformed id."""
    if not is_user_id(user_id):
        raise BadRequest(f"A user id is {USER_ID_RULE}")


def private_conversation_id(one: str, other: str) -> str:
    """`dm:<a>:<b>`, sorted: both sides name the same conversation, and membership needs no read.

    Raises BadRequest for a malformed id, or for a conversation with oneself.
    """
    check_user_id(one)
    check_user_id(other)
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
    if not (_STORED_USER_ID.fullmatch(first) and _STORED_USER_ID.fullmatch(second)) or first >= second:
        return None
    return first, second


def other_member(conversation_id: str, user_id: str) -> str | None:
    """Whom a private conversation is with; None for any other conversation."""
    members = private_members(conversation_id)
    if members is None or user_id not in members:
        return None
    return members[0] if members[1] == user_id else members[1]


def is_group_id(conversation_id: str) -> bool:
    return _GROUP_ID.fullmatch(conversation_id) is not None


def group_id(secret: str) -> str:
    """The id of a new group. `secret` is random, so that ids can't be guessed."""
    return f"group:{secret}"


def named_group_id(creator: str, client_conversation_id: str) -> str:
    """The id of a group that its creator's client has named: the same name gives the same group, however often."""
    return f"group:{sha256(f'{creator}/{client_conversation_id}'.encode()).hexdigest()[:40]}"
