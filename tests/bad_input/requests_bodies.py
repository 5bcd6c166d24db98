"""Requests with odd bodies: what is no JSON object, and fields that say what they must not."""

from __future__ import annotations

import gzip
import json
from typing import Any, Final

from tests.bad_input.frames_content import BLANK
from tests.bad_input.frames_fields import SPOOFED
from tests.bad_input.names import DM, GROUP
from tests.bad_input.requests import BAD, FINE, FORBIDDEN, LARGE, MADE, MISSING, OUTSIDE, Answer, Row, ask, send, table

POST: Final = f"POST /v1/conversations/{DM}/messages"
_LISTS: Final = "[" * 10_000 + "]" * 10_000


def _stored(body: Any, name: str = "content", value: Any = "x", **more: Any) -> Row:
    """A message that is taken as it stands."""
    return send(POST, body, MADE, stored={name: value}, **more)


def _sized(size: int) -> str:
    head = '{"content":"x","extra":"'
    return head + "y" * (size - len(head) - 2) + '"}'


BODIES: Final = table(
    "bodies",
    {
        "none": ask(POST, BAD),
        "empty": send(POST, "", BAD),
        "blanks": send(POST, " \n", BAD),
        "null": send(POST, "null", BAD),
        "a list": send(POST, "[]", BAD),
        "a list with an object": send(POST, '[{"content":"x"}]', BAD),
        "a text": send(POST, '"x"', BAD),
        "a number": send(POST, "1", BAD),
        "an empty object": send(POST, "{}", BAD),
        "two documents": send(POST, '{"content":"x"}{"content":"y"}', BAD),
        "something behind it": send(POST, '{"content":"x"} x', BAD),
        "byte order mark": send(POST, '\ufeff{"content":"x"}', BAD),
        "single quotes": send(POST, "{'content':'x'}", BAD),
        "comment": send(POST, '{"content":"x"}/**/', BAD),
        "trailing comma": send(POST, '{"content":"x",}', BAD),
        "cut off": send(POST, '{"content":"x', BAD),
        "NUL behind it": send(POST, '{"content":"x"}\0', BAD),
        "a form": send(POST, "content=x", BAD),
        "XML": send(POST, "<content>x</content>", BAD),
        "NaN": send(POST, '{"content":"x","after":NaN}', BAD),
        "Infinity where nobody looks": send(POST, '{"content":"x","extra":-Infinity}', BAD),
        "1e400": send(POST, '{"content":"x","after":1e400}', BAD),
        "5,000 digits": send(POST, '{"content":"x","after":' + "9" * 5_000 + "}", BAD),
        "half a surrogate pair": send(POST, '{"content":"\\ud800"}', BAD),
        "half a pair in a name": send(POST, '{"content":"x","\\ud800":1}', BAD),
        "10,000 lists in each other": send(POST, '{"content":"x","extra":' + _LISTS + "}", BAD),
        "65 levels": send(POST, '{"content":"x","extra":' + "[" * 64 + "]" * 64 + "}", BAD),
        "1 byte more than 64 KB": send(POST, _sized(65_537), LARGE),
        "1 MB": send(POST, _sized(1_048_576), LARGE),
        "1 MB that is no JSON": send(POST, "x" * 1_048_576, LARGE),
        "64 KB in fewer characters": send(POST, '{"content":"x","extra":"' + "\u20ac" * 22_000 + '"}', LARGE),
        "bytes that are no UTF-8": send(POST, b'{"content":"\xff"}', BAD, only_here=True),
        "UTF-16": send(POST, '{"content":"x"}'.encode("utf-16"), BAD),
        "compressed": send(POST, gzip.compress(b'{"content":"x"}'), BAD, headers={"content-encoding": "gzip"}),
        "a part of a form": send(
            POST,
            '--x\r\nContent-Disposition: form-data; name="content"\r\n\r\nx\r\n--x--',
            BAD,
            headers={"content-type": "multipart/form-data; boundary=x"},
        ),
        "bytes of a body": _stored(b'{"content":"x"}'),
        "another content type": _stored({"content": "x"}, headers={"content-type": "text/plain"}),
        "a content type with a charset": _stored(
            {"content": "x"}, headers={"content-type": "application/json; charset=utf-16"}
        ),
        "a content type of nonsense": _stored({"content": "x"}, headers={"content-type": ";;;/"}),
        "64 KB": _stored(_sized(65_536)),
        "a content twice: the last one counts": _stored('{"content":"y","content":"x"}'),
        "a whole pair": _stored('{"content":"\\ud83d\\ude00"}', value="\U0001f600"),
        "an escaped NUL": _stored('{"content":"a\\u0000b"}', value="a\0b"),
        "1e400 where nobody looks": _stored('{"content":"x","extra":1e400}'),
        "64 levels": _stored('{"content":"x","extra":' + "[" * 63 + "]" * 63 + "}"),
        "unknown fields": _stored({"content": "x", "__proto__": {"admin": True}, "": 1}),
        "another recipient": _stored({"content": "x", "to": "carol", "conversation_id": GROUP, "type": "delete"}),
        **{f"`{name}` in it": _stored({"content": "x", name: value}) for name, value in SPOOFED.items()},
        "a body to read with": ask("GET /v1/blocks", FINE, body='{"user_id":"bob"}'),
    },
)


