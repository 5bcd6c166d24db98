"""Requests with odd lines and headers: paths, methods, ids in paths, parameters, cursors, credentials."""

from __future__ import annotations

import base64
import json
from typing import Final
from urllib.parse import quote

from shared.domain.inbox import InboxPosition, Snapshot
from shared.wire.rest.conversations import encode_inbox_cursor
from tests.bad_input.frames_fields import STRANGE, SYNTAX
from tests.bad_input.names import DM, token
from tests.bad_input.requests import BAD, DONE, FINE, MISSING, NOBODY, OUTSIDE, Row, ask, send, table

MESSAGES: Final = f"/v1/conversations/{DM}/messages"
_PATHS: Final = (
    *(
        "/",
        "//",
        "/v1",
        "/v1/",
        "/v2/health",
        "/V1/health",
        "/v1/health/",
        "/v1/health/x",
        "//v1/health",
        "/v1//health",
    ),
    *("/v1/./health", "/v1/../v1/health", "/v1/%2e%2e/v1/health", "/v1/health%20", "/v1/health%00", "/v1/health%0A"),
    *("/v1/health;x=1", "/v1/health%3Fx", "/v1%2Fhealth", "/v1\\health", "/v1/healt%68x", "/v1/conversations/", "/%"),
    *(f"/v1/conversations/{DM}/", f"/v1/conversations/{DM}//messages", f"/v1/conversations/{DM}/nothing", "/v1/%zz"),
    *(
        "/v1/conversations//messages",
        "/.env",
        "/admin",
        "/v1/openapi.yaml",
        "/v1/" + "x" * 3_072,
    ),
)


def _paths() -> dict[str, Row]:
    return {f"{path[:60]!a}": ask(f"GET {path}", MISSING, as_it_came="%" in path) for path in _PATHS}


def _methods() -> dict[str, Row]:
    wrong = {
        "/v1/health": ("OPTIONS", "POST", "PUT", "PATCH", "DELETE"),
        "/v1/conversations": ("OPTIONS", "PUT", "PATCH", "DELETE"),
        MESSAGES: ("OPTIONS", "PUT", "PATCH", "DELETE"),
        f"{MESSAGES}/1": ("POST", "PUT", "OPTIONS"),
        "/v1/tickets": ("GET", "DELETE"),
    }
    # A gateway with CORS answers what looks like a preflight by itself.
    cases = {
        f"{verb} {path}": ask(f"{verb} {path}", MISSING, only_here=verb == "OPTIONS")
        for path, verbs in wrong.items()
        for verb in verbs
    }
    odd = {verb: ask(f"{verb} /v1/health", MISSING, only_here=True) for verb in ("TRACE", "BREW", "", "GET ")}
    overridden = {"x-http-method-override": "DELETE"}
    heads = {
        f"HEAD {path}": ask(f"HEAD {path}", expected)
        for path, expected in {
            "/v1/health": FINE,
            "/v1/conversations": FINE,
            f"{MESSAGES}/1": FINE,
            "/v1/tickets": MISSING,
            "/v1/nothing": MISSING,
        }.items()
    }
    return {**cases, **odd, **heads, "a method in a header is none": ask("GET /v1/blocks", FINE, headers=overridden)}


