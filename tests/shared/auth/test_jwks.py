from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.auth import jwks
from shared.auth.jwks import KEEP_MS, MIN_REFRESH_MS, JwksKeys
from shared.auth.tokens import TokenVerifier
from shared.errors import Unauthenticated, Unavailable
from tests.fakes import FakeClock
from tests.shared.adapters.aws.certificates import tls_contexts
from tests.shared.adapters.aws.servers import Reply, ScriptedServer, reply
from tests.shared.auth.minting import SECRET, claims, token

_URL = "https://issuer.example/jwks.json"


@cache
def _rsa(name: str) -> rsa.RSAPrivateKey:
    """A key for each name, made once: it takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@cache
def _ec(name: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: Any = None, **more: Any) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        entry = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        entry = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**entry, **({} if kid is None else {"kid": kid}), **more}


def _signed(key: Any, kid: Any = None, *, algorithm: str | None = None, **changes: Any) -> str:
    algorithm = algorithm or ("RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256")
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=None if kid is None else {"kid": kid})


class Issuer:
    """What stands behind the JWKS URL: a document, or an error; and how often it was asked."""

    def __init__(self, *entries: Any) -> None:
        self.document: Any = {"keys": list(entries)}
        self.error: Exception | None = None
        self.fetches = 0

    def __call__(self, url: str) -> bytes:
        assert url == _URL
        self.fetches += 1
        if self.error is not None:
            raise self.error
        return self.document if isinstance(self.document, bytes) else json.dumps(self.document).encode()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def verifier_of(clock: FakeClock) -> Callable[[Issuer], TokenVerifier]:
    return lambda issuer: TokenVerifier(JwksKeys(_URL, now=clock, fetch=issuer), now=clock)


VerifierOf = Callable[[Issuer], TokenVerifier]


def _refused(verifier: TokenVerifier, text: str) -> None:
    with pytest.raises(Unauthenticated) as error:
        verifier.verify(text)
    assert error.value.code == "unauthenticated"


@pytest.mark.parametrize("make", [_rsa, _ec])
def test_a_token_of_a_published_key_is_good(verifier_of: VerifierOf, make: Callable[[str], Any]) -> None:
    issuer = Issuer(_jwk(_rsa("other"), "other"), _jwk(make("one"), "one"))
    assert verifier_of(issuer).verify(_signed(make("one"), "one")).user_id == "alice"


def test_keys_of_both_types_stand_side_by_side_and_are_fetched_once(verifier_of: VerifierOf) -> None:
    issuer = Issuer(_jwk(_rsa("one"), "r"), _jwk(_ec("one"), "e"))
    verifier = verifier_of(issuer)
    for _ in range(3):
        verifier.verify(_signed(_rsa("one"), "r"))
        verifier.verify(_signed(_ec("one"), "e"))
    assert issuer.fetches == 1


def test_nothing_is_fetched_before_the_first_token(verifier_of: VerifierOf) -> None:
    issuer = Issuer()
    verifier_of(issuer)
    assert issuer.fetches == 0


def test_the_key_is_the_one_the_token_names_and_no_other(verifier_of: VerifierOf) -> None:
    verifier = verifier_of(Issuer(_jwk(_rsa("one"), "one"), _jwk(_rsa("other"), "other")))
    _refused(verifier, _signed(_rsa("one"), "other"))
    _refused(verifier, _signed(_rsa("stranger"), "one"))


def test_a_single_key_needs_no_name(verifier_of: VerifierOf) -> None:
    for entry in (_jwk(_rsa("one")), _jwk(_rsa("one"), "one")):
        assert verifier_of(Issuer(entry)).verify(_signed(_rsa("one"))).user_id == "alice"


def test_of_several_keys_the_token_must_name_one(verifier_of: VerifierOf) -> None:
    _refused(verifier_of(Issuer(_jwk(_rsa("one"), "one"), _jwk(_ec("one"), "two"))), _signed(_rsa("one")))


def test_a_token_that_names_a_key_is_not_checked_with_one_without_a_name(verifier_of: VerifierOf) -> None:
    _refused(verifier_of(Issuer(_jwk(_rsa("one")))), _signed(_rsa("one"), "one"))


def test_a_public_key_is_never_taken_for_a_secret(verifier_of: VerifierOf) -> None:
    public = _rsa("one").public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    verifier = verifier_of(Issuer(_jwk(_rsa("one"), "one")))
    for secret in (pem, json.dumps(_jwk(_rsa("one"), "one")), SECRET):
        _refused(verifier, token(header={"alg": "HS256", "kid": "one"}, secret=secret))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
def test_a_key_is_tied_to_its_own_algorithm(verifier_of: VerifierOf, algorithm: str) -> None:
    verifier = verifier_of(Issuer(_jwk(_rsa("one"), "one"), _jwk(_ec("one"), "two")))
    _refused(verifier, _signed(_rsa("one"), "one", algorithm=algorithm))


@pytest.mark.parametrize(
    ("kid", "algorithm"), [("one", "ES256"), ("two", "RS256"), ("one", "none"), ("one", "HS256"), ("one", None)]
)
def test_what_algorithm_the_token_claims_is_not_believed(
    verifier_of: VerifierOf, kid: str, algorithm: str | None
) -> None:
    verifier = verifier_of(Issuer(_jwk(_rsa("one"), "one"), _jwk(_ec("one"), "two")))
    _refused(verifier, token(header={"alg": algorithm, "kid": kid}))


# What the document may hold


@pytest.mark.parametrize(
    "broken",
    [
        None,
        5,
        "key",
        [],
        {},
        {"kty": None},
        {"kty": ["RSA"]},
        {"kty": "RSA", "kid": "x"},
        {"kty": "RSA", "kid": "x", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "kid": "x", "n": "!!", "e": "AQAB"},
        {"kty": "RSA", "kid": "x", "n": "", "e": ""},
        {"kty": "EC", "kid": "x", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "x", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "EC", "kid": "x"},
        {"kty": "oct", "kid": "x", "k": "c2VjcmV0"},
        {"kty": "OKP", "kid": "x", "crv": "Ed25519", "x": "AA"},
        {"kty": "RSA", "kid": ["x"]},
        {"kty": "RSA", "kid": {"x": 1}},
        {"kty": "RSA", "kid": 5},
    ],
    ids=lambda broken: str(broken)[:30],
)
def test_one_broken_key_does_not_hide_the_others(verifier_of: VerifierOf, broken: Any) -> None:
    issuer = Issuer(broken, _jwk(_rsa("one"), "good"), broken)
    assert verifier_of(issuer).verify(_signed(_rsa("one"), "good")).user_id == "alice"


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"use": None},
        {"alg": "RS512"},
        {"alg": "HS256"},
        {"alg": None},
        {"alg": "ES256"},
        {"kid": ["one"]},
        {"kid": 1},
        {"kty": "rsa"},
        {"kty": "oct"},
    ],
    ids=str,
)
def test_a_key_that_is_not_for_these_signatures_is_not_used(verifier_of: VerifierOf, change: dict[str, Any]) -> None:
    _refused(verifier_of(Issuer({**_jwk(_rsa("one"), "one"), **change})), _signed(_rsa("one"), "one"))


def test_a_key_that_says_what_it_is_for_is_used(verifier_of: VerifierOf) -> None:
    issuer = Issuer(_jwk(_rsa("one"), "one", use="sig", alg="RS256", x5t="more", key_ops=["verify"]))
    assert verifier_of(issuer).verify(_signed(_rsa("one"), "one")).user_id == "alice"


@pytest.mark.parametrize("make", [_rsa, _ec])
def test_a_private_key_that_somebody_published_is_not_used(verifier_of: VerifierOf, make: Callable[[str], Any]) -> None:
    private = make("one")
    as_jwk = RSAAlgorithm.to_jwk if isinstance(private, rsa.RSAPrivateKey) else ECAlgorithm.to_jwk
    entry = {**json.loads(as_jwk(private)), "kid": "one"}
    _refused(verifier_of(Issuer(entry)), _signed(private, "one"))


def test_an_elliptic_key_of_another_curve_is_not_used(verifier_of: VerifierOf) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    verifier = verifier_of(Issuer(_jwk(key, "one")))
    _refused(verifier, _signed(key, "one", algorithm="ES384"))
    _refused(verifier, token(header={"alg": "ES256", "kid": "one"}))


# How the document is kept


def test_an_unknown_key_id_is_fetched_for_once_in_thirty_seconds_at_most(
    verifier_of: VerifierOf, clock: FakeClock
) -> None:
    issuer = Issuer(_jwk(_rsa("one"), "one"))
    verifier = verifier_of(issuer)
    verifier.verify(_signed(_rsa("one"), "one"))
    for n in range(20):
        _refused(verifier, _signed(_rsa("one"), f"made-up-{n}"))
    assert issuer.fetches == 1
    clock.advance(MIN_REFRESH_MS)
    for n in range(20):
        _refused(verifier, _signed(_rsa("one"), f"made-up-{n}"))
    assert issuer.fetches == 2


def test_a_rotated_key_is_found_by_its_first_token(verifier_of: VerifierOf, clock: FakeClock) -> None:
    issuer = Issuer(_jwk(_rsa("one"), "one"))
    verifier = verifier_of(issuer)
    verifier.verify(_signed(_rsa("one"), "one"))
    issuer.document = {"keys": [_jwk(_rsa("other"), "two")]}
    clock.advance(MIN_REFRESH_MS)
    assert verifier.verify(_signed(_rsa("other"), "two")).user_id == "alice"
    _refused(verifier, _signed(_rsa("one"), "one"))


def test_a_withdrawn_key_is_good_for_an_hour_at_most(verifier_of: VerifierOf, clock: FakeClock) -> None:
    issuer = Issuer(_jwk(_rsa("one"), "one"))
    verifier = verifier_of(issuer)
    made = _signed(_rsa("one"), "one", exp=clock() // 1_000 + 10 * 3_600)
    verifier.verify(made)
    issuer.document = {"keys": []}
    clock.advance(KEEP_MS)
    assert verifier.verify(made).user_id == "alice"
    clock.advance(1)
    _refused(verifier, made)


_OUTAGES: list[Exception | Any] = [
    OSError("down"),
    TimeoutError(),
    ssl.SSLError("bad certificate"),
    ValueError("not https"),
    b"",
    b"<html>",
    b"\xff\xfe",
    b"[" * 100_000,
    None,
    [],
    "text",
    {},
    {"error": "maintenance"},
    {"keys": None},
    {"keys": {}},
    {"keys": 5},
]


@pytest.mark.parametrize("outage", _OUTAGES, ids=lambda outage: repr(outage)[:30])
def test_an_outage_harms_nobody_whose_key_is_known(verifier_of: VerifierOf, clock: FakeClock, outage: Any) -> None:
    issuer = Issuer(_jwk(_rsa("one"), "one"))
    verifier = verifier_of(issuer)
    made = _signed(_rsa("one"), "one", exp=clock() // 1_000 + 10 * 3_600)
    verifier.verify(made)
    _go_out(issuer, outage)
    clock.advance(KEEP_MS + 1)
    for _ in range(3):
        assert verifier.verify(made).user_id == "alice"
    _refused(verifier, _signed(_rsa("other"), "new", exp=clock() // 1_000 + 3_600))
    assert issuer.fetches == 2


@pytest.mark.parametrize("outage", _OUTAGES, ids=lambda outage: repr(outage)[:30])
def test_without_any_keys_the_service_is_unavailable_and_not_the_token_bad(
    verifier_of: VerifierOf, clock: FakeClock, outage: Any
) -> None:
    issuer = Issuer()
    document = {"keys": [_jwk(_rsa("one"), "one")]}
    verifier = verifier_of(issuer)
    made = _signed(_rsa("one"), "one")
    _go_out(issuer, outage)
    for _ in range(3):
        with pytest.raises(Unavailable):
            verifier.verify(made)
    assert issuer.fetches == 1
    issuer.error, issuer.document = None, document
    clock.advance(MIN_REFRESH_MS)
    assert verifier.verify(made).user_id == "alice"


def _go_out(issuer: Issuer, outage: Any) -> None:
    if isinstance(outage, Exception):
        issuer.error = outage
    else:
        issuer.document = outage


# How it is fetched


@pytest.mark.parametrize("url", ["http://issuer.example/jwks.json", "file:///etc/passwd", "ftp://x", "", "HTTPS"])
def test_only_https_is_fetched(url: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        jwks.fetch(url)


@pytest.fixture
def for_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The context of a server that this process trusts."""
    server, client = tls_contexts(tmp_path)
    monkeypatch.setattr(ssl, "create_default_context", lambda: client)
    return server


