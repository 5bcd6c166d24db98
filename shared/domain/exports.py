"""The lines of an export: docs/protocol.md has their format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from shared.domain.entries import Entry
from shared.domain.files import File

FORMAT: Final = 1
# As long as an export can be downloaded.
KEPT_DAYS: Final = 7


def entry_line(entry: Entry) -> dict[str, Any]:
    """A message that the user wrote, as it is now, or a change that they made."""
    place = {"conversation_id": entry.conversation_id, "seq": entry.seq, "created_at": entry.created_at}
    if entry.change is not None:
        return _without_none({"type": "change", "kind": entry.kind, **place, **asdict(entry.change)})
    message = {
        "type": "message",
        **place,
        "message_type": entry.message_type,
        "content": entry.content,
        "client_message_id": entry.client_message_id,
        "reply_to": entry.reply_to,
        "mentions": list(entry.mentions) or None,
        "file_id": entry.file_id,
        "data": _parsed(entry.data),
        "attachments": _parsed(entry.attachments),
        "media": _parsed(entry.media),
        "forwarded": entry.forwarded or None,
        "edited_at": entry.edited_at,
        "deleted_at": entry.deleted_at,
    }
    return _without_none(message)


def file_line(file: File, *, is_copied: bool) -> dict[str, Any]:
    """A file of the user's; `object` is its name in the export where its bytes are there."""
    said = {name: value for name, value in asdict(file).items() if name not in {"owner_id", "references"}}
    return _without_none({"type": "file", **said, "object": f"files/{file.file_id}" if is_copied else None})


def text_of(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=_listed) + "\n"


def _listed(value: object) -> Any:
    """Sets are stored where order means nothing."""
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _without_none(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if value is not None}
