"""Frames whose fields name what they must not: conversations, users, places, and what only the server says."""

from __future__ import annotations

from typing import Any, Final

from shared.wire.common import encode_sync_cursor
from tests.bad_input.frames import (
    BAD,
    FORBIDDEN,
    LARGE,
    MISSING,
    OUTSIDE,
    UNAUTHENTICATED,
    Fine,
    Row,
    frame,
    message,
    only_here,
    stored,
    table,
)
from tests.bad_input.names import DM, GROUP

# Names that expressions of the database, paths, prompts and shells have a meaning for.
SYNTAX: Final = (
    *("#", ":", "/", "\\", "%", "*", "?", "..", "../..", "a#b", "a:b", "a/b", "a/../b", "..\\..\\b"),
    *(
        "attribute_exists(pk)",
        "attribute_not_exists(#pk)",
        ":v",
        "#n",
        "= :x OR",
        "SET a = :a",
        "pk = :pk AND sk > :sk",
    ),
    *("user#alice", "conversation#dm:alice:bob", "group", "profile", "rate", "block#alice", "target#x"),
    *("%2e%2e%2f", "dm%3Aalice%3Abob", "%00", "$(id)", "`id`", "{{7*7}}", "<script>", "'; DROP TABLE log; --"),
)
# Conversations that do not exist, and those that look like alice's.
STRANGE: Final = (
    *("dm", "dm:", "dm::", "dm:alice", "dm:alice:", "dm::bob", "dm:alice:bob:", "dm:alice:bob:carol", ":alice:bob"),
    *("dm:bob:alice", "dm:alice:alice", "dm:carol:bob", "dm:bob:carol", "dm:alice:zoe", "DM:alice:bob", "dm:Alice:bob"),
    *(
        " dm:alice:bob",
        "dm:alice:bob ",
        "dm: alice:bob",
        "dm:alice:bob\n",
        "dm:alice:bob\0",
        "dm:alice:bob#",
        "dm:a*:bob",
    ),
    *("dm:\u0430lice:bob", "dm:al\u200bice:bob", "\u202edm:alice:bob", "dm:alice\u0301:bob", "dm:alic\u00e9:bob"),
    *(
        "\uff44\uff4d:alice:bob",
        "dm\uff1aalice\uff1abob",
        "dm:\uff41lice:bob",
        "dm:alice:bob\ufeff",
        "dm:alice:bo\u0062\u0302",
    ),
    *("group:", "group:short", "group:" + "x" * 65, "group:0123456789abcdef\n", "GROUP:0123456789abcdef"),
    *("group:0123456789ABCDEF", "group:0123456789abcde", "group:0123456789abcdef0", "group:fedcba9876543210"),
    *(
        "group:0123456789abcdef#",
        "group:012345678\uff19abcdef",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "x" * 300,
    ),
    "\U0001f600" * 300,  # 1,200 bytes: more than a sort key may have
)
_NO_IDS: Final[dict[str, Any]] = {
    "empty": "",
    "301 characters": "x" * 301,
    "3 KB": "x" * 3_072,
    "30 KB": "\u00e9" * 15_000,
    "a number": 1,
    "a list": [DM],
    "an object": {DM: 1},
    "true": True,
}
# Frames about a conversation. In DM alice may do each of them.
_ABOUT: Final[dict[str, dict[str, Any]]] = {
    "edit": {"seq": 1, "content": "y"},
    "delete": {"seq": 1},
    "react": {"seq": 1, "emoji": "\U0001f44d"},
    "read": {"seq": 1},
    "delivered": {"seq": 1},
    "typing": {"active": True},
    "ping": {"seq": 1},
}


def _conversations() -> dict[str, Row]:
    strangers = (*SYNTAX, *STRANGE)
    tried = ("dm:bob:alice", "dm:bob:carol", "group:fedcba9876543210", "#", "dm:alice:bob\n", "\U0001f600" * 300)
    return {
        **{f"{one[:40]!a}": frame(OUTSIDE, type="message", conversation_id=one, content="x") for one in strangers},
        **{name: frame(BAD, type="message", conversation_id=one, content="x") for name, one in _NO_IDS.items()},
        **{
            f"{kind} in {one[:24]!a}": frame(OUTSIDE, type=kind, conversation_id=one, **fields)
            for kind, fields in _ABOUT.items()
            for one in tried
        },
        **{
            f"{kind} without one": frame(BAD, type=kind, **fields)
            for kind, fields in _ABOUT.items()
            if kind != "ping"  # which is about none, then
        },
        "null": frame(BAD, type="message", conversation_id=None, content="x"),
        "a recipient, too": message(BAD, conversation_id=DM),
        "neither": frame(BAD, type="message", content="x"),
    }


CONVERSATIONS: Final = table("conversation ids", _conversations())