def test_the_document_comes_over_tls(for_server: ssl.SSLContext, clock: FakeClock) -> None:
    body = json.dumps({"keys": [_jwk(_rsa("one"), "one")]}).encode()
    with ScriptedServer(lambda _: reply(body=body, then="close"), tls=for_server) as server:
        verifier = TokenVerifier(JwksKeys(f"{server.url}/jwks.json", now=clock), now=clock)
        assert verifier.verify(_signed(_rsa("one"), "one")).user_id == "alice"
        assert server.received[0].path == "/jwks.json"


@pytest.mark.parametrize(
    "answer",
    [
        reply(500, b"oops", then="close"),
        reply(404, b"", then="close"),
        Reply(b"nonsense\r\n\r\n", then="close"),
        Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", then="close"),
        Reply(b"", then="close"),
        reply(body=b" " * 300_000 + b'{"keys":[]}', then="close"),
    ],
    ids=["500", "404", "nonsense", "cut off", "nothing", "too large"],
)
def test_a_bad_answer_is_an_outage(for_server: ssl.SSLContext, clock: FakeClock, answer: Reply) -> None:
    with ScriptedServer(lambda _: answer, tls=for_server) as server:
        keys = JwksKeys(f"{server.url}/jwks.json", now=clock)
        with pytest.raises(Unavailable):
            keys.key_for("one")


