"""What the server knows of devices, notifications and reminders."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.client.model import Frame, Posts, Refusal


@dataclass
class NotificationModel:
    devices: dict[str, dict[str, Frame]] = field(default_factory=dict)
    notifications: dict[str, dict[str, Frame]] = field(default_factory=dict)
    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    reminders: dict[str, dict[str, Frame]] = field(default_factory=dict)
    senders: set[str] = field(default_factory=set)
    page: int = 100

    def tell(self, user: str, notification_id: str, **more: object) -> Frame:
        """A notification that is kept until it is acknowledged: its event."""
        told: Frame = {"id": notification_id, "kind": "system", "title": "t", "body": "", "data": {}, "created_at": 1}
        told = self.notifications.setdefault(user, {}).setdefault(notification_id, {**told, **more})
        return {"type": "notification", "notification": told}

    def on_devices(self, user: str, method: str, rest: list[str], body: Frame) -> tuple[int, Frame]:
        mine = self.devices.setdefault(user, {})
        if method == "PUT":
            environment = body.get("environment", "production") if body["platform"] == "apns" else None
            given = {"app_id": None, **body, "environment": environment}
            mine[rest[0]] = {**given, "device_id": rest[0], "registered_at": len(mine) + 1}
            return 200, mine[rest[0]]
        if method == "DELETE":
            mine.pop(rest[0], None)
            return 204, {}
        return 200, {"devices": list(reversed(mine.values()))}

    def on_notifications(self, user: str, method: str, rest: list[str], body: Frame, posts: Posts) -> tuple[int, Frame]:
        if method == "POST":
            if user not in self.senders:
                raise Refusal("forbidden")
            notification_id = body.pop("notification_id", "made-up")
            users = body.pop("users")
            posts += [(each, self.tell(each, notification_id, **body)) for each in users]
            return 201, {"notification_id": notification_id, "users": len(users)}
        mine = self.notifications.setdefault(user, {})
        if method == "DELETE":
            mine.pop(rest[0], None)
            self.acknowledged.append((user, rest[0]))
            return 204, {}
        listed = [{"conversation_id": None, "seq": None, **each} for each in mine.values()]
        return 200, {"notifications": listed[: self.page]}

    def remind(self, user: str, conversation_id: str, seq: int, at: int) -> tuple[int, Frame]:
        reminder_id = f"{conversation_id}-{seq}-{at}".replace(":", "-")
        mine = self.reminders.setdefault(user, {})
        status = 200 if reminder_id in mine else 201
        mine[reminder_id] = {"reminder_id": reminder_id, "conversation_id": conversation_id, "seq": seq, "at": at}
        return status, mine[reminder_id]

    def on_reminders(self, user: str, method: str, rest: list[str]) -> tuple[int, Frame]:
        mine = self.reminders.setdefault(user, {})
        if method == "DELETE":
            mine.pop(rest[0], None)
            return 204, {}
        return 200, {"reminders": sorted(mine.values(), key=lambda each: each["at"])}
