"""The HTTP side of the model server, without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.client.fake_storage import FakeStorage, FileModel
from tests.client.model import Frame, Model, Posts, Refusal
from tests.client.notification_model import NotificationModel

Answer = tuple[int, Frame, Posts]
_STATUS = {"not_a_member": 404, "not_found": 404, "forbidden": 403, "blocked": 403, "bad_request": 400}


@dataclass(frozen=True)
class Asked:
    """`rest` is the path behind its area; `posts` collects the events for everybody."""

    user: str
    method: str
    rest: list[str]
    query: dict[str, str]
    body: Frame
    posts: Posts


@dataclass
class HttpModel:
    model: Model
    profiles: dict[str, Frame] = field(default_factory=dict)
    settings: dict[tuple[str, str], Frame] = field(default_factory=dict)
    contacts: dict[tuple[str, str], Frame] = field(default_factory=dict)
    blocked: dict[str, set[str]] = field(default_factory=dict)
    created: dict[tuple[str, str], str] = field(default_factory=dict)
    notices: NotificationModel = field(default_factory=NotificationModel)
    files: FileModel = field(default_factory=lambda: FileModel(FakeStorage()))

    def answer(self, user: str, method: str, path: str, query: dict[str, str], body: Frame) -> Answer:
        """Status, JSON, and the events for everybody."""
        posts: Posts = []
        _, _, area, *rest = map(unquote, path.split("/"))
        areas: dict[str, Callable[[Asked], tuple[int, Any]]] = {
            "me": self._me,
            "conversations": self._conversations,
            "contacts": self._contacts,
            "blocks": self._blocks,
            "presence": self._presence,
            "devices": lambda asked: self.notices.on_devices(asked.user, asked.method, asked.rest, asked.body),
            "notifications": self._notifications,
            "reminders": lambda asked: self.notices.on_reminders(asked.user, asked.method, asked.rest),
            "files": self._files,
        }
        try:
            status, answer = areas[area](Asked(user, method, rest, query, body, posts))
        except KeyError:
            return 404, {"error": "There is no such path", "code": "not_found", "retryable": False}, []
        except Refusal as refusal:
            return _STATUS[refusal.body["code"]], refusal.body, []
        return status, answer, posts

    def _notifications(self, asked: Asked) -> tuple[int, Any]:
        return self.notices.on_notifications(asked.user, asked.method, asked.rest, asked.body, asked.posts)

    def _files(self, asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST":
            return 201, self.files.announce(asked.user, asked.body)
        return 200, self.files.get(asked.user, asked.rest[0])

    def _me(self, asked: Asked) -> tuple[int, Any]:
        profile = self.profiles.setdefault(
            asked.user,
            {
                "user_id": asked.user,
                "display_name": None,
                "avatar_url": None,
                "hide_presence": False,
                "groups_from": "everyone",
                "mail": "all",
                "mail_stopped": None,
                "push": {"previews": True, "quiet_hours": None},
            },
        )
        if asked.method == "PUT":
            profile["push"] |= asked.body.pop("push", {})
            profile |= asked.body
        return 200, profile

    def _conversations(self, asked: Asked) -> tuple[int, Any]:
        if not asked.rest:
            return self._create(asked) if asked.method == "POST" else (200, self._inbox(asked.user))
        where, *more = asked.rest
        self.model.check_member(asked.user, where)
        if not more:
            return self._conversation(asked, where)
        parts: dict[str, Callable[[], tuple[int, Any]]] = {
            "members": lambda: self._members(asked, where),
            "messages": lambda: self._messages(asked, where),
            "settings": lambda: (200, self._settings(asked.user, where, asked.body)),
        }
        return parts[more[0]]()

    def _create(self, asked: Asked) -> tuple[int, Any]:
        if asked.body["type"] == "private":
            where = self.model.dm(asked.user, asked.body["with"])
            return 201, {"id": where, "type": "private", "members": sorted(self.model.members[where])}
        key = (asked.user, asked.body.get("client_conversation_id", f"{len(self.created)}"))
        status = 200 if key in self.created else 201
        if status == 201:
            self.created[key] = self.model.create_group(
                asked.user, asked.body["name"], asked.body["members"], asked.posts
            )
        where = self.created[key]
        answer = {"id": where, "type": "group", "name": self.model.names[where], "role": "owner"}
        members = sorted(self.model.members[where])
        return status, {**answer, "members": members, "head": len(self.model.logs[where])}

    def _conversation(self, asked: Asked, where: str) -> tuple[int, Any]:
        if asked.method == "PATCH":
            self.model.rename(asked.user, where, asked.body["name"], asked.posts)
        if asked.method == "DELETE":
            if where in self.model.roles:
                self.model.remove_member(asked.user, where, asked.user, asked.posts)
            return 204, {}
        return 200, self._summary(asked.user, where)

    def _members(self, asked: Asked, where: str) -> tuple[int, Any]:
        if asked.method == "POST":
            added = self.model.add_members(asked.user, where, asked.body["users"], asked.posts)
            return 200, {"added": added, "members_count": len(self.model.members[where])}
        if asked.method == "PATCH":
            self.model.set_role(asked.user, where, asked.rest[2], asked.body["role"], asked.posts)
            return 200, {"user_id": asked.rest[2], **asked.body}
        if asked.method == "DELETE":
            self.model.remove_member(asked.user, where, asked.rest[2], asked.posts)
            return 204, {}
        roles = self.model.roles.get(where, {})
        return 200, {
            "members": [
                {
                    "user_id": each,
                    "role": roles.get(each, "member"),
                    "joined_at": self.model.joined_at(where, each),
                    "read_seq": self.model.cursors.get(("read", where, each), 0),
                    "delivered_seq": self.model.cursors.get(("delivered", where, each), 0),
                }
                for each in sorted(self.model.members[where])
            ]
        }

    def _settings(self, user: str, where: str, body: Frame) -> Frame:
        chosen = {"muted_until": None, "notify": "all", "pinned": False, "archived": False}
        settings = self.settings.setdefault((user, where), chosen)
        settings |= body
        return settings

    def _messages(self, asked: Asked, where: str) -> tuple[int, Any]:
        if asked.method == "POST":
            return self.notices.remind(asked.user, where, int(asked.rest[2]), asked.body["at"])
        if len(asked.rest) > 2:
            message = dict(self.model.message_at(where, int(asked.rest[2])))
            others = list(self.model.others(where, asked.user))
            read = sum(self.model.cursors.get(("read", where, each), 0) >= message["seq"] for each in others)
            if message["sender_id"] == asked.user:
                message["status"] = "read" if read == len(others) else "sent"
                message["receipts"] = {"members": len(others), "delivered": read, "read": read}
            return 200, message
        messages, limit = self.model.messages(where), int(asked.query.get("limit", 50))
        if "after" in asked.query:
            found = [each for each in messages if each["seq"] > int(asked.query["after"])]
        else:
            before = int(asked.query.get("before", len(self.model.logs[where]) + 1))
            found = [each for each in reversed(messages) if each["seq"] < before]
        return 200, {"messages": found[:limit], "has_more": len(found) > limit}

    def _inbox(self, user: str) -> Frame:
        mine = [each for each in self.model.logs if user in self.model.members[each]]
        return {"conversations": [self._summary(user, each) for each in mine], "next_cursor": None}

    def _summary(self, user: str, where: str) -> Frame:
        messages, members = self.model.messages(where), sorted(self.model.members[where])
        group = where in self.model.roles
        return {
            "id": where,
            "type": "group" if group else "private",
            "name": self.model.names.get(where),
            "head": len(self.model.logs[where]),
            "last_message": messages[-1] if messages else None,
            "unread": self.model.unread(where, user),
            "read_seq": self.model.cursors.get(("read", where, user), 0),
            "delivered_seq": self.model.cursors.get(("delivered", where, user), 0),
            "joined_seq": self.model.joined_seq(where, user),
            "members": None if group else members,
            "member_count": len(members),
            "role": self.model.roles[where][user] if group else None,
            **self._settings(user, where, {}),
        }

    def _contacts(self, asked: Asked) -> tuple[int, Any]:
        if asked.method == "GET":
            return 200, {"contacts": [each for (owner, _), each in self.contacts.items() if owner == asked.user]}
        other = asked.rest[0] if asked.rest else asked.body["user_id"]
        mine, theirs = (asked.user, other), (other, asked.user)
        if asked.method == "POST":
            known = mine in self.contacts
            self.contacts[mine] = {"user_id": other, "status": "accepted" if known else "requested"}
            self.contacts[mine] |= {"alias": None, "since": self.model.clock}
            status = "accepted" if known else "incoming"
            self.contacts[theirs] = {**self.contacts[mine], "user_id": asked.user, "status": status}
            return 201, self.contacts[mine]
        if mine not in self.contacts:
            raise Refusal("not_found")
        if asked.method == "DELETE":
            del self.contacts[mine], self.contacts[theirs]
            return 204, {}
        self.contacts[mine] |= asked.body
        return 200, self.contacts[mine]

    def _blocks(self, asked: Asked) -> tuple[int, Any]:
        blocked = self.blocked.setdefault(asked.user, set())
        if asked.method == "GET":
            return 200, {"blocks": sorted(blocked)}
        (blocked.add if asked.method == "PUT" else blocked.discard)(asked.rest[0])
        return 204, {}

    def _presence(self, asked: Asked) -> tuple[int, Any]:
        return 200, {"users": self.model.presence(asked.query["users"].split(","))}
