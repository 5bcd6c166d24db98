from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.auth.tokens import CLOCK_LEEWAY_MS, SecretKey, TokenVerifier, bearer_token
from shared.domain.connections import MAX_TOKEN_CHARACTERS, Identity
from shared.errors import TokenExpired, Unauthenticated, Unavailable
from tests.shared.auth.minting import NOW_MS, NOW_S, SECRET, claims, segment, token


def _verifier(*, secret: str = SECRET, issuer: str = "", audience: str = "", now: int = NOW_MS) -> TokenVerifier:
    return TokenVerifier(SecretKey(lambda: secret), issuer=issuer, audience=audience, now=lambda: now)


def _refused(text: str, verifier: TokenVerifier | None = None) -> None:
    """Refused as no usable credentials, not as expired ones."""
    with pytest.raises(Unauthenticated) as error:
        (verifier or _verifier()).verify(text)
    assert error.value.code == "unauthenticated"


def test_a_good_token_says_whose_it_is_and_until_when() -> None:
    assert _verifier().verify(token()) == Identity("alice", (NOW_S + 3_600) * 1_000, issued_at=(NOW_S - 60) * 1_000)


def test_a_token_as_any_library_makes_it_is_good() -> None:
    made = jwt.encode(claims(), SECRET, algorithm="HS256", headers={"kid": "any"})
    assert _verifier().verify(made).user_id == "alice"


def test_a_token_with_another_secret_is_refused() -> None:
    _refused(token(secret="b" * 40))
    _refused(token(), _verifier(secret="b" * 40))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "NONE"},
        {"alg": ""},
        {"alg": None},
        {"alg": "hs256"},
        {"alg": "HS384"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"alg": ["HS256"]},
        {"alg": {"HS256": 1}},
        {"alg": 256},
        {"typ": "JWT"},
        {"alg": "HS256", "kid": 5},
        {"alg": "HS256", "kid": ["a"]},
        {"alg": "HS256", "kid": None},
        {"alg": "HS256", "crit": ["exp"], "exp": 1},
        {"alg": "HS256", "b64": False, "crit": ["b64"]},
        [],
        "not json",
        '"HS256"',
        "null",
        "[" * 4_000,
        '{"alg":"HS256","x":' + "[" * 4_000,
    ],
    ids=lambda header: str(header)[:30],
)
def test_the_header_decides_nothing_and_odd_ones_are_refused(header: Any) -> None:
    _refused(token(header=header))


