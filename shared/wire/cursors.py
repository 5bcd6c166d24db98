"""Page cursors: opaque to clients, and bound to the user they were made for."""

from __future__ import annotations

import base64
import binascii
import json
from hashlib import blake2b

from shared.errors import BadRequest


def encode_cursor(user_id: str, order: tuple[int, str]) -> str:
    """Where the next page of this user's inbox starts."""
    payload = json.dumps([_binding(user_id, order), *order], separators=(",", ":"))
    return base64.urlsafe_b64encode(payload.encode()).rstrip(b"=").decode()


def decode_cursor(user_id: str, cursor: str) -> tuple[int, str]:
    """The position, if the cursor is one of this user's. Raises BadRequest for any other.

    A cursor holds no secret and gives no access: the binding is there to tell a mix-up, not to stop a forger, who could
    only choose another place of the inbox that is theirs anyway.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        binding, at, conversation_id = json.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        order = (at, conversation_id)
        is_ours = isinstance(at, int) and isinstance(conversation_id, str) and binding == _binding(user_id, order)
    except (binascii.Error, ValueError, TypeError, RecursionError) as exc:
        raise BadRequest("The cursor is not valid") from exc
    if not is_ours:
        raise BadRequest("The cursor is not valid")
    return order


def _binding(user_id: str, order: tuple[int, str]) -> str:
    return blake2b(f"{user_id}\x00{order[0]}\x00{order[1]}".encode(), digest_size=9).hexdigest()
