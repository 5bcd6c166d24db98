"""Malformed records of the stream and the queues, as data. What is in front of and behind them is carried out."""

from __future__ import annotations

import copy
import json
from typing import Any, Final

from tests.functions.events import NOW, stream_record

# In place of a value that is taken away.
_GONE: Final = "(gone)"


def _changed(image: Any) -> dict[str, Any]:
    """The stream's record of a message, changed."""
    record = copy.deepcopy(stream_record(3))
    stored = record["dynamodb"]["NewImage"]
    for name, attribute in image.items():
        if attribute == _GONE:
            del stored[name]
        else:
            stored[name] = attribute
    return record


def _with_image(image: Any) -> dict[str, Any]:
    record = stream_record(3)
    record["dynamodb"]["NewImage"] = image
    return record


def _without_image() -> dict[str, Any]:
    record = stream_record(3)
    del record["dynamodb"]["NewImage"]
    return record


UNREADABLE_ENTRIES: Final[dict[str, dict[str, Any]]] = {
    "no image": _without_image(),
    "null for an image": _with_image(None),
    "a list for an image": _with_image([]),
    "a text for an image": _with_image("x"),
    "an empty image": _with_image({}),
    **{f"no {name}": _changed({name: _GONE}) for name in ("conversation_id", "seq", "sender_id", "kind")},
    "a seq that is text": _changed({"seq": {"S": "three"}}),
    "a seq that is a fraction": _changed({"seq": {"N": "1.5"}}),
    "a seq that is no number": _changed({"seq": {"N": "NaN"}}),
    "a seq that is empty": _changed({"seq": {"N": ""}}),
    "a seq that is a list": _changed({"seq": {"L": []}}),
    "a seq of 5,000 digits": _changed({"seq": {"N": "9" * 5_000}}),
    "an attribute of bytes": _changed({"content": {"B": "AA=="}}),
    "an attribute that is null": _changed({"content": {"NULL": True}}),
    "an attribute of an unknown type": _changed({"content": {"X": 1}}),
    "an attribute of two types": _changed({"content": {"S": "x", "N": "1"}}),
    "an attribute of no type": _changed({"content": {}}),
    "an attribute that is text": _changed({"content": "text"}),
    "a set of numbers": _changed({"content": {"NS": ["1"]}}),
    "a map with bytes": _changed({"authors": {"M": {"alice": {"B": "AA=="}}}}),
}


def _body(kind: str, **fields: Any) -> str:
    return json.dumps({"kind": kind, **fields})


def _push(**fields: Any) -> str:
    job = {
        "platform": "fcm",
        "user_id": "bob",
        "about": {"conversation_id": "dm:alice:bob", "seq": 3},
        "since": NOW,
        "tries": 0,
        "device_id": None,
        "not_before": 0,
    }
    return _body("push", **{name: value for name, value in {**job, **fields}.items() if value != _GONE})


def _portion() -> str:
    return _body(
        "shard",
        portion={
            "conversation_id": "channel:0123456789abcdef",
            "posted": 0,
            "last": 9,
            "part": 99,
            "sync_within_ms": 1,
            "queued_at": 1,
            "start": "",
            "after": "#",
            "is_around": False,
        },
    )


