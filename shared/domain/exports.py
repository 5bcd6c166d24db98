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
# What is stored as JSON within a row: in a line it is what it was.
_JSON: Final = ("data", "about", "said", "value", "attachments", "media")


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


def held_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A message of the user's that a moderator looks at, or has looked at: `seq` is its place once it was approved."""
    place = {"held_id": row["held_id"], "conversation_id": row["conversation_id"], "created_at": row["at"]}
    draft = {name: value for name, value in json.loads(row["draft"]).items() if name not in {"sender_id", "shadow"}}
    return _without_none({"type": "held_message", **place, **draft, "seq": row.get("seq")})


def report_line(row: Mapping[str, Any]) -> dict[str, Any]:
    """A report by the user, without what was reported and what came of it."""
    names = ("report_id", "user_id", "reason", "comment", "created_at", "conversation_id", "seq")
    return {"type": "report", **{name: row[name] for name in names if row.get(name) is not None}}


def text_of(line: Mapping[str, Any]) -> str:
    line = {name: _read(value) if name in _JSON else value for name, value in line.items()}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=_listed) + "\n"


def _listed(value: object) -> Any:
    """Sets are stored where order means nothing."""
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


def _read(value: Any) -> Any:
    """As it stands where it is no JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _without_none(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if value is not None}
