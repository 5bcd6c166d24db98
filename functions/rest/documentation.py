"""What each operation answers. Its path, parameters, body, summary and id are the route's own; the rest stands here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import Blocked, Conflict, Forbidden, NotAMember, NotFound, ParleyError, RateLimited, SyncRequired
from shared.wire.rest import answers
from shared.wire.rest import file_answers as files
from shared.wire.rest import notification_answers as notifications

TAGS: Final[Mapping[str, str]] = {
    "service": "Health, this document, and tickets for the WebSocket API.",
    "me": "The caller's own profile.",
    "conversations": "Private conversations and groups.",
    "members": "Who is in a conversation.",
    "messages": "The same operations as the WebSocket frames, for servers and bots, and the history.",
    "files": "Images and files, to be sent in messages.",
    "reminders": "Being told of a message again, later.",
    "people": "Contacts, blocks and presence.",
    "devices": "Where the caller's pushes go.",
    "notifications": "What users are told outside of conversations, by servers with the scope `notifications:send`.",
    "admin": "For tokens with the scope `admin`.",
}


@dataclass(frozen=True, slots=True)
class Documented:
    """`answers` are success status → the shape of the body (None: there is none).

    `errors` are those of the operation itself: what follows from its having a token, parameters or a body is added.
    """

    tag: str
    answers: Mapping[int, Any]
    errors: tuple[type[ParleyError], ...] = ()
    is_public: bool = False


_CONVERSATION: Final = (NotAMember,)
_GROUP: Final = (NotAMember, Forbidden, RateLimited)
_REACTING: Final = (NotAMember, NotFound, Blocked, RateLimited)

# Operation id → what it answers.
OPERATIONS: Final[Mapping[str, Documented]] = {
    "get_health": Documented("service", {200: answers.Health}, is_public=True),
    "get_openapi": Documented("service", {200: answers.Document}, is_public=True),
    "post_ticket": Documented("service", {200: answers.Ticket}),
    "get_me": Documented("me", {200: answers.Profile}),
    "put_me": Documented("me", {200: answers.Profile}),
    "post_conversation": Documented(
        "conversations",
        {201: answers.CreatedConversation, 200: answers.CreatedConversation},
        (NotAMember, Conflict, RateLimited),
    ),
    "get_conversations": Documented("conversations", {200: answers.Inbox}),
    "get_conversation": Documented("conversations", {200: answers.Conversation}, _CONVERSATION),
    "patch_conversation": Documented("conversations", {200: answers.Conversation}, _GROUP),
    "delete_conversation": Documented("conversations", {204: None}, _GROUP),
    "patch_settings": Documented("conversations", {200: answers.Settings}, _CONVERSATION),
    "get_members": Documented("members", {200: answers.Members}, _CONVERSATION),
    "post_members": Documented("members", {200: answers.AddedMembers}, (*_GROUP, Conflict)),
    "patch_member": Documented("members", {200: answers.GrantedRole}, (*_GROUP, NotFound)),
    "delete_member": Documented("members", {204: None}, (*_GROUP, NotFound)),
    "get_messages": Documented("messages", {200: answers.History}, _CONVERSATION),
    "post_message": Documented(
        "messages",
        {201: answers.SentMessage, 200: answers.SentMessage},
        (NotAMember, NotFound, Blocked, Conflict, SyncRequired, RateLimited),
    ),
    "post_read": Documented("messages", {200: answers.ReadCursor}, _CONVERSATION),
    "get_message": Documented("messages", {200: answers.SingleMessage}, (NotAMember, NotFound)),
    "patch_message": Documented(
        "messages", {200: answers.EditedMessage}, (NotAMember, NotFound, Forbidden, Blocked, RateLimited)
    ),
    "delete_message": Documented(
        "messages", {200: answers.DeletedMessage}, (NotAMember, NotFound, Forbidden, RateLimited)
    ),
    "put_reaction": Documented("messages", {200: answers.Reaction}, (*_REACTING, Conflict)),
    "delete_reaction": Documented("messages", {200: answers.Reaction}, (*_REACTING, Forbidden)),
    "post_file": Documented("files", {201: files.BegunUpload}, (Conflict, RateLimited)),
    "get_file": Documented("files", {200: files.FileAnswer}, (NotFound,)),
    "post_reminder": Documented(
        "reminders",
        {201: notifications.ReminderAnswer, 200: notifications.ReminderAnswer},
        (NotAMember, NotFound, Conflict),
    ),
    "get_reminders": Documented("reminders", {200: notifications.Reminders}),
    "delete_reminder": Documented("reminders", {204: None}),
    "get_contacts": Documented("people", {200: answers.Contacts}),
    "post_contact": Documented("people", {201: answers.Contact, 200: answers.Contact}, (Conflict, RateLimited)),
    "patch_contact": Documented("people", {200: answers.Contact}, (NotFound, Conflict, RateLimited)),
    "delete_contact": Documented("people", {204: None}, (NotFound,)),
    "get_blocks": Documented("people", {200: answers.Blocks}),
    "put_block": Documented("people", {204: None}, (Conflict,)),
    "delete_block": Documented("people", {204: None}),
    "get_presence": Documented("people", {200: answers.Presences}),
    "get_devices": Documented("devices", {200: notifications.Devices}),
    "put_device": Documented("devices", {200: notifications.DeviceAnswer}),
    "delete_device": Documented("devices", {204: None}),
    "post_notification": Documented("notifications", {201: notifications.SentNotification}, (Forbidden,)),
    "get_notifications": Documented("notifications", {200: notifications.Notifications}),
    "delete_notification": Documented("notifications", {204: None}),
    "delete_connections": Documented("admin", {200: answers.Closed}, (Forbidden,)),
}