def _messages() -> dict[str, Row]:
    wrong: dict[str, Any] = {
        **{f"content {one!r}": {"content": one} for one in (None, 1, ["x"], {"text": "x"}, True)},
        **{f"blank {one!a}": {"content": one} for one in BLANK},
        **{
            f"after {str(one)[:20]}": {"content": "x", "after": one}
            for one in (-1, 999, 2**53 - 1, 2**53, 2**63, 2**64, "3", 3.0, True, [3])
        },
        **{f"reply to {one!r}": {"content": "x", "reply_to": one} for one in (0, -1, "1", 1.5, 2**64)},
        **{f"client id {str(one)[:9]!r}": {"content": "x", "client_message_id": one} for one in ("", "x" * 129, 1)},
        "1,000 mentions": {"content": "x", "mentions": [f"user{number}" for number in range(1_000)]},
        "51 mentions": {"content": "x", "mentions": ["bob"] * 51},
        "a mention of an outsider": {"content": "x", "mentions": ["carol"]},
        "a mention of a bad id": {"content": "x", "mentions": ["bob\n"]},
        "no list of mentions": {"content": "x", "mentions": "bob"},
        "an unknown type": {"content": "x", "message_type": "movie"},
        "an image without a file": {"content": "x", "message_type": "image"},
        "a text with a file": {"content": "x", "file_id": "f" * 43},
        "data that is a list": {"content": "x", "data": []},
        "data that is a text": {"content": "x", "data": "{}"},
        "attachments that are none": {"content": "x", "attachments": {"type": "link"}},
        "attachments that are null": {"content": "x", "attachments": None},
        "an attachment that is a text": {"content": "x", "attachments": ["link"]},
        "an attachment without a type": {"content": "x", "attachments": [{"url": "https://a.example"}]},
        "an attachment with half a file": {"content": "x", "attachments": [{"type": "x", "file_id": 1}]},
        "data beyond all numbers": '{"content":"x","data":{"a":1e400}}',
        "forwarded with attachments": {
            "forward_of": {"conversation_id": DM, "seq": 1},
            "attachments": [{"type": "link"}],
        },
        "forwarded with a content": {"content": "x", "forward_of": {"conversation_id": DM, "seq": 1}},
        "forwarded half a place": {"forward_of": {"conversation_id": DM}},
        "forwarded from 0": {"forward_of": {"conversation_id": DM, "seq": 0}},
    }
    return {
        **{name: send(POST, body, BAD) for name, body in wrong.items()},
        "5,001 characters": send(POST, {"content": "x" * 5_001}, LARGE),
        "5,000 characters, which JSON escapes to 30 KB": send(POST, {"content": "x" + "\x01" * 4_999}, LARGE),
        "5,001 emoji": send(POST, {"content": "\U0001f600" * 5_001}, LARGE),
        "5,000 emoji": _stored(
            json.dumps({"content": "\U0001f600" * 5_000}, ensure_ascii=False), value="\U0001f600" * 5_000
        ),
        "a reply to nothing": send(POST, {"content": "x", "reply_to": 999}, MISSING),
        "forwarded from elsewhere": send(POST, {"forward_of": {"conversation_id": "dm:bob:carol", "seq": 1}}, OUTSIDE),
        "data of 4,097 bytes": send(POST, {"content": "x", "data": {"x": "y" * 4_089}}, LARGE),
        "data that is null": _stored({"content": "x", "data": None}),
        "data as it came": _stored(
            {"content": "x", "data": {"b": [1.5, None], "a": ""}}, "data", '{"b":[1.5,null],"a":""}'
        ),
        "11 attachments": send(POST, {"content": "x", "attachments": [{"type": "link"}] * 11}, LARGE),
        "an edit with data that is a list": send(
            f"PATCH /v1/conversations/{DM}/messages/1", {"content": "x", "data": []}, BAD
        ),
        "an attached file of somebody else's": send(
            POST, {"content": "x", "attachments": [{"type": "image", "file_id": "e" * 43}]}, MISSING
        ),
        "a file of somebody else's": send(POST, {"message_type": "image", "file_id": "e" * 43}, MISSING),
        "to a group of others": send(
            "POST /v1/conversations/group:fedcba9876543210/messages", {"content": "x"}, OUTSIDE
        ),
        "to the other way round": send("POST /v1/conversations/dm:bob:alice/messages", {"content": "x"}, OUTSIDE),
        "to somebody who blocks her": send(
            "POST /v1/conversations/dm:alice:dave/messages", {"content": "x"}, (403, "blocked")
        ),
        "an edit of bob's": send(
            f"PATCH /v1/conversations/{DM}/messages/2", {"content": "x", "sender_id": "alice"}, FORBIDDEN
        ),
        "an edit to nothing": send(f"PATCH /v1/conversations/{DM}/messages/1", {"content": "\u3164"}, BAD),
        "a deletion of bob's": ask(f"DELETE /v1/conversations/{DM}/messages/2", FORBIDDEN, body='{"sender_id":"bob"}'),
        **{
            f"read {str(seq)[:20]}": send(f"POST /v1/conversations/{DM}/read", {"seq": seq}, BAD)
            for seq in (-1, 999, 2**53, 2**64, "1", 1.0, None, True, [1])
        },
    }