def _ids() -> dict[str, Row]:
    """An id in a path is percent-decoded once, and then read as in a frame."""
    encoded = {one: quote(one, safe="") for one in (*SYNTAX, *STRANGE)}
    return {
        **{
            f"{one[:40]!a}": ask(f"GET /v1/conversations/{path}", OUTSIDE, as_it_came="%25" in path)
            for one, path in encoded.items()
        },
        **{
            f"messages of {one[:40]!a}": ask(f"GET /v1/conversations/{path}/messages", OUTSIDE)
            for one, path in list(encoded.items())[:12]
        },
        "encoded": ask("GET /v1/conversations/dm%3Aalice%3abob", FINE),
        "encoded twice": ask("GET /v1/conversations/dm%253Aalice%253Abob", OUTSIDE, as_it_came=True),
        "no UTF-8": ask("GET /v1/conversations/%ff", BAD, only_here=True),
        "half a surrogate pair": ask("GET /v1/conversations/%ED%A0%80", BAD, only_here=True),
        "an overlong slash": ask("GET /v1/conversations/%C0%AF", BAD, only_here=True),
        "a percent sign alone": ask("GET /v1/conversations/%", OUTSIDE),
        "no hexadecimal digits": ask("GET /v1/conversations/%zz", OUTSIDE),
        "301 characters": ask(f"GET /v1/conversations/{'x' * 301}", BAD),
        "3 KB": ask(f"GET /v1/conversations/{'x' * 3_072}", BAD),
        "a user of 129 characters": ask(f"PUT /v1/blocks/{'x' * 129}", BAD),
        "a user with a colon": ask("PUT /v1/blocks/dm%3Aalice", BAD),
        **{
            f"a user called {one}": ask(f"{verb} {path}/{one}", BAD)
            for one in ("%2E", "%2e%2E", "a%2Fb", "%2F", "a%5Cb", "a%20b", "a%3Bb", "a%2Bb", "a%3F", "a%23", "%00", "*")
            for verb, path in (("PUT", "/v1/blocks"), ("DELETE", "/v1/contacts"))
        },
        "a device with a slash": send("PUT /v1/devices/a%2Fb", {"platform": "fcm", "token": "x"}, BAD),
        "a device that is a step back": send("PUT /v1/devices/%2E%2E", {"platform": "fcm", "token": "x"}, BAD),
        "a notification with a slash": ask("DELETE /v1/notifications/a%2Fb", BAD),
        "a notification that is a step back": ask("DELETE /v1/notifications/%2E%2E", BAD),
        "a broadcast with a slash": ask("GET /v1/broadcasts/a%2Fb", BAD),
        "a broadcast that is a step back": ask("POST /v1/broadcasts/%2E%2E/pause", BAD),
        "a broadcast of 65 characters": ask(f"POST /v1/broadcasts/{'x' * 65}/cancel", BAD),
        "a broadcast without the scope": ask("POST /v1/broadcasts/x/resume", (403, "forbidden")),
        "a user with a line break": ask("PUT /v1/blocks/bob%0A", BAD),
        "a user that looks like another": ask("PUT /v1/blocks/b%D0%BEb", BAD),
        "blocking oneself": ask("PUT /v1/blocks/alice", BAD),
        "nobody to stop blocking": ask("DELETE /v1/blocks/zoe", DONE),
        "no such contact": ask("DELETE /v1/contacts/zoe", MISSING),
        "no such file": ask("GET /v1/files/..%2F..%2Fetc%2Fpasswd", MISSING),
        "somebody else's file": ask(f"GET /v1/files/{'e' * 43}", MISSING),
        "a file of 129 characters": ask(f"GET /v1/files/{'x' * 129}", BAD),
        "no such reminder": ask("DELETE /v1/reminders/nothing", DONE),
        "a reminder with a syntax": ask("DELETE /v1/reminders/%23n%20%3Av", BAD),
        "a notification of 65 characters": ask(f"DELETE /v1/notifications/{'x' * 65}", BAD),
        "a device of 65 characters": ask(f"DELETE /v1/devices/{'x' * 65}", BAD),
        "no such device": ask("DELETE /v1/devices/%F0%9F%91%8D", DONE),
        "connections of somebody without the scope": ask("DELETE /v1/users/bob/connections", (403, "forbidden")),
        "lifting a ban without the scope": ask("DELETE /v1/users/bob/ban", (403, "forbidden")),
        "an export without the scope": ask("POST /v1/users/bob/export", (403, "forbidden")),
        "an own export that was never begun": ask("GET /v1/me/export", MISSING),
        "a part of an own export": ask("GET /v1/me/export/part-000000.ndjson", MISSING),
        "an own export by its id": ask("DELETE /v1/me/export", MISSING),
        "an erasure without the scope": ask("POST /v1/users/bob/erasure", (403, "forbidden")),
        "a hold without the scope": ask("DELETE /v1/users/bob/hold", (403, "forbidden")),
        "a conversation's hold without the scope": ask(
            "DELETE /v1/conversations/dm:alice:bob/hold", (403, "forbidden")
        ),
        "a look at imports, of which there is none": ask("GET /v1/imports", (404, "not_found")),
        "a ban of nobody": ask("GET /v1/users//ban", BAD),
        "connections of nobody": ask("GET /v1/users//connections", BAD),
        "a removal without the scope": ask("POST /v1/users/bob/removal", (403, "forbidden")),
        "a shadow ban of somebody without the scope": ask("DELETE /v1/users/bob/shadow-ban", (403, "forbidden")),
        "what is held, without the scope": ask("GET /v1/held", (403, "forbidden")),
        "a held message that is none": ask("GET /v1/held/x", (403, "forbidden")),
        "lists of words, without the scope": ask("GET /v1/word-lists", (403, "forbidden")),
        "a list of a bad name": ask("DELETE /v1/word-lists/a%23b", BAD),
        "a report that is none": ask("GET /v1/reports/x", (403, "forbidden")),
        "reports without the scope": ask("GET /v1/reports?status=decided", (403, "forbidden")),
        "what administrators did, without the scope": ask("GET /v1/audit", (403, "forbidden")),
        "what administrators did, from a time that is none": ask("GET /v1/audit?from=yesterday", BAD),
    }


