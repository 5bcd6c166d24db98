"""The ground of the model server: logs, who may read them, and what an entry looks like to others."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Frame = dict[str, Any]
Posts = list[tuple[str, Frame]]


class Refusal(Exception):
    """The error half of a reply."""

    def __init__(self, code: str, *, retryable: bool = False, retry_after_ms: int | None = None) -> None:
        super().__init__(code)
        self.body: Frame = {"error": f"Refused: {code}", "code": code, "retryable": retryable}
        if retry_after_ms is not None:
            self.body["retry_after_ms"] = retry_after_ms


@dataclass
class Logs:
    """`roles` and `joined` are those of groups: conversation → user → role, or the entry that added them (last)."""

    logs: dict[str, list[Frame]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    roles: dict[str, dict[str, str]] = field(default_factory=dict)
    joined: dict[str, dict[str, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    cursors: dict[tuple[str, str, str], int] = field(default_factory=dict)
    clock: int = 1_795_431_200_000

    def dm(self, one: str, other: str) -> str:
        """The private conversation of two users, made if it is not there."""
        first, second = sorted((one, other))
        conversation_id = f"dm:{first}:{second}"
        self.members.setdefault(conversation_id, {one, other})
        self.logs.setdefault(conversation_id, [])
        return conversation_id

    def others(self, conversation_id: str, user: str) -> Iterator[str]:
        return (each for each in sorted(self.members[conversation_id]) if each != user)

    def everyone(self, conversation_id: str, entry: Frame) -> Posts:
        """The posts of an entry. The connection that caused it is left out by the caller."""
        return [(each, public(entry)) for each in sorted(self.members[conversation_id])]

    def append(self, conversation_id: str, kind: str, **fields: Any) -> Frame:
        self.clock += 1
        log = self.logs[conversation_id]
        entry = {"type": kind, "conversation_id": conversation_id, "seq": len(log) + 1, **fields}
        log.append(entry)
        return entry

    def message_at(self, conversation_id: str, seq: int) -> Frame:
        """The stored message; refused where there is none."""
        log = self.logs[conversation_id]
        message: Frame | None = log[seq - 1].get("message") if 0 < seq <= len(log) else None
        if message is None:
            raise Refusal("not_found")
        return message

    def messages(self, conversation_id: str) -> list[Frame]:
        return [copy.deepcopy(entry["message"]) for entry in self.logs[conversation_id] if "message" in entry]

    def unread(self, conversation_id: str, user: str) -> int:
        own = (each["seq"] for each in self.messages(conversation_id) if each["sender_id"] == user)
        floor = max(self.cursors.get(("read", conversation_id, user), 0), max(own, default=0))
        floor = max(floor, self.joined_seq(conversation_id, user) - 1)
        return sum(each["seq"] > floor and each["sender_id"] != user for each in self.messages(conversation_id))

    def joined_seq(self, conversation_id: str, user: str) -> int:
        return self.joined.get(conversation_id, {}).get(user, 0)

    def check_member(self, user: str, conversation_id: str) -> None:
        if user not in self.members.get(conversation_id, ()):
            raise Refusal("not_a_member")


def public(entry: Frame) -> Frame:
    """As others see it, and as it is now: later changes do not reach what is on its way already."""
    return copy.deepcopy({name: value for name, value in entry.items() if name != "digest"})