def _conversations() -> dict[str, Row]:
    make = "POST /v1/conversations"
    group: dict[str, Any] = {"type": "group", "name": "Team", "members": ["bob"]}
    return {
        "no type": send(make, {"with": "bob"}, BAD),
        "an unknown type": send(make, {"type": "public", "with": "bob"}, BAD),
        "a type that is a list": send(make, {"type": ["private"], "with": "bob"}, BAD),
        "with oneself": send(make, {"type": "private", "with": "alice"}, BAD),
        "with nobody": send(make, {"type": "private"}, BAD),
        "with a bad id": send(make, {"type": "private", "with": "dm:bob"}, BAD),
        "with somebody who blocks her": send(make, {"type": "private", "with": "dave"}, FINE),
        **{
            f"a group called {name!a}": send(make, {**group, "name": name}, BAD)
            for name in ("", " ", "\u3164", None, 1)
        },
        "a group with a long name": send(make, {**group, "name": "x" * 101}, LARGE),
        "a group of 1,001": send(make, {**group, "members": [f"user{number}" for number in range(1_001)]}, BAD),
        "a group with a bad id": send(make, {**group, "members": ["bob", "#"]}, BAD),
        "a group with no list": send(make, {**group, "members": "bob"}, BAD),
        "a group with an empty id": send(make, {**group, "client_conversation_id": ""}, BAD),
        "a name for a private one": send(f"PATCH /v1/conversations/{DM}", {"name": "x"}, BAD),
        "a name for a group of others": send("PATCH /v1/conversations/group:fedcba9876543210", {"name": "x"}, OUTSIDE),
        "members for a private one": send(f"POST /v1/conversations/{DM}/members", {"users": ["carol"]}, BAD),
        "no members": send(f"POST /v1/conversations/{GROUP}/members", {"users": []}, BAD),
        "101 members": send(
            f"POST /v1/conversations/{GROUP}/members", {"users": [f"user{number}" for number in range(101)]}, BAD
        ),
        "an unknown role": send(f"PATCH /v1/conversations/{GROUP}/members/bob", {"role": "root"}, BAD),
        "a role that is a list": send(f"PATCH /v1/conversations/{GROUP}/members/bob", {"role": ["owner"]}, BAD),
        "a role for an outsider": send(f"PATCH /v1/conversations/{GROUP}/members/zoe", {"role": "admin"}, MISSING),
        "no settings": send(f"PATCH /v1/conversations/{DM}/settings", {}, BAD),
        "unknown settings": send(f"PATCH /v1/conversations/{DM}/settings", {"read_seq": 99}, BAD),
        **{
            f"setting {name} to {value!r}": send(f"PATCH /v1/conversations/{DM}/settings", {name: value}, BAD)
            for name, value in (
                *(("muted_until", -1), ("muted_until", 2**53), ("muted_until", "1"), ("muted_until", 1.0)),
                *(("notify", None), ("notify", "ALL"), ("pinned", 1), ("pinned", "true"), ("archived", None)),
            )
        },
    }


