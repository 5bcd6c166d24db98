"""A Parley server without a network: the logs, and what protocol.md says that each frame does to them."""

from __future__ import annotations

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
class Model:
    """Limits are those of the server, smaller in tests that want to meet them."""

    max_examined: int = 1_000
    page: int = 100
    reply_room: int = 10_000
    logs: dict[str, list[Frame]] = field(default_factory=dict)
    members: dict[str, set[str]] = field(default_factory=dict)
    cursors: dict[tuple[str, str, str], int] = field(default_factory=dict)
    clock: int = 1_795_431_200_000

    def handle(self, user: str, frame: Frame) -> tuple[Frame, Posts]:
        """The reply to a frame, and the events for everybody else."""
        echo = {"id": frame["id"]} if "id" in frame else {}
        posts: Posts = []
        try:
            data = self._route(user, frame, posts)
        except Refusal as refusal:
            return {"success": False, **echo, **refusal.body}, posts
        return {"success": True, **echo, "data": data}, posts

    def _route(self, user: str, frame: Frame, posts: Posts) -> Frame:
        kind = frame.get("type")
        if kind == "message":
            return self._message(user, frame, posts)
        if kind == "sync":
            return self._sync(user, frame.get("conversations", {}))
        if kind in ("read", "delivered"):
            return self._cursor(kind, user, frame, posts)
        if kind == "ping":
            where = frame.get("conversation_id")
            behind = where is not None and len(self.logs.get(where, ())) > frame["seq"]
            return {"type": "pong", "timestamp": self.clock, "behind": behind}
        raise Refusal("unknown_type")

    def dm(self, one: str, other: str) -> str:
        """The private conversation of two users, made if it is not there."""
        first, second = sorted((one, other))
        conversation_id = f"dm:{first}:{second}"
        self.members.setdefault(conversation_id, {one, other})
        self.logs.setdefault(conversation_id, [])
        return conversation_id

    def post(self, sender: str, to: str, content: str) -> Frame:
        """A message of somebody else: the event that it causes."""
        _, posts = self.handle(sender, {"type": "message", "to": to, "content": content, "client_message_id": content})
        return posts[0][1]

    def change(self, conversation_id: str, kind: str) -> Frame:
        """A durable change that is not a message: its event."""
        log = self.logs[conversation_id]
        event = {"type": kind, "conversation_id": conversation_id, "seq": len(log) + 1, "by": "somebody"}
        log.append(event)
        return event

    def others(self, conversation_id: str, user: str) -> Iterator[str]:
        return (each for each in self.members[conversation_id] if each != user)

    def _message(self, user: str, frame: Frame, posts: Posts) -> Frame:
        where = frame.get("conversation_id") or self.dm(user, frame["to"])
        self._check_member(user, where)
        if not frame["content"].strip():
            raise Refusal("bad_request")
        body = {name: frame.get(name) for name in ("content", "message_type", "reply_to", "mentions")}
        log = self.logs[where]
        sent_as, after = frame.get("client_message_id"), frame.get("after", len(log))
        if after > len(log):
            raise Refusal("bad_request")
        examined = log[after:] if sent_as is not None else []
        for number, entry in enumerate(examined, 1):
            stored = entry.get("message", {})
            if stored.get("sender_id") == user and stored.get("client_message_id") == sent_as:
                return self._again(entry, body, posts, user)
            if number > self.max_examined:
                raise Refusal("sync_required")
        return self._append(user, where, body, sent_as, posts)

    def _again(self, entry: Frame, body: Frame, posts: Posts, user: str) -> Frame:
        if entry["digest"] != body:
            raise Refusal("conflict")
        posts += [(each, _public(entry)) for each in self.others(entry["conversation_id"], user)]
        return self._ack(entry, duplicate=True)

    def _append(self, user: str, where: str, body: Frame, sent_as: str | None, posts: Posts) -> Frame:
        seq = len(self.logs[where]) + 1
        self.clock += 1
        message = {
            "id": f"{where}/{seq}",
            "conversation_id": where,
            "seq": seq,
            "sender_id": user,
            "content": body["content"],
            "type": body["message_type"] or "text",
            "created_at": self.clock,
        }
        optional = {"client_message_id": sent_as, "reply_to": body["reply_to"], "mentions": body["mentions"]}
        message |= {name: value for name, value in optional.items() if value}
        entry = {"type": "new_message", "conversation_id": where, "seq": seq, "message": message, "digest": body}
        self.logs[where].append(entry)
        posts += [(each, _public(entry)) for each in self.others(where, user)]
        return self._ack(entry, duplicate=False)

    def _ack(self, entry: Frame, *, duplicate: bool) -> Frame:
        message = entry["message"]
        return {
            "type": "message",
            "conversation_id": entry["conversation_id"],
            "seq": entry["seq"],
            "message_id": message["id"],
            "client_message_id": message.get("client_message_id"),
            "timestamp": message["created_at"],
            "duplicate": duplicate,
        }

    def _sync(self, user: str, held: dict[str, int]) -> Frame:
        """What is new first, then what the client does not know, then the rest, as far as one reply has room."""
        mine = [each for each in self.logs if user in self.members[each]]
        found = [(each, self.logs[each][held.get(each, len(self.logs[each])) :]) for each in mine]
        found.sort(key=lambda pair: (not pair[1], pair[0] in held))
        room, blocks, left_out = self.reply_room, [], False
        for each, entries in found:
            fitting = entries[: min(self.page, room - 1)] if room > 1 else []
            if room < 1 or (entries and not fitting):
                left_out = left_out or bool(entries) or each not in held
                continue
            room -= 1 + len(fitting)
            head = len(self.logs[each])
            more = len(fitting) < len(entries)
            blocks.append({"id": each, "head": head, "entries": [_public(e) for e in fitting], "has_more": more})
        refused = [each for each in held if each not in mine]
        return {"type": "sync", "conversations": blocks, "refused": refused, "has_more": left_out}

    def _cursor(self, kind: str, user: str, frame: Frame, posts: Posts) -> Frame:
        where, seq = frame["conversation_id"], frame["seq"]
        self._check_member(user, where)
        if seq > len(self.logs[where]):
            raise Refusal("bad_request")
        stands = self.cursors.get((kind, where, user), 0)
        if seq > stands:
            self.cursors[kind, where, user] = seq
            event = {"type": kind, "conversation_id": where, "user_id": user, "seq": seq, "timestamp": self.clock}
            posts += [(each, event) for each in self.others(where, user)]
        return {"type": kind, "conversation_id": where, "seq": max(seq, stands)}

    def _check_member(self, user: str, conversation_id: str) -> None:
        if user not in self.members.get(conversation_id, ()):
            raise Refusal("not_a_member")


def _public(entry: Frame) -> Frame:
    return {name: value for name, value in entry.items() if name != "digest"}
