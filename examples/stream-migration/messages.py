"""What becomes of one message of Stream's; `lost` counts what does not come along as it was."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any

USER_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.@-]{1,128}")
# As docs/limits.md has them.
CONTENT, CONTENT_BYTES, ID, DATA_BYTES, MENTIONS = 5_000, 20_480, 128, 4_096, 50
LEFT_OUT = {"deleted": "deleted messages", "ephemeral": "messages for one user's eyes", "error": "errors of commands"}
Json = dict[str, Any]


def milliseconds(time: str) -> int:
    return int(datetime.fromisoformat(time).timestamp() * 1_000)


def short(text: str) -> str:
    """An id that is too long for one here becomes its digest: the same each time."""
    return text if len(text) <= ID else hashlib.sha256(text.encode()).hexdigest()


def line_of(message: Json, two: Collection[str], lost: Counter[str]) -> Json | None:
    """None for one that does not come along. `two`: who is in a private conversation; in a group anybody may write."""
    kind, sender = "deleted" if message.get("deleted_at") else message.get("type"), message["user"]["id"]
    content = words(message, lost)
    if kind in LEFT_OUT or message.get("shadowed"):
        lost[LEFT_OUT.get(str(kind), "messages of shadow-banned users")] += 1
    elif not USER_ID.fullmatch(sender) or (two and sender not in two):
        lost["messages of users who can't be in their conversation"] += 1
    elif not content.strip():
        lost["messages without words or attachments"] += 1
    else:
        named = [one["id"] for one in message.get("mentioned_users") or [] if USER_ID.fullmatch(one["id"])]
        mentions = [one for one in dict.fromkeys(named) if not two or one in two][:MENTIONS]
        line = {"type": "message", "id": short(message["id"]), "sender_id": sender, "content": content}
        line |= {"message_type": "system" if kind == "system" else "text", "mentions": mentions}
        return {**line, "created_at": milliseconds(message["created_at"]), "data": {"stream": data(message, lost)}}
    return None


def words(message: Json, lost: Counter[str]) -> str:
    """Where there are none, what its attachments are called."""
    text = message.get("text") or "\n".join(f"{one['name']} {one['url']}".strip() for one in attachments(message))
    cut = text[:CONTENT].encode(errors="replace")[:CONTENT_BYTES].decode(errors="ignore")
    lost["ends of messages that are too long"] += len(cut) < len(text)
    return cut


def data(message: Json, lost: Counter[str]) -> Json:
    """What an imported message has no place for, as data of yours that your app may show."""
    reactions: dict[str, list[str]] = {}
    for one in message.get("latest_reactions") or []:
        reactions.setdefault(one["type"], []).append(one.get("user_id") or one["user"]["id"])
    files, counts = attachments(message), message.get("reaction_counts") or {}
    names = ("id", "parent_id", "quoted_message_id", "message_text_updated_at", "pinned")
    parts = {name: message.get(name) for name in names}
    kept = {name: value for name, value in parts.items() if value}
    kept |= {"attachments": files} if files else {}
    kept |= {"reactions": reactions, "reaction_counts": counts} if counts else {}
    lost["replies: `data` says to what"] += "parent_id" in kept or "quoted_message_id" in kept
    lost["reactions: `data` has them"] += sum(counts.values())
    lost["attachments: `data` has their links; the files are still Stream's"] += len(files)
    lost["pins: `data` has them"] += "pinned" in kept
    for heavy in ("reactions", "attachments", "reaction_counts"):
        if len(json.dumps({"stream": kept}, ensure_ascii=False).encode(errors="replace")) > DATA_BYTES and kept.pop(
            heavy, None
        ):
            lost[f"lists of {heavy.replace('_', ' ')} that are too long for `data`"] += 1
    return kept


def attachments(message: Json) -> list[dict[str, str]]:
    found = []
    for one in message.get("attachments") or []:
        links = (one.get(name) for name in ("asset_url", "image_url", "og_scrape_url", "title_link", "thumb_url"))
        kind = one.get("type") or "file"
        name = one.get("title") or one.get("fallback") or one.get("name") or kind
        found.append({"type": kind, "name": name, "url": next(filter(None, links), "")})
    return found