# A gateway that decodes these makes something else of them.
_MENDED: Final = ("without UTF-8", "of half a pair")


def _seqs() -> dict[str, Row]:
    wrong = (
        *(
            "0",
            "-1",
            "1.0",
            "+1",
            "%201",
            "1%20",
            "1_0",
            "0x1",
            "1e0",
            "1%0A",
            "%D9%A1",
            "%EF%BC%91",
            "%F0%9F%91%8D",
            "NaN",
        ),
        *("9007199254740992", "9223372036854775808", "18446744073709551616", "9" * 5_000, "true", "null", "%00", "1,2"),
    )
    return {
        **{f"{one[:24]}": ask(f"GET {MESSAGES}/{one}", BAD) for one in wrong},
        "leading zeros": ask(f"GET {MESSAGES}/0001", FINE),
        "beyond the head": ask(f"GET {MESSAGES}/9007199254740991", MISSING),
        "of what is no message": ask("GET /v1/conversations/group:0123456789abcdef/messages/1", MISSING),
        **{
            f"reaction {name}": ask(
                f"PUT {MESSAGES}/2/reactions/{emoji}", BAD, only_here="UTF-8" in name or "half" in name
            )
            for name, emoji in {
                "blank": "%20",
                "of a slash": "%2F",
                "with a slash": "a%2Fb",
                "of a quote": "%22",
                "of an apostrophe": "%27",
                "of a backslash": "%5C",
                "of a step": "%2E",
                "of two": "%2E%2E",
                "of a filler": "%E3%85%A4",
                "with the separator of the set": "%F0%9F%91%8D%1Fbob",
                "of 68 bytes": "%F0%9F%91%8D" * 17,
                "of 1 KB": "x" * 1_024,
                "without UTF-8": "%F0%9F%91",
                "of half a pair": "%ED%A0%BD",
            }.items()
        },
    }