def test_an_unsigned_token_is_refused() -> None:
    _refused(f"{segment({'alg': 'none', 'typ': 'JWT'})}.{segment(claims())}.")
    _refused(f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{segment(claims())}.")


def test_a_token_of_another_kind_of_key_is_refused() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    _refused(jwt.encode(claims(), key, algorithm="RS256"))


def test_a_public_key_is_never_taken_for_a_secret() -> None:
    public = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    _refused(token(secret=pem), _verifier(secret=pem))


def test_an_empty_secret_lets_nobody_in() -> None:
    _refused(token(secret=""), _verifier(secret=""))


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_token_that_was_changed_is_refused(at: int) -> None:
    parts = token().split(".")
    other = token(claims(sub="mallory"), header={"alg": "HS256"}, secret="b" * 40).split(".")
    _refused(".".join(other[i] if i == at else part for i, part in enumerate(parts)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a",
        "a.b",
        "a.b.c",
        "Bearer x",
        "\x00",
        "é.ü.ñ",
        "\ud800.a.b",
        " " + token(),
        token() + " ",
        token() + ".x",
        token() + "!",
        token().replace(".", ""),
        token()[:-10],
        f"{segment({'alg': 'HS256'})}..",
        "=" * 100,
        "." * 1_000,
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_garbage_is_refused(text: str) -> None:
    _refused(text)


@given(text=st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.decode("latin-1")))
@settings(max_examples=100)
def test_whatever_the_text_it_is_refused_and_nothing_else(text: str) -> None:
    _refused(text)


@given(header=st.binary(max_size=60), payload=st.binary(max_size=60))
@settings(max_examples=100)
def test_whatever_the_parts_they_are_refused_and_nothing_else(header: bytes, payload: bytes) -> None:
    _refused(token(payload.decode("latin-1"), header=header.decode("latin-1")))


def test_a_long_token_is_refused_unread() -> None:
    def read() -> str:
        raise AssertionError("nothing should be read for it")

    verifier = TokenVerifier(SecretKey(read), now=lambda: NOW_MS)
    _refused(token(claims(filler="x" * 10_240)), verifier)
    _refused("x" * (MAX_TOKEN_CHARACTERS + 1), verifier)


def test_a_token_may_be_as_long_as_the_limit() -> None:
    room = MAX_TOKEN_CHARACTERS - len(token(claims(filler="")))
    made = token(claims(filler="x" * (room * 3 // 4)))
    assert MAX_TOKEN_CHARACTERS - 4 <= len(made) <= MAX_TOKEN_CHARACTERS
    assert _verifier().verify(made).user_id == "alice"


def test_a_secret_that_cannot_be_had_is_not_the_tokens_fault() -> None:
    def read() -> str:
        raise Unavailable

    with pytest.raises(Unavailable):
        TokenVerifier(SecretKey(read), now=lambda: NOW_MS).verify(token())


def test_the_secret_is_read_for_each_token_so_that_a_rotated_one_takes_effect() -> None:
    secrets = iter([SECRET, "b" * 40])
    verifier = TokenVerifier(SecretKey(lambda: next(secrets)), now=lambda: NOW_MS)
    verifier.verify(token())
    _refused(token(), verifier)


# What the claims say about time


@pytest.mark.parametrize("missing", ["exp", "iat"])
def test_exp_and_iat_are_required(missing: str) -> None:
    _refused(token(claims(**{missing: None})))
    _refused(token({**claims(), missing: None}))


def test_a_token_is_good_until_exp_and_expired_exactly_then() -> None:
    made = token(claims(exp=NOW_S))
    assert _verifier(now=NOW_MS - 1).verify(made).expires_at == NOW_MS
    for now in (NOW_MS, NOW_MS + 1, NOW_MS + 10**9):
        with pytest.raises(TokenExpired):
            _verifier(now=now).verify(made)


def test_fractions_of_a_second_count() -> None:
    assert _verifier().verify(token(claims(exp=NOW_S + 0.5, iat=NOW_S - 0.5))).expires_at == NOW_MS + 500


def test_the_issuers_clock_may_run_ahead_by_five_seconds() -> None:
    for claim in ("iat", "nbf"):
        made = token(claims(**{claim: NOW_S + 5}))
        assert _verifier().verify(made).user_id == "alice"
        _refused(made, _verifier(now=NOW_MS - 1))
    assert CLOCK_LEEWAY_MS == 5_000


def test_a_token_without_nbf_is_good_from_its_issue_on() -> None:
    assert _verifier().verify(token(claims(iat=0))).user_id == "alice"
    assert _verifier().verify(token(claims(iat=NOW_S, nbf=0))).user_id == "alice"


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value",
    [
        *("Infinity", "-Infinity", "NaN", "1e400", "1e300", "1" + "0" * 300, "1" + "0" * 5_000, "-1", "9007199254741"),
        *("true", "false", '"1795434800"', '"soon"', '""', "[]", "[1795434800]", "{}", "null"),
    ],
    ids=lambda value: value[:12],
)
def test_a_time_that_is_none_is_refused(claim: str, value: str) -> None:
    payload = json.dumps({**claims(), claim: "HERE"}).replace('"HERE"', value)
    _refused(token(payload))


def test_the_latest_time_that_clients_can_count_is_good() -> None:
    assert _verifier().verify(token(claims(exp=9_007_199_254_740))).expires_at == 9_007_199_254_740_000


# About issuer and audience


def test_issuer_and_audience_are_not_looked_at_where_they_are_not_configured() -> None:
    for extra in ({}, {"iss": "x"}, {"aud": "y"}, {"aud": ["y", "z"]}, {"iss": 5}, {"aud": 5}):
        assert _verifier().verify(token({**claims(), **extra})).user_id == "alice"


def test_the_issuer_must_be_the_configured_one() -> None:
    verifier = _verifier(issuer="https://issuer.example")
    assert verifier.verify(token(claims(iss="https://issuer.example"))).user_id == "alice"
    wrongs: list[Any] = [None, "https://issuer.example/", "issuer", "", 5, ["https://issuer.example"], {}]
    for wrong in wrongs:
        _refused(token(claims(iss=wrong)), verifier)


def test_the_audience_must_hold_the_configured_one() -> None:
    verifier = _verifier(audience="parley")
    for right in ("parley", ["parley"], ["other", "parley"]):
        assert verifier.verify(token(claims(aud=right))).user_id == "alice"
    wrongs: list[Any] = [None, "other", "parley2", "", [], ["other"], [5, "parley"], 5, {"parley": 1}, [["parley"]]]
    for wrong in wrongs:
        _refused(token(claims(aud=wrong)), verifier)


def test_both_are_checked_where_both_are_configured() -> None:
    verifier = _verifier(issuer="i", audience="a")
    assert verifier.verify(token(claims(iss="i", aud="a"))).user_id == "alice"
    _refused(token(claims(iss="i")), verifier)
    _refused(token(claims(aud="a")), verifier)


def test_an_expired_token_for_somebody_else_is_not_called_expired() -> None:
    _refused(token(claims(exp=NOW_S - 1, aud="other")), _verifier(audience="parley"))
    _refused(token(claims(exp=NOW_S - 1), secret="b" * 40))


# About the user


@pytest.mark.parametrize(
    ("given_claims", "user_id"),
    [
        ({"sub": "bob"}, "bob"),
        ({"sub": "A.b-C_d@example.org"}, "A.b-C_d@example.org"),
        ({"sub": "x" * 128}, "x" * 128),
        ({"sub": 42}, "42"),
        ({"sub": 0}, "0"),
        ({"sub": -7}, "-7"),
        ({"sub": 10**40}, "1" + "0" * 40),
        ({"sub": "alice", "user_id": "bob"}, "bob"),
        ({"sub": "alice", "user_id": 42}, "42"),
        ({"sub": None, "user_id": "bob"}, "bob"),
        ({"sub": 1.5, "user_id": "bob"}, "bob"),
        ({"sub": "bob", "user_id": None}, "bob"),
        ({"sub": "..."}, "..."),
        ({"sub": ".a"}, ".a"),
    ],
)
def test_the_user_is_user_id_if_present_else_sub(given_claims: dict[str, Any], user_id: str) -> None:
    assert _verifier().verify(token({**claims(), **given_claims})).user_id == user_id


@pytest.mark.parametrize("claim", ["sub", "user_id"])
@pytest.mark.parametrize(
    "value",
    [
        *(None, True, False, 1.0, 1.5, [], ["alice"], {}, {"id": "alice"}),
        *(".", "..", "", " ", "a b", "a:b", "a/b", "a#b", "é", "a\n", "alice ", "\x00", "\u0661", "x" * 129, 10**200),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_user_that_is_no_user_id_is_refused(claim: str, value: Any) -> None:
    _refused(token({**claims(sub=None), claim: value}))


def test_a_token_for_nobody_is_refused() -> None:
    _refused(token(claims(sub=None)))


@pytest.mark.parametrize("payload", ["[]", '"alice"', "null", "5", "", "{", '{"sub":"alice"', "[" * 4_000])
def test_claims_that_are_no_object_are_refused(payload: str) -> None:
    _refused(token(payload))


# The header


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Authorization": "Bearer abc"}, "abc"),
        ({"authorization": "bearer abc"}, "abc"),
        ({"AUTHORIZATION": "BEARER   abc  "}, "abc"),
        ({"Host": "x", "authorization": "Bearer a.b.c"}, "a.b.c"),
        ({}, None),
        ({"Authorization": ""}, None),
        ({"Authorization": "Bearer"}, None),
        ({"Authorization": "Bearer "}, None),
        ({"Authorization": "abc"}, None),
        ({"Authorization": "Basic abc"}, None),
        ({"Authorization": "Bearerabc"}, None),
        ({"X-Authorization": "Bearer abc"}, None),
    ],
)
def test_the_token_of_a_bearer_header(headers: dict[str, str], found: str | None) -> None:
    assert bearer_token(headers) == found


@pytest.mark.parametrize(
    ("given_claims", "scopes"),
    [
        ({}, set()),
        ({"scope": "admin"}, {"admin"}),
        ({"scope": " admin  notifications:send "}, {"admin", "notifications:send"}),
        ({"scopes": ["admin", "notifications:send"]}, {"admin", "notifications:send"}),
        ({"scope": "one", "scopes": ["two"]}, {"one", "two"}),
        ({"scope": "", "scopes": []}, set()),
        ({"scope": ["admin"]}, set()),
        ({"scopes": "admin"}, set()),
        ({"scope": 5, "scopes": {"admin": True}}, set()),
        ({"scopes": ["admin", 5, None, ["other"]]}, {"admin"}),
        ({"scope": "administrator"}, {"administrator"}),
        ({"Scope": "admin", "role": "admin", "admin": True}, set()),
    ],
)
def test_scopes_come_from_either_claim_and_from_nothing_else(given_claims: dict[str, Any], scopes: set[str]) -> None:
    assert _verifier().verify(token(claims(**given_claims))).scopes == scopes
