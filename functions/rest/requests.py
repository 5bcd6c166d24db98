"""What comes in: the event as the resolver needs it, bodies and parameters."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Never
from urllib.parse import quote, unquote

from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from pydantic import BeforeValidator, Field

from shared.domain.reports import ReportStatus
from shared.domain.rules import MAX_EMOJI_BYTES, MAX_PAGE
from shared.domain.text import MAX_CONVERSATION_ID, MAX_DEVICE_ID, MAX_NUMBER, MAX_USER_ID
from shared.domain.users import MAX_BULK
from shared.errors import BadRequest, TooLarge
from shared.operations.devices import DEVICE_ID_PATTERN
from shared.operations.notifications import NOTIFICATION_ID_PATTERN
from shared.operations.webhooks import WEBHOOK_ID_PATTERN
from shared.wire.common import MAX_CURSOR, MAX_DEPTH
from shared.wire.rest.common import ClientId, EntrySeq, Seq, UserId

MAX_BODY_BYTES: Final = 64 * 1_024
MAX_PRESENCES: Final = 100
_KEPT_IN_PATHS: Final = "/%-._~()'!*:@,;=+&$"
_DIGITS: Final = len(str(MAX_NUMBER))
# Where an id stands: a slash in it is a part of it, and no other path. The gateway decodes paths before we see them.
_PLACES_OF_IDS: Final = re.compile(
    r"/v1/(?:blocks|contacts|devices|files|invites|notifications|reminders|word-lists)/(?P<id>.+)"
    r"|/v1/broadcasts/(?P<halted>.+)/(?:pause|resume|cancel)"
    r"|/v1/broadcasts/(?P<broadcast>.+)"
    r"|/v1/(?:reports|held)/(?P<decided>.+)/decision"
    r"|/v1/(?:reports|held)/(?P<one>.+)"
    r"|/v1/users/(?P<user>.+)/(?:connections|ban|removal|shadow-ban|revoke|export|erasure|hold)"
    r"|/v1/users/(?P<named>.+)"
    r"|/v1/conversations/[^/]+/(?:members|pins|requests|invites|messages/[^/]+/reactions)/(?P<in_it>.+)"
    r"|/v1/webhooks/(?P<hook>.+)/(?:rotate|replay|test)"
    r"|/v1/webhooks/(?P<hooked>.+)"
)


def prepared(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event with its body as text that is taken for JSON whatever it calls itself, and its path percent-encoded.

    A gateway may hand over a path that it has decoded already; an emoji, which the resolver does not know, it would not
    find. Bytes that are no UTF-8 become half surrogate pairs, which `parse_body` refuses. HEAD is routed as GET.
    """
    context = event["requestContext"]
    given = {name: value for name, value in event.get("headers", {}).items() if name.lower() != "content-type"}
    body = event.get("body")
    if body and event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode(errors="surrogateescape")
    elif body and _was_mended(body, given):
        body = body.replace("\ufffd", "\udcff")
    if is_head(event):
        context = {**context, "http": {**context["http"], "method": "GET"}}
    return {
        **event,
        "requestContext": context,
        "rawPath": quote(whole_ids(event["rawPath"]), safe=_KEPT_IN_PATHS, errors="surrogatepass"),
        "headers": {**given, "content-type": "application/json"},
        "body": body,
        "isBase64Encoded": False,
    }


def is_head(event: Mapping[str, Any]) -> bool:
    return bool(event["requestContext"]["http"]["method"] == "HEAD")


def _was_mended(body: str, headers: Mapping[str, str]) -> bool:
    """Whether the gateway put U+FFFD for bytes that are no UTF-8: the body has another length then, mostly."""
    if "\ufffd" not in body:
        return False
    sent = next((value for name, value in headers.items() if name.lower() == "content-length"), None)
    return sent is not None and sent != str(len(body.encode(errors="surrogatepass")))


def whole_ids(path: str) -> str:
    """The path with the slashes within its last id encoded, so that the id's own rule refuses it."""
    found = _PLACES_OF_IDS.fullmatch(path)
    if found is None or found.lastgroup is None:
        return path
    start, end = found.span(found.lastgroup)
    return path[:start] + path[start:end].replace("/", "%2F") + path[end:]


def parse_body(text: str) -> dict[str, Any]:
    """A JSON object. Raises TooLarge and BadRequest, at the same places whatever Python it runs in."""
    if len(text) > MAX_BODY_BYTES or len(text.encode(errors="surrogatepass")) > MAX_BODY_BYTES:
        raise TooLarge(f"A body has at most {MAX_BODY_BYTES:,} bytes")
    try:
        body = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair, as a byte or as an escape, has no UTF-8
    except (ValueError, RecursionError) as exc:
        raise BadRequest("The body is not valid JSON in UTF-8, or holds half a surrogate pair") from exc
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object")
    _check_depth(body)
    return body


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _check_depth(body: Any) -> None:
    level = [body]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise BadRequest(f"A body is nested at most {MAX_DEPTH} deep")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def decoded(text: Any) -> Any:
    """A part of the path, percent-decoded once. Bytes that are no UTF-8 are refused."""
    return unquote(text, errors="strict") if isinstance(text, str) else text


def _decoded_emoji(text: Any) -> Any:
    """A gateway that has decoded the path has put U+FFFD for such bytes, which is in no emoji."""
    emoji = decoded(text)
    if isinstance(emoji, str) and "\ufffd" in emoji:
        raise ValueError("UTF-8 is needed")
    return emoji


