"""What a token may claim about how it is to be checked. Nothing of it is believed."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.security.signing import (
    EC_KID,
    JWKS_URL,
    LEFT_OUT,
    RS_KID,
    SIGNINGS,
    Key,
    Signing,
    ec_key,
    public_jwk,
    rsa_key,
    signed,
)
from tests.shared.auth.minting import SECRET, claims, segment

MALLORYS = "https://mallory.example.net"
MALLORYS_SECRET = "a secret that mallory has chosen for herself"


@dataclass(frozen=True)
class Attack:
    """`token` makes it for a signing; `code` is what the attacker is told."""

    name: str
    token: Callable[[Signing], str]
    code: str = "unauthenticated"
    signings: tuple[str, ...] = SIGNINGS


def issued(payload: Any = None, **header: Any) -> Callable[[Signing], str]:
    """A token that the issuer itself has signed, with these claims and changes of the header."""
    return lambda signing: signing.sign(payload, signing.header(**header))


JWKS_SIGNINGS = ("RS256", "ES256")
_NONE = ("none", "None", "NONE", "nOnE", "none ", " none", "none\x00", "n\u043ene", "")
_NO_ALGORITHM: tuple[Any, ...] = (None, True, 0, 256, [], ["none"], {}, {"alg": "HS256"}, LEFT_OUT)
_OTHERS = (
    *("HS384", "HS512", "RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512", "ES256K", "EdDSA", "RSA1_5"),
    *("dir", "A256KW", "hs256", "rs256", "es256", "HS256 ", "RS256\n", "\u0397S256", "HS256,RS256", "HMAC", "sha256"),
)


def algorithms() -> Iterator[Attack]:
    """Each three times: without a signature, with a good token's, and with one that the issuer made for just this."""
    for alg in (*_NONE, *_NO_ALGORITHM, *_OTHERS):
        name = "no alg" if alg is LEFT_OUT else f"alg {alg!r}"
        yield Attack(f"{name}, no signature", partial(_unsigned, alg=alg))
        yield Attack(f"{name}, borrowed signature", partial(_borrowed, alg=alg))
        yield Attack(f"{name}, issuer's signature", issued(alg=alg))
    for signing_name in SIGNINGS:
        yield Attack(f"alg as a list with {signing_name}", issued(alg=[signing_name]))


def _unsigned(signing: Signing, *, alg: Any) -> str:
    return f"{segment(signing.header(alg=alg))}.{segment(claims())}."


def _borrowed(signing: Signing, *, alg: Any) -> str:
    return _unsigned(signing, alg=alg) + signing.sign().rpartition(".")[2]


@cache
def public_forms() -> dict[str, bytes]:
    """Every form in which the issuer's public RSA key goes round, as the bytes of a secret."""
    public = rsa_key().public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    pkcs1 = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    jwk = public_jwk(rsa_key(), RS_KID)
    return {
        "PEM": pem,
        "PEM without the last line end": pem.strip(),
        "PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "PKCS#1 PEM": pkcs1,
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "JWK": json.dumps(jwk).encode(),
        "JWK, compact": json.dumps(jwk, separators=(",", ":")).encode(),
        "JWK, sorted": json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode(),
        "JWKS": json.dumps({"keys": [jwk]}).encode(),
        "modulus": str(jwk["n"]).encode(),
        "EC JWK": json.dumps(public_jwk(ec_key(), EC_KID)).encode(),
        "the repr of the key": repr(public).encode(),
        "nothing": b"",
    }