def test_a_server_that_hangs_is_given_up(
    for_server: ssl.SSLContext, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "_TIMEOUT_S", 0.3)
    with ScriptedServer(lambda _: Reply(then="hang"), tls=for_server) as server, pytest.raises(Unavailable):
        JwksKeys(f"{server.url}/jwks.json", now=clock).key_for("one")


def test_a_certificate_nobody_trusts_is_an_outage(tmp_path: Path, clock: FakeClock) -> None:
    untrusted, _ = tls_contexts(tmp_path)
    with ScriptedServer(lambda _: reply(), tls=untrusted) as server:
        with pytest.raises(Unavailable):
            JwksKeys(f"{server.url}/jwks.json", now=clock).key_for("one")
        assert server.received == []


def test_a_redirect_away_from_https_is_not_believed(for_server: ssl.SSLContext, clock: FakeClock) -> None:
    body = json.dumps({"keys": [_jwk(_rsa("one"), "one")]}).encode()
    with ScriptedServer(lambda _: reply(body=body, then="close")) as plain:
        redirect = reply(302, b"", headers=f"Location: {plain.url}/jwks.json\r\n", then="close")
        with ScriptedServer(lambda _: redirect, tls=for_server) as server, pytest.raises(Unavailable):
            JwksKeys(f"{server.url}/jwks.json", now=clock).key_for("one")