def _queries() -> dict[str, Row]:
    numbers = (
        "",
        "0",
        "-1",
        "1e9",
        "abc",
        "1.0",
        "+1",
        "%201",
        "1_0",
        "0x1",
        "%D9%A3",
        "101",
        "1,2",
        "9" * 5_000,
        "NaN",
        "null",
    )
    places = ("", "-1", "abc", "1.0", "9007199254740992", "18446744073709551616", "9" * 3_000, "%00", "1,2", "true")
    users = ("", "#", "bob,,carol", "bob,", ",", "bob%20", "bob%0A", "dm:alice:bob", "%00", "%ff", "x" * 129)
    return {
        **{f"limit={one[:20]}": ask(f"GET /v1/conversations?limit={one}", BAD) for one in numbers},
        **{f"history's limit={one[:20]}": ask(f"GET {MESSAGES}?limit={one}", BAD) for one in numbers},
        **{f"before={one[:20]}": ask(f"GET {MESSAGES}?before={one}", BAD) for one in places},
        **{f"after={one[:20]}": ask(f"GET {MESSAGES}?after={one}", BAD) for one in places},
        "before and after": ask(f"GET {MESSAGES}?before=3&after=1", BAD),
        "a limit twice": ask("GET /v1/conversations?limit=1&limit=2", BAD),
        "a place twice": ask(f"GET {MESSAGES}?after=1&after=1", BAD),
        "before the beginning": ask(f"GET {MESSAGES}?before=0", FINE),
        "after the end of counting": ask(f"GET {MESSAGES}?after=9007199254740991", FINE),
        "a limit with zeros": ask("GET /v1/conversations?limit=001", FINE),
        "other parameters": ask("GET /v1/conversations?limit%5B%5D=x&user_id=bob&__proto__=1&LIMIT=x", FINE),
        "a parameter without a name": ask("GET /v1/conversations?=1&&", FINE),
        "a parameter of 6 KB": ask(f"GET /v1/conversations?x={'x' * 6_144}", FINE),
        **{f"users={one[:20]}": ask(f"GET /v1/presence?users={one}", BAD) for one in users if one},
        "users=": ask("GET /v1/presence?users=", FINE),
        "nobody's users": ask("GET /v1/presence", BAD),
        "users twice": ask("GET /v1/presence?users=bob&users=carol", BAD),
        "the same user twice": ask("GET /v1/presence?users=bob,bob", FINE),
        "101 users": ask("GET /v1/presence?users=" + ",".join(f"user{number}" for number in range(101)), BAD),
        "13,001 characters of users": ask(f"GET /v1/presence?users={'x' * 13_001}", BAD, only_here=True),
    }