UNREADABLE_WORK: Final[dict[str, str]] = {
    "nothing": "",
    "no JSON": "hello",
    "null": "null",
    "a list": "[]",
    "a text": '"push"',
    "a number": "1",
    "half of it": _push()[:-1],
    "two of it": _push() * 2,
    "lists in each other": "[" * 100_000,
    "no kind": "{}",
    "an unknown kind": _body("nonsense"),
    "a kind that is null": '{"kind": null}',
    "a kind that is a list": '{"kind": ["push"]}',
    "a kind with capitals": _body("PUSH"),
    **{
        f"a push without `{name}`": _push(**{name: _GONE})
        for name in ("platform", "user_id", "about", "since", "tries")
    },
    **{f"a push with `{name}` text": _push(**{name: "soon"}) for name in ("since", "tries", "not_before")},
    "a push at the end of time": _push().replace(str(NOW), "1e400"),
    "a push of an unknown platform": _push(platform="pigeon"),
    "a push of no platform": _push(platform=None),
    "a push of two platforms": _push(platform=["fcm", "apns"]),
    "a push about nothing": _push(about=None),
    "a push about a list": _push(about=[]),
    "a push about half a place": _push(about={"conversation_id": "dm:alice:bob"}),
    "a push about text": _push(about={"conversation_id": "dm:alice:bob", "seq": "three"}),
    "a look without users": _body("look", about={"conversation_id": "dm:alice:bob", "seq": 3}),
    "a look for nobody": _body("look", about={"conversation_id": "dm:alice:bob", "seq": 3}, users=None),
    "a look at nothing": _body("look", users=["bob"]),
    "a look at a number": _body("look", users=["bob"], about=1),
    "a shard without a place": _body("shard", users=["bob"]),
    "a shard without users": _body("shard", conversation_id="dm:alice:bob", seq=3),
    "a shard with a number for users": _body("shard", conversation_id="dm:alice:bob", seq=3, users=1),
    "a shard of no entry": _body("shard", conversation_id="dm:alice:bob", seq=999, users=["bob"]),
    "a shard of no conversation": _body("shard", conversation_id="#", seq=1, users=["bob"]),
    "a shard with a text for a seq": _body("shard", conversation_id="dm:alice:bob", seq="x", users=["bob"]),
    "a portion of nothing": _body("shard", portion=None),
    "a portion that is text": _body("shard", portion="channel:0123456789abcdef"),
    "a portion without a part": _body("shard", portion={"conversation_id": "channel:0123456789abcdef", "last": 1}),
    "a pack without a place": _body("look", users=[], pack=True),
    "a pack about half a place": _body(
        "look", users=[], pack=True, about={"conversation_id": "channel:0123456789abcdef"}
    ),
    "a reminder of nobody's": _body("reminder", reminder_id="r"),
    "a reminder without an id": _body("reminder", user_id="alice"),
}
# Readable, and about nothing that there is: done with, and no connection is told.
POINTLESS_WORK: Final[dict[str, str]] = {
    "a push to nobody": _push(user_id=""),
    "a push to an outsider": _push(user_id="mallory"),
    "a push about no entry": _push(about={"conversation_id": "dm:alice:bob", "seq": 999}),
    "a push about no conversation": _push(about={"conversation_id": "attribute_exists(pk)", "seq": 1}),
    "a push about no notice": _push(about={"notice_id": "#"}),
    "a push to no device": _push(device_id="nothing"),
    "a push of long ago": _push(since=0),
    "a push with too many tries": _push(tries=10**6),
    "a look at no entry": _body("look", users=["bob"], about={"conversation_id": "dm:alice:bob", "seq": 999}),
    "a look for no users": _body("look", users=[], about={"conversation_id": "dm:alice:bob", "seq": 3}),
    "a pack of no channel": _body("look", users=[], pack=True, about={"conversation_id": "dm:alice:bob", "seq": 3}),
    "a pack that nobody has claimed": _body(
        "look", users=[], pack=True, about={"conversation_id": "channel:0123456789abcdef", "seq": 10**12}
    ),
    "a portion of a part that is none": _portion(),
    "a look at no notice": _body("look", users=["bob"], about={"notice_id": "#n"}),
    "a reminder that is none": _body("reminder", user_id="alice", reminder_id="#"),
}
UNREADABLE_CHECKS: Final[dict[str, str]] = {
    "nothing": "",
    "no JSON": "hello",
    "null": "null",
    "a list": "[]",
    "a number": "1",
    "lists in each other": "[" * 100_000,
    "no user": json.dumps({"at": NOW}),
    "no time": json.dumps({"user_id": "bob"}),
    "a time that is text": json.dumps({"user_id": "bob", "at": "soon"}),
    "a time that is null": json.dumps({"user_id": "bob", "at": None}),
    "the end of time": '{"user_id": "bob", "at": 1e400}',
    "nobody": json.dumps({"user_id": "", "at": NOW}),
    "somebody with a name of 3 KB": json.dumps({"user_id": "x" * 3_072, "at": NOW}),
}


def _created(detail: Any) -> dict[str, Any]:
    return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}


UNREADABLE_UPLOADS: Final[dict[str, dict[str, Any]]] = {
    "null": _created(None),
    "a list": _created([]),
    "no object": _created({"bucket": {"name": "files"}}),
    "an object that is text": _created({"object": "uploads/x"}),
    "no key": _created({"object": {"size": 3}}),
    "a name of 3 KB": _created({"object": {"key": "uploads/" + "x" * 3_072}}),
}
OTHER_OBJECTS: Final[dict[str, dict[str, Any]]] = {
    name: _created({"object": {"key": key}})
    for name, key in {
        "nothing": "",
        "a place": "uploads/",
        "elsewhere": "files/x",
        "deeper": "uploads/a/b",
        "up": "uploads/../x",
        "no such upload": "uploads/x",
        "an upload with a syntax": "uploads/#n = :v",
        "an upload that is ready": f"uploads/{'f' * 43}",
        "a number": 1,
        "null": None,
    }.items()
}
# Whose deletion it is, and where it stands, makes no difference to a file.
_UNREAD: Final = ("no conv", "no seq", "no sender", "a seq that is text", "a seq that is a list")
UNREADABLE_RELEASES: Final[dict[str, dict[str, Any]]] = {
    name: record for name, record in UNREADABLE_ENTRIES.items() if not name.startswith(_UNREAD)
}
