"""What a team hangs on messages for itself: `data`, an object, and a list of attachments. Nobody here reads into them.

They are kept as JSON text, so that what comes back is what went in, numbers of any size included.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.domain.text import MAX_CLIENT_ID
from shared.errors import BadRequest, TooLarge

# Of the JSON, without blanks, in UTF-8.
MAX_DATA_BYTES: Final = 4 * 1_024
MAX_ATTACHMENTS_BYTES: Final = 8 * 1_024
MAX_ATTACHMENTS: Final = 10
MAX_TYPE_CHARACTERS: Final = 64
NO_DATA: Final = "null"
"""The `data` of a message from which an edit has taken it off."""


def data_text(data: Mapping[str, Any] | None) -> str | None:
    """The object as it is kept; None for none. Raises TooLarge over 4 KB, BadRequest for what JSON has no form of."""
    return None if data is None else _text(data, "`data`", MAX_DATA_BYTES)


def edited_data(data: Mapping[str, Any] | None) -> str:
    """What an edit says of `data` that names it. Raises as `data_text` does."""
    return data_text(data) or NO_DATA


def attachments_text(attachments: Sequence[Mapping[str, Any]]) -> str | None:
    """The list as it is kept; None for an empty one. Each is an object with a `type`, and maybe with a `file_id`.

    Raises TooLarge for more than ten, or over 8 KB together, and BadRequest.
    """
    if not attachments:
        return None
    if len(attachments) > MAX_ATTACHMENTS:
        raise TooLarge(f"A message has at most {MAX_ATTACHMENTS} attachments")
    for place, one in enumerate(attachments):
        _check_attachment(one, f"attachments[{place}]")
    return _text(attachments, "The attachments", MAX_ATTACHMENTS_BYTES)


def attached_files(attachments: str | None) -> Sequence[tuple[str, str]]:
    """The uploaded files among attachments that are kept: their ids, each with its attachment's `type`."""
    listed = json.loads(attachments) if attachments else ()
    return [(one["file_id"], one["type"]) for one in listed if "file_id" in one]


def in_any_order(text: str) -> str:
    """The same text for objects that differ in the order of their names alone."""
    return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _check_attachment(one: Mapping[str, Any], place: str) -> None:
    kind = one.get("type")
    if not isinstance(kind, str) or not 1 <= len(kind) <= MAX_TYPE_CHARACTERS:
        raise BadRequest(f"{place} needs a `type` of 1 to {MAX_TYPE_CHARACTERS} characters")
    if "file_id" in one:
        file_id = one["file_id"]
        if not isinstance(file_id, str) or not 1 <= len(file_id) <= MAX_CLIENT_ID:
            raise BadRequest(f"{place} has a `file_id` that is none")


def _text(value: Any, what: str, most: int) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        size = len(text.encode())
    except ValueError as exc:  # a number beyond all numbers, half a surrogate pair
        raise BadRequest(f"{what} can't be kept as JSON") from exc
    if size > most:
        raise TooLarge(f"{what} takes more than {most:,} bytes of JSON")
    return text
