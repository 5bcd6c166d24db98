"""What each operation answers. Its path, parameters, body, summary and id are the route's own; the rest stands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import (
    Blocked,
    Conflict,
    Forbidden,
    NotAMember,
    NotFound,
    ParleyError,
    RateLimited,
    Rejected,
    SyncRequired,
)
from shared.wire.shapes import (
    admin,
    broadcasts,
    conversations,
    joining,
    messages,
    moderation,
    people,
    rights,
    service,
    users,
    webhooks,
)

TAGS: Final[Mapping[str, str]] = {
    "service": "Health, this document, and tickets for the WebSocket API.",
    "me": "The caller's own profile.",
    "conversations": "Private conversations and groups.",
    "members": "Who is in a conversation.",
    "messages": "The same operations as the WebSocket frames, for servers and bots, and the history.",
    "files": "Images and files, to be sent in messages.",
    "reminders": "Being told of a message again, later.",
    "people": "Contacts, blocks and presence.",
    "users": "The directory: what the team's server says of its users, and who reads it.",
    "devices": "Where the caller's pushes go.",
    "notifications": "What users are told outside of conversations, by servers with the scope `notifications:send`.",
    "moderation": "What users report, and those with the scope `moderation` decide.",
    "broadcasts": "What everybody is told, by servers with the scope `broadcasts:send` or `admin`.",
    "webhooks": "Where the team's backend is told what is stored. For tokens with the scope `admin`.",
    "admin": "For tokens with the scope `admin`.",
}


@dataclass(frozen=True, slots=True)
class Documented:
    """`answers`: status → body's shape, if any. `errors`: beside those of having a token, parameters or a body."""

    tag: str
    answers: Mapping[int, Any]
    errors: tuple[type[ParleyError], ...] = ()
    is_public: bool = False


_CONVERSATION: Final = (NotAMember,)
_GROUP: Final = (NotAMember, Forbidden, RateLimited)
_REACTING: Final = (NotAMember, NotFound, Forbidden, Blocked, RateLimited)