def confusion() -> Iterator[Attack]:
    """A public key as an HMAC secret, and keys of one kind under the name of another."""
    for form in public_forms():
        for alg in ("HS256", "HS384", "HS512"):
            for kid in (RS_KID, EC_KID, LEFT_OUT):
                named = "no kid" if kid is LEFT_OUT else kid
                yield Attack(
                    f"{alg} with the {form} as secret, {named}", partial(_with_public_form, form=form, alg=alg, kid=kid)
                )
    for alg, kid, by in (
        ("ES256", RS_KID, "RS256"),
        ("RS256", EC_KID, "RS256"),
        ("RS256", EC_KID, "ES256"),
        ("ES256", RS_KID, "ES256"),
        ("RS256", RS_KID, "ES256"),
        ("ES256", EC_KID, "RS256"),
    ):
        yield Attack(f"{alg} of {kid}, signed with {by}", partial(_mixed_up, alg=alg, kid=kid, by=by))
    yield Attack("the secret's HS256 where keys are published", _with_the_secret, signings=JWKS_SIGNINGS)
    yield Attack("RS256 where a secret is configured", lambda _: _mallorys("RS256"), signings=("HS256",))


def _with_public_form(signing: Signing, *, form: str, alg: str, kid: Any) -> str:
    return signed(signing.header(alg=alg, kid=kid), claims(), public_forms()[form], alg)


def _mixed_up(signing: Signing, *, alg: str, kid: str, by: str) -> str:
    return signed(signing.header(alg=alg, kid=kid), claims(), rsa_key() if by == "RS256" else ec_key(), by)


def _with_the_secret(signing: Signing) -> str:
    return signed(signing.header(alg="HS256"), claims(), SECRET, "HS256")


def _mallorys(alg: str, **header: Any) -> str:
    """Signed with a key of mallory's own."""
    keys: dict[str, Key] = {"RS256": rsa_key("mallory"), "ES256": ec_key("mallory"), "HS256": MALLORYS_SECRET}
    return signed({"alg": alg, "typ": "JWT", **header}, claims(), keys[alg], alg)


@cache
def _certificate() -> str:
    key, name = rsa_key("mallory"), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "id.example.com")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(Encoding.DER)).decode()


def _own_keys(kid: str) -> dict[str, dict[str, Any]]:
    """Header fields that bring a key, or say where one is."""
    secret = base64.urlsafe_b64encode(MALLORYS_SECRET.encode()).decode()
    return {
        "jwk": {"jwk": public_jwk(rsa_key("mallory"), kid)},
        "jwk, elliptic": {"jwk": public_jwk(ec_key("mallory"), kid)},
        "jwk, a secret": {"jwk": {"kty": "oct", "k": secret, "kid": kid}},
        "jku": {"jku": f"{MALLORYS}/jwks.json"},
        "jku at the issuer's host": {"jku": f"{JWKS_URL}/../mallory.json"},
        "jku, http": {"jku": "http://169.254.169.254/latest/meta-data/"},
        "jku, file": {"jku": "file:///etc/hostname"},
        "x5u": {"x5u": f"{MALLORYS}/cert.pem"},
        "x5c": {"x5c": [_certificate()]},
        "x5t": {"x5t": "c2VsZi1zaWduZWQ", "x5t#S256": "c2VsZi1zaWduZWQ"},
        "all of them": {"jwk": public_jwk(rsa_key("mallory")), "jku": MALLORYS, "x5u": MALLORYS, "x5c": ["MIIB"]},
    }


def own_keys() -> Iterator[Attack]:
    """A key that the token brings along, under a known key's name, an unknown one's and none."""
    for what in _own_keys(""):
        for alg in ("RS256", "ES256", "HS256"):
            for kid in ("known", "mallory-1", None):
                yield Attack(f"{what} with {alg}, kid {kid}", partial(_bringing, what=what, alg=alg, kid=kid))


def _bringing(signing: Signing, *, what: str, alg: str, kid: str | None) -> str:
    named = signing.kid if kid == "known" else kid
    return _mallorys(alg, **_own_keys(named or "")[what], **({} if named is None else {"kid": named}))


