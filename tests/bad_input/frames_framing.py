"""Frames that are no JSON object, whose JSON is odd, or that ask for a route that there is not."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

from tests.bad_input.frames import BAD, LARGE, UNKNOWN, Fine, Row, frame, message, raw, stored, table

_PING: Final = '{"type":"ping"}'
_MESSAGE: Final = '{"type":"message","to":"bob","content":"x"'
_DIGITS: Final = "9" * 5_000
_LISTS: Final = "[" * 10_000 + "]" * 10_000
_OBJECTS: Final = '{"a":' * 5_000 + "1" + "}" * 5_000


def _field(json_text: str) -> str:
    """A ping with something unknown in it."""
    return f'{{"type":"ping","extra":{json_text}}}'


def _read(json_text: str) -> str:
    return f'{{"type":"read","conversation_id":"dm:alice:bob","seq":{json_text}}}'


FRAMING: Final = table(
    "framing",
    {
        "empty": raw("", BAD),
        "no body at all": raw("", BAD, event={"body": None}, only_here=True),
        "blanks": raw(" \t\r\n", BAD),
        "not JSON": raw("hello", BAD),
        "list": raw("[1, 2]", BAD),
        "list of frames": raw(f"[{_PING}]", BAD),
        "empty object": raw("{}", BAD),
        "number": raw("42", BAD),
        "fraction": raw("4.2", BAD),
        "string": raw('"ping"', BAD),
        "frame in a string": raw(json.dumps(_PING), BAD),
        "null": raw("null", BAD),
        "true": raw("true", BAD),
        "two documents": raw(_PING + _PING, BAD),
        "two documents on two lines": raw(f"{_PING}\n{_PING}", BAD),
        "two documents in a row of values": raw(f"{_PING},{_PING}", BAD),
        "trailing text": raw(f"{_PING} x", BAD),
        "trailing brace": raw(f"{_PING}}}", BAD),
        "trailing comma": raw('{"type":"ping",}', BAD),
        "trailing NUL": raw(f"{_PING}\0", BAD),
        "leading NUL": raw(f"\0{_PING}", BAD),
        "byte order mark": raw(f"\ufeff{_PING}", BAD),
        "blanks of JSON around it": raw(f" \t\r\n{_PING}\r\n", Fine()),
        "form feed before it": raw(f"\f{_PING}", BAD),
        "no-break space before it": raw(f"\u00a0{_PING}", BAD),
        "line separator behind it": raw(f"{_PING}\u2028", BAD),
        "single quotes": raw("{'type':'ping'}", BAD),
        "names without quotes": raw('{type:"ping"}', BAD),
        "comment": raw(f"{_PING}// hi", BAD),
        "comment inside": raw('{"type":/* hi */"ping"}', BAD),
        "cut off in a string": raw('{"type":"pi', BAD),
        "cut off in an escape": raw('{"type":"ping\\', BAD),
        "cut off in an object": raw('{"type":"ping"', BAD),
        "cut off behind a colon": raw('{"type":', BAD),
        "one brace": raw("{", BAD),
        "wrong brace": raw('{"type":"ping"]', BAD),
        "equals sign": raw('{"type"="ping"}', BAD),
        "UTF-16": raw(_PING.encode("utf-16-le").decode("latin-1"), BAD, wire=_PING.encode("utf-16")),
        "UTF-16, big end first": raw(_PING.encode("utf-16-be").decode("latin-1"), BAD, wire=_PING.encode("utf-16-be")),
        "UTF-32": raw(_PING.encode("utf-32-le").decode("latin-1"), BAD, wire=_PING.encode("utf-32")),
        "invalid UTF-8": raw(b'{"type":"\xff"}'.decode(errors="surrogateescape"), BAD, only_here=True),
        "half an encoded character": raw(
            '{"type":"ping","id":"€"}'.encode()[:-4].decode(errors="surrogateescape"), BAD, only_here=True
        ),
        "base64 of a frame": raw(base64.b64encode(_PING.encode()).decode(), BAD),
        "bytes, as a gateway encodes them": raw(
            base64.b64encode(_PING.encode()).decode(), BAD, event={"isBase64Encoded": True}, only_here=True
        ),
        "bytes that are no text": raw("\x82\xa4type\xa4ping", BAD, wire=b"\x82\xa4type\xa4ping"),
        "compressed": raw("\x1f\x8b\x08\0\0\0\0\0", BAD, wire=b"\x1f\x8b\x08\0\0\0\0\0"),
        "a form": raw("type=ping&id=1", BAD),
        "YAML": raw("type: ping", BAD),
        "XML": raw('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', BAD),
        "HTTP": raw("GET /v1/me HTTP/1.1\r\nHost: x\r\n\r\n", BAD),
        "line break in a string": raw('{"type":"ping","extra":"a\nb"}', BAD),
        "tab in a string": raw('{"type":"ping","extra":"a\tb"}', BAD),
        "NUL in a string": raw('{"type":"ping","extra":"a\0b"}', BAD),
        "line separator in a string": raw('{"type":"ping","extra":"a\u2028b"}', Fine()),
        "DEL in a string": raw('{"type":"ping","extra":"a\x7fb"}', Fine()),
    },
)

NUMBERS: Final = table(
    "numbers of JSON",
    {
        **{f"{text} as a seq": raw(_read(text), BAD) for text in ("NaN", "Infinity", "-Infinity", "nan", "-NaN")},
        "NaN where nobody looks": raw(_field("NaN"), BAD),
        "-0 is 0": raw(_read("-0"), Fine()),
        "a float for an integer": raw(_read("1.5"), BAD),
        "1.0 is no integer": raw(_read("1.0"), BAD),
        "-0.0 is no integer": raw(_read("-0.0"), BAD),
        "1e0 is no integer": raw(_read("1e0"), BAD),
        "1e400": raw(_read("1e400"), BAD),
        "-1e400": raw(_read("-1e400"), BAD),
        "1e400 where nobody looks": raw(_field("1e400"), Fine()),
        "1e-400 where nobody looks": raw(_field("1e-400"), Fine()),
        "5,000 digits as a seq": raw(_read(_DIGITS), BAD),
        "5,000 digits behind the point": raw(_read(f"0.{_DIGITS}"), BAD),
        "5,000 digits as an exponent": raw(_read(f"1e{_DIGITS}"), BAD),
        "5,000 digits as a type": raw(f'{{"type":{_DIGITS}}}', BAD),
        "5,000 digits as an id": raw(f'{{"type":"ping","id":{_DIGITS}}}', BAD),
        "5,000 digits where nobody looks": raw(_field(_DIGITS), Fine()),
        "leading zero": raw(_read("01"), BAD),
        "plus sign": raw(_read("+1"), BAD),
        "no digit before the point": raw(_read(".5"), BAD),
        "no digit behind the point": raw(_read("1."), BAD),
        "hexadecimal": raw(_read("0x1"), BAD),
        "underscores": raw(_read("1_0"), BAD),
        "full-width digits": raw(_read("\uff11"), BAD),
        "a boolean as a number": raw(_read("true"), BAD),
        "a string as a number": raw(_read('"1"'), BAD),
        "null as a number": raw(_read("null"), BAD),
        "a list as a number": raw(_read("[1]"), BAD),
        "a number as a boolean": frame(BAD, type="typing", conversation_id="dm:alice:bob", active=1),
        "a string as a boolean": frame(BAD, type="typing", conversation_id="dm:alice:bob", active="true"),
        "null as a boolean": frame(BAD, type="typing", conversation_id="dm:alice:bob", active=None),
    },
)

OBJECTS: Final = table(
    "objects and strings of JSON",
    {
        "a type twice: the last one counts": raw('{"type":"nonsense","type":"ping"}', Fine()),
        "a type twice, and the last one is unknown": raw('{"type":"ping","type":"nonsense"}', UNKNOWN),
        "a content twice: the last one counts": raw(_MESSAGE + ',"content":"y"}', stored(content="y")),
        "an id twice: the last one counts": raw('{"type":"ping","id":"1","id":"2"}', Fine(echo="2")),
        "a recipient twice, and the last one is bad": raw(_MESSAGE + ',"to":""}', BAD),
        "10,000 lists in each other": raw(_field(_LISTS), BAD),
        "5,000 objects in each other": raw(_field(_OBJECTS), BAD),
        "10,000 lists in each other as the content": raw(f'{{"type":"message","content":{_LISTS}}}', BAD),
        "10,000 lists in each other, and nothing else": raw(_LISTS, BAD),
        "10,000 brackets that nobody closes": raw(_field("[" * 10_000), BAD),
        "30,000 brackets that nobody opened": raw("]" * 30_000, BAD),
        "10,000 brackets in a string": raw(_field('"' + "[" * 10_000 + '"'), Fine()),
        "10,000 brackets behind an escaped quote": raw(_field('"\\"' + "{[" * 5_000 + '"'), Fine()),
        "64 levels": raw(_field("[" * 63 + "]" * 63), Fine()),
        "65 levels": raw(_field("[" * 64 + "]" * 64), BAD),
        "1,000 lists side by side": raw(_field("[" + ",".join(["[]"] * 1_000) + "]"), Fine()),
        "half a surrogate pair in the content": raw(_MESSAGE + ',"content":"\\ud800"}', BAD),
        "the other half in the content": raw(_MESSAGE + ',"content":"\\udc00"}', BAD),
        "a pair the wrong way round": raw(_MESSAGE + ',"content":"\\ude00\\ud83d"}', BAD),
        "half a pair and a letter": raw(_MESSAGE + ',"content":"\\ud83dx"}', BAD),
        "half a pair in an id": raw('{"type":"ping","id":"\\ud800"}', BAD),
        "half a pair in a name": raw('{"type":"ping","\\ud800":1}', BAD),
        "half a pair where nobody looks": raw(_field('"\\ud800"'), BAD),
        "half a pair, and the id is echoed": raw('{"type":"ping","id":"7","extra":"\\ud800"}', BAD, echo="7"),
        "half a pair in a type": raw('{"type":"\\ud800"}', BAD),
        "a whole pair": raw(_MESSAGE + ',"content":"\\ud83d\\ude00"}', stored(content="\U0001f600")),
        "an escaped NUL in the content": raw(_MESSAGE + ',"content":"a\\u0000b"}', stored(content="a\0b")),
        "an unknown escape": raw(_field('"\\x41"'), BAD),
        "an escape that is too short": raw(_field('"\\u41"'), BAD),
        "an escape that is no number": raw(_field('"\\uzzzz"'), BAD),
        "escapes in a name": raw('{"\\u0074ype":"ping"}', Fine()),
        "a name of 30,000 characters": frame(Fine(), type="ping", **{"k" * 30_000: 1}),
        "1,500 unknown fields": frame(Fine(), type="ping", **{f"field{number}": number for number in range(1_500)}),
        "an empty name": frame(Fine(), type="ping", **{"": 1}),
        "names of Python and JavaScript": frame(
            Fine(), type="ping", __class__="x", __proto__={"admin": True}, constructor={"prototype": {}}
        ),
        "unknown fields": message(stored(), extra=1, priority="high", nested={"content": "y", "to": "carol"}),
        "a type with a capital": raw('{"Type":"ping"}', BAD),
        "a type with a blank": raw('{"type ":"ping"}', BAD),
        "no id": raw('{"type":"ping","id":null}', Fine()),
        "an empty id": frame(Fine(echo=""), type="ping", id=""),
        "an id of 64 characters": frame(Fine(echo="€" * 64), type="ping", id="€" * 64),
        "an id of 65 characters": frame(BAD, type="ping", id="x" * 65),
        "an id with a NUL": frame(Fine(echo="\0\x1f"), type="ping", id="\0\x1f"),
        "an id of 30,000 characters": frame(BAD, type="ping", id="x" * 30_000),
        "an id that is a number": frame(BAD, type="ping", id=7),
        "an id that is a huge number": raw('{"type":"ping","id":18446744073709551616}', BAD),
        "an id that is a list": frame(BAD, type="ping", id=["7"]),
        "an id that is an object": frame(BAD, type="ping", id={"id": "7"}),
        "an id that is a boolean": frame(BAD, type="ping", id=True),
    },
)


def _types() -> dict[str, Row]:
    unknown = [
        *("$connect", "$disconnect", "$default", "$default ", "__class__", "__init__", "serve", "handler", "None"),
        *(
            "Message",
            "MESSAGE",
            "message ",
            " message",
            "message\n",
            "message\0",
            "mess age",
            "ping/",
            "/ping",
            "../ping",
        ),
        *("", " ", "success", "new_message", "pong", "disconnect", "connect", "null", "*", "%6dessage"),
        *("\uff4dessage", "mess\u0430ge", "mes\u200bsage", "\u202emessage", "message\u0301", "\uff50ing"),
        *("${jndi:ldap://x}", "{{7*7}}", "' OR 1=1 --", "ping;ls", "attribute_exists(pk)", ":v", "#n"),
    ]
    wrong: dict[str, Any] = {"a list": ["ping"], "null": None, "a number": 1, "a fraction": 1.5, "true": True}
    return {
        **{f"{name!a}": frame(UNKNOWN, type=name) for name in unknown},
        **{name: frame(BAD, type=value) for name, value in wrong.items()},
        "no type": frame(BAD, content="x", to="bob"),
        "an unknown type with its id": raw('{"type":"nonsense","id":"7"}', UNKNOWN, echo="7"),
        "a type that is an object with a type": frame(BAD, type={"type": "ping"}),
        "a type with an escape": raw('{"type":"pin\\u0067"}', Fine()),
        "a type of 30,000 characters": frame(UNKNOWN, type="m" * 30_000),
        "a type of 100 KB": frame(LARGE, type="m" * 102_400),
        "a type that is an attribute of its frame": frame(UNKNOWN, type="__struct_fields__"),
    }


ROUTING: Final = table("routing", _types())
