"""Frames with odd texts: contents, mentions, reactions, files, and how large it may all be."""

from __future__ import annotations

import json
from typing import Any, Final

from tests.bad_input.frames import BAD, LARGE, MISSING, Fine, Row, frame, message, only_here, raw, stored, table
from tests.bad_input.frames_fields import SYNTAX
from tests.bad_input.names import DM, FILE, FOREIGN_FILE, GROUP

_FAMILY: Final = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
_ESCAPED: Final = "x" + "\x01" * 4_999
_ENGLAND: Final = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
# Every way to say nothing: separators, controls, formats, fillers, and marks that have nothing to mark.
BLANK: Final = (
    *("", " ", "\t", "\n", "\r\n", "\v\f", "\0", "\x1b", "\x7f", "\u0085", "\u00a0", "\u00ad", "\u1680", "\u2003"),
    *(
        "\u2009\u200a",
        "\u2028",
        "\u2029",
        "\u202f",
        "\u205f",
        "\u3000",
        "\u180e",
        "\u200b",
        "\u200c\u200d",
        "\u200e\u200f",
    ),
    *("\u202a\u202c", "\u202e", "\u2060", "\u2063", "\u2066\u2069", "\u206a", "\ufeff", "\u061c", "\ufff9\ufffb"),
    *("\U000e0001\U000e0020", "\U0001d173", "\U0001bca0", "\u034f", "\u115f\u1160", "\u17b4\u17b5", "\u180b", "\u2800"),
    *("\uffff", "\ufdd0", "\U0010fffe"),
    *("\u3164", "\uffa0", "\ufe0e", "\ufe0f", "\U000e0100", "\U000e01ef", " \u3164\u200b\ufe0f\n"),
)
_ODD: Final = {
    "right to left": "\u202egpj.exe\u202c",
    "NFC": "\u00e9",
    "NFD": "e\u0301",
    "a mark alone": "\u0301",
    "a family": _FAMILY,
    "a flag of tags": _ENGLAND,
    "half a flag": "\U0001f1e9",
    "a noncharacter behind a letter": "x\uffff",
    "an emoji of a later Unicode": "\U0001fae9",
    "an unassigned character": "\U0003fffd",
    "private use": "\ue000",
    "the replacement character": "\ufffd",
    "controls around a letter": "\x00\x1b[31mx\x07",
    "zalgo": "x" + "\u0301\u0316" * 500,
    "HTML": "<script>alert(1)</script>",
    "JSON": '{"type":"delete","seq":1}',
    "a lookup": "${jndi:ldap://x/y}",
    "full-width": "\uff58",
    "only a joiner and a letter": "\u200dx",
}


def _contents() -> dict[str, Row]:
    wrong: dict[str, Any] = {"null": None, "a number": 1, "a list": ["x"], "an object": {"text": "x"}, "true": True}
    blank_edits = ("", " ", "\u200b", "\u3164")
    return {
        **{f"blank {text!a}": message(BAD, content=text) for text in BLANK},
        **{name: message(stored(content=text), content=text) for name, text in _ODD.items()},
        **{f"syntax {text!a}": message(stored(content=text), content=text) for text in SYNTAX},
        **{name: message(BAD, content=value) for name, value in wrong.items()},
        **{
            f"an edit to {text!a}": frame(BAD, type="edit", conversation_id=DM, seq=1, content=text)
            for text in blank_edits
        },
        "none": frame(BAD, type="message", to="bob"),
        "an edit to null": frame(BAD, type="edit", conversation_id=DM, seq=1, content=None),
        "an edit to 5,001 characters": frame(LARGE, type="edit", conversation_id=DM, seq=1, content="x" * 5_001),
    }


CONTENTS: Final = table("contents", _contents())


def _fitting(content: str) -> Row:
    return message(stored(content=content), content=content)


def _padded(size: int) -> str:
    """A ping of so many bytes."""
    head = '{"type":"ping","id":"7","extra":"'
    return head + "x" * (size - len(head) - 2) + '"}'