_KIDS: dict[str, tuple[str, str]] = {
    "a path": ("../../../../../../dev/null", ""),
    "a path in Lambda": ("/var/task/shared/auth/tokens.py", ""),
    "the environment": ("/proc/self/environ", ""),
    "SQL": ("' UNION SELECT 'known' -- ", "known"),
    "a URL": (f"{MALLORYS}/key.pem", "known"),
    "a command": ("$(cat /etc/hostname)|id", ""),
    "NUL behind a known one": (f"{RS_KID}\x00.pem", ""),
    "NUL": ("\x00", ""),
    "nothing": ("", ""),
    "4 KB": ("k" * 4_000, ""),
    "10 KB": ("k" * 10_240, ""),
    "a class": ("__class__", ""),
    "a template": ("{{7*7}}%s{0}", ""),
    "lone surrogate": ("\ud800", ""),
}


def key_ids() -> Iterator[Attack]:
    """Key ids that would find a key somewhere else, and those that only look like the right one."""
    for what, (kid, secret) in _KIDS.items():
        yield Attack(f"kid: {what}, HS256 with what it would find", partial(_found_by_kid, kid=kid, secret=secret))
        yield Attack(f"kid: {what}, the issuer's signature", issued(kid=kid), signings=JWKS_SIGNINGS)
    for near in ("RSA-1", " rsa-1", "rsa-1 ", "rsa-1\n", "rsa\u20101", "rsa-01", "ec-1\x00", "rsa-1,ec-1"):
        yield Attack(f"kid: {near!r}", issued(kid=near), signings=JWKS_SIGNINGS)
    no_texts: list[Any] = [5, 1.5, None, True, [], [RS_KID], {}, {"kid": RS_KID}]
    for kid in no_texts:
        yield Attack(f"kid: {kid!r}", issued(kid=kid))
    yield Attack("no kid where there are two keys", _without_kid, signings=JWKS_SIGNINGS)


def _found_by_kid(signing: Signing, *, kid: str, secret: str) -> str:
    return signed(signing.header(alg="HS256", kid=kid), claims(), secret, "HS256")


def _without_kid(signing: Signing) -> str:
    return signing.sign(header=signing.header(kid=LEFT_OUT))


_NESTED: dict[str, Callable[[Signing], Any]] = {
    "cty JWT around a good token": lambda signing: json.dumps(signing.sign()),
    "cty JWT around a good token, bare": lambda signing: signing.sign(),
    "claims in an envelope": lambda _: {"claims": claims()},
    "claims as text": lambda _: json.dumps(json.dumps(claims())),
}


def extensions() -> Iterator[Attack]:
    """Header fields of extensions that are not spoken here; all of these tokens are signed by the issuer."""
    critical: list[Any] = [["exp"], ["b64"], ["http://example.com/ext"], [], "exp", 1, None, {}, [1], [[]], ["crit"]]
    for crit in critical:
        yield Attack(f"crit {crit!r}", issued(crit=crit, exp=1))
    yield Attack("b64 false", issued(b64=False))
    yield Attack("b64 false, critical", issued(b64=False, crit=["b64"]))
    yield Attack("b64 false, payload as it is", _unencoded)
    yield Attack("b64 false, payload detached", partial(_detached, b64=False, crit=["b64"]))
    yield Attack("payload detached", _detached)
    yield Attack("zip DEF", _compressed)
    for name, payload in _NESTED.items():
        yield Attack(name, partial(_nested, payload=payload))


def _nested(signing: Signing, *, payload: Callable[[Signing], Any]) -> str:
    return signing.sign(payload(signing), signing.header(cty="JWT"))


def _unencoded(signing: Signing) -> str:
    header = segment(signing.header(b64=False, crit=["b64"]))
    return f"{header}.{json.dumps(claims())}.{signing.sign().rpartition('.')[2]}"


def _detached(signing: Signing, **header: Any) -> str:
    first, _, last = signing.sign(header=signing.header(**header)).split(".")
    return f"{first}..{last}"


def _compressed(signing: Signing) -> str:
    """A bomb: small in the token, 4 MB unpacked."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(json.dumps(claims(filler="x" * 4_000_000)).encode()) + packer.flush()
    return signing.sign(payload=packed.decode("latin-1"), header=signing.header(zip="DEF"))
