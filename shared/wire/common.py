"""What frames and HTTP bodies have in common: how an error looks, and page cursors.

Cursors are opaque to clients, and bound to the user and the list that they were made for.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from shared.domain.text import MAX_CONVERSATION_ID
from shared.errors import BadRequest, Banned, ParleyError, Rejected

if TYPE_CHECKING:
    from shared.wire.shapes import service as shapes

# Longer than any that is made here: the inbox's names up to 128 entries.
MAX_CURSOR: Final = 2_500
_SYNC: Final = "sync"
# Of a frame and of a body. None needs more than three levels; this leaves room for fields of later versions.
MAX_DEPTH: Final = 64


def error_fields(error: ParleyError) -> shapes.Refusal:
    """`error`, `code`, `retryable`; `retry_after_ms` to wait for, `until` of a ban, a rejection's `reason`."""
    fields: shapes.Refusal = {"error": error.message, "code": error.code, "retryable": error.retryable}
    if error.retry_after_ms is not None:
        fields["retry_after_ms"] = error.retry_after_ms
    if isinstance(error, Banned):
        fields["until"] = error.until
    elif isinstance(error, Rejected):
        fields["reason"] = error.reason
    return fields


def encode_sync_cursor(user_id: str, after: str) -> str:
    """Behind which of this user's conversations the next heads are."""
    return encode_cursor(user_id, _SYNC, [after])


def decode_sync_cursor(user_id: str, cursor: str) -> str:
    """The conversation, if the cursor is one of this user's `sync`. Raises BadRequest for any other."""
    match decode_cursor(user_id, _SYNC, cursor):
        case [str(after)] if after.isascii() and len(after) <= MAX_CONVERSATION_ID:
            return after
    raise invalid_cursor()


def encode_cursor(user_id: str, kind: str, position: Sequence[Any]) -> str:
    """A position of one kind of list, for this user."""
    payload = json.dumps([_binding(user_id, kind, position), *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(payload.encode()).rstrip(b"=").decode()


def decode_cursor(user_id: str, kind: str, cursor: str) -> list[Any]:
    """The position, if the cursor is one of this kind and this user's. Raises BadRequest for any other.

    What is in it may still be anything: a cursor holds no secret and gives no access. The binding is there to tell a
    mix-up, not to stop a forger, who could only choose another place of a list that is theirs anyway.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position: list[Any]
        binding, *position = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        is_ours = binding == _binding(user_id, kind, position)
    except (binascii.Error, ValueError, TypeError, RecursionError) as exc:
        raise invalid_cursor() from exc
    if not is_ours:
        raise invalid_cursor()
    return position


def invalid_cursor() -> BadRequest:
    return BadRequest("The cursor is not valid")


def _binding(user_id: str, kind: str, position: Sequence[Any]) -> str:
    return blake2b(json.dumps([user_id, kind, *position]).encode(), digest_size=9).hexdigest()
