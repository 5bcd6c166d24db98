"""Nothing is heavier than it may be, and nothing that is light enough is refused for its weight."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from shared.domain.entries import Entry
from tests.simulation.history import Operation
from tests.simulation.judge.case import Case
from tests.simulation.judge.forms import message_form

MOST_BYTES: Final = 24 * 1_024
_FRAME_BYTES: Final = 32 * 1_024
_REPLY_BYTES: Final = 128 * 1_024
# What can't be told of a message that was refused: how many digits its place would have had.
_DIGITS: Final = 6
_LONG: Final = 2_000  # characters, before anything is measured


def bytes_of(shown: Any) -> int:
    return len(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode())


def messages_are_light_enough(case: Case) -> Iterator[str]:
    for log in case.logs.values():
        for entry in log:
            if entry.is_message and len(entry.content or "") > _LONG and (size := _size(entry)) > MOST_BYTES:
                yield f"{entry.message_id} takes {size} bytes"


def answers_are_light_enough(case: Case) -> Iterator[str]:
    """Frames of 32 KB, and 128 KB in all of a reply: where a message was long at all."""
    if not any(len(entry.content or "") > _LONG for log in case.logs.values() for entry in log):
        return
    for post in case.scenario.deployment.gateway.posts:
        if bytes_of(post.event) > _FRAME_BYTES:
            yield f"{post.event['type']} of {bytes_of(post.event)} bytes was sent"
    for one in case.scenario.deployment.gateway.exchanges:
        if one.is_done and bytes_of(one.reply) > _REPLY_BYTES:
            yield f"{one.frame['type']} was answered with {bytes_of(one.reply)} bytes"


def _size(entry: Entry) -> int:
    return bytes_of(message_form(entry))


def too_heavy(_: Case, one: Operation, __: Any) -> bool:
    """Whether a message may have been refused as `too_large`."""
    if one.detail.get("forward_of") is not None:
        return True  # by what its original says
    where = one.detail["conversation_id"]
    shown = {
        "id": f"{where}/100",
        "conversation_id": where,
        "seq": 100,
        "sender_id": one.user,
        "content": one.detail.get("content"),
        "type": one.detail.get("message_type", "text"),
        "created_at": 1_795_431_200_000,
        **{name: value for name in _SAID if (value := one.detail.get(name))},
    }
    return bytes_of(shown) > MOST_BYTES - _DIGITS


_SAID: Final = ("client_message_id", "reply_to", "mentions", "file_id", "data", "attachments")


def too_heavy_with_one_more(one: Operation, entry: Entry) -> bool:
    shown = message_form(entry)
    reactions = {name: [*users] for name, users in shown.get("reactions", {}).items()}
    reactions.setdefault(one.detail["emoji"], []).append(one.user)
    return bytes_of({**shown, "reactions": reactions}) > MOST_BYTES


RULES = (messages_are_light_enough, answers_are_light_enough)