# Operation id → what it answers.
OPERATIONS: Final[Mapping[str, Documented]] = {
    "get_health": Documented("service", {200: service.Health}, is_public=True),
    "get_openapi": Documented("service", {200: service.Document}, is_public=True),
    "post_ticket": Documented("service", {200: service.Ticket}),
    "get_me": Documented("me", {200: people.Profile}),
    "put_me": Documented("me", {200: people.Profile}, (RateLimited,)),
    "post_own_export": Documented("me", {202: rights.Job}, (Forbidden, RateLimited)),
    "get_own_export": Documented("me", {200: rights.Export}, (Forbidden, NotFound)),
    "post_conversation": Documented(
        "conversations",
        {201: conversations.CreatedConversation, 200: conversations.CreatedConversation},
        (NotAMember, Conflict, RateLimited),
    ),
    "get_conversations": Documented("conversations", {200: conversations.Inbox}),
    "get_conversation": Documented("conversations", {200: conversations.OneConversation}, _CONVERSATION),
    "patch_conversation": Documented("conversations", {200: conversations.OneConversation}, (*_GROUP, Blocked)),
    "delete_conversation": Documented("conversations", {204: None}, _GROUP),
    "patch_settings": Documented("conversations", {200: conversations.Settings}, (NotAMember, RateLimited)),
    "get_members": Documented("members", {200: conversations.Members}, (NotAMember, Forbidden)),
    "post_members": Documented("members", {200: conversations.AddedMembers}, (*_GROUP, Conflict)),
    "put_member": Documented(
        "members",
        {201: conversations.Channel, 200: conversations.Channel, 202: joining.RequestChange},
        (*_GROUP, Conflict),
    ),
    "get_requests": Documented("members", {200: joining.JoinRequests}, (NotAMember, Forbidden)),
    "patch_request": Documented("members", {200: joining.RequestChange}, (*_GROUP, NotFound, Conflict)),
    "delete_request": Documented("members", {204: None}, (*_GROUP, NotFound)),
    "get_own_requests": Documented("members", {200: joining.JoinRequests}),
    "post_invite": Documented("members", {201: joining.NewInvite}, (*_GROUP, Conflict)),
    "get_invites": Documented("members", {200: joining.Invites}, (NotAMember, Forbidden)),
    "delete_invite": Documented("members", {204: None}, _GROUP),
    "get_invite": Documented("members", {200: joining.Invitation}, (NotFound,)),
    "post_invite_use": Documented(
        "members",
        {201: conversations.Channel, 200: conversations.Channel},
        (NotAMember, NotFound, Conflict, RateLimited),
    ),
    "patch_member": Documented("members", {200: conversations.ChangedMember}, (*_GROUP, NotFound, Conflict, Blocked)),
    "delete_member": Documented("members", {204: None}, (*_GROUP, NotFound)),
    "get_messages": Documented("messages", {200: messages.History}, _CONVERSATION),
    "post_message": Documented(
        "messages",
        {201: messages.SentMessage, 200: messages.SentMessage, 202: messages.HeldMessage},
        (NotAMember, NotFound, Forbidden, Blocked, Rejected, Conflict, SyncRequired, RateLimited),
    ),
    "post_read": Documented("messages", {200: messages.ReadCursor}, _CONVERSATION),
    "get_message": Documented("messages", {200: messages.SingleMessage}, (NotAMember, NotFound)),
    "patch_message": Documented(
        "messages", {200: messages.EditedMessage}, (NotAMember, NotFound, Forbidden, Blocked, Rejected, RateLimited)
    ),
    "delete_message": Documented(
        "messages", {200: messages.DeletedMessage}, (NotAMember, NotFound, Forbidden, RateLimited)
    ),
    "put_reaction": Documented("messages", {200: messages.Reaction}, (*_REACTING, Conflict)),
    "delete_reaction": Documented("messages", {200: messages.Reaction}, _REACTING),
    "get_pins": Documented("messages", {200: messages.Pins}, _CONVERSATION),
    "put_pin": Documented("messages", {200: messages.PinChange}, (*_REACTING, Conflict)),
    "delete_pin": Documented("messages", {200: messages.PinChange}, _REACTING),
    "post_file": Documented("files", {201: messages.BegunUpload}, (Conflict, RateLimited)),
    "get_file": Documented("files", {200: messages.FileAnswer}, (NotFound,)),
    "post_reminder": Documented(
        "reminders", {201: people.ReminderAnswer, 200: people.ReminderAnswer}, (NotAMember, NotFound, Conflict)
    ),
    "get_reminders": Documented("reminders", {200: people.Reminders}),
    "delete_reminder": Documented("reminders", {204: None}),
    "get_contacts": Documented("people", {200: people.Contacts}),
    "post_contact": Documented("people", {201: people.Contact, 200: people.Contact}, (Conflict, RateLimited)),
    "patch_contact": Documented("people", {200: people.Contact}, (NotFound, Conflict, RateLimited)),
    "delete_contact": Documented("people", {204: None}, (NotFound, RateLimited)),
    "get_blocks": Documented("people", {200: people.Blocks}),
    "put_block": Documented("people", {204: None}, (Conflict, RateLimited)),
    "delete_block": Documented("people", {204: None}, (RateLimited,)),
    "get_presence": Documented("people", {200: people.Presences}),
    "get_devices": Documented("devices", {200: people.Devices}),
    "put_device": Documented("devices", {200: people.DeviceAnswer}),
    "delete_device": Documented("devices", {204: None}),
    "get_web_key": Documented("devices", {200: people.WebKey}, (NotFound,)),
    "post_notification": Documented("notifications", {201: people.SentNotification}, (Forbidden,)),
    "get_notifications": Documented("notifications", {200: people.Notifications}),
    "delete_notification": Documented("notifications", {204: None}),
    "post_broadcast": Documented("broadcasts", {202: broadcasts.Broadcast}, (Forbidden, Conflict)),
    "get_broadcasts": Documented("broadcasts", {200: broadcasts.Broadcasts}, (Forbidden,)),
    "get_broadcast": Documented("broadcasts", {200: broadcasts.Broadcast}, (Forbidden, NotFound)),
    "post_pause": Documented("broadcasts", {200: broadcasts.Broadcast}, (Forbidden, NotFound, Conflict)),
    "post_resume": Documented("broadcasts", {200: broadcasts.Broadcast}, (Forbidden, NotFound, Conflict)),
    "post_cancel": Documented("broadcasts", {200: broadcasts.Broadcast}, (Forbidden, NotFound, Conflict)),
    "get_users": Documented("users", {200: users.FoundUsers}),
    "post_users": Documented("users", {200: users.Users}, (Forbidden,)),
    "get_user": Documented("users", {200: users.User}, (NotFound,)),
    "put_user": Documented("users", {201: users.User, 200: users.User}, (Forbidden,)),
    "delete_user": Documented("users", {204: None}, (Forbidden, Conflict)),
    "post_report": Documented(
        "moderation", {201: moderation.MadeReport, 200: moderation.MadeReport}, (NotAMember, NotFound, RateLimited)
    ),
    "get_reports": Documented("moderation", {200: moderation.Reports}, (Forbidden,)),
    "get_report": Documented("moderation", {200: moderation.Report}, (Forbidden, NotFound)),
    "post_decision": Documented("moderation", {200: moderation.DecidedReport}, (Forbidden, NotFound, Conflict)),
    "get_held_messages": Documented("moderation", {200: moderation.HeldMessages}, (Forbidden,)),
    "get_held_message": Documented("moderation", {200: moderation.HeldForReview}, (Forbidden, NotFound)),
    "post_held_decision": Documented("moderation", {200: moderation.ReviewedMessage}, (Forbidden, NotFound, Conflict)),
    "get_word_lists": Documented("moderation", {200: moderation.WordLists}, (Forbidden,)),
    "put_word_list": Documented(
        "moderation", {201: moderation.WordList, 200: moderation.WordList}, (Forbidden, Conflict)
    ),
    "delete_word_list": Documented("moderation", {204: None}, (Forbidden, NotFound)),
    "post_removal": Documented("moderation", {202: rights.Job}, (Forbidden, Conflict)),
    "get_removal": Documented("moderation", {200: rights.Job}, (Forbidden, NotFound)),
    "put_shadow_ban": Documented("moderation", {200: moderation.ShadowBan}, (Forbidden, Conflict)),
    "get_shadow_ban": Documented("moderation", {200: moderation.ShadowBan}, (Forbidden, NotFound)),
    "delete_shadow_ban": Documented("moderation", {204: None}, (Forbidden,)),
    "get_connections": Documented("admin", {200: people.Connections}, (Forbidden,)),
    "delete_connections": Documented("admin", {200: service.Closed}, (Forbidden,)),
    "put_ban": Documented("admin", {200: admin.BanGiven}, (Forbidden,)),
    "get_ban": Documented("admin", {200: admin.Ban}, (Forbidden, NotFound)),
    "delete_ban": Documented("admin", {204: None}, (Forbidden,)),
    "post_revoke": Documented("admin", {200: admin.Revoked}, (Forbidden,)),
    "post_export": Documented("admin", {202: rights.Job}, (Forbidden,)),
    "get_export": Documented("admin", {200: rights.Export}, (Forbidden, NotFound)),
    "post_erasure": Documented("admin", {202: rights.Job}, (Forbidden, Conflict)),
    "get_erasure": Documented("admin", {200: rights.Erasure}, (Forbidden, NotFound)),
    "put_hold": Documented("admin", {200: rights.Hold}, (Forbidden,)),
    "get_hold": Documented("admin", {200: rights.Hold}, (Forbidden, NotFound)),
    "delete_hold": Documented("admin", {204: None}, (Forbidden,)),
    "put_conversation_hold": Documented("admin", {200: rights.ConversationHold}, (Forbidden, NotFound)),
    "get_conversation_hold": Documented("admin", {200: rights.ConversationHold}, (Forbidden, NotFound)),
    "delete_conversation_hold": Documented("admin", {204: None}, (Forbidden,)),
    "post_import": Documented("admin", {200: rights.Import}, (Forbidden,)),
    "get_webhooks": Documented("webhooks", {200: webhooks.Webhooks}, (Forbidden, NotFound)),
    "get_webhook": Documented("webhooks", {200: webhooks.Webhook}, (Forbidden, NotFound)),
    "put_webhook": Documented(
        "webhooks", {201: webhooks.WebhookWithSecret, 200: webhooks.Webhook}, (Forbidden, NotFound, Conflict)
    ),
    "delete_webhook": Documented("webhooks", {204: None}, (Forbidden, NotFound)),
    "post_rotate": Documented("webhooks", {200: webhooks.WebhookWithSecret}, (Forbidden, NotFound)),
    "post_replay": Documented("webhooks", {202: webhooks.Replaying}, (Forbidden, NotFound)),
    "post_test": Documented("webhooks", {202: webhooks.Trying}, (Forbidden, NotFound)),
    "get_audit": Documented("admin", {200: admin.Audit}, (Forbidden,)),
}
