"""What is heavier than it may be, as the first edition could store it: cut, and marked so. A message's own GET has all.

Every answer of several things, and every event, is bounded by a number of things. That holds only as long as none of
them can be larger than a message may be today.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

from shared.domain.entries import Entry
from shared.domain.weight import MAX_MESSAGE_BYTES, text_bytes

# An edit's entry has the content, and ids around it.
_MAX_CONTENT_BYTES: Final = MAX_MESSAGE_BYTES - 1_024
# Counts of reactions have what the content leaves, and this much in any case.
_COUNTS_BYTES: Final = 2_048


def cut_message(body: dict[str, Any], entry: Entry) -> dict[str, Any]:
    """The message's body with at most 24 KB: reactions become counts, and if need be the content ends early.

    The counts are those of the commonest emoji, as many as there is room for; `reaction_total` counts all.
    """
    counts = Counter(emoji for emoji, _ in entry.reactions)
    body = {name: value for name, value in body.items() if name != "reactions"}
    if counts:
        body |= {"reactions_cut": True, "reaction_counts": {}, "reaction_total": len(entry.reactions)}
    for_counts = min(_COUNTS_BYTES, sum(map(_count_bytes, counts, counts.values())))
    content = body["content"]
    if content is not None:
        room = MAX_MESSAGE_BYTES - _size({**body, "content": "", "content_cut": True}) - for_counts
        body |= cut_content(content, room)
    room = MAX_MESSAGE_BYTES - _size(body)
    kept: dict[str, int] = {}
    for emoji, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        room -= _count_bytes(emoji, count)
        if room < 0:
            break
        kept[emoji] = count
    return {**body, "reaction_counts": kept} if counts else body


def cut_edited(content: str | None) -> dict[str, Any]:
    """The `content` of an edit's entry."""
    return {"content": None} if content is None else cut_content(content, _MAX_CONTENT_BYTES)


def cut_content(content: str, room: int) -> dict[str, Any]:
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


def _size(body: dict[str, Any]) -> int:
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))
