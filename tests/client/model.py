"""A Parley server without a network: the logs, and what the protocol says that each frame does to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.client.model_changes import Changes
from tests.client.model_logs import Frame, Posts, Refusal, public

__all__ = ["Frame", "Model", "Posts", "Refusal"]


@dataclass
class Model(Changes):
    """Limits are those of the server, smaller in tests that want to meet them.

    clamps: a sync never gives what was written before the user joined.
    online: whose presence is online.
    """

    max_examined: int = 1_000
    page: int = 100
    reply_room: int = 10_000
    clamps: bool = False
    online: set[str] = field(default_factory=set)

    def handle(self, user: str, frame: Frame) -> tuple[Frame, Posts]:
        """The reply to a frame, {} where there is none, and the events for everybody else."""
        echo = {"id": frame["id"]} if "id" in frame else {}
        posts: Posts = []
        try:
            data = self._route(user, frame, posts)
        except Refusal as refusal:
            return {"success": False, **echo, **refusal.body}, posts
        is_told = frame.get("reply") is not False or bool(data.get("refused"))
        return ({"success": True, **echo, "data": data} if is_told else {}), posts

    def _route(self, user: str, frame: Frame, posts: Posts) -> Frame:
        kind = frame.get("type")
        if kind == "message":
            return self._read_along(user, frame, self._message(user, frame, posts), posts)
        if kind == "receipts":
            return self._receipts(user, frame, posts)
        if kind == "sync":
            return self._sync(user, frame.get("conversations", {}))
        if kind in ("read", "delivered"):
            return self._cursor(kind, user, frame, posts)
        if kind in ("edit", "delete", "react"):
            return self._change(kind, user, frame, posts)
        if kind in ("typing", "presence", "auth", "ping"):
            return self._ephemeral(kind, user, frame, posts)
        raise Refusal("unknown_type")

    def _change(self, kind: str, user: str, frame: Frame, posts: Posts) -> Frame:
        where, seq = frame["conversation_id"], frame["seq"]
        if kind == "edit":
            return self.edit(user, where, seq, frame["content"], posts)
        if kind == "delete":
            return self.delete(user, where, seq, posts)
        return self.react(user, where, seq, frame["emoji"], posts, removed=frame.get("remove", False))

    def _ephemeral(self, kind: str, user: str, frame: Frame, posts: Posts) -> Frame:
        where = frame.get("conversation_id")
        if kind == "ping":
            behind = where is not None and len(self.logs.get(where, ())) > frame["seq"]
            return {"type": "pong", "timestamp": self.clock, "behind": behind}
        if kind == "typing":
            self.check_member(user, str(where))
            event = {"type": "typing", "conversation_id": where, "active": frame.get("active", True)}
            posts += [(each, {**event, "user_id": user}) for each in self.others(str(where), user)]
            return event
        if kind == "presence":
            return {"type": "presence", "users": self.presence(frame["users"])}
        return {"type": "auth", "user_id": user, "expires_at": self.clock + 3_600_000}

    def presence(self, users: list[str]) -> list[Frame]:
        state = ((each, "online" if each in self.online else "offline") for each in users)
        return [{"user_id": each, "status": status, "last_seen": None} for each, status in state]

    def post(self, sender: str, to: str, content: str) -> Frame:
        """A message of another user: the event that it causes."""
        _, posts = self.handle(sender, {"type": "message", "to": to, "content": content, "client_message_id": content})
        return posts[0][1]

    def change(self, conversation_id: str, kind: str) -> Frame:
        """A durable change of a kind from the future: its event."""
        return self.append(conversation_id, kind, by="somebody")

    def _message(self, user: str, frame: Frame, posts: Posts) -> Frame:
        where = frame.get("conversation_id") or self.dm(user, frame["to"])
        self.check_member(user, where)
        names = ("content", "message_type", "reply_to", "mentions", "file_id", "forward_of")
        body = {name: frame.get(name) for name in names}
        if body["forward_of"] is None and body["file_id"] is None and not frame["content"].strip():
            raise Refusal("bad_request")
        log = self.logs[where]
        sent_as, after = frame.get("client_message_id"), frame.get("after", len(log))
        if after > len(log):
            raise Refusal("bad_request")
        examined = log[after:] if sent_as is not None else []
        for number, entry in enumerate(examined, 1):
            if entry["type"] == "member_removed" and user in entry["users"]:
                raise Refusal("not_a_member")
            stored = entry.get("message", {})
            if stored.get("sender_id") == user and stored.get("client_message_id") == sent_as:
                return self._again(entry, body, posts)
            if number > self.max_examined:
                raise Refusal("sync_required")
        return self._append(user, where, body, sent_as, posts)

    def _again(self, entry: Frame, body: Frame, posts: Posts) -> Frame:
        if entry["digest"] != body:
            raise Refusal("conflict")
        posts += self.everyone(entry["conversation_id"], entry)
        return self._ack(entry, duplicate=True)

    def _append(self, user: str, where: str, body: Frame, sent_as: str | None, posts: Posts) -> Frame:
        seq = len(self.logs[where]) + 1
        message = {
            "id": f"{where}/{seq}",
            "conversation_id": where,
            "seq": seq,
            "sender_id": user,
            "content": body["content"],
            "type": body["message_type"] or "text",
            "created_at": self.clock + 1,
        }
        if body["forward_of"]:
            message |= self._forwarded(user, **body["forward_of"])
        optional = {name: body[name] for name in ("reply_to", "mentions", "file_id")} | {"client_message_id": sent_as}
        message |= {name: value for name, value in optional.items() if value}
        entry = self.append(where, "new_message", message=message, digest=body)
        posts += self.everyone(where, entry)
        return self._ack(entry, duplicate=False)

    def _forwarded(self, user: str, conversation_id: str, seq: int) -> Frame:
        source = self._living_message(user, conversation_id, seq)
        return {"content": source["content"], "type": source["type"], "forwarded": True}

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
        found = [(each, self.logs[each][self._after(user, each, held) :]) for each in mine]
        found.sort(key=lambda pair: (not pair[1], pair[0] in held))
        room, blocks, left_out = self.reply_room, [], False
        for each, entries in found:
            fitting = entries[: min(self.page, room - 1)] if room > 1 else []
            if room < 1 or (entries and not fitting):
                left_out = left_out or bool(entries) or each not in held
                continue
            room -= 1 + len(fitting)
            blocks.append(self._block(user, each, fitting, has_more=len(fitting) < len(entries)))
        refused = [each for each in held if each not in mine]
        return {"type": "sync", "conversations": blocks, "refused": refused, "has_more": left_out}

    def _after(self, user: str, where: str, held: dict[str, int]) -> int:
        after = held.get(where, len(self.logs[where]))
        return max(after, self.joined_seq(where, user) - 1) if self.clamps else after

    def _block(self, user: str, where: str, entries: list[Frame], *, has_more: bool) -> Frame:
        return {
            "id": where,
            "head": len(self.logs[where]),
            "entries": [public(entry) for entry in entries],
            "has_more": has_more,
            "read_seq": self.cursors.get(("read", where, user), 0),
            "unread": self.unread(where, user),
            "joined_seq": self.joined_seq(where, user),
        }

    def _read_along(self, user: str, frame: Frame, ack: Frame, posts: Posts) -> Frame:
        """A message's event tells of what its sender has read, too."""
        if "read" not in frame:
            return ack
        try:
            self._cursor("read", user, {**ack, "seq": frame["read"]}, [])
        except Refusal:
            return ack
        posts[:] = [(each, {**event, "read": frame["read"]}) for each, event in posts]
        return {**ack, "read": frame["read"]}

    def _receipts(self, user: str, frame: Frame, posts: Posts) -> Frame:
        stand: dict[str, Frame] = {"read": {}, "delivered": {}}
        refused = []
        for kind, done in stand.items():
            for where, seq in frame.get(kind, {}).items():
                try:
                    done[where] = self._cursor(kind, user, {"conversation_id": where, "seq": seq}, posts)["seq"]
                except Refusal as refusal:
                    refused.append({"type": kind, "conversation_id": where, **refusal.body})
        return {"type": "receipts", **stand, **({"refused": refused} if refused else {})}

    def _cursor(self, kind: str, user: str, frame: Frame, posts: Posts) -> Frame:
        where, seq = frame["conversation_id"], frame["seq"]
        self.check_member(user, where)
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
