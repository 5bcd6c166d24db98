"""Messages that are too heavy for the places where they are shown: as much of them as there is room for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from shared.domain.entries import MAX_MESSAGE_BYTES, Entry, text_bytes

if TYPE_CHECKING:
    from shared.wire.shapes.messages import Content, Message

# An edit's entry has the content, and ids around it.
_MAX_CONTENT_BYTES: Final = MAX_MESSAGE_BYTES - 1_024
# Counts of reactions have what the content leaves, and this much in any case.
_COUNTS_BYTES: Final = 2_048


def cut_message(body: Message, entry: Entry) -> Message:
    """The body with at most 24 KB: reactions become counts, of the commonest, and if need be the content ends early."""
    counts = Counter(emoji for emoji, _ in entry.reactions)
    body = body.copy()
    if counts:
        del body["reactions"]
        body.update({"reactions_cut": True, "reaction_counts": {}, "reaction_total": len(entry.reactions)})
    for_counts = min(_COUNTS_BYTES, sum(map(_count_bytes, counts, counts.values())))
    content = body["content"]
    if content is not None:
        room = MAX_MESSAGE_BYTES - _size({**body, "content": "", "content_cut": True}) - for_counts
        shown = cut_content(content, room)
        body["content"] = shown["content"]
        if "content_cut" in shown:
            body["content_cut"] = True
    room = MAX_MESSAGE_BYTES - _size(body)
    kept: dict[str, int] = {}
    for emoji, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        room -= _count_bytes(emoji, count)
        if room < 0:
            break
        kept[emoji] = count
    if counts:
        body["reaction_counts"] = kept
    return body


def cut_edited(content: str | None) -> Content:
    """The `content` of an edit's entry."""
    return {"content": None} if content is None else cut_content(content, _MAX_CONTENT_BYTES)


def cut_content(content: str, room: int) -> Content:
    """As much of the beginning as fits into `room` bytes of JSON, marked where that is not all."""
    if 6 * len(content) + 2 <= room or text_bytes(content) <= room:
        return {"content": content}
    low, high = 0, len(content)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_bytes(content[:middle]) <= room else (low, middle - 1)
    return {"content": content[:low], "content_cut": True}


def _count_bytes(emoji: str, count: int) -> int:
    return text_bytes(emoji) + len(str(count)) + 2


def _size(body: Mapping[str, Any]) -> int:
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
