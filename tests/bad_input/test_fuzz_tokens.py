"""Any token names a user, or is refused; any JWKS has usable keys, or none. Nothing else comes of either."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from shared.auth.jwks import JwksKeys
from shared.auth.tokens import SecretKey, TokenVerifier, bearer_token
from shared.domain.text import is_user_id
from shared.errors import Unauthenticated, Unavailable
from tests.bad_input.fuzzing import bent, json_texts, mutated, texts, tried, values
from tests.shared.auth.minting import NOW_MS, NOW_S, SECRET, claims, token

_HEADERS: Final = ({"alg": "HS256", "typ": "JWT", "kid": "k"}, {"alg": "ES256", "kid": "good"}, {"alg": "none"})
_CLAIMS: Final = (
    claims(scope="admin x", nbf=NOW_S),
    claims(sub=None, user_id=4711, exp=NOW_S + 60.5, scopes=["admin"], iss="i", aud=["a"], jti="j"),
)


def _now() -> int:
    return NOW_MS


def _check(verifier: TokenVerifier, text: str) -> None:
    """Of a possible user, for a time; or refused."""
    try:
        identity = verifier.verify(text)
    except (Unauthenticated, Unavailable):
        return
    assert is_user_id(identity.user_id)
    assert NOW_MS < identity.expires_at <= 2**53
    assert all(isinstance(one, str) for one in identity.scopes)


_plain: Final = TokenVerifier(SecretKey(lambda: SECRET), now=_now)
_strict: Final = TokenVerifier(SecretKey(lambda: SECRET), issuer="i", audience="a", now=_now)
_signed: Final = st.builds(
    lambda header, payload: token(payload, header=header),
    st.one_of(st.just(_HEADERS[0]), json_texts(_HEADERS).filter(_has_utf8 := lambda text: text.isascii())),
    json_texts(_CLAIMS).filter(_has_utf8),
)


@tried(200)
@given(
    text=st.one_of(_signed, bent(_signed), bent(st.just(token())), texts, st.text(alphabet="ey.=-_ \0é", max_size=30))
)
def test_any_token_is_somebodys_or_nobodys(text: str) -> None:
    _check(_plain, text)
    _check(_strict, text)


@tried(100)
@given(headers=st.dictionaries(st.one_of(texts, st.just("Authorization")), st.one_of(texts, bent(st.just("Bearer x")))))
def test_any_header_has_a_token_or_none(headers: dict[str, str]) -> None:
    found = bearer_token(headers)
    assert found is None or found.strip() == found != ""


@cache
def _keys() -> tuple[ec.EllipticCurvePrivateKey, dict[str, Any], dict[str, Any]]:
    """A key to sign with, it and another as entries of a JWKS."""
    good, other = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65_537, 2_048)
    return (
        good,
        {**ECAlgorithm.to_jwk(good.public_key(), as_dict=True), "kid": "good", "use": "sig"},
        {**RSAAlgorithm.to_jwk(other.public_key(), as_dict=True), "kid": "other", "alg": "RS256"},
    )


def _verifier(document: bytes) -> TokenVerifier:
    return TokenVerifier(JwksKeys("https://issuer.example", now=_now, fetch=lambda _: document), now=_now)


@tried(60)
@given(st.data())
def test_any_document_has_keys_or_none(data: st.DataObject) -> None:
    _, good, other = _keys()
    documents = ({"keys": [good, other]}, {"keys": [other]})
    document = data.draw(
        st.one_of(json_texts(documents).map(lambda text: text.encode(errors="surrogatepass")), st.binary())
    )
    _check(_verifier(document), data.draw(st.one_of(_signed, texts)))
    _check(_verifier(document), jwt.encode(claims(), _keys()[0], algorithm="ES256", headers={"kid": "good"}))


@tried(60)
@given(st.data())
def test_no_entry_of_a_document_hides_the_key_beside_it(data: st.DataObject) -> None:
    key, good, other = _keys()
    odd = st.one_of(mutated((good, other), most=4), values).filter(lambda one: not _names_good(one))
    entries = [*data.draw(st.lists(odd, max_size=3)), good, *data.draw(st.lists(odd, max_size=3))]
    text = jwt.encode(claims(), key, algorithm="ES256", headers={"kid": "good"})
    assert _verifier(json.dumps({"keys": entries}).encode()).verify(text).user_id == "alice"


def _names_good(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("kid") == "good"
