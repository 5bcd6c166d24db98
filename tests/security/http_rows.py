"""Every operation of the HTTP API, and what each answers to those who may not."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from tests.security.scenario import BROADCAST, HELD, NOTIFICATION, REMINDER, REPORT

LATER: Final = time.time_ns() // 1_000_000 + 86_400_000
THUMB: Final = "%F0%9F%91%8D"


@dataclass(frozen=True)
class Row:
    """One request. `allowed` is the status for users who may."""

    operation: str
    method: str
    path: str
    allowed: int
    body: Any = None
    query: dict[str, str] | None = None


@dataclass(frozen=True)
class Inside(Row):
    """About a conversation, whose id stands for `{c}`: alice may.

    An outsider is told `not_a_member`, 404. `plain` is what a member without a role and without a part in the
    thing is told; `blocked` what alice is told about her conversation with dave, who blocks her.
    """

    plain: tuple[int, str | None] = (200, None)
    blocked: tuple[int, str | None] = (200, None)
    owner: str = "alice"


@dataclass(frozen=True)
class Own(Row):
    """About what is the caller's own. `stranger` is what mallory is told who asks just the same, with the same ids."""

    stranger: tuple[int, str | None] = (200, None)


@dataclass(frozen=True)
class Scoped(Row):
    """Only with this scope."""

    scope: str = ""


@dataclass(frozen=True)
class Public(Row):
    """Without a token, too."""


_BLOCKED, _FORBIDDEN = (403, "blocked"), (403, "forbidden")
_NO_GROUP = (400, "bad_request")
C: Final = "/v1/conversations/{c}"

IMPORT: Final = {
    "lines": [
        {
            "type": "message",
            "id": "m1",
            "conversation_id": "dm:victor:zoe",
            "sender_id": "zoe",
            "content": "hi",
            "created_at": 2,
        }
    ]
}