SIZES: Final = table(
    "sizes",
    {
        "5,000 letters": _fitting("x" * 5_000),
        "5,001 letters": message(LARGE, content="x" * 5_001),
        "5,000 emoji, which are 20,000 bytes": _fitting("\U0001f600" * 5_000),
        "5,001 emoji": message(LARGE, content="\U0001f600" * 5_001),
        "5,000 of letters and their marks": _fitting("e\u0301" * 2_500),
        "5,002 of letters and their marks": message(LARGE, content="e\u0301" * 2_501),
        "714 families of 7 characters": _fitting(_FAMILY * 714),
        "715 families of 7 characters": message(LARGE, content=_FAMILY * 715),
        "4,998 characters beside a surrogate pair": raw(
            '{"type":"message","to":"bob","content":"\\ud83d\\ude00' + "x" * 4_999 + '"}',
            stored(content="\U0001f600" + "x" * 4_999),
        ),
        "3,901 characters, which JSON escapes to 23 KB": _fitting(_ESCAPED[:3_901]),
        "5,000 characters, which JSON escapes to 30 KB": message(LARGE, content=_ESCAPED),
        "an edit to what JSON escapes to 30 KB": frame(LARGE, type="edit", conversation_id=DM, seq=1, content=_ESCAPED),
        "5,000 quotes and backslashes, twice as many in JSON": _fitting('"\\' * 2_500),
        "5,001 blanks": message(LARGE, content=" " * 5_001),
        "20,481 bytes": message(LARGE, content="\u20ac" * 6_827),
        "a frame of 32,768 bytes": raw(_padded(32_768), Fine(echo="7")),
        "a frame of 32,769 bytes": raw(_padded(32_769), LARGE, echo="7"),
        "a frame of 32,769 bytes in fewer characters": raw(
            '{"type":"ping","extra":"' + "\u20ac" * 10_915 + '"}', LARGE
        ),
        "a frame of 128 KB": raw(_padded(131_072), LARGE, echo="7"),
        "a large frame that is no JSON": raw("{" * 40_000, LARGE),
        "a large frame of lists": raw("[" * 20_000 + "]" * 20_000, LARGE),
        "a large frame of digits": raw("9" * 40_000, LARGE),
        "a large frame whose id is a list": raw('{"type":"ping","id":["7"],"extra":"' + "x" * 40_000 + '"}', LARGE),
        "a large frame with half a pair in its id": raw('{"id":"\\ud800","extra":"' + "x" * 40_000 + '"}', LARGE),
    },
)

MENTIONS: Final = table(
    "mentions",
    {
        "the same one twice": message(stored(mentions=["bob"]), mentions=["bob", "bob"]),
        "oneself": message(stored(mentions=["alice"]), mentions=["alice"]),
        "nobody": message(stored(), mentions=[]),
        "50 times the same": message(stored(mentions=["bob"]), mentions=["bob"] * 50),
        "51 times the same": message(BAD, mentions=["bob"] * 51),
        "1,000": message(BAD, mentions=[f"user{number}" for number in range(1_000)]),
        "somebody from elsewhere": message(BAD, mentions=["bob", "carol"]),
        "a conversation": message(BAD, mentions=[DM]),
        "a bad id": message(BAD, mentions=["bob\n"]),
        "a number": message(BAD, mentions=[1]),
        "a list": message(BAD, mentions=[["bob"]]),
        "an object": message(BAD, mentions={"bob": 1}),
        "a name": message(BAD, mentions="bob"),
        "null": message(BAD, mentions=None),
        "a former capital": message(BAD, mentions=["Bob"]),
    },
)


def _react(expected: Fine | str, emoji: Any, **fields: Any) -> Row:
    return frame(expected, type="react", conversation_id=DM, seq=2, emoji=emoji, **fields)


def _reactions() -> dict[str, Row]:
    taken = {
        "a thumb with a colour": "\U0001f44d\U0001f3fd",
        "a family": _FAMILY,
        "a flag": "\U0001f1e9\U0001f1ea",
        "a flag of tags": _ENGLAND,
        "a keycap": "1\ufe0f\u20e3",
        "a letter": "a",
        "a word": "LGTM",
        "64 bytes": "\U0001f44d" * 16,
        "private use": "\ue000",
        "turned around": "\u202e\U0001f44d",
        "syntax": ":v#n",
        "an emoji of a later Unicode": "\U0001fae9",
    }
    refused: dict[str, Any] = {
        "68 bytes": "\U0001f44d" * 17,
        "65 characters": "x" * 65,
        "1 KB": "\U0001f44d" * 256,
        "a blank inside": "a b",
        "the separator of the set that it goes to": "\U0001f44d\x1fbob",
        "a noncharacter": "\U0001f44d\uffff",
        "a slash": "/",
        "a slash inside": "a/b",
        "a backslash": "\\",
        "a quote": '"',
        "an apostrophe": "'",
        "a step": ".",
        "a step back": "..",
        "the replacement character": "\ufffd",
        "a number": 1,
        "a list": ["\U0001f44d"],
        "null": None,
    }
    return {
        **{name: _react(Fine({"emoji": emoji, "target": 2}), emoji) for name, emoji in taken.items()},
        # The thirteenth of one user's at one message, where these come one after the other.
        "an unassigned character": only_here(_react(Fine({"emoji": "\U0003fffd", "target": 2}), "\U0003fffd")),
        **{name: _react(BAD, emoji) for name, emoji in refused.items()},
        **{f"blank {emoji!a}": _react(BAD, emoji) for emoji in BLANK},
        "removed with a word": _react(BAD, "\U0001f44d", remove="yes"),
        "removed what is not there": _react(Fine(), "\U0001f44d", remove=True),
        "no emoji": frame(BAD, type="react", conversation_id=DM, seq=2),
    }