def _recipients() -> dict[str, Row]:
    """All but three of the names with a syntax are no user ids."""
    valid = {"group", "profile", "rate"}
    refused = [one for one in SYNTAX if one not in valid]
    strange = [
        *(
            "",
            " ",
            "bob ",
            " bob",
            "bob\n",
            "b b",
            "bob\0",
            "b\u00f6b",
            "b\u043eb",
            "bo\u200bb",
            "\uff42\uff4f\uff42",
            "\u202ebob",
        ),
        *("bob\u0301", "\U0001f600", "dm:alice:bob", GROUP, "user:bob", "x" * 129, "x" * 3_072, "bob,carol", "\u0661"),
    ]
    return {
        **{f"{one[:40]!a}": message(BAD, to=one) for one in (*refused, *strange)},
        **{one: message(stored(f"dm:{one}:alice", content="x"), to=one) for one in ("-", "@", "0", "...")},
        "a dot": message(BAD, to="."),
        **{f"the name {one!r}": message(stored(f"dm:alice:{one}"), to=one) for one in ("group", "profile", "rate")},
        "128 characters": message(stored("dm:alice:" + "x" * 128), to="x" * 128),
        "oneself": message(BAD, to="alice"),
        "a number": message(BAD, to=1),
        "a list": message(BAD, to=["bob"]),
        "null": message(BAD, to=None),
        "somebody who blocks her": message("blocked", to="dave"),
    }


RECIPIENTS: Final = table("recipients", _recipients())


def _client_ids() -> dict[str, Row]:
    kept = (
        *SYNTAX,
        " ",
        "\0",
        "x" * 128,
        "\U0001f600" * 128,
        "e\u0301",
        "\u00e9",
        "\u202ex",
        "dm:alice:bob/3",
        "alice",
    )
    return {
        **{f"{one[:40]!a}": message(stored(client_message_id=one), client_message_id=one) for one in kept},
        "empty": message(BAD, client_message_id=""),
        "129 characters": message(BAD, client_message_id="x" * 129),
        "3 KB": message(BAD, client_message_id="x" * 3_072),
        "a number": message(BAD, client_message_id=1),
        "null is none": message(stored(), client_message_id=None),
    }


CLIENT_IDS: Final = table("client_message_id", _client_ids())

# What only the server says. Each in a message of alice's, and all of them at once.
SPOOFED: Final[dict[str, Any]] = {
    "sender_id": "bob",
    "user_id": "bob",
    "from": "bob",
    "seq": 99,
    "timestamp": 1,
    "created_at": 1,
    "number": 99,
    "nonce": "mine",
    "digest": "0" * 16,
    "message_id": "dm:alice:bob/1",
    "message_seq": 1,
    "authors": {"bob": 99},
    "kind": "message_deleted",
    "target": 2,
    "fan_out": True,
    "forwarded": True,
    "edited_at": 1,
    "deleted_at": 1,
    "last_edit": 1,
    "reactions": ["\U0001f44d\x1fbob"],
    "roles": {"alice": "owner"},
    "users": ["mallory"],
    "pk": "user#bob",
    "sk": "profile",
    "ttl": 1,
    "connection_id": "b1=",
    "scopes": ["admin"],
    "requestContext": {"authorizer": {"user_id": "bob", "expires_at": "9999999999999"}},
    "duplicate": True,
}
_DAVES: Final = {"sender_id": "bob", "user_id": "bob", "role": "owner", "requestContext": SPOOFED["requestContext"]}
SPOOFING: Final = table(
    "spoofing",
    {
        **{f"`{name}`": message(stored(), **{name: value}) for name, value in SPOOFED.items()},
        "all of it": message(stored(), **SPOOFED),
        "an edit in the author's name": frame(
            FORBIDDEN, type="edit", conversation_id=DM, content="y", **{**_DAVES, "seq": 2}
        ),
        "a deletion in the author's name": frame(FORBIDDEN, type="delete", conversation_id=DM, **{**_DAVES, "seq": 2}),
        "an auth with nonsense": frame(UNAUTHENTICATED, type="auth", token="nonsense", user_id="alice"),
        "an auth with a token of its own": frame(
            UNAUTHENTICATED, type="auth", token="eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImV4cCI6OTk5OTk5OTk5OX0."
        ),
        "an auth with a token of 8,193 characters": frame(BAD, type="auth", token="x" * 8_193),
        "an auth without a token": frame(BAD, type="auth"),
    },
)


def _beyond(seq: Any, expected: str = BAD) -> dict[str, Row]:
    return {
        f"after {str(seq)[:20]}": message(expected, after=seq),
        f"read {str(seq)[:20]}": frame(expected, type="read", conversation_id=DM, seq=seq),
        f"read without a reply {str(seq)[:20]}": frame(expected, type="read", conversation_id=DM, seq=seq, reply=False),
        f"delivered {str(seq)[:20]}": frame(expected, type="delivered", conversation_id=GROUP, seq=seq),
    }


