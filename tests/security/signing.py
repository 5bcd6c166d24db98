"""The three ways tokens may be signed, each with its issuer's key; and every door that takes a token."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm, get_default_algorithms

from functions.connect.authorizer import authorize
from shared.auth.jwks import JwksKeys
from shared.auth.tokens import SecretKey, TokenVerifier
from shared.errors import ParleyError
from tests.fakes import FakeClock
from tests.functions.events import handshake_event, http_event
from tests.functions.message.harness import MessageHarness
from tests.functions.rest.harness import RestHarness
from tests.shared.auth.minting import NOW_MS, SECRET, claims, segment
from tests.stores import SESSIONS, simulated

JWKS_URL: Final = "https://id.example.com/jwks.json"
RS_KID, EC_KID = "rsa-1", "ec-1"
LEFT_OUT: Final = object()
_JWKS = ("RS256", "ES256")
SIGNINGS: Final = ("HS256", *_JWKS)

Key = str | bytes | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(name: str = "issuer") -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


@cache
def ec_key(name: str = "issuer") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, kid: str | None = None) -> dict[str, Any]:
    made = (
        RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        if isinstance(key, rsa.RSAPrivateKey)
        else ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    )
    return {**made, **({} if kid is None else {"kid": kid})}


def signed(header: Any, payload: Any, key: Key, algorithm: str) -> str:
    """A token with this header and payload, as they are, and a signature of this key and algorithm."""
    text = f"{segment(header)}.{segment(payload)}"
    if algorithm.startswith("HS"):
        secret = key if isinstance(key, bytes) else str(key).encode()
        signature = hmac.new(secret, text.encode(), f"sha{algorithm[2:]}").digest()
    else:
        signature = get_default_algorithms()[algorithm].sign(text.encode(), key)
    return f"{text}.{jwt.utils.base64url_encode(signature).decode()}"


@dataclass
class Issuer:
    """What stands behind the JWKS URL, and everything that was fetched, from wherever."""

    keys: list[dict[str, Any]]
    fetched: list[str] = field(default_factory=list)
    error: Exception | None = None

    def __call__(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.error is not None:
            raise self.error
        return json.dumps({"keys": self.keys}).encode()


def published() -> Issuer:
    return Issuer([public_jwk(rsa_key(), RS_KID), public_jwk(ec_key(), EC_KID)])


@dataclass
class Signing:
    """One configuration of the verifier, and its issuer's key to sign with."""

    algorithm: str
    issuer: Issuer = field(default_factory=published)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW_MS))

    @property
    def key(self) -> Key:
        keys: dict[str, Callable[[], Key]] = {"HS256": lambda: SECRET, "RS256": rsa_key, "ES256": ec_key}
        return keys[self.algorithm]()

    @property
    def has_jwks(self) -> bool:
        return self.algorithm in _JWKS

    @property
    def kid(self) -> str:
        return {"HS256": "secret-1", "RS256": RS_KID, "ES256": EC_KID}[self.algorithm]

    def verifier(self, **checked: str) -> TokenVerifier:
        keys = JwksKeys(JWKS_URL, now=self.clock, fetch=self.issuer) if self.has_jwks else SecretKey(lambda: SECRET)
        return TokenVerifier(keys, now=self.clock, **checked)

    def header(self, **changes: Any) -> dict[str, Any]:
        full = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid, **changes}
        return {name: value for name, value in full.items() if value is not LEFT_OUT}

    def sign(self, payload: Any = None, header: Any = None) -> str:
        """A token that the issuer itself has signed, whatever is in it."""
        return signed(
            self.header() if header is None else header,
            claims() if payload is None else payload,
            self.key,
            self.algorithm,
        )


def asked(verifier: TokenVerifier, token: str) -> str:
    """The user of a token, or the code of its refusal."""
    try:
        return verifier.verify(token).user_id
    except ParleyError as error:
        return error.code


@cache
def _http_harness() -> RestHarness:
    """One for all: its routes take longer to make than a request, and nothing that is asked here is written."""
    return RestHarness()


@dataclass(frozen=True, slots=True)
class Doors:
    """Everything that takes a token: the verifier, the handshake, the HTTP API and the `auth` frame."""

    verifier: TokenVerifier

    def knock(self, token: str) -> Mapping[str, str]:
        """Door → the user who was let in, or the code of the refusal. A denied handshake says no code."""
        return {
            "verifier": asked(self.verifier, token),
            "handshake": self.handshake(token),
            "http": self.http(token),
            "frame": self.frame(token),
        }

    def handshake(self, token: str) -> str:
        event = handshake_event(headers={"Authorization": f"Bearer {token}"})
        try:
            policy = authorize(
                event, verifier=self.verifier, tickets=simulated().tickets, allowed_origins="", now=NOW_MS
            )
        except ParleyError as error:
            return error.code
        [statement] = policy["policyDocument"]["Statement"]
        if statement["Effect"] == "Allow":
            return str(policy["context"]["user_id"])
        assert (policy["principalId"], policy["context"]) == ("refused", {})
        return "denied"

    def http(self, token: str) -> str:
        harness = _http_harness()
        object.__setattr__(harness.wired, "verifier", self.verifier)
        answered = harness.request(http_event("GET", "/v1/me", token=token))
        assert harness.unexpected == []
        if answered.status == 200:
            return str(answered.body["user_id"])
        assert answered.status in {401, 503}
        assert not token or token not in json.dumps(answered.body)
        return str(answered.code)

    def frame(self, token: str) -> str:
        """Alice's connection shows it. Refused, it is good for no longer than before."""
        harness = MessageHarness()
        harness.verify = self.verifier.verify  # type: ignore[method-assign]
        before = harness.stores.rows(SESSIONS)
        reply = harness.say({"type": "auth", "token": token})
        if reply["success"]:
            return str(reply["data"]["user_id"])
        assert harness.stores.rows(SESSIONS) == before
        assert not token or token not in json.dumps(reply)
        return str(reply["code"])