def _encoded(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _cursor(user_id: str, at: int, conversation_id: str) -> str:
    return encode_inbox_cursor(user_id, InboxPosition((at, conversation_id), Snapshot(at, frozenset())))


def _cursors() -> dict[str, Row]:
    own = _cursor("alice", 1_795_431_200_000, DM)
    bad = {
        "empty": "",
        "no base64": "%21%21%21",
        "not ASCII": "%C3%A9",
        "of bytes": _encoded(b"\xff\xfe\x00"),
        "of a list that is empty": _encoded([]),
        "of a number": _encoded(1),
        "of a text": _encoded("abc"),
        "of an object": _encoded({"a": 1, "b": 2, "c": 3}),
        "of null": _encoded(None),
        "of four": _encoded([1, 2, 3, 4]),
        "of 5,000 digits": _encoded(b"[1," + b"9" * 700 + b"]"),
        "of lists in each other": _encoded(b"[" * 740),
        "of half a surrogate pair": _encoded(["x", 1, "\ud800"]),
        "of a float": _encoded(["x", 1.5, DM]),
        "with somebody else's binding": _cursor("bob", 1_795_431_200_000, DM),
        "with another place": _encoded([json.loads(base64.urlsafe_b64decode(own + "=="))[0], 1, DM]),
        "with no binding": _encoded([None, 1, DM]),
        "cut": own[:-4],
        "cut by one": own[:-1],
        "with something behind it": own + "AAAA",
        "twice": f"{own}&cursor={own}",
        "of 2,501 characters": "x" * 2_501,
        "that is a seq": "3",
        "that is a token": token(),
    }
    earliest, latest = _cursor("alice", -(10**30), DM), _cursor("alice", 10**30, "")
    return {
        **{f"a cursor {name}": ask(f"GET /v1/conversations?cursor={one}", BAD) for name, one in bad.items()},
        "one's own cursor": ask(f"GET /v1/conversations?cursor={own}", FINE, only_here=True),
        "a cursor before all time": ask(f"GET /v1/conversations?cursor={earliest}", FINE, only_here=True),
        "a cursor after all time": ask(f"GET /v1/conversations?cursor={latest}", FINE, only_here=True),
        "a cursor where there are none": ask(f"GET {MESSAGES}?cursor={own}", FINE),
    }


def _credentials() -> dict[str, Row]:
    good = token()
    header, payload, signature = good.split(".")
    refused: dict[str, str | None] = {
        "none": None,
        "empty": "",
        "blank": " ",
        "only a scheme": "Bearer",
        "a scheme and a blank": "Bearer ",
        "no scheme": good,
        "another scheme": f"Basic {base64.b64encode(b'alice:x').decode()}",
        "a token as the scheme": f"{good} Bearer",
        "a tab for a blank": f"Bearer\t{good}",
        "a colon": f"Bearer: {good}",
        "quotes": f'Bearer "{good}"',
        "twice": f"Bearer {good}, Bearer {good}",
        "two tokens": f"Bearer {good} {good}",
        "another two parts": f"Bearer {header}.{payload}",
        "no signature": f"Bearer {header}.{payload}.",
        "cut": f"Bearer {good[:-1]}",
        "a blank inside": f"Bearer {header}. {payload}.{signature}",
        "a NUL": f"Bearer {good}%00",
        "four parts": f"Bearer {good}.x",
        "9,000 characters": f"Bearer {'x' * 9_000}",
        "nonsense": "Bearer \u00e9\u00fc",
        "a name": "Bearer alice",
        "null": "Bearer null",
    }
    taken = {"small letters": f"bearer {good}", "capitals": f"BEARER {good}", "blanks around": f"Bearer   {good}  "}
    hidden = ("token", "access_token", "ticket", "authorization")
    return {
        **{name: ask("GET /v1/me", NOBODY, authorization=value) for name, value in refused.items()},
        **{name: ask("GET /v1/me", FINE, authorization=value, only_here=True) for name, value in taken.items()},
        **{f"in the query as {name}": ask(f"GET /v1/me?{name}={good}", NOBODY, authorization=None) for name in hidden},
        "in a cookie": ask(
            "GET /v1/me", NOBODY, authorization=None, headers={"cookie": f"Authorization=Bearer {good}"}
        ),
        "in another header": ask(
            "GET /v1/me", NOBODY, authorization=None, headers={"x-authorization": f"Bearer {good}"}
        ),
        "an expired one": ask(
            "GET /v1/me", (401, "token_expired"), authorization=f"Bearer {token(exp=1, iat=1)}", only_here=True
        ),
        "of a user who can't be": ask("GET /v1/me", NOBODY, authorization=f"Bearer {token('a:b')}"),
        "of nobody": ask("GET /v1/me", NOBODY, authorization=f"Bearer {token('')}"),
        "acting as somebody without the scope": ask("GET /v1/blocks", (403, "forbidden"), headers={"Parley-As": "bob"}),
        "acting as nobody without the scope": ask("GET /v1/blocks", (403, "forbidden"), headers={"parley-as": ""}),
        "another user in headers": ask("GET /v1/blocks", FINE, headers={"x-user-id": "bob", "user_id": "bob"}),
        "nothing but what is needed": ask("GET /v1/health", FINE, authorization=None),
        "what the answer should be": ask(
            "GET /v1/health", FINE, headers={"accept": "text/html", "accept-encoding": "x"}
        ),
    }


LINES: Final = (
    *table("paths", _paths()),
    *table("methods", _methods()),
    *table("ids in paths", _ids()),
    *table("places in paths", _seqs()),
    *table("queries", _queries()),
    *table("cursors", _cursors()),
    *table("credentials", _credentials()),
)