def _places() -> dict[str, Row]:
    absurd = (-1, -(2**53), 2**53, 2**63 - 1, 2**63, 2**64, 10**100, "3", "0", "", [3], {"seq": 3}, 3.5, True)
    cases: dict[str, Row] = {}
    for seq in (999, 2**53 - 1, *absurd):
        cases |= _beyond(seq)
    for kind, fields in (("edit", {"content": "y"}), ("delete", {}), ("react", {"emoji": "\U0001f44d"})):
        for seq, code in ((0, BAD), (999, MISSING), (2**53 - 1, MISSING), (2**53, BAD), (-1, BAD), ("1", BAD)):
            cases[f"{kind} {seq!r}"] = frame(code, type=kind, conversation_id=DM, seq=seq, **fields)
        cases[f"{kind} of what is no message"] = frame(MISSING, type=kind, conversation_id=GROUP, seq=1, **fields)
    for seq, code in ((0, BAD), (-1, BAD), (999, MISSING), (2**53 - 1, MISSING), (2**64, BAD), ("1", BAD), (1.5, BAD)):
        cases[f"reply to {seq!r}"] = message(code, reply_to=seq)
    return cases


def _forward(expected: Fine | str, place: Any, **fields: Any) -> Row:
    return frame(expected, type="message", to="bob", forward_of=place, **fields)


PLACES: Final = table(
    "places in a log",
    {
        **_places(),
        "after null is none": message(stored(), after=None),
        "after 0 goes to the end": message(stored(), after=0),
        "a reply to null is none": message(stored(), reply_to=None),
        "a reply to what is no message": frame(MISSING, type="message", conversation_id=GROUP, content="x", reply_to=1),
        "forwarded from elsewhere": _forward(OUTSIDE, {"conversation_id": "dm:bob:carol", "seq": 1}),
        "forwarded from a group of others": _forward(OUTSIDE, {"conversation_id": "group:fedcba9876543210", "seq": 2}),
        "forwarded from nowhere": _forward(OUTSIDE, {"conversation_id": "#", "seq": 1}),
        "forwarded from beyond the head": _forward(MISSING, {"conversation_id": DM, "seq": 999}),
        "forwarded what is no message": _forward(MISSING, {"conversation_id": GROUP, "seq": 1}),
        "forwarded from 0": _forward(BAD, {"conversation_id": DM, "seq": 0}),
        "forwarded with a content": _forward(BAD, {"conversation_id": DM, "seq": 1}, content="mine"),
        "forwarded half a place": _forward(BAD, {"conversation_id": DM}),
        "forwarded a list": _forward(BAD, [DM, 1]),
        "forwarded an id": _forward(BAD, "dm:alice:bob/1"),
        "forwarded, with the words of somebody else": _forward(
            Fine({"content": "two", "forwarded": True}),
            {"conversation_id": DM, "seq": 2, "content": "mine", "sender_id": "bob"},
        ),
        "a ping before the beginning": frame(BAD, type="ping", conversation_id=DM, seq=-1),
        "a ping at the end of counting": frame(Fine(), type="ping", conversation_id=DM, seq=2**53 - 1),
        "a ping of a place without a conversation": frame(Fine(), type="ping", seq=1),
        "another user's reaction put": frame(BAD, type="react", conversation_id=GROUP, seq=2, emoji="x", user_id="bob"),
        "an own reaction put by name": frame(
            BAD, type="react", conversation_id=GROUP, seq=2, emoji="x", user_id="alice"
        ),
        "a reaction of a malformed user": frame(
            BAD, type="react", conversation_id=GROUP, seq=2, emoji="x", remove=True, user_id="b b"
        ),
        "a sync of a list": frame(BAD, type="sync", conversations=[DM]),
        "a sync of null": frame(BAD, type="sync", conversations=None),
        "a sync from -1": frame(BAD, type="sync", conversations={DM: -1}),
        "a sync from a string": frame(BAD, type="sync", conversations={DM: "1"}),
        "a sync from 2^64": frame(BAD, type="sync", conversations={DM: 2**64}),
        "a sync from beyond the head": frame(Fine(), type="sync", conversations={DM: 2**53 - 1}),
        "a sync behind a cursor that is none": frame(BAD, type="sync", cursor="x"),
        "a sync behind an empty cursor": frame(BAD, type="sync", cursor=""),
        "a sync behind a number": frame(BAD, type="sync", cursor=3),
        "a sync behind 2,501 characters": frame(BAD, type="sync", cursor="x" * 2_501),
        "a sync behind another user's cursor": frame(BAD, type="sync", cursor=encode_sync_cursor("carol", DM)),
        "a sync behind one's own cursor": only_here(frame(Fine(), type="sync", cursor=encode_sync_cursor("alice", DM))),
        "a sync of nothing's name": frame(BAD, type="sync", conversations={"": 1}),
        "a sync of 501": frame(BAD, type="sync", conversations={f"group:{number:016}": 1 for number in range(501)}),
        "a sync of what is foreign": frame(
            Fine(), type="sync", conversations=dict.fromkeys((*SYNTAX, *STRANGE[:20], "group:fedcba9876543210"), 1)
        ),
        "the presence of 101": frame(BAD, type="presence", users=[f"user{number}" for number in range(101)]),
        "the presence of no list": frame(BAD, type="presence", users="bob"),
        "the presence of a bad id": frame(BAD, type="presence", users=["bob", "#"]),
        "the presence of nobody named": frame(BAD, type="presence"),
        "a sync of 30 KB": frame(LARGE, type="sync", conversations={f"group:{n:060}": 1 for n in range(500)}),
    },
)