_NO_BROADCAST: Final[dict[str, dict[str, Any]]] = {
    "no title": {"title": None},
    "a number as title": {"title": 5},
    "a list as data": {"data": []},
    "numbers in its data": {"data": {"a": 1}},
    "a text for whether it is stored": {"store": "true"},
    "nothing for whether it is stored": {"store": None},
    "a number as id": {"broadcast_id": 5},
}
_NO_SUBJECT: Final[dict[str, dict[str, Any]]] = {
    "nothing": {},
    "oneself": {"user_id": "alice"},
    "half a place": {"conversation_id": DM},
    "two things": {"user_id": "bob", "conversation_id": DM, "seq": 1},
    "a bad id": {"user_id": "b:b"},
}


def _others() -> dict[str, Row]:
    me: dict[str, dict[str, Any]] = {
        **{f"the blank name {one!a}": {"display_name": one} for one in BLANK},
        "a name of two lines": {"display_name": "a\nb"},
        "a name with a NUL": {"display_name": "a\0b"},
        "a long name": {"display_name": "x" * 101},
        "an avatar that runs": {"avatar_url": "javascript:alert(1)"},
        "an avatar in the clear": {"avatar_url": "http://example.com/a.png"},
        "a long avatar": {"avatar_url": "https://" + "x" * 1_000},
        "no boolean": {"hide_presence": "yes"},
        "no object": {"push": []},
        **{
            f"the time zone {zone!a}": {"push": {"quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": zone}}}
            for zone in (
                "",
                "Mars/Phobos",
                "../../etc/passwd",
                "/etc/localtime",
                "Europe",
                "Europe/Berlin\n",
                "\0",
                "x" * 300,
            )
        },
        **{
            f"quiet from {start!a}": {"push": {"quiet_hours": {"start": start, "end": "07:00", "time_zone": "UTC"}}}
            for start in ("25:00", "22:60", "22", "", "22:00\n", "\u0662\u0662:00", "-1:00")
        },
    }
    device, key = "PUT /v1/devices/phone", "c0ffee" * 10 + "c0ff"
    devices: dict[str, dict[str, Any]] = {
        "an unknown platform": {"platform": "x", "token": "x"},
        "no token": {"platform": "fcm"},
        "both": {"platform": "fcm", "token": "x", "installation_id": "x"},
        "a blank token": {"platform": "fcm", "token": "a b"},
        "an empty token": {"platform": "fcm", "token": ""},
        "4,097 characters": {"platform": "fcm", "token": "x" * 4_097},
        "an environment for FCM": {"platform": "fcm", "token": "x", "environment": "sandbox"},
        "no hexadecimal digits": {"platform": "apns", "token": "../" * 20, "app_id": "a"},
        "no app": {"platform": "apns", "token": key},
        "an app with a syntax": {"platform": "apns", "token": key, "app_id": "a/../b"},
        "an unknown environment": {"platform": "apns", "token": key, "app_id": "a", "environment": "x"},
    }
    file: dict[str, Any] = {"name": "cat.png", "content_type": "image/png", "size": 1}
    files: dict[str, tuple[dict[str, Any], Answer]] = {
        **{f"of {size!r} bytes": ({"size": size}, BAD) for size in (0, -1, 2**53, "1", 1.0, True, None)},
        "too large": ({"size": 10_485_761}, LARGE),
        **{
            f"called {name!a}": ({"name": name}, BAD)
            for name in ("", " ", "..", "a/..", "\u200b", "\0", "\u202e", None)
        },
        **{
            f"of the type {kind!a}": ({"content_type": kind}, BAD)
            for kind in (
                "",
                ";",
                "text/html",
                "image/svg+xml",
                "image/png\r\nX: y",
                "\u212amage/png",
                "image/png,image/gif",
                None,
                "image",
                "image/",
                "png",
                "application/octet-stream",
                "text/html; charset=image/png",
            )
        },
        "of an unknown kind": ({"kind": "video"}, BAD),
        "an image that is none": ({"content_type": "text/plain", "kind": "image"}, BAD),
    }
    remind = f"POST /v1/conversations/{DM}/messages/1/reminders"
    return {
        **{f"profile: {name}": send("PUT /v1/me", body, BAD) for name, body in me.items()},
        **{f"device: {name}": send(device, body, BAD) for name, body in devices.items()},
        "device: 65 characters": send(f"PUT /v1/devices/{'x' * 65}", {"platform": "fcm", "token": "x"}, BAD),
        **{f"file {name}": send("POST /v1/files", {**file, **body}, answer) for name, (body, answer) in files.items()},
        **{
            f"file of the type {kind!a}": send("POST /v1/files", {**file, "content_type": kind}, MADE)
            for kind in (
                "IMAGE/PNG",
                "image/png; x=1",
                "image/jpg",
                "application/x-zip-compressed",
                "Text/Plain;charset=x",
            )
        },
        "file by a path": send("POST /v1/files", {**file, "name": "../../etc/passwd"}, MADE),
        **{f"reminder at {at!r}": send(remind, {"at": at}, BAD) for at in (0, -1, 2**53, "1", None, 1_795_431_200_000)},
        "contact: oneself": send("POST /v1/contacts", {"user_id": "alice"}, BAD),
        "contact: a bad id": send("POST /v1/contacts", {"user_id": "bob\n"}, BAD),
        "contact: nothing to change": send("PATCH /v1/contacts/bob", {}, BAD),
        "contact: another status": send("PATCH /v1/contacts/bob", {"status": "blocked"}, BAD),
        **{f"contact: the blank alias {one!a}": send("PATCH /v1/contacts/bob", {"alias": one}, BAD) for one in BLANK},
        "contact: nobody": send("PATCH /v1/contacts/zoe", {"alias": "Zoe"}, MISSING),
        **{
            f"report of {name}": send("POST /v1/reports", {"reason": "spam"} | body, BAD)
            for name, body in _NO_SUBJECT.items()
        },
        **{
            f"report for {reason!a:.20}": send("POST /v1/reports", {"user_id": "bob", "reason": reason}, BAD)
            for reason in ("", " ", "a\nb", "x" * 101, None, 5)
        },
        "a list without the scope": send("PUT /v1/word-lists/x", {"action": "mask", "words": []}, FORBIDDEN),
        "a list of another action": send("PUT /v1/word-lists/x", {"action": "burn", "words": []}, BAD),
        "words that are no list": send("PUT /v1/word-lists/x", {"action": "mask", "words": "x"}, BAD),
        "approving without the scope": send("POST /v1/held/x/decision", {"decision": "approve"}, FORBIDDEN),
        "a decision without the scope": send("POST /v1/reports/x/decision", {"decision": "ban"}, FORBIDDEN),
        "notification without the scope": send("POST /v1/notifications", {"users": ["bob"], "title": "x"}, FORBIDDEN),
        "notification that says it has it": send(
            "POST /v1/notifications", {"users": ["bob"], "title": "x", "scope": "notifications:send"}, FORBIDDEN
        ),
        "broadcast without the scope": send("POST /v1/broadcasts", {"title": "x"}, FORBIDDEN),
        "broadcast that says it has it": send(
            "POST /v1/broadcasts", {"title": "x", "scope": "broadcasts:send admin"}, FORBIDDEN
        ),
        **{
            f"broadcast with {name}": send("POST /v1/broadcasts", {"title": "x", **body}, BAD)
            for name, body in _NO_BROADCAST.items()
        },
    }


REQUEST_BODIES: Final = (
    *BODIES,
    *table("messages by HTTP", _messages()),
    *table("conversations by HTTP", _conversations()),
    *table("everything else by HTTP", _others()),
)
