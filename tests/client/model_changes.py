"""What changes in the model server's logs besides new messages: edits, deletions, reactions, and groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.client.model_logs import Frame, Logs, Posts, Refusal


class Changes(Logs):
    def edit(self, user: str, where: str, seq: int, content: str, posts: Posts) -> Frame:
        message = self._living_message(user, where, seq)
        if message["sender_id"] != user:
            raise Refusal("forbidden")
        if message["content"] == content:
            return self._done("edit", where, seq, None)
        self._forget_edits(where, seq)
        entry = self._append_change("message_edited", user, where, seq, posts, content=content)
        message |= {"content": content, "edited_at": entry["timestamp"]}
        return self._done("edit", where, seq, entry)

    def delete(self, user: str, where: str, seq: int, posts: Posts) -> Frame:
        self.check_member(user, where)
        message = self.message_at(where, seq)
        if message["sender_id"] != user and self.roles.get(where, {}).get(user) not in ("owner", "admin"):
            raise Refusal("forbidden")
        if "deleted_at" in message:
            return self._done("delete", where, seq, None)
        self._forget_edits(where, seq)
        entry = self._append_change("message_deleted", user, where, seq, posts)
        for name in ("reply_to", "mentions", "file_id", "reactions"):
            message.pop(name, None)
        message |= {"content": None, "deleted_at": entry["timestamp"]}
        return self._done("delete", where, seq, entry)

    def react(self, user: str, where: str, seq: int, emoji: str, posts: Posts, *, removed: bool) -> Frame:
        reactions: dict[str, list[str]] = self._living_message(user, where, seq).setdefault("reactions", {})
        users = set(reactions.get(emoji, ()))
        if (user in users) != removed:
            return self._done("react", where, seq, None) | {"emoji": emoji, "removed": removed}
        reactions[emoji] = sorted(users - {user} if removed else users | {user})
        if not reactions[emoji]:
            del reactions[emoji]
        entry = self._append_change("reaction", user, where, seq, posts, emoji=emoji, removed=removed)
        return self._done("react", where, seq, entry) | {"emoji": emoji, "removed": removed}

    # --- groups

    def create_group(self, user: str, name: str, members: Iterable[str], posts: Posts) -> str:
        where = f"group:{len(self.logs):016}"
        self.logs[where], self.members[where], self.joined[where], self.names[where] = [], set(), {}, name
        self.roles[where] = {}
        self._join(user, where, [user, *sorted(set(members) - {user})], posts, name=name)
        self.roles[where][user] = "owner"
        return where

    def joined_at(self, where: str, user: str) -> int:
        """When the entry was written that made the user a member; 0 in a private conversation."""
        seq = self.joined_seq(where, user)
        at: int = self.logs[where][seq - 1]["timestamp"] if seq else 0
        return at

    def add_members(self, user: str, where: str, users: Iterable[str], posts: Posts) -> list[str]:
        self._check_role(user, where, "owner", "admin")
        added = sorted(set(users) - self.members[where])
        if added:
            self._join(user, where, added, posts)
        return added

    def remove_member(self, user: str, where: str, whom: str, posts: Posts) -> None:
        """Or leave."""
        self._check_role(user, where, *(("owner", "admin") if user != whom else ()))
        if whom not in self.members[where]:
            raise Refusal("not_found")
        owners = [each for each, role in self.roles[where].items() if role == "owner"]
        if owners == [whom]:
            raise Refusal("forbidden")
        entry = self._append_by(user, where, "member_removed", users=[whom])
        posts += self.everyone(where, entry)
        self.members[where].remove(whom)
        del self.roles[where][whom], self.joined[where][whom]

    def rename(self, user: str, where: str, name: str, posts: Posts) -> None:
        self._check_role(user, where, "owner", "admin")
        self.names[where] = name
        posts += self.everyone(where, self._append_by(user, where, "conversation_updated", changes={"name": name}))

    def set_role(self, user: str, where: str, whom: str, role: str, posts: Posts) -> None:
        self._check_role(user, where, "owner")
        self.roles[where][whom] = role
        changes = {"roles": {whom: role}}
        posts += self.everyone(where, self._append_by(user, where, "conversation_updated", changes=changes))

    # --- inside

    def _join(self, user: str, where: str, users: list[str], posts: Posts, **name: str) -> None:
        entry = self._append_by(user, where, "member_added", users=users, **name)
        self.members[where] |= set(users)
        self.roles[where] |= dict.fromkeys(users, "member")
        self.joined[where] |= dict.fromkeys(users, int(entry["seq"]))
        posts += self.everyone(where, entry)

    def _check_role(self, user: str, where: str, *roles: str) -> None:
        self.check_member(user, where)
        if where not in self.roles:
            raise Refusal("bad_request")
        if roles and self.roles[where][user] not in roles:
            raise Refusal("forbidden")

    def _append_by(self, user: str, where: str, kind: str, **fields: Any) -> Frame:
        return self.append(where, kind, user_id=user, timestamp=self.clock + 1, **fields)

    def _append_change(self, kind: str, user: str, where: str, seq: int, posts: Posts, **fields: Any) -> Frame:
        entry = self._append_by(user, where, kind, message_seq=seq, message_id=f"{where}/{seq}", **fields)
        posts += self.everyone(where, entry)
        return entry

    def _living_message(self, user: str, where: str, seq: int) -> Frame:
        self.check_member(user, where)
        message = self.message_at(where, seq)
        if "deleted_at" in message:
            raise Refusal("not_found")
        return message

    def _forget_edits(self, where: str, seq: int) -> None:
        """What a later change replaces is nowhere to be read any more."""
        for entry in self.logs[where]:
            if entry["type"] == "message_edited" and entry["message_seq"] == seq:
                entry["content"] = None

    def _done(self, kind: str, where: str, seq: int, entry: Frame | None) -> Frame:
        at = self.clock if entry is None else entry["timestamp"]
        entry_seq = None if entry is None else entry["seq"]
        return {"type": kind, "conversation_id": where, "seq": seq, "entry_seq": entry_seq, "timestamp": at}
