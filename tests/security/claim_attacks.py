"""What is in a token, and how it is written. Most of these are signed by the issuer itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from tests.security.header_attacks import Attack, issued
from tests.security.signing import Signing, signed
from tests.shared.auth.minting import NOW_S, claims, segment

ISSUER, AUDIENCE = "https://id.example.com/", "parley"
_EXPIRED = "token_expired"


def named(**changes: Any) -> dict[str, Any]:
    """Good claims for a verifier that checks issuer and audience; None is a null in them."""
    return {**claims(), "iss": ISSUER, "aud": AUDIENCE, **changes}


def issuers() -> Iterator[Attack]:
    """For a verifier with an issuer and an audience."""
    wrong: list[Any] = [
        *("https://id.example.com", "https://id.example.com/x", "https://id.example.com/.mallory.example.net"),
        *("https://id.example.com.mallory.example.net/", "http://id.example.com/", "https://ID.example.com/"),
        *(
            "https://id.example.com/ ",
            " https://id.example.com/",
            "https://id.example.com/\x00",
            "https://id.example.com:443/",
        ),
        *("https://mallory@id.example.com/", "https://id.example.com/?", "https:%2F%2Fid.example.com/", "h", "", "*"),
        *([ISSUER], [ISSUER, "https://mallory.example.net/"], {"iss": ISSUER}, {ISSUER: 1}, 0, 1.5, True, None),
    ]
    for iss in wrong:
        yield Attack(f"iss {iss!r}", issued(named(iss=iss)))
    yield Attack("no iss", issued({**claims(), "aud": AUDIENCE}))
    strange: list[Any] = [
        *("", " ", "other", "parley2", "parle", "PARLEY", "parley ", " parley", "parley\x00", "parley,other", "*"),
        *([], ["other"], ["parley2"], [["parley"]], [5, "parley"], [None], {"parley": 1}, {}, 0, 5, True, None),
    ]
    for aud in strange:
        yield Attack(f"aud {aud!r}", issued(named(aud=aud)))
    yield Attack("no aud", issued({**claims(), "iss": ISSUER}))


def times() -> Iterator[Attack]:
    later = NOW_S + 6
    for claim in ("iat", "nbf"):
        for value in (later, later + 0.5, NOW_S + 10**6, 9_007_199_254_740):
            yield Attack(f"{claim} {value}", issued({**claims(), claim: value}))
    for value in (0, 0.0, 0.5, 1, NOW_S - 1, NOW_S, NOW_S - 0.001):
        yield Attack(f"exp {value}", issued(claims(exp=value)), _EXPIRED)
    for claim in ("exp", "iat"):
        yield Attack(f"no {claim}", issued(claims(**{claim: None})))
    numbers = (
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "1e300",
        "-1",
        "-0.5",
        "1" + "0" * 400,
        "9007199254741",
    )
    others = ("true", "false", "null", '""', f'"{NOW_S + 60}"', '"never"', "[]", f"[{NOW_S + 60}]", "{}", '{"exp":1}')
    for claim in ("exp", "iat", "nbf"):
        for text in (*numbers, *others):
            yield Attack(f"{claim} {text[:20]}", issued(_written(claim, text)))


def _written(claim: str, value: str) -> str:
    """Claims with one value as it stands there, also where no encoder would write it."""
    return json.dumps({**claims(), claim: "HERE"}).replace('"HERE"', value)


def users() -> Iterator[Attack]:
    wrong: list[Any] = [
        *(None, True, False, 1.0, 1.5, [], ["alice"], [["alice"]], {}, {"id": "alice"}, 10**200),
        *(
            ".",
            "..",
            "",
            " ",
            "x" * 129,
            "a#b",
            "alice#bob",
            "a:b",
            "dm:alice:bob",
            "a/b",
            "../alice",
            "a\\b",
            "a b",
            "a\tb",
        ),
        *("alice\n", "\nalice", "alice\x00", "\x00", "alice ", " alice", "\u0430lice", "alice\u200b", "\u202ealice"),
        *("ali\u0301ce", "\uff41lice", "alice%00", "alice'--", "{alice}", "$alice", "alice,bob", "alice;bob"),
    ]
    for value in wrong:
        yield Attack(f"sub {value!r:.40}", issued({**claims(), "sub": value}))
        # A user_id that is no user's is not made up for by a good sub; null is none at all.
        if value is not None:
            yield Attack(f"user_id {value!r:.40}", issued({**claims(), "user_id": value}))
    yield Attack("neither sub nor user_id", issued(claims(sub=None)))
    for text in ("[]", '"alice"', "null", "5", "true", "", " ", "{", "{}", '[{"sub":"alice"}]', "[" * 3_000, "\xff"):
        yield Attack(f"claims {text[:12]!r}", issued(text))
    for name in ("Sub", "SUB", "userId", "user-id", "uid", "username", "email", "sub\x00", " sub"):
        yield Attack(f"only {name!r}", issued({**claims(sub=None), name: "alice"}))


def signatures() -> Iterator[Attack]:
    """The good token, and what is done to it."""
    yield Attack("no signature", lambda signing: signing.sign().rpartition(".")[0])
    yield Attack("an empty signature", lambda signing: signing.sign().rpartition(".")[0] + ".")
    yield Attack("another token's signature", _swapped)
    yield Attack("another user's claims", partial(_swapped, at=1))
    yield Attack("the signature twice", lambda signing: f"{signing.sign()}{signing.sign().rpartition('.')[2]}")
    for cut in (1, 2, 4, 10, 20):
        yield Attack(f"a signature {cut} short", partial(_cut, short=cut))
    for more in ("A", "AA", "AAAA", "!", "\x00", "%3D"):
        yield Attack(f"a signature with {more!r} behind", partial(_longer, more=more))
    yield Attack("zeros for a signature", lambda signing: signing.sign().rpartition(".")[0] + "." + "A" * 86)
    yield Attack("standard base64", _in_standard_base64)
    for padding in ("=", "==", "===", "====", "=" * 50):
        for at in (0, 1):
            yield Attack(f"part {at} padded with {len(padding)}", partial(_padded, padding=padding, at=at))
    for secret in (
        "",
        "secret",
        "changeme",
        "null",
        "undefined",
        "None",
        "password",
        "your-256-bit-secret",
        "\x00" * 32,
    ):
        yield Attack(f"HS256 with {secret!r}", partial(_guessed, secret=secret))


def _swapped(signing: Signing, *, at: int = 2) -> str:
    good, other = signing.sign().split("."), signing.sign(claims(sub="mallory")).split(".")
    return ".".join(other[i] if i == at else part for i, part in enumerate(good))


def _cut(signing: Signing, *, short: int) -> str:
    return signing.sign()[:-short]


def _longer(signing: Signing, *, more: str) -> str:
    return signing.sign() + more


def _guessed(_: Signing, *, secret: str) -> str:
    return signed({"alg": "HS256"}, claims(), secret, "HS256")


def _in_standard_base64(signing: Signing) -> str:
    """Its claims have bytes that the two alphabets write differently."""
    first, payload, last = signing.sign({**claims(), "note": "\u00ff\u00fe\u07ff~~~???>>>"}).split(".")
    raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    standard = base64.b64encode(raw).decode().rstrip("=")
    assert standard != payload
    return f"{first}.{standard}.{last}"


def _padded(signing: Signing, *, padding: str, at: int) -> str:
    parts = signing.sign().split(".")
    parts[at] += padding
    return ".".join(parts)


def shapes() -> Iterator[Attack]:
    """What is no token of three parts, however much of one is in it."""
    yield Attack("five parts, as a JWE has", lambda _: f"{segment({'alg': 'dir', 'enc': 'A256GCM'})}..AAAA.AAAA.AAAA")
    yield Attack("five parts around a good token", lambda signing: f"{signing.sign()}.AAAA.AAAA")
    yield Attack("four parts", lambda signing: f"{signing.sign()}.AAAA")
    yield Attack("four parts, the first empty", lambda signing: f".{signing.sign()}")
    yield Attack("two tokens", lambda signing: f"{signing.sign()},{signing.sign()}")
    yield Attack("flattened JSON", _flattened)
    yield Attack("an SD-JWT", lambda signing: f"{signing.sign()}~WyJhIiwic3ViIiwiYWxpY2UiXQ~")
    yield Attack("a bearer in a bearer", lambda signing: f"Bearer {signing.sign()}")
    yield Attack("quoted", lambda signing: f'"{signing.sign()}"')
    for text in (
        "",
        ".",
        "..",
        "...",
        "null",
        "undefined",
        "{}",
        "alice",
        "\x00",
        "\ud800",
        "\u00e9.\u00fc.\u00f1",
        "." * 8_000,
    ):
        yield Attack(f"{text[:10]!r} alone", partial(_nothing_but, text=text))
    for blank in (" ", "\t", "\n", "\r\n", "\x0b", "\u00a0", "\u200b", "\x00"):
        for at in (1, 2):
            yield Attack(f"{blank!r} before part {at}", partial(_blank, blank=blank, at=at))
        yield Attack(f"{blank!r} within a part", partial(_split, blank=blank))
    yield Attack("8,193 characters", partial(too_long, length=8_193))
    yield Attack("a megabyte", partial(too_long, length=1_000_000))


def _nothing_but(_: Signing, *, text: str) -> str:
    return text


def _split(signing: Signing, *, blank: str) -> str:
    return signing.sign()[:9] + blank + signing.sign()[9:]


def _flattened(signing: Signing) -> str:
    first, payload, last = signing.sign().split(".")
    return json.dumps({"protected": first, "payload": payload, "signature": last})


def _blank(signing: Signing, *, blank: str, at: int) -> str:
    parts = signing.sign().split(".")
    parts[at] = blank + parts[at]
    return ".".join(parts)


def too_long(signing: Signing, *, length: int) -> str:
    """A token that is good but for its length: of this or, as the encoding has it, up to three characters more."""
    room = length - len(signing.sign(claims(filler="")))
    filler = room * 3 // 4
    while len(made := signing.sign(claims(filler="x" * filler))) < length:
        filler += 1
    return made


def duplicates() -> Iterator[Attack]:
    """Names that come twice: the last one counts, so a bad one there is no good token."""
    good = json.dumps(claims())[1:]
    for claim, last in (("sub", '"a#b"'), ("user_id", '".."'), ("exp", "1e400"), ("iat", str(NOW_S + 600))):
        text = f'{{"{claim}":{json.dumps(claims().get(claim, "alice"))},{good[:-1]},"{claim}":{last}}}'
        yield Attack(f"{claim} twice, the last one bad", issued(text))
    yield Attack("alg twice, the last one none", partial(_twice, last="none"))
    yield Attack("alg twice, the last one HS512", partial(_twice, last="HS512"))


def _twice(signing: Signing, *, last: str) -> str:
    return signing.sign(header=json.dumps(signing.header())[:-1] + f',"alg":"{last}"}}')