def _whole(text: Any) -> Any:
    """Digits and nothing else: no signs, blanks, underscores or points."""
    if not isinstance(text, str):
        return text
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise ValueError("a whole number is needed")
    return int(text)


def _truth(text: Any) -> Any:
    """`true` or `false`, and nothing else that might be meant."""
    return {"true": True, "false": False}.get(text, text)


_IdText = Annotated[str, Field(min_length=1, max_length=MAX_CONVERSATION_ID), BeforeValidator(decoded)]
ConversationPath = Annotated[_IdText, Path(description="The conversation's id.", examples=["dm:alice:bob"])]
UserPath = Annotated[UserId, BeforeValidator(decoded), Path(description="A user's id.", examples=["bob"])]
SeqPath = Annotated[EntrySeq, BeforeValidator(_whole), Path(description="The message's `seq`.", examples=[42])]
_EmojiText = Annotated[str, Field(min_length=1, max_length=MAX_EMOJI_BYTES), BeforeValidator(_decoded_emoji)]
_FileId = Annotated[ClientId, BeforeValidator(decoded)]
FilePath = Annotated[_FileId, Path(description="The file's id.", examples=["q2Xv0J5b3kRk1m7c9Tz4wYtN"])]
_NewDeviceId = Annotated[str, Field(pattern=f"^{DEVICE_ID_PATTERN}$"), BeforeValidator(decoded)]
NewDevicePath = Annotated[_NewDeviceId, Path(description="The app's own id for the device.", examples=["alices-phone"])]
_DeviceText = Annotated[str, Field(min_length=1, max_length=MAX_DEVICE_ID), BeforeValidator(decoded)]
DevicePath = Annotated[
    _DeviceText, Path(description="The device's id, be it an odd one of the first edition.", examples=["alices-phone"])
]
_NoticeText = Annotated[str, Field(pattern=f"^{NOTIFICATION_ID_PATTERN}$"), BeforeValidator(decoded)]
NotificationPath = Annotated[_NoticeText, Path(description="The notification's id.", examples=["order-4711"])]
BroadcastPath = Annotated[_NoticeText, Path(description="The broadcast's id.", examples=["maintenance-7"])]
ReminderPath = Annotated[
    _NoticeText, Path(description="The reminder's id.", examples=["5f0c1b7a9d3e4f62a8b1c0d9e7f61234"])
]
_WebhookText = Annotated[str, Field(pattern=f"^{WEBHOOK_ID_PATTERN}$"), BeforeValidator(decoded)]
WebhookPath = Annotated[_WebhookText, Path(description="The team's own id for the webhook.", examples=["crm"])]
EmojiPath = Annotated[_EmojiText, Path(description="1 to 64 bytes of UTF-8, percent-encoded.", examples=["👍"])]

HeldPath = Annotated[_FileId, Path(description="The held message's id.", examples=["6f1e0b7a9d3e4f62a8b1c0d9e7f61234"])]
ListPath = Annotated[
    _NoticeText,
    Path(description="The list's name: its own characters as in a notification's id.", examples=["insults"]),
]
ReportPath = Annotated[_FileId, Path(description="The report's id.", examples=["6f1e0b7a9d3e4f62a8b1c0d9e7f61234"])]

_Place = Annotated[Seq, BeforeValidator(_whole)]
_Count = Annotated[int, Field(ge=1, le=MAX_PAGE), BeforeValidator(_whole)]
Limit = Annotated[_Count, Query(description="At most this many.", examples=[30])]
Before = Annotated[_Place | None, Query(description="Messages below this `seq`, newest first.", examples=[42])]
After = Annotated[_Place | None, Query(description="Messages above this `seq`, oldest first.", examples=[41])]
_Truth = Annotated[bool, Field(strict=True), BeforeValidator(_truth)]
Notices = Annotated[_Truth, Query(description="Also who came and went, roles, names. They count.", examples=["true"])]
Versions = Annotated[_Truth, Query(description="Also the versions of users' records.", examples=["true"])]
_CursorText = Annotated[str, Field(max_length=MAX_CURSOR)]
Cursor = Annotated[_CursorText | None, Query(description="The `next_cursor` of the page before.")]
_Time = Annotated[int, Field(ge=0, le=MAX_NUMBER), BeforeValidator(_whole)]
From = Annotated[_Time, Query(alias="from", description="From then on, in ms.", examples=[1795431200123])]
Until = Annotated[_Time | None, Query(alias="to", description="Before then, in ms.", examples=[1795517600123])]
About = Annotated[UserId | None, Query(alias="user", description="Who did it, as whom, or to whom.", examples=["bob"])]
StatusQuery = Annotated[ReportStatus, Query(description="`open` or `decided`.", examples=["open"])]
AboutUser = Annotated[UserId | None, Query(description="Only what is about this user.", examples=["bob"])]
ReactionOwner = Annotated[UserId | None, Query(description="Whose reaction; the caller's own by default.")]
NamePrefix = Annotated[str | None, Query(description="How a word of the name begins.", examples=["bo"])]
UserIds = Annotated[
    Annotated[str, Field(max_length=MAX_BULK * (MAX_USER_ID + 2))] | None,
    Query(description=f"Up to {MAX_BULK} user ids, separated by commas.", examples=["bob,carol"]),
]
Users = Annotated[
    Annotated[str, Field(max_length=MAX_PRESENCES * (MAX_USER_ID + 2))],
    Query(description=f"Up to {MAX_PRESENCES} user ids, separated by commas.", examples=["bob,carol"]),
]