REACTIONS: Final = table("reactions", _reactions())


def _image(expected: Fine | str, file_id: Any, **fields: Any) -> tuple[str, Fine | str, dict[str, Any]]:
    """Sockets have no ready files: there is nothing to be found there, either way."""
    text, _, _ = message(expected, **{"message_type": "image", "file_id": file_id, "content": "", **fields})
    return text, expected, {"only_here": True}


FILES: Final = table(
    "files",
    {
        "her own": _image(Fine({"file_id": FILE, "type": "image", "content": ""}), FILE),
        "somebody else's": _image(MISSING, FOREIGN_FILE),
        "her own as another kind": _image(MISSING, FILE, message_type="file"),
        "her own in a text": _image(BAD, FILE, message_type="text", content="x"),
        "none": _image(BAD, None),
        "an empty one": _image(BAD, ""),
        "129 characters": _image(BAD, "x" * 129),
        "a number": _image(BAD, 1),
        "an unknown type": _image(BAD, FILE, message_type="movie"),
        "a type with capitals": _image(BAD, FILE, message_type="IMAGE"),
        "a type that is null": _image(BAD, FILE, message_type=None),
        **{f"{one[:40]!a}": _image(MISSING, one) for one in (*SYNTAX, "../" + FILE, f"{FILE}/..", "\U0001f600" * 128)},
    },
)


def _json(value: Any) -> str:
    """As it is stored."""
    return json.dumps(value, separators=(",", ":"))


def _custom() -> dict[str, Row]:
    """What a team hangs on messages: `data`, and attachments."""
    here: dict[str, Any] = {"type": "message", "to": "bob", "content": "x"}
    link = {"type": "link"}
    no_data = {"a list": [], "a text": "{}", "a number": 1, "true": True, "a list of one": [{}]}
    no_attachments = {"an object": link, "a text": "link", "a list of texts": ["link"], "a list in it": [[link]]}
    no_attachment = {
        "no type": {},
        "a blank name for a type": {"": "link"},
        "an empty type": {"type": ""},
        "a type of 65 characters": {"type": "x" * 65},
        "a type that is a number": {"type": 1},
        "a type that is null": {"type": None},
        "a file id that is null": {**link, "file_id": None},
        "a file id that is a list": {**link, "file_id": [FILE]},
        "an empty file id": {**link, "file_id": ""},
    }
    edit: dict[str, Any] = {"type": "edit", "conversation_id": DM, "seq": 1, "content": "y"}
    return {
        **{f"data: {name}": frame(BAD, **here, data=value) for name, value in no_data.items()},
        **{f"attachments: {name}": frame(BAD, **here, attachments=value) for name, value in no_attachments.items()},
        **{f"an attachment: {name}": frame(BAD, **here, attachments=[value]) for name, value in no_attachment.items()},
        "data: 4,097 bytes": frame(LARGE, **here, data={"x": "y" * 4_089}),
        "data: 2,049 characters of two bytes": frame(LARGE, **here, data={"x": "\u00e9" * 2_045}),
        "data: 4,096 bytes": frame(
            Fine({"content": "x", "data": _json({"x": "y" * 4_088})}), **here, data={"x": "y" * 4_088}
        ),
        "data: names that programs trip over": frame(
            Fine({"content": "x", "data": _json({"__proto__": {"admin": True}, "": None, "$ref": "#"})}),
            **here,
            data={"__proto__": {"admin": True}, "": None, "$ref": "#"},
        ),
        "attachments: null": frame(BAD, **here, attachments=None),
        "attachments: 11": frame(LARGE, **here, attachments=[link] * 11),
        "attachments: 8 KB and a byte": frame(LARGE, **here, attachments=[{"type": "x", "y": "z" * 8_172}]),
        "attachments: a file of somebody else's": frame(MISSING, **here, attachments=[{**link, "file_id": "e" * 43}]),
        "attachments: 10, and no words": frame(
            Fine({"attachments": _json([link] * 10), "content": ""}), type="message", to="bob", attachments=[link] * 10
        ),
        "data, and no words": frame(BAD, type="message", to="bob", data={"a": 1}),
        "an edit: data that is a list": frame(BAD, **edit, data=[]),
        "an edit: 4,097 bytes": frame(LARGE, **edit, data={"x": "y" * 4_089}),
    }


CUSTOM: Final = table("data and attachments", _custom())
IN_GROUPS: Final = table(
    "groups",
    {
        "a mention of an outsider": frame(
            BAD, type="message", conversation_id=GROUP, content="x", mentions=["mallory"]
        ),
        "a mention of all": frame(BAD, type="message", conversation_id=GROUP, content="x", mentions=["*"]),
        "the last place of another log": frame(BAD, type="message", conversation_id=GROUP, content="x", after=3),
        "a message by its name": message(BAD, to=GROUP),
    },
)
