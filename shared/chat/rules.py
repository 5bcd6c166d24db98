"""The rules of sending, as pure checks. Each raises the error that the client gets."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from shared.chat.identifiers import private_members
from shared.chat.models import Draft, Entry
from shared.errors import BadRequest, Conflict, NotAMember, NotFound, TooLarge

MAX_CONTENT_CHARACTERS: Final = 5_000
MAX_CONTENT_BYTES: Final = 20 * 1024
MAX_MENTIONS: Final = 50

# Separators, controls and formats (zero-width joiners, direction marks): text of these alone shows nothing.
_INVISIBLE: Final = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})


def check_content(content: str) -> None:
    """Raises TooLarge over 5,000 characters or 20 KB of UTF-8, BadRequest for blank or undecodable text."""
    if len(content) > MAX_CONTENT_CHARACTERS:
        raise TooLarge(f"The content has more than {MAX_CONTENT_CHARACTERS:,} characters")
    try:
        encoded = content.encode()
    except UnicodeEncodeError as exc:
        raise BadRequest("The content holds half a surrogate pair") from exc
    if len(encoded) > MAX_CONTENT_BYTES:
        raise TooLarge(f"The content has more than {MAX_CONTENT_BYTES:,} bytes")
    if all(unicodedata.category(character) in _INVISIBLE for character in content):
        raise BadRequest("The content is blank")


def check_file(message_type: str, file_id: str | None) -> None:
    """Images and files refer to an uploaded file, text does not. Raises BadRequest, NotFound."""
    if message_type == "text":
        if file_id is not None:
            raise BadRequest("A text message has no `file_id`")
        return
    if file_id is None:
        raise BadRequest("An image or file needs its `file_id`")
    raise NotFound("There is no such file")  # nothing can be uploaded in this version, so no id names a file


def check_participant(conversation_id: str, user_id: str) -> tuple[str, ...]:
    """The members of a private conversation, if the user is one of them. Raises NotAMember otherwise."""
    members = private_members(conversation_id)
    if members is None or user_id not in members:
        raise NotAMember
    return members


def check_mentions(mentions: Sequence[str], members: Sequence[str]) -> None:
    """Only members can be mentioned. Raises BadRequest."""
    if len(mentions) > MAX_MENTIONS:
        raise TooLarge(f"A message mentions at most {MAX_MENTIONS} users")
    if not set(mentions) <= set(members):
        raise BadRequest("A message can mention members of its conversation only")


def check_after(after: int | None, entries: Mapping[int, Entry]) -> None:
    """`after` names an entry, or 0: otherwise a client could tear a hole into the log. Raises BadRequest."""
    if after and after not in entries:
        raise BadRequest("`after` names an entry that this conversation does not have")


def check_reply(reply_to: int | None, entries: Mapping[int, Entry]) -> None:
    """A reply needs a message to reply to. Raises NotFound."""
    if reply_to is not None and reply_to not in entries:
        raise NotFound("There is no message to reply to at this seq")


def check_same_message(draft: Draft, stored: Entry) -> None:
    """A client_message_id names one message for good. Raises Conflict where the resend says something else."""
    if stored.digest and stored.digest != draft.digest:
        raise Conflict("This client_message_id was used for a different message")