ROWS: Final[list[Row]] = [
    Public("get_health", "GET", "/v1/health", 200),
    Public("get_openapi", "GET", "/v1/openapi.json", 200),
    # --- conversations
    Inside("get_conversation", "GET", C, 200),
    Inside("patch_conversation", "PATCH", C, 200, {"name": "Ours"}, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("delete_conversation", "DELETE", C, 204, plain=(204, None), blocked=(204, None), owner="bob"),
    Inside("patch_settings", "PATCH", f"{C}/settings", 200, {"notify": "none"}),
    Inside("get_members", "GET", f"{C}/members", 200),
    Inside("post_members", "POST", f"{C}/members", 200, {"users": ["frank"]}, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("put_member", "PUT", f"{C}/members/alice", 200, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("get_requests", "GET", f"{C}/requests", 200, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside(
        "patch_request",
        "PATCH",
        f"{C}/requests/frank",
        404,
        {"status": "accepted"},
        plain=_FORBIDDEN,
        blocked=_NO_GROUP,
    ),
    Inside("delete_request", "DELETE", f"{C}/requests/frank", 404, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("post_invite", "POST", f"{C}/invites", 201, {}, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("get_invites", "GET", f"{C}/invites", 200, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("delete_invite", "DELETE", f"{C}/invites/x", 204, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("patch_member", "PATCH", f"{C}/members/bob", 200, {"role": "owner"}, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("delete_member", "DELETE", f"{C}/members/bob", 204, plain=_FORBIDDEN, blocked=_NO_GROUP),
    Inside("get_pins", "GET", f"{C}/pins", 200),
    Inside("put_pin", "PUT", f"{C}/pins/{{m}}", 200, plain=_FORBIDDEN, blocked=_BLOCKED),
    Inside("delete_pin", "DELETE", f"{C}/pins/{{m}}", 200, plain=_FORBIDDEN, blocked=_BLOCKED),
    Inside("get_messages", "GET", f"{C}/messages", 200),
    Inside("get_messages", "GET", f"{C}/messages", 200, query={"after": "0"}),
    Inside("post_message", "POST", f"{C}/messages", 201, {"content": "hi"}, plain=(201, None), blocked=_BLOCKED),
    Inside(
        "post_message",
        "POST",
        f"{C}/messages",
        201,
        {"content": "hi", "client_message_id": "k", "after": 1},
        plain=(201, None),
        blocked=_BLOCKED,
    ),
    Inside("post_read", "POST", f"{C}/read", 200, {"seq": 1}),
    Inside("get_message", "GET", f"{C}/messages/{{m}}", 200),
    Inside(
        "patch_message", "PATCH", f"{C}/messages/{{m}}", 200, {"content": "better"}, plain=_FORBIDDEN, blocked=_BLOCKED
    ),
    Inside("delete_message", "DELETE", f"{C}/messages/{{m}}", 200, plain=_FORBIDDEN),
    Inside("put_reaction", "PUT", f"{C}/messages/{{m}}/reactions/{THUMB}", 200, blocked=_BLOCKED),
    Inside("delete_reaction", "DELETE", f"{C}/messages/{{m}}/reactions/{THUMB}", 200, blocked=_BLOCKED),
    Inside(
        "post_reminder",
        "POST",
        f"{C}/messages/{{m}}/reminders",
        201,
        {"at": LATER},
        plain=(201, None),
        blocked=(201, None),
    ),
    # --- one's own
    Own("post_ticket", "POST", "/v1/tickets", 200),
    Own("get_own_requests", "GET", "/v1/requests", 200),
    Own("get_invite", "GET", "/v1/invites/x", 404, stranger=(404, "not_found")),
    Own("post_invite_use", "POST", "/v1/invites/x", 404, stranger=(404, "not_found")),
    Own("get_me", "GET", "/v1/me", 200),
    Own("put_me", "PUT", "/v1/me", 200, {"display_name": "Me"}),
    Own(
        "post_conversation", "POST", "/v1/conversations", 200, {"type": "private", "with": "bob"}, stranger=(201, None)
    ),
    Own(
        "post_conversation",
        "POST",
        "/v1/conversations",
        201,
        {"type": "group", "name": "New", "members": ["mallorys-friend"]},
        stranger=(201, None),
    ),
    Own("get_conversations", "GET", "/v1/conversations", 200),
    Own(
        "post_file",
        "POST",
        "/v1/files",
        201,
        {"name": "a.png", "content_type": "image/png", "size": 9},
        stranger=(201, None),
    ),
    Own("get_file", "GET", "/v1/files/cage", 200, stranger=(404, "not_found")),
    Own("get_file", "GET", "/v1/files/draft", 200, stranger=(404, "not_found")),
    Own("get_reminders", "GET", "/v1/reminders", 200),
    Own("delete_reminder", "DELETE", f"/v1/reminders/{REMINDER}", 204, stranger=(204, None)),
    Own("get_contacts", "GET", "/v1/contacts", 200),
    Own("post_contact", "POST", "/v1/contacts", 200, {"user_id": "bob"}, stranger=(201, None)),
    Own("patch_contact", "PATCH", "/v1/contacts/bob", 200, {"alias": "Bobby"}, stranger=(404, "not_found")),
    Own("delete_contact", "DELETE", "/v1/contacts/bob", 204, stranger=(404, "not_found")),
    Own("get_blocks", "GET", "/v1/blocks", 200),
    Own("put_block", "PUT", "/v1/blocks/bob", 204, stranger=(204, None)),
    Own("delete_block", "DELETE", "/v1/blocks/victor", 204, stranger=(204, None)),
    Own("get_presence", "GET", "/v1/presence", 200, query={"users": "bob,carol,erin"}),
    Own("get_devices", "GET", "/v1/devices", 200),
    Own("put_device", "PUT", "/v1/devices/phone", 200, {"platform": "fcm", "token": "another"}),
    Own("delete_device", "DELETE", "/v1/devices/phone", 204, stranger=(204, None)),
    Own("get_web_key", "GET", "/v1/push/web-key", 404, stranger=(404, "not_found")),
    Own("get_notifications", "GET", "/v1/notifications", 200),
    Own("delete_notification", "DELETE", f"/v1/notifications/{NOTIFICATION}", 204, stranger=(204, None)),
    # --- for servers and operators
    Scoped(
        "post_notification",
        "POST",
        "/v1/notifications",
        201,
        {"users": ["alice", "bob"], "title": "Maintenance"},
        scope="notifications:send",
    ),
    Scoped("post_broadcast", "POST", "/v1/broadcasts", 202, {"title": "Maintenance"}, scope="broadcasts:send"),
    Scoped("get_broadcasts", "GET", "/v1/broadcasts", 200, scope="broadcasts:send"),
    Scoped("get_broadcast", "GET", f"/v1/broadcasts/{BROADCAST}", 200, scope="broadcasts:send"),
    *(
        Scoped(f"post_{how}", "POST", f"/v1/broadcasts/{BROADCAST}/{how}", 200, scope="broadcasts:send")
        for how in ("pause", "resume", "cancel")
    ),
    Own("get_users", "GET", "/v1/users", 200, query={"ids": "alice,bob"}),
    Own("get_user", "GET", "/v1/users/alice", 404, stranger=(404, "not_found")),
    Scoped("post_users", "POST", "/v1/users", 200, {"users": [{"user_id": "alice", "name": "Alice"}]}, scope="admin"),
    Scoped("put_user", "PUT", "/v1/users/alice", 201, {"name": "Alice"}, scope="admin"),
    Scoped("delete_user", "DELETE", "/v1/users/alice", 204, scope="admin"),
    Own("post_report", "POST", "/v1/reports", 201, {"user_id": "bob", "reason": "spam"}, stranger=(201, None)),
    Scoped("get_reports", "GET", "/v1/reports", 200, scope="moderation"),
    Scoped("get_report", "GET", f"/v1/reports/{REPORT}", 200, scope="moderation"),
    Scoped("post_decision", "POST", f"/v1/reports/{REPORT}/decision", 200, {"decision": "dismiss"}, scope="moderation"),
    Scoped("get_held_messages", "GET", "/v1/held", 200, scope="moderation"),
    Scoped("get_held_message", "GET", f"/v1/held/{HELD}", 200, scope="moderation"),
    Scoped("post_held_decision", "POST", f"/v1/held/{HELD}/decision", 200, {"decision": "reject"}, scope="moderation"),
    Scoped("get_word_lists", "GET", "/v1/word-lists", 200, scope="admin"),
    Scoped("put_word_list", "PUT", "/v1/word-lists/rude", 201, {"action": "mask", "words": ["x"]}, scope="admin"),
    Scoped("delete_word_list", "DELETE", "/v1/word-lists/canaries", 204, scope="admin"),
    Scoped("post_removal", "POST", "/v1/users/victor/removal", 202, scope="moderation"),
    Scoped("get_removal", "GET", "/v1/users/alice/removal", 200, scope="moderation"),
    Scoped("put_shadow_ban", "PUT", "/v1/users/victor/shadow-ban", 200, {"reason": "spam"}, scope="admin"),
    Scoped("get_shadow_ban", "GET", "/v1/users/shadow/shadow-ban", 200, scope="admin"),
    Scoped("delete_shadow_ban", "DELETE", "/v1/users/shadow/shadow-ban", 204, scope="admin"),
    Scoped("get_connections", "GET", "/v1/users/alice/connections", 200, scope="admin"),
    Scoped("delete_connections", "DELETE", "/v1/users/alice/connections", 200, scope="admin"),
    Scoped("put_ban", "PUT", "/v1/users/victor/ban", 200, {"reason": "spam"}, scope="admin"),
    Scoped("get_ban", "GET", "/v1/users/banned/ban", 200, scope="admin"),
    Scoped("delete_ban", "DELETE", "/v1/users/victor/ban", 204, scope="admin"),
    Scoped("post_revoke", "POST", "/v1/users/victor/revoke", 200, {"issued_before": 1}, scope="admin"),
    Own("post_own_export", "POST", "/v1/me/export", 202, stranger=(202, None)),
    Own("get_own_export", "GET", "/v1/me/export", 200, stranger=(404, "not_found")),
    Scoped("post_export", "POST", "/v1/users/victor/export", 202, scope="admin"),
    Scoped("get_export", "GET", "/v1/users/alice/export", 200, scope="admin"),
    Scoped("post_erasure", "POST", "/v1/users/victor/erasure", 202, scope="admin"),
    Scoped("get_erasure", "GET", "/v1/users/alice/erasure", 200, scope="admin"),
    Scoped("put_hold", "PUT", "/v1/users/victor/hold", 200, {"reason": "a trial"}, scope="admin"),
    Scoped("get_hold", "GET", "/v1/users/held/hold", 200, scope="admin"),
    Scoped("delete_hold", "DELETE", "/v1/users/held/hold", 204, scope="admin"),
    Scoped(
        "put_conversation_hold", "PUT", "/v1/conversations/dm:alice:bob/hold", 200, {"reason": "a trial"}, scope="admin"
    ),
    Scoped("get_conversation_hold", "GET", "/v1/conversations/dm:alice:bob/hold", 200, scope="admin"),
    Scoped("delete_conversation_hold", "DELETE", "/v1/conversations/dm:alice:bob/hold", 204, scope="admin"),
    Scoped("post_import", "POST", "/v1/imports", 200, IMPORT, scope="admin"),
    Scoped("put_webhook", "PUT", "/v1/webhooks/crm", 200, {"url": "https://crm.example.com"}, scope="admin"),
    Scoped("get_webhooks", "GET", "/v1/webhooks", 200, scope="admin"),
    Scoped("get_webhook", "GET", "/v1/webhooks/crm", 200, scope="admin"),
    Scoped("post_rotate", "POST", "/v1/webhooks/crm/rotate", 200, scope="admin"),
    Scoped("post_replay", "POST", "/v1/webhooks/crm/replay", 202, {"since": 1}, scope="admin"),
    Scoped("post_test", "POST", "/v1/webhooks/crm/test", 202, scope="admin"),
    Scoped("delete_webhook", "DELETE", "/v1/webhooks/crm", 204, scope="admin"),
    Scoped("get_audit", "GET", "/v1/audit", 200, scope="admin"),
]
